//! What holds for every operation of the API description whatever the network and the service do. `docs/reliability.md`
//! has these promises as a table; an operation that is added is covered without another line.

mod faults;
mod network;

use std::{collections::HashSet, fmt::Debug, time::Duration};

use brickwire_client::{Error, ErrorKind, OPERATIONS, OperationInfo, wire::Wire};
use serde_json::Value;
use tokio::time::Instant;

use self::{
    faults::{Fate, Fault},
    network::{End, Network, Reply, TOKEN},
};

/// What the tests give a call: long enough for a few attempts, and not for all.
const DEADLINE: Duration = Duration::from_secs(20);

/// Sends an operation with something in place of each parameter, whatever its types are.
async fn call(wire: &Wire, operation: &OperationInfo) -> Result<(), Error> {
    let parameters = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let call = parameters.fold(wire.call(operation), |call, name| call.path(name, &"1"));
    call.with_limit(1 << 20).send::<Value>().await.map(drop)
}

/// How many of the faults an operation is tried with whose kind was tried with all.
const SHARE: usize = 8;

/// Tries every operation with faults that are chosen, and says how many cases that were. All faults meet the first
/// operation of each kind, a share of them, other ones each time, those that the wire sends no differently.
#[allow(clippy::print_stdout, reason = "how many cases there were is part of the result")]
async fn each(
    chosen: impl Fn(&Fault, &OperationInfo) -> bool,
    mut check: impl AsyncFnMut(&'static OperationInfo, &Fault),
) {
    let faults = faults::all();
    let mut cases = 0;
    let mut kinds = HashSet::new();
    for (turn, operation) in OPERATIONS.iter().enumerate() {
        let is_new = kinds.insert((operation.method, operation.repeatable, operation.path.contains('{')));
        let chosen = faults.iter().filter(|fault| chosen(fault, operation)).enumerate();
        for (_, fault) in chosen.filter(|(i, _)| is_new || (i + turn) % SHARE == 0) {
            check(operation, fault).await;
            cases += 1;
        }
    }
    println!("{} operations, {} faults: {cases} cases", OPERATIONS.len(), faults.len());
    assert!(cases > 0);
}

#[track_caller]
fn holds(condition: bool, operation: &OperationInfo, fault: &Fault, seen: &dyn Debug) {
    assert!(condition, "{} and {}: {seen:?}", operation.operation_id, fault.name);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_run_is_sent_once_and_its_outcome_is_unknown() {
    let may_have_run = [Fate::Passing, Fate::Failed, Fate::Unreadable];
    let chosen = |fault: &Fault, o: &OperationInfo| !o.repeatable && may_have_run.contains(&fault.fate);
    each(chosen, async |operation, fault| {
        let (wire, network) = Network::wire([fault.reply.clone()]);
        let error = call(&wire, operation).await.unwrap_err();
        holds(network.sent() == 1, operation, fault, &network.sent());
        holds(error.is_unknown_outcome() && !error.is_retryable(), operation, fault, &error);
        holds(error.hint().is_some(), operation, fault, &error);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_did_not_run_is_no_unknown_outcome_and_is_sent_again_where_that_helps() {
    let chosen = |fault: &Fault, _: &OperationInfo| matches!(fault.fate, Fate::NotYet | Fate::Refused);
    each(chosen, async |operation, fault| {
        if fault.fate == Fate::NotYet {
            let (wire, network) = Network::wire([fault.reply.clone(), fault.reply.clone(), works()]);
            let outcome = call(&wire, operation).await;
            holds(outcome.is_ok() && network.sent() == 3, operation, fault, &outcome);
        } else {
            let (wire, network) = Network::wire([fault.reply.clone()]);
            let error = call(&wire, operation).await.unwrap_err();
            holds(!error.is_unknown_outcome(), operation, fault, &error);
            // A redirect is followed ten times before it is a circle.
            holds(network.sent() == 1 || fault.name.contains("for ever"), operation, fault, &network.sent());
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_safe_to_repeat_survives_three_faults_in_a_row() {
    let chosen = |fault: &Fault, operation: &OperationInfo| {
        let passes = matches!(fault.fate, Fate::NotYet | Fate::Passing);
        // A host that can't be reached is reported after three tries.
        operation.repeatable && passes && !matches!(fault.reply, Reply::NotSent)
    };
    each(chosen, async |operation, fault| {
        let faults = std::iter::repeat_n(fault.reply.clone(), 3);
        // Silence ends an attempt only where something limits it.
        let (wire, network) = Network::wire(faults.chain([works()]));
        let outcome = match is_silent(fault) {
            true => send_with_timeout(&wire, operation).await,
            false => call(&wire, operation).await,
        };
        holds(outcome.is_ok() && network.sent() == 4, operation, fault, &(outcome, network.sent()));
    })
    .await;
}

/// The HTTP client ends an attempt after a minute of silence; this network has none.
async fn send_with_timeout(wire: &Wire, operation: &OperationInfo) -> Result<(), Error> {
    let parameters = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let call = parameters.fold(wire.call(operation), |call, name| call.path(name, &"1"));
    call.with_timeout(Some(Duration::from_secs(60))).send::<Value>().await.map(drop)
}

fn is_silent(fault: &Fault) -> bool {
    matches!(fault.reply, Reply::Silence | Reply::Answer(_, _, _, End::Stalled))
}

#[tokio::test(start_paused = true)]
async fn no_call_outlives_its_deadline_and_none_sleeps_for_a_day() {
    each(
        |_, _| true,
        async |operation, fault| {
            let (wire, network) = Network::wire([fault.reply.clone()]);
            let began = Instant::now();
            let outcome = call(&wire.with_deadline(began + DEADLINE), operation).await;
            holds(began.elapsed() <= DEADLINE, operation, fault, &(began.elapsed(), &outcome));
            // Waits grow, and the limiter holds the rest: a storm is no reason for a storm.
            holds(network.sent() <= 30, operation, fault, &network.sent());
        },
    )
    .await;
    let chosen = |fault: &Fault, _: &OperationInfo| !is_silent(fault);
    each(chosen, async |operation, fault| {
        let (wire, _) = Network::wire([fault.reply.clone()]);
        let began = Instant::now();
        let outcome = call(&wire, operation).await;
        // The budget for attempts and waits of a call that sets no limit.
        holds(began.elapsed() <= Duration::from_secs(300), operation, fault, &(began.elapsed(), &outcome));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn nothing_but_an_answer_is_success() {
    let chosen = |fault: &Fault, operation: &OperationInfo| {
        // A change may be answered with nothing.
        fault.fate != Fate::Empty || operation.method == "GET"
    };
    each(chosen, async |operation, fault| {
        let (wire, _) = Network::wire([fault.reply.clone()]);
        let outcome = call(&wire.with_deadline(Instant::now() + DEADLINE), operation).await;
        holds(outcome.is_err(), operation, fault, &outcome);
        let error = outcome.unwrap_err();
        let repeatable_answer = operation.repeatable && matches!(fault.fate, Fate::Unreadable | Fate::Empty);
        holds(!repeatable_answer || error.kind() == ErrorKind::UnexpectedResponse, operation, fault, &error);
        holds(error.operation() == Some(operation.operation_id), operation, fault, &error);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn no_error_repeats_the_token_or_a_large_part_of_a_body() {
    each(
        |_, _| true,
        async |operation, fault| {
            let (wire, _) = Network::wire([fault.reply.clone()]);
            let Err(error) = call(&wire.with_deadline(Instant::now() + DEADLINE), operation).await else {
                return;
            };
            let mut text = format!("{error} {error:?} {:?} {:?}", error.hint(), error.request_id());
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                text += &format!(" {cause} {cause:?}");
                source = cause.source();
            }
            holds(!text.contains(TOKEN), operation, fault, &error);
            holds(text.len() < 64 << 10, operation, fault, &text.len());
        },
    )
    .await;
}

/// An answer that any operation accepts.
fn works() -> Reply {
    Reply::Answer(200, vec![("content-type", "application/json".to_owned())], vec!["{}".into()], End::Whole)
}

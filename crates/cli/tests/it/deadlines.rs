//! `--timeout` bounds the whole command, whatever the service does: a deadline that holds only while all is well is none.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use brickwire_testserver::{End, Request, Response};
use serde_json::json;

use crate::scripted::Server;

/// The value of --timeout in each run.
const TIMEOUT: Duration = Duration::from_secs(1);
/// The time for cancellations after it, and what a busy machine takes to start a program. A request that ignores the
/// deadline takes a minute.
const AFTER: Duration = Duration::from_secs(20);

const CLUSTER: &str = "0123-456789-abcdefgh";
const WAREHOUSE: &str = "0123456789abcdef";
const STATEMENT: &str = "01ef0000-0000-1000-8000-000000000001";

/// Every command that has a time limit. The resources are in the other state than the one asked for.
const COMMANDS: [&str; 15] = [
    "clusters start off",
    "clusters restart 0123-456789-abcdefgh",
    "clusters terminate 0123-456789-abcdefgh",
    "clusters wait 0123-456789-abcdefgh --terminated",
    "warehouses start fedcba9876543210",
    "warehouses stop w",
    "warehouses wait 0123456789abcdef --stopped",
    "sql -w 0123456789abcdef SELECT",
    "sql -w w SELECT",
    "sql -w 0123456789abcdef SELECT --detach",
    "statements wait 01ef0000-0000-1000-8000-000000000001",
    "run -c 0123-456789-abcdefgh x",
    "run -c 0123-456789-abcdefgh x --context 1 --detach",
    "contexts create -c 0123-456789-abcdefgh",
    "commands execute -c 0123-456789-abcdefgh --context 1 x",
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Stall,
    Drip,
    Busy,
    BusyForAMinute,
    Unavailable,
    Reset,
}

const FAULTS: [Fault; 6] =
    [Fault::Stall, Fault::Drip, Fault::Busy, Fault::BusyForAMinute, Fault::Unavailable, Fault::Reset];

impl Fault {
    fn response(self) -> Response {
        let refused = |status| Response::new(status).with_body(r#"{"error_code":"BUSY","message":"busy"}"#);
        match self {
            Self::Stall => Response::none(End::Stall),
            Self::Drip => Response::json(" ".repeat(100_000)).with_pace(10.0),
            Self::Busy => refused(429),
            Self::BusyForAMinute => refused(429).with_header("retry-after", "60"),
            Self::Unavailable => refused(503),
            Self::Reset => Response::none(End::Reset),
        }
    }
}

/// A service that works, and on which nothing ever ends.
fn works(request: &Request) -> Response {
    let (method, path) = (request.method.as_str(), request.path());
    let statement = |state: &str| json!({ "statement_id": STATEMENT, "status": { "state": state } });
    let cluster =
        |id: &str, name: &str, state: &str| json!({ "cluster_id": id, "cluster_name": name, "state": state });
    let off = cluster("0123-456789-offoffof", "off", "TERMINATED");
    let body = match path {
        _ if path.ends_with("/clusters/list") => json!({ "clusters": [off] }),
        _ if path.ends_with("/clusters/get") && request.target.contains("offoffof") => off,
        _ if path.ends_with("/clusters/get") => cluster(CLUSTER, "on", "RUNNING"),
        _ if path.ends_with("/warehouses") => {
            json!({ "warehouses": [{ "id": WAREHOUSE, "name": "w", "state": "RUNNING" }] })
        }
        _ if path.ends_with(WAREHOUSE) => json!({ "id": WAREHOUSE, "name": "w", "state": "RUNNING" }),
        _ if path.ends_with("fedcba9876543210") => json!({ "id": "fedcba9876543210", "state": "STOPPED" }),
        _ if path.ends_with("/contexts/create") => json!({ "id": "1" }),
        // One that was created never gets ready.
        _ if path.ends_with("/contexts/status") => json!({ "id": "1", "status": "Pending" }),
        _ if path.ends_with("/commands/execute") => json!({ "id": "2" }),
        _ if path.ends_with("/commands/status") => json!({ "id": "2", "status": "Running" }),
        _ if path.ends_with("/sql/statements") => statement("PENDING"),
        _ if method == "GET" && path.contains("/sql/statements/") => statement("RUNNING"),
        _ => json!({}),
    };
    Response::json(body.to_string())
}

/// Runs each of the commands against each fault, several at a time. `is_hit` chooses the requests that get it.
#[allow(
    clippy::print_stdout,
    reason = "how many runs there were, and how long they took, is part of the result"
)]
fn all(
    commands: &[&str],
    faults: &[Fault],
    is_hit: fn(&Request) -> bool,
    check: impl Fn(&str, Fault, &str) + Sync,
) {
    let runs: Vec<_> =
        commands.iter().flat_map(|command| faults.iter().map(move |fault| (*command, *fault))).collect();
    let count = runs.len();
    let (runs, slowest) = (Mutex::new(runs), Mutex::new(Duration::ZERO));
    let next = || runs.lock().unwrap().pop();
    let work = || {
        while let Some((command, fault)) = next() {
            let server = Server::handling(move |request| match is_hit(request) {
                true => fault.response(),
                false => works(request),
            });
            let began = Instant::now();
            let limit = format!("--timeout {}ms", TIMEOUT.as_millis());
            let ran = server.brick(command).args(&limit).run();
            let (taken, code) = (began.elapsed(), ran.code());
            let told = format!("{command}, {fault:?}: exit code {code:?} after {taken:?}: {}", ran.stderr);
            assert!(taken < TIMEOUT + AFTER, "{told}");
            let mut slowest = slowest.lock().unwrap();
            *slowest = taken.max(*slowest);
            drop(slowest);
            assert!(matches!(code, Some(7 | 9)), "{told}");
            assert!(
                ran.stderr.lines().any(|line| line.starts_with("error: ")) && ran.stdout.is_empty(),
                "{told}"
            );
            // On a busy machine, the time may be over before the request in question.
            if server.sent().iter().any(|request| is_hit(request)) {
                check(command, fault, &ran.stderr);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(work);
        }
    });
    let slowest = slowest.into_inner().unwrap().saturating_sub(TIMEOUT);
    println!("{count} runs, the slowest ended {slowest:.1?} after its deadline");
}

#[test]
fn every_command_ends_when_nothing_is_answered() {
    all(&COMMANDS, &FAULTS, |_| true, |_, _, _| {});
}

#[test]
fn a_change_or_a_submission_that_is_not_answered_may_have_been_carried_out() {
    let changes: Vec<_> = COMMANDS.into_iter().filter(|command| !command.contains("wait")).collect();
    all(
        &changes,
        &FAULTS,
        |request| request.method == "POST",
        |command, fault, stderr| {
            let is_refused = matches!(fault, Fault::Busy | Fault::BusyForAMinute);
            let is_repeatable =
                ["start ", "stop ", "terminate "].iter().any(|change| command.contains(change));
            let is_unclear =
                ["may have been carried out", "outcome unknown"].iter().any(|words| stderr.contains(words));
            // A change that can be repeated is requested until the time is over.
            // The last of many refused attempts may be the one that is cut off.
            if !is_refused && !is_repeatable {
                assert!(is_unclear, "{command}, {fault:?}: {stderr}");
            }
        },
    );
}

#[test]
fn what_cannot_be_canceled_may_still_run() {
    let submitted = ["sql -w 0123456789abcdef SELECT", "run -c 0123-456789-abcdefgh x"];
    let is_cancellation =
        |request: &Request| request.path().ends_with("/cancel") || request.path().ends_with("/destroy");
    let told = AtomicUsize::new(0);
    all(&submitted, &[Fault::Stall, Fault::Drip], is_cancellation, |command, fault, stderr| {
        let words =
            if command.starts_with("sql") { "the statement may still run" } else { "it may still exist" };
        // On a busy machine, the answer that names what to cancel may come after the deadline.
        assert!(
            stderr.contains(words) || stderr.contains("outcome unknown"),
            "{command}, {fault:?}: {stderr}"
        );
        told.fetch_add(stderr.contains(words).into(), Ordering::Relaxed);
    });
    assert!(told.into_inner() > 0, "no cancellation was tried");
}

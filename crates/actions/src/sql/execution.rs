//! The life of one statement: submitted once, polled until it ends, canceled if its caller is gone.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use brickwire_client::types::{self, StatementState as State};
use tokio::time::Instant;

use super::{
    chunks::StatementChunks,
    wire::{self, StatementAnswer},
};
use crate::{
    Error, ErrorKind, Event, Result, StatementResult, WaitOptions, Workspace,
    background::CancelOnDrop,
    results::{CancelGuard, ResultParts},
    wait::{Pace, Seen, Verdict, until},
};

/// Many statements take less than a second.
pub(crate) const POLLS: RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_secs(1);

/// A `get` may not know a new statement for some seconds.
const LAG: Duration = Duration::from_secs(10);

pub(super) async fn execute(
    workspace: Workspace,
    mut request: types::ExecuteStatementRequest,
    options: WaitOptions,
    lz4: bool,
    or_json: bool,
) -> Result<StatementResult> {
    let pace = options.start(POLLS);
    request.on_wait_timeout = Some(types::ExecuteStatementRequestOnWaitTimeout::Continue);
    if request.disposition == Some(types::Disposition::ExternalLinks) {
        // Reading the system's certificates takes some milliseconds, which pass while the statement runs.
        let workspace = workspace.clone();
        tokio::task::spawn_blocking(move || workspace.wire().prepare_store().is_ok());
    }
    let guarding = workspace.clone();
    let submission = workspace.submit("statement", pace.deadline, |submitting| async move {
        let answer = wire::execute(&submitting, &request, lz4, or_json).await?;
        let id = answer.statement_id.clone();
        let id = id.ok_or_else(|| Error::unexpected("the answer to the submission names no statement"))?;
        let mut guard = guarding.cancel_on_drop("statement", &id, {
            let id = id.clone();
            move |workspace| cancel(workspace, id)
        });
        if is_terminal(&state_of(&answer)) {
            guard.disarm();
        }
        Ok((id, answer, guard))
    });
    let (id, submitted, mut guard) = submission.await?;
    let state = state_of(&submitted);
    workspace.events().emit(|| Event::StateChanged {
        what: "statement",
        id: id.clone(),
        state: state.as_str().to_owned(),
        message: None,
    });
    let ended = match is_terminal(&state) {
        true => submitted,
        false => poll(&workspace, &id, pace).await.map_err(|error| {
            let error = match error.kind() {
                ErrorKind::DeadlineExceeded => options.canceled("statement", &id),
                _ => error,
            };
            error.with_details(|d| d.statement_id = Some(id.clone()))
        })?,
    };
    guard.disarm();
    finished(workspace, id, ended, Some(guard))
}

pub(crate) async fn wait(
    workspace: Workspace,
    statement_id: &str,
    options: WaitOptions,
) -> Result<StatementResult> {
    let ended = poll(&workspace, statement_id, options.start(POLLS)).await?;
    finished(workspace, statement_id.to_owned(), ended, None)
}

async fn poll(workspace: &Workspace, statement_id: &str, pace: Pace) -> Result<StatementAnswer> {
    let began = Instant::now();
    let polling = workspace.with_deadline(pace.deadline);
    let get = || async {
        match wire::get(&polling, statement_id).await {
            Err(e) if e.is_not_found() && began.elapsed() < LAG => Err(e.with_kind(ErrorKind::Unavailable)),
            answer => answer,
        }
    };
    until("statement", statement_id, pace, workspace.events(), get, |seen| {
        let state = state_of(seen);
        Seen {
            state: state.as_str().to_owned(),
            message: None,
            verdict: if is_terminal(&state) { Verdict::Done } else { Verdict::Working },
        }
    })
    .await
}

/// Cancels a statement, and watches it for a short while: programs show its last state.
async fn cancel(workspace: Workspace, id: String) -> Result<()> {
    workspace.client().statements_cancel(&id).await?;
    if let Err(error) = poll(&workspace, &id, WaitOptions::for_an_ending().start(POLLS)).await {
        tracing::debug!(target: "brickwire", statement_id = id, %error, "canceled, but its end was not seen");
    }
    Ok(())
}

fn state_of(answer: &StatementAnswer) -> State {
    answer.status.state.clone().unwrap_or_else(|| State::UnknownValue("UNKNOWN".to_owned()))
}

/// A state that this version doesn't know counts as one on the way.
fn is_terminal(state: &State) -> bool {
    matches!(state, State::Succeeded | State::Failed | State::Canceled | State::Closed)
}

fn finished(
    workspace: Workspace,
    statement_id: String,
    answer: StatementAnswer,
    guard: Option<CancelOnDrop>,
) -> Result<StatementResult> {
    let state = state_of(&answer);
    if state == State::Succeeded {
        let StatementAnswer { manifest, raw, chunk: first, .. } = answer;
        let source = StatementChunks { workspace: workspace.clone(), statement_id: statement_id.clone() };
        return Ok(StatementResult::new(ResultParts {
            wire: workspace.wire().clone(),
            source: Arc::new(source),
            statement_id,
            manifest,
            raw,
            first,
            guard: guard.map(|guard| Box::new(guard) as Box<dyn CancelGuard>),
        }));
    }
    let status = answer.status;
    let failure = status.error.unwrap_or_default();
    let code = failure.error_code.map(|c| c.as_str().to_owned());
    let message = failure.message.filter(|m| !m.is_empty());
    let sql_state = status.sql_state.or_else(|| message.as_deref().and_then(sql_state_in).map(str::to_owned));
    let text = match state {
        State::Closed => "the statement succeeded, but its result is no longer available".to_owned(),
        State::Canceled => "the statement was canceled".to_owned(),
        _ => message.unwrap_or_else(|| format!("the statement ended as {state}")),
    };
    let error = Error::new(ErrorKind::RemoteFailed, text);
    let error = match state {
        State::Closed => error.with_hint("results are kept for an hour: run the statement again"),
        _ if too_large(&error) => error.with_hint("ask for EXTERNAL_LINKS, which has no such limit"),
        _ => error,
    };
    Err(error.with_details(|d| {
        d.operation = Some("statements_execute".to_owned());
        d.error_code = code;
        d.sql_state = sql_state;
        d.statement_id = Some(statement_id);
    }))
}

fn too_large(error: &Error) -> bool {
    error.to_string().to_ascii_uppercase().contains("INLINE")
}

/// The field may be missing; then messages end in `SQLSTATE: 42703`.
fn sql_state_in(message: &str) -> Option<&str> {
    let rest = message.split("SQLSTATE: ").nth(1)?;
    rest.get(..5).filter(|s| s.bytes().all(|b| b.is_ascii_alphanumeric()))
}

impl CancelGuard for CancelOnDrop {
    fn arm(&mut self) {
        CancelOnDrop::arm(self);
    }

    fn disarm(&mut self) {
        CancelOnDrop::disarm(self);
    }
}

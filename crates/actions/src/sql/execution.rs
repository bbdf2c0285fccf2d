//! The life of one statement: submitted once, watched to its end, cancelled if nobody waits for it any more.

use std::{sync::Arc, time::Duration};

use brickwire_client::types::{self, StatementState as State};
use tokio::time::Instant;

use super::{
    chunks::StatementChunks,
    submission::Submission,
    wire::{self, StatementAnswer},
};
use crate::{
    Error, ErrorKind, Event, Result, StatementResult, WaitOptions, Workspace,
    results::{CancelGuard, ResultParts},
    wait::{self, Seen, Subject, Verdict},
};

/// A `get` may not know a new statement for some seconds.
const LAG: Duration = Duration::from_secs(10);

/// The service waits this long for the end before it answers, which saves polls; between 5 and 50 seconds, or 0. The
/// shortest, because until it answers nobody knows what to cancel.
const WAIT: Duration = Duration::from_secs(5);

pub(super) async fn execute(
    workspace: Workspace,
    mut request: types::ExecuteStatementRequest,
    options: WaitOptions,
    lz4: bool,
) -> Result<StatementResult> {
    let begun = Instant::now();
    if request.wait_timeout.is_none() || options.timeout < WAIT {
        let wait = if options.timeout < WAIT { Duration::ZERO } else { WAIT };
        request.wait_timeout = Some(format!("{}s", wait.as_secs()));
    }
    request.on_wait_timeout = Some(types::ExecuteStatementRequestOnWaitTimeout::Continue);
    let by_links = request.disposition == Some(types::Disposition::ExternalLinks);
    let mut submission = Submission::new(&workspace, request, lz4);
    if by_links {
        // Reading the system's certificates takes some milliseconds, which pass while the statement runs.
        let workspace = workspace.clone();
        tokio::task::spawn_blocking(move || workspace.wire().prepare_store().is_ok());
    }
    let submitted = submission.answer().await?;
    drop(submission);
    let id = submitted.statement_id.clone().ok_or_else(|| {
        Error::new(ErrorKind::UnexpectedResponse, "the answer to the submission names no statement")
    })?;
    let mut guard = CancelOnDrop { workspace: workspace.clone(), statement_id: id.clone(), armed: true };
    let state = state_of(&submitted);
    workspace.events().emit(|| Event::StateChanged {
        what: "statement",
        id: id.clone(),
        state: state.as_str().to_owned(),
        message: None,
    });
    let done = match is_terminal(&state) {
        true => submitted,
        false => {
            let left = WaitOptions { timeout: options.timeout.saturating_sub(begun.elapsed()), ..options };
            match poll(&workspace, &id, left).await {
                Ok(done) => done,
                Err(error) => {
                    let error = match error.kind() {
                        ErrorKind::DeadlineExceeded => overdue(&id, options.timeout),
                        _ => error,
                    };
                    return Err(error.with_details(|d| d.statement_id = Some(id)));
                }
            }
        }
    };
    guard.disarm();
    finished(workspace, id, done, Some(guard))
}

pub(super) async fn wait(
    workspace: Workspace,
    statement_id: &str,
    options: WaitOptions,
) -> Result<StatementResult> {
    let done = poll(&workspace, statement_id, options).await?;
    finished(workspace, statement_id.to_owned(), done, None)
}

async fn poll(workspace: &Workspace, statement_id: &str, options: WaitOptions) -> Result<StatementAnswer> {
    let begun = Instant::now();
    let get = || async {
        match wire::get(workspace, statement_id).await {
            Err(e) if e.is_not_found() && begun.elapsed() < LAG => Err(e.with_kind(ErrorKind::Unavailable)),
            answer => answer,
        }
    };
    let subject = Subject { what: "statement", id: statement_id };
    wait::until(subject, options, workspace.events(), get, |seen| {
        let state = state_of(seen);
        Seen {
            state: state.as_str().to_owned(),
            message: None,
            verdict: if is_terminal(&state) { Verdict::Done } else { Verdict::Working },
        }
    })
    .await
}

fn overdue(id: &str, timeout: Duration) -> Error {
    let text = format!("statement {id} did not end within {timeout:?}, and was cancelled");
    Error::new(ErrorKind::DeadlineExceeded, text).with_hint("give it a longer timeout")
}

/// Whether there is nothing left to cancel.
pub(super) fn is_over(answer: &StatementAnswer) -> bool {
    is_terminal(&state_of(answer))
}

fn state_of(answer: &StatementAnswer) -> State {
    answer.status.state.clone().unwrap_or_else(|| State::UnknownValue("UNKNOWN".to_owned()))
}

/// A state that this version doesn't know is taken for one on the way.
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
        State::Canceled => "the statement was cancelled".to_owned(),
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

/// Messages end in `SQLSTATE: 42703`, in case the field is missing.
fn sql_state_in(message: &str) -> Option<&str> {
    let rest = message.split("SQLSTATE: ").nth(1)?;
    rest.get(..5).filter(|s| s.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Cancels the statement in the background when dropped, unless that is of no use any more.
#[derive(Debug)]
pub(super) struct CancelOnDrop {
    workspace: Workspace,
    statement_id: String,
    armed: bool,
}

impl CancelGuard for CancelOnDrop {
    fn arm(&mut self) {
        self.armed = true;
    }

    fn disarm(&mut self) {
        self.armed = false;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let (workspace, id) = (self.workspace.clone(), std::mem::take(&mut self.statement_id));
        tell(&workspace, &id);
        self.workspace.in_background(async move { cancel(&workspace, &id).await });
    }
}

/// Tells that it will be cancelled, for the case that there is no time left to see it.
pub(super) fn tell(workspace: &Workspace, id: &str) {
    workspace.events().emit(|| Event::Cancelling { what: "statement", id: id.to_owned() });
}

/// Cancels a statement, and watches for its end for a little while.
pub(super) async fn cancel(workspace: &Workspace, id: &str) {
    if let Err(error) = workspace.statements().cancel(id).await {
        tracing::warn!(target: "brickwire", statement_id = id, %error, "cannot cancel the statement");
        return;
    }
    if let Err(error) = poll(workspace, id, WaitOptions::for_an_ending()).await {
        tracing::debug!(target: "brickwire", statement_id = id, %error, "cancelled, and not seen to end");
    }
}

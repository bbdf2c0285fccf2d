//! The life of one statement: submitted once, polled until it ends, canceled if its caller is gone.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use brickwire_client::{
    operations,
    types::{self, StatementState as State},
};
use tokio::time::Instant;

use super::{
    chunks::StatementChunks,
    disposition::{Limits, Requests, has_timestamps, is_cut_by_bytes},
    verb,
    wire::{self, Formats, StatementAnswer},
};
use crate::{
    Error, ErrorKind, Event, Result, StatementResult, WaitOptions, Workspace,
    background::{CancelOnDrop, Canceled},
    document::{check_id, nameless},
    results::{CancelGuard, ChunkAnswer, ResultParts},
    wait::{Pace, Seen, Verdict, until},
};

/// Many statements take less than a second.
pub(crate) const POLLS: RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_secs(1);

/// A `get` may not know a new statement for some seconds.
const LAG: Duration = Duration::from_secs(10);

pub(super) async fn execute(
    workspace: Workspace,
    requests: Requests,
    options: WaitOptions,
    formats: Formats,
) -> Result<StatementResult> {
    let pace = options.start(POLLS);
    let Requests { first, by_links } = requests;
    let Some(by_links) = by_links else {
        return run(&workspace, first, options, pace, formats).await?.result();
    };
    let row_limit = first.row_limit;
    let is_from_arrow = by_links.format == Some(types::StatementFormat::ArrowStream);
    let ended = run(&workspace, first, options, pace, formats).await?;
    if ended.is_too_large(row_limit) || (is_from_arrow && ended.loses_digits()) {
        tracing::debug!(
            target: "brickwire", statement_id = ended.id, "the answer can't hold the whole result: running it by links"
        );
        return run(&workspace, by_links, options, pace, formats).await?.result();
    }
    ended.result()
}

/// Submits a statement and waits for its end, whatever that is.
async fn run(
    workspace: &Workspace,
    mut request: types::ExecuteStatementRequest,
    options: WaitOptions,
    pace: Pace,
    formats: Formats,
) -> Result<Ended> {
    request.on_wait_timeout = Some(types::ExecuteStatementRequestOnWaitTimeout::Continue);
    if request.disposition == Some(types::Disposition::ExternalLinks) {
        // Reading the system's certificates takes some milliseconds, which pass while the statement runs.
        let workspace = workspace.clone();
        tokio::task::spawn_blocking(move || workspace.wire().prepare_store().is_ok());
    }
    let only_reads = verb::only_reads(&request.statement);
    // A format that is refused means a second submission. The refusal is told by its words, which may quote the statement,
    // so what may change data is asked for in a form that every service has.
    let formats = match only_reads {
        true => formats,
        false => {
            if formats.or_json {
                request.format = Some(types::StatementFormat::JsonArray);
            }
            Formats { lz4: false, or_json: false }
        }
    };
    let limits = Limits { rows: request.row_limit, bytes: request.byte_limit };
    let guarding = workspace.clone();
    let submission = workspace.submit("statement", pace.deadline, |submitting| async move {
        let answer = wire::execute(&submitting, &request, formats).await?;
        let id = answer.statement_id.clone();
        let id = id.ok_or_else(|| nameless("statement", operations::STATEMENTS_EXECUTE.operation_id))?;
        let mut guard = guarding.cancel_on_drop("statement", &id, {
            let id = id.clone();
            move |workspace| cancel(workspace, id)
        });
        let state = state_of(&answer);
        if is_terminal(&state) {
            guard.disarm();
        }
        // Emitted here, since the caller may be gone: then it is too late to cancel a statement that has ended.
        guarding.events().emit(|| Event::StateChanged {
            what: "statement",
            id: id.clone(),
            state: state.as_str().to_owned(),
            message: None,
        });
        Ok((id, answer, guard))
    });
    let (id, submitted, mut guard) = submission.await?;
    let state = state_of(&submitted);
    let answer = match is_terminal(&state) {
        true => submitted,
        false => match poll(workspace, &id, pace).await {
            Ok(answer) => answer,
            Err(error) => {
                let error = match error.kind() {
                    // An earlier deadline of the workspace has its own message; dropping the guard cancels then. One that is
                    // the same is that of the statement.
                    ErrorKind::DeadlineExceeded if !ends_before(workspace, pace) => {
                        options.exceeded("statement", &id, guard.cancel().await, only_reads)
                    }
                    _ => error,
                };
                return Err(error.with_details(|d| d.statement_id = Some(id)));
            }
        },
    };
    guard.disarm();
    let (workspace, only_reads, limits) = (workspace.clone(), Some(only_reads), Some(limits));
    Ok(Ended { workspace, id, answer, only_reads, limits, guard: Some(guard) })
}

pub(crate) async fn wait(
    workspace: Workspace,
    statement_id: &str,
    options: WaitOptions,
) -> Result<StatementResult> {
    let answer = poll(&workspace, statement_id, options.start(POLLS)).await?;
    let id = statement_id.to_owned();
    Ended { workspace, id, answer, only_reads: None, limits: None, guard: None }.result()
}

/// Whether a deadline of the workspace comes before that of the statement.
fn ends_before(workspace: &Workspace, pace: Pace) -> bool {
    workspace.wire().deadline().is_some_and(|earlier| earlier < pace.deadline)
}

async fn poll(workspace: &Workspace, statement_id: &str, pace: Pace) -> Result<StatementAnswer> {
    let began = Instant::now();
    let polling = workspace.with_deadline(pace.deadline);
    let get = || async {
        match wire::get(&polling, statement_id).await {
            Err(e) if e.is_not_found() && began.elapsed() < LAG => Err(e.with_kind(ErrorKind::Unavailable)),
            Ok(answer) => {
                check_id("statement", statement_id, answer.statement_id.as_deref())?;
                Ok(answer)
            }
            Err(e) => Err(e),
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

/// Cancels a statement, and then watches it for a short while: programs show its last state.
async fn cancel(workspace: Workspace, id: String) -> Result<impl Future<Output = Canceled> + Send> {
    workspace.client().statements_cancel(&id).await?;
    Ok(async move {
        match poll(&workspace, &id, WaitOptions::for_an_ending().start(POLLS)).await {
            Ok(ended) => Canceled::Ended(state_of(&ended).as_str().to_owned()),
            Err(error) => {
                tracing::debug!(target: "brickwire", statement_id = id, %error, "canceled, but its end was not seen");
                Canceled::Requested
            }
        }
    })
}

fn state_of(answer: &StatementAnswer) -> State {
    answer.status.state.clone().unwrap_or_else(|| State::UnknownValue(String::new()))
}

/// A state that this version doesn't know counts as one on the way.
fn is_terminal(state: &State) -> bool {
    matches!(state, State::Succeeded | State::Failed | State::Canceled | State::Closed)
}

/// A statement that has ended, and the last answer about it.
struct Ended {
    workspace: Workspace,
    id: String,
    answer: StatementAnswer,
    /// Whether the statement surely changes no data; `None` if its text isn't known.
    only_reads: Option<bool>,
    /// The limits that were set for the result; `None` if they aren't known.
    limits: Option<Limits>,
    /// `None` for a statement of someone else.
    guard: Option<CancelOnDrop>,
}

impl Ended {
    /// Whether the result didn't fit into the answer.
    fn is_too_large(&self, row_limit: Option<i64>) -> bool {
        let manifest = self.answer.manifest.as_ref();
        match state_of(&self.answer) {
            State::Failed => is_inline_limit(&self.answer),
            State::Succeeded | State::Closed => {
                manifest.is_some_and(|manifest| is_cut_by_bytes(manifest, row_limit))
            }
            _ => false,
        }
    }

    /// Whether the answer has less of the result than Arrow would.
    fn loses_digits(&self) -> bool {
        matches!(state_of(&self.answer), State::Succeeded | State::Closed)
            && self.answer.manifest.as_ref().is_some_and(has_timestamps)
    }

    /// Its result, if it succeeded.
    fn result(self) -> Result<StatementResult> {
        let state = state_of(&self.answer);
        match state {
            State::Succeeded if self.is_described() => Ok(self.rows()),
            State::Succeeded => {
                let text = "the statement succeeded, but the answer does not describe its result";
                let error = Error::unexpected(text)
                    .with_hint("see what the service says about the statement, by its id");
                Err(error.with_details(|d| d.statement_id = Some(self.id)))
            }
            // The service closes a statement whose whole result was in the answer.
            State::Closed if self.has_its_result() => Ok(self.rows()),
            _ => Err(self.error(&state)),
        }
    }

    /// Whether the answer says how many rows or chunks there are. An answer that says nothing about them must not pass for
    /// an empty result.
    fn is_described(&self) -> bool {
        let counted = self.answer.manifest.as_ref().is_some_and(|manifest| {
            manifest.total_row_count.is_some()
                || manifest.total_chunk_count.is_some()
                || manifest.chunks.as_ref().is_some_and(|chunks| !chunks.is_empty())
        });
        counted || self.has_its_result()
    }

    /// Whether the answer has the rows, or there are none.
    fn has_its_result(&self) -> bool {
        let StatementAnswer { manifest, chunk, .. } = &self.answer;
        if chunk.as_ref().is_some_and(ChunkAnswer::has_rows) {
            return true;
        }
        let manifest = manifest.as_ref();
        let columns =
            manifest.and_then(|m| m.schema.as_ref()).map(|s| s.columns.as_ref().map_or(0, Vec::len));
        match (manifest.and_then(|m| m.total_row_count), columns) {
            (Some(rows), _) => rows == 0,
            (None, Some(columns)) => columns == 0,
            // Nothing is known of a result. A statement that only reads has one.
            (None, None) => self.only_reads == Some(false),
        }
    }

    fn rows(self) -> StatementResult {
        let Self { workspace, id: statement_id, answer, only_reads, limits, guard } = self;
        let StatementAnswer { manifest, raw, chunk: first, .. } = answer;
        let manifest = manifest.unwrap_or_default();
        let is_cut_unasked = limits.is_some_and(|limits| limits.leave_unexplained(&manifest));
        let source = StatementChunks { workspace: workspace.clone(), statement_id: statement_id.clone() };
        StatementResult::new(ResultParts {
            wire: workspace.wire().clone(),
            source: Arc::new(source),
            statement_id,
            only_reads: only_reads == Some(true),
            manifest,
            raw,
            first,
            is_cut_unasked,
            guard: guard.map(|guard| Box::new(guard) as Box<dyn CancelGuard>),
        })
    }

    fn error(self, state: &State) -> Error {
        let is_inline_limit = *state == State::Failed && is_inline_limit(&self.answer);
        failure(self.id, self.answer.status, state, self.only_reads, is_inline_limit)
    }
}

/// Why a statement has no result.
pub(super) fn failure(
    id: String,
    status: types::StatementStatus,
    state: &State,
    only_reads: Option<bool>,
    is_inline_limit: bool,
) -> Error {
    let failure = status.error.unwrap_or_default();
    let code = failure.error_code.map(|c| c.as_str().to_owned());
    let message = failure.message.filter(|m| !m.trim().is_empty());
    let sql_state = status.sql_state.or_else(|| message.as_deref().and_then(sql_state_in).map(str::to_owned));
    let text = match (state, message) {
        (State::Closed, _) => "the statement succeeded, but its result is no longer available".to_owned(),
        (State::Canceled, None) => "the statement was canceled".to_owned(),
        (State::Canceled, Some(reason)) => format!("the statement was canceled: {reason}"),
        (_, Some(message)) => message,
        (_, None) => format!("the statement ended as {state}"),
    };
    let may_be_repeated = only_reads == Some(true);
    let hint = match state {
        State::Closed if may_be_repeated => Some("results are kept for an hour: run the statement again"),
        State::Closed => Some("results are kept for an hour; what the statement did is done"),
        _ if is_inline_limit && may_be_repeated => {
            Some("the result is too large for the answer: leave `disposition` unset")
        }
        _ if is_inline_limit => Some("see whether the statement took effect: only its result was too large"),
        _ => None,
    };
    let error = Error::new(ErrorKind::RemoteFailed, text);
    let error = match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    };
    error.with_details(|d| {
        d.operation = Some("statements_execute".to_owned());
        d.error_code = code;
        d.sql_state = sql_state;
        d.statement_id = Some(id);
    })
}

/// Whether a statement failed only since its result is too large for the answer. The service has no code for that.
fn is_inline_limit(answer: &StatementAnswer) -> bool {
    let message = answer.status.error.as_ref().and_then(|error| error.message.as_deref()).unwrap_or_default();
    let message = message.to_ascii_lowercase();
    message.contains("inline byte limit") || message.contains("disposition=external_links")
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

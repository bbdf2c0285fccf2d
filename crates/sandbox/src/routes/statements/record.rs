//! The life of a statement: PENDING, RUNNING, then one of three ends; later CLOSED, and later forgotten.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{files::ResultFiles, request::Request};
use crate::{
    engine::{Column, EngineError, Parameter},
    lock::lock,
    tenant::{ServiceState, Tenant},
};

/// Statements of a workspace that are known at once.
const MOST_KEPT: usize = 10_000;
const HOUR_MS: u64 = 3_600_000;
/// Results can be fetched this long after the end.
const RESULTS_KEPT_MS: u64 = HOUR_MS;
/// The id is known this long.
const ID_KEPT_MS: u64 = 12 * HOUR_MS;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Pending,
    Running,
    Succeeded,
    Failed,
    Canceled,
    Closed,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
            Self::Closed => "CLOSED",
        }
    }

    pub(super) fn is_end(self) -> bool {
        self > Self::Running
    }
}

/// A piece of a result, stored in one file.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    pub(crate) file: PathBuf,
    pub(super) byte_count: u64,
    pub(super) row_count: u64,
    pub(super) row_offset: u64,
}

/// The outcome of a finished statement.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    pub(super) columns: Vec<Column>,
    pub(super) chunks: Vec<Chunk>,
    pub(super) truncated: bool,
    pub(super) error: Option<EngineError>,
    pub(super) ended_ms: u64,
}

/// One statement.
pub(crate) struct Statement {
    pub(super) id: String,
    pub(super) request: Request,
    outcome: Mutex<Outcome>,
    state: watch::Sender<State>,
    shown: Mutex<State>,
    /// Holds the chunk files; they are deleted with the statement.
    pub(super) files: Mutex<Option<ResultFiles>>,
    /// The statement and its parameters, until it runs: megabytes that are not needed again.
    text: Mutex<(String, Vec<Parameter>)>,
}

impl Statement {
    pub(super) fn new(id: String, mut request: Request, files: ResultFiles) -> Self {
        let text = (std::mem::take(&mut request.sql), std::mem::take(&mut request.parameters));
        Self {
            text: Mutex::new(text),
            id,
            request,
            outcome: Mutex::default(),
            state: watch::Sender::new(State::Pending),
            shown: Mutex::new(State::Pending),
            files: Mutex::new(Some(files)),
        }
    }

    /// The statement and its parameters, once.
    pub(super) fn take_text(&self) -> (String, Vec<Parameter>) {
        std::mem::take(&mut *lock(&self.text))
    }

    /// When it ended; `None` while it waits or runs. The state is read first: `end` sets the time before it.
    pub(crate) fn ended_ms(&self) -> Option<u64> {
        self.state().is_end().then(|| lock(&self.outcome).ended_ms)
    }

    pub(super) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(super) fn state(&self) -> State {
        *self.state.borrow()
    }

    /// The outcome if its results can be fetched, else the state. `close` changes the state before it takes the chunks away,
    /// so that the chunks are all there if the state is read after them.
    pub(super) fn results(&self) -> Result<Outcome, State> {
        let outcome = lock(&self.outcome).clone();
        match self.state() {
            State::Succeeded => Ok(outcome),
            other => Err(other),
        }
    }

    pub(crate) fn chunk(&self, index: usize) -> Option<Chunk> {
        lock(&self.outcome).chunks.get(index).cloned()
    }

    pub(super) fn begin(&self) {
        self.state.send_if_modified(|state| {
            let begins = *state == State::Pending;
            if begins {
                *state = State::Running;
            }
            begins
        });
    }

    /// Ends the statement, once: a statement that was canceled stays so. Only success leaves files.
    pub(super) fn end(&self, state: State, outcome: Outcome) {
        let ended = self.state.send_if_modified(|current| {
            if current.is_end() {
                return false;
            }
            *lock(&self.outcome) = outcome;
            // Before anyone can see the state.
            if state != State::Succeeded {
                drop(lock(&self.files).take());
            }
            *current = state;
            true
        });
        if ended && state != State::Succeeded {
            self.take_text();
        }
    }

    pub(crate) fn close(&self) {
        self.state.send_replace(State::Closed);
        lock(&self.outcome).chunks.clear();
        drop(lock(&self.files).take());
    }

    /// The state to show: after PENDING comes RUNNING at least once, so that pollers see all three.
    pub(super) fn show(&self) -> State {
        let mut shown = lock(&self.shown);
        let state = match (*shown, self.state()) {
            (State::Pending, State::Succeeded | State::Failed) => State::Running,
            (_, state) => state,
        };
        *shown = state;
        state
    }

    /// The state to show to a client that waited for the end.
    pub(super) fn show_now(&self) -> State {
        let state = self.state();
        *lock(&self.shown) = if state.is_end() { state } else { State::Running };
        state
    }

    /// The status as the API writes it.
    pub(super) fn status(&self, state: State) -> Value {
        let mut status = json!({ "state": state.name() });
        if state == State::Failed
            && let Some(error) = lock(&self.outcome).error.clone()
        {
            status["error"] = json!({ "error_code": error.error_code, "message": error.message });
            if let Some(sql_state) = error.sql_state {
                status["sql_state"] = json!(sql_state);
            }
        }
        status
    }
}

/// The statements of a workspace.
#[derive(Default)]
pub(crate) struct Statements(Mutex<HashMap<String, Arc<Statement>>>);

impl ServiceState for Statements {
    fn fresh(_: &Tenant) -> Self {
        Self::default()
    }
}

impl Statements {
    /// Adds a statement. If there are very many, the one that ended first is forgotten early.
    pub(super) fn add(&self, statement: Arc<Statement>) {
        let mut statements = lock(&self.0);
        if statements.len() >= MOST_KEPT {
            let ended =
                statements.values().filter_map(|statement| Some((statement.ended_ms()?, &statement.id)));
            let oldest = ended.min().map(|(_, id)| id.clone());
            oldest.and_then(|id| statements.remove(&id));
        }
        statements.insert(statement.id.clone(), statement);
    }

    /// Those whose results can be fetched.
    pub(crate) fn succeeded(&self) -> Vec<Arc<Statement>> {
        let statements = lock(&self.0);
        statements.values().filter(|statement| statement.state() == State::Succeeded).cloned().collect()
    }

    /// Closes and forgets what is too old.
    pub(crate) fn sweep(&self, now_ms: u64) {
        let ids: Vec<String> = lock(&self.0).keys().cloned().collect();
        for id in ids {
            self.find(&id, now_ms);
        }
    }

    /// A statement that isn't forgotten yet. One whose results are too old is closed on the way.
    pub(crate) fn find(&self, id: &str, now_ms: u64) -> Option<Arc<Statement>> {
        let mut statements = lock(&self.0);
        let statement = statements.get(id)?.clone();
        let Some(ended_ms) = statement.ended_ms() else { return Some(statement) };
        if now_ms >= ended_ms.saturating_add(ID_KEPT_MS) {
            statements.remove(id);
            return None;
        }
        if statement.state() == State::Succeeded && now_ms >= ended_ms.saturating_add(RESULTS_KEPT_MS) {
            statement.close();
        }
        Some(statement)
    }
}

impl Drop for Statements {
    /// Cancels what runs and deletes the files.
    fn drop(&mut self) {
        lock(&self.0).values().for_each(|statement| statement.close());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::super::files::StoredBytes;
    use super::*;

    const NOW_MS: u64 = 1_700_000_000_000;

    fn statement(id: &str) -> Arc<Statement> {
        let body = json!({ "statement": "SELECT 1", "warehouse_id": "w" });
        let request = Request::read(body.as_object().unwrap()).unwrap();
        let files = ResultFiles::new(tempfile::tempdir().unwrap(), StoredBytes::default());
        Arc::new(Statement::new(id.to_owned(), request, files))
    }

    fn ended_at(ended_ms: u64) -> Outcome {
        Outcome { ended_ms, ..Outcome::default() }
    }

    #[test]
    fn a_statement_that_ends_while_it_is_looked_up_stays_known() {
        for _ in 0..2_000 {
            let (statements, one) = (Statements::default(), statement("one"));
            statements.add(one.clone());
            let start = Barrier::new(2);
            thread::scope(|scope| {
                scope.spawn(|| {
                    start.wait();
                    while !one.state().is_end() {
                        assert!(statements.find("one", NOW_MS).is_some());
                    }
                });
                start.wait();
                one.end(State::Failed, ended_at(NOW_MS));
            });
        }
    }

    #[test]
    fn results_are_whole_or_closed() {
        for _ in 0..2_000 {
            let one = statement("one");
            let chunk = Chunk { file: PathBuf::new(), byte_count: 1, row_count: 1, row_offset: 0 };
            one.end(State::Succeeded, Outcome { chunks: vec![chunk], ..ended_at(NOW_MS) });
            let start = Barrier::new(2);
            thread::scope(|scope| {
                scope.spawn(|| {
                    start.wait();
                    one.close();
                });
                start.wait();
                let state = loop {
                    match one.results() {
                        Ok(outcome) => assert_eq!(outcome.chunks.len(), 1),
                        Err(state) => break state,
                    }
                };
                assert_eq!(state, State::Closed);
            });
        }
    }

    #[test]
    fn results_expire_before_their_statement_and_what_runs_does_not() {
        let statements = Statements::default();
        for id in ["running", "done"] {
            statements.add(statement(id));
        }
        let state = |id: &str, now_ms: u64| statements.find(id, now_ms).map(|found| found.state());
        statements.find("done", NOW_MS).unwrap().end(State::Succeeded, ended_at(NOW_MS));
        assert_eq!(state("done", NOW_MS + RESULTS_KEPT_MS - 1), Some(State::Succeeded));
        assert_eq!(state("done", NOW_MS + RESULTS_KEPT_MS), Some(State::Closed));
        assert_eq!(state("done", NOW_MS + ID_KEPT_MS), None);
        assert_eq!(state("running", NOW_MS + ID_KEPT_MS), Some(State::Pending));
    }
}

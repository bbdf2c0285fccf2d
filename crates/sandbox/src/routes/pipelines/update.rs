//! One update: its states, one after the other, and what its work says at the end.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use tokio::task::AbortHandle;

use super::run::{Failure, Outcome};
use crate::{clock::rfc3339, lock::lock, phase::Phase};

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) enum State {
    Created,
    Waiting,
    Initializing,
    Resetting,
    SettingUp,
    Running,
    Stopping,
    Completed,
    Failed,
    Canceled,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Waiting => "WAITING_FOR_RESOURCES",
            Self::Initializing => "INITIALIZING",
            Self::Resetting => "RESETTING",
            Self::SettingUp => "SETTING_UP_TABLES",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
        }
    }

    pub(super) fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Canceled)
    }

    /// What follows; nothing after an end, and after RUNNING what the work says.
    fn next(self, resets: bool) -> Option<Self> {
        Some(match self {
            Self::Created => Self::Waiting,
            Self::Waiting => Self::Initializing,
            Self::Initializing if resets => Self::Resetting,
            Self::Initializing | Self::Resetting => Self::SettingUp,
            Self::SettingUp => Self::Running,
            Self::Stopping => Self::Canceled,
            _ => return None,
        })
    }
}

/// An update of a pipeline.
#[derive(Serialize, Deserialize)]
pub(super) struct Update {
    pub(super) id: String,
    pub(super) request: Map<String, Value>,
    pub(super) created_ms: u64,
    #[serde(deserialize_with = "lost")]
    pub(super) phase: Phase<State>,
    #[serde(skip)]
    outcome: Outcome,
    #[serde(skip)]
    pub(super) task: Option<AbortHandle>,
}

/// What was under way when the sandbox ended has failed.
fn lost<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Phase<State>, D::Error> {
    let phase = Phase::<State>::deserialize(deserializer)?;
    Ok(if phase.peek().has_ended() { phase } else { Phase::lasting(State::Failed) })
}

impl Drop for Update {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Update {
    pub(super) fn new(id: &str, request: Map<String, Value>, now_ms: u64, delay_ms: u64) -> Self {
        let phase = Phase::passing(State::Created, State::Waiting, now_ms.saturating_add(delay_ms));
        let (outcome, task) = (Outcome::default(), None);
        Self { id: id.to_owned(), request, created_ms: now_ms, phase, outcome, task }
    }

    /// Where its work says what became of it.
    pub(super) fn result(&self) -> Outcome {
        self.outcome.clone()
    }

    /// Ends it well once it is running.
    pub(super) fn succeed(&mut self) {
        *lock(&self.outcome) = Some(Ok(()));
    }

    /// Keeps what does its work, so that both end together.
    pub(super) fn drive(&mut self, task: AbortHandle) {
        self.task = Some(task);
    }

    /// The state at this time, whether it has just changed, and why it failed if it just did.
    pub(super) fn read(&mut self, now_ms: u64, delay_ms: u64) -> (State, bool, Option<Failure>) {
        let due_ms = now_ms.saturating_add(delay_ms);
        if self.phase.peek() == State::Running {
            let outcome = lock(&self.outcome).clone();
            let (state, failure) = match outcome {
                None => return (State::Running, false, None),
                Some(Ok(())) => (State::Completed, None),
                Some(Err(failure)) => (State::Failed, Some(failure)),
            };
            self.phase = Phase::lasting(state);
            return (state, true, failure);
        }
        let (state, changed) = self.phase.read(now_ms);
        if changed {
            self.phase = match state.next(self.request.get("full_refresh") == Some(&json!(true))) {
                Some(next) => Phase::passing(state, next, due_ms),
                None => Phase::lasting(state),
            };
            // It is being shown now.
            self.phase.read(now_ms);
        }
        (state, changed, None)
    }

    pub(super) fn brief(&self) -> Value {
        json!({ "update_id": self.id, "state": self.phase.peek().name(), "creation_time": rfc3339(self.created_ms) })
    }
}

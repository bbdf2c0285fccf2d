//! The life cycle of a command: Queued, Running, then Finished, Cancelled or Error.

use std::sync::Mutex;

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::lock::lock;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum CommandStatus {
    Queued,
    Running,
    Cancelling,
    Finished,
    Cancelled,
    Error,
}

impl CommandStatus {
    fn is_end(self) -> bool {
        matches!(self, Self::Finished | Self::Cancelled | Self::Error)
    }
}

/// One command of a context.
pub(crate) struct Command {
    pub(crate) id: String,
    pub(super) language: String,
    pub(super) text: String,
    progress: Mutex<Progress>,
    pub(super) cancel: Notify,
}

struct Progress {
    status: CommandStatus,
    shown: CommandStatus,
    results: Value,
    /// The bytes of the results, about.
    weight: usize,
}

impl Command {
    pub(super) fn queued(id: String, language: &str, text: &str) -> Self {
        let queued = CommandStatus::Queued;
        Self {
            id,
            language: language.to_owned(),
            text: text.to_owned(),
            progress: Mutex::new(Progress { status: queued, shown: queued, results: Value::Null, weight: 0 }),
            cancel: Notify::new(),
        }
    }

    /// The status to show and the results: after Queued comes Running at least once, so that pollers see it.
    pub(crate) fn show(&self) -> (CommandStatus, Value) {
        let mut progress = lock(&self.progress);
        progress.shown = match (progress.shown, progress.status) {
            (CommandStatus::Queued, CommandStatus::Finished | CommandStatus::Error) => CommandStatus::Running,
            (_, status) => status,
        };
        let results = if progress.shown.is_end() { progress.results.clone() } else { Value::Null };
        (progress.shown, results)
    }

    pub(crate) fn cancel(&self) {
        let mut progress = lock(&self.progress);
        match progress.status {
            CommandStatus::Queued => progress.status = CommandStatus::Cancelled,
            CommandStatus::Running => {
                progress.status = CommandStatus::Cancelling;
                self.cancel.notify_one();
            }
            _ => {}
        }
    }

    /// Starts the command, unless it was canceled while queued.
    pub(super) fn begin(&self) -> bool {
        let mut progress = lock(&self.progress);
        let begins = progress.status == CommandStatus::Queued;
        if begins {
            progress.status = CommandStatus::Running;
        }
        begins
    }

    /// Whether it has ended, and how much its text and results take.
    pub(super) fn weight(&self) -> (bool, usize) {
        let progress = lock(&self.progress);
        (progress.status.is_end(), self.text.len() + progress.weight)
    }

    pub(super) fn end(&self, status: CommandStatus, results: Value) {
        let mut progress = lock(&self.progress);
        if !progress.status.is_end() {
            progress.weight = weight(&results);
            (progress.status, progress.results) = (status, results);
        }
    }
}

/// The bytes of a value, about.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + size_of::<Value>(),
        Value::Array(items) => items.iter().map(weight).sum::<usize>() + size_of::<Value>(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| name.len() + weight(value)).sum::<usize>() + size_of::<Value>()
        }
        _ => size_of::<Value>(),
    }
}

/// The results of a command whose context has failed or ended.
pub(super) fn gone(why: &str) -> Value {
    json!({ "resultType": "error", "summary": format!("ContextDied: {why}"), "cause": why })
}

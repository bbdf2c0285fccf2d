//! One execution context: its state and the queue of its commands.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::command::{Command, CommandStatus, gone};
use crate::{lock::lock, phase::Phase};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ContextStatus {
    Pending,
    Running,
    Error,
}

/// One execution context.
pub(crate) struct Context {
    pub(crate) id: String,
    pub(crate) cluster_id: String,
    phase: Mutex<Phase<ContextStatus>>,
    /// Why the context is in Error.
    trouble: Mutex<Option<String>>,
    commands: Mutex<HashMap<String, Arc<Command>>>,
    queue: mpsc::UnboundedSender<Arc<Command>>,
    closed: watch::Sender<bool>,
}

impl Context {
    /// A context that is Pending until `due_ms`, and the receiving end of its queue.
    pub(super) fn new(
        id: String,
        cluster_id: &str,
        due_ms: u64,
    ) -> (Self, mpsc::UnboundedReceiver<Arc<Command>>) {
        let (queue, waiting) = mpsc::unbounded_channel();
        let context = Self {
            id,
            cluster_id: cluster_id.to_owned(),
            phase: Mutex::new(Phase::passing(ContextStatus::Pending, ContextStatus::Running, due_ms)),
            trouble: Mutex::default(),
            commands: Mutex::default(),
            queue,
            closed: watch::Sender::new(false),
        };
        (context, waiting)
    }

    pub(crate) fn status(&self, now_ms: u64) -> ContextStatus {
        lock(&self.phase).read(now_ms).0
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    pub(crate) fn command(&self, id: &str) -> Option<Arc<Command>> {
        lock(&self.commands).get(id).cloned()
    }

    /// Puts a command into the queue.
    pub(crate) fn execute(&self, id: String, language: &str, text: &str) -> Arc<Command> {
        let command = Arc::new(Command::queued(id.clone(), language, text));
        lock(&self.commands).insert(id, command.clone());
        if self.queue.send(command.clone()).is_err() {
            command.end(CommandStatus::Error, gone("the context has ended"));
        }
        command
    }

    pub(super) fn fail(&self, why: String) {
        *lock(&self.phase) = Phase::lasting(ContextStatus::Error);
        *lock(&self.trouble) = Some(why);
    }

    /// Returns once the context is closed.
    pub(super) async fn closed(&self) {
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    pub(super) fn close(&self) {
        self.closed.send_replace(true);
        for command in lock(&self.commands).values() {
            command.end(CommandStatus::Cancelled, Value::Null);
        }
    }
}

/// Why a Python context fails.
pub(super) const NO_EXEC: &str = "this sandbox was started without code execution";

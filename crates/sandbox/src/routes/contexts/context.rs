//! One execution context: its state and the queue of its commands.

use std::collections::VecDeque;
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

/// What the commands of a context and their results may take in memory, besides those that still run.
const RESULT_BYTES_KEPT: usize = 128 * 1024 * 1024;
const COMMANDS_KEPT: usize = 1000;

/// One execution context.
pub(crate) struct Context {
    pub(crate) id: String,
    pub(crate) cluster_id: String,
    phase: Mutex<Phase<ContextStatus>>,
    /// Why the context is in Error.
    trouble: Mutex<Option<String>>,
    /// Oldest first.
    commands: Mutex<VecDeque<Arc<Command>>>,
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
        lock(&self.commands).iter().find(|command| command.id == id).cloned()
    }

    /// Puts a command into the queue. The oldest that have ended are forgotten when their results take too much.
    pub(crate) fn execute(&self, id: String, language: &str, text: &str) -> Arc<Command> {
        let command = Arc::new(Command::queued(id, language, text));
        {
            let mut commands = lock(&self.commands);
            commands.push_back(command.clone());
            let weights: Vec<_> = commands.iter().map(|command| command.weight()).collect();
            let mut bytes: usize = weights.iter().map(|(_, bytes)| bytes).sum();
            let mut count = weights.len();
            let mut weights = weights.iter();
            commands.retain(|_| {
                let (ended, own) = weights.next().copied().unwrap_or_default();
                let goes = ended && (bytes > RESULT_BYTES_KEPT || count > COMMANDS_KEPT);
                if goes {
                    (bytes, count) = (bytes - own, count - 1);
                }
                !goes
            });
        }
        if self.queue.send(command.clone()).is_err() {
            command.end(CommandStatus::Error, gone("the context has ended"));
        }
        command
    }

    pub(super) fn fail(&self, why: String) {
        // First, so that a context that shows as failed has its reason.
        *lock(&self.trouble) = Some(why);
        *lock(&self.phase) = Phase::lasting(ContextStatus::Error);
    }

    /// Returns once the context is closed.
    pub(super) async fn closed(&self) {
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    pub(super) fn close(&self) {
        self.closed.send_replace(true);
        for command in lock(&self.commands).iter() {
            command.end(CommandStatus::Cancelled, Value::Null);
        }
    }
}

/// Why a Python context fails.
pub(crate) const NO_EXEC: &str = "this sandbox was started without code execution";

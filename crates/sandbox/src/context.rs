//! Execution contexts: a queue of commands each, worked off one after the other by a task of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::server::Server;
use crate::state::{Phase, Tenant, lock};

mod command;
mod sql;
mod workshop;

pub(crate) use command::{Command, CommandStatus};
use workshop::work;

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

    fn fail(&self, why: String) {
        *lock(&self.phase) = Phase::lasting(ContextStatus::Error);
        *lock(&self.trouble) = Some(why);
    }

    fn close(&self) {
        self.closed.send_replace(true);
        for command in lock(&self.commands).values() {
            command.end(CommandStatus::Cancelled, Value::Null);
        }
    }
}

/// Why a context, or a command in it, comes to nothing.
const NO_EXEC: &str = "this sandbox was started without code execution";

fn gone(why: &str) -> Value {
    json!({ "resultType": "error", "summary": format!("ContextDied: {why}"), "cause": why })
}

/// The contexts of a workspace.
#[derive(Default)]
pub(crate) struct Contexts(Mutex<HashMap<String, Arc<Context>>>);

impl Contexts {
    /// Opens a context; it is Pending until its interpreter takes commands.
    pub(crate) fn open(
        &self,
        server: &Arc<Server>,
        tenant: &Arc<Tenant>,
        cluster_id: &str,
        language: &str,
    ) -> String {
        let id = (0..2).map(|_| server.hex(16)).filter_map(|hex| u64::from_str_radix(&hex, 16).ok());
        let id = id.fold(String::new(), |text, number| text + &number.to_string());
        let (queue, waiting) = mpsc::unbounded_channel();
        let due_ms = server.now_ms() + crate::clock::millis(server.options.delays.context);
        let context = Arc::new(Context {
            id: id.clone(),
            cluster_id: cluster_id.to_owned(),
            phase: Mutex::new(Phase::passing(ContextStatus::Pending, ContextStatus::Running, due_ms)),
            trouble: Mutex::default(),
            commands: Mutex::default(),
            queue,
            closed: watch::Sender::new(false),
        });
        if language == "python" && server.options.no_exec {
            context.fail(NO_EXEC.to_owned());
        }
        lock(&self.0).insert(id.clone(), context.clone());
        let (server, tenant, language) = (server.clone(), tenant.clone(), language.to_owned());
        tokio::spawn(async move {
            let mut closed = context.closed.subscribe();
            tokio::select! {
                _ = closed.wait_for(|closed| *closed) => {}
                () = work(&server, &tenant, &context, &language, waiting) => {}
            }
        });
        id
    }

    pub(crate) fn find(&self, cluster_id: &str, id: &str) -> Option<Arc<Context>> {
        lock(&self.0).get(id).filter(|context| context.cluster_id == cluster_id).cloned()
    }

    pub(crate) fn destroy(&self, context: &Context) {
        lock(&self.0).remove(&context.id);
        context.close();
    }

    /// A cluster that stops takes its contexts along.
    pub(crate) fn close_cluster(&self, cluster_id: &str) {
        lock(&self.0).retain(|_, context| {
            let stays = context.cluster_id != cluster_id;
            if !stays {
                context.close();
            }
            stays
        });
    }

    pub(crate) fn close(&self) {
        for (_, context) in lock(&self.0).drain() {
            context.close();
        }
    }
}

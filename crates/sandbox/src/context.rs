//! Execution contexts: a queue of commands each, worked off one after the other by a task of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc, watch};

use crate::engine::SqlEngine;
use crate::python::{Interpreter, Reply};
use crate::server::Server;
use crate::state::{Phase, Tenant, lock};

mod sql;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ContextStatus {
    Pending,
    Running,
    Error,
}

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
    language: String,
    text: String,
    progress: Mutex<Progress>,
    cancel: Notify,
}

struct Progress {
    status: CommandStatus,
    shown: CommandStatus,
    results: Value,
}

impl Command {
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

    /// Whether the command may begin: not if it was cancelled while it waited.
    fn begin(&self) -> bool {
        let mut progress = lock(&self.progress);
        let begins = progress.status == CommandStatus::Queued;
        if begins {
            progress.status = CommandStatus::Running;
        }
        begins
    }

    fn end(&self, status: CommandStatus, results: Value) {
        let mut progress = lock(&self.progress);
        if !progress.status.is_end() {
            (progress.status, progress.results) = (status, results);
        }
    }
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
        let queued = CommandStatus::Queued;
        let command = Arc::new(Command {
            id: id.clone(),
            language: language.to_owned(),
            text: text.to_owned(),
            progress: Mutex::new(Progress { status: queued, shown: queued, results: Value::Null }),
            cancel: Notify::new(),
        });
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

/// What a context runs its commands with; each part is made when it is first needed.
struct Workshop<'a> {
    server: &'a Server,
    tenant: &'a Tenant,
    python: Option<Interpreter>,
    sql: Option<Arc<dyn SqlEngine>>,
}

impl Workshop<'_> {
    async fn python(&mut self) -> std::io::Result<&mut Interpreter> {
        if self.server.options.no_exec {
            return Err(std::io::Error::other("this sandbox was started without code execution"));
        }
        if self.python.is_none() {
            self.python = Some(Interpreter::start(self.server.new_directory("context-")?).await?);
        }
        self.python.as_mut().ok_or_else(|| std::io::Error::other("no interpreter"))
    }

    /// The status a command ends in and its results; `Err` when the interpreter is lost.
    async fn run(&mut self, command: &Command) -> std::io::Result<(CommandStatus, Value)> {
        match command.language.as_str() {
            "python" => {
                let python = self.python().await?;
                Ok(match python.run(&command.id, &command.text, &command.cancel).await? {
                    Reply::Text(data) => {
                        (CommandStatus::Finished, json!({ "resultType": "text", "data": data }))
                    }
                    Reply::Raised { summary, cause } => (
                        CommandStatus::Finished,
                        json!({ "resultType": "error", "summary": summary, "cause": cause }),
                    ),
                    Reply::Cancelled => (CommandStatus::Cancelled, Value::Null),
                })
            }
            "sql" => {
                let session = self.sql.get_or_insert_with(|| self.tenant.engine().session()).clone();
                Ok(tokio::select! {
                    results = sql::results(&*session, &command.text) => (CommandStatus::Finished, results),
                    () = command.cancel.notified() => (CommandStatus::Cancelled, Value::Null),
                })
            }
            other => {
                let why = format!("The sandbox runs python and sql, not {other}.");
                let results = json!({ "resultType": "error", "summary": why, "cause": why });
                Ok((CommandStatus::Finished, results))
            }
        }
    }
}

async fn work(
    server: &Server,
    tenant: &Tenant,
    context: &Context,
    language: &str,
    mut waiting: mpsc::UnboundedReceiver<Arc<Command>>,
) {
    let mut workshop = Workshop { server, tenant, python: None, sql: None };
    if language == "python"
        && let Err(error) = workshop.python().await
    {
        context.fail(error.to_string());
    }
    while let Some(command) = waiting.recv().await {
        if let Some(why) = context.trouble() {
            command.end(CommandStatus::Error, gone(&why));
        } else if command.begin() {
            match workshop.run(&command).await {
                Ok((status, results)) => command.end(status, results),
                Err(error) => {
                    context.fail(error.to_string());
                    command.end(CommandStatus::Error, gone(&error.to_string()));
                }
            }
        }
    }
}

//! The task that runs a context's commands, one after the other: its Python process and its SQL session.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    command::{Command, CommandStatus, gone},
    context::{Context, NO_EXEC},
    python::{Interpreter, Reply},
    questions, sql,
};
use crate::{engine::SqlEngine, routes::files, server::Server, tenant::Tenant};

/// What a context runs its commands with; each part is created when first needed.
struct Worker<'a> {
    server: &'a Server,
    tenant: &'a Arc<Tenant>,
    python: Option<Interpreter>,
    sql: Option<Arc<dyn SqlEngine>>,
}

impl Worker<'_> {
    fn session(&mut self) -> Arc<dyn SqlEngine> {
        self.sql.get_or_insert_with(|| self.tenant.engine().session()).clone()
    }

    async fn python(&mut self) -> std::io::Result<&mut Interpreter> {
        if self.server.options.no_exec {
            return Err(std::io::Error::other(NO_EXEC));
        }
        if self.python.is_none() {
            let started = Interpreter::start(self.server.new_directory("context-")?).await?;
            // Python's `spark` and commands in SQL share a session, and with it temporary views.
            let session = self.session();
            let started = started.with_host(questions::host(self.tenant.clone(), session));
            self.python = Some(started.with_files(&files::folder(self.tenant)).await?);
        }
        self.python.as_mut().ok_or_else(|| std::io::Error::other("no interpreter"))
    }

    /// Runs a command to its final status and results; `Err` when the interpreter is gone.
    async fn run(&mut self, command: &Command) -> std::io::Result<(CommandStatus, Value)> {
        match command.language.as_str() {
            "python" => {
                let python = self.python().await?;
                Ok(match python.run(&command.id, &command.text, &command.cancel).await? {
                    Reply::Text(data) => {
                        (CommandStatus::Finished, json!({ "resultType": "text", "data": data }))
                    }
                    Reply::Shown { results, .. } => (CommandStatus::Finished, results),
                    Reply::Raised { summary, cause } => (
                        CommandStatus::Finished,
                        json!({ "resultType": "error", "summary": summary, "cause": cause }),
                    ),
                    Reply::Cancelled => (CommandStatus::Cancelled, Value::Null),
                })
            }
            "sql" => {
                let session = self.session();
                Ok(tokio::select! {
                    results = sql::results(&*session, &command.text, Vec::new()) => (CommandStatus::Finished, results),
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

/// Runs the commands of a context's queue until the queue is closed.
pub(super) async fn work(
    server: &Server,
    tenant: &Arc<Tenant>,
    context: &Context,
    language: &str,
    mut waiting: mpsc::UnboundedReceiver<Arc<Command>>,
) {
    let mut worker = Worker { server, tenant, python: None, sql: None };
    if language == "python"
        && let Err(error) = worker.python().await
    {
        context.fail(error.to_string());
    }
    while let Some(command) = waiting.recv().await {
        if let Some(why) = context.trouble() {
            command.end(CommandStatus::Error, gone(&why));
        } else if command.begin() {
            match worker.run(&command).await {
                Ok((status, results)) => command.end(status, results),
                Err(error) => {
                    context.fail(error.to_string());
                    command.end(CommandStatus::Error, gone(&error.to_string()));
                }
            }
        }
    }
}

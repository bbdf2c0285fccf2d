//! Code on a cluster (API 1.2): execution contexts, and commands that run in them one after another.
//!
//! State (variables, imports) lives as long as its context. Code that fails is a result and not an error here: the
//! command is Finished and its results say `error`. Classic clusters only.

pub(crate) mod cells;
mod check;
pub(crate) mod open_context;
pub(crate) mod options;
pub(crate) mod output;
pub(crate) mod run;
mod session;
mod start_failure;

use std::{ops::RangeInclusive, time::Duration};

use brickwire_client::{ResponseValue, operations, types};
use serde_json::value::RawValue;

use crate::{
    Error, ErrorKind, Result, WaitOptions, Workspace, document,
    names::required,
    wait::{Seen, Verdict, until},
};

use types::{CommandStatus, ContextStatus};

/// The language of a context for which none is given.
pub const DEFAULT_LANGUAGE: types::CommandLanguage = types::CommandLanguage::Python;

/// Commands are often short, so the first polls follow soon.
const POLLS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(5);

/// Execution contexts and commands of a workspace.
#[derive(Debug, Clone)]
pub struct Commands {
    workspace: Workspace,
}

/// Identifies one execution context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionContext {
    /// The cluster that it is on.
    pub cluster_id: String,
    /// Its id.
    pub id: String,
    /// The language of its commands.
    pub language: types::CommandLanguage,
}

/// Identifies one command.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Command {
    /// The cluster that it runs on.
    pub cluster_id: String,
    /// The context that it runs in.
    pub context_id: String,
    /// The command itself.
    pub command_id: String,
}

impl Workspace {
    /// Execution contexts and commands on a cluster.
    pub fn commands(&self) -> Commands {
        Commands { workspace: self.clone() }
    }
}

impl Commands {
    /// Creates an execution context on a running cluster. It takes commands once it is Running.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::DEFAULT_LANGUAGE;
    /// let commands = workspace.commands();
    /// let context = commands.create_context("0123-456789-abcdefgh", DEFAULT_LANGUAGE).await?;
    /// commands.wait_for_context(&context, Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown cluster, [`ErrorKind::Rejected`] for one that isn't running,
    /// [`ErrorKind::UnknownOutcome`] if the answer is lost. Operation: `contexts_create`.
    pub async fn create_context(
        &self,
        cluster_id: &str,
        language: types::CommandLanguage,
    ) -> Result<ResponseValue<ExecutionContext>> {
        required("cluster", cluster_id)?;
        let cluster_id = cluster_id.to_owned();
        let body =
            types::CreateContext { cluster_id: Some(cluster_id.clone()), language: Some(language.clone()) };
        let created = self.workspace.client().contexts_create(&body).await?;
        let id = named(created.id.as_deref(), "context", "contexts_create")?;
        Ok(created.map(|_| ExecutionContext { cluster_id, id, language }))
    }

    /// Gets the status of a context.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::{DEFAULT_LANGUAGE, ExecutionContext};
    /// let (cluster_id, id) = ("0123-456789-abcdefgh".to_owned(), "1234567890".to_owned());
    /// let context = ExecutionContext { cluster_id, id, language: DEFAULT_LANGUAGE };
    /// println!("{:?}", workspace.commands().context_status(&context).await?.status);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown one. Operation: `contexts_status`.
    pub async fn context_status(
        &self,
        context: &ExecutionContext,
    ) -> Result<ResponseValue<types::ContextStatusResponse>> {
        let answer = self.workspace.client().contexts_status(&context.cluster_id, &context.id).await?;
        document::about(answer, "context", &context.id, |context| context.id.as_deref())
    }

    /// Gets the status of a context as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// # let context = workspace.commands().create_context("c", brickwire_actions::DEFAULT_LANGUAGE).await?;
    /// println!("{}", workspace.commands().context_status_json(&context).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`context_status`](Self::context_status).
    pub async fn context_status_json(&self, context: &ExecutionContext) -> Result<Box<RawValue>> {
        let call = self.workspace.client().call(&operations::CONTEXTS_STATUS);
        let call = call.query("clusterId", &context.cluster_id).query("contextId", &context.id);
        document::object_about(call, "context", "id", &context.id).await
    }

    /// Waits until a context takes commands.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// # let context = workspace.commands().create_context("c", brickwire_actions::DEFAULT_LANGUAGE).await?;
    /// workspace.commands().wait_for_context(&context, Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::RemoteFailed`] if it ends in Error, [`ErrorKind::DeadlineExceeded`]. Operation: `contexts_status`.
    pub async fn wait_for_context(
        &self,
        context: &ExecutionContext,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::ContextStatusResponse>> {
        let (id, pace) = (&context.id, options.start(POLLS));
        let commands = self.workspace.with_deadline(pace.deadline).commands();
        let poll = || commands.context_status(context);
        until("context", id, pace, self.workspace.events(), poll, |context| Seen {
            state: context.status.as_ref().map_or("", ContextStatus::as_str).to_owned(),
            message: None,
            verdict: match context.status {
                Some(ContextStatus::Running) => Verdict::Done,
                Some(ContextStatus::Error) => Verdict::Failed(
                    start_failure::error(ErrorKind::RemoteFailed, id, context)
                        .with_hint("see the cluster's event log; restarting the cluster may help"),
                ),
                _ => Verdict::Working,
            },
        })
        .await
    }

    /// Destroys a context and all state in it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// # let context = workspace.commands().create_context("c", brickwire_actions::DEFAULT_LANGUAGE).await?;
    /// workspace.commands().destroy_context(&context).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown one. Operation: `contexts_destroy`.
    pub async fn destroy_context(&self, context: &ExecutionContext) -> Result<()> {
        required("cluster", &context.cluster_id)?;
        required("context", &context.id)?;
        let body =
            types::DestroyContext { cluster_id: context.cluster_id.clone(), context_id: context.id.clone() };
        self.workspace.client().contexts_destroy(&body).await.map(drop)
    }

    /// Submits code in a context, and returns at once; [`wait`](Self::wait) waits for its results.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// # let context = workspace.commands().create_context("x", brickwire_actions::DEFAULT_LANGUAGE).await?;
    /// let commands = workspace.commands();
    /// let command = commands.submit(&context, "print(6 * 7)").await?;
    /// let ended = commands.wait(&command, Default::default()).await?;
    /// println!("{:?}", ended.results);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown cluster or context, [`ErrorKind::UnknownOutcome`] if the answer is lost,
    /// since the code may run. Operation: `commands_execute`.
    pub async fn submit(&self, context: &ExecutionContext, code: &str) -> Result<Command> {
        required("cluster", &context.cluster_id)?;
        required("context", &context.id)?;
        Self::check(&context.language, code)?;
        self.submit_unchecked(context, code).await
    }

    /// Submits code of which it is known that it may be sent.
    async fn submit_unchecked(&self, context: &ExecutionContext, code: &str) -> Result<Command> {
        let body = types::ExecuteCommand {
            cluster_id: Some(context.cluster_id.clone()),
            context_id: Some(context.id.clone()),
            language: Some(context.language.clone()),
            command: Some(code.to_owned()),
        };
        let created = self.workspace.client().commands_execute(&body).await?;
        Ok(Command {
            cluster_id: context.cluster_id.clone(),
            context_id: context.id.clone(),
            command_id: named(created.id.as_deref(), "command", "commands_execute")?,
        })
    }

    /// Gets the status of a command, and its results once it has ended.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// # let command = workspace.commands().submit_on_cluster("c", "1", &Default::default()).await?;
    /// println!("{:?}", workspace.commands().status(&command).await?.status);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown one. Code that failed is not an error: see the results. Operation:
    /// `commands_status`.
    pub async fn status(&self, command: &Command) -> Result<ResponseValue<types::CommandStatusResponse>> {
        let Command { cluster_id, context_id, command_id } = command;
        let answer = self.workspace.client().commands_status(cluster_id, command_id, context_id).await?;
        document::about(answer, "command", command_id, |command| command.id.as_deref())
    }

    /// Gets the status of a command as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// # let command = workspace.commands().submit_on_cluster("c", "1", &Default::default()).await?;
    /// println!("{}", workspace.commands().status_json(&command).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`status`](Self::status).
    pub async fn status_json(&self, command: &Command) -> Result<Box<RawValue>> {
        let Command { cluster_id, context_id, command_id } = command;
        let call = self.workspace.client().call(&operations::COMMANDS_STATUS);
        let call = call.query("clusterId", cluster_id).query("commandId", command_id);
        document::object_about(call.query("contextId", context_id), "command", "id", command_id).await
    }

    /// Waits until a command has ended, in whatever way.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// # let command = workspace.commands().submit_on_cluster("c", "1", &Default::default()).await?;
    /// let ended = workspace.commands().wait(&command, Default::default()).await?;
    /// println!("{:?}", ended.results);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::DeadlineExceeded`]; the command then continues. Operation: `commands_status`.
    pub async fn wait(
        &self,
        command: &Command,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::CommandStatusResponse>> {
        let (id, pace) = (&command.command_id, options.start(POLLS));
        let commands = self.workspace.with_deadline(pace.deadline).commands();
        let poll = || commands.status(command);
        until("command", id, pace, self.workspace.events(), poll, |seen| Seen {
            state: seen.status.as_ref().map_or("", CommandStatus::as_str).to_owned(),
            message: None,
            verdict: match seen.status {
                // Code without output has empty text as its result.
                Some(CommandStatus::Finished)
                    if seen.results.as_ref().is_none_or(|results| results.result_type.is_none()) =>
                {
                    Verdict::Failed(Error::unexpected(format!(
                        "command {id} finished, and its result is missing"
                    )))
                }
                Some(CommandStatus::Finished | CommandStatus::Error | CommandStatus::Cancelled) => {
                    Verdict::Done
                }
                _ => Verdict::Working,
            },
        })
        .await
    }

    /// Asks a command to stop; [`wait`](Self::wait) returns once it has.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// # let command = workspace.commands().submit_on_cluster("c", "1", &Default::default()).await?;
    /// let commands = workspace.commands();
    /// commands.cancel(&command).await?;
    /// commands.wait(&command, Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown one. Operation: `commands_cancel`.
    pub async fn cancel(&self, command: &Command) -> Result<()> {
        let Command { cluster_id, context_id, command_id } = command.clone();
        let body = types::CancelCommand {
            cluster_id: Some(cluster_id),
            context_id: Some(context_id),
            command_id: Some(command_id),
        };
        self.workspace.client().commands_cancel(&body).await.map(drop)
    }
}

/// What was made is known by its id only.
fn named(id: Option<&str>, what: &str, operation: &str) -> Result<String> {
    let id = id.filter(|id| !id.is_empty()).map(str::to_owned);
    id.ok_or_else(|| document::nameless(what, operation))
}

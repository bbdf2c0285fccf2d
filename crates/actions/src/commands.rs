//! Code on a cluster (API 1.2): execution contexts, and commands that run in them one after another.
//!
//! State (variables, imports) lives as long as its context. Code that fails is an answer and not an error here: the
//! command is Finished and its results say `error`. Classic clusters only.

mod check;

use brickwire_client::{ResponseValue, types};

use crate::{
    Error, ErrorKind, Result, WaitOptions, Workspace,
    wait::{self, Seen, Subject, Verdict},
};

/// The language of a context or command for which none is given.
pub const DEFAULT_LANGUAGE: types::CommandLanguage = types::CommandLanguage::Python;

/// Execution contexts and commands of a workspace.
#[derive(Debug, Clone)]
pub struct Commands {
    workspace: Workspace,
}

/// What names one command.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Command {
    /// The cluster that it runs on.
    pub cluster_id: String,
    /// The context that it runs in.
    pub context_id: String,
    /// The command itself.
    pub command_id: String,
}

impl Commands {
    pub(crate) fn new(workspace: Workspace) -> Self {
        Self { workspace }
    }

    pub(crate) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Creates an execution context on a running cluster and returns its id. It is of use once it is Running.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::DEFAULT_LANGUAGE;
    /// let commands = workspace.commands();
    /// let context = commands.create_context("0123-456789-abcdefgh", DEFAULT_LANGUAGE).await?;
    /// let context_id = context.id.as_deref().unwrap_or_default();
    /// commands.wait_for_context("0123-456789-abcdefgh", context_id, Default::default()).await?;
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
    ) -> Result<ResponseValue<types::Created>> {
        required(&[("cluster id", cluster_id)])?;
        let body = types::CreateContext { cluster_id: Some(cluster_id.to_owned()), language: Some(language) };
        let created = self.workspace.client().contexts_create(&body).await?;
        named(created.id.as_deref(), "context")?;
        Ok(created)
    }

    /// Gets the status of a context.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown one. Operation: `contexts_status`.
    pub async fn context_status(
        &self,
        cluster_id: &str,
        context_id: &str,
    ) -> Result<ResponseValue<types::ContextStatusResponse>> {
        Ok(self.workspace.client().contexts_status(cluster_id, context_id).await?)
    }

    /// Waits until a context can run commands.
    ///
    /// # Errors
    /// [`ErrorKind::RemoteFailed`] if it ends in Error, [`ErrorKind::DeadlineExceeded`].
    pub async fn wait_for_context(
        &self,
        cluster_id: &str,
        context_id: &str,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::ContextStatusResponse>> {
        use types::ContextStatus as Status;
        let subject = Subject { what: "context", id: context_id };
        let poll = || self.context_status(cluster_id, context_id);
        wait::until(subject, quick(options), self.workspace.events(), poll, |context| Seen {
            state: context.status.as_ref().map_or("unknown", Status::as_str).to_owned(),
            message: None,
            verdict: match context.status {
                Some(Status::Running) => Verdict::Done,
                Some(Status::Error) => Verdict::Failed(
                    Error::new(ErrorKind::RemoteFailed, format!("context {context_id} failed to start"))
                        .with_hint("see the cluster's event log; a restart of the cluster may help"),
                ),
                _ => Verdict::Working,
            },
        })
        .await
    }

    /// Destroys a context and all state in it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown one. Operation: `contexts_destroy`.
    pub async fn destroy_context(&self, cluster_id: &str, context_id: &str) -> Result<()> {
        required(&[("cluster id", cluster_id), ("context id", context_id)])?;
        let body =
            types::DestroyContext { cluster_id: cluster_id.to_owned(), context_id: context_id.to_owned() };
        self.workspace.client().contexts_destroy(&body).await?;
        Ok(())
    }

    /// Runs code in a context and returns at once; [`wait`](Self::wait) waits for its results.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::DEFAULT_LANGUAGE;
    /// let commands = workspace.commands();
    /// let command = commands.run("0123-456789-abcdefgh", "1234567890", DEFAULT_LANGUAGE, "print(6 * 7)").await?;
    /// let done = commands.wait(&command, Default::default()).await?;
    /// println!("{:?}", done.results);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown cluster or context, [`ErrorKind::UnknownOutcome`] if the answer is lost:
    /// the code may run. Operation: `commands_execute`.
    pub async fn run(
        &self,
        cluster_id: &str,
        context_id: &str,
        language: types::CommandLanguage,
        code: &str,
    ) -> Result<Command> {
        required(&[("cluster id", cluster_id), ("context id", context_id)])?;
        Self::check(&language, code)?;
        let body = types::Command {
            cluster_id: Some(cluster_id.to_owned()),
            context_id: Some(context_id.to_owned()),
            language: Some(language),
            command: Some(code.to_owned()),
        };
        let created = self.workspace.client().commands_execute(&body).await?;
        Ok(Command {
            cluster_id: cluster_id.to_owned(),
            context_id: context_id.to_owned(),
            command_id: named(created.id.as_deref(), "command")?.to_owned(),
        })
    }

    /// Gets the status of a command, and its results once it has any.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown one. Code that failed is not an error: see the results. Operation:
    /// `commands_status`.
    pub async fn status(&self, command: &Command) -> Result<ResponseValue<types::CommandStatusResponse>> {
        let Command { cluster_id, context_id, command_id } = command;
        Ok(self.workspace.client().commands_status(cluster_id, command_id, context_id).await?)
    }

    /// Waits until a command has ended, in whatever way.
    ///
    /// # Errors
    /// [`ErrorKind::DeadlineExceeded`]; the command then still runs.
    pub async fn wait(
        &self,
        command: &Command,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::CommandStatusResponse>> {
        use types::CommandStatus as Status;
        let subject = Subject { what: "command", id: &command.command_id };
        wait::until(
            subject,
            quick(options),
            self.workspace.events(),
            || self.status(command),
            |seen| Seen {
                state: seen.status.as_ref().map_or("unknown", Status::as_str).to_owned(),
                message: None,
                verdict: match seen.status {
                    Some(Status::Finished | Status::Error | Status::Cancelled) => Verdict::Done,
                    _ => Verdict::Working,
                },
            },
        )
        .await
    }

    /// Asks a command to stop; [`wait`](Self::wait) tells when it has.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown one. Operation: `commands_cancel`.
    pub async fn cancel(&self, command: &Command) -> Result<()> {
        let body = types::CancelCommand {
            cluster_id: Some(command.cluster_id.clone()),
            context_id: Some(command.context_id.clone()),
            command_id: Some(command.command_id.clone()),
        };
        self.workspace.client().commands_cancel(&body).await?;
        Ok(())
    }
}

/// Commands are often short: look soon, and let the steps grow from there.
fn quick(options: WaitOptions) -> WaitOptions {
    let usual = WaitOptions::default();
    if (options.first, options.longest) == (usual.first, usual.longest) {
        options.with_polls(std::time::Duration::from_millis(100), std::time::Duration::from_secs(5))
    } else {
        options
    }
}

fn required(ids: &[(&str, &str)]) -> Result<()> {
    match ids.iter().find(|(_, id)| id.trim().is_empty()) {
        Some((what, _)) => Err(Error::usage(format!("the {what} is empty"))),
        None => Ok(()),
    }
}

fn named<'a>(id: Option<&'a str>, what: &str) -> Result<&'a str> {
    id.filter(|id| !id.is_empty())
        .ok_or_else(|| Error::new(ErrorKind::UnexpectedResponse, format!("the answer names no {what}")))
}

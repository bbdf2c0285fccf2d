//! Code on a cluster from start to end: a context, the command, its results, and nothing left behind.
//!
//! A context that was created for the run is destroyed after it, unless it is to be kept. When the run's future is
//! dropped, or its deadline passes, the command is canceled too. A context that the caller named stays.

use std::time::Duration;

use brickwire_client::types::{self, CommandStatus};
use bytes::Bytes;
use tokio::time::Instant;

use super::{Command, Commands, DEFAULT_LANGUAGE, ExecutionContext, output::RunOutput};
use crate::{
    Error, ErrorKind, Event, Result, WaitOptions, Workspace,
    background::{CancelOnDrop, Canceled},
};

/// How code is run.
///
/// ```
/// use brickwire_actions::{RunOptions, types::CommandLanguage};
/// let options = RunOptions::default().with_language(CommandLanguage::Sql).with_kept_context(true);
/// ```
#[derive(Debug, Clone)]
pub struct RunOptions {
    language: types::CommandLanguage,
    context_id: Option<String>,
    keeps_context: bool,
    wait: WaitOptions,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            language: DEFAULT_LANGUAGE,
            context_id: None,
            keeps_context: false,
            wait: WaitOptions::default().with_timeout(Duration::MAX),
        }
    }
}

impl RunOptions {
    /// The language of the code; Python by default.
    #[must_use]
    pub fn with_language(mut self, language: types::CommandLanguage) -> Self {
        self.language = language;
        self
    }

    /// Runs in this context, sharing its state, instead of in a new one.
    #[must_use]
    pub fn with_context(mut self, context_id: impl Into<String>) -> Self {
        self.context_id = Some(context_id.into());
        self
    }

    /// Whether to keep the context that is created for the run.
    #[must_use]
    pub fn with_kept_context(mut self, keep: bool) -> Self {
        self.keeps_context = keep;
        self
    }

    /// How long the whole run may take, from the request for a context to the end of the command; then it is canceled. By
    /// default there is no limit.
    #[must_use]
    pub fn with_wait(mut self, wait: WaitOptions) -> Self {
        self.wait = wait;
        self
    }
}

/// A command that has ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Run {
    /// The command.
    pub command: Command,
    /// What it produced.
    pub output: RunOutput,
    /// Its last status as the service sent it.
    pub raw: Bytes,
}

impl Commands {
    /// Runs code on a running cluster, in a context of its own unless the options name one, and waits for its end.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::{RunOptions, RunOutput};
    /// let commands = workspace.commands();
    /// let run = commands.run("0123-456789-abcdefgh", "print(6 * 7)", &RunOptions::default()).await?;
    /// assert_eq!(run.output, RunOutput::Text("42".to_owned()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown cluster or context, [`ErrorKind::DeadlineExceeded`] after canceling the
    /// command, [`ErrorKind::UnknownOutcome`] if the answer to the submission is lost. Code that fails is not an error:
    /// see [`RunOutput::Failed`]. Operations: `contexts_create`, `contexts_status`, `commands_execute`,
    /// `commands_status`, `commands_cancel`, `contexts_destroy`.
    pub async fn run(&self, cluster_id: &str, code: &str, options: &RunOptions) -> Result<Run> {
        let deadline = options.wait.deadline();
        let Started { context, command, mut guard } = self.start(cluster_id, code, options, deadline).await?;
        let ended = match self.wait(&command, options.wait.until(deadline)).await {
            Err(error) if error.kind() == ErrorKind::DeadlineExceeded => {
                let canceled = guard.cancel().await;
                return Err(options.wait.exceeded("command", &command.command_id, canceled, false));
            }
            ended => ended?,
        };
        guard.disarm();
        if options.context_id.is_none() && !options.keeps_context {
            self.destroy_in_background(context);
        }
        Ok(Run { command, output: RunOutput::from(&*ended), raw: ended.raw().clone() })
    }

    /// Destroys the context of code that has ended. Its result is not kept waiting.
    fn destroy_in_background(&self, context: ExecutionContext) {
        let workspace = self.workspace.for_cancellation();
        let id = context.id.clone();
        self.workspace.events().emit(|| Event::Canceling { what: "context", id: id.clone() });
        self.workspace.spawn(async move {
            let destroyed = workspace.commands().destroy_context(&context).await;
            workspace.events().emit(|| match &destroyed {
                Ok(()) => Event::Canceled { what: "context", id },
                Err(error) => {
                    tracing::warn!(target: "brickwire", id, %error, "cannot destroy the context");
                    Event::CancelingFailed { what: "context", id, reason: error.to_string() }
                }
            });
        });
    }

    /// Submits code like [`run`](Self::run), and returns as soon as it is accepted. A context that is created for it
    /// stays.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let commands = workspace.commands();
    /// let command = commands.submit_on_cluster("0123-456789-abcdefgh", "train()", &Default::default()).await?;
    /// println!("{}", command.command_id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`run`](Self::run). Operations: `contexts_create`, `contexts_status`, `commands_execute`.
    pub async fn submit_on_cluster(
        &self,
        cluster_id: &str,
        code: &str,
        options: &RunOptions,
    ) -> Result<Command> {
        let mut started = self.start(cluster_id, code, options, options.wait.deadline()).await?;
        started.guard.disarm();
        Ok(started.command)
    }

    /// Submits code in a context that is ready.
    async fn start(
        &self,
        cluster_id: &str,
        code: &str,
        options: &RunOptions,
        deadline: Instant,
    ) -> Result<Started> {
        let (context, mut context_guard) = match &options.context_id {
            Some(id) => (self.existing_context(cluster_id, id, options, deadline).await?, None),
            None => {
                let (context, guard) = self.new_context(cluster_id, options, deadline).await?;
                (context, Some(guard))
            }
        };
        let (workspace, code) = (self.workspace.clone(), code.to_owned());
        let submission = self.workspace.submit("command", deadline, |submitting| async move {
            let command = submitting.commands().submit(&context, &code).await?;
            let guard = command_guard(&workspace, &context, &command, context_guard.is_some());
            // From here on that guard destroys the context, after canceling.
            context_guard.iter_mut().for_each(CancelOnDrop::disarm);
            Ok(Started { context, command, guard })
        });
        submission.await
    }

    async fn existing_context(
        &self,
        cluster_id: &str,
        id: &str,
        options: &RunOptions,
        deadline: Instant,
    ) -> Result<ExecutionContext> {
        let (cluster_id, id) = (cluster_id.to_owned(), id.to_owned());
        let context = ExecutionContext { cluster_id, id, language: options.language.clone() };
        let commands = self.workspace.with_deadline(deadline).commands();
        if commands.context_status(&context).await?.status == Some(types::ContextStatus::Error) {
            let text = format!("the context failed to start: {}", context.id);
            return Err(Error::new(ErrorKind::Rejected, text).with_hint("create another one"));
        }
        Ok(context)
    }

    /// Creates a context, waits until it is ready, and destroys it if the guard is dropped.
    async fn new_context(
        &self,
        cluster_id: &str,
        options: &RunOptions,
        deadline: Instant,
    ) -> Result<(ExecutionContext, CancelOnDrop)> {
        let (workspace, cluster_id, language) =
            (self.workspace.clone(), cluster_id.to_owned(), options.language.clone());
        let creation = self.workspace.submit("context", deadline, |creating| async move {
            let created = creating.commands().create_context(&cluster_id, language).await?.into_inner();
            let context = created.clone();
            let guard = workspace.cancel_on_drop("context", &created.id, |workspace| async move {
                workspace.commands().destroy_context(&context).await?;
                Ok(Canceled::Ended("destroyed".to_owned()))
            });
            Ok((created, guard))
        });
        let (context, guard) = creation.await?;
        match self.wait_for_context(&context, options.wait.until(deadline)).await {
            Err(error) if error.kind() == ErrorKind::DeadlineExceeded => {
                let outcome = match guard.cancel().await {
                    Ok(_) => ", and was destroyed".to_owned(),
                    Err(error) => format!("; destroying it failed, so it may still exist: {error}"),
                };
                let (id, timeout) = (&context.id, options.wait.timeout());
                let text =
                    format!("the code was not run: context {id} was not ready within {timeout:?}{outcome}");
                Err(Error::new(ErrorKind::DeadlineExceeded, text).with_hint("allow more time"))
            }
            ready => ready.map(|_| (context, guard)),
        }
    }
}

/// A context that is destroyed when this is dropped.
#[derive(Debug)]
pub struct OpenContext {
    commands: Commands,
    context: ExecutionContext,
    guard: CancelOnDrop,
}

impl Commands {
    /// Creates a context that takes commands and lives as long as the value that is returned. The options give the
    /// language, and how long that may take.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::RunOptions;
    /// let commands = workspace.commands();
    /// let context = commands.open_context("0123-456789-abcdefgh", &RunOptions::default()).await?;
    /// let options = RunOptions::default().with_context(context.id());
    /// commands.run("0123-456789-abcdefgh", "x = 6 * 7", &options).await?;
    /// commands.run("0123-456789-abcdefgh", "print(x)", &options).await?;
    /// context.destroy().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`run`](Self::run), before its code. Operations: `contexts_create`, `contexts_status`, `contexts_destroy`.
    pub async fn open_context(&self, cluster_id: &str, options: &RunOptions) -> Result<OpenContext> {
        let (context, guard) = self.new_context(cluster_id, options, options.wait.deadline()).await?;
        Ok(OpenContext { commands: self.clone(), context, guard })
    }
}

impl OpenContext {
    /// The context's id.
    pub fn id(&self) -> &str {
        &self.context.id
    }

    /// Leaves the context as it is, for later runs.
    pub fn keep(mut self) {
        self.guard.disarm();
    }

    /// Destroys the context.
    ///
    /// # Errors
    /// If the service doesn't answer or refuses. Operation: `contexts_destroy`.
    pub async fn destroy(mut self) -> Result<()> {
        let destroyed = self.commands.destroy_context(&self.context).await;
        self.guard.disarm();
        destroyed
    }
}

/// A command that was submitted.
struct Started {
    context: ExecutionContext,
    command: Command,
    /// Cancels the command, and destroys the context if it was created for it.
    guard: CancelOnDrop,
}

/// Cancels the command when dropped, and destroys the context if that was created for it.
fn command_guard(
    workspace: &Workspace,
    context: &ExecutionContext,
    command: &Command,
    is_own: bool,
) -> CancelOnDrop {
    let (context, canceled) = (context.clone(), command.clone());
    workspace.cancel_on_drop("command", &command.command_id, move |workspace| async move {
        let (commands, ending) = (workspace.commands(), WaitOptions::for_an_ending());
        let accepted = commands.cancel(&canceled).await;
        if is_own {
            // The command ends with its context.
            commands.destroy_context(&context).await?;
            return Ok(Canceled::Ended(CommandStatus::Cancelled.as_str().to_owned()));
        }
        accepted?;
        // Once it has ended, the context is free for the next command.
        match commands.wait(&canceled, ending).await {
            Ok(ended) => Ok(ended
                .status
                .as_ref()
                .map_or(Canceled::Requested, |status| Canceled::Ended(status.as_str().to_owned()))),
            Err(_) => Ok(Canceled::Requested),
        }
    })
}

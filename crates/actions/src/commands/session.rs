//! A context in which commands run one after another, and what happens to both when the run is given up.
//!
//! A context that was created here is destroyed by a guard. While a command runs, the command's guard has that task,
//! because it cancels the command first; between commands it is the context's own. A context that the caller named stays.

use brickwire_client::types::{self, CommandLanguage, CommandStatus};
use tokio::time::Instant;

use super::{
    Command, Commands, ExecutionContext,
    options::RunOptions,
    output::{Run, RunOutput},
    start_failure,
};
use crate::{
    Error, ErrorKind, Event, Result, Secret, WaitOptions, Workspace,
    background::{CancelOnDrop, Canceled},
    notebook::python_text,
};

/// A context, and what it is used with.
#[derive(Debug)]
pub(super) struct Session {
    workspace: Workspace,
    context: ExecutionContext,
    /// Destroys the context, if it was created here, unless a command runs.
    guard: Option<CancelOnDrop>,
    is_own: bool,
    keeps_context: bool,
    wait: WaitOptions,
    deadline: Instant,
}

impl Session {
    /// Opens a context, and waits until it is ready.
    pub(super) async fn open(
        commands: &Commands,
        cluster_id: &str,
        options: &RunOptions,
        deadline: Instant,
    ) -> Result<Self> {
        let workspace = commands.workspace.clone();
        let (context, guard) = match &options.context_id {
            Some(id) => (existing_context(&workspace, cluster_id, id, options, deadline).await?, None),
            None => {
                let (context, guard) = new_context(&workspace, cluster_id, options, deadline).await?;
                (context, Some(guard))
            }
        };
        let is_own = guard.is_some();
        let RunOptions { keeps_context, wait, .. } = *options;
        let mut session = Self { workspace, context, guard, is_own, keeps_context, wait, deadline };
        if let Some(arguments) = &options.arguments {
            session.set_arguments(arguments).await?;
        }
        Ok(session)
    }

    /// Sets `sys.argv`.
    async fn set_arguments(&mut self, arguments: &[Secret]) -> Result<()> {
        let arguments =
            arguments.iter().map(|argument| python_text(argument.expose())).collect::<Vec<_>>().join(", ");
        let code = format!("import sys\nsys.argv = [{arguments}]\n");
        match self.run(&CommandLanguage::Python, &code).await?.output {
            RunOutput::Failed { summary, .. } => {
                let message = format!("the arguments could not be set, and the code was not run: {summary}");
                Err(Error::new(ErrorKind::RemoteFailed, message))
            }
            RunOutput::Cancelled => Err(Error::new(
                ErrorKind::RemoteFailed,
                "setting the arguments was canceled, and the code was not run",
            )),
            _ => Ok(()),
        }
    }

    /// Submits code. The guard cancels the command, and destroys the context if it was created here.
    pub(super) async fn submit(
        &mut self,
        language: &CommandLanguage,
        code: &str,
    ) -> Result<(Command, CancelOnDrop)> {
        let (workspace, code) = (self.workspace.clone(), code.to_owned());
        let context = ExecutionContext { language: language.clone(), ..self.context.clone() };
        let mut context_guard = self.guard.take();
        let is_own = self.is_own;
        let submission = self.workspace.submit("command", self.deadline, |submitting| async move {
            let command = submitting.commands().submit_unchecked(&context, &code).await?;
            let guard = command_guard(&workspace, &context, &command, is_own);
            // From here on that guard destroys the context, after canceling.
            context_guard.iter_mut().for_each(CancelOnDrop::disarm);
            Ok((command, guard))
        });
        submission.await
    }

    /// Runs code to its end. After an error other than code that fails, the session is over.
    pub(super) async fn run(&mut self, language: &CommandLanguage, code: &str) -> Result<Run> {
        let (command, mut guard) = self.submit(language, code).await?;
        let ended = match self.workspace.commands().wait(&command, self.wait.until(self.deadline)).await {
            Err(error) if error.kind() == ErrorKind::DeadlineExceeded => {
                let canceled = guard.cancel().await;
                return Err(self.wait.exceeded("command", &command.command_id, canceled, false));
            }
            ended => ended?,
        };
        guard.disarm();
        if self.is_own {
            self.guard = Some(context_guard(&self.workspace, &self.context));
        }
        Ok(Run { command, output: RunOutput::from(&*ended), raw: ended.raw().clone() })
    }

    /// The id of the context.
    pub(super) fn context_id(&self) -> &str {
        &self.context.id
    }

    /// Ends the session after its last command: destroys the context unless it is to stay.
    pub(super) fn end(mut self) {
        self.guard.iter_mut().for_each(CancelOnDrop::disarm);
        if self.is_own && !self.keeps_context {
            let destroyed = destroy(self.workspace.for_cancellation(), self.context);
            // The result of the code is not kept waiting.
            self.workspace.spawn(async {
                destroyed.await;
            });
        }
    }
}

/// Destroys a context, and says in events what becomes of it. Returns whether it is destroyed.
fn destroy(workspace: Workspace, context: ExecutionContext) -> impl Future<Output = bool> {
    let (what, id) = ("context", context.id.clone());
    // Emitted first: a program that is ending may have no time left to see what becomes of it.
    workspace.events().emit(|| Event::Canceling { what, id: id.clone() });
    async move {
        let destroyed = workspace.commands().destroy_context(&context).await;
        workspace.events().emit(|| match &destroyed {
            Ok(()) => Event::Canceled { what, id },
            Err(error) => {
                tracing::warn!(target: "brickwire", id, %error, "cannot destroy the context");
                Event::CancelingFailed { what, id, reason: error.to_string() }
            }
        });
        destroyed.is_ok()
    }
}

async fn existing_context(
    workspace: &Workspace,
    cluster_id: &str,
    id: &str,
    options: &RunOptions,
    deadline: Instant,
) -> Result<ExecutionContext> {
    let (cluster_id, id) = (cluster_id.to_owned(), id.to_owned());
    let context = ExecutionContext { cluster_id, id, language: options.language.clone() };
    let commands = workspace.with_deadline(deadline).commands();
    let found = commands.context_status(&context).await?;
    if found.status == Some(types::ContextStatus::Error) {
        let error = start_failure::error(ErrorKind::Rejected, &context.id, &found);
        return Err(error.with_hint("create another one"));
    }
    Ok(context)
}

/// Creates a context, waits until it is ready, and destroys it if the guard is dropped.
pub(super) async fn new_context(
    own: &Workspace,
    cluster_id: &str,
    options: &RunOptions,
    deadline: Instant,
) -> Result<(ExecutionContext, CancelOnDrop)> {
    let (workspace, cluster_id, language) = (own.clone(), cluster_id.to_owned(), options.language.clone());
    let creation = own.submit("context", deadline, |creating| async move {
        let created = creating.commands().create_context(&cluster_id, language).await?.into_inner();
        let guard = context_guard(&workspace, &created);
        Ok((created, guard))
    });
    let (context, guard) = creation.await?;
    match own.commands().wait_for_context(&context, options.wait.until(deadline)).await {
        Err(error) if error.kind() == ErrorKind::DeadlineExceeded => {
            let outcome = match guard.cancel().await {
                Ok(_) => ", and was destroyed".to_owned(),
                Err(error) => format!("; destroying it failed, so it may still exist: {error}"),
            };
            let (id, time) = (&context.id, options.wait.time());
            let text = format!(
                "timed out after {time}, and the code was not run: context {id} was not ready{outcome}"
            );
            Err(Error::new(ErrorKind::DeadlineExceeded, text).with_hint("set a longer `timeout`"))
        }
        ready => ready.map(|_| (context, guard)),
    }
}

fn context_guard(workspace: &Workspace, context: &ExecutionContext) -> CancelOnDrop {
    let destroyed = context.clone();
    workspace.cancel_on_drop("context", &context.id, |workspace| async move {
        workspace.commands().destroy_context(&destroyed).await?;
        Ok(std::future::ready(Canceled::Ended("destroyed".to_owned())))
    })
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
        let commands = workspace.commands();
        let accepted = commands.cancel(&canceled).await;
        let is_accepted = accepted.is_ok();
        match accepted {
            // The command ends with its context.
            Err(_) if is_own => commands.destroy_context(&context).await?,
            accepted => accepted?,
        }
        Ok(async move {
            if is_own {
                let is_destroyed = !is_accepted || destroy(workspace, context).await;
                return match is_destroyed {
                    true => Canceled::Ended(CommandStatus::Cancelled.as_str().to_owned()),
                    false => Canceled::Requested,
                };
            }
            // Once it has ended, the context is free for the next command.
            let ended = commands.wait(&canceled, WaitOptions::for_an_ending()).await;
            let status = ended.ok().and_then(|ended| ended.status.clone());
            status.map_or(Canceled::Requested, |status| Canceled::Ended(status.as_str().to_owned()))
        })
    })
}

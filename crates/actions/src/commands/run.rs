//! Code on a cluster from start to end: a context, the command, its results, and nothing left behind.
//!
//! A context that was created for the run is destroyed after it, unless it is to be kept. When the run's future is
//! dropped, or its deadline passes, the command is canceled too. A context that the caller named stays.

use super::{
    Command, Commands,
    options::RunOptions,
    output::{Run, RunOutput},
    session::Session,
};
use crate::{Result, WaitOptions};

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
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown cluster or context,
    /// [`ErrorKind::DeadlineExceeded`](crate::ErrorKind::DeadlineExceeded) after canceling the command,
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the answer to the submission is lost. Code that
    /// fails is not an error: see [`RunOutput::Failed`]. Operations: `contexts_create`, `contexts_status`,
    /// `commands_execute`, `commands_status`, `commands_cancel`, `contexts_destroy`.
    pub async fn run(&self, cluster_id: &str, code: &str, options: &RunOptions) -> Result<Run> {
        let mut session = self.open(cluster_id, code, options).await?;
        let run = session.run(&options.language, code).await?;
        session.end();
        Ok(run)
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
        let mut session = self.open(cluster_id, code, options).await?;
        let (command, mut guard) = session.submit(&options.language, code).await?;
        guard.disarm();
        Ok(command)
    }

    /// Waits until a command that was submitted earlier has ended, and reads what it produced. Dropping this does not
    /// cancel the command.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let commands = workspace.commands();
    /// let command = commands.submit_on_cluster("0123-456789-abcdefgh", "train()", &Default::default()).await?;
    /// println!("{:?}", commands.wait_for_run(&command, Default::default()).await?.output);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`wait`](Self::wait). Code that failed is not an error. Operation: `commands_status`.
    pub async fn wait_for_run(&self, command: &Command, options: WaitOptions) -> Result<Run> {
        let ended = self.wait(command, options).await?;
        Ok(Run { command: command.clone(), output: RunOutput::from(&*ended), raw: ended.raw().clone() })
    }

    /// Checks the code and opens a context.
    async fn open(&self, cluster_id: &str, code: &str, options: &RunOptions) -> Result<Session> {
        options.check(Some(code))?;
        Session::open(self, cluster_id, options, options.wait.deadline()).await
    }
}

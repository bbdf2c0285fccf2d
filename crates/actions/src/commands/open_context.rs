//! A context for several runs, which lives as long as a value.

use super::{Commands, ExecutionContext, options::RunOptions, session::new_context};
use crate::{Result, background::CancelOnDrop};

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
        let (context, guard) =
            new_context(&self.workspace, cluster_id, options, options.wait.deadline()).await?;
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

//! Code on a cluster from beginning to end: a context, the command, its answer, and nothing left behind.
//!
//! A context that was made for the run is destroyed after it, unless it is to be kept. When the run's future is
//! dropped, or a deadline passes, the command is cancelled too. What was found and not made stays.

use brickwire_client::{ResponseValue, types};
use serde_json::Value;

use crate::{
    Clusters, Command, Commands, DEFAULT_LANGUAGE, Error, ErrorKind, Event, Result, WaitOptions, Workspace,
    markup::{text_of, text_of_traceback},
};

use types::ClusterState as State;

/// How code is run.
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
            wait: WaitOptions::default(),
        }
    }
}

impl RunOptions {
    /// The language of the code; Python by default.
    pub fn with_language(mut self, language: types::CommandLanguage) -> Self {
        self.language = language;
        self
    }

    /// Runs in this context, whose state it sees and leaves, instead of in one of its own.
    pub fn with_context(mut self, context_id: impl Into<String>) -> Self {
        self.context_id = Some(context_id.into());
        self
    }

    /// Keeps the context that is made for the run.
    pub fn with_kept_context(mut self, keep: bool) -> Self {
        self.keeps_context = keep;
        self
    }

    /// How long the context and the command may each take.
    pub fn with_wait(mut self, wait: WaitOptions) -> Self {
        self.wait = wait;
        self
    }
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RunOutput {
    /// Text, perhaps none.
    Text(String),
    /// A table.
    Table {
        /// The columns' names.
        columns: Vec<String>,
        /// The rows, each with a cell for each column.
        rows: Vec<Vec<Value>>,
        /// Whether rows were left out.
        truncated: bool,
    },
    /// Pictures: data URLs with base64 content, or paths on the cluster.
    Images(Vec<String>),
    /// The code failed.
    Failed {
        /// The error in one line, without markup.
        summary: String,
        /// The error in full, without markup; may hold terminal colors.
        cause: String,
    },
    /// The command was cancelled.
    Cancelled,
}

impl RunOutput {
    /// Reads the answer of a command that has ended.
    pub fn of(answer: &types::CommandStatusResponse) -> Self {
        use types::ResultType as Kind;
        if answer.status == Some(types::CommandStatus::Cancelled) {
            return Self::Cancelled;
        }
        let results = answer.results.clone().unwrap_or_default();
        match results.result_type {
            Some(Kind::Error) => Self::Failed {
                summary: text_of(results.summary.as_deref().unwrap_or("the code failed")),
                cause: text_of_traceback(results.cause.as_deref().unwrap_or_default()),
            },
            Some(Kind::Table) => Self::Table {
                columns: results.schema.into_iter().flatten().map(|c| c.name.unwrap_or_default()).collect(),
                rows: match results.data {
                    Some(Value::Array(rows)) => rows.into_iter().map(cells).collect(),
                    _ => Vec::new(),
                },
                truncated: results.truncated.unwrap_or_default(),
            },
            Some(Kind::Image) => Self::Images(results.file_name.into_iter().collect()),
            Some(Kind::Images) => Self::Images(results.file_names.unwrap_or_default()),
            _ if answer.status == Some(types::CommandStatus::Error) => {
                Self::Failed { summary: "the command ended in Error".to_owned(), cause: String::new() }
            }
            _ => Self::Text(match results.data {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text,
                Some(other) => other.to_string(),
            }),
        }
    }
}

fn cells(row: Value) -> Vec<Value> {
    match row {
        Value::Array(cells) => cells,
        one => vec![one],
    }
}

impl Clusters {
    /// Makes sure that a cluster runs: waits for one that is on the way, and starts a terminated one if `start`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for one that is terminated and isn't to be started, those of
    /// [`wait_until_running`](Self::wait_until_running). Operations: `clusters_get`, `clusters_start`.
    pub async fn ensure_running(&self, cluster_id: &str, start: bool, options: WaitOptions) -> Result<()> {
        let state = self.get(cluster_id).await?.state.clone();
        match state {
            Some(State::Running) => return Ok(()),
            Some(State::Terminated | State::Terminating | State::Error) if !start => {
                let state = state.map(|s| s.to_string()).unwrap_or_default();
                return Err(Error::configuration(format!("cluster {cluster_id} is {state}"))
                    .with_hint(format!("start it: brick clusters start {cluster_id}, or add --start")));
            }
            Some(State::Terminating) => {
                self.wait_until_terminated(cluster_id, options).await?;
                self.start(cluster_id).await?;
            }
            Some(State::Terminated) => drop(self.start(cluster_id).await?),
            _ => {}
        }
        self.wait_until_running(cluster_id, options).await.map(drop)
    }
}

impl Commands {
    /// Submits code in a context that is ready, and gives what names the command. A context made for it is kept.
    ///
    /// # Errors
    /// As for [`run_to_end`](Self::run_to_end).
    pub async fn run_detached(&self, cluster_id: &str, code: &str, options: &RunOptions) -> Result<Command> {
        let mut cleanup = self.context_for(cluster_id, options).await?;
        let command = self.run(cluster_id, &cleanup.context_id, options.language.clone(), code).await?;
        cleanup.disarm();
        Ok(command)
    }

    /// Runs code on a running cluster, waits for its end, and gives what names the command, and its answer.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::{RunOptions, RunOutput};
    /// let commands = workspace.commands();
    /// let (_, done) = commands.run_to_end("0123-456789-abcdefgh", "print(6 * 7)", &RunOptions::default()).await?;
    /// assert_eq!(RunOutput::of(&done), RunOutput::Text("42".to_owned()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown cluster or context, [`ErrorKind::DeadlineExceeded`] after cancelling,
    /// [`ErrorKind::UnknownOutcome`] if the answer to the submission is lost. Code that fails is not an error: see
    /// [`RunOutput::of`]. Operations: `contexts_create`, `contexts_status`, `commands_execute`, `commands_status`,
    /// `commands_cancel`, `contexts_destroy`.
    pub async fn run_to_end(
        &self,
        cluster_id: &str,
        code: &str,
        options: &RunOptions,
    ) -> Result<(Command, ResponseValue<types::CommandStatusResponse>)> {
        let mut cleanup = self.context_for(cluster_id, options).await?;
        let command = self.run(cluster_id, &cleanup.context_id, options.language.clone(), code).await?;
        cleanup.command = Some(command.clone());
        let done = self.wait(&command, options.wait).await?;
        cleanup.command = None;
        if options.keeps_context {
            cleanup.disarm();
        }
        Ok((command, done))
    }

    async fn context_for(&self, cluster_id: &str, options: &RunOptions) -> Result<Cleanup> {
        if let Some(context_id) = &options.context_id {
            let status = self.context_status(cluster_id, context_id).await?.status.clone();
            if status == Some(types::ContextStatus::Error) {
                return Err(Error::new(ErrorKind::Rejected, format!("context {context_id} has failed"))
                    .with_hint("create another one"));
            }
            return Ok(Cleanup::new(self, cluster_id, context_id, false));
        }
        let created = self.create_context(cluster_id, options.language.clone()).await?;
        let cleanup = Cleanup::new(self, cluster_id, created.id.as_deref().unwrap_or_default(), true);
        self.wait_for_context(cluster_id, &cleanup.context_id, options.wait).await?;
        Ok(cleanup)
    }
}

/// Cancels the command and destroys the context, in the background, when it is dropped.
struct Cleanup {
    workspace: Workspace,
    cluster_id: String,
    context_id: String,
    command: Option<Command>,
    destroys: bool,
}

impl Cleanup {
    fn new(commands: &Commands, cluster_id: &str, context_id: &str, destroys: bool) -> Self {
        Self {
            workspace: commands.workspace().clone(),
            cluster_id: cluster_id.to_owned(),
            context_id: context_id.to_owned(),
            command: None,
            destroys,
        }
    }

    fn disarm(&mut self) {
        (self.command, self.destroys) = (None, false);
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        let (command, destroys) = (self.command.take(), self.destroys);
        if command.is_none() && !destroys {
            return;
        }
        if let Some(command) = &command {
            self.workspace
                .events()
                .emit(|| Event::Cancelling { what: "command", id: command.command_id.clone() });
        }
        let (commands, cluster_id) = (self.workspace.commands(), std::mem::take(&mut self.cluster_id));
        let context_id = std::mem::take(&mut self.context_id);
        self.workspace.in_background(async move {
            if let Some(command) = command {
                let id = &command.command_id;
                match commands.cancel(&command).await {
                    Err(error) => {
                        tracing::warn!(target: "brickwire", command_id = id, %error, "cannot cancel the command");
                    }
                    // With its context it is gone; without, its end tells whether the context is free again.
                    Ok(()) if destroys => {}
                    Ok(()) => {
                        if let Err(error) = commands.wait(&command, WaitOptions::for_an_ending()).await {
                            tracing::warn!(target: "brickwire", command_id = id, %error, "cancelled, and not seen to end");
                        }
                    }
                }
            }
            if destroys && let Err(error) = commands.destroy_context(&cluster_id, &context_id).await {
                tracing::warn!(target: "brickwire", context_id, %error, "cannot destroy the context");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(json: &str) -> RunOutput {
        RunOutput::of(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn reads_every_sort_of_result() {
        assert_eq!(
            output(r#"{"status":"Finished","results":{"resultType":"text","data":"42\n"}}"#),
            RunOutput::Text("42\n".into())
        );
        assert_eq!(output(r#"{"status":"Finished","results":null}"#), RunOutput::Text(String::new()));
        assert_eq!(output(r#"{"status":"Cancelled"}"#), RunOutput::Cancelled);
        assert_eq!(
            output(
                r#"{"status":"Finished","results":{"resultType":"table","data":[[1,null]],"schema":[{"name":"a","type":"\"int\""},{"name":"b"}],"truncated":true}}"#
            ),
            RunOutput::Table {
                columns: vec!["a".into(), "b".into()],
                rows: vec![vec![1.into(), Value::Null]],
                truncated: true
            }
        );
        assert_eq!(
            output(
                r#"{"status":"Finished","results":{"resultType":"error","summary":"<span class=\"ansi-red-fg\">KeyError</span>: &#39;a&lt;b&#39;","cause":"Traceback"}}"#
            ),
            RunOutput::Failed { summary: "KeyError: 'a<b'".into(), cause: "Traceback".into() }
        );
        assert_eq!(
            output(r#"{"status":"Finished","results":{"resultType":"images","fileNames":["/plots/1.png"]}}"#),
            RunOutput::Images(vec!["/plots/1.png".into()])
        );
    }
}

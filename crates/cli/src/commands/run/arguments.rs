//! The arguments of `brick run`, and what they stand for: the language, the options of a run, the cluster.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use brickwire_actions::{ErrorKind, IfTerminated, RunOptions, WaitOptions, types::CommandLanguage};

use super::notebook;
use crate::{
    commands::{
        clusters,
        contexts::{Cluster, language},
    },
    context::Context,
    failure::{Failure, Result},
    options::duration,
    source::Source,
};

/// Run code, a notebook, or an SQL script on a cluster and print its output
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  brick run -c nightly-etl 'print(spark.range(5).count())'
  brick run -c nightly-etl -f report.sql --start -o csv
  brick run -c nightly-etl -f etl.py -P day=2024-01-31 --cell 2..4
  brick run -c nightly-etl -f job.py -- --day 2024-01-31
  id=$(brick contexts create -c nightly-etl -o json | jq -r .id); brick run -c nightly-etl --context $id 'x = 1'")]
pub(crate) struct Command {
    #[command(flatten)]
    pub(super) code: Source,
    #[command(flatten)]
    pub(super) cluster: Cluster,
    /// Language of the code; by default from the file extension (py, sql, scala, r), or python
    #[arg(long, short, value_parser = language())]
    pub(super) language: Option<CommandLanguage>,
    /// ID of an existing context to run in; it keeps its state
    #[arg(long, value_name = "CONTEXT", conflicts_with = "keep_context")]
    pub(super) context: Option<String>,
    /// Keep the context that is created for the code, and print its ID
    #[arg(long)]
    pub(super) keep_context: bool,
    /// Start the cluster if it is terminated
    #[arg(long)]
    pub(super) start: bool,
    /// Submit the code, print the IDs of the command, and don't wait
    #[arg(long = "no-wait", alias = "detach")]
    pub(super) detach: bool,
    /// Folder to save images in
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(super) images: PathBuf,
    /// Cancel the code if the whole command, with the start of the cluster, takes longer than this, such as 30s or 2h; by default there
    /// is no limit
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true)]
    pub(super) timeout: Option<Duration>,
    #[command(flatten)]
    pub(super) notebook: notebook::Options,
    /// Arguments of a Python program, after --: sys.argv
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(super) arguments: Vec<String>,
}

impl Command {
    /// The language of code that is not a notebook.
    pub(super) fn code_language(&self) -> Result<CommandLanguage> {
        match (&self.language, self.code.path()) {
            (Some(language), _) => Ok(language.clone()),
            (None, Some(path)) => by_extension(path),
            (None, None) => Ok(CommandLanguage::Python),
        }
    }

    pub(super) fn options(&self, language: CommandLanguage, limit: WaitOptions) -> RunOptions {
        let mut options = RunOptions::default()
            .with_language(language)
            .with_kept_context(self.keep_context)
            .with_continue_on_error(self.notebook.continue_on_error)
            .with_unchecked_text(self.notebook.as_file)
            .with_wait(limit);
        if let Some(id) = &self.context {
            options = options.with_context(id);
        }
        if !self.arguments.is_empty() {
            let program = self.code.program_name();
            options = options.with_arguments([program].into_iter().chain(self.arguments.iter().cloned()));
        }
        options
    }

    /// Says how to use and to destroy the context that is kept.
    pub(super) fn tell_kept(&self, id: &str, cluster: &str, context: &Context) {
        if self.keep_context {
            context.note(&format!(
                "context {id} is kept: brick run -c {cluster} --context {id} …, brick contexts destroy -c {cluster} {id}"
            ));
        }
    }
}

/// Finds the cluster, and starts it if that was asked for.
pub(super) async fn ready_cluster(
    command: &Command,
    limit: WaitOptions,
    context: &Context,
) -> Result<String> {
    let cluster = command.cluster.id(context).await?;
    let if_terminated = if command.start { IfTerminated::Start } else { IfTerminated::Fail };
    let clusters = clusters::of(context).await?;
    let running = clusters.ensure_running(&cluster, if_terminated, limit).await;
    running.map_err(|error| match error.kind() {
        ErrorKind::Configuration => Failure::from(error)
            .with_hint(format!("start it: brick clusters start {cluster}, or add --start")),
        _ => error.into(),
    })?;
    Ok(cluster)
}

/// A file without an extension is Python; an unknown extension is an error.
fn by_extension(path: &Path) -> Result<CommandLanguage> {
    let Some(extension) = path.extension() else { return Ok(CommandLanguage::Python) };
    match extension.to_ascii_lowercase().to_str() {
        Some("py") => Ok(CommandLanguage::Python),
        Some("scala" | "sc") => Ok(CommandLanguage::Scala),
        Some("sql") => Ok(CommandLanguage::Sql),
        Some("r") => Ok(CommandLanguage::R),
        _ => {
            Err(Failure::usage(format!("unknown file type: {}", path.display())).with_hint("set --language"))
        }
    }
}

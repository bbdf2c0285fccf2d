//! `brick commands`: code in an execution context.

use std::path::PathBuf;

use brickwire_actions::{
    self as actions, Commands, ExecutionContext, RunOutput, WaitOptions, types::CommandLanguage,
};
use clap::Subcommand;
use serde_json::json;

use super::{
    contexts::{Cluster, language},
    run::{check, check_folder, print},
};
use crate::{context::Context, failure::Result, options::Timeout, source::Source};

/// Commands in an execution context: submit, execute, get, wait, cancel
#[derive(Debug, Subcommand)]
#[command(alias = "command")]
pub(crate) enum Command {
    /// Submit code to a context and print the ID of the command without waiting
    #[command(
        after_help = "Example:\n  brick commands submit -c nightly-etl --context 1234567890 'print(6 * 7)'"
    )]
    Submit(Code),
    /// Low-level; `brick run` does all of this in one step: run code in a context, wait, and print the answer; exits with 8 if the code fails
    #[command(
        after_help = "Example:\n  brick commands execute -c nightly-etl --context 1234567890 'print(6 * 7)'"
    )]
    Execute {
        #[command(flatten)]
        code: Code,
        /// The former name of `submit`
        #[arg(long, alias = "detach", hide = true)]
        no_wait: bool,
        #[command(flatten)]
        timeout: Timeout,
    },
    /// Show the status of a command and, once it has ended, its results
    #[command(name = "get", alias = "status")]
    #[command(after_help = "Example:\n  brick commands get -c nightly-etl --context 1234567890 abcdef")]
    Status(Which),
    /// Wait until a command ends and print its result, as `brick run` does; exits with 8 if the code failed
    #[command(
        after_help = "Example:\n  brick commands wait -c nightly-etl --context 1234567890 abcdef --timeout 2h"
    )]
    Wait {
        #[command(flatten)]
        which: Which,
        /// Folder to save images in
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        images: PathBuf,
        #[command(flatten)]
        timeout: Timeout,
    },
    /// Cancel a command
    #[command(after_help = "Example:\n  brick commands cancel -c nightly-etl --context 1234567890 abcdef")]
    Cancel(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Code {
    #[command(flatten)]
    cluster: Cluster,
    /// ID of the context
    #[arg(long, value_name = "CONTEXT")]
    context: String,
    /// Language of the code
    #[arg(long, short, default_value = "python", value_parser = language())]
    language: CommandLanguage,
    #[command(flatten)]
    text: Source,
}

impl Code {
    async fn submit(self, context: &Context) -> Result<actions::Command> {
        let text = self.text.read("code")?;
        Commands::check(&self.language, &text)?;
        let cluster_id = self.cluster.id(context).await?;
        let named = ExecutionContext { cluster_id, id: self.context, language: self.language };
        Ok(context.workspace().await?.commands().submit(&named, &text).await?)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    #[command(flatten)]
    cluster: Cluster,
    /// ID of the context
    #[arg(long, value_name = "CONTEXT")]
    context: String,
    /// ID of the command
    #[arg(value_name = "COMMAND")]
    command: String,
}

impl Which {
    async fn command(self, context: &Context) -> Result<actions::Command> {
        let cluster_id = self.cluster.id(context).await?;
        Ok(actions::Command { cluster_id, context_id: self.context, command_id: self.command })
    }
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let limit = match &command {
        Command::Execute { timeout, .. } => context.limit(timeout.timeout),
        Command::Wait { images, timeout, .. } => {
            check_folder(images)?;
            context.check_rows()?;
            context.limit(timeout.timeout)
        }
        _ => WaitOptions::default(),
    };
    let commands = context.workspace().await?.commands();
    match command {
        Command::Submit(code) | Command::Execute { code, no_wait: true, .. } => {
            let accepted = json!({ "id": code.submit(context).await?.command_id });
            context.record(accepted.to_string().as_bytes())
        }
        Command::Execute { code, .. } => {
            let command = code.submit(context).await?;
            expect_not_to_cancel(&command, context);
            let done = commands.wait(&command, limit).await?;
            context.record(done.raw())?;
            check(&RunOutput::from(&*done))
        }
        Command::Status(which) => {
            let command = which.command(context).await?;
            context.record(commands.status_json(&command).await?.get().as_bytes())
        }
        Command::Wait { which, images, .. } => {
            let command = which.command(context).await?;
            expect_not_to_cancel(&command, context);
            print(commands.wait_for_run(&command, limit).await?, &images, context)
        }
        Command::Cancel(which) => {
            let command = which.command(context).await?;
            commands.cancel(&command).await?;
            let requested = json!({ "id": command.command_id, "cancel_requested": true });
            context.record(requested.to_string().as_bytes())
        }
    }
}

/// An interrupt ends the wait, not the command.
fn expect_not_to_cancel(command: &actions::Command, context: &Context) {
    let actions::Command { cluster_id, context_id, .. } = command;
    let wait = format!("brick commands wait -c {cluster_id} --context {context_id}");
    context.progress().expect_not_to_cancel("command", &wait);
}

//! `brick commands`

use brickwire_actions::{Command, ExecutionContext, types};
use clap::Subcommand;

use super::{
    Result,
    contexts::{Cluster, Language},
    record,
    source::Source,
};
use crate::{args::Timeout, context::Context, report::Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum Commands {
    /// Run code in a context, wait for it, and print what it answered; exits with 8 if the code failed
    #[command(
        after_help = "Example:\n  brick commands execute -c nightly-etl --context 1234567890123456789 'print(6 * 7)'"
    )]
    Execute {
        #[command(flatten)]
        cluster: Cluster,
        /// The context's id
        #[arg(long, value_name = "CONTEXT")]
        context: String,
        /// The language of the code
        #[arg(long, short, default_value = "python")]
        language: Language,
        #[command(flatten)]
        code: Source,
        /// Return as soon as the command is accepted
        #[arg(long)]
        no_wait: bool,
        #[command(flatten)]
        timeout: Timeout,
    },
    /// Show the status of a command, and its results once it has any
    #[command(
        after_help = "Example:\n  brick commands status -c nightly-etl --context 1234567890123456789 abcdef"
    )]
    Status(Which),
    /// Ask a command to stop
    #[command(
        after_help = "Example:\n  brick commands cancel -c nightly-etl --context 1234567890123456789 abcdef"
    )]
    Cancel(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    #[command(flatten)]
    cluster: Cluster,
    /// The context's id
    #[arg(long, value_name = "CONTEXT")]
    context: String,
    /// The command's id
    #[arg(value_name = "COMMAND")]
    command: String,
}

impl Which {
    async fn command(self, context: &Context) -> Result<Command> {
        let cluster_id = self.cluster.id(context).await?;
        Ok(Command { cluster_id, context_id: self.context, command_id: self.command })
    }
}

pub(crate) async fn run(command: Commands, context: &Context) -> Result {
    let commands = context.workspace().await?.commands();
    match command {
        Commands::Execute { cluster, context: id, language, code, no_wait, timeout } => {
            let code = code.read("code")?;
            let cluster_id = cluster.id(context).await?;
            let named = ExecutionContext { cluster_id, id, language: language.into() };
            let command = commands.submit(&named, &code).await?;
            if no_wait {
                let accepted = serde_json::json!({ "id": command.command_id });
                return record(context, accepted.to_string().as_bytes());
            }
            let done = commands.wait(&command, timeout.options()).await?;
            record(context, done.raw())?;
            if succeeded(&done) { Ok(()) } else { Err(Failure::RemoteCode) }
        }
        Commands::Status(which) => {
            let command = which.command(context).await?;
            record(context, commands.status(&command).await?.raw())
        }
        Commands::Cancel(which) => {
            let command = which.command(context).await?;
            commands.cancel(&command).await?;
            let requested = serde_json::json!({ "id": command.command_id, "cancel_requested": true });
            record(context, requested.to_string().as_bytes())
        }
    }
}

/// Code that failed is Finished all the same; its results tell.
fn succeeded(done: &types::CommandStatusResponse) -> bool {
    let failed =
        done.results.as_ref().and_then(|r| r.result_type.as_ref()) == Some(&types::ResultType::Error);
    done.status == Some(types::CommandStatus::Finished) && !failed
}

//! `brick registry`: the workspace's model registry.

use std::ffi::OsStr;

use brickwire_actions::{Registry, Workspace};
use clap::Subcommand;
use clap_complete::{ArgValueCompleter, CompletionCandidate};

use crate::{candidates::live, context::Context, failure::Result, output::Column};

/// The workspace's model registry, without Unity Catalog: list, get, versions, transition
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List registered models: all of them, or those that fit a filter
    #[command(
        after_help = "Examples:\n  brick registry list -o table\n  brick registry list --filter \"name LIKE 'churn%'\""
    )]
    List {
        /// Condition such as "name LIKE 'churn%'"
        #[arg(long, value_name = "CONDITION")]
        filter: Option<String>,
    },
    /// Show one model, with the ID that its permissions go by
    #[command(after_help = "Example:\n  brick registry get churn --jq .registered_model_databricks.id")]
    Get(Which),
    /// List the versions of a model
    #[command(after_help = "Example:\n  brick registry versions churn -o table")]
    Versions(Which),
    /// Move a version to another stage
    #[command(after_help = "Example:\n  brick registry transition churn 3 Production --archive-existing")]
    Transition {
        #[command(flatten)]
        which: Which,
        /// Number of the version
        #[arg(value_name = "VERSION", value_parser = clap::value_parser!(u32).range(1..))]
        number: u32,
        /// None, Staging, Production, or Archived
        #[arg(value_name = "STAGE")]
        stage: String,
        /// Move all other versions of that stage to Archived
        #[arg(long)]
        archive_existing: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Name of the model
    #[arg(value_name = "MODEL", add = ArgValueCompleter::new(candidates))]
    model: String,
}

const MODELS: &[Column] =
    &[("NAME", "/name"), ("USER", "/user_id"), ("UPDATED (MS)", "/last_updated_timestamp")];

const VERSIONS: &[Column] = &[
    ("VERSION", "/version"),
    ("STAGE", "/current_stage"),
    ("STATUS", "/status"),
    ("RUN", "/run_id"),
    ("CREATED (MS)", "/creation_timestamp"),
];

async fn of(context: &Context) -> Result<Registry> {
    Ok(context.workspace().await?.registry())
}

/// Names, for completion.
fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::registry)
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::List { filter } => {
            context.output().list(&of(context).await?.list_json(filter.as_deref()).await?, MODELS)
        }
        Command::Get(Which { model }) => {
            context.record(of(context).await?.get_json(&model).await?.get().as_bytes())
        }
        Command::Versions(Which { model }) => {
            context.output().list(&of(context).await?.versions_json(&model).await?, VERSIONS)
        }
        Command::Transition { which: Which { model }, number, stage, archive_existing } => {
            let registry = of(context).await?;
            let moved = registry.transition(&model, &number.to_string(), &stage, archive_existing).await?;
            context.record(moved.raw())
        }
    }
}

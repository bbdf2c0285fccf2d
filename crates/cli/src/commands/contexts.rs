//! `brick contexts`: execution contexts on a cluster, and the arguments that `brick run` and `brick commands` share.

use brickwire_actions::{DEFAULT_LANGUAGE, ExecutionContext, WaitOptions, types::CommandLanguage};
use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use clap_complete::ArgValueCompleter;
use serde_json::json;

use super::clusters;
use crate::{context::Context, failure::Result, options::Timeout};

/// Execution contexts on a cluster: create, get, destroy
#[derive(Debug, Subcommand)]
#[command(alias = "context")]
pub(crate) enum Command {
    /// Create an execution context on a running cluster and wait until it is ready
    #[command(after_help = "Example:\n  brick contexts create -c nightly-etl -l python")]
    Create {
        #[command(flatten)]
        cluster: Cluster,
        /// Language of the commands
        #[arg(long, short, default_value = "python", value_parser = language())]
        language: CommandLanguage,
        /// Return without waiting until the context is ready
        #[arg(long, alias = "detach")]
        no_wait: bool,
        #[command(flatten)]
        timeout: Timeout,
    },
    /// Show the status of a context
    #[command(name = "get", alias = "status")]
    #[command(after_help = "Example:\n  brick contexts get -c nightly-etl 1234567890")]
    Status(Which),
    /// Destroy a context and its state
    #[command(after_help = "Example:\n  brick contexts destroy -c nightly-etl 1234567890")]
    Destroy(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    #[command(flatten)]
    cluster: Cluster,
    /// ID of the context
    #[arg(value_name = "CONTEXT")]
    context: String,
}

/// The cluster that code runs on.
#[derive(Debug, clap::Args)]
pub(crate) struct Cluster {
    /// ID or name of the cluster; by default the configured one (DATABRICKS_CLUSTER_ID or cluster_id)
    #[arg(long = "cluster", short, value_name = "CLUSTER")]
    #[arg(add = ArgValueCompleter::new(clusters::candidates))]
    cluster: Option<String>,
}

impl Which {
    async fn named(self, context: &Context) -> Result<ExecutionContext> {
        let cluster_id = self.cluster.id(context).await?;
        Ok(ExecutionContext { cluster_id, id: self.context, language: DEFAULT_LANGUAGE })
    }
}

impl Cluster {
    pub(crate) async fn id(&self, context: &Context) -> Result<String> {
        clusters::find(self.cluster.as_deref(), context).await
    }
}

/// The languages of a context.
pub(crate) fn language() -> impl TypedValueParser<Value = CommandLanguage> {
    PossibleValuesParser::new(["python", "scala", "sql", "r"]).map(|name| name.as_str().into())
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let limit = match &command {
        Command::Create { timeout, .. } => context.limit(timeout.timeout),
        _ => WaitOptions::default(),
    };
    let commands = context.workspace().await?.commands();
    match command {
        Command::Create { cluster, language, no_wait, .. } => {
            let cluster = cluster.id(context).await?;
            let created = commands.create_context(&cluster, language).await?;
            if no_wait {
                return context.record(created.raw());
            }
            let status = format!("brick contexts get -c {}", created.cluster_id);
            context.progress().expect_not_to_cancel("context", &status);
            context.record(commands.wait_for_context(&created, limit).await?.raw())
        }
        Command::Status(which) => {
            let named = which.named(context).await?;
            context.record(commands.context_status_json(&named).await?.get().as_bytes())
        }
        Command::Destroy(which) => {
            let named = which.named(context).await?;
            commands.destroy_context(&named).await?;
            let destroyed = json!({ "id": named.id, "destroyed": true });
            context.record(destroyed.to_string().as_bytes())
        }
    }
}

//! `brick contexts`

use brickwire_actions::{DEFAULT_LANGUAGE, ExecutionContext, types::CommandLanguage};
use clap::{Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::{Result, record};
use crate::{args::Timeout, completion, context::Context};

#[derive(Debug, Subcommand)]
pub(crate) enum Contexts {
    /// Create an execution context on a running cluster, and wait until it can run commands
    #[command(after_help = "Example:\n  brick contexts create -c nightly-etl -l python")]
    Create {
        #[command(flatten)]
        cluster: Cluster,
        /// The language of its commands
        #[arg(long, short, default_value = "python")]
        language: Language,
        /// Return as soon as the context is created
        #[arg(long)]
        no_wait: bool,
        #[command(flatten)]
        timeout: Timeout,
    },
    /// Show the status of a context
    #[command(after_help = "Example:\n  brick contexts status -c nightly-etl 1234567890123456789")]
    Status(Which),
    /// Destroy a context and all state in it
    #[command(after_help = "Example:\n  brick contexts destroy -c nightly-etl 1234567890123456789")]
    Destroy(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    #[command(flatten)]
    cluster: Cluster,
    /// The context's id
    #[arg(value_name = "CONTEXT")]
    context: String,
}

impl Which {
    async fn named(self, context: &Context) -> Result<ExecutionContext> {
        let cluster_id = self.cluster.id(context).await?;
        Ok(ExecutionContext { cluster_id, id: self.context, language: DEFAULT_LANGUAGE })
    }
}

/// The cluster that code runs on.
#[derive(Debug, clap::Args)]
pub(crate) struct Cluster {
    /// The cluster's id or name
    #[arg(
        long = "cluster",
        short,
        value_name = "CLUSTER",
        env = "DATABRICKS_CLUSTER_ID",
        hide_env_values = true,
        add = ArgValueCompleter::new(completion::clusters)
    )]
    cluster: String,
}

impl Cluster {
    pub(crate) async fn id(&self, context: &Context) -> Result<String> {
        Ok(context.workspace().await?.clusters().find(&self.cluster).await?)
    }
}

/// The languages of a context.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Language {
    Python,
    Scala,
    Sql,
    R,
}

impl From<Language> for CommandLanguage {
    fn from(language: Language) -> Self {
        match language {
            Language::Python => Self::Python,
            Language::Scala => Self::Scala,
            Language::Sql => Self::Sql,
            Language::R => Self::R,
        }
    }
}

pub(crate) async fn run(command: Contexts, context: &Context) -> Result {
    let commands = context.workspace().await?.commands();
    match command {
        Contexts::Create { cluster, language, no_wait, timeout } => {
            let cluster = cluster.id(context).await?;
            let created = commands.create_context(&cluster, language.into()).await?;
            if no_wait {
                return record(context, created.raw());
            }
            record(context, commands.wait_for_context(&created, timeout.options()).await?.raw())
        }
        Contexts::Status(which) => {
            let named = which.named(context).await?;
            record(context, commands.context_status(&named).await?.raw())
        }
        Contexts::Destroy(which) => {
            let named = which.named(context).await?;
            commands.destroy_context(&named).await?;
            record(context, serde_json::json!({ "id": named.id, "destroyed": true }).to_string().as_bytes())
        }
    }
}

//! `brick clusters`: the life of a cluster, and what clusters can be made of.

use std::ffi::OsStr;

use brickwire_actions::{Clusters, WaitOptions, Workspace};
use clap::Subcommand;
use clap_complete::{ArgValueCompleter, CompletionCandidate};

use crate::{
    candidates::live,
    context::Context,
    failure::{Failure, Result},
    lifecycle::{Asked, change},
    options::Timeout,
    output::Column,
};

/// Clusters: list, get, start, restart, terminate, wait
#[derive(Debug, Subcommand)]
#[command(alias = "cluster")]
pub(crate) enum Command {
    /// List all clusters
    #[command(after_help = "Example:\n  brick clusters list -o json")]
    List,
    /// Show one cluster
    #[command(after_help = "Example:\n  brick clusters get nightly-etl")]
    Get(Which),
    /// Start a terminated cluster and wait until it is running
    #[command(after_help = "Example:\n  brick clusters start 0123-456789-abcdefgh --timeout 15m")]
    Start(Asked<Which>),
    /// Restart a running cluster and wait until it is running again; running work is lost
    #[command(after_help = "Example:\n  brick clusters restart nightly-etl --no-wait")]
    Restart(Asked<Which>),
    /// Terminate a cluster and wait until it is terminated; it can be started again
    #[command(after_help = "Example:\n  brick clusters terminate nightly-etl")]
    Terminate(Asked<Which>),
    /// Wait until a cluster is running, or with --terminated until it is terminated
    #[command(after_help = "Example:\n  brick clusters wait nightly-etl --timeout 1h")]
    Wait {
        #[command(flatten)]
        which: Which,
        /// Wait for TERMINATED instead of RUNNING
        #[arg(long)]
        terminated: bool,
        #[command(flatten)]
        timeout: Timeout,
    },
    /// List the node types available in the workspace
    #[command(after_help = "Example:\n  brick clusters node-types -o csv")]
    NodeTypes,
    /// List the available Spark versions
    #[command(after_help = "Example:\n  brick clusters spark-versions")]
    SparkVersions,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Id or name of the cluster; by default the configured one (DATABRICKS_CLUSTER_ID or cluster_id)
    #[arg(value_name = "CLUSTER", add = ArgValueCompleter::new(candidates))]
    cluster: Option<String>,
}

impl Which {
    async fn id(&self, context: &Context) -> Result<String> {
        if self.cluster.is_none() {
            let hint = "give its id or name, or set DATABRICKS_CLUSTER_ID (cluster_id)";
            context.config().await?.required_cluster_id().map_err(|e| Failure::from(e).with_hint(hint))?;
        }
        find(self.cluster.as_deref(), context).await
    }
}

/// The id of the cluster that is given, or else of the configured one.
pub(crate) async fn find(given: Option<&str>, context: &Context) -> Result<String> {
    let id_or_name = match given {
        Some(given) => given,
        None => context.config().await?.required_cluster_id()?,
    };
    Ok(of(context).await?.find(id_or_name).await?)
}

const COLUMNS: &[Column] = &[
    ("ID", "/cluster_id"),
    ("NAME", "/cluster_name"),
    ("STATE", "/state"),
    ("NODE TYPE", "/node_type_id"),
    ("WORKERS", "/num_workers"),
    ("SPARK VERSION", "/spark_version"),
    ("CREATOR", "/creator_user_name"),
];

const NODE_TYPES: &[Column] = &[
    ("ID", "/node_type_id"),
    ("CORES", "/num_cores"),
    ("MEMORY MB", "/memory_mb"),
    ("GPUS", "/num_gpus"),
    ("CATEGORY", "/category"),
    ("DEPRECATED", "/is_deprecated"),
];

const SPARK_VERSIONS: &[Column] = &[("KEY", "/key"), ("NAME", "/name")];

/// The workspace's clusters. A requested change continues when the program ends.
pub(crate) async fn of(context: &Context) -> Result<Clusters> {
    context.progress().expect_to_outlive("cluster", "brick clusters get");
    Ok(context.workspace().await?.clusters())
}

/// Names and ids, for completion.
pub(crate) fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::clusters)
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    // From here on, all requests of the command share its time.
    let limit = match &command {
        Command::Start(Asked { waiting, .. })
        | Command::Restart(Asked { waiting, .. })
        | Command::Terminate(Asked { waiting, .. }) => context.limit(waiting.timeout.timeout),
        Command::Wait { timeout, .. } => context.limit(timeout.timeout),
        _ => WaitOptions::default(),
    };
    let clusters = of(context).await?;
    match command {
        Command::List => context.output().list(&clusters.list_json().await?, COLUMNS),
        Command::NodeTypes => context.output().list(&clusters.list_node_types_json().await?, NODE_TYPES),
        Command::SparkVersions => {
            context.output().list(&clusters.list_spark_versions_json().await?, SPARK_VERSIONS)
        }
        Command::Get(which) => {
            let id = which.id(context).await?;
            context.record(clusters.get_json(&id).await?.get().as_bytes())
        }
        Command::Start(Asked { which, waiting }) => {
            let id = which.id(context).await?;
            let done = clusters.wait_until_running(&id, limit);
            let already = format!("cluster {id} is running or starting");
            change(context, &waiting, &already, clusters.start(&id), clusters.get(&id), done).await
        }
        Command::Restart(Asked { which, waiting }) => {
            let id = which.id(context).await?;
            let done = clusters.wait_until_restarted(&id, limit);
            change(context, &waiting, "", clusters.restart(&id), clusters.get(&id), done).await
        }
        Command::Terminate(Asked { which, waiting }) => {
            let id = which.id(context).await?;
            let done = clusters.wait_until_terminated(&id, limit);
            let already = format!("cluster {id} is terminated or terminating");
            change(context, &waiting, &already, clusters.terminate(&id), clusters.get(&id), done).await
        }
        Command::Wait { which, terminated, .. } => {
            let id = which.id(context).await?;
            let cluster = match terminated {
                true => clusters.wait_until_terminated(&id, limit).await?,
                false => clusters.wait_until_running(&id, limit).await?,
            };
            context.record(cluster.raw())
        }
    }
}

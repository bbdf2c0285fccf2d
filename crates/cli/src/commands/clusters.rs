//! `brick clusters`

use brickwire_actions::Change;
use clap::Subcommand;

use clap_complete::ArgValueCompleter;

use super::{Result, record};
use crate::{
    args::{Timeout, Waiting},
    completion,
    context::Context,
    output::Column,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Clusters {
    /// List all clusters
    #[command(after_help = "Example:\n  brick clusters list -o json")]
    List,
    /// Show one cluster
    #[command(after_help = "Example:\n  brick clusters get nightly-etl")]
    Get(Which),
    /// Start a terminated cluster, and wait until it runs
    #[command(after_help = "Example:\n  brick clusters start 0123-456789-abcdefgh --timeout 15m")]
    Start {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Restart a running cluster, and wait until it runs; what runs on it is lost
    #[command(after_help = "Example:\n  brick clusters restart nightly-etl --no-wait")]
    Restart {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Terminate a cluster, and wait until it has; it can be started again
    #[command(after_help = "Example:\n  brick clusters terminate nightly-etl")]
    Terminate {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Wait until a cluster runs, or until it is terminated
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
    /// List the node types that the workspace can use
    #[command(after_help = "Example:\n  brick clusters node-types -o csv")]
    NodeTypes,
    /// List the Spark versions that a cluster can have
    #[command(after_help = "Example:\n  brick clusters spark-versions")]
    SparkVersions,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The cluster's id or name
    #[arg(value_name = "CLUSTER", env = "DATABRICKS_CLUSTER_ID", hide_env_values = true)]
    #[arg(add = ArgValueCompleter::new(completion::clusters))]
    cluster: String,
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

pub(crate) async fn run(command: Clusters, context: &Context) -> Result {
    let clusters = context.workspace().await?.clusters();
    match command {
        Clusters::List => Ok(context.output().list(&clusters.list_json().await?, COLUMNS)?),
        Clusters::NodeTypes => {
            Ok(context.output().list(clusters.list_node_types().await?.raw(), NODE_TYPES)?)
        }
        Clusters::SparkVersions => {
            Ok(context.output().list(clusters.list_spark_versions().await?.raw(), SPARK_VERSIONS)?)
        }
        Clusters::Get(which) => {
            let id = clusters.find(&which.cluster).await?;
            record(context, clusters.get(&id).await?.raw())
        }
        Clusters::Start { which, waiting } => {
            let id = clusters.find(&which.cluster).await?;
            if clusters.start(&id).await? == Change::Already {
                context.note(&format!("cluster {id} is running or starting already"));
            }
            if waiting.no_wait {
                return record(context, clusters.get(&id).await?.raw());
            }
            record(context, clusters.wait_until_running(&id, waiting.timeout.options()).await?.raw())
        }
        Clusters::Restart { which, waiting } => {
            let id = clusters.find(&which.cluster).await?;
            clusters.restart(&id).await?;
            if waiting.no_wait {
                return record(context, clusters.get(&id).await?.raw());
            }
            record(context, clusters.wait_until_running(&id, waiting.timeout.options()).await?.raw())
        }
        Clusters::Terminate { which, waiting } => {
            let id = clusters.find(&which.cluster).await?;
            if clusters.terminate(&id).await? == Change::Already {
                context.note(&format!("cluster {id} is terminated or terminating already"));
            }
            if waiting.no_wait {
                return record(context, clusters.get(&id).await?.raw());
            }
            record(context, clusters.wait_until_terminated(&id, waiting.timeout.options()).await?.raw())
        }
        Clusters::Wait { which, terminated, timeout } => {
            let id = clusters.find(&which.cluster).await?;
            let cluster = match terminated {
                true => clusters.wait_until_terminated(&id, timeout.options()).await?,
                false => clusters.wait_until_running(&id, timeout.options()).await?,
            };
            record(context, cluster.raw())
        }
    }
}

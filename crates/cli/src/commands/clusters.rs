//! `brick clusters`: the life of a cluster, and what clusters can be made of.

mod change;

use std::{ffi::OsStr, time::Instant};

use brickwire_actions::{Clusters, ListFilter, WaitOptions, Workspace, types::GetEvents};
use clap::{Subcommand, builder::PossibleValuesParser};
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use serde_json::json;

use crate::{
    candidates::live,
    context::Context,
    failure::{Failure, Result},
    lifecycle::{Asked, change, waited},
    options::{NamePart, Timeout, Waiting},
    output::Column,
    source::Settings,
};
use change::{New, Size};

/// Clusters: list, get, create, edit, resize, start, restart, terminate, wait, events
#[derive(Debug, Subcommand)]
#[command(alias = "cluster")]
pub(crate) enum Command {
    /// List all clusters
    #[command(after_help = "\
Examples:
  brick clusters list --state RUNNING,PENDING --name etl
  brick clusters list --state TERMINATED -o name")]
    List(Selection),
    /// Show one cluster
    #[command(after_help = "Example:\n  brick clusters get nightly-etl")]
    Get(Which),
    /// Create a cluster and wait until it is running
    #[command(after_help = "\
Examples:
  brick clusters create --name etl --spark-version 15.4.x-scala2.12 --node-type i3.xlarge --workers 2
  brick clusters create --data @cluster.json --autotermination-minutes 30 --no-wait")]
    Create {
        #[command(flatten)]
        new: New,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Change settings of a cluster and keep all others; a running cluster restarts, and running work is lost
    #[command(after_help = "\
In the JSON, null sets a setting back to its default. A list or an object is replaced as a whole.

Examples:
  brick clusters edit nightly-etl --data '{\"autotermination_minutes\": 60}'
  brick clusters edit 0123-456789-abcdefgh --data @changes.json --no-wait")]
    Edit {
        /// ID or name of the cluster
        #[arg(value_name = "CLUSTER", add = ArgValueCompleter::new(candidates))]
        cluster: String,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Change the number of workers of a running cluster and wait until they are there
    #[command(after_help = "Example:\n  brick clusters resize shared-analytics --workers 8")]
    Resize {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        size: Size,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Start a terminated cluster and wait until it is running
    #[command(after_help = "Example:\n  brick clusters start 0123-456789-abcdefgh --timeout 15m")]
    Start(Asked<Which>),
    /// Restart a running cluster and wait until it is running again; running work is lost
    #[command(after_help = "Example:\n  brick clusters restart nightly-etl --no-wait")]
    Restart(Asked<Which>),
    /// Terminate a cluster and wait until it is terminated; it can be started again
    #[command(alias = "stop", after_help = "Example:\n  brick clusters terminate nightly-etl")]
    Terminate(Asked<Which>),
    /// Delete a cluster and its settings for good; it can't be started again
    #[command(after_help = "Example:\n  brick clusters delete-permanently 0123-456789-abcdefgh")]
    DeletePermanently {
        /// ID of the cluster, or its whole name, which only one cluster may have
        #[arg(value_name = "CLUSTER", add = ArgValueCompleter::new(candidates))]
        cluster: String,
    },
    /// Keep a cluster in the list however long it has been terminated
    #[command(after_help = "Example:\n  brick clusters pin nightly-etl")]
    Pin(Which),
    /// Let a cluster leave the list 30 days after it was terminated
    #[command(after_help = "Example:\n  brick clusters unpin nightly-etl")]
    Unpin(Which),
    /// List what happened to a cluster, the newest first
    #[command(after_help = "Example:\n  brick clusters events nightly-etl --limit 20 -o table")]
    Events {
        #[command(flatten)]
        which: Which,
        /// Number of events to list at most
        #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
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
    /// Show the availability zones that clusters can run in, on AWS
    #[command(after_help = "Example:\n  brick clusters zones")]
    Zones,
}

/// Which clusters are listed.
#[derive(Debug, clap::Args)]
pub(crate) struct Selection {
    /// List only clusters in these states
    #[arg(long = "state", value_name = "STATES", value_delimiter = ',', ignore_case = true)]
    #[arg(value_parser = PossibleValuesParser::new(STATES))]
    states: Vec<String>,
    #[command(flatten)]
    name: NamePart,
}

const STATES: [&str; 8] =
    ["PENDING", "RUNNING", "RESTARTING", "RESIZING", "TERMINATING", "TERMINATED", "ERROR", "UNKNOWN"];

impl Selection {
    fn read(self) -> ListFilter {
        self.name.read().with_states(self.states)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// ID or name of the cluster; by default the configured one (DATABRICKS_CLUSTER_ID or cluster_id)
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

/// The ID of the cluster that is given, or else of the configured one.
pub(crate) async fn find(given: Option<&str>, context: &Context) -> Result<String> {
    let id_or_name = match given {
        Some(given) => given,
        None => context.config().await?.required_cluster_id()?,
    };
    Ok(of(context).await?.find(id_or_name).await?)
}

pub(super) const COLUMNS: &[Column] = &[
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

const EVENTS: &[Column] = &[
    ("TIME (MS)", "/timestamp"),
    ("TYPE", "/type"),
    ("USER", "/details/user"),
    ("CAUSE", "/details/cause"),
    ("REASON", "/details/reason/code"),
];

const SPARK_VERSIONS: &[Column] = &[("KEY", "/key"), ("NAME", "/name")];

/// The workspace's clusters. A requested change continues when the program ends.
pub(crate) async fn of(context: &Context) -> Result<Clusters> {
    context.progress().expect_to_outlive("cluster", "brick clusters get");
    Ok(context.workspace().await?.clusters())
}

/// Names and IDs, for completion.
pub(crate) fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::clusters)
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    // From here on, all requests of the command share its time.
    let limit = match &command {
        Command::Start(Asked { waiting, .. })
        | Command::Restart(Asked { waiting, .. })
        | Command::Terminate(Asked { waiting, .. }) => context.limit(waiting.timeout.timeout),
        Command::Create { waiting, .. } | Command::Edit { waiting, .. } | Command::Resize { waiting, .. } => {
            context.limit(waiting.timeout.timeout)
        }
        Command::Wait { timeout, .. } => context.limit(timeout.timeout),
        _ => WaitOptions::default(),
    };
    let clusters = of(context).await?;
    match command {
        Command::List(selection) => {
            let selected = selection.read();
            context.output().list(&clusters.list_json_by(&selected).await?, COLUMNS)
        }
        Command::NodeTypes => context.output().list(&clusters.list_node_types_json().await?, NODE_TYPES),
        Command::SparkVersions => {
            context.output().list(&clusters.list_spark_versions_json().await?, SPARK_VERSIONS)
        }
        Command::Get(which) => {
            let id = which.id(context).await?;
            context.record(clusters.get_json(&id).await?.get().as_bytes())
        }
        Command::Zones => context.record(clusters.zones().await?.raw()),
        Command::Create { new, waiting } => change::create(&clusters, &new, &waiting, limit, context).await,
        Command::Edit { cluster, settings, waiting } => {
            let changes = change::changes(&settings)?;
            let id = find(Some(&cluster), context).await?;
            change::edit(&clusters, &id, &changes, &waiting, limit, context).await
        }
        Command::Resize { which, size, waiting } => {
            size.check()?;
            let id = which.id(context).await?;
            change::resize(&clusters, &id, &size, &waiting, limit, context).await
        }
        Command::DeletePermanently { cluster } => {
            let id = find(Some(&cluster), context).await?;
            clusters.delete_permanently(&id).await?;
            context.record(json!({ "cluster_id": id, "deleted": true }).to_string().as_bytes())
        }
        Command::Pin(which) => {
            let id = which.id(context).await?;
            clusters.pin(&id).await?;
            context.record(json!({ "cluster_id": id, "pinned": true }).to_string().as_bytes())
        }
        Command::Unpin(which) => {
            let id = which.id(context).await?;
            clusters.unpin(&id).await?;
            context.record(json!({ "cluster_id": id, "pinned": false }).to_string().as_bytes())
        }
        Command::Events { which, limit } => {
            let id = which.id(context).await?;
            let most = usize::try_from(limit).unwrap_or(usize::MAX);
            let events = clusters.list_events_json(&id, &GetEvents::default(), most).await?;
            context.output().list(&events, EVENTS)
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
            context.progress().expect_goal(" --terminated");
            let done = clusters.wait_until_terminated(&id, limit);
            let already = format!("cluster {id} is terminated or terminating");
            change(context, &waiting, &already, clusters.terminate(&id), clusters.get(&id), done).await
        }
        Command::Wait { which, terminated, .. } => {
            let id = which.id(context).await?;
            let since = Instant::now();
            if terminated {
                context.progress().expect_goal(" --terminated");
            }
            let cluster = match terminated {
                true => clusters.wait_until_terminated(&id, limit).await?,
                false => clusters.wait_until_running(&id, limit).await?,
            };
            waited(context, cluster.raw(), since)
        }
    }
}

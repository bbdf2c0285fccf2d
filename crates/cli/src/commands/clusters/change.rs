//! Creating and changing clusters: settings as JSON, and options for those that people set most.

use std::future::ready;

use brickwire_actions::{
    Change, Clusters, WaitOptions,
    types::{AutoScale, ClusterState, ResizeCluster},
};
use clap_complete::ArgValueCompleter;

use crate::{
    commands::cluster_policies,
    context::Context,
    failure::{Failure, Result},
    lifecycle::change,
    options::Waiting,
    source::{Fields, Settings, set},
};

/// Settings of a new cluster.
#[derive(Debug, clap::Args)]
pub(crate) struct New {
    /// Name of the cluster
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Spark version, such as 15.4.x-scala2.12; see `brick clusters spark-versions`
    #[arg(long, value_name = "KEY")]
    spark_version: Option<String>,
    /// Node type, such as i3.xlarge; see `brick clusters node-types`
    #[arg(long, value_name = "ID")]
    node_type: Option<String>,
    #[command(flatten)]
    size: Size,
    /// Create a single node that is both driver and worker
    #[arg(long, conflicts_with_all = ["workers", "min_workers", "max_workers"])]
    single_node: bool,
    /// Minutes without activity after which the cluster terminates; 0 means never
    #[arg(long, value_name = "MINUTES")]
    autotermination_minutes: Option<u32>,
    /// ID or name of the cluster policy to obey; see `brick cluster-policies list`
    #[arg(long, value_name = "POLICY", add = ArgValueCompleter::new(cluster_policies::candidates))]
    policy: Option<String>,
    /// Token of up to 64 characters; the same request with the same token creates no second cluster until the first one terminates
    #[arg(long, value_name = "TOKEN")]
    idempotency_token: Option<String>,
    #[command(flatten)]
    settings: Settings,
}

impl New {
    /// All settings but for the policy, which may be a name.
    fn read(&self) -> Result<Fields> {
        let mut fields = self.settings.read()?;
        set(&mut fields, "cluster_name", self.name.as_ref())?;
        set(&mut fields, "spark_version", self.spark_version.as_ref())?;
        set(&mut fields, "node_type_id", self.node_type.as_ref())?;
        set(&mut fields, "autotermination_minutes", self.autotermination_minutes)?;
        set(&mut fields, "idempotency_token", self.idempotency_token.as_ref())?;
        if self.single_node {
            set(&mut fields, "is_single_node", Some(true))?;
            set(&mut fields, "kind", Some("CLASSIC_PREVIEW"))?;
        }
        if let Some(workers) = self.size.workers {
            fields.remove("autoscale");
            set(&mut fields, "num_workers", Some(workers))?;
        }
        if let Some(bounds) = self.size.bounds()? {
            fields.remove("num_workers");
            set(&mut fields, "autoscale", Some(bounds))?;
        }
        if !fields.contains_key("spark_version") {
            return Err(Failure::usage("the cluster has no Spark version")
                .with_hint("give --spark-version; `brick clusters spark-versions` lists them"));
        }
        Ok(fields)
    }
}

/// A number of workers, or bounds.
#[derive(Debug, clap::Args)]
pub(crate) struct Size {
    /// Number of workers
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["min_workers", "max_workers"])]
    workers: Option<u32>,
    /// Minimum number of workers (autoscaling)
    #[arg(long, value_name = "COUNT", requires = "max_workers")]
    min_workers: Option<u32>,
    /// Maximum number of workers (autoscaling)
    #[arg(long, value_name = "COUNT", requires = "min_workers")]
    max_workers: Option<u32>,
}

impl Size {
    fn bounds(&self) -> Result<Option<AutoScale>> {
        let (Some(min), Some(max)) = (self.min_workers, self.max_workers) else { return Ok(None) };
        if min > max {
            return Err(Failure::usage(format!("--min-workers is more than --max-workers: {min} and {max}")));
        }
        Ok(Some(AutoScale { min_workers: Some(min.into()), max_workers: Some(max.into()) }))
    }

    /// Whether it says anything.
    pub(super) fn check(&self) -> Result {
        if self.workers.is_none() && self.bounds()?.is_none() {
            return Err(Failure::usage("the new size is missing")
                .with_hint("give --workers, or --min-workers and --max-workers"));
        }
        Ok(())
    }

    fn of(&self, cluster_id: String) -> Result<ResizeCluster> {
        Ok(ResizeCluster { cluster_id, num_workers: self.workers.map(Into::into), autoscale: self.bounds()? })
    }
}

/// Creates a cluster and prints it.
pub(super) async fn create(
    clusters: &Clusters,
    new: &New,
    waiting: &Waiting,
    limit: WaitOptions,
    context: &Context,
) -> Result {
    let mut fields = new.read()?;
    if let Some(policy) = &new.policy {
        let id = context.workspace().await?.cluster_policies().find(policy).await?;
        set(&mut fields, "policy_id", Some(id))?;
    }
    let id = clusters.create(&fields).await?;
    let done = clusters.wait_until_created(&id, limit);
    change(context, waiting, "", ready(Ok(Change::Requested)), clusters.get(&id), done).await
}

/// The settings to change.
pub(super) fn changes(settings: &Settings) -> Result<Fields> {
    let changes = settings.read()?;
    if changes.is_empty() {
        return Err(Failure::usage("no settings to change").with_hint("give the new settings with --data"));
    }
    Ok(changes)
}

/// Changes settings of a cluster and prints it, once it is running again if it was.
pub(super) async fn edit(
    clusters: &Clusters,
    id: &str,
    changes: &Fields,
    waiting: &Waiting,
    limit: WaitOptions,
    context: &Context,
) -> Result {
    let was_running = !waiting.no_wait && clusters.get(id).await?.state == Some(ClusterState::Running);
    clusters.edit(id, changes).await?;
    let done = async {
        match was_running {
            true => clusters.wait_until_restarted(id, limit).await,
            false => clusters.get(id).await,
        }
    };
    change(context, waiting, "", ready(Ok(Change::Requested)), clusters.get(id), done).await
}

/// Resizes a cluster and prints it.
pub(super) async fn resize(
    clusters: &Clusters,
    id: &str,
    size: &Size,
    waiting: &Waiting,
    limit: WaitOptions,
    context: &Context,
) -> Result {
    clusters.resize(&size.of(id.to_owned())?).await?;
    let done = clusters.wait_until_restarted(id, limit);
    change(context, waiting, "", ready(Ok(Change::Requested)), clusters.get(id), done).await
}

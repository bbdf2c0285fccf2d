//! Creating clusters, changing them, and removing them.
//!
//! Settings are changed by the API's `update`, which takes only those that change. Its `edit` replaces all of them, so a
//! setting that someone else changes at the same time, or that this version doesn't know, would be lost.

use brickwire_client::{operations, types};
use serde::{Deserialize, Serialize};

use super::Clusters;
use crate::{
    Error, Named, Result,
    idempotency::{start, token},
    names::required,
    settings::{self, Fields, fields},
};

/// Some settings of a cluster, with those that go back to their defaults named in the mask alone.
#[derive(Serialize)]
struct Update<'a> {
    cluster_id: &'a str,
    update_mask: String,
    cluster: Fields,
}

#[derive(Deserialize)]
struct Bounds {
    min_workers: Option<i64>,
    max_workers: Option<i64>,
}

impl Clusters {
    /// Creates a cluster and starts it, and returns its id as soon as the service has accepted it.
    ///
    /// The settings are a [`types::CreateCluster`], or JSON with the same members and others. The request gets a random
    /// `idempotency_token` unless it has one, so that it is sent again if its answer is lost. A token counts until its
    /// cluster terminates.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::CreateCluster;
    /// let settings = CreateCluster {
    ///     cluster_name: Some("nightly-etl".into()),
    ///     spark_version: "15.4.x-scala2.12".into(),
    ///     node_type_id: Some("i3.xlarge".into()),
    ///     num_workers: Some(2),
    ///     autotermination_minutes: Some(30),
    ///     ..Default::default()
    /// };
    /// let clusters = workspace.clusters();
    /// let cluster_id = clusters.create(&settings).await?;
    /// clusters.wait_until_created(&cluster_id, Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for both a number of workers and bounds,
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for settings that the service or a cluster policy refuses,
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if no attempt brought an answer; the hint has the
    /// token with which to send it again. Operation: `clusters_create`.
    pub async fn create(&self, settings: &(impl Serialize + Sync)) -> Result<String> {
        let mut fields = fields("cluster's description", settings)?;
        check_size(&fields)?;
        let token = token(settings::text(&fields, "idempotency_token")?.as_deref())?;
        settings::set(&mut fields, "idempotency_token", &token)?;
        let call = self.workspace.client().call(&operations::CLUSTERS_CREATE).json(&fields);
        let id = |created: types::CreateClusterResponse| created.cluster_id.filter(|id| !id.is_empty());
        let id = start(Self::NOUN, call, "clusters_create", &token, id).await?;
        self.workspace.events().requesting(Self::NOUN, &id, "start");
        Ok(id)
    }

    /// Changes the settings that are given, and keeps all others. A running cluster restarts, and what runs on it is lost;
    /// a terminated one stays so.
    ///
    /// The changes are a [`types::UpdateClusterResource`], or JSON with the same members and others. In JSON, `null` sets a
    /// setting back to its default. A list, a map or an object is replaced as a whole.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::UpdateClusterResource;
    /// let changes = UpdateClusterResource { autotermination_minutes: Some(60), ..Default::default() };
    /// workspace.clusters().edit("0123-456789-abcdefgh", &changes).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) without a change,
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a cluster that is neither running nor terminated, or that a
    /// job made, [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the answer is lost: a second change
    /// could restart the cluster again. Operation: `clusters_update`.
    pub async fn edit(&self, cluster_id: &str, changes: &(impl Serialize + Sync)) -> Result<()> {
        required(Self::NOUN, cluster_id)?;
        let mut fields = fields("change", changes)?;
        if fields.is_empty() {
            return Err(Error::usage("no settings to change"));
        }
        if let Some(odd) = fields.keys().find(|name| !is_setting(name)) {
            return Err(Error::usage(format!("this is not the name of a setting: {odd:?}")));
        }
        check_size(&fields)?;
        let update_mask = fields.keys().map(String::as_str).collect::<Vec<_>>().join(",");
        fields.retain(|_, value| value.get() != "null");
        let body = Update { cluster_id, update_mask, cluster: fields };
        self.workspace.events().requesting(Self::NOUN, cluster_id, "change its settings");
        let call = self.workspace.client().call(&operations::CLUSTERS_UPDATE).json(&body);
        match call.send::<types::EmptyResponse>().await {
            Err(refused) if refused.error_code() == Some("INVALID_STATE") => {
                Err(refused
                    .with_hint("only a cluster that is running or terminated can be changed: wait for it"))
            }
            answer => answer.map(drop),
        }
    }

    /// Changes the number of workers of a running cluster, or the bounds of it, without a restart.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::ResizeCluster;
    /// let cluster_id = "0123-456789-abcdefgh".to_owned();
    /// workspace.clusters().resize(&ResizeCluster { cluster_id, num_workers: Some(8), autoscale: None }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) without a size or with both kinds,
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a cluster that isn't running. Operation: `clusters_resize`.
    pub async fn resize(&self, change: &types::ResizeCluster) -> Result<()> {
        required(Self::NOUN, &change.cluster_id)?;
        if change.num_workers.is_none() && change.autoscale.is_none() {
            return Err(Error::usage("the cluster's new size is missing: give `num_workers` or `autoscale`"));
        }
        check_size(&fields("size", change)?)?;
        self.workspace.events().requesting(Self::NOUN, &change.cluster_id, "change its size");
        match self.workspace.client().clusters_resize(change).await {
            Err(refused) if refused.error_code() == Some("INVALID_STATE") => Err(refused
                .with_hint("only a running cluster can be resized; the size of another one is a setting")),
            answer => answer.map(drop),
        }
    }

    /// Keeps a cluster in the list however long it has been terminated. One that is pinned stays pinned.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.clusters().pin("0123-456789-abcdefgh").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id,
    /// [`ErrorKind::PermissionDenied`](crate::ErrorKind::PermissionDenied) unless the caller is an administrator.
    /// Operation: `clusters_pin`.
    pub async fn pin(&self, cluster_id: &str) -> Result<()> {
        required(Self::NOUN, cluster_id)?;
        let cluster_id = cluster_id.to_owned();
        self.workspace.client().clusters_pin(&types::PinCluster { cluster_id }).await.map(drop)
    }

    /// Lets a cluster leave the list 30 days after it was terminated. One that isn't pinned stays as it is.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.clusters().unpin("0123-456789-abcdefgh").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`pin`](Self::pin). Operation: `clusters_unpin`.
    pub async fn unpin(&self, cluster_id: &str) -> Result<()> {
        required(Self::NOUN, cluster_id)?;
        let cluster_id = cluster_id.to_owned();
        self.workspace.client().clusters_unpin(&types::UnpinCluster { cluster_id }).await.map(drop)
    }

    /// Terminates a cluster and removes it together with its settings. It can't be started again.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.clusters().delete_permanently("0123-456789-abcdefgh").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id, or if an attempt whose answer was lost has
    /// removed it. Operation: `clusters_permanent_delete`.
    pub async fn delete_permanently(&self, cluster_id: &str) -> Result<()> {
        required(Self::NOUN, cluster_id)?;
        let body = types::PermanentDeleteCluster { cluster_id: cluster_id.to_owned() };
        self.workspace.client().clusters_permanent_delete(&body).await.map(drop)
    }
}

/// Whether a mask can name it: it must not be taken for several.
fn is_setting(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Refuses sizes that can't be meant.
fn check_size(fields: &Fields) -> Result<()> {
    if settings::has(fields, "num_workers") && settings::has(fields, "autoscale") {
        return Err(Error::usage(
            "both `num_workers` and `autoscale` are given: a cluster has only one of them",
        ));
    }
    let workers = fields.get("num_workers").and_then(|value| value.get().parse::<i64>().ok());
    if let Some(workers) = workers.filter(|workers| *workers < 0) {
        return Err(Error::usage(format!("the number of workers is negative: {workers}")));
    }
    let bounds = fields.get("autoscale").and_then(|value| serde_json::from_str::<Bounds>(value.get()).ok());
    if let Some(Bounds { min_workers: Some(min), max_workers: Some(max) }) = bounds
        && min > max
    {
        return Err(Error::usage(format!("min_workers is greater than max_workers: {min} and {max}")));
    }
    Ok(())
}

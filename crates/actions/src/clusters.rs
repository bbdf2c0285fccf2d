//! Clusters (API 2.1): list, get, start, restart, terminate, node types, Spark versions, and waiting for a state.
//!
//! The API's `delete` terminates: the cluster stays and can be started again. Here it is called what it does.

use brickwire_client::{Call, ResponseValue, operations, types};
use serde_json::value::RawValue;

use crate::{
    Change, Error, ErrorKind, List, Result, WaitOptions, Workspace, list,
    wait::{self, Seen, Subject, Verdict},
};

use types::ClusterState as State;

/// The clusters of a workspace.
#[derive(Debug, Clone)]
pub struct Clusters {
    workspace: Workspace,
}

impl Clusters {
    pub(crate) fn new(workspace: Workspace) -> Self {
        Self { workspace }
    }

    /// Lists all clusters, page after page: pinned ones, active ones and those terminated within the last 30 days.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let clusters = workspace.clusters().list().await?;
    /// println!("{} clusters", clusters.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call; an empty workspace is not an error. Operation: `clusters_list`.
    pub async fn list(&self) -> Result<List<types::ClusterDetails>> {
        self.list_by(&types::ClustersListQuery::default()).await
    }

    /// Lists the clusters that a query selects, in its order; its `page_token` is ignored.
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_by(&self, query: &types::ClustersListQuery) -> Result<List<types::ClusterDetails>> {
        list::all(self.pages(query), "clusters").await
    }

    /// Lists all clusters as JSON, each as the service sent it: for whoever passes them on, in a fraction of the time.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for cluster in workspace.clusters().list_json().await? {
    ///     println!("{cluster}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self) -> Result<Vec<Box<RawValue>>> {
        list::json(self.pages(&types::ClustersListQuery::default()), "clusters").await
    }

    /// Gets one cluster.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let cluster = workspace.clusters().get("0123-456789-abcdefgh").await?;
    /// println!("{:?}", cluster.state);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. Operation: `clusters_get`.
    pub async fn get(&self, cluster_id: &str) -> Result<ResponseValue<types::ClusterDetails>> {
        Ok(self.workspace.client().clusters_get(cluster_id).await?)
    }

    /// Starts a terminated cluster; use [`wait_until_running`](Self::wait_until_running) to wait for it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let clusters = workspace.clusters();
    /// clusters.start("0123-456789-abcdefgh").await?;
    /// clusters.wait_until_running("0123-456789-abcdefgh", Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. A cluster that runs or starts already is not an error but
    /// [`Change::Already`]. Operation: `clusters_start`.
    pub async fn start(&self, cluster_id: &str) -> Result<Change> {
        let body = types::StartCluster { cluster_id: cluster_id.to_owned() };
        required(cluster_id)?;
        self.workspace.events().requesting("cluster", cluster_id, "start");
        match self.workspace.client().clusters_start(&body).await.map_err(Error::from) {
            Ok(_) => Ok(Change::Requested),
            Err(refused) if refused.error_code() == Some("INVALID_STATE") => {
                let state = self.get(cluster_id).await?.state.clone();
                match state {
                    Some(State::Running | State::Pending | State::Restarting | State::Resizing) => {
                        Ok(Change::Already)
                    }
                    _ => Err(refused),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Restarts a running cluster. All that runs on it is lost.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.clusters().restart("0123-456789-abcdefgh").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id, [`ErrorKind::Rejected`] for a cluster that isn't running.
    /// Operation: `clusters_restart`.
    pub async fn restart(&self, cluster_id: &str) -> Result<()> {
        required(cluster_id)?;
        let body = types::RestartCluster { cluster_id: cluster_id.to_owned(), ..Default::default() };
        self.workspace.events().requesting("cluster", cluster_id, "restart");
        let answer = self.workspace.client().clusters_restart(&body).await.map_err(Error::from);
        match answer {
            Err(e) if e.error_code() == Some("INVALID_STATE") => {
                Err(e.with_hint("only a running cluster restarts: start it instead"))
            }
            answer => answer.map(drop),
        }
    }

    /// Terminates a cluster. It stays in the list and can be started again.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.clusters().terminate("0123-456789-abcdefgh").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. A cluster that is terminated or terminating is not an error but
    /// [`Change::Already`]. Operations: `clusters_get`, `clusters_delete`.
    pub async fn terminate(&self, cluster_id: &str) -> Result<Change> {
        // The service accepts it for a terminated cluster too; only the state tells whether anything changes.
        if matches!(self.get(cluster_id).await?.state, Some(State::Terminated | State::Terminating)) {
            return Ok(Change::Already);
        }
        let body = types::DeleteCluster { cluster_id: cluster_id.to_owned() };
        self.workspace.events().requesting("cluster", cluster_id, "terminate");
        self.workspace.client().clusters_delete(&body).await?;
        Ok(Change::Requested)
    }

    /// Lists the node types that this workspace can use.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for node_type in &workspace.clusters().list_node_types().await? {
    ///     println!("{:?}", node_type.node_type_id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call. Operation: `clusters_list_node_types`.
    pub async fn list_node_types(&self) -> Result<List<types::NodeType>> {
        list::all(|_| self.workspace.client().call(&operations::CLUSTERS_LIST_NODE_TYPES), "node_types").await
    }

    /// Lists the Spark versions that a cluster can be created with.
    ///
    /// # Errors
    /// Those of any call. Operation: `clusters_spark_versions`.
    pub async fn spark_versions(&self) -> Result<List<types::SparkVersion>> {
        list::all(|_| self.workspace.client().call(&operations::CLUSTERS_SPARK_VERSIONS), "versions").await
    }

    /// Waits until a cluster runs.
    ///
    /// `requested` at [`start`](Self::start): the first polls may still say TERMINATED, so one TERMINATED is believed
    /// only after another state was seen, or when it has stood for half a minute.
    ///
    /// # Errors
    /// [`ErrorKind::RemoteFailed`] with the cluster's own reason if it ends in another state,
    /// [`ErrorKind::DeadlineExceeded`]. Operation: `clusters_get`.
    pub async fn wait_until_running(
        &self,
        cluster_id: &str,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::ClusterDetails>> {
        let begun = tokio::time::Instant::now();
        let mut moved = false;
        self.wait(cluster_id, options, |cluster| match cluster.state {
            Some(State::Running) => Verdict::Done,
            Some(State::Terminated) if !moved && begun.elapsed() < STALE => Verdict::Working,
            Some(State::Terminated | State::Error) => Verdict::Failed(ended(cluster_id, cluster)),
            _ => {
                moved = true;
                Verdict::Working
            }
        })
        .await
    }

    /// Waits until a cluster is terminated.
    ///
    /// # Errors
    /// [`ErrorKind::RemoteFailed`] if it ends in ERROR, [`ErrorKind::DeadlineExceeded`]. Operation: `clusters_get`.
    pub async fn wait_until_terminated(
        &self,
        cluster_id: &str,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::ClusterDetails>> {
        self.wait(cluster_id, options, |cluster| match cluster.state {
            Some(State::Terminated) => Verdict::Done,
            Some(State::Error) => Verdict::Failed(ended(cluster_id, cluster)),
            _ => Verdict::Working,
        })
        .await
    }

    fn pages<'a>(&'a self, query: &'a types::ClustersListQuery) -> impl Fn(Option<String>) -> Call + 'a {
        |page_token| {
            let page_token = page_token.or_else(|| query.page_token.clone());
            let query = types::ClustersListQuery { page_token, ..query.clone() };
            self.workspace.client().call(&operations::CLUSTERS_LIST).query_object(&query)
        }
    }

    async fn wait(
        &self,
        cluster_id: &str,
        options: WaitOptions,
        mut judge: impl FnMut(&types::ClusterDetails) -> Verdict,
    ) -> Result<ResponseValue<types::ClusterDetails>> {
        let subject = Subject { what: "cluster", id: cluster_id };
        wait::until(
            subject,
            options,
            self.workspace.events(),
            || self.get(cluster_id),
            |cluster| Seen {
                state: cluster.state.as_ref().map_or("UNKNOWN", State::as_str).to_owned(),
                message: cluster.state_message.clone().filter(|m| !m.is_empty()),
                verdict: judge(cluster),
            },
        )
        .await
    }
}

/// How long a start may take to show.
const STALE: std::time::Duration = std::time::Duration::from_secs(30);

fn required(cluster_id: &str) -> Result<()> {
    if cluster_id.trim().is_empty() { Err(Error::usage("the cluster id is empty")) } else { Ok(()) }
}

/// A cluster that should run and does not says why in two places.
fn ended(cluster_id: &str, cluster: &types::ClusterDetails) -> Error {
    let state = cluster.state.as_ref().map_or("UNKNOWN", State::as_str);
    let mut text = format!("cluster {cluster_id} is {state}");
    if let Some(reason) = &cluster.termination_reason {
        let code = reason.code.as_ref().map(|c| c.as_str().to_owned());
        let details = reason.parameters.iter().flatten().map(|(k, v)| format!("{k}: {v}"));
        let all: Vec<_> = code.into_iter().chain(details).collect();
        text.push_str(&format!(" ({})", all.join("; ")));
    }
    if let Some(message) = cluster.state_message.as_deref().filter(|m| !m.is_empty()) {
        text.push_str(&format!(": {message}"));
    }
    let code =
        cluster.termination_reason.as_ref().and_then(|r| r.code.as_ref()).map(|c| c.as_str().to_owned());
    Error::new(ErrorKind::RemoteFailed, text).with_details(|d| {
        d.operation = Some("clusters_get".to_owned());
        d.error_code = code;
    })
}

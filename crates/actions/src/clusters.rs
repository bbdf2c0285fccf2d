//! Clusters (API 2.1): what there is and what it can be made of, creating and changing, starting and terminating, events,
//! and waiting for a state.
//!
//! The API's `delete` terminates: the cluster stays and can be started again. Here it is called what it does.

mod catalogue;
mod change;
mod events;

use brickwire_client::{Call, ResponseValue, operations, types};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Candidate, Change, Goal, IfTerminated, Lifecycle, List, ListFilter, Named, Phase, Result, Status,
    WaitOptions, Workspace, document, lifecycle, list, names::required,
};

use types::ClusterState as State;

/// The clusters of a workspace.
#[derive(Debug, Clone)]
pub struct Clusters {
    workspace: Workspace,
}

impl Workspace {
    /// Clusters: list, get, create, edit, start, restart, terminate, events, node types.
    pub fn clusters(&self) -> Clusters {
        Clusters { workspace: self.clone() }
    }
}

impl Named for Clusters {
    const NOUN: &'static str = "cluster";

    /// `MMDD-HHMMSS-` and a word.
    fn is_id(text: &str) -> bool {
        let is_word =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let is_number = |part: &str, digits| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
        match text.splitn(3, '-').collect::<Vec<_>>()[..] {
            [date, time, word] => is_number(date, 4) && is_number(time, 6) && is_word(word),
            _ => false,
        }
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        let query = types::ClustersListQuery::default();
        let all = list::all::<Reference>(self.pages(&query), "clusters").await?.into_iter();
        Ok(all.map(|c| Candidate::new(c.cluster_id, c.cluster_name, c.state)).collect())
    }
}

/// What a name needs of a cluster. A list may hold clusters of which something else can't be decoded.
#[derive(Deserialize)]
struct Reference {
    cluster_id: Option<String>,
    cluster_name: Option<String>,
    state: Option<State>,
}

impl Lifecycle for Clusters {
    const STOP: &'static str = "terminate";

    type Resource = types::ClusterDetails;

    fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    fn status(cluster: &types::ClusterDetails) -> Status {
        let phase = match cluster.state {
            Some(State::Running) => Phase::Running,
            Some(State::Pending | State::Restarting | State::Resizing) => Phase::Starting,
            Some(State::Terminating) => Phase::Stopping,
            Some(State::Terminated) => Phase::Stopped,
            Some(State::Error) => Phase::Failed,
            _ => Phase::Unknown,
        };
        let message = cluster.state_message.clone().filter(|message| !message.is_empty());
        // Why a cluster ended is in two places.
        let reason = cluster.termination_reason.as_ref();
        let error_code = reason.and_then(|reason| Some(reason.code.as_ref()?.to_string()));
        let details = reason.and_then(|reason| reason.parameters.as_ref()).into_iter().flatten();
        let details = details.map(|(name, value)| format!("{name}: {value}"));
        let reason: Vec<_> = error_code.iter().cloned().chain(details).chain(message.clone()).collect();
        Status {
            state: cluster.state.as_ref().map_or("", State::as_str).to_owned(),
            phase,
            message,
            reason: (!reason.is_empty()).then(|| reason.join("; ")),
            error_code,
        }
    }

    async fn get(workspace: &Workspace, cluster_id: &str) -> Result<ResponseValue<types::ClusterDetails>> {
        let answer = workspace.client().clusters_get(cluster_id).await?;
        document::about(answer, Self::NOUN, cluster_id, |cluster| cluster.cluster_id.as_deref())
    }

    async fn request(workspace: &Workspace, cluster_id: &str, goal: Goal) -> Result<()> {
        let (client, cluster_id) = (workspace.client(), cluster_id.to_owned());
        match goal {
            Goal::Running => client.clusters_start(&types::StartCluster { cluster_id }).await.map(drop),
            Goal::Stopped => client.clusters_delete(&types::DeleteCluster { cluster_id }).await.map(drop),
        }
    }
}

impl Clusters {
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

    /// Lists the clusters that a query selects, in its order, from its page token on.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::ClustersListQuery;
    /// let query = ClustersListQuery { filter_by_is_pinned: Some(true), ..Default::default() };
    /// println!("{} pinned clusters", workspace.clusters().list_by(&query).await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_by(&self, query: &types::ClustersListQuery) -> Result<List<types::ClusterDetails>> {
        list::all(self.pages(query), "clusters").await
    }

    /// Lists all clusters as JSON, each as the service sent it. For long lists this takes a fraction of the time that
    /// [`list`](Self::list) takes to decode them.
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

    /// Lists the clusters that a filter selects as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::ListFilter;
    /// let running = ListFilter::default().with_state("RUNNING");
    /// println!("{} running clusters", workspace.clusters().list_json_by(&running).await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list); that nothing is selected is not an error.
    pub async fn list_json_by(&self, filter: &ListFilter) -> Result<Vec<Box<RawValue>>> {
        // The service leaves out clusters in other states, so that fewer pages come.
        let states =
            filter.states().iter().map(|state| State::from(state.to_ascii_uppercase())).collect::<Vec<_>>();
        let query = types::ClustersListQuery {
            filter_by_cluster_states: (!states.is_empty()).then_some(states),
            ..Default::default()
        };
        let clusters = list::json(self.pages(&query), "clusters").await?;
        Ok(filter.select(clusters, "/cluster_name", Some("/state")))
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
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id. Operation: `clusters_get`.
    pub async fn get(&self, cluster_id: &str) -> Result<ResponseValue<types::ClusterDetails>> {
        <Self as Lifecycle>::get(&self.workspace, cluster_id).await
    }

    /// Gets one cluster as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.clusters().get_json("0123-456789-abcdefgh").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, cluster_id: &str) -> Result<Box<RawValue>> {
        let call = self.workspace.client().call(&operations::CLUSTERS_GET);
        document::object_about(call.query("cluster_id", &cluster_id), Self::NOUN, "cluster_id", cluster_id)
            .await
    }

    /// Returns the id of the cluster that has this id or name. An id costs no request.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let id = workspace.clusters().find("nightly-etl").await?;
    /// println!("{id}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Named::find`]. Operation: `clusters_list`.
    pub async fn find(&self, id_or_name: &str) -> Result<String> {
        Named::find(self, id_or_name).await
    }

    /// Starts a terminated cluster, and returns once the start is requested. If it is terminating, waits for that first.
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
    /// As for [`Lifecycle::start`]. Operations: `clusters_get`, `clusters_start`.
    pub async fn start(&self, cluster_id: &str) -> Result<Change> {
        Lifecycle::start(self, cluster_id).await
    }

    /// Restarts a running cluster, and returns once the restart is requested. All that runs on it is lost.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.clusters().restart("0123-456789-abcdefgh").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id,
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a cluster that isn't running. One that is restarting is
    /// not an error but [`Change::Already`]. Operations: `clusters_restart`, `clusters_get`.
    pub async fn restart(&self, cluster_id: &str) -> Result<Change> {
        required(Self::NOUN, cluster_id)?;
        let body = types::RestartCluster { cluster_id: cluster_id.to_owned(), ..Default::default() };
        self.workspace.events().requesting(Self::NOUN, cluster_id, "restart");
        match self.workspace.client().clusters_restart(&body).await {
            Ok(_) => Ok(Change::Requested),
            Err(refused) if refused.error_code() == Some("INVALID_STATE") => {
                match self.get(cluster_id).await?.state {
                    Some(State::Restarting) => Ok(Change::Already),
                    _ => Err(refused.with_hint("only a running cluster can be restarted: start it instead")),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Terminates a cluster, and returns once that is requested. It stays in the list and can be started again.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.clusters().terminate("0123-456789-abcdefgh").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Lifecycle::stop`]. Operations: `clusters_get`, `clusters_delete`.
    pub async fn terminate(&self, cluster_id: &str) -> Result<Change> {
        self.stop(cluster_id).await
    }

    /// Waits until a cluster is running, and returns it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let clusters = workspace.clusters();
    /// let cluster = clusters.wait_until_running("0123-456789-abcdefgh", Default::default()).await?;
    /// println!("{:?}", cluster.driver);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Lifecycle::wait_until`]. Operation: `clusters_get`.
    pub async fn wait_until_running(
        &self,
        cluster_id: &str,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::ClusterDetails>> {
        self.wait_until(Goal::Running, cluster_id, options).await
    }

    /// Waits after a [restart](Self::restart), or after an [edit](Self::edit) or a [resize](Self::resize) of a running
    /// cluster, until the cluster is running again, and returns it.
    ///
    /// The first answers may still show the cluster running as before. So "running" counts only once another state was
    /// seen, or after half a minute.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let clusters = workspace.clusters();
    /// clusters.restart("0123-456789-abcdefgh").await?;
    /// clusters.wait_until_restarted("0123-456789-abcdefgh", Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Lifecycle::wait_until`]. Operation: `clusters_get`.
    pub async fn wait_until_restarted(
        &self,
        cluster_id: &str,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::ClusterDetails>> {
        lifecycle::wait(self, Goal::Running, cluster_id, options, Phase::Running).await
    }

    /// Waits after a [create](Self::create) until the cluster is running, and returns it. Unlike
    /// [`wait_until_running`](Self::wait_until_running) it takes the first answer at its word: a new cluster has no old
    /// state to show.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// # let settings = brickwire_actions::types::CreateCluster::default();
    /// let clusters = workspace.clusters();
    /// let cluster_id = clusters.create(&settings).await?;
    /// clusters.wait_until_created(&cluster_id, Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Lifecycle::wait_until`]; one that terminates instead is [`ErrorKind::RemoteFailed`] with the reason.
    /// Operation: `clusters_get`.
    ///
    /// [`ErrorKind::RemoteFailed`]: crate::ErrorKind::RemoteFailed
    pub async fn wait_until_created(
        &self,
        cluster_id: &str,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::ClusterDetails>> {
        lifecycle::wait(self, Goal::Running, cluster_id, options, Phase::Unknown).await
    }

    /// Waits until a cluster is terminated, and returns it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use std::time::Duration;
    /// use brickwire_actions::WaitOptions;
    /// let options = WaitOptions::default().with_timeout(Duration::from_secs(600));
    /// workspace.clusters().wait_until_terminated("0123-456789-abcdefgh", options).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Lifecycle::wait_until`]. Operation: `clusters_get`.
    pub async fn wait_until_terminated(
        &self,
        cluster_id: &str,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::ClusterDetails>> {
        self.wait_until(Goal::Stopped, cluster_id, options).await
    }

    /// Makes sure that a cluster is running: waits for one that is starting, and starts a terminated one if wanted.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::IfTerminated;
    /// let clusters = workspace.clusters();
    /// clusters.ensure_running("0123-456789-abcdefgh", IfTerminated::Start, Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Lifecycle::ensure_running`]. Operations: `clusters_get`, `clusters_start`.
    pub async fn ensure_running(
        &self,
        cluster_id: &str,
        if_terminated: IfTerminated,
        options: WaitOptions,
    ) -> Result<()> {
        Lifecycle::ensure_running(self, cluster_id, if_terminated, options).await
    }

    fn pages<'a>(&'a self, query: &'a types::ClustersListQuery) -> impl Fn(Option<String>) -> Call + 'a {
        |page_token| {
            let page_token = page_token.or_else(|| query.page_token.clone());
            let query = types::ClustersListQuery { page_token, ..query.clone() };
            self.workspace.client().call(&operations::CLUSTERS_LIST).query_object(&query)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_ids_from_names() {
        for id in ["0123-456789-abcdefgh", "1119-123456-abc123-v2n"] {
            assert!(Clusters::is_id(id), "{id}");
        }
        for name in ["nightly", "2024-report-x", "0123-456789-", "0123-456789"] {
            assert!(!Clusters::is_id(name), "{name}");
        }
    }

    #[test]
    fn a_terminated_cluster_says_why() {
        let cluster = serde_json::from_str(
            r#"{"state":"TERMINATED","state_message":"no capacity","termination_reason":{"code":"X_FAILURE","parameters":{"k":"v"}}}"#,
        );
        let status = Clusters::status(&cluster.unwrap());
        assert_eq!(status.reason.as_deref(), Some("X_FAILURE; k: v; no capacity"));
        assert_eq!((status.phase, status.error_code.as_deref()), (Phase::Stopped, Some("X_FAILURE")));
    }
}

//! What happened to a cluster.

use brickwire_client::{Call, operations, types};
use serde_json::value::RawValue;

use super::Clusters;
use crate::{
    List, Named, Result,
    list::{self, Next},
    names::required,
};

/// The most events that the service returns in one page.
const EVENTS_IN_PAGE: i64 = 500;

impl Clusters {
    /// Lists the events of a cluster that a filter selects, the newest first unless it says otherwise: at most so many,
    /// since a cluster may have tens of thousands.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for event in &workspace.clusters().list_events("0123-456789-abcdefgh", &Default::default(), 100).await? {
    ///     println!("{:?} {:?}", event.timestamp, event.type_);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id; no events is not an error. Operation:
    /// `clusters_events`.
    pub async fn list_events(
        &self,
        cluster_id: &str,
        filter: &types::GetEvents,
        most: usize,
    ) -> Result<List<types::ClusterEvent>> {
        list::decoded(self.list_events_json(cluster_id, filter, most).await?, "events")
    }

    /// Lists the events as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let events = workspace.clusters().list_events_json("0123-456789-abcdefgh", &Default::default(), 100).await?;
    /// println!("{} events", events.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list_events`](Self::list_events).
    pub async fn list_events_json(
        &self,
        cluster_id: &str,
        filter: &types::GetEvents,
        most: usize,
    ) -> Result<Vec<Box<RawValue>>> {
        required(Self::NOUN, cluster_id)?;
        list::first_by_body(|next| self.events_page(cluster_id, filter, most, next), "events", most).await
    }

    fn events_page(
        &self,
        cluster_id: &str,
        filter: &types::GetEvents,
        most: usize,
        next: Option<Next>,
    ) -> Call {
        let call = self.workspace.client().call(&operations::CLUSTERS_EVENTS);
        let page_token = match next {
            // The whole of the next request, whatever the service wants in it.
            Some(Next { text, is_body: true }) => {
                return call.with_body(text.into(), http::HeaderValue::from_static("application/json"));
            }
            Some(Next { text, .. }) => Some(text),
            None => filter.page_token.clone(),
        };
        let usual = i64::try_from(most).unwrap_or(i64::MAX).clamp(1, EVENTS_IN_PAGE);
        let page_size = filter.page_size.or(filter.limit.is_none().then_some(usual));
        let cluster_id = Some(cluster_id.to_owned());
        call.json(&types::GetEvents { cluster_id, page_size, page_token, ..filter.clone() })
    }
}

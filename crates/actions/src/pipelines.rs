//! Pipelines: what they are, their updates, and their events.
//!
//! - An update outlives the program that started it. Dropping a handle or a future that waits cancels nothing.
//! - A start has no idempotency token, so it is sent once. A pipeline has one active update at a time: a second start is
//!   refused, and the active one goes on.
//! - What is waited for is the update: a pipeline is `IDLE` again after a failure, too.

mod outcome;
mod start;
mod update;

use brickwire_client::{Call, ResponseValue, operations, types};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use self::{
    outcome::UpdateOutcome,
    update::{EndedUpdate, PipelineUpdate},
};
use crate::{
    Candidate, Error, ErrorKind, List, Named, Result, Workspace, document, list,
    names::{self, required},
};

/// The most pipelines that the service returns in one page.
const PIPELINES_IN_PAGE: i64 = 100;
/// The most updates to ask for in one page.
const UPDATES_IN_PAGE: i64 = 100;
/// The most events that the service returns in one page.
const EVENTS_IN_PAGE: i64 = 250;

/// The pipelines of a workspace.
#[derive(Debug, Clone)]
pub struct Pipelines {
    workspace: Workspace,
}

impl Workspace {
    /// Pipelines and their updates.
    pub fn pipelines(&self) -> Pipelines {
        Pipelines { workspace: self.clone() }
    }
}

impl Named for Pipelines {
    const NOUN: &'static str = "pipeline";

    /// A UUID.
    fn is_id(text: &str) -> bool {
        let lengths = text.split('-').map(str::len);
        lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        self.named(None).await
    }

    /// The service looks for the name itself, since there may be thousands of pipelines.
    async fn find(&self, id_or_name: &str) -> Result<String> {
        if Self::is_id(id_or_name) {
            return Ok(id_or_name.to_owned());
        }
        required(Self::NOUN, id_or_name)?;
        // Wildcards in the name find others, too, but these characters would change the condition.
        let filter = (!id_or_name.contains(['\'', '\\'])).then(|| format!("name LIKE '{id_or_name}'"));
        let mut named = self.named(filter).await?;
        named.retain(|one| one.name == id_or_name);
        if named.is_empty() {
            let text = format!("no pipeline has this id or name: {id_or_name:?}");
            return Err(Error::new(ErrorKind::NotFound, text).with_hint("list the pipelines"));
        }
        names::choose(Self::NOUN, id_or_name, named)
    }
}

/// What a name needs of a pipeline. A list may hold pipelines of which something else can't be decoded.
#[derive(Deserialize)]
struct Reference {
    pipeline_id: Option<String>,
    name: Option<String>,
    state: Option<types::PipelineState>,
}

impl Pipelines {
    /// Lists all pipelines that the caller may see, page after page, without their settings.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for pipeline in &workspace.pipelines().list().await? {
    ///     println!("{:?} {:?}", pipeline.name, pipeline.state);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call; no pipelines is not an error. Operation: `pipelines_list`.
    pub async fn list(&self) -> Result<List<types::PipelineStateInfo>> {
        list::all(|token| self.page(None, token), "statuses").await
    }

    /// Lists all pipelines as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{} pipelines", workspace.pipelines().list_json().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self) -> Result<Vec<Box<RawValue>>> {
        list::json(|token| self.page(None, token), "statuses").await
    }

    /// Returns the id of the pipeline that has this id or name. An id costs no request.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.pipelines().find("orders").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Named::find`]. Operation: `pipelines_list`.
    pub async fn find(&self, id_or_name: &str) -> Result<String> {
        Named::find(self, id_or_name).await
    }

    /// Gets one pipeline with its settings, its state, and its latest updates.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let pipeline = workspace.pipelines().get("8f2c1a34-5b6d-4e7f-8a90-1b2c3d4e5f60").await?;
    /// println!("{:?}", pipeline.latest_updates);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. Operation: `pipelines_get`.
    pub async fn get(&self, pipeline_id: &str) -> Result<ResponseValue<types::GetPipelineResponse>> {
        required(Self::NOUN, pipeline_id)?;
        let answer = self.workspace.client().pipelines_get(pipeline_id).await?;
        document::about(answer, Self::NOUN, pipeline_id, |pipeline| pipeline.pipeline_id.as_deref())
    }

    /// Gets one pipeline as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.pipelines().get_json("8f2c1a34-5b6d-4e7f-8a90-1b2c3d4e5f60").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, pipeline_id: &str) -> Result<Box<RawValue>> {
        required(Self::NOUN, pipeline_id)?;
        let call = self.workspace.client().call(&operations::PIPELINES_GET).path("pipeline_id", &pipeline_id);
        document::object_about(call, Self::NOUN, "pipeline_id", pipeline_id).await
    }

    /// Lists the updates of a pipeline, the newest first: at most so many.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for update in &workspace.pipelines().list_updates("8f2c1a34-5b6d-4e7f-8a90-1b2c3d4e5f60", 10).await? {
    ///     println!("{:?} {:?}", update.update_id, update.state);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. Operation: `pipelines_list_updates`.
    pub async fn list_updates(&self, pipeline_id: &str, most: usize) -> Result<List<types::UpdateInfo>> {
        list::decoded(self.list_updates_json(pipeline_id, most).await?, "updates")
    }

    /// Lists the updates as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let updates = workspace.pipelines().list_updates_json("8f2c1a34-5b6d-4e7f-8a90-1b2c3d4e5f60", 10).await?;
    /// println!("{} updates", updates.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list_updates`](Self::list_updates).
    pub async fn list_updates_json(&self, pipeline_id: &str, most: usize) -> Result<Vec<Box<RawValue>>> {
        required(Self::NOUN, pipeline_id)?;
        let max_results = Some(page_size(most, UPDATES_IN_PAGE));
        let page = |page_token: Option<String>| {
            let query = types::PipelinesListUpdatesQuery { page_token, max_results, ..Default::default() };
            let call = self.workspace.client().call(&operations::PIPELINES_LIST_UPDATES);
            call.path("pipeline_id", &pipeline_id).query_object(&query)
        };
        list::first(page, "updates", most).await
    }

    /// Lists the events of a pipeline that a query selects, the newest first unless it says otherwise: at most so many,
    /// since a pipeline may have hundreds of thousands.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::PipelinesListEventsQuery;
    /// let errors = PipelinesListEventsQuery { filter: Some("level='ERROR'".into()), ..Default::default() };
    /// let pipeline_id = "8f2c1a34-5b6d-4e7f-8a90-1b2c3d4e5f60";
    /// for event in &workspace.pipelines().list_events(pipeline_id, &errors, 100).await? {
    ///     println!("{:?} {:?}", event.timestamp, event.message);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. Operation: `pipelines_list_events`.
    pub async fn list_events(
        &self,
        pipeline_id: &str,
        query: &types::PipelinesListEventsQuery,
        most: usize,
    ) -> Result<List<types::PipelineEvent>> {
        list::decoded(self.list_events_json(pipeline_id, query, most).await?, "events")
    }

    /// Lists the events as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let pipeline_id = "8f2c1a34-5b6d-4e7f-8a90-1b2c3d4e5f60";
    /// let events = workspace.pipelines().list_events_json(pipeline_id, &Default::default(), 100).await?;
    /// println!("{} events", events.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list_events`](Self::list_events).
    pub async fn list_events_json(
        &self,
        pipeline_id: &str,
        query: &types::PipelinesListEventsQuery,
        most: usize,
    ) -> Result<Vec<Box<RawValue>>> {
        required(Self::NOUN, pipeline_id)?;
        let max_results = query.max_results.or(Some(page_size(most, EVENTS_IN_PAGE)));
        let page = |page_token: Option<String>| {
            // The service takes no condition and no order together with a token.
            let query = match page_token.or_else(|| query.page_token.clone()) {
                None => types::PipelinesListEventsQuery { max_results, ..query.clone() },
                page_token => {
                    types::PipelinesListEventsQuery { page_token, max_results, ..Default::default() }
                }
            };
            let call = self.workspace.client().call(&operations::PIPELINES_LIST_EVENTS);
            call.path("pipeline_id", &pipeline_id).query_object(&query)
        };
        list::first(page, "events", most).await
    }

    /// Ids and names of all pipelines, or of those that a condition selects.
    async fn named(&self, filter: Option<String>) -> Result<Vec<Candidate>> {
        let all = list::all::<Reference>(|token| self.page(filter.clone(), token), "statuses").await?;
        Ok(all.into_iter().map(|one| Candidate::new(one.pipeline_id, one.name, one.state)).collect())
    }

    fn page(&self, filter: Option<String>, page_token: Option<String>) -> Call {
        let max_results = Some(PIPELINES_IN_PAGE);
        let query = types::PipelinesListQuery { filter, page_token, max_results, ..Default::default() };
        self.workspace.client().call(&operations::PIPELINES_LIST).query_object(&query)
    }
}

/// How many items to ask for in a page.
fn page_size(most: usize, largest: i64) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX).clamp(1, largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_ids_from_names() {
        assert!(Pipelines::is_id("8f2c1a34-5b6d-4e7f-8a90-1b2c3d4e5f60"));
        for name in ["", "orders", "8f2c1a34-5b6d-4e7f-8a90", "8f2c1a34-5b6d-4e7f-8a90-1b2c3d4e5f6x"] {
            assert!(!Pipelines::is_id(name), "{name}");
        }
    }
}

//! SQL warehouses: list, get, create, edit, delete, start, stop, and waiting for a state.

mod change;
pub(crate) mod choice;

use brickwire_client::{Call, ResponseValue, operations, types};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Candidate, Change, Goal, Lifecycle, List, ListFilter, Named, Phase, Result, Status, WaitOptions,
    Workspace, document, list, warehouse_address::warehouse_id,
};

use choice::DefaultWarehouse;
use types::WarehouseState as State;

/// The SQL warehouses of a workspace.
#[derive(Debug, Clone)]
pub struct Warehouses {
    workspace: Workspace,
}

impl Workspace {
    /// SQL warehouses: list, get, create, edit, delete, start, stop.
    pub fn warehouses(&self) -> Warehouses {
        Warehouses { workspace: self.clone() }
    }
}

impl Named for Warehouses {
    const NOUN: &'static str = "warehouse";

    /// Sixteen hexadecimal digits.
    fn is_id(text: &str) -> bool {
        text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit())
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        let all = list::all::<Reference>(|page_token| self.page(page_token), "warehouses").await?.into_iter();
        Ok(all.map(|w| Candidate::new(w.id, w.name, w.state)).collect())
    }
}

/// What a name needs of a warehouse. A list may hold warehouses of which something else can't be decoded.
#[derive(Deserialize)]
struct Reference {
    id: Option<String>,
    name: Option<String>,
    state: Option<State>,
}

impl Lifecycle for Warehouses {
    type Resource = types::Warehouse;

    fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    fn status(warehouse: &types::Warehouse) -> Status {
        let phase = match warehouse.state {
            Some(State::Running) => Phase::Running,
            Some(State::Starting) => Phase::Starting,
            Some(State::Stopping) => Phase::Stopping,
            Some(State::Stopped) => Phase::Stopped,
            Some(State::Deleting | State::Deleted) => Phase::Failed,
            _ => Phase::Unknown,
        };
        let health = warehouse.health.as_ref();
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let message = health.and_then(|health| given(&health.summary));
        Status {
            state: warehouse.state.as_ref().map_or("", State::as_str).to_owned(),
            phase,
            reason: health.and_then(|health| given(&health.details)).or_else(|| message.clone()),
            message,
            error_code: None,
        }
    }

    async fn get(workspace: &Workspace, warehouse_id: &str) -> Result<ResponseValue<types::Warehouse>> {
        let answer = workspace.client().warehouses_get(warehouse_id).await?;
        document::about(answer, Self::NOUN, warehouse_id, |warehouse| warehouse.id.as_deref())
    }

    async fn request(workspace: &Workspace, warehouse_id: &str, goal: Goal) -> Result<()> {
        let client = workspace.client();
        match goal {
            Goal::Running => client.warehouses_start(warehouse_id).await.map(drop),
            Goal::Stopped => client.warehouses_stop(warehouse_id).await.map(drop),
        }
    }
}

impl Warehouses {
    /// Lists all warehouses that the caller may see, page after page.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for warehouse in &workspace.warehouses().list().await? {
    ///     println!("{:?} {:?}", warehouse.name, warehouse.state);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call; no warehouses is not an error. Operation: `warehouses_list`.
    pub async fn list(&self) -> Result<List<types::Warehouse>> {
        list::all(|page_token| self.page(page_token), "warehouses").await
    }

    /// Lists all warehouses as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for warehouse in workspace.warehouses().list_json().await? {
    ///     println!("{warehouse}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self) -> Result<Vec<Box<RawValue>>> {
        list::json(|page_token| self.page(page_token), "warehouses").await
    }

    /// Lists the warehouses that a filter selects as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::ListFilter;
    /// let running = ListFilter::default().with_state("RUNNING");
    /// println!("{} running warehouses", workspace.warehouses().list_json_by(&running).await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list); that nothing is selected is not an error.
    pub async fn list_json_by(&self, filter: &ListFilter) -> Result<Vec<Box<RawValue>>> {
        Ok(filter.select(self.list_json().await?, "/name", Some("/state")))
    }

    /// Gets one warehouse.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.warehouses().get("0123456789abcdef").await?.state);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id. Operation: `warehouses_get`.
    pub async fn get(&self, warehouse_id: &str) -> Result<ResponseValue<types::Warehouse>> {
        <Self as Lifecycle>::get(&self.workspace, warehouse_id).await
    }

    /// Gets one warehouse as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.warehouses().get_json("0123456789abcdef").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, warehouse_id: &str) -> Result<Box<RawValue>> {
        let call = self.workspace.client().call(&operations::WAREHOUSES_GET).path("id", &warehouse_id);
        document::object_about(call, Self::NOUN, "id", warehouse_id).await
    }

    /// Returns the id of the warehouse that has this id or name. An id costs no request, and neither does the
    /// warehouse's HTTP path (`/sql/1.0/warehouses/ID`) or the URL of its page, which must be in this workspace.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let id = workspace.warehouses().find("Shared Endpoint").await?;
    /// let result = workspace.sql(id).statement("SELECT 1").execute().await?;
    /// # let _ = result;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Named::find`]. Operation: `warehouses_list`.
    pub async fn find(&self, id_or_name: &str) -> Result<String> {
        match warehouse_id(id_or_name, self.workspace.host())? {
            Some(id) => Ok(id),
            None => Named::find(self, id_or_name).await,
        }
    }

    /// Returns the id of the warehouse for a statement that names none: the only one that the caller may see, or else the
    /// one that the user has chosen as the default, or else the workspace's default. It doesn't matter which warehouses
    /// are running. A program should prefer [`Config::warehouse_id`](crate::Config::warehouse_id) if it is set.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let id = workspace.warehouses().find_default().await?;
    /// println!("{id}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if no warehouse is visible, or if several are and none
    /// is the default; the error lists them. Operation: `warehouses_list`.
    pub async fn find_default(&self) -> Result<String> {
        Ok(self.choose_default().await?.id)
    }

    /// Returns the same warehouse as [`find_default`](Self::find_default), with its name and why it was chosen.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let chosen = workspace.warehouses().choose_default().await?;
    /// println!("using warehouse {} ({}), {}", chosen.name, chosen.id, chosen.reason);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`find_default`](Self::find_default). Operation: `warehouses_list`.
    pub async fn choose_default(&self) -> Result<DefaultWarehouse> {
        choice::choose(self.workspace.wire(), self.candidates().await?).await
    }

    /// Starts a stopped warehouse, and returns once the start is requested. If it is stopping, waits for that first.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let warehouses = workspace.warehouses();
    /// warehouses.start("0123456789abcdef").await?;
    /// warehouses.wait_until_running("0123456789abcdef", Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Lifecycle::start`]. Operations: `warehouses_get`, `warehouses_start`.
    pub async fn start(&self, warehouse_id: &str) -> Result<Change> {
        Lifecycle::start(self, warehouse_id).await
    }

    /// Stops a running warehouse, and returns once the stop is requested. Statements that run on it fail.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.warehouses().stop("0123456789abcdef").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Lifecycle::stop`]. Operations: `warehouses_get`, `warehouses_stop`.
    pub async fn stop(&self, warehouse_id: &str) -> Result<Change> {
        Lifecycle::stop(self, warehouse_id).await
    }

    /// Waits until a warehouse is running, and returns it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let warehouses = workspace.warehouses();
    /// let warehouse = warehouses.wait_until_running("0123456789abcdef", Default::default()).await?;
    /// println!("{:?}", warehouse.num_clusters);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Lifecycle::wait_until`]. Operation: `warehouses_get`.
    pub async fn wait_until_running(
        &self,
        warehouse_id: &str,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::Warehouse>> {
        self.wait_until(Goal::Running, warehouse_id, options).await
    }

    /// Waits until a warehouse is stopped, and returns it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let warehouses = workspace.warehouses();
    /// warehouses.stop("0123456789abcdef").await?;
    /// warehouses.wait_until_stopped("0123456789abcdef", Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Lifecycle::wait_until`]. Operation: `warehouses_get`.
    pub async fn wait_until_stopped(
        &self,
        warehouse_id: &str,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::Warehouse>> {
        self.wait_until(Goal::Stopped, warehouse_id, options).await
    }

    fn page(&self, page_token: Option<String>) -> Call {
        let query = types::WarehousesListQuery { page_token, ..Default::default() };
        self.workspace.client().call(&operations::WAREHOUSES_LIST).query_object(&query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_ids_from_names() {
        assert!(Warehouses::is_id("0123456789abcdef") && !Warehouses::is_id("0123456789abcdeg"));
    }

    #[test]
    fn a_failed_start_says_why() {
        let warehouse = r#"{"state":"STOPPED","health":{"summary":"it failed","details":"no capacity"}}"#;
        let status = Warehouses::status(&serde_json::from_str(warehouse).unwrap());
        assert_eq!(
            (status.message.as_deref(), status.reason.as_deref()),
            (Some("it failed"), Some("no capacity"))
        );
    }
}

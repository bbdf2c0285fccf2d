//! SQL warehouses: list, get, start, stop, and waiting for a state.

use brickwire_client::{Call, ResponseValue, operations, types};
use serde_json::value::RawValue;

use crate::{
    Change, Error, ErrorKind, List, Result, WaitOptions, Workspace, list,
    wait::{self, Seen, Subject, Verdict},
};

use types::WarehouseState as State;

/// The SQL warehouses of a workspace.
#[derive(Debug, Clone)]
pub struct Warehouses {
    workspace: Workspace,
}

impl Warehouses {
    pub(crate) fn new(workspace: Workspace) -> Self {
        Self { workspace }
    }

    pub(crate) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

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
    pub async fn list(&self) -> Result<List<types::EndpointInfo>> {
        list::all(|page_token| self.page(page_token), "warehouses").await
    }

    /// Lists all warehouses as JSON, each as the service sent it: for whoever passes them on.
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self) -> Result<Vec<Box<RawValue>>> {
        list::json(|page_token| self.page(page_token), "warehouses").await
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
    /// [`ErrorKind::NotFound`] for an unknown id. Operation: `warehouses_get`.
    pub async fn get(&self, warehouse_id: &str) -> Result<ResponseValue<types::GetWarehouseResponse>> {
        Ok(self.workspace.client().warehouses_get(warehouse_id).await?)
    }

    /// Starts a stopped warehouse; use [`wait_until_running`](Self::wait_until_running) to wait for it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.warehouses().start("0123456789abcdef").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. A warehouse that runs or starts already is not an error but
    /// [`Change::Already`]. Operations: `warehouses_get`, `warehouses_start`.
    pub async fn start(&self, warehouse_id: &str) -> Result<Change> {
        // The service accepts it in any state; only the state tells whether anything changes.
        if matches!(self.get(warehouse_id).await?.state, Some(State::Running | State::Starting)) {
            return Ok(Change::Already);
        }
        self.workspace.events().requesting("warehouse", warehouse_id, "start");
        self.workspace.client().warehouses_start(warehouse_id).await?;
        Ok(Change::Requested)
    }

    /// Stops a running warehouse; statements that run on it fail.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.warehouses().stop("0123456789abcdef").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. A warehouse that is stopped or stopping is not an error but
    /// [`Change::Already`]. Operations: `warehouses_get`, `warehouses_stop`.
    pub async fn stop(&self, warehouse_id: &str) -> Result<Change> {
        if matches!(self.get(warehouse_id).await?.state, Some(State::Stopped | State::Stopping)) {
            return Ok(Change::Already);
        }
        self.workspace.events().requesting("warehouse", warehouse_id, "stop");
        self.workspace.client().warehouses_stop(warehouse_id).await?;
        Ok(Change::Requested)
    }

    /// Waits until a warehouse runs.
    ///
    /// # Errors
    /// [`ErrorKind::RemoteFailed`] with the warehouse's own reason if it stops or is deleted,
    /// [`ErrorKind::DeadlineExceeded`]. Operation: `warehouses_get`.
    pub async fn wait_until_running(
        &self,
        warehouse_id: &str,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::GetWarehouseResponse>> {
        let begun = tokio::time::Instant::now();
        let mut moved = false;
        self.wait(warehouse_id, options, |warehouse| match warehouse.state {
            Some(State::Running) => Verdict::Done,
            Some(State::Stopped) if !moved && begun.elapsed() < STALE => Verdict::Working,
            Some(State::Stopped | State::Stopping | State::Deleted | State::Deleting) => {
                Verdict::Failed(ended(warehouse_id, warehouse))
            }
            _ => {
                moved = true;
                Verdict::Working
            }
        })
        .await
    }

    /// Waits until a warehouse is stopped.
    ///
    /// # Errors
    /// [`ErrorKind::RemoteFailed`] if it is deleted, [`ErrorKind::DeadlineExceeded`]. Operation: `warehouses_get`.
    pub async fn wait_until_stopped(
        &self,
        warehouse_id: &str,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::GetWarehouseResponse>> {
        self.wait(warehouse_id, options, |warehouse| match warehouse.state {
            Some(State::Stopped) => Verdict::Done,
            Some(State::Deleted | State::Deleting) => Verdict::Failed(ended(warehouse_id, warehouse)),
            _ => Verdict::Working,
        })
        .await
    }

    fn page(&self, page_token: Option<String>) -> Call {
        let query = types::WarehousesListQuery { page_token, ..Default::default() };
        self.workspace.client().call(&operations::WAREHOUSES_LIST).query_object(&query)
    }

    async fn wait(
        &self,
        warehouse_id: &str,
        options: WaitOptions,
        mut judge: impl FnMut(&types::GetWarehouseResponse) -> Verdict,
    ) -> Result<ResponseValue<types::GetWarehouseResponse>> {
        let subject = Subject { what: "warehouse", id: warehouse_id };
        wait::until(
            subject,
            options,
            self.workspace.events(),
            || self.get(warehouse_id),
            |warehouse| Seen {
                state: state_of(warehouse).to_owned(),
                message: warehouse.health.as_ref().and_then(|h| h.summary.clone()).filter(|m| !m.is_empty()),
                verdict: judge(warehouse),
            },
        )
        .await
    }
}

/// How long a start may take to show.
const STALE: std::time::Duration = std::time::Duration::from_secs(30);

fn state_of(warehouse: &types::GetWarehouseResponse) -> &str {
    warehouse.state.as_ref().map_or("UNKNOWN", State::as_str)
}

fn ended(warehouse_id: &str, warehouse: &types::GetWarehouseResponse) -> Error {
    let mut text = format!("warehouse {warehouse_id} is {}", state_of(warehouse));
    let health = warehouse.health.as_ref();
    if let Some(why) =
        health.and_then(|h| h.details.as_deref().or(h.summary.as_deref())).filter(|t| !t.is_empty())
    {
        text.push_str(&format!(": {why}"));
    }
    Error::new(ErrorKind::RemoteFailed, text)
}

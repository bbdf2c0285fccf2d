//! Creating warehouses, changing them, and deleting them.
//!
//! The service promises nothing about settings that an edit leaves out. So all that a warehouse has is sent back, with the
//! changes, and without what only describes its state.

use std::{ops::RangeInclusive, time::Duration};

use brickwire_client::{ResponseValue, operations, types};
use serde::Serialize;

use super::Warehouses;
use crate::{
    Error, Lifecycle, Named, Result, WaitOptions, document,
    names::required,
    settings::{self, fields},
    wait::{Seen, Verdict, until},
};

/// Members of a warehouse that are no settings.
const STATE: [&str; 11] = [
    "id",
    "state",
    "health",
    "num_clusters",
    "num_active_sessions",
    "jdbc_url",
    "odbc_params",
    "creator_id",
    "workspace_id",
    "size",
    "jdbc_routing_hint",
];

/// A warehouse is deleted within seconds.
const POLLS: RangeInclusive<Duration> = Duration::from_millis(250)..=Duration::from_secs(5);

impl Warehouses {
    /// Creates a warehouse and starts it, and returns its id as soon as the service has accepted it.
    ///
    /// The settings are a [`types::CreateWarehouseRequest`], or JSON with the same members and others.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::CreateWarehouseRequest;
    /// let settings = CreateWarehouseRequest {
    ///     name: Some("reporting".into()),
    ///     cluster_size: Some("2X-Small".into()),
    ///     auto_stop_mins: Some(10),
    ///     ..Default::default()
    /// };
    /// let warehouses = workspace.warehouses();
    /// let warehouse_id = warehouses.create(&settings).await?;
    /// warehouses.wait_until_running(&warehouse_id, Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) without a name,
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for settings that the service refuses or a name that is in use,
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the answer is lost. Operation: `warehouses_create`.
    pub async fn create(&self, settings: &(impl Serialize + Sync)) -> Result<String> {
        let fields = fields("warehouse's description", settings)?;
        let name = settings::text(&fields, "name")?.unwrap_or_default();
        if name.trim().is_empty() {
            return Err(Error::usage("the warehouse has no name"));
        }
        let call = self.workspace.client().call(&operations::WAREHOUSES_CREATE).json(&fields);
        let created = ResponseValue::into_inner(call.send::<types::CreateWarehouseResponse>().await?);
        let id = created.id.filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| document::nameless(Self::NOUN, "warehouses_create"))?;
        self.workspace.events().requesting(Self::NOUN, &id, "start");
        Ok(id)
    }

    /// Changes the settings that are given, and keeps all others, those included that this version doesn't know. The
    /// warehouse is read first; what someone else changes between that and the request is undone.
    ///
    /// The changes are a [`types::EditWarehouseRequest`], or JSON with the same members and others.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::EditWarehouseRequest;
    /// let changes = EditWarehouseRequest { auto_stop_mins: Some(30), ..Default::default() };
    /// workspace.warehouses().edit("0123456789abcdef", &changes).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) without a change,
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id. Operations: `warehouses_get`,
    /// `warehouses_edit`.
    pub async fn edit(&self, warehouse_id: &str, changes: &(impl Serialize + Sync)) -> Result<()> {
        required(Self::NOUN, warehouse_id)?;
        let changes = fields("change", changes)?;
        if changes.is_empty() {
            return Err(Error::usage("no settings to change"));
        }
        let mut all = fields("warehouse", &self.get_json(warehouse_id).await?)?;
        all.retain(|name, _| !STATE.contains(&name.as_str()));
        all.extend(changes);
        let call = self.workspace.client().call(&operations::WAREHOUSES_EDIT).path("id", &warehouse_id);
        call.json(&all).send::<types::EmptyResponse>().await.map(drop)
    }

    /// Stops a warehouse and deletes it for good; returns once that is requested.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let warehouses = workspace.warehouses();
    /// warehouses.delete("0123456789abcdef").await?;
    /// warehouses.wait_until_deleted("0123456789abcdef", Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id, or if an attempt whose answer was lost has
    /// deleted it. Operation: `warehouses_delete`.
    pub async fn delete(&self, warehouse_id: &str) -> Result<()> {
        required(Self::NOUN, warehouse_id)?;
        self.workspace.client().warehouses_delete(warehouse_id).await.map(drop)
    }

    /// Waits until a warehouse is deleted: gone, or in the state `DELETED`.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.warehouses().wait_until_deleted("0123456789abcdef", Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::DeadlineExceeded`](crate::ErrorKind::DeadlineExceeded). Operation: `warehouses_get`.
    pub async fn wait_until_deleted(&self, warehouse_id: &str, options: WaitOptions) -> Result<()> {
        required(Self::NOUN, warehouse_id)?;
        let pace = options.start(POLLS);
        let workspace = self.workspace.with_deadline(pace.deadline);
        let state = || async {
            match <Self as Lifecycle>::get(&workspace, warehouse_id).await {
                Ok(warehouse) => Ok(Self::status(&warehouse).state),
                Err(error) if error.is_not_found() => Ok(types::WarehouseState::Deleted.to_string()),
                Err(error) => Err(error),
            }
        };
        let look = |state: &String| {
            let is_gone = *state == types::WarehouseState::Deleted.as_str();
            let verdict = if is_gone { Verdict::Done } else { Verdict::Working };
            Seen { state: state.clone(), message: None, verdict }
        };
        until(Self::NOUN, warehouse_id, pace, workspace.events(), state, look).await.map(drop)
    }
}

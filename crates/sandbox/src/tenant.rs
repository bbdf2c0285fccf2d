//! A workspace, and what each service keeps in it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::http::Extensions;

use crate::{
    engine::{SqlEngine, new_engine_in},
    lock::lock,
};

/// The user who owns everything in a workspace.
pub const USER_NAME: &str = "ada.sandbox@example.com";

/// What a service keeps in a workspace. Dropping it ends what it runs.
pub(crate) trait ServiceState: Send + Sync + 'static {
    /// What a fresh workspace holds.
    fn fresh(tenant: &Tenant) -> Self;
}

/// One workspace. Each token opens one of its own unless it was issued for another's.
pub(crate) struct Tenant {
    /// How the request log names it.
    pub(crate) name: String,
    /// What `X-Databricks-Org-Id` says.
    pub(crate) workspace_id: u64,
    pub(crate) opened_ms: u64,
    /// Keyed by type, so that only the service's own file names its state.
    states: Mutex<Extensions>,
    engine: Mutex<Option<Arc<dyn SqlEngine>>>,
    /// Holds the workspace's folder, and what the engine cannot keep in memory.
    directory: PathBuf,
}

impl Tenant {
    pub(crate) fn new(name: String, workspace_id: u64, opened_ms: u64, directory: PathBuf) -> Self {
        Self { name, workspace_id, opened_ms, states: Mutex::default(), engine: Mutex::default(), directory }
    }

    /// A service's state, made when first asked for.
    pub(crate) fn state<S: ServiceState>(&self) -> Arc<S> {
        lock(&self.states).get_or_insert_with(|| Arc::new(S::fresh(self))).clone()
    }

    /// The workspace's data, made when first asked for: most tests never run SQL.
    pub(crate) fn engine(&self) -> Arc<dyn SqlEngine> {
        lock(&self.engine).get_or_insert_with(|| new_engine_in(&self.directory)).clone()
    }

    /// The folder of the workspace's files. It has a name that is the same whenever the same token opens the workspace.
    pub(crate) fn folder(&self) -> PathBuf {
        self.directory.join(format!("workspace-{}", self.name))
    }

    /// Drops every service's state and the data.
    pub(crate) fn close(&self) {
        drop(std::mem::take(&mut *lock(&self.states)));
        lock(&self.engine).take();
    }
}

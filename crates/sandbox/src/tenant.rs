//! A workspace, and what each service keeps in it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::Extensions;
use serde::Serialize;
use serde::de::DeserializeOwned;

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

/// State that a workspace's directory keeps. It must be among the services of [`routes::kept`](crate::routes::kept).
pub(crate) trait Kept: ServiceState + Sized {
    fn save(&self) -> serde_json::Result<Vec<u8>>;

    /// The state that was saved, with everything ended that ran.
    fn restore(tenant: &Tenant, saved: &[u8]) -> serde_json::Result<Self>;
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Kept for Mutex<T>
where
    Self: ServiceState,
{
    fn save(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&*lock(self))
    }

    fn restore(_: &Tenant, saved: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(saved).map(Self::new)
    }
}

/// Keeps the state of a service that is a tuple of one mutex. No part of it may be running.
macro_rules! kept {
    ($state:ident) => {
        impl $crate::tenant::Kept for $state {
            fn save(&self) -> serde_json::Result<Vec<u8>> {
                serde_json::to_vec(&*$crate::lock::lock(&self.0))
            }

            fn restore(_: &$crate::tenant::Tenant, saved: &[u8]) -> serde_json::Result<Self> {
                serde_json::from_slice(saved).map(|known| Self(std::sync::Mutex::new(known)))
            }
        }
    };
}
pub(crate) use kept;

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
    folder: PathBuf,
    /// Where the engine writes what doesn't fit into memory.
    directory: PathBuf,
    /// Whether a service's state may have changed since it was saved.
    has_changed: AtomicBool,
}

impl Tenant {
    /// The files of the workspace are in `folder`, or in a part of `directory`, which is temporary.
    pub(crate) fn new(
        name: String,
        workspace_id: u64,
        opened_ms: u64,
        folder: Option<PathBuf>,
        directory: PathBuf,
    ) -> Self {
        let folder = folder.unwrap_or_else(|| directory.join(format!("workspace-{workspace_id}")));
        let (states, engine, has_changed) = (Mutex::default(), Mutex::default(), AtomicBool::default());
        Self { name, workspace_id, opened_ms, states, engine, folder, directory, has_changed }
    }

    /// A service's state, made when first asked for.
    pub(crate) fn state<S: ServiceState>(&self) -> Arc<S> {
        lock(&self.states).get_or_insert_with(|| Arc::new(S::fresh(self))).clone()
    }

    /// The workspace's data, made when first asked for: most tests never run SQL.
    pub(crate) fn engine(&self) -> Arc<dyn SqlEngine> {
        lock(&self.engine).get_or_insert_with(|| new_engine_in(&self.directory)).clone()
    }

    /// A service's state if it is there.
    pub(crate) fn state_in_use<S: ServiceState>(&self) -> Option<Arc<S>> {
        lock(&self.states).get().cloned()
    }

    pub(crate) fn set_state<S: ServiceState>(&self, state: Arc<S>) {
        lock(&self.states).insert(state);
    }

    /// The workspace's data if there was any SQL.
    pub(crate) fn engine_in_use(&self) -> Option<Arc<dyn SqlEngine>> {
        lock(&self.engine).clone()
    }

    /// Says that a service's state may have changed.
    pub(crate) fn changed(&self) {
        self.has_changed.store(true, Ordering::Release);
    }

    /// Whether it may have changed since this was asked last.
    pub(crate) fn take_change(&self) -> bool {
        self.has_changed.swap(false, Ordering::AcqRel)
    }

    /// The folder of the workspace's files.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// Drops every service's state and the data.
    pub(crate) fn close(&self) {
        drop(std::mem::take(&mut *lock(&self.states)));
        lock(&self.engine).take();
    }
}

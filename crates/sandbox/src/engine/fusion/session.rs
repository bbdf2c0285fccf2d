//! What the sessions of an engine share, and what each has of its own.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::prelude::SessionContext;

use super::{
    catalogs::{Catalogs, Place},
    runtime::SqlRuntime,
};
use crate::lock::lock;

/// What all sessions of an engine share.
pub(super) struct Shared {
    pub(super) context: SessionContext,
    pub(super) catalogs: Catalogs,
    pub(super) runtime: SqlRuntime,
    pub(super) sessions: AtomicU64,
}

/// What USE and CREATE TEMPORARY VIEW change.
pub(super) struct Session {
    id: u64,
    place: Mutex<Place>,
}

impl Session {
    /// A new session that starts in `place`.
    pub(super) fn new(shared: &Shared, place: Place) -> Self {
        Self { id: shared.sessions.fetch_add(1, Ordering::Relaxed), place: Mutex::new(place) }
    }

    pub(super) fn place(&self) -> Place {
        lock(&self.place).clone()
    }

    pub(super) fn use_place(&self, place: Place) {
        *lock(&self.place) = place;
    }

    /// The hidden schema of its temporary views.
    pub(super) fn temporary_schema(&self) -> String {
        format!("session_{}", self.id)
    }
}

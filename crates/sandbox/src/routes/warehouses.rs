//! SQL warehouses: their life from STARTING to DELETED, their settings, and the start that a statement causes.
//!
//! Chosen without a source that says what the service does: that an edit keeps what it doesn't give, and the words about
//! a name that is in use. The seeds share one all the same.

use std::time::Duration;

use axum::extract::Path;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

pub(super) mod change;
pub(super) mod state;

pub use state::{NAMESAKE_WAREHOUSE, RUNNING_WAREHOUSE, STOPPED_WAREHOUSE};
use state::{State, delay_ms, warehouses};

use crate::{
    call::{Answer, Call, Routes, done},
    error::ApiError,
    lock::lock,
    page::page,
    server::Server,
    tenant::Tenant,
};

/// How long a warehouse is STARTING and STOPPING.
pub(super) const DELAY: Duration = Duration::from_millis(200);

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/2.0/sql/warehouses", get(list).post(change::create))
        .route("/api/2.0/sql/warehouses/{id}", get(get_one).delete(change::delete))
        .route("/api/2.0/sql/warehouses/{id}/edit", post(change::edit))
        .route("/api/2.0/sql/config/warehouses", get(change::config).put(change::set_config))
        .route("/api/2.0/sql/warehouses/{id}/start", post(start))
        .route("/api/2.0/sql/warehouses/{id}/stop", post(stop))
        .route("/api/2.0/settings/types/default_warehouse_id/names/default", get(default))
}

/// Starts a stopped warehouse for a statement.
pub(super) fn wake(call: &Call, id: &str) -> Result<(), ApiError> {
    lock(&warehouses(&call.tenant)).find(id, call.now_ms())?.start(call.now_ms(), delay_ms(call));
    Ok(())
}

/// Whether a statement can run yet; `None` if the warehouse was stopped in the meantime.
pub(super) fn is_running(server: &Server, tenant: &Tenant, id: &str) -> Option<bool> {
    match lock(&warehouses(tenant)).find(id, server.now_ms()).ok()?.phase.read(server.now_ms()).0 {
        State::Running => Some(true),
        State::Starting => Some(false),
        State::Stopped | State::Stopping | State::Deleting | State::Deleted => None,
    }
}

async fn list(call: Call) -> Answer {
    let now_ms = call.now_ms();
    let all = {
        let warehouses = warehouses(&call.tenant);
        let mut known = lock(&warehouses);
        known.forget_deleted(now_ms);
        known.0.iter_mut().map(|warehouse| warehouse.shown(now_ms)).collect()
    };
    let (warehouses, next) = page(&call, all, "warehouses", 100)?;
    let mut answer = json!({ "warehouses": warehouses });
    if let Some(token) = next {
        answer["next_page_token"] = json!(token);
    }
    Ok(Json(answer))
}

async fn get_one(Path(id): Path<String>, call: Call) -> Answer {
    let now_ms = call.now_ms();
    Ok(Json(lock(&warehouses(&call.tenant)).find(&id, now_ms)?.shown(now_ms)))
}

/// The setting that names the workspace's default warehouse.
async fn default(_: Call) -> Answer {
    Ok(Json(json!({
        "etag": "0",
        "setting_name": "default",
        "string_val": { "value": RUNNING_WAREHOUSE },
    })))
}

async fn start(Path(id): Path<String>, call: Call) -> Answer {
    wake(&call, &id)?;
    done()
}

async fn stop(Path(id): Path<String>, call: Call) -> Answer {
    lock(&warehouses(&call.tenant)).find(&id, call.now_ms())?.stop(call.now_ms(), delay_ms(&call));
    done()
}

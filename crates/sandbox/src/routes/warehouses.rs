//! SQL warehouses: list, get, start, stop, and the start that a statement causes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Path;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::{
    call::{Answer, Call, Routes, done},
    clock::millis,
    error::ApiError,
    lock::lock,
    page::page,
    phase::Phase,
    server::Server,
    tenant::{ServiceState, Tenant, USER_NAME},
};

/// A warehouse that runs.
pub const RUNNING_WAREHOUSE: &str = "4f1c8a3be02d7719";
/// A warehouse that is stopped and starts when asked.
pub const STOPPED_WAREHOUSE: &str = "8d20b5ce9913fa46";
/// A stopped warehouse with the same name as [`STOPPED_WAREHOUSE`].
pub const NAMESAKE_WAREHOUSE: &str = "c7e6190ad4b85f32";

/// How long a warehouse is STARTING and STOPPING.
pub(super) const DELAY: Duration = Duration::from_millis(200);

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/2.0/sql/warehouses", get(list))
        .route("/api/2.0/sql/warehouses/{id}", get(get_one))
        .route("/api/2.0/sql/warehouses/{id}/start", post(start))
        .route("/api/2.0/sql/warehouses/{id}/stop", post(stop))
        .route("/api/2.0/settings/types/default_warehouse_id/names/default", get(default))
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Stopped,
    Starting,
    Running,
    Stopping,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Stopped => "STOPPED",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
        }
    }
}

struct Warehouse {
    record: Map<String, Value>,
    phase: Phase<State>,
}

impl Warehouse {
    fn start(&mut self, now_ms: u64, delay_ms: u64) {
        if matches!(self.phase.peek(), State::Stopped | State::Stopping) {
            self.phase = Phase::passing(State::Starting, State::Running, now_ms.saturating_add(delay_ms));
        }
    }

    fn stop(&mut self, now_ms: u64, delay_ms: u64) {
        if matches!(self.phase.peek(), State::Running | State::Starting) {
            self.phase = Phase::passing(State::Stopping, State::Stopped, now_ms.saturating_add(delay_ms));
        }
    }

    fn shown(&mut self, now_ms: u64) -> Value {
        let (state, _) = self.phase.read(now_ms);
        let running = state == State::Running;
        let mut record = self.record.clone();
        record.insert("state".to_owned(), json!(state.name()));
        record.insert("num_clusters".to_owned(), json!(u8::from(running)));
        record.insert("num_active_sessions".to_owned(), json!(0));
        record.insert("health".to_owned(), if running { json!({ "status": "HEALTHY" }) } else { json!({}) });
        Value::Object(record)
    }
}

/// The warehouses of a workspace, in the order they were made.
struct Warehouses(Vec<Warehouse>);

impl ServiceState for Mutex<Warehouses> {
    fn fresh(tenant: &Tenant) -> Self {
        let warehouses =
            seeds(tenant.workspace_id).into_iter().filter_map(|(record, running)| match record {
                Value::Object(record) => {
                    let state = if running { State::Running } else { State::Stopped };
                    Some(Warehouse { record, phase: Phase::lasting(state) })
                }
                _ => None,
            });
        Mutex::new(Warehouses(warehouses.collect()))
    }
}

impl Warehouses {
    fn find(&mut self, id: &str) -> Result<&mut Warehouse, ApiError> {
        // The service distinguishes a malformed id (400) from an unknown one (404).
        if id.len() != 16 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ApiError::invalid(format!("{id} is not a valid endpoint id.")));
        }
        let found =
            self.0.iter_mut().find(|warehouse| warehouse.record.get("id").is_some_and(|own| own == id));
        found.ok_or_else(|| ApiError::not_found(format!("SQL warehouse {id} does not exist.")))
    }
}

fn warehouses(tenant: &Tenant) -> Arc<Mutex<Warehouses>> {
    tenant.state()
}

/// Starts a stopped warehouse for a statement.
pub(super) fn wake(call: &Call, id: &str) -> Result<(), ApiError> {
    lock(&warehouses(&call.tenant)).find(id)?.start(call.now_ms(), delay_ms(call));
    Ok(())
}

/// Whether a statement can run yet; `None` if the warehouse was stopped in the meantime.
pub(super) fn is_running(server: &Server, tenant: &Tenant, id: &str) -> Option<bool> {
    match lock(&warehouses(tenant)).find(id).ok()?.phase.read(server.now_ms()).0 {
        State::Running => Some(true),
        State::Starting => Some(false),
        State::Stopped | State::Stopping => None,
    }
}

fn delay_ms(call: &Call) -> u64 {
    millis(call.server.options.delays.warehouse)
}

async fn list(call: Call) -> Answer {
    let now_ms = call.now_ms();
    let all = lock(&warehouses(&call.tenant)).0.iter_mut().map(|warehouse| warehouse.shown(now_ms)).collect();
    let (warehouses, next) = page(&call, all, "warehouses", 100)?;
    let mut answer = json!({ "warehouses": warehouses });
    if let Some(token) = next {
        answer["next_page_token"] = json!(token);
    }
    Ok(Json(answer))
}

async fn get_one(Path(id): Path<String>, call: Call) -> Answer {
    let now_ms = call.now_ms();
    Ok(Json(lock(&warehouses(&call.tenant)).find(&id)?.shown(now_ms)))
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
    lock(&warehouses(&call.tenant)).find(&id)?.stop(call.now_ms(), delay_ms(&call));
    done()
}

/// The warehouses of a fresh workspace, and whether each runs.
fn seeds(workspace_id: u64) -> Vec<(Value, bool)> {
    let warehouse = |id: &str, name: &str, size: &str, kind: &str, serverless: bool| {
        let host = "127.0.0.1";
        json!({
            "id": id,
            "name": name,
            "size": size.to_ascii_uppercase().replace('-', "_"),
            "cluster_size": size,
            "min_num_clusters": 1,
            "max_num_clusters": 2,
            "auto_stop_mins": 10,
            "auto_resume": true,
            "creator_name": USER_NAME,
            "creator_id": 7_406_282_911_002_317_u64,
            "tags": { "custom_tags": [{ "key": "team", "value": "analytics" }] },
            "spot_instance_policy": "COST_OPTIMIZED",
            "enable_photon": true,
            "enable_serverless_compute": serverless,
            "warehouse_type": kind,
            "channel": { "name": "CHANNEL_NAME_CURRENT" },
            "jdbc_url": format!(
                "jdbc:spark://{host}:443/default;transportMode=http;ssl=1;AuthMech=3;\
                 httpPath=/sql/1.0/warehouses/{id};"
            ),
            "odbc_params": {
                "hostname": host, "path": format!("/sql/1.0/warehouses/{id}"), "protocol": "https", "port": 443,
            },
            "workspace_id": workspace_id,
            "jdbc_routing_hint": Value::Null,
        })
    };
    vec![
        (warehouse(RUNNING_WAREHOUSE, "Serverless Starter Warehouse", "2X-Small", "PRO", true), true),
        (warehouse(STOPPED_WAREHOUSE, "Reporting", "Small", "PRO", false), false),
        (warehouse(NAMESAKE_WAREHOUSE, "Reporting", "X-Large", "CLASSIC", false), false),
    ]
}

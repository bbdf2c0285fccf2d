//! The warehouses of a workspace in memory: which state each has, and what the service adds to its settings.

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    call::Call,
    clock::millis,
    error::ApiError,
    phase::Phase,
    tenant::{ServiceState, Tenant, USER_NAME},
};

/// A warehouse that runs.
pub const RUNNING_WAREHOUSE: &str = "4f1c8a3be02d7719";
/// A warehouse that is stopped and starts when asked.
pub const STOPPED_WAREHOUSE: &str = "8d20b5ce9913fa46";
/// A stopped warehouse with the same name as [`STOPPED_WAREHOUSE`].
pub const NAMESAKE_WAREHOUSE: &str = "c7e6190ad4b85f32";

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) enum State {
    Stopped,
    Starting,
    Running,
    Stopping,
    Deleting,
    Deleted,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Stopped => "STOPPED",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
            Self::Deleting => "DELETING",
            Self::Deleted => "DELETED",
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Warehouse {
    pub(super) record: Map<String, Value>,
    pub(super) phase: Phase<State>,
}

impl Warehouse {
    pub(super) fn start(&mut self, now_ms: u64, delay_ms: u64) {
        if matches!(self.phase.peek(), State::Stopped | State::Stopping) {
            self.phase = Phase::passing(State::Starting, State::Running, now_ms.saturating_add(delay_ms));
        }
    }

    pub(super) fn stop(&mut self, now_ms: u64, delay_ms: u64) {
        if matches!(self.phase.peek(), State::Running | State::Starting) {
            self.phase = Phase::passing(State::Stopping, State::Stopped, now_ms.saturating_add(delay_ms));
        }
    }

    pub(super) fn shown(&mut self, now_ms: u64) -> Value {
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
#[derive(Serialize, Deserialize)]
pub(in crate::routes) struct Warehouses(pub(super) Vec<Warehouse>);

impl ServiceState for Mutex<Warehouses> {
    fn fresh(tenant: &Tenant) -> Self {
        let warehouses = seeds(tenant.workspace_id).into_iter().map(|(record, running)| {
            let state = if running { State::Running } else { State::Stopped };
            Warehouse { record, phase: Phase::lasting(state) }
        });
        Mutex::new(Warehouses(warehouses.collect()))
    }
}

impl Warehouses {
    /// A warehouse that isn't gone.
    pub(super) fn find(&mut self, id: &str, now_ms: u64) -> Result<&mut Warehouse, ApiError> {
        self.forget_deleted(now_ms);
        // The service distinguishes a malformed id (400) from an unknown one (404).
        if id.len() != 16 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ApiError::invalid(format!("{id} is not a valid endpoint id.")));
        }
        let found =
            self.0.iter_mut().find(|warehouse| warehouse.record.get("id").is_some_and(|own| own == id));
        found.ok_or_else(|| ApiError::not_found(format!("SQL warehouse {id} does not exist.")))
    }

    /// Only those that are being deleted are read here: for all others, reading would count as showing.
    pub(super) fn forget_deleted(&mut self, now_ms: u64) {
        self.0.retain_mut(|warehouse| match warehouse.phase.peek() {
            State::Deleting => !warehouse.phase.is_due(now_ms),
            _ => true,
        });
    }
}

pub(super) fn warehouses(tenant: &Tenant) -> Arc<Mutex<Warehouses>> {
    tenant.state()
}

pub(super) fn delay_ms(call: &Call) -> u64 {
    millis(call.server.options.delays.warehouse)
}

/// What the service adds to a warehouse's settings.
pub(super) fn described(settings: &Map<String, Value>, id: &str, workspace_id: u64) -> Map<String, Value> {
    let host = "127.0.0.1";
    let size = settings.get("cluster_size").and_then(Value::as_str).unwrap_or_default();
    let added = json!({
        "id": id,
        "size": size.to_ascii_uppercase().replace('-', "_"),
        "auto_resume": true,
        "creator_name": USER_NAME,
        "creator_id": 7_406_282_911_002_317_u64,
        "jdbc_url": format!(
            "jdbc:spark://{host}:443/default;transportMode=http;ssl=1;AuthMech=3;\
             httpPath=/sql/1.0/warehouses/{id};"
        ),
        "odbc_params": {
            "hostname": host, "path": format!("/sql/1.0/warehouses/{id}"), "protocol": "https", "port": 443,
        },
        "workspace_id": workspace_id,
        "jdbc_routing_hint": Value::Null,
    });
    let mut record = settings.clone();
    record.extend(added.as_object().cloned().unwrap_or_default());
    record
}

/// The warehouses of a fresh workspace, and whether each runs.
fn seeds(workspace_id: u64) -> Vec<(Map<String, Value>, bool)> {
    let warehouse = |id: &str, name: &str, size: &str, kind: &str, serverless: bool| {
        let settings = json!({
            "name": name,
            "cluster_size": size,
            "min_num_clusters": 1,
            "max_num_clusters": 2,
            "auto_stop_mins": 10,
            "tags": { "custom_tags": [{ "key": "team", "value": "analytics" }] },
            "spot_instance_policy": "COST_OPTIMIZED",
            "enable_photon": true,
            "enable_serverless_compute": serverless,
            "warehouse_type": kind,
            "channel": { "name": "CHANNEL_NAME_CURRENT" },
        });
        described(settings.as_object().unwrap_or(&Map::new()), id, workspace_id)
    };
    vec![
        (warehouse(RUNNING_WAREHOUSE, "Serverless Starter Warehouse", "2X-Small", "PRO", true), true),
        (warehouse(STOPPED_WAREHOUSE, "Reporting", "Small", "PRO", false), false),
        (warehouse(NAMESAKE_WAREHOUSE, "Reporting", "X-Large", "CLASSIC", false), false),
    ]
}

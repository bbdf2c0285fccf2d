//! Creating, changing and deleting warehouses, and the settings that all of them share.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::Path;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::state::{State, Warehouse, Warehouses, delay_ms, described, warehouses};
use crate::{
    call::{Answer, Call, done, required_text},
    error::ApiError,
    lock::lock,
    phase::Phase,
    tenant::{ServiceState, Tenant},
};

/// How many warehouses a workspace has at most.
const MOST: usize = 1000;

const SIZES: [&str; 10] = [
    "2X-Small", "X-Small", "Small", "Medium", "Large", "X-Large", "2X-Large", "3X-Large", "4X-Large",
    "5X-Large",
];

pub(super) async fn create(call: Call) -> Answer {
    let given = call.json()?;
    let mut settings = json!({
        "cluster_size": "X-Large", "min_num_clusters": 1, "max_num_clusters": 1, "auto_stop_mins": 120,
        "spot_instance_policy": "COST_OPTIMIZED", "enable_photon": true, "enable_serverless_compute": false,
        "warehouse_type": "CLASSIC", "channel": { "name": "CHANNEL_NAME_CURRENT" },
    })
    .as_object()
    .cloned()
    .unwrap_or_default();
    settings.extend(given);
    let id = call.server.hex(16);
    let warehouses = warehouses(&call.tenant);
    let mut known = lock(&warehouses);
    known.check(&settings, None)?;
    if known.0.len() >= MOST {
        return Err(ApiError::invalid(format!("The workspace has {MOST} SQL warehouses already.")));
    }
    let record = described(&settings, &id, call.tenant.workspace_id);
    let mut warehouse = Warehouse { record, phase: Phase::lasting(State::Stopped) };
    warehouse.start(call.now_ms(), delay_ms(&call));
    known.0.push(warehouse);
    Ok(Json(json!({ "id": id })))
}

pub(super) async fn edit(Path(id): Path<String>, call: Call) -> Answer {
    let changes = call.json()?;
    let warehouses = warehouses(&call.tenant);
    let mut known = lock(&warehouses);
    let mut settings = known.find(&id, call.now_ms())?.record.clone();
    let name = settings.get("name").cloned();
    settings.extend(changes);
    // The seeds share a name: only a new one has to be unique.
    known.check(&settings, name.as_ref().and_then(Value::as_str))?;
    known.find(&id, call.now_ms())?.record = described(&settings, &id, call.tenant.workspace_id);
    done()
}

pub(super) async fn delete(Path(id): Path<String>, call: Call) -> Answer {
    let due_ms = call.now_ms().saturating_add(delay_ms(&call));
    let warehouses = warehouses(&call.tenant);
    let mut known = lock(&warehouses);
    let warehouse = known.find(&id, call.now_ms())?;
    if warehouse.phase.peek() != State::Deleting {
        warehouse.phase = Phase::passing(State::Deleting, State::Deleted, due_ms);
    }
    done()
}

impl Warehouses {
    /// Refuses settings that no warehouse can have, and a name that another one has. `own` is the name that it has.
    fn check(&self, settings: &Map<String, Value>, own: Option<&str>) -> Result<(), ApiError> {
        let name = required_text(settings, "name")?;
        let is_taken = self.0.iter().any(|other| other.record.get("name").is_some_and(|taken| taken == name));
        if is_taken && own != Some(name) {
            return Err(ApiError::new(
                axum::http::StatusCode::BAD_REQUEST,
                "ALREADY_EXISTS",
                format!("SQL warehouse with name `{name}` already exists"),
            ));
        }
        let size = required_text(settings, "cluster_size")?;
        if !SIZES.contains(&size) {
            return Err(ApiError::invalid(format!("{size} is not a supported cluster size.")));
        }
        let number = |name: &str| settings.get(name).and_then(Value::as_i64).unwrap_or(0);
        let (min, max) = (number("min_num_clusters"), number("max_num_clusters"));
        if !(1..=30).contains(&min) || !(min..=40).contains(&max) {
            return Err(ApiError::invalid(format!("There can't be {min} to {max} clusters.")));
        }
        let least = if settings.get("enable_serverless_compute") == Some(&json!(true)) { 5 } else { 10 };
        let minutes = number("auto_stop_mins");
        if minutes != 0 && minutes < least {
            return Err(ApiError::invalid(format!(
                "auto_stop_mins must be 0 or at least {least}, got {minutes}."
            )));
        }
        Ok(())
    }
}

/// The settings that all warehouses share.
#[derive(Serialize, Deserialize)]
pub(in crate::routes) struct Config(Value);

impl ServiceState for Mutex<Config> {
    fn fresh(_: &Tenant) -> Self {
        Mutex::new(Config(json!({
            "security_policy": "DATA_ACCESS_CONTROL",
            "data_access_config": [{ "key": "spark.hadoop.example", "value": "{{secrets/scope/key}}" }],
            "sql_configuration_parameters": { "configuration_pairs": [{ "key": "ANSI_MODE", "value": "true" }] },
            "enabled_warehouse_types": [
                { "warehouse_type": "CLASSIC", "enabled": true }, { "warehouse_type": "PRO", "enabled": true },
            ],
        })))
    }
}

pub(super) async fn config(call: Call) -> Answer {
    let config: Arc<Mutex<Config>> = call.tenant.state();
    let shown = lock(&config).0.clone();
    Ok(Json(shown))
}

pub(super) async fn set_config(call: Call) -> Answer {
    let config: Arc<Mutex<Config>> = call.tenant.state();
    lock(&config).0 = Value::Object(call.json()?);
    done()
}

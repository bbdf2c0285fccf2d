//! Instance pools. No machine is ever in use: clusters of the sandbox take none.

use std::sync::{Arc, Mutex};

use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::clusters::catalogue::has_node_type;
use crate::{
    call::{Answer, Call, Routes, done, required_text},
    clock::id_date,
    error::ApiError,
    lock::lock,
    tenant::{ServiceState, Tenant, USER_NAME},
};

/// A pool of every fresh workspace.
pub const WARM_POOL: &str = "0710-080000-warm1-pool-k3x9q2wd";

/// How many pools a workspace has at most.
const MOST: usize = 1000;

/// What an edit may change; the node type has to be given as it is.
const EDITABLE: [&str; 9] = [
    "instance_pool_id",
    "instance_pool_name",
    "node_type_id",
    "min_idle_instances",
    "max_capacity",
    "idle_instance_autotermination_minutes",
    "custom_tags",
    "remote_disk_throughput",
    "total_initial_remote_disk_size",
];

pub(super) fn routes() -> Routes {
    let path = |name: &str| format!("/api/2.0/instance-pools/{name}");
    Router::new()
        .route(&path("list"), get(list))
        .route(&path("get"), get(get_one))
        .route(&path("create"), post(create))
        .route(&path("edit"), post(edit))
        .route(&path("delete"), post(delete))
}

/// The pools of a workspace, as the service shows them, in the order they were made.
#[derive(Serialize, Deserialize)]
pub(super) struct Pools(Vec<Map<String, Value>>);

impl ServiceState for Mutex<Pools> {
    fn fresh(_: &Tenant) -> Self {
        let warm = json!({
            "instance_pool_name": "warm-pool", "node_type_id": "i3.xlarge", "min_idle_instances": 1,
            "max_capacity": 10, "idle_instance_autotermination_minutes": 15,
            "preloaded_spark_versions": ["15.4.x-scala2.12"],
            "aws_attributes": { "availability": "SPOT", "zone_id": "us-west-2a", "spot_bid_price_percent": 100 },
            "pool_backend": "NEPHOS",
        });
        let pools = warm.as_object().cloned().map(|warm| shown(warm, WARM_POOL));
        Mutex::new(Pools(pools.into_iter().collect()))
    }
}

impl Pools {
    fn at(&self, id: &str) -> Result<usize, ApiError> {
        let at = self.0.iter().position(|pool| pool.get("instance_pool_id").is_some_and(|own| own == id));
        at.ok_or_else(|| ApiError::not_found(format!("Can't find an instance pool with id: {id}.")))
    }
}

fn pools(call: &Call) -> Arc<Mutex<Pools>> {
    call.tenant.state()
}

/// Whether a cluster can name this pool.
pub(super) fn exists(call: &Call, id: &str) -> bool {
    lock(&pools(call)).at(id).is_ok()
}

/// A pool with what the service adds.
fn shown(mut pool: Map<String, Value>, id: &str) -> Map<String, Value> {
    let idle = pool.get("min_idle_instances").and_then(Value::as_u64).unwrap_or(0);
    for (name, value) in [
        ("instance_pool_id", json!(id)),
        ("state", json!("ACTIVE")),
        ("status", json!({})),
        (
            "stats",
            json!({ "used_count": 0, "idle_count": idle, "pending_used_count": 0, "pending_idle_count": 0 }),
        ),
        (
            "default_tags",
            json!({ "Vendor": "Databricks", "DatabricksInstancePoolCreatorId": USER_NAME, "DatabricksInstancePoolId": id }),
        ),
    ] {
        pool.insert(name.to_owned(), value);
    }
    pool.entry("enable_elastic_disk").or_insert(json!(true));
    pool
}

async fn list(call: Call) -> Answer {
    let all = lock(&pools(&call)).0.clone();
    Ok(Json(if all.is_empty() { json!({}) } else { json!({ "instance_pools": all }) }))
}

async fn get_one(call: Call) -> Answer {
    let pools = pools(&call);
    let known = lock(&pools);
    let at = known.at(call.required_query("instance_pool_id")?)?;
    Ok(Json(Value::Object(known.0[at].clone())))
}

async fn create(call: Call) -> Answer {
    let body = call.json()?;
    required_text(&body, "instance_pool_name")?;
    let node_type = required_text(&body, "node_type_id")?;
    if !has_node_type(node_type) {
        return Err(ApiError::invalid(format!("Node type {node_type} is not supported.")));
    }
    let pools = pools(&call);
    let mut known = lock(&pools);
    if known.0.len() >= MOST {
        return Err(ApiError::invalid(format!("The workspace has {MOST} instance pools already.")));
    }
    let id = format!("{}-brick1-pool-{}", id_date(call.now_ms()), call.server.hex(8));
    known.0.push(shown(body, &id));
    Ok(Json(json!({ "instance_pool_id": id })))
}

async fn edit(call: Call) -> Answer {
    let body = call.json()?;
    required_text(&body, "instance_pool_name")?;
    let pools = pools(&call);
    let mut known = lock(&pools);
    let id = required_text(&body, "instance_pool_id")?.to_owned();
    let at = known.at(&id)?;
    if known.0[at].get("node_type_id") != body.get("node_type_id") {
        return Err(ApiError::invalid("The node type of an instance pool cannot be changed"));
    }
    if let Some(fixed) = body.keys().find(|name| !EDITABLE.contains(&name.as_str())) {
        return Err(ApiError::invalid(format!("{fixed} of an instance pool cannot be changed")));
    }
    let mut pool = known.0[at].clone();
    pool.extend(body);
    known.0[at] = shown(pool, &id);
    done()
}

async fn delete(call: Call) -> Answer {
    let body = call.json()?;
    let pools = pools(&call);
    let mut known = lock(&pools);
    let at = known.at(required_text(&body, "instance_pool_id")?)?;
    known.0.remove(at);
    done()
}

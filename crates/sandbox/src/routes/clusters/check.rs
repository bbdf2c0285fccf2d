//! Which settings of a cluster are refused, and what is added to those that aren't.

use serde_json::{Map, Value, json};

use super::catalogue;
use crate::{
    call::Call,
    error::ApiError,
    routes::{cluster_policies, instance_pools},
    tenant::USER_NAME,
};

/// Checks settings, applies their policy, and adds what the service would.
pub(super) fn check(call: &Call, spec: &mut Map<String, Value>) -> Result<(), ApiError> {
    cluster_policies::apply(call, spec)?;
    let text = |name: &str| spec.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match text("spark_version") {
        None => return Err(ApiError::invalid("Missing required field: spark_version")),
        Some(key) if !catalogue::has_spark_version(key) => {
            return Err(ApiError::invalid(format!("Invalid spark version {key}.")));
        }
        Some(_) => {}
    }
    if text("node_type_id").is_some() == text("instance_pool_id").is_some() {
        return Err(ApiError::invalid("Exactly one of node_type_id and instance_pool_id must be given"));
    }
    for name in ["node_type_id", "driver_node_type_id"] {
        if let Some(unknown) = text(name).filter(|id| !catalogue::has_node_type(id)) {
            return Err(ApiError::invalid(format!("Node type {unknown} is not supported.")));
        }
    }
    for name in ["instance_pool_id", "driver_instance_pool_id"] {
        if let Some(unknown) = text(name).filter(|id| !instance_pools::exists(call, id)) {
            return Err(ApiError::invalid(format!("Can't find an instance pool with id: {unknown}.")));
        }
    }
    check_size(spec)?;
    if text("data_security_mode") == Some("SINGLE_USER") && text("single_user_name").is_none() {
        spec.insert("single_user_name".to_owned(), json!(USER_NAME));
    }
    Ok(())
}

fn check_size(spec: &Map<String, Value>) -> Result<(), ApiError> {
    let given = |name: &str| spec.get(name).filter(|value| !value.is_null());
    if given("num_workers").is_some() && given("autoscale").is_some() {
        return Err(ApiError::invalid("Only one of num_workers and autoscale can be given"));
    }
    if let Some(bounds) = given("autoscale") {
        let (min, max) = (bounds["min_workers"].as_u64(), bounds["max_workers"].as_u64());
        if min.zip(max).is_none_or(|(min, max)| min > max) {
            return Err(ApiError::invalid("min_workers must be at most max_workers"));
        }
    }
    let Some(workers) = given("num_workers") else { return Ok(()) };
    let is_single = given("is_single_node") == Some(&json!(true)) && given("kind").is_some()
        || given("spark_conf").is_some_and(|conf| conf["spark.databricks.cluster.profile"] == "singleNode");
    match workers.as_u64() {
        None => Err(ApiError::invalid("num_workers must be 0 or more")),
        Some(0) if !is_single => Err(ApiError::invalid(
            "num_workers may be 0 only for single-node clusters: is_single_node with a kind, or their Spark settings",
        )),
        Some(_) => Ok(()),
    }
}

//! The three clusters of every fresh workspace, as rich as the service describes them.
//!
//! The records carry fields no SDK knows, 64-bit numbers beyond 2^53 and enum values newer than any client, because
//! the service does.

use serde_json::{Map, Value, json};

use crate::tenant::USER_NAME;

/// A cluster that runs.
pub const RUNNING_CLUSTER: &str = "0710-090000-anlyt1cs";
/// A cluster that is terminated and starts when asked.
pub const TERMINATED_CLUSTER: &str = "0710-090100-n1ghtly0";
/// A terminated cluster whose start fails because the cloud has no capacity.
pub const FAILING_CLUSTER: &str = "0710-090200-gpufail0";

const HOUR_MS: u64 = 3_600_000;

/// A cluster of a fresh workspace.
pub(super) struct Seed {
    pub(super) record: Map<String, Value>,
    pub(super) running: bool,
    pub(super) start_fails: bool,
}

pub(super) fn clusters(now_ms: u64) -> Vec<Seed> {
    let shared = json!({
        "cluster_id": RUNNING_CLUSTER,
        "cluster_name": "shared-analytics",
        "spark_version": "15.4.x-scala2.12",
        "node_type_id": "i3.xlarge",
        "driver_node_type_id": "i3.xlarge",
        "autoscale": { "min_workers": 1, "max_workers": 4, "target_workers": 2 },
        "num_workers": 2,
        "executors": [
            spark_node("10.139.64.5", "i-0a8fae1d4c1f0e301", "6f8dd2a5b0114f2c9a7a8f7d50a0a2d1", now_ms),
            spark_node("10.139.64.6", "i-0a8fae1d4c1f0e302", "6f8dd2a5b0114f2c9a7a8f7d50a0a2d2", now_ms),
        ],
        "driver": spark_node("10.139.64.4", "i-0a8fae1d4c1f0e300", "6f8dd2a5b0114f2c9a7a8f7d50a0a2d0", now_ms),
        // Beyond 2^53: 9007199254740993 is the first integer a double cannot hold.
        "spark_context_id": 9_007_199_254_740_993_u64,
        "jdbc_port": 10_000,
        "cluster_memory_mb": 93_696,
        "cluster_cores": 12.0,
        "autotermination_minutes": 60,
        "aws_attributes": {
            "first_on_demand": 1, "availability": "SPOT_WITH_FALLBACK", "zone_id": "us-west-2a",
            "spot_bid_price_percent": 100, "ebs_volume_count": 0,
        },
        "spark_conf": { "spark.databricks.delta.preview.enabled": "true" },
        "spark_env_vars": { "PYSPARK_PYTHON": "/databricks/python3/bin/python3" },
        "custom_tags": { "team": "analytics", "cost center": "42" },
        "default_tags": default_tags("shared-analytics", RUNNING_CLUSTER),
        "cluster_source": "UI",
        "creator_user_name": USER_NAME,
        "data_security_mode": "USER_ISOLATION",
        "runtime_engine": "PHOTON",
        "enable_elastic_disk": true,
        "enable_local_disk_encryption": false,
        "start_time": now_ms.saturating_sub(3 * HOUR_MS),
        "last_restarted_time": now_ms.saturating_sub(2 * HOUR_MS),
        "last_state_loss_time": now_ms.saturating_sub(2 * HOUR_MS),
        "last_activity_time": now_ms.saturating_sub(HOUR_MS / 60),
        "effective_spark_version": "15.4.x-photon-scala2.12",
        "disk_spec": { "disk_count": 0 },
        "instance_source": { "node_type_id": "i3.xlarge" },
        "driver_instance_source": { "node_type_id": "i3.xlarge" },
        "pinned_by_user_name": "7406282911002",
        "policy_id": "E06216CAA0000360",
    });
    let nightly = json!({
        "cluster_id": TERMINATED_CLUSTER,
        "cluster_name": "nightly-etl",
        "spark_version": "14.3.x-scala2.12",
        "node_type_id": "m5d.large",
        "driver_node_type_id": "m5d.large",
        "num_workers": 8,
        "spark_context_id": 0,
        "autotermination_minutes": 20,
        "aws_attributes": { "first_on_demand": 1, "availability": "ON_DEMAND", "zone_id": "auto" },
        "default_tags": default_tags("nightly-etl", TERMINATED_CLUSTER),
        "cluster_source": "API",
        "creator_user_name": "etl-service@example.com",
        "single_user_name": "etl-service@example.com",
        "data_security_mode": "SINGLE_USER",
        "runtime_engine": "STANDARD",
        "enable_elastic_disk": true,
        "enable_local_disk_encryption": false,
        "init_scripts": [{ "volumes": { "destination": "/Volumes/main/default/scripts/init.sh" } }],
        "start_time": now_ms.saturating_sub(30 * HOUR_MS),
        "terminated_time": now_ms.saturating_sub(26 * HOUR_MS),
        "last_state_loss_time": 0,
        "last_activity_time": now_ms.saturating_sub(27 * HOUR_MS),
        "state_message": "Inactive cluster terminated (inactive for 20 minutes).",
        "termination_reason": {
            "code": "INACTIVITY", "type": "SUCCESS", "parameters": { "inactivity_duration_min": "20" },
        },
        "disk_spec": { "disk_count": 0 },
        "instance_source": { "node_type_id": "m5d.large" },
    });
    let failing = json!({
        "cluster_id": FAILING_CLUSTER,
        "cluster_name": "gpu-experiments",
        "spark_version": "16.0.x-gpu-ml-scala2.12",
        "node_type_id": "p3.2xlarge",
        "driver_node_type_id": "p3.2xlarge",
        "num_workers": 0,
        "is_single_node": true,
        "kind": "CLASSIC_PREVIEW",
        "use_ml_runtime": true,
        "autotermination_minutes": 120,
        "spark_conf": { "spark.master": "local[*, 4]", "spark.databricks.cluster.profile": "singleNode" },
        "default_tags": default_tags("gpu-experiments", FAILING_CLUSTER),
        "cluster_source": "UI",
        "creator_user_name": USER_NAME,
        "data_security_mode": "DATA_SECURITY_MODE_AUTO",
        "start_time": now_ms.saturating_sub(80 * HOUR_MS),
        "terminated_time": now_ms.saturating_sub(80 * HOUR_MS),
        "state_message": "The cloud could not give the instances asked for.",
        "termination_reason": cloud_failure(),
        "instance_source": { "node_type_id": "p3.2xlarge" },
    });
    let seed = |record, running, start_fails| match record {
        Value::Object(record) => Some(Seed { record, running, start_fails }),
        _ => None,
    };
    let seeds = [seed(shared, true, false), seed(nightly, false, false), seed(failing, false, true)];
    seeds.into_iter().flatten().collect()
}

/// Why the failing cluster's start fails.
pub(super) fn cloud_failure() -> Value {
    json!({
        "code": "AWS_INSUFFICIENT_INSTANCE_CAPACITY_FAILURE",
        "type": "CLOUD_FAILURE",
        "parameters": {
            "aws_api_error_code": "InsufficientInstanceCapacity",
            "aws_error_message": "There is no Spot capacity available that matches your request.",
        },
    })
}

fn spark_node(private_ip: &str, instance: &str, node: &str, now_ms: u64) -> Value {
    json!({
        "private_ip": private_ip,
        "host_private_ip": private_ip,
        "public_dns": format!("ec2-34-211-0-{}.us-west-2.compute.amazonaws.com", &private_ip[private_ip.len() - 1..]),
        "instance_id": instance,
        "node_id": node,
        "node_aws_attributes": { "is_spot": false },
        "node_attributes": { "is_spot": false },
        "start_timestamp": now_ms.saturating_sub(2 * HOUR_MS),
    })
}

fn default_tags(name: &str, id: &str) -> Value {
    json!({ "Vendor": "Databricks", "Creator": USER_NAME, "ClusterName": name, "ClusterId": id })
}

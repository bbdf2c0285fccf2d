//! Node types and Spark versions.

use axum::Json;
use serde_json::{Value, json};

use crate::call::{Answer, Call};

const NODE_TYPES: [&str; 4] = ["i3.xlarge", "m5d.large", "p3.2xlarge", "rd-fleet.half"];

const SPARK_VERSIONS: [(&str, &str); 5] = [
    ("16.0.x-scala2.12", "16.0 (includes Apache Spark 3.5.0, Scala 2.12)"),
    ("16.0.x-gpu-ml-scala2.12", "16.0 ML (includes Apache Spark 3.5.0, GPU, Scala 2.12)"),
    ("15.4.x-scala2.12", "15.4 LTS (includes Apache Spark 3.5.0, Scala 2.12)"),
    ("15.4.x-photon-scala2.12", "15.4 LTS Photon (includes Apache Spark 3.5.0, Scala 2.12)"),
    ("14.3.x-scala2.12", "14.3 LTS (includes Apache Spark 3.5.0, Scala 2.12)"),
];

const ZONES: [&str; 3] = ["us-west-2a", "us-west-2b", "us-west-2c"];

/// Whether machines of this type can be had.
pub(in super::super) fn has_node_type(id: &str) -> bool {
    NODE_TYPES.contains(&id)
}

pub(super) fn has_spark_version(key: &str) -> bool {
    SPARK_VERSIONS.iter().any(|(known, _)| *known == key)
}

pub(super) async fn zones(_: Call) -> Answer {
    Ok(Json(json!({ "zones": ZONES, "default_zone": ZONES[0] })))
}

pub(super) async fn node_types(_: Call) -> Answer {
    Ok(Json(json!({
        "node_types": [
            node_type("i3.xlarge", "Storage Optimized", 31_232, 4.0, 0, (1, 950)),
            node_type("m5d.large", "General Purpose", 8_192, 2.0, 0, (1, 75)),
            node_type("p3.2xlarge", "GPU Accelerated", 62_464, 8.0, 1, (0, 0)),
            node_type("rd-fleet.half", "Memory Optimized", 4_096, 0.5, 0, (0, 0)),
        ],
    })))
}

fn node_type(id: &str, category: &str, memory_mb: u64, cores: f64, gpus: u64, nvme: (u64, u64)) -> Value {
    json!({
        "node_type_id": id,
        "memory_mb": memory_mb,
        "num_cores": cores,
        "num_gpus": gpus,
        "description": id,
        "instance_type_id": id,
        "category": category,
        "is_deprecated": false,
        "is_hidden": false,
        "is_graviton": false,
        "is_io_cache_enabled": nvme.0 > 0,
        "is_encrypted_in_transit": id == "rd-fleet.half",
        "photon_worker_capable": gpus == 0,
        "photon_driver_capable": gpus == 0,
        "support_cluster_tags": true,
        "support_ebs_volumes": true,
        "support_port_forwarding": true,
        "display_order": 0,
        "container_memory_mb": memory_mb * 3 / 4,
        "node_instance_type": {
            "instance_type_id": id,
            "provider": "AWS",
            "local_disks": nvme.0,
            "local_disk_size_gb": nvme.1,
            "local_nvme_disks": nvme.0,
            "local_nvme_disk_size_gb": nvme.1,
            "supports_accelerated_networking": false,
        },
        "node_info": { "status": [], "available_core_quota": 0, "total_core_quota": 0 },
    })
}

pub(super) async fn spark_versions(_: Call) -> Answer {
    let versions: Vec<Value> =
        SPARK_VERSIONS.iter().map(|(key, name)| json!({ "key": key, "name": name })).collect();
    Ok(Json(json!({ "versions": versions })))
}

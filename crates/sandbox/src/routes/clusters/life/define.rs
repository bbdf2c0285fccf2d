//! Creating and editing: the specification of a cluster.

use std::collections::VecDeque;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Cluster, Clusters, MOST, Moment, State};
use crate::{error::ApiError, phase::Phase, tenant::USER_NAME};

/// Fields of a request that don't become part of the record.
const NOT_GIVEN: [&str; 4] = ["cluster_id", "idempotency_token", "clone_from", "apply_policy_default_values"];

/// The settings of a cluster; an edit removes those that it doesn't give.
const SETTINGS: [&str; 34] = [
    "autoscale",
    "autotermination_minutes",
    "aws_attributes",
    "azure_attributes",
    "cluster_log_conf",
    "cluster_name",
    "custom_tags",
    "data_security_mode",
    "dependency_mode",
    "docker_image",
    "driver_instance_pool_id",
    "driver_node_type_flexibility",
    "driver_node_type_id",
    "enable_elastic_disk",
    "enable_local_disk_encryption",
    "gcp_attributes",
    "init_scripts",
    "instance_pool_id",
    "is_single_node",
    "kind",
    "node_type_id",
    "num_workers",
    "policy_id",
    "remote_disk_throughput",
    "runtime_engine",
    "single_user_name",
    "spark_conf",
    "spark_env_vars",
    "spark_version",
    "ssh_public_keys",
    "total_initial_remote_disk_size",
    "use_ml_runtime",
    "worker_node_type_flexibility",
    "workload_type",
];

impl Clusters {
    /// Creates a cluster and starts it. A known `idempotency_token` returns the cluster created with it.
    pub(in super::super) fn create(
        &mut self,
        id: &str,
        spec: &Map<String, Value>,
        at: Moment,
    ) -> Result<String, ApiError> {
        if let Some(cluster) = self.made_by(spec) {
            return Ok(cluster.id());
        }
        if self.0.len() >= MOST {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "QUOTA_EXCEEDED",
                format!("The workspace has {MOST} clusters already."),
            ));
        }
        let mut record = Map::new();
        record.insert("cluster_id".to_owned(), json!(id));
        let mut cluster = Cluster {
            record,
            phase: Phase::passing(State::Pending, State::Running, at.due_ms()),
            start_fails: false,
            token: token(spec).map(str::to_owned),
            starts: 0,
            events: VecDeque::new(),
        };
        cluster.define(spec);
        for (key, value) in [
            ("creator_user_name", json!(USER_NAME)),
            ("cluster_source", json!("API")),
            ("start_time", json!(at.now_ms)),
            (
                "state_message",
                json!("Finding instances for new nodes, acquiring more instances if necessary"),
            ),
            ("default_tags", json!({ "Vendor": "Databricks", "Creator": USER_NAME, "ClusterId": id })),
        ] {
            cluster.set(key, value);
        }
        cluster.note("CREATING", at.now_ms, json!({ "user": USER_NAME }));
        self.0.push(cluster);
        Ok(id.to_owned())
    }

    /// Replaces the specification. A running cluster restarts, a terminated one stays terminated.
    pub(in super::super) fn edit(
        &mut self,
        id: &str,
        spec: &Map<String, Value>,
        at: Moment,
    ) -> Result<(), ApiError> {
        let cluster = self.find(id)?;
        if cluster.record.get("cluster_source").is_some_and(|source| source == "JOB") {
            return Err(ApiError::invalid(format!("Cluster {id} was made by a job and cannot be edited.")));
        }
        match cluster.read(at.now_ms) {
            State::Running => {
                cluster.phase = Phase::passing(State::Restarting, State::Running, at.due_ms());
            }
            State::Terminated => {}
            _ => return Err(cluster.unexpected(at.now_ms)),
        }
        cluster.define(spec);
        cluster.note("EDITED", at.now_ms, json!({ "user": USER_NAME }));
        Ok(())
    }
}

fn token(spec: &Map<String, Value>) -> Option<&str> {
    spec.get("idempotency_token").and_then(Value::as_str).filter(|token| !token.is_empty())
}

impl Clusters {
    /// Whether a request's token has made a cluster.
    pub(in super::super) fn knows_token(&self, spec: &Map<String, Value>) -> bool {
        self.made_by(spec).is_some()
    }

    fn made_by(&self, spec: &Map<String, Value>) -> Option<&Cluster> {
        let token = token(spec)?;
        self.0.iter().find(|cluster| cluster.token.as_deref() == Some(token))
    }
}

impl Cluster {
    /// The settings that count now.
    pub(super) fn settings(&self) -> Map<String, Value> {
        let own = self.record.iter().filter(|(name, _)| SETTINGS.contains(&name.as_str()));
        // Of a cluster that scales by itself it is how many there are, and no setting.
        let scales = self.record.contains_key("autoscale");
        let own = own.filter(|(name, _)| !scales || name.as_str() != "num_workers");
        own.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn define(&mut self, spec: &Map<String, Value>) {
        let given = spec.iter().filter(|(key, _)| !NOT_GIVEN.contains(&key.as_str()));
        let given: Map<String, Value> = given.map(|(key, value)| (key.clone(), value.clone())).collect();
        self.record.retain(|name, _| !SETTINGS.contains(&name.as_str()));
        self.record.extend(given.clone());
        if !self.record.contains_key("cluster_name") {
            self.set("cluster_name", json!(""));
        }
        self.set("spec", Value::Object(given));
    }
}

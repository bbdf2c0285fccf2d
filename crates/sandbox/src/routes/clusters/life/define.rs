//! Creating and editing: the specification of a cluster.

use serde_json::{Map, Value, json};

use super::{Cluster, Clusters, Moment, State};
use crate::{error::ApiError, phase::Phase, tenant::USER_NAME};

/// Fields of a request that don't become part of the record.
const NOT_GIVEN: [&str; 4] = ["cluster_id", "idempotency_token", "clone_from", "apply_policy_default_values"];

impl Clusters {
    /// Creates a cluster and starts it. A known `idempotency_token` returns the cluster created with it.
    pub(in super::super) fn create(
        &mut self,
        id: &str,
        spec: &Map<String, Value>,
        at: Moment,
    ) -> Result<String, ApiError> {
        let token = spec.get("idempotency_token").and_then(Value::as_str).filter(|token| !token.is_empty());
        let known = self.0.iter().find(|cluster| token.is_some() && cluster.token.as_deref() == token);
        if let Some(cluster) = known {
            return Ok(cluster.id());
        }
        check(spec)?;
        let mut record = Map::new();
        record.insert("cluster_id".to_owned(), json!(id));
        let mut cluster = Cluster {
            record,
            phase: Phase::passing(State::Pending, State::Running, at.due_ms()),
            start_fails: false,
            token: token.map(str::to_owned),
            events: Vec::new(),
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
        check(spec)?;
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

impl Cluster {
    fn define(&mut self, spec: &Map<String, Value>) {
        let given = spec.iter().filter(|(key, _)| !NOT_GIVEN.contains(&key.as_str()));
        let given: Map<String, Value> = given.map(|(key, value)| (key.clone(), value.clone())).collect();
        self.record.extend(given.clone());
        if !self.record.contains_key("cluster_name") {
            self.set("cluster_name", json!(""));
        }
        self.set("spec", Value::Object(given));
    }
}

fn check(spec: &Map<String, Value>) -> Result<(), ApiError> {
    let text = |name: &str| spec.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    if !text("spark_version") {
        return Err(ApiError::invalid("Missing required field: spark_version"));
    }
    if !text("node_type_id") && !text("instance_pool_id") {
        return Err(ApiError::invalid("Exactly one of node_type_id and instance_pool_id must be given"));
    }
    if spec.get("num_workers").is_some_and(|workers| workers.as_u64().is_none()) {
        return Err(ApiError::invalid("num_workers must be 0 or more"));
    }
    Ok(())
}

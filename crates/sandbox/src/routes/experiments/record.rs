//! What is known of experiments and runs.

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    call::required_text,
    error::ApiError,
    tenant::{ServiceState, Tenant, USER_NAME},
};

const MOST_EXPERIMENTS: usize = 1000;
const MOST_RUNS: usize = 10_000;
/// Metrics of a run; parameters and tags as well.
const MOST_ENTRIES: usize = 1000;
const STATUSES: [&str; 5] = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];

/// The experiments of a workspace, and all of their runs, the latest last.
#[derive(Serialize, Deserialize)]
pub(in crate::routes) struct Experiments {
    experiments: Vec<Value>,
    runs: Vec<Run>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Run {
    info: Map<String, Value>,
    metrics: BTreeMap<String, Value>,
    params: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
}

impl ServiceState for Mutex<Experiments> {
    /// One experiment with one run, which has made the first version of the registered model.
    fn fresh(tenant: &Tenant) -> Self {
        let (id, now_ms) = ("9007199254740993", tenant.opened_ms);
        let mut fresh = Experiments { experiments: Vec::new(), runs: Vec::new() };
        let body = json!({ "experiment_id": id, "run_name": "baseline", "start_time": now_ms });
        let no_more = Map::new();
        let _ = fresh.add(id, &format!("/Users/{USER_NAME}/churn"), &no_more, now_ms);
        if let Ok(run) = fresh.start(&format!("{:032x}", 1), body.as_object().unwrap_or(&no_more), now_ms) {
            run.info.insert("status".to_owned(), json!("FINISHED"));
            run.info.insert("end_time".to_owned(), json!(now_ms));
            run.metrics.insert(
                "auc".to_owned(),
                json!({ "key": "auc", "value": 0.87, "timestamp": now_ms, "step": 0 }),
            );
            run.params.insert("depth".to_owned(), "6".to_owned());
        }
        Mutex::new(fresh)
    }
}

impl Experiments {
    pub(super) fn all(&self) -> Vec<Value> {
        self.experiments.clone()
    }

    pub(super) fn find(&self, field: &str, value: &str) -> Result<Value, ApiError> {
        let found = self.experiments.iter().find(|one| one[field] == value).cloned();
        found.ok_or_else(|| ApiError::not_found(format!("Node {field} {value} does not exist.")))
    }

    pub(super) fn add(
        &mut self,
        id: &str,
        name: &str,
        body: &Map<String, Value>,
        now_ms: u64,
    ) -> Result<(), ApiError> {
        if self.find("name", name).is_ok() {
            let text = format!("Node named '{name}' already exists");
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "RESOURCE_ALREADY_EXISTS", text));
        }
        if self.experiments.len() >= MOST_EXPERIMENTS {
            return Err(full(MOST_EXPERIMENTS, "experiments"));
        }
        let location = format!("dbfs:/databricks/mlflow-tracking/{id}");
        self.experiments.push(json!({
            "experiment_id": id,
            "name": name,
            "artifact_location": body.get("artifact_location").cloned().unwrap_or_else(|| json!(location)),
            "lifecycle_stage": "active",
            "creation_time": now_ms,
            "last_update_time": now_ms,
            "tags": body.get("tags").cloned().unwrap_or_else(|| json!([])),
            "kind": "NOTEBOOK",
        }));
        Ok(())
    }

    pub(super) fn start(
        &mut self,
        id: &str,
        body: &Map<String, Value>,
        now_ms: u64,
    ) -> Result<&mut Run, ApiError> {
        let experiment = self.find("experiment_id", required_text(body, "experiment_id")?)?;
        if self.runs.len() >= MOST_RUNS {
            return Err(full(MOST_RUNS, "runs"));
        }
        let name = body.get("run_name").and_then(Value::as_str).unwrap_or("unnamed run");
        let info = json!({
            "run_id": id,
            "run_uuid": id,
            "run_name": name,
            "experiment_id": experiment["experiment_id"],
            "status": "RUNNING",
            "start_time": body.get("start_time").cloned().unwrap_or_else(|| json!(now_ms)),
            "artifact_uri": format!("{}/{id}/artifacts", experiment["artifact_location"].as_str().unwrap_or_default()),
            "lifecycle_stage": "active",
        });
        let info = info.as_object().cloned().unwrap_or_default();
        let mut run = Run { info, metrics: BTreeMap::new(), params: BTreeMap::new(), tags: BTreeMap::new() };
        run.tags.insert("mlflow.runName".to_owned(), name.to_owned());
        run.tags.insert("mlflow.user".to_owned(), USER_NAME.to_owned());
        for tag in
            body.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
        {
            run.tag(tag)?;
        }
        self.runs.push(run);
        self.run(id)
    }

    pub(super) fn run(&mut self, id: &str) -> Result<&mut Run, ApiError> {
        let found = self.runs.iter_mut().find(|run| run.info["run_id"] == id);
        found.ok_or_else(|| ApiError::not_found(format!("Run '{id}' not found.")))
    }

    /// The runs of these experiments, the latest first.
    pub(super) fn runs(&self, experiment_ids: &[Value]) -> Vec<Value> {
        let of_those =
            self.runs.iter().rev().filter(|run| experiment_ids.contains(&run.info["experiment_id"]));
        of_those.map(Run::shown).collect()
    }
}

fn full(most: usize, what: &str) -> ApiError {
    let text = format!("There are {most} {what}, and no more are possible.");
    ApiError::new(StatusCode::BAD_REQUEST, "RESOURCE_LIMIT_EXCEEDED", text)
}

impl Run {
    pub(super) fn shown(&self) -> Value {
        let mut data = Map::new();
        let pairs = |pairs: &BTreeMap<String, String>| -> Vec<Value> {
            pairs.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
        };
        let metrics: Vec<Value> = self.metrics.values().cloned().collect();
        for (name, list) in
            [("metrics", metrics), ("params", pairs(&self.params)), ("tags", pairs(&self.tags))]
        {
            if !list.is_empty() {
                data.insert(name.to_owned(), Value::Array(list));
            }
        }
        json!({ "info": self.info, "data": data, "inputs": {} })
    }

    pub(super) fn update(&mut self, body: &Map<String, Value>) -> Result<(), ApiError> {
        if let Some(status) = body.get("status").and_then(Value::as_str)
            && !STATUSES.contains(&status)
        {
            return Err(ApiError::invalid(format!("Invalid value for status: {status}")));
        }
        for name in ["status", "end_time", "run_name"] {
            if let Some(value) = body.get(name).filter(|value| !value.is_null()) {
                self.info.insert(name.to_owned(), value.clone());
            }
        }
        Ok(())
    }

    /// Records a value of a metric, unless a later one is known.
    pub(super) fn metric(&mut self, body: &Map<String, Value>) -> Result<(), ApiError> {
        let key = required_text(body, "key")?;
        let Some(value) = body.get("value").filter(|value| value.is_number() || value.is_string()) else {
            return Err(ApiError::invalid("Missing value for required parameter 'value'."));
        };
        let number = |name: &str| body.get(name).and_then(Value::as_i64).unwrap_or_default();
        let (step, timestamp) = (number("step"), number("timestamp"));
        let known = self.metrics.get(key);
        let is_later = known.is_none_or(|known| {
            (step, timestamp)
                >= (
                    known["step"].as_i64().unwrap_or_default(),
                    known["timestamp"].as_i64().unwrap_or_default(),
                )
        });
        if is_later {
            room(self.metrics.len(), known.is_some(), "metrics")?;
            let metric = json!({ "key": key, "value": value, "timestamp": timestamp, "step": step });
            self.metrics.insert(key.to_owned(), metric);
        }
        Ok(())
    }

    /// Records a parameter, which never changes.
    pub(super) fn param(&mut self, body: &Map<String, Value>) -> Result<(), ApiError> {
        let (key, value) = pair(body)?;
        match self.params.get(key) {
            Some(known) if known != value => Err(ApiError::invalid(format!(
                "Changing param values is not allowed. Param with key='{key}' was already logged with value='{known}'."
            ))),
            Some(_) => Ok(()),
            None => {
                room(self.params.len(), false, "parameters")?;
                self.params.insert(key.to_owned(), value.to_owned());
                Ok(())
            }
        }
    }

    pub(super) fn tag(&mut self, body: &Map<String, Value>) -> Result<(), ApiError> {
        let (key, value) = pair(body)?;
        room(self.tags.len(), self.tags.contains_key(key), "tags")?;
        self.tags.insert(key.to_owned(), value.to_owned());
        Ok(())
    }
}

fn pair(body: &Map<String, Value>) -> Result<(&str, &str), ApiError> {
    let value = body.get("value").and_then(Value::as_str);
    let value = value.ok_or_else(|| ApiError::invalid("Missing value for required parameter 'value'."))?;
    Ok((required_text(body, "key")?, value))
}

fn room(count: usize, is_known: bool, what: &str) -> Result<(), ApiError> {
    if is_known || count < MOST_ENTRIES { Ok(()) } else { Err(full(MOST_ENTRIES, what)) }
}

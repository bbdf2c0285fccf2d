//! The endpoints of a workspace: what each serves, and the update that is under way.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{config::entities, seed};
use crate::{
    error::ApiError,
    phase::Phase,
    tenant::{ServiceState, Tenant, USER_NAME},
};

const MOST_ENDPOINTS: usize = 1000;
/// Lines of a log.
const LINES_KEPT: usize = 1000;
/// How long an update that is due counts as under way if it isn't read.
const UNSEEN_MS: u64 = 1000;
/// Bytes of one line.
const LONGEST_LINE: usize = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Step {
    InProgress,
    Ended,
}

/// A configuration on its way into service.
#[derive(Serialize, Deserialize)]
struct Update {
    config: Value,
    phase: Phase<Step>,
    failure: Option<String>,
    started_ms: u64,
    due_ms: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Endpoint {
    /// What doesn't depend on the configuration.
    head: Map<String, Value>,
    tags: Vec<Value>,
    config: Option<Value>,
    update: Option<Update>,
    versions: u64,
    answered: u64,
    lines: VecDeque<String>,
}

#[derive(Serialize, Deserialize)]
pub(in crate::routes) struct Endpoints(BTreeMap<String, Endpoint>);

impl ServiceState for Mutex<Endpoints> {
    fn fresh(tenant: &Tenant) -> Self {
        let seeds = seed::endpoints().into_iter().enumerate().map(|(n, (name, task, entity))| {
            let head = Map::from_iter([("name".to_owned(), json!(name)), ("task".to_owned(), json!(task))]);
            let mut endpoint =
                Endpoint::new(&format!("{:032x}", tenant.workspace_id + n as u64), head, tenant.opened_ms);
            let routes = json!([{ "served_model_name": entity["name"], "served_entity_name": entity["name"],
                "traffic_percentage": 100 }]);
            let config = json!({ "served_entities": [entity], "traffic_config": { "routes": routes } });
            endpoint.versions = 1;
            endpoint.serve(config);
            (name.to_owned(), endpoint)
        });
        Mutex::new(Endpoints(seeds.collect()))
    }
}

impl Endpoints {
    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Endpoint> {
        self.0.values_mut()
    }

    pub(super) fn find(&mut self, name: &str) -> Result<&mut Endpoint, ApiError> {
        self.0.get_mut(name).ok_or_else(|| missing(name))
    }

    pub(super) fn add(&mut self, endpoint: Endpoint) -> Result<&mut Endpoint, ApiError> {
        let name = endpoint.head["name"].as_str().unwrap_or_default().to_owned();
        if self.0.contains_key(&name) {
            let text = format!("Endpoint with name '{name}' already exists.");
            return Err(ApiError::new(StatusCode::CONFLICT, "RESOURCE_ALREADY_EXISTS", text));
        }
        if self.0.len() >= MOST_ENDPOINTS {
            let text = format!("The workspace has {MOST_ENDPOINTS} endpoints, and no more are possible.");
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "RESOURCE_LIMIT_EXCEEDED", text));
        }
        Ok(self.0.entry(name).or_insert(endpoint))
    }

    pub(super) fn remove(&mut self, name: &str) -> Result<(), ApiError> {
        self.0.remove(name).map(drop).ok_or_else(|| missing(name))
    }
}

fn missing(name: &str) -> ApiError {
    ApiError::not_found(format!("Endpoint with name '{name}' does not exist."))
}

impl Endpoint {
    /// An endpoint that serves nothing.
    pub(super) fn new(id: &str, mut head: Map<String, Value>, now_ms: u64) -> Self {
        let more = json!({
            "id": id,
            "creator": USER_NAME,
            "creation_timestamp": now_ms,
            "last_updated_timestamp": now_ms,
            "permission_level": "CAN_MANAGE",
            "endpoint_type": "SANDBOX",
        });
        head.extend(more.as_object().cloned().unwrap_or_default());
        head.retain(|_, value| !value.is_null());
        let tags = head.remove("tags").and_then(|tags| tags.as_array().cloned()).unwrap_or_default();
        Self { head, tags, config: None, update: None, versions: 0, answered: 0, lines: VecDeque::new() }
    }

    /// Starts an update, which ends in failure for the reason that is given.
    pub(super) fn update(
        &mut self,
        mut config: Value,
        failure: Option<String>,
        now_ms: u64,
        delay_ms: u64,
    ) -> Result<(), ApiError> {
        if self.is_over(now_ms) {
            // It ends even if it was never read.
            self.read(now_ms);
            self.read(now_ms);
        }
        if self.is_updating() {
            let text = "Endpoint is being updated: wait until config_update is no longer IN_PROGRESS.";
            return Err(ApiError::new(StatusCode::CONFLICT, "RESOURCE_CONFLICT", text));
        }
        self.versions += 1;
        config["config_version"] = json!(self.versions);
        self.head.insert("last_updated_timestamp".to_owned(), json!(now_ms));
        let due_ms = now_ms.saturating_add(delay_ms);
        let phase = Phase::passing(Step::InProgress, Step::Ended, due_ms);
        self.update = Some(Update { config, phase, failure, started_ms: now_ms, due_ms });
        Ok(())
    }

    /// Whether an update is under way.
    fn is_updating(&self) -> bool {
        self.update.as_ref().is_some_and(|update| update.phase.peek() == Step::InProgress)
    }

    /// Whether an update has been due for a while.
    fn is_over(&self, now_ms: u64) -> bool {
        self.update.as_ref().is_some_and(|update| now_ms >= update.due_ms.saturating_add(UNSEEN_MS))
    }

    /// Moves the update on.
    fn read(&mut self, now_ms: u64) {
        let Some(update) = &mut self.update else { return };
        if update.phase.read(now_ms).0 == Step::Ended && update.failure.is_none() {
            let config = std::mem::take(&mut update.config);
            self.update = None;
            self.serve(config);
        }
    }

    fn serve(&mut self, mut config: Value) {
        set_states(&mut config, "DEPLOYMENT_READY", "");
        config["config_version"] = json!(self.versions);
        self.config = Some(config);
    }

    pub(super) fn shown(&mut self, now_ms: u64) -> Value {
        self.read(now_ms);
        let mut shown = self.head.clone();
        if !self.tags.is_empty() {
            shown.insert("tags".to_owned(), json!(self.tags));
        }
        let update = match &self.update {
            None => "NOT_UPDATING",
            Some(Update { config, failure, started_ms, phase, .. }) => {
                let mut pending = config.clone();
                let (state, update) = match (phase.peek(), failure) {
                    (Step::Ended, Some(why)) => (("DEPLOYMENT_FAILED", why.as_str()), "UPDATE_FAILED"),
                    _ => (("DEPLOYMENT_CREATING", "Creating the container."), "IN_PROGRESS"),
                };
                set_states(&mut pending, state.0, state.1);
                pending["start_time"] = json!(started_ms);
                shown.insert("pending_config".to_owned(), pending);
                update
            }
        };
        let ready = if self.config.is_some() { "READY" } else { "NOT_READY" };
        shown.insert("state".to_owned(), json!({ "ready": ready, "config_update": update }));
        if let Some(config) = &self.config {
            shown.insert("config".to_owned(), config.clone());
        }
        Value::Object(shown)
    }

    /// As it is listed.
    pub(super) fn in_short(&mut self, now_ms: u64) -> Value {
        let mut shown = self.shown(now_ms);
        let kept = ["name", "entity_name", "entity_version", "external_model", "foundation_model"];
        if let Some(fields) = shown.as_object_mut() {
            fields.retain(|name, _| !["pending_config", "permission_level"].contains(&name.as_str()));
        }
        if let Some(config) = shown.get_mut("config").and_then(Value::as_object_mut) {
            config.retain(|name, _| name == "served_entities");
            let entities = config.get_mut("served_entities").and_then(Value::as_array_mut);
            for fields in entities.into_iter().flatten().filter_map(Value::as_object_mut) {
                fields.retain(|name, _| kept.contains(&name.as_str()));
            }
        }
        shown
    }

    /// The entity that answers a request; `lot` is a number below 100.
    pub(super) fn chosen(&mut self, now_ms: u64, lot: u64) -> Option<Value> {
        self.read(now_ms);
        let config = self.config.as_ref()?;
        let mut below = 0;
        let routes = config["traffic_config"]["routes"].as_array()?;
        let route = routes.iter().find(|route| {
            below += route["traffic_percentage"].as_u64().unwrap_or_default();
            lot < below
        })?;
        self.answered += 1;
        entities(config).iter().find(|entity| entity["name"] == route["served_entity_name"]).cloned()
    }

    /// Why the last update failed.
    pub(super) fn failure(&self) -> Option<&str> {
        self.update.as_ref()?.failure.as_deref()
    }

    pub(super) fn answered(&self) -> u64 {
        self.answered
    }

    /// Keeps what a model has printed.
    pub(super) fn note(&mut self, printed: &str) {
        let lines = printed.lines().map(|line| line.chars().take(LONGEST_LINE).collect::<String>());
        self.lines.extend(lines);
        let gone = self.lines.len().saturating_sub(LINES_KEPT);
        self.lines.drain(..gone);
    }

    /// The log of one of its entities.
    pub(super) fn log(&self, entity: &str) -> Result<String, ApiError> {
        let pending = self.update.as_ref().map(|update| &update.config);
        let mut all = self.config.iter().chain(pending).flat_map(entities);
        if all.all(|known| known["name"] != entity) {
            return Err(ApiError::not_found(format!("Served entity '{entity}' does not exist.")));
        }
        Ok(self.lines.iter().map(|line| format!("{line}\n")).collect())
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.head.insert(name.to_owned(), value);
    }

    pub(super) fn tags(&mut self) -> &mut Vec<Value> {
        &mut self.tags
    }
}

fn set_states(config: &mut Value, deployment: &str, message: &str) {
    for entity in config["served_entities"].as_array_mut().into_iter().flatten() {
        entity["state"] = json!({ "deployment": deployment, "deployment_state_message": message });
    }
}

//! The pipelines of a workspace in memory, with their updates and events. An update moves on when its pipeline is read.

use std::collections::VecDeque;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    run::Failure,
    seed,
    update::{State, Update},
};
use crate::{
    call::Call,
    clock::{millis, rfc3339},
    error::ApiError,
    phase::Phase,
    tenant::{ServiceState, Tenant, USER_NAME},
};

/// How many updates of a pipeline are kept.
const UPDATES_KEPT: usize = 100;
/// How many events of a pipeline are kept.
const EVENTS_KEPT: usize = 1000;

/// How long an update stays in each of its states.
pub(super) fn delay_ms(call: &Call) -> u64 {
    millis(call.server.options.delays.update)
}

/// A pipeline.
#[derive(Serialize, Deserialize)]
pub(super) struct Pipeline {
    pub(super) id: String,
    pub(super) spec: Value,
    pub(super) modified_ms: u64,
    /// The oldest first.
    updates: VecDeque<Update>,
    /// The oldest first.
    pub(super) events: VecDeque<Value>,
    noted: u64,
}

impl Pipeline {
    pub(super) fn new(id: &str, mut spec: Value, now_ms: u64) -> Self {
        spec["id"] = json!(id);
        let (updates, events) = (VecDeque::new(), VecDeque::new());
        Self { id: id.to_owned(), spec, modified_ms: now_ms, updates, events, noted: 0 }
    }

    /// The update that has not ended.
    pub(super) fn active(&self) -> Option<&Update> {
        self.updates.back().filter(|update| !update.phase.peek().has_ended())
    }

    pub(super) fn add(&mut self, update: Update, now_ms: u64) {
        let (id, state) = (update.id.clone(), update.phase.peek());
        if self.updates.len() == UPDATES_KEPT {
            self.updates.pop_front();
        }
        self.updates.push_back(update);
        self.note(&id, "create_update", "INFO", &format!("Update {id} started by API call."), None, now_ms);
        self.progress(&id, state, now_ms);
    }

    /// Moves the active update on, and records what happened.
    pub(super) fn read(&mut self, call: &Call) {
        let (now_ms, delay_ms) = (call.now_ms(), delay_ms(call));
        let Some(update) = self.updates.back_mut().filter(|update| !update.phase.peek().has_ended()) else {
            return;
        };
        let (state, changed, failure) = update.read(now_ms, delay_ms);
        let id = update.id.clone();
        if let Some(Failure { statement, message }) = failure {
            let class = "org.apache.spark.sql.AnalysisException";
            let error = json!({ "fatal": true, "exceptions": [{ "class_name": class, "message": message }] });
            let text = match statement.is_empty() {
                true => "The update could not read its source code.".to_owned(),
                false => format!("Failed to run: {statement}"),
            };
            self.note(&id, "flow_progress", "ERROR", &text, Some(error), now_ms);
        }
        if changed {
            self.progress(&id, state, now_ms);
            // A request that only reads doesn't say so itself.
            call.tenant.changed();
        }
    }

    pub(super) fn stop(&mut self, call: &Call) {
        self.read(call);
        let (now_ms, delay_ms) = (call.now_ms(), delay_ms(call));
        let Some(update) = self.updates.back_mut().filter(|update| !update.phase.peek().has_ended()) else {
            return;
        };
        if update.phase.peek() != State::Stopping {
            if let Some(task) = update.task.take() {
                task.abort();
            }
            update.phase = Phase::passing(State::Stopping, State::Canceled, now_ms.saturating_add(delay_ms));
            let id = update.id.clone();
            self.progress(&id, State::Stopping, now_ms);
        }
    }

    fn progress(&mut self, update_id: &str, state: State, now_ms: u64) {
        let level = if state == State::Failed { "ERROR" } else { "INFO" };
        let text = format!("Update {update_id} is {}.", state.name());
        self.note(update_id, "update_progress", level, &text, None, now_ms);
    }

    fn note(
        &mut self,
        update_id: &str,
        kind: &str,
        level: &str,
        text: &str,
        error: Option<Value>,
        now_ms: u64,
    ) {
        self.noted += 1;
        let mut event = json!({
            "id": format!("{update_id}-{}", self.noted),
            "sequence": { "control_plane_seq_no": 1_700_000_000_000_000_000_u64 + self.noted },
            "origin": { "cloud": "AWS", "region": "us-west-2", "pipeline_id": self.id, "update_id": update_id,
                "pipeline_name": self.spec["name"], "pipeline_type": "WORKSPACE" },
            "timestamp": rfc3339(now_ms),
            "message": text,
            "level": level,
            "event_type": kind,
            "maturity_level": "STABLE",
            "details": {},
        });
        if let Some(error) = error {
            event["error"] = error;
        }
        if self.events.len() == EVENTS_KEPT {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// All updates, the newest first.
    pub(super) fn all_updates(&mut self, call: &Call) -> Vec<Value> {
        self.read(call);
        let shown = |update: &Update| {
            let mut shown = update.request.clone();
            shown.remove("development");
            shown.entry("cause").or_insert(json!("API_CALL"));
            for (name, value) in [
                ("update_id", json!(update.id)),
                ("pipeline_id", json!(self.id)),
                ("state", json!(update.phase.peek().name())),
                ("creation_time", json!(update.created_ms)),
                ("config", self.spec.clone()),
                ("mode", json!("DEFAULT")),
                ("update_type", json!("STANDARD")),
            ] {
                shown.insert(name.to_owned(), value);
            }
            Value::Object(shown)
        };
        self.updates.iter().rev().map(shown).collect()
    }

    fn state(&self) -> &'static str {
        match self.active().map(|update| update.phase.peek()) {
            None => "IDLE",
            Some(State::Created | State::Waiting | State::Initializing) => "STARTING",
            Some(State::Resetting) => "RESETTING",
            Some(State::Stopping) => "STOPPING",
            Some(_) => "RUNNING",
        }
    }

    /// As in a list: without its settings.
    pub(super) fn listed(&mut self, call: &Call) -> Value {
        self.read(call);
        let latest: Vec<Value> = self.updates.iter().rev().take(5).map(Update::brief).collect();
        let is_broken = self.updates.back().is_some_and(|update| update.phase.peek() == State::Failed);
        let mut shown = json!({
            "pipeline_id": self.id,
            "name": self.spec["name"],
            "state": self.state(),
            "creator_user_name": USER_NAME,
            "run_as_user_name": USER_NAME,
            "health": if is_broken { "UNHEALTHY" } else { "HEALTHY" },
        });
        if !latest.is_empty() {
            shown["latest_updates"] = Value::Array(latest);
        }
        shown
    }

    pub(super) fn shown(&mut self, call: &Call) -> Value {
        let mut shown = self.listed(call);
        shown["spec"] = self.spec.clone();
        shown["last_modified"] = json!(self.modified_ms);
        shown["effective_publishing_mode"] = json!("DEFAULT_PUBLISHING_MODE");
        shown["run_as"] = json!({ "user_name": USER_NAME });
        shown
    }
}

/// The pipelines of a workspace, the oldest first.
#[derive(Serialize, Deserialize)]
pub(in crate::routes) struct Pipelines(pub(super) Vec<Pipeline>);

impl ServiceState for Mutex<Pipelines> {
    fn fresh(tenant: &Tenant) -> Self {
        let seeds = seed::pipelines().into_iter();
        Mutex::new(Pipelines(seeds.map(|(id, spec)| Pipeline::new(id, spec, tenant.opened_ms)).collect()))
    }
}

impl Pipelines {
    pub(super) fn at(&self, id: &str) -> Result<usize, ApiError> {
        let at = self.0.iter().position(|pipeline| pipeline.id == id);
        at.ok_or_else(|| ApiError::not_found(format!("The specified pipeline {id} was not found.")))
    }

    pub(super) fn find(&mut self, id: &str) -> Result<&mut Pipeline, ApiError> {
        let at = self.at(id)?;
        Ok(&mut self.0[at])
    }
}

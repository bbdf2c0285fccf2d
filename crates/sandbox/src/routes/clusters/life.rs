//! The life cycle of a cluster: which calls are allowed in which state, and which events are recorded.

use std::collections::VecDeque;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

mod adjust;
mod define;

use super::seed::{self, Seed, cloud_failure};
use crate::{
    error::ApiError,
    phase::Phase,
    tenant::{ServiceState, Tenant, USER_NAME},
};

/// How many clusters a workspace has at most.
const MOST: usize = 1000;
/// How many events of a cluster are kept; the oldest are forgotten.
const EVENTS_KEPT: usize = 1000;

/// When a change happens, and how long it takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now_ms: u64,
    pub(super) delay_ms: u64,
}

impl Moment {
    fn due_ms(self) -> u64 {
        self.now_ms.saturating_add(self.delay_ms)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum State {
    Pending,
    Running,
    Resizing,
    Restarting,
    Terminating,
    Terminated,
}

impl State {
    /// Whether code can run on the cluster.
    fn is_up(self) -> bool {
        matches!(self, Self::Running | Self::Resizing)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Resizing => "RESIZING",
            Self::Restarting => "RESTARTING",
            Self::Terminating => "TERMINATING",
            Self::Terminated => "TERMINATED",
        }
    }

    /// As the messages of `INVALID_STATE` spell it.
    fn spoken(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Resizing => "Resizing",
            Self::Restarting => "Restarting",
            Self::Terminating => "Terminating",
            Self::Terminated => "Terminated",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Cluster {
    record: Map<String, Value>,
    phase: Phase<State>,
    start_fails: bool,
    /// The idempotency token it was created with; it counts until the cluster terminates.
    token: Option<String>,
    /// How often it has come up: what is installed on it doesn't survive that.
    starts: u64,
    events: VecDeque<Value>,
}

impl Cluster {
    fn id(&self) -> String {
        self.record.get("cluster_id").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn set(&mut self, key: &str, value: Value) {
        self.record.insert(key.to_owned(), value);
    }

    fn note(&mut self, kind: &str, now_ms: u64, details: Value) {
        let event = json!({ "cluster_id": self.id(), "timestamp": now_ms, "type": kind, "details": details });
        if self.events.len() == EVENTS_KEPT {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// The state at `now_ms`; records a change of it.
    fn read(&mut self, now_ms: u64) -> State {
        let before = self.phase.peek();
        let (state, changed) = self.phase.read(now_ms);
        match state {
            State::Running if changed && before == State::Resizing => {
                self.set("state_message", json!(""));
                let workers = json!({ "current_num_workers": self.record.get("num_workers") });
                self.note("UPSIZE_COMPLETED", now_ms, workers);
            }
            State::Running if changed => {
                self.starts += 1;
                self.set("state_message", json!(""));
                self.set("last_restarted_time", json!(now_ms));
                self.set("last_state_loss_time", json!(now_ms));
                self.note(
                    "RUNNING",
                    now_ms,
                    json!({ "current_num_workers": self.record.get("num_workers") }),
                );
            }
            State::Terminated if changed => {
                self.token = None;
                self.set("terminated_time", json!(now_ms));
                if !self.record.contains_key("termination_reason") {
                    // No request asked for it: the start failed.
                    self.set("termination_reason", cloud_failure());
                    self.set("state_message", json!("The cloud could not give the instances asked for."));
                    self.note("ADD_NODES_FAILED", now_ms, json!({ "reason": cloud_failure() }));
                }
            }
            _ => {}
        }
        state
    }

    fn shown(&mut self, now_ms: u64) -> Value {
        let state = self.read(now_ms);
        let mut record = self.record.clone();
        record.insert("state".to_owned(), json!(state.name()));
        if !state.is_up() {
            for key in ["driver", "executors", "cluster_memory_mb", "cluster_cores", "jdbc_port"] {
                record.remove(key);
            }
        }
        Value::Object(record)
    }

    fn unexpected(&mut self, now_ms: u64) -> ApiError {
        let state = self.read(now_ms).spoken();
        ApiError::invalid_state(format!("Cluster {} is in unexpected state {state}.", self.id()))
    }
}

/// The clusters of a workspace, in the order they were made.
#[derive(Serialize, Deserialize)]
pub(in super::super) struct Clusters(Vec<Cluster>);

impl ServiceState for Mutex<Clusters> {
    fn fresh(tenant: &Tenant) -> Self {
        let clusters =
            seed::clusters(tenant.opened_ms).into_iter().map(|Seed { mut record, running, start_fails }| {
                record.entry("state_message").or_insert(json!(""));
                let created = record.get("start_time").and_then(Value::as_u64).unwrap_or_default();
                let phase = Phase::lasting(if running { State::Running } else { State::Terminated });
                let mut cluster =
                    Cluster { record, phase, start_fails, token: None, starts: 0, events: VecDeque::new() };
                cluster.note("CREATING", created, json!({ "user": USER_NAME }));
                cluster
            });
        Mutex::new(Clusters(clusters.collect()))
    }
}

impl Clusters {
    fn find(&mut self, id: &str) -> Result<&mut Cluster, ApiError> {
        let found =
            self.0.iter_mut().find(|cluster| cluster.record.get("cluster_id").is_some_and(|own| own == id));
        found.ok_or_else(|| ApiError::invalid(format!("Cluster {id} does not exist")))
    }

    /// Every cluster, and the ids of those that aren't running.
    pub(super) fn list(&mut self, now_ms: u64) -> (Vec<Value>, Vec<String>) {
        let shown = self.0.iter_mut().map(|cluster| cluster.shown(now_ms)).collect();
        let stopped = self.0.iter().filter(|cluster| !cluster.phase.peek().is_up());
        (shown, stopped.map(Cluster::id).collect())
    }

    /// A cluster, and whether it isn't running.
    pub(super) fn show(&mut self, id: &str, now_ms: u64) -> Result<(Value, bool), ApiError> {
        let cluster = self.find(id)?;
        let shown = cluster.shown(now_ms);
        Ok((shown, !cluster.phase.peek().is_up()))
    }

    /// Fails unless the cluster can run commands.
    pub(in super::super) fn require_running(&mut self, id: &str, now_ms: u64) -> Result<(), ApiError> {
        match self.find(id)?.read(now_ms) {
            state if state.is_up() => Ok(()),
            _ => {
                Err(ApiError::invalid_state(format!("ClusterNotReadyException: cluster {id} is not running")))
            }
        }
    }

    /// Whether there is such a cluster; doesn't count as showing it.
    pub(in super::super) fn has(&self, id: &str) -> bool {
        self.0.iter().any(|cluster| cluster.record.get("cluster_id").is_some_and(|own| own == id))
    }

    /// How often a cluster has come up, if it is up.
    pub(in super::super) fn session(&mut self, id: &str, now_ms: u64) -> Result<Option<u64>, ApiError> {
        let cluster = self.find(id)?;
        let is_up = cluster.read(now_ms).is_up();
        Ok(is_up.then_some(cluster.starts))
    }

    pub(super) fn start(&mut self, id: &str, at: Moment) -> Result<(), ApiError> {
        let cluster = self.find(id)?;
        if cluster.read(at.now_ms) != State::Terminated {
            return Err(cluster.unexpected(at.now_ms));
        }
        let becomes = if cluster.start_fails { State::Terminated } else { State::Running };
        cluster.phase = Phase::passing(State::Pending, becomes, at.due_ms());
        cluster.set("start_time", json!(at.now_ms));
        cluster.set(
            "state_message",
            json!("Finding instances for new nodes, acquiring more instances if necessary"),
        );
        for key in ["terminated_time", "termination_reason"] {
            cluster.record.remove(key);
        }
        cluster.note("STARTING", at.now_ms, json!({ "user": USER_NAME }));
        Ok(())
    }

    pub(super) fn restart(&mut self, id: &str, at: Moment) -> Result<(), ApiError> {
        let cluster = self.find(id)?;
        if cluster.read(at.now_ms) != State::Running {
            return Err(cluster.unexpected(at.now_ms));
        }
        cluster.phase = Phase::passing(State::Restarting, State::Running, at.due_ms());
        cluster.set("state_message", json!("Restarting"));
        cluster.note("RESTARTING", at.now_ms, json!({ "user": USER_NAME }));
        Ok(())
    }

    /// Terminates a cluster. A no-op when it is terminated or terminating.
    pub(super) fn terminate(&mut self, id: &str, at: Moment) -> Result<(), ApiError> {
        let cluster = self.find(id)?;
        if matches!(cluster.read(at.now_ms), State::Terminated | State::Terminating) {
            return Ok(());
        }
        cluster.phase = Phase::passing(State::Terminating, State::Terminated, at.due_ms());
        let reason = json!({
            "code": "USER_REQUEST", "type": "SUCCESS", "parameters": { "username": USER_NAME },
        });
        cluster.set("state_message", json!("Terminating"));
        cluster.set("termination_reason", reason.clone());
        cluster.note("TERMINATING", at.now_ms, json!({ "reason": reason, "user": USER_NAME }));
        Ok(())
    }

    pub(super) fn forget(&mut self, id: &str) -> Result<(), ApiError> {
        self.find(id)?;
        self.0.retain(|cluster| cluster.id() != id);
        Ok(())
    }

    pub(super) fn events(&mut self, id: &str, now_ms: u64) -> Result<Vec<Value>, ApiError> {
        let cluster = self.find(id)?;
        cluster.read(now_ms);
        Ok(cluster.events.iter().cloned().collect())
    }
}

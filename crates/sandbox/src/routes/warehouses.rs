//! SQL warehouses: list, get, start, stop, and the start that a statement causes.

use axum::extract::Path;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::page::page;
use super::{Answer, done};
use crate::call::Call;
use crate::clock::millis;
use crate::error::ApiError;
use crate::state::{Phase, lock};

pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/api/2.0/sql/warehouses", get(list))
        .route("/api/2.0/sql/warehouses/{id}", get(get_one))
        .route("/api/2.0/sql/warehouses/{id}/start", post(start))
        .route("/api/2.0/sql/warehouses/{id}/stop", post(stop))
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Stopped,
    Starting,
    Running,
    Stopping,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Stopped => "STOPPED",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
        }
    }
}

struct Warehouse {
    record: Map<String, Value>,
    phase: Phase<State>,
}

impl Warehouse {
    fn start(&mut self, now_ms: u64, delay_ms: u64) {
        if matches!(self.phase.peek(), State::Stopped | State::Stopping) {
            self.phase = Phase::passing(State::Starting, State::Running, now_ms + delay_ms);
        }
    }

    fn stop(&mut self, now_ms: u64, delay_ms: u64) {
        if matches!(self.phase.peek(), State::Running | State::Starting) {
            self.phase = Phase::passing(State::Stopping, State::Stopped, now_ms + delay_ms);
        }
    }

    fn shown(&mut self, now_ms: u64) -> Value {
        let (state, _) = self.phase.read(now_ms);
        let running = state == State::Running;
        let mut record = self.record.clone();
        record.insert("state".to_owned(), json!(state.name()));
        record.insert("num_clusters".to_owned(), json!(u8::from(running)));
        record.insert("num_active_sessions".to_owned(), json!(0));
        record.insert("health".to_owned(), if running { json!({ "status": "HEALTHY" }) } else { json!({}) });
        Value::Object(record)
    }
}

/// The warehouses of a workspace, in the order they were made.
pub(crate) struct Warehouses(Vec<Warehouse>);

impl Warehouses {
    pub(crate) fn new(seeds: Vec<(Value, bool)>) -> Self {
        let warehouses = seeds.into_iter().filter_map(|(record, running)| match record {
            Value::Object(record) => {
                let state = if running { State::Running } else { State::Stopped };
                Some(Warehouse { record, phase: Phase::lasting(state) })
            }
            _ => None,
        });
        Self(warehouses.collect())
    }

    fn find(&mut self, id: &str) -> Result<&mut Warehouse, ApiError> {
        // The service tells an id that cannot be one (400) from one it doesn't know (404).
        if id.len() != 16 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ApiError::invalid(format!("{id} is not a valid endpoint id.")));
        }
        let found =
            self.0.iter_mut().find(|warehouse| warehouse.record.get("id").is_some_and(|own| own == id));
        found.ok_or_else(|| ApiError::not_found(format!("SQL warehouse {id} does not exist.")))
    }

    /// Starts a stopped warehouse for a statement.
    pub(crate) fn wake(&mut self, id: &str, now_ms: u64, delay_ms: u64) -> Result<(), ApiError> {
        self.find(id)?.start(now_ms, delay_ms);
        Ok(())
    }

    /// Whether a statement can run; `None` if the warehouse was stopped meanwhile.
    pub(crate) fn is_running(&mut self, id: &str, now_ms: u64) -> Option<bool> {
        match self.find(id).ok()?.phase.read(now_ms).0 {
            State::Running => Some(true),
            State::Starting => Some(false),
            State::Stopped | State::Stopping => None,
        }
    }
}

async fn list(call: Call) -> Answer {
    let now_ms = call.now_ms();
    let all = lock(&call.tenant.warehouses).0.iter_mut().map(|warehouse| warehouse.shown(now_ms)).collect();
    let (warehouses, next) = page(&call, all, "warehouses", 100)?;
    let mut answer = json!({ "warehouses": warehouses });
    if let Some(token) = next {
        answer["next_page_token"] = json!(token);
    }
    Ok(Json(answer))
}

async fn get_one(Path(id): Path<String>, call: Call) -> Answer {
    let now_ms = call.now_ms();
    Ok(Json(lock(&call.tenant.warehouses).find(&id)?.shown(now_ms)))
}

async fn start(Path(id): Path<String>, call: Call) -> Answer {
    let delay_ms = millis(call.server.options.delays.warehouse);
    lock(&call.tenant.warehouses).find(&id)?.start(call.now_ms(), delay_ms);
    done()
}

async fn stop(Path(id): Path<String>, call: Call) -> Answer {
    let delay_ms = millis(call.server.options.delays.warehouse);
    lock(&call.tenant.warehouses).find(&id)?.stop(call.now_ms(), delay_ms);
    done()
}

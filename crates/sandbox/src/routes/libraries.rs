//! Libraries on clusters. Nothing is installed: the states pass as they do in the service.
//!
//! Chosen without a source that says what the service does: that each state takes as long as the others, and that a
//! library fails whose name or path has the word `missing`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::clusters::life::Clusters;
use crate::{
    call::{Answer, Call, Routes, done, required_text},
    clock::millis,
    error::ApiError,
    lock::lock,
    phase::Phase,
    tenant::{ServiceState, Tenant},
};

/// How long a library is PENDING, RESOLVING, and INSTALLING.
pub(super) const DELAY: Duration = Duration::from_millis(100);

/// How many libraries a cluster has at most.
const MOST: usize = 1000;

/// What a library can be.
const KINDS: [&str; 6] = ["pypi", "maven", "cran", "jar", "whl", "requirements"];

pub(super) fn routes() -> Routes {
    let path = |name: &str| format!("/api/2.0/libraries/{name}");
    Router::new()
        .route(&path("install"), post(install))
        .route(&path("uninstall"), post(uninstall))
        .route(&path("cluster-status"), get(of_cluster))
        .route(&path("all-cluster-statuses"), get(of_all))
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum State {
    Pending,
    Resolving,
    Installing,
    Installed,
    Failed,
    UninstallOnRestart,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Resolving => "RESOLVING",
            Self::Installing => "INSTALLING",
            Self::Installed => "INSTALLED",
            Self::Failed => "FAILED",
            Self::UninstallOnRestart => "UNINSTALL_ON_RESTART",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Library {
    spec: Value,
    phase: Phase<State>,
    /// The start of the cluster that it was or is being installed after, if the cluster was up.
    session: Option<u64>,
}

impl Library {
    fn is_missing(&self) -> bool {
        self.spec.to_string().contains("missing")
    }

    /// The state at this time, for a cluster in this session.
    fn read(&mut self, session: Option<u64>, now_ms: u64, delay_ms: u64) -> State {
        let due_ms = now_ms.saturating_add(delay_ms);
        if session != self.session {
            // The cluster has started or terminated since.
            self.session = session;
            self.phase = match session {
                Some(_) => Phase::passing(State::Pending, State::Resolving, due_ms),
                None => Phase::lasting(State::Pending),
            };
        }
        let (state, changed) = self.phase.read(now_ms);
        if changed {
            let next = match state {
                State::Resolving => Some(State::Installing),
                State::Installing if self.is_missing() => Some(State::Failed),
                State::Installing => Some(State::Installed),
                _ => None,
            };
            if let Some(next) = next {
                self.phase = Phase::passing(state, next, due_ms);
                // It is being shown now.
                self.phase.read(now_ms);
            }
        }
        state
    }

    fn shown(&self, state: State) -> Value {
        let mut shown =
            json!({ "library": self.spec, "status": state.name(), "is_library_for_all_clusters": false });
        if state == State::Failed {
            shown["messages"] = json!(["Library installation failed: no such package or file."]);
        }
        shown
    }
}

/// The libraries by cluster.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Libraries(BTreeMap<String, Vec<Library>>);

impl ServiceState for Mutex<Libraries> {
    fn fresh(_: &Tenant) -> Self {
        Self::default()
    }
}

impl Libraries {
    /// The libraries of a cluster as the service shows them.
    fn show(&mut self, id: &str, session: Option<u64>, now_ms: u64, delay_ms: u64) -> Vec<Value> {
        let Some(all) = self.0.get_mut(id) else { return vec![] };
        all.retain(|library| library.phase.peek() != State::UninstallOnRestart || library.session == session);
        all.iter_mut()
            .map(|library| {
                let state = library.read(session, now_ms, delay_ms);
                library.shown(state)
            })
            .collect()
    }
}

fn libraries(call: &Call) -> Arc<Mutex<Libraries>> {
    call.tenant.state()
}

/// How often a cluster has come up, if it is up.
fn session(call: &Call, id: &str) -> Result<Option<u64>, ApiError> {
    lock(&call.tenant.state::<Mutex<Clusters>>()).session(id, call.now_ms())
}

/// The cluster and the libraries that a body names.
fn named(body: &Map<String, Value>) -> Result<(&str, &Vec<Value>), ApiError> {
    let id = required_text(body, "cluster_id")?;
    let libraries = body.get("libraries").and_then(Value::as_array).filter(|all| !all.is_empty());
    let libraries = libraries.ok_or_else(|| ApiError::invalid("Missing required field: libraries"))?;
    for library in libraries {
        let kinds: Vec<_> = library.as_object().into_iter().flat_map(Map::keys).collect();
        match kinds[..] {
            [kind] if KINDS.contains(&kind.as_str()) => {}
            [kind] if kind == "egg" => {
                return Err(ApiError::invalid(
                    "Egg libraries are not supported on this runtime. Use wheels.",
                ));
            }
            _ => return Err(ApiError::invalid(format!("A library must be one of {}", KINDS.join(", ")))),
        }
    }
    Ok((id, libraries))
}

async fn install(call: Call) -> Answer {
    let body = call.json()?;
    let (id, new) = named(&body)?;
    session(&call, id)?;
    let libraries = libraries(&call);
    let mut known = lock(&libraries);
    {
        let clusters = call.tenant.state::<Mutex<Clusters>>();
        let clusters = lock(&clusters);
        known.0.retain(|id, _| clusters.has(id));
    }
    let all = known.0.entry(id.to_owned()).or_default();
    for spec in new {
        let count = all.len();
        match all.iter_mut().find(|library| library.spec == *spec) {
            Some(library) if library.phase.peek() != State::UninstallOnRestart => {}
            // A session that never was: the next reading starts the installation.
            Some(library) => {
                (library.session, library.phase) = (Some(u64::MAX), Phase::lasting(State::Pending))
            }
            None if count >= MOST => {
                return Err(ApiError::invalid(format!("The cluster has {MOST} libraries already.")));
            }
            None => all.push(Library {
                spec: spec.clone(),
                phase: Phase::lasting(State::Pending),
                session: Some(u64::MAX),
            }),
        }
    }
    done()
}

async fn uninstall(call: Call) -> Answer {
    let body = call.json()?;
    let (id, gone) = named(&body)?;
    let session = session(&call, id)?;
    let libraries = libraries(&call);
    let mut known = lock(&libraries);
    let Some(all) = known.0.get_mut(id) else { return done() };
    match session {
        None => all.retain(|library| !gone.contains(&library.spec)),
        Some(_) => {
            for library in all.iter_mut().filter(|library| gone.contains(&library.spec)) {
                (library.session, library.phase) = (session, Phase::lasting(State::UninstallOnRestart));
            }
        }
    }
    done()
}

fn delay_ms(call: &Call) -> u64 {
    millis(call.server.options.delays.library)
}

async fn of_cluster(call: Call) -> Answer {
    let id = call.required_query("cluster_id")?;
    let session = session(&call, id)?;
    let shown = lock(&libraries(&call)).show(id, session, call.now_ms(), delay_ms(&call));
    let mut answer = json!({ "cluster_id": id });
    if !shown.is_empty() {
        answer["library_statuses"] = Value::Array(shown);
    }
    Ok(Json(answer))
}

async fn of_all(call: Call) -> Answer {
    let ids: Vec<String> = lock(&libraries(&call)).0.keys().cloned().collect();
    let mut statuses = Vec::new();
    for id in ids {
        // A cluster that was deleted has none any more.
        let Ok(session) = session(&call, &id) else { continue };
        let shown = lock(&libraries(&call)).show(&id, session, call.now_ms(), delay_ms(&call));
        if !shown.is_empty() {
            statuses.push(json!({ "cluster_id": id, "library_statuses": shown }));
        }
    }
    Ok(Json(if statuses.is_empty() { json!({}) } else { json!({ "statuses": statuses }) }))
}

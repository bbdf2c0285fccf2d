//! Execution contexts of API 1.2: create, status, destroy. Each context has a task that runs its commands.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

pub(super) mod command;
pub(super) mod context;
pub(super) mod python;
pub(super) mod questions;
mod sql;
mod worker;

use context::{Context, ContextStatus, NO_EXEC};
use worker::work;

use super::clusters::life::Clusters;
use crate::{
    call::{Answer, Call, Routes, required_text},
    clock::millis,
    error::ApiError,
    lock::lock,
    tenant::{ServiceState, Tenant},
};

/// How long a context is Pending.
pub(super) const DELAY: Duration = Duration::ZERO;

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/1.2/contexts/create", post(create))
        .route("/api/1.2/contexts/status", get(status))
        .route("/api/1.2/contexts/destroy", post(destroy))
}

const LANGUAGES: [&str; 4] = ["python", "sql", "scala", "r"];

pub(super) fn known_language(language: &str) -> Result<&str, ApiError> {
    if LANGUAGES.contains(&language) {
        return Ok(language);
    }
    Err(ApiError::invalid(format!("Unknown language: {language}. Known are python, scala, sql and r")))
}

/// The contexts of a workspace. The lock of the clusters is taken before this one: a context is created, and the contexts of
/// a cluster are closed, while the cluster's state can't change.
#[derive(Default)]
pub(super) struct Contexts(Mutex<HashMap<String, Arc<Context>>>);

impl ServiceState for Contexts {
    fn fresh(_: &Tenant) -> Self {
        Self::default()
    }
}

impl Contexts {
    /// Ends the contexts of a cluster that stops.
    pub(super) fn close_cluster(&self, cluster_id: &str) {
        for (_, context) in lock(&self.0).extract_if(|_, context| context.cluster_id == cluster_id) {
            context.close();
        }
    }
}

impl Drop for Contexts {
    fn drop(&mut self) {
        lock(&self.0).values().for_each(|context| context.close());
    }
}

/// Opens a context; it is Pending until its interpreter takes commands.
async fn create(call: Call) -> Answer {
    let body = call.json()?;
    let cluster_id = required_text(&body, "clusterId")?;
    let language = known_language(required_text(&body, "language")?)?.to_owned();
    let id = (0..2).map(|_| call.server.hex(16)).filter_map(|hex| u64::from_str_radix(&hex, 16).ok());
    let id = id.fold(String::new(), |text, number| text + &number.to_string());
    let due_ms = call.now_ms().saturating_add(millis(call.server.options.delays.context));
    let (context, waiting) = Context::new(id.clone(), cluster_id, due_ms);
    let context = Arc::new(context);
    if language == "python" && call.server.options.no_exec {
        context.fail(NO_EXEC.to_owned());
    }
    let (clusters, contexts) = (call.tenant.state::<Mutex<Clusters>>(), call.tenant.state::<Contexts>());
    {
        let mut clusters = lock(&clusters);
        clusters.require_running(cluster_id, call.now_ms())?;
        lock(&contexts.0).insert(id.clone(), context.clone());
    }
    tokio::spawn(async move {
        tokio::select! {
            () = context.closed() => {}
            () = work(&call.server, &call.tenant, &context, &language, waiting) => {}
        }
    });
    Ok(Json(json!({ "id": id })))
}

fn require_running(call: &Call, cluster_id: &str) -> Result<(), ApiError> {
    lock(&call.tenant.state::<Mutex<Clusters>>()).require_running(cluster_id, call.now_ms())
}

/// The context a request names.
pub(super) fn find(call: &Call, cluster_id: &str, context_id: &str) -> Result<Arc<Context>, ApiError> {
    require_running(call, cluster_id)?;
    let found = lock(&call.tenant.state::<Contexts>().0).get(context_id).cloned();
    found.filter(|context| context.cluster_id == cluster_id).ok_or_else(|| {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "",
            format!("ContextNotFound: context {context_id} does not exist"),
        )
    })
}

async fn status(call: Call) -> Answer {
    let context = find(&call, call.required_query("clusterId")?, call.required_query("contextId")?)?;
    let status = match context.status(call.now_ms()) {
        ContextStatus::Pending => "Pending",
        ContextStatus::Running => "Running",
        ContextStatus::Error => "Error",
    };
    let mut answer = json!({ "id": context.id, "status": status });
    if let Some(why) = context.trouble() {
        answer["message"] = json!(why);
    }
    Ok(Json(answer))
}

async fn destroy(call: Call) -> Answer {
    let body = call.json()?;
    let context = find(&call, required_text(&body, "clusterId")?, required_text(&body, "contextId")?)?;
    lock(&call.tenant.state::<Contexts>().0).remove(&context.id);
    context.close();
    Ok(Json(json!({ "id": context.id })))
}

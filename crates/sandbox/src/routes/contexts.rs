//! Execution contexts of API 1.2: create, status, destroy.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use super::Answer;
use super::clusters::require_running;
use crate::call::{Call, required_text};
use crate::context::{Context, ContextStatus};
use crate::error::ApiError;

pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
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

async fn create(call: Call) -> Answer {
    let body = call.json()?;
    let cluster_id = required_text(&body, "clusterId")?;
    let language = known_language(required_text(&body, "language")?)?;
    require_running(&call, cluster_id)?;
    let id = call.tenant.contexts.open(&call.server, &call.tenant, cluster_id, language);
    Ok(Json(json!({ "id": id })))
}

/// The context a request names.
pub(super) fn find(call: &Call, cluster_id: &str, context_id: &str) -> Result<Arc<Context>, ApiError> {
    require_running(call, cluster_id)?;
    call.tenant.contexts.find(cluster_id, context_id).ok_or_else(|| {
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
    call.tenant.contexts.destroy(&context);
    Ok(Json(json!({ "id": context.id })))
}

//! The paths the sandbox answers. One file per service; adding a service adds a file and a line here.

use std::sync::Arc;

use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::server::{Server, pipeline};

pub(crate) mod clusters;
mod commands;
mod contexts;
mod control;
mod oauth;
mod page;
pub(crate) mod statements;
mod users;
pub(crate) mod warehouses;

pub(crate) use oauth::ACCOUNT_ID;

/// What a handler returns.
type Answer = Result<Json<Value>, ApiError>;

fn done() -> Answer {
    Ok(Json(json!({})))
}

pub(crate) fn router(server: Arc<Server>) -> Router {
    Router::new()
        .merge(clusters::routes())
        .merge(commands::routes())
        .merge(contexts::routes())
        .merge(control::routes())
        .merge(oauth::routes())
        .merge(statements::routes())
        .merge(users::routes())
        .merge(warehouses::routes())
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(from_fn_with_state(server.clone(), pipeline))
        .with_state(server)
}

/// A path or a method nobody answers.
async fn unknown(method: Method, uri: Uri) -> Response {
    let path = uri.path();
    for version in ["/api/2.0", "/api/2.1"] {
        if let Some(rest) = path.strip_prefix(version) {
            let message = format!("No API found for '{method} {rest}'");
            return ApiError::new(StatusCode::NOT_FOUND, "ENDPOINT_NOT_FOUND", message).into_response();
        }
    }
    if path.starts_with("/api/") {
        let body = json!({ "error": format!("Bad Target: {path}") });
        return (StatusCode::NOT_FOUND, Json(body)).into_response();
    }
    ApiError::gateway(StatusCode::NOT_FOUND, "Not Found").into_response()
}

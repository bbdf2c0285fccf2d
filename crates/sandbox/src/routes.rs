//! The paths that the sandbox answers.

use std::sync::Arc;

use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::json;

use crate::{
    call::Routes, delays::Delays, error::ApiError, pipeline::pipeline, server::Server, services::services,
};

pub(crate) mod kept;

macro_rules! routes {
    ($($service:ident $(: $delay:ident)?),* $(,)?) => {
        $(pub(crate) mod $service;)*

        fn routes() -> Routes {
            Router::new()$(.merge($service::routes()))*
        }

        impl Default for Delays {
            fn default() -> Self {
                Self { $($($delay: $service::DELAY,)?)* }
            }
        }
    };
}

services!(routes);

pub(crate) fn router(server: Arc<Server>) -> Router {
    routes()
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(from_fn_with_state(server.clone(), pipeline))
        .with_state(server)
}

/// The answer to a path or a method that no service has.
async fn unknown(method: Method, uri: Uri) -> Response {
    let path = uri.path();
    for version in ["/api/2.0", "/api/2.1", "/api/2.2"] {
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

//! The token endpoint and the documents that lead to it. Nothing here asks for a token.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::auth::client_credentials;
use crate::error::ApiError;
use crate::server::Server;

/// The account the workspaces belong to.
pub(crate) const ACCOUNT_ID: &str = "5f2c0f5e-3a8d-4b1c-9a77-0d1e2f3a4b5c";

pub(super) fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/.well-known/databricks-config", get(host_metadata))
        .route("/oidc/.well-known/oauth-authorization-server", get(workspace_metadata))
        .route("/oidc/accounts/{account_id}/.well-known/oauth-authorization-server", get(account_metadata))
        .route("/oidc/v1/token", post(workspace_token))
        .route("/oidc/accounts/{account_id}/v1/token", post(account_token))
}

async fn host_metadata(State(server): State<Arc<Server>>) -> Json<Value> {
    Json(json!({
        "oidc_endpoint": format!("{}/oidc", server.url),
        "account_id": ACCOUNT_ID,
        "cloud": "aws",
        "host_type": "WORKSPACE",
    }))
}

async fn workspace_metadata(State(server): State<Arc<Server>>) -> Json<Value> {
    metadata(&format!("{}/oidc", server.url))
}

async fn account_metadata(State(server): State<Arc<Server>>, Path(account_id): Path<String>) -> Json<Value> {
    metadata(&format!("{}/oidc/accounts/{account_id}", server.url))
}

fn metadata(base: &str) -> Json<Value> {
    Json(json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/v1/authorize"),
        "token_endpoint": format!("{base}/v1/token"),
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": ["all-apis", "offline_access"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }))
}

async fn workspace_token(state: State<Arc<Server>>, headers: HeaderMap, form: TokenForm) -> Response {
    token(&state, &headers, form).into_response()
}

async fn account_token(
    state: State<Arc<Server>>,
    Path(account_id): Path<String>,
    headers: HeaderMap,
    form: TokenForm,
) -> Response {
    if account_id != ACCOUNT_ID {
        return ApiError::oauth(StatusCode::NOT_FOUND, "invalid_request", "Account not found")
            .into_response();
    }
    token(&state, &headers, form).into_response()
}

type TokenForm = Result<Form<HashMap<String, String>>, axum::extract::rejection::FormRejection>;

fn token(server: &Server, headers: &HeaderMap, form: TokenForm) -> Result<Response, ApiError> {
    let refuse = |code, text: &str| ApiError::oauth(StatusCode::BAD_REQUEST, code, text);
    let Form(form) = form.map_err(|_| refuse("invalid_request", "The body is not a form"))?;
    match form.get("grant_type").map(String::as_str) {
        Some("client_credentials") => {}
        Some(_) => return Err(refuse("unsupported_grant_type", "The grant type is not supported")),
        None => return Err(refuse("invalid_request", "grant_type is missing")),
    }
    let scope = form.get("scope").map_or("all-apis", String::as_str);
    if scope.split(' ').any(|part| !matches!(part, "all-apis" | "offline_access")) {
        return Err(refuse("invalid_scope", "The requested scope is not known"));
    }
    let Some((id, secret)) = client_credentials(headers, &form) else {
        return Err(ApiError::oauth(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "No client authentication given",
        ));
    };
    let token = format!("eyJ0eXAiOiJhdCtqd3QifQ.{}.{}", server.hex(64), server.hex(64));
    let lifetime = server.options.token_ttl;
    server.directory.issue(&id, &secret, token.clone(), server.now_ms(), lifetime)?;
    let body = json!({
        "access_token": token,
        "scope": scope,
        "token_type": "Bearer",
        "expires_in": lifetime.as_secs(),
    });
    Ok(([(header::CACHE_CONTROL, "no-cache, no-store")], Json(body)).into_response())
}

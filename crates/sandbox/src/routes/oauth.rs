//! The OAuth server: its discovery documents, the login page and the token endpoint. None of its paths requires a
//! token, and none gives one without a proof: the login code, a client's secret, or a signed identity.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use account::ACCOUNT_ID;

use crate::{call::Routes, server::Server};

pub(crate) mod account;
mod authorize;
mod logins;
mod token;
pub(crate) mod workload;

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/.well-known/databricks-config", get(host_metadata))
        .route("/oidc/.well-known/oauth-authorization-server", get(workspace_metadata))
        .route("/oidc/accounts/{account_id}/.well-known/oauth-authorization-server", get(account_metadata))
        .route("/oidc/v1/authorize", get(authorize::in_workspace).post(authorize::in_workspace))
        .route(
            "/oidc/accounts/{account_id}/v1/authorize",
            get(authorize::in_account).post(authorize::in_account),
        )
        .route("/oidc/v1/token", post(token::of_workspace))
        .route("/oidc/accounts/{account_id}/v1/token", post(token::of_account))
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
        "response_types_supported": ["code"],
        "grant_types_supported":
            ["authorization_code", "client_credentials", "refresh_token", token::TOKEN_EXCHANGE],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["all-apis", "offline_access"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
    }))
}

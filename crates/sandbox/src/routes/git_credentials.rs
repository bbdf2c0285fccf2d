//! Git credentials, without their tokens: there is no network to use them in.
//!
//! Chosen without a source: the first credential for a provider is its default, and a service principal has none of its
//! own.

use std::sync::Mutex;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::{
    call::{Answer, Call, Routes, done, required_text},
    error::ApiError,
    lock::lock,
    tenant::{ServiceState, Tenant, kept},
};

const MOST: usize = 1000;

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/2.0/git-credentials", get(list).post(create))
        .route("/api/2.0/git-credentials/{id}", delete(remove))
}

/// The credentials of a workspace.
#[derive(Default)]
pub(super) struct Credentials(Mutex<Vec<Map<String, Value>>>);

impl ServiceState for Credentials {
    fn fresh(_: &Tenant) -> Self {
        Self::default()
    }
}

kept!(Credentials);

async fn list(call: Call) -> Answer {
    let credentials = call.tenant.state::<Credentials>();
    let known = lock(&credentials.0);
    // What is empty is left out.
    Ok(Json(if known.is_empty() { json!({}) } else { json!({ "credentials": *known }) }))
}

async fn create(call: Call) -> Answer {
    let mut body = call.json()?;
    let provider = required_text(&body, "git_provider")?.to_owned();
    body.remove("personal_access_token");
    body.remove("principal_id");
    let credentials = call.tenant.state::<Credentials>();
    let mut known = lock(&credentials.0);
    if known.len() >= MOST {
        let message = "There are too many Git credentials";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "RESOURCE_LIMIT_EXCEEDED", message));
    }
    let is_first = !known.iter().any(|other| other.get("git_provider").is_some_and(|own| *own == provider));
    body.insert("credential_id".to_owned(), json!(call.server.new_id()));
    body.insert("is_default_for_provider".to_owned(), json!(is_first));
    known.push(body.clone());
    Ok(Json(Value::Object(body)))
}

async fn remove(Path(id): Path<String>, call: Call) -> Answer {
    let credentials = call.tenant.state::<Credentials>();
    let mut known = lock(&credentials.0);
    let before = known.len();
    let wanted = id.parse::<i64>().ok();
    known.retain(|credential| {
        wanted.is_none() || credential.get("credential_id").and_then(Value::as_i64) != wanted
    });
    match known.len() < before {
        true => done(),
        false => Err(ApiError::not_found(format!("Git credential {id} does not exist."))),
    }
}

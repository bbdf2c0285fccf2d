//! What a handler gets: the caller and the request, read leniently and refused with the service's messages.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::{Json, Router};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::{auth::Principal, error::ApiError, fault::kind::Paging, server::Server, tenant::Tenant};

/// The routes of a service.
pub(crate) type Routes = Router<Arc<Server>>;

/// What a handler returns.
pub(crate) type Answer = Result<Json<Value>, ApiError>;

/// An empty object.
pub(crate) fn done() -> Answer {
    Ok(Json(json!({})))
}

/// A request with its caller.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) server: Arc<Server>,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) principal: Principal,
    pub(crate) query: Arc<Vec<(String, String)>>,
    pub(crate) body: Bytes,
    /// What a fault does to the page of a list.
    pub(crate) paging: Option<Paging>,
}

impl Call {
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The values of a list: its key is repeated.
    pub(crate) fn query_list(&self, name: &str) -> Vec<&str> {
        self.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn required_query(&self, name: &str) -> Result<&str, ApiError> {
        match self.query(name) {
            Some(value) if !value.is_empty() => Ok(value),
            _ => Err(ApiError::invalid(format!("Missing required field: {name}"))),
        }
    }

    /// The body as a JSON object; an empty body is an empty object.
    pub(crate) fn json(&self) -> Result<Map<String, Value>, ApiError> {
        if self.body.is_empty() {
            return Ok(Map::new());
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "MALFORMED_REQUEST",
                "Invalid JSON given in the body of the request - failed to parse given JSON",
            )),
        }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.server.now_ms()
    }
}

/// A required text field of a JSON body.
pub(crate) fn required_text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, ApiError> {
    match body.get(name).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(ApiError::invalid(format!("Missing required field: {name}"))),
    }
}

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Call>().cloned().ok_or_else(|| ApiError::internal("the request has no caller"))
    }
}

//! Model serving endpoints, whose models really answer: an echo, a chat, embeddings, and functions of Python.
//!
//! An entity named `….py` is such a function: a file of this machine by its `file:` URL or one of the workspace's. It has
//! `predict(request)`, which takes the request as Python data and returns the answer; what isn't a dict becomes the
//! answer's `predictions`. An external model or a foundation model answers by its task, `sandbox.models.broken` is never
//! deployed, and any other model is an echo of its rows.
//!
//! Chosen without a source that says what the service does: that an endpoint that isn't ready answers a query with 400,
//! what is left of a failed update, and the texts of logs. Nothing scales to zero.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

mod config;
pub(super) mod endpoint;
mod model;
pub(crate) mod seed;

use endpoint::{Endpoint, Endpoints};

use crate::{
    call::{Answer, Call, Routes, done, required_text},
    clock::millis,
    error::ApiError,
    lock::lock,
};

/// How long an update of an endpoint is IN_PROGRESS.
pub(super) const DELAY: Duration = Duration::from_millis(200);

pub(super) fn routes() -> Routes {
    let path = |rest: &str| format!("/api/2.0/serving-endpoints{rest}");
    Router::new()
        .route(&path(""), get(list).post(create))
        .route(&path("/{name}"), get(get_one).delete(delete))
        .route(&path("/{name}/config"), put(update_config))
        .route(&path("/{name}/tags"), patch(update_tags))
        .route(&path("/{name}/ai-gateway"), put(put_gateway))
        .route(&path("/{name}/openapi"), get(open_api))
        .route(&path("/{name}/metrics"), get(metrics))
        .route(&path("/{name}/served-models/{entity}/logs"), get(logs))
        .route(&path("/{name}/served-models/{entity}/build-logs"), get(build_logs))
        .route("/serving-endpoints/{name}/invocations", post(query))
}

fn endpoints(call: &Call) -> Arc<Mutex<Endpoints>> {
    call.tenant.state()
}

fn delay_ms(call: &Call) -> u64 {
    millis(call.server.options.delays.endpoint)
}

async fn list(call: Call) -> Answer {
    let now_ms = call.now_ms();
    let all: Vec<Value> = lock(&endpoints(&call)).all().map(|endpoint| endpoint.in_short(now_ms)).collect();
    Ok(Json(if all.is_empty() { json!({}) } else { json!({ "endpoints": all }) }))
}

async fn get_one(Path(name): Path<String>, call: Call) -> Answer {
    Ok(Json(lock(&endpoints(&call)).find(&name)?.shown(call.now_ms())))
}

async fn create(call: Call) -> Answer {
    let mut body = call.json()?;
    let name = required_text(&body, "name")?.to_owned();
    let is_good = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !is_good || name.len() > 63 {
        return Err(ApiError::invalid(format!(
            "Endpoint name '{name}' is invalid: use alphanumeric characters, dashes and underscores, at most 63."
        )));
    }
    let config = match body.remove("config") {
        Some(Value::Object(config)) => Some(config::read(&config, call.now_ms())?),
        _ => None,
    };
    let failure = match &config {
        Some(config) => model::failure(&call, config),
        None => None,
    };
    let mut endpoint = Endpoint::new(&call.server.hex(32), body, call.now_ms());
    if let Some(config) = config {
        endpoint.update(config, failure, call.now_ms(), delay_ms(&call))?;
    }
    let endpoints = endpoints(&call);
    let mut known = lock(&endpoints);
    Ok(Json(known.add(endpoint)?.shown(call.now_ms())))
}

async fn update_config(Path(name): Path<String>, call: Call) -> Answer {
    let config = config::read(&call.json()?, call.now_ms())?;
    let failure = model::failure(&call, &config);
    let endpoints = endpoints(&call);
    let mut known = lock(&endpoints);
    let endpoint = known.find(&name)?;
    endpoint.update(config, failure, call.now_ms(), delay_ms(&call))?;
    Ok(Json(endpoint.shown(call.now_ms())))
}

async fn delete(Path(name): Path<String>, call: Call) -> Answer {
    lock(&endpoints(&call)).remove(&name)?;
    done()
}

async fn update_tags(Path(name): Path<String>, call: Call) -> Answer {
    let body = call.json()?;
    let list = |name: &str| body.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let endpoints = endpoints(&call);
    let mut known = lock(&endpoints);
    let tags = known.find(&name)?.tags();
    let (added, deleted) = (list("add_tags"), list("delete_tags"));
    tags.retain(|tag| !deleted.contains(&tag["key"]) && added.iter().all(|new| new["key"] != tag["key"]));
    tags.extend(added);
    Ok(Json(json!({ "tags": tags })))
}

async fn put_gateway(Path(name): Path<String>, call: Call) -> Answer {
    let settings = Value::Object(call.json()?);
    lock(&endpoints(&call)).find(&name)?.set("ai_gateway", settings.clone());
    Ok(Json(settings))
}

/// The log of a served entity.
async fn logs(Path((name, entity)): Path<(String, String)>, call: Call) -> Answer {
    Ok(Json(json!({ "logs": lock(&endpoints(&call)).find(&name)?.log(&entity)? })))
}

async fn build_logs(Path((name, entity)): Path<(String, String)>, call: Call) -> Answer {
    let endpoints = endpoints(&call);
    let mut known = lock(&endpoints);
    let endpoint = known.find(&name)?;
    endpoint.log(&entity)?;
    let end = endpoint.failure().map_or_else(|| "Done.".to_owned(), |why| format!("ERROR: {why}"));
    Ok(Json(json!({ "logs": format!("Building the container of {entity}.\n{end}\n") })))
}

/// A file whose type tells nothing.
fn file(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/octet-stream")], text).into_response()
}

async fn open_api(Path(name): Path<String>, call: Call) -> Result<Response, ApiError> {
    lock(&endpoints(&call)).find(&name)?;
    let path = format!("/serving-endpoints/{name}/invocations");
    let operation = json!({ "post": { "responses": { "200": { "description": "The answer" } } } });
    let document = json!({ "openapi": "3.1.0", "info": { "title": name, "version": "1" }, "paths": { path: operation } });
    Ok(file(document.to_string()))
}

async fn metrics(Path(name): Path<String>, call: Call) -> Result<Response, ApiError> {
    let count = lock(&endpoints(&call)).find(&name)?.answered();
    let labels = format!("{{endpoint_name=\"{name}\"}}");
    Ok(file(format!("# TYPE request_count_total counter\nrequest_count_total{labels} {count}\n")))
}

async fn query(Path(name): Path<String>, call: Call) -> Result<Response, ApiError> {
    let body = call.json()?;
    let entity = {
        let endpoints = endpoints(&call);
        let mut known = lock(&endpoints);
        let endpoint = known.find(&name).map_err(|_| {
            ApiError::not_found("The given endpoint does not exist, please retry after checking the specified model and version deployment exists.")
        })?;
        let lot = u64::from_str_radix(&call.server.hex(8), 16).unwrap_or_default() % 100;
        endpoint.chosen(call.now_ms(), lot).ok_or_else(|| {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "BAD_REQUEST",
                format!("Endpoint {name} is not ready to serve requests."),
            )
        })?
    };
    let (answer, printed) = model::answer(&call, &entity, &body).await?;
    if let Ok(endpoint) = lock(&endpoints(&call)).find(&name) {
        endpoint.note(&printed);
    }
    let mut headers = HeaderMap::new();
    if let Some(entity) = entity["name"].as_str().and_then(|name| name.parse().ok()) {
        headers.insert("served-model-name", entity);
    }
    Ok(match is_streamed(&body) {
        true => {
            (headers, [(header::CONTENT_TYPE, "text/event-stream")], model::in_parts(&answer)).into_response()
        }
        false => (headers, Json(answer)).into_response(),
    })
}

fn is_streamed(body: &Map<String, Value>) -> bool {
    body.get("stream") == Some(&Value::Bool(true)) && body.contains_key("messages")
}

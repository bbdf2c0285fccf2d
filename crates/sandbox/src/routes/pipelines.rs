//! Pipelines, their updates and their events. An update whose libraries are SQL files runs their statements on the engine;
//! any other does nothing and completes.
//!
//! Chosen without a source that says what the service does: the order of states, the codes of refusals, and that a
//! pipeline is `IDLE` after a failure.

use std::time::Duration;

use axum::extract::Path;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

mod events;
mod request;
mod run;
pub(crate) mod seed;
mod settings;
pub(super) mod state;
mod update;

use request::{listed, pipelines};
use state::delay_ms;
use update::Update;

use crate::{
    call::{Answer, Call, Routes, done},
    error::ApiError,
    lock::lock,
    page::page_by,
};

/// How long an update stays in each of its states.
pub(super) const DELAY: Duration = Duration::from_millis(100);

pub(super) fn routes() -> Routes {
    let path = |rest: &str| format!("/api/2.0/pipelines{rest}");
    Router::new()
        .route(&path(""), get(list).post(settings::create))
        .route(&path("/{id}"), get(get_one).put(settings::edit).delete(settings::delete))
        .route(&path("/{id}/updates"), get(updates).post(start))
        .route(&path("/{id}/updates/{update}"), get(one_update))
        .route(&path("/{id}/stop"), post(stop))
        .route(&path("/{id}/events"), get(events::list))
}

async fn list(call: Call) -> Answer {
    let filter = call.query("filter").unwrap_or_default().to_owned();
    let wanted = settings::Filter::parse(&filter)?;
    let all = {
        let pipelines = pipelines(&call);
        let mut known = lock(&pipelines);
        let chosen = known.0.iter_mut().rev().filter(|pipeline| wanted.takes(pipeline));
        chosen.map(|pipeline| pipeline.listed(&call)).collect()
    };
    let (page, next) = page_by(&call, "max_results", all, &filter, 100)?;
    Ok(Json(listed("statuses", page, next)))
}

async fn get_one(Path(id): Path<String>, call: Call) -> Answer {
    let pipelines = pipelines(&call);
    let mut known = lock(&pipelines);
    Ok(Json(known.find(&id)?.shown(&call)))
}

async fn start(Path(id): Path<String>, call: Call) -> Answer {
    Ok(Json(json!({ "update_id": start_now(&call, &id, call.json()?)? })))
}

/// Starts an update, and returns its id.
pub(super) fn start_now(call: &Call, id: &str, request: Map<String, Value>) -> Result<String, ApiError> {
    let (now_ms, delay_ms) = (call.now_ms(), delay_ms(call));
    let pipelines = pipelines(call);
    let mut known = lock(&pipelines);
    let pipeline = known.find(id)?;
    pipeline.read(call);
    if let Some(active) = pipeline.active() {
        return Err(ApiError::new(
            axum::http::StatusCode::CONFLICT,
            "CONFLICT",
            format!("An active update {} already exists.", active.id),
        ));
    }
    let update_id = call.server.uuid();
    let mut update = Update::new(&update_id, request, now_ms, delay_ms);
    if update.request.get("validate_only") == Some(&json!(true)) {
        update.succeed();
    } else {
        update.drive(run::spawn(call, pipeline.spec.clone(), update.result()));
    }
    pipeline.add(update, now_ms);
    Ok(update_id)
}

async fn stop(Path(id): Path<String>, call: Call) -> Answer {
    let pipelines = pipelines(&call);
    let mut known = lock(&pipelines);
    known.find(&id)?.stop(&call);
    done()
}

/// Stops this update if it is the active one.
pub(super) fn stop_update(call: &Call, id: &str, update: &str) {
    let pipelines = pipelines(call);
    let mut known = lock(&pipelines);
    if let Ok(pipeline) = known.find(id)
        && pipeline.active().is_some_and(|active| active.id == update)
    {
        pipeline.stop(call);
    }
}

async fn updates(Path(id): Path<String>, call: Call) -> Answer {
    let all = {
        let pipelines = pipelines(&call);
        let mut known = lock(&pipelines);
        known.find(&id)?.all_updates(&call)
    };
    let (page, next) = page_by(&call, "max_results", all, &id, 100)?;
    Ok(Json(listed("updates", page, next)))
}

async fn one_update(Path((id, update)): Path<(String, String)>, call: Call) -> Answer {
    Ok(Json(json!({ "update": read(&call, &id, &update)? })))
}

fn read(call: &Call, id: &str, update: &str) -> Result<Value, ApiError> {
    let pipelines = pipelines(call);
    let mut known = lock(&pipelines);
    let all = known.find(id)?.all_updates(call);
    let found = all.into_iter().find(|one| one["update_id"] == update);
    found.ok_or_else(|| ApiError::not_found(format!("The specified update {update} was not found.")))
}

/// The state of an update, as the API names it.
pub(super) fn state_of(call: &Call, id: &str, update: &str) -> Result<String, ApiError> {
    Ok(read(call, id, update)?["state"].as_str().unwrap_or_default().to_owned())
}

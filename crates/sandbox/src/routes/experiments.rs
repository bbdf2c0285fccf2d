//! MLflow experiments and their runs. A metric keeps its latest value only, and files of runs are not stored.
//!
//! Chosen without a source that says what the service does: the artifact locations, and which filters are refused.

use std::sync::{Arc, Mutex};

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

mod filter;
pub(super) mod record;

use record::{Experiments, Run};

use super::registry::{compared, fits};
use crate::{
    call::{Answer, Call, Routes, done, required_text},
    error::ApiError,
    lock::lock,
    page::page_by,
};

const IN_PAGE: usize = 50_000;

pub(super) fn routes() -> Routes {
    let path = |rest: &str| format!("/api/2.0/mlflow/{rest}");
    Router::new()
        .route(&path("experiments/create"), post(create))
        .route(&path("experiments/get"), get(get_one))
        .route(&path("experiments/get-by-name"), get(get_by_name))
        .route(&path("experiments/search"), post(search))
        .route(&path("runs/create"), post(create_run))
        .route(&path("runs/get"), get(get_run))
        .route(&path("runs/update"), post(update_run))
        .route(&path("runs/search"), post(search_runs))
        .route(&path("runs/log-metric"), post(log_metric))
        .route(&path("runs/log-parameter"), post(log_param))
        .route(&path("runs/log-batch"), post(log_batch))
        .route(&path("runs/set-tag"), post(set_tag))
}

fn experiments(call: &Call) -> Arc<Mutex<Experiments>> {
    call.tenant.state()
}

async fn create(call: Call) -> Answer {
    let body = call.json()?;
    let name = required_text(&body, "name")?;
    let id = 1_000_000_000_000_000 + u64::from_str_radix(&call.server.hex(12), 16).unwrap_or_default();
    lock(&experiments(&call)).add(&id.to_string(), name, &body, call.now_ms())?;
    Ok(Json(json!({ "experiment_id": id.to_string() })))
}

async fn get_one(call: Call) -> Answer {
    let id = call.required_query("experiment_id")?;
    Ok(Json(json!({ "experiment": lock(&experiments(&call)).find("experiment_id", id)? })))
}

async fn get_by_name(call: Call) -> Answer {
    let name = call.required_query("experiment_name")?;
    Ok(Json(json!({ "experiment": lock(&experiments(&call)).find("name", name)? })))
}

/// A page of what was found; size and token are in the body.
fn listed(call: &Call, body: &Map<String, Value>, key: &str, all: Vec<Value>, filter: &str) -> Answer {
    let text = |name: &str| match body.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let query = ["max_results", "page_token"].map(|name| (name.to_owned(), text(name)));
    let call = Call { query: Arc::new(query.to_vec()), ..call.clone() };
    let (page, next) = page_by(&call, "max_results", all, filter, IN_PAGE)?;
    let mut answer = Map::new();
    if !page.is_empty() {
        answer.insert(key.to_owned(), Value::Array(page));
    }
    if let Some(next) = next {
        answer.insert("next_page_token".to_owned(), json!(next));
    }
    Ok(Json(Value::Object(answer)))
}

async fn search(call: Call) -> Answer {
    let body = call.json()?;
    let filter = body.get("filter").and_then(Value::as_str).unwrap_or_default();
    let wanted = if filter.is_empty() { None } else { Some(compared(filter, "name")?) };
    let all = lock(&experiments(&call)).all();
    let found = all
        .into_iter()
        .filter(|one| wanted.is_none_or(|wanted| fits(one["name"].as_str().unwrap_or_default(), wanted)));
    listed(&call, &body, "experiments", found.collect(), filter)
}

async fn create_run(call: Call) -> Answer {
    let body = call.json()?;
    let id = call.server.hex(32);
    let experiments = experiments(&call);
    let mut experiments = lock(&experiments);
    let run = experiments.start(&id, &body, call.now_ms())?;
    Ok(Json(json!({ "run": run.shown() })))
}

async fn get_run(call: Call) -> Answer {
    let id = call.query("run_id").or_else(|| call.query("run_uuid")).unwrap_or_default();
    Ok(Json(json!({ "run": lock(&experiments(&call)).run(id)?.shown() })))
}

async fn update_run(call: Call) -> Answer {
    let body = call.json()?;
    let experiments = experiments(&call);
    let mut experiments = lock(&experiments);
    let run = experiments.run(id_of(&body)?)?;
    run.update(&body)?;
    Ok(Json(json!({ "run_info": run.shown()["info"] })))
}

async fn search_runs(call: Call) -> Answer {
    let body = call.json()?;
    let ids = body.get("experiment_ids").and_then(Value::as_array).cloned().unwrap_or_default();
    let filter = body.get("filter").and_then(Value::as_str).unwrap_or_default();
    let wanted = filter::parse(filter)?;
    let all = lock(&experiments(&call)).runs(&ids);
    let found = all.into_iter().filter(|run| wanted.iter().all(|comparison| comparison.fits(run)));
    listed(&call, &body, "runs", found.collect(), &format!("{ids:?} {filter}"))
}

fn id_of(body: &Map<String, Value>) -> Result<&str, ApiError> {
    required_text(body, "run_id").or_else(|missing| required_text(body, "run_uuid").map_err(|_| missing))
}

/// Records something of the run that a request names.
fn record(call: &Call, note: impl FnOnce(&mut Run, &Map<String, Value>) -> Result<(), ApiError>) -> Answer {
    let body = call.json()?;
    let experiments = experiments(call);
    note(lock(&experiments).run(id_of(&body)?)?, &body)?;
    done()
}

async fn log_metric(call: Call) -> Answer {
    record(&call, |run, body| run.metric(body))
}

async fn log_param(call: Call) -> Answer {
    record(&call, |run, body| run.param(body))
}

async fn set_tag(call: Call) -> Answer {
    record(&call, |run, body| run.tag(body))
}

async fn log_batch(call: Call) -> Answer {
    record(&call, |run, body| {
        let list = |name: &str| {
            let list = body.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            list.iter().filter_map(Value::as_object)
        };
        list("params").try_for_each(|param| run.param(param))?;
        list("metrics").try_for_each(|metric| run.metric(metric))?;
        list("tags").try_for_each(|tag| run.tag(tag))
    })
}

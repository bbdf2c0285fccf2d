//! Jobs and their runs, whose tasks really run: Python, notebooks of Python and SQL, SQL files, conditions, other jobs.
//!
//! Chosen without a source that says what the service does: the codes of runs that didn't run, that a task value of an
//! unknown name stays as it is in a text, and the order of messages.

use std::time::Duration;

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

mod code;
mod done;
mod execute;
mod export;
mod for_each;
mod pace;
mod query;
mod record;
mod references;
mod request;
mod runs;
pub(crate) mod seed;
mod settings;
pub(super) mod source;
mod start;
pub(super) mod state;
pub(super) mod task;

use request::{jobs, listed, queried_id, required_id};
use settings::{items, text};
use start::Started;
use state::Job;

use crate::{
    call::{Answer, Call, Routes, done},
    error::ApiError,
    page::page_by,
};

/// How long a run is PENDING.
pub(super) const DELAY: Duration = Duration::from_millis(200);

pub(super) fn routes() -> Routes {
    let mut router = Router::new();
    for version in ["2.0", "2.1", "2.2"] {
        let path = |name: &str| format!("/api/{version}/jobs/{name}");
        router = router
            .route(&path("create"), post(create))
            .route(&path("list"), get(list))
            .route(&path("get"), get(get_one))
            .route(&path("update"), post(update))
            .route(&path("reset"), post(reset))
            .route(&path("delete"), post(delete))
            .route(&path("run-now"), post(run_now))
            .route(&path("runs/submit"), post(submit))
            .route(&path("runs/list"), get(runs::list))
            .route(&path("runs/get"), get(runs::get_one))
            .route(&path("runs/get-output"), get(runs::output))
            .route(&path("runs/cancel"), post(runs::cancel))
            .route(&path("runs/cancel-all"), post(runs::cancel_all))
            .route(&path("runs/repair"), post(runs::repair))
            .route(&path("runs/delete"), post(runs::delete))
            .route(&path("runs/export"), get(export::export));
    }
    router
}

async fn create(call: Call) -> Answer {
    let settings = settings::of_job(call.json()?)?;
    let id = call.server.new_id();
    jobs(&call).lock().add_job(Job { id, created_ms: call.now_ms(), settings });
    Ok(Json(json!({ "job_id": id })))
}

async fn list(call: Call) -> Answer {
    let wanted = call.query("name").map(str::to_lowercase);
    let expands = call.query("expand_tasks") == Some("true");
    let shown = |job: &Job| {
        let mut shown = job.to_json();
        if !expands {
            let settings = shown["settings"].as_object_mut();
            settings.map(|settings| ["tasks", "job_clusters"].map(|name| settings.remove(name)));
        }
        shown
    };
    let all: Vec<Value> = {
        let jobs = jobs(&call);
        let known = jobs.lock();
        let named = known.jobs.values().rev().filter(|job| {
            wanted.as_ref().is_none_or(|wanted| text(&job.settings, "name").to_lowercase() == *wanted)
        });
        named.map(shown).collect()
    };
    let filter = format!("jobs {wanted:?} {expands}");
    let (page, next) = page_by(&call, "limit", all, &filter, 100)?;
    Ok(Json(listed("jobs", page, next)))
}

async fn get_one(call: Call) -> Answer {
    let id = queried_id(&call, "job_id")?;
    Ok(Json(jobs(&call).lock().job(id)?.to_json()))
}

async fn update(call: Call) -> Answer {
    let body = call.json()?;
    let id = required_id(&body, "job_id")?;
    let removed: Vec<String> = items(&Value::Object(body.clone()), "fields_to_remove")
        .iter()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    let new = body.get("new_settings").and_then(Value::as_object).cloned().unwrap_or_default();
    let jobs = jobs(&call);
    let mut known = jobs.lock();
    let job = known.job_mut(id)?;
    job.settings = settings::update(&job.settings, &new, &removed)?;
    done()
}

async fn reset(call: Call) -> Answer {
    let body = call.json()?;
    let id = required_id(&body, "job_id")?;
    let Some(Value::Object(new)) = body.get("new_settings") else {
        return Err(ApiError::invalid("Missing required field: new_settings"));
    };
    let mut settings = settings::of_job(new.clone())?;
    let jobs = jobs(&call);
    let mut known = jobs.lock();
    let job = known.job_mut(id)?;
    if let (None, Some(run_as)) = (settings.get("run_as"), job.settings.get("run_as")) {
        settings["run_as"] = run_as.clone();
    }
    job.settings = settings;
    done()
}

async fn delete(call: Call) -> Answer {
    let id = required_id(&call.json()?, "job_id")?;
    let jobs = jobs(&call);
    let mut known = jobs.lock();
    known.job(id)?;
    known.jobs.retain(|_, job| job.id != id);
    done()
}

async fn run_now(call: Call) -> Answer {
    let body = call.json()?;
    let job_id = required_id(&body, "job_id")?;
    let Started { run, is_new } = start::of_job(&call, job_id, &Value::Object(body), 0)?;
    if is_new {
        execute::spawn(&call, run.clone());
    }
    Ok(Json(json!({ "run_id": run.id, "number_in_job": run.id })))
}

async fn submit(call: Call) -> Answer {
    let Started { run, is_new } = start::submitted(&call, call.json()?)?;
    if is_new {
        execute::spawn(&call, run.clone());
    }
    Ok(Json(json!({ "run_id": run.id })))
}

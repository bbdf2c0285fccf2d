//! Jobs and their runs, whose tasks really run: Python, notebooks of Python, SQL files, conditions, other jobs.
//!
//! Chosen without a source that says what the service does: the codes of runs that didn't run, that a task value of an
//! unknown name stays as it is in a text, and the order of messages.

use std::sync::Arc;
use std::time::Duration;

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

mod execute;
mod record;
mod references;
mod runs;
pub(crate) mod seed;
mod settings;
mod state;
mod task;

use record::{Progress, Run, Stage, TaskRun};
use settings::{items, text};
use state::{Job, Jobs, Known, new_id};

use crate::{
    call::{Answer, Call, Routes, done},
    error::ApiError,
    page::page_by,
};

/// How long a run is PENDING.
pub(super) const DELAY: Duration = Duration::from_millis(200);

/// The longest idempotency token.
const LONGEST_TOKEN: usize = 64;

/// Parameters of the old kind: one list for each kind of task.
const OLD_PARAMETERS: [&str; 8] = [
    "jar_params",
    "notebook_params",
    "python_params",
    "spark_submit_params",
    "python_named_params",
    "sql_params",
    "dbt_commands",
    "pipeline_params",
];

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
            .route(&path("runs/export"), get(runs::export));
    }
    router
}

fn jobs(call: &Call) -> Arc<Jobs> {
    call.tenant.state()
}

/// A required id of a JSON body.
fn required_id(body: &Map<String, Value>, name: &str) -> Result<i64, ApiError> {
    settings::id(body.get(name)).ok_or_else(|| ApiError::invalid(format!("Missing required field: {name}")))
}

/// A required id of the query.
fn queried_id(call: &Call, name: &str) -> Result<i64, ApiError> {
    let text = call.required_query(name)?;
    text.parse().map_err(|_| ApiError::invalid(format!("{name} is not a number: {text}")))
}

async fn create(call: Call) -> Answer {
    let settings = settings::of_job(call.json()?)?;
    let id = new_id(&call.server);
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

/// A page of a list; what is empty is left out.
fn listed(name: &str, page: Vec<Value>, next: Option<String>) -> Value {
    let mut answer = json!({ "has_more": next.is_some() });
    if !page.is_empty() {
        answer[name] = Value::Array(page);
    }
    if let Some(next) = next {
        answer["next_page_token"] = json!(next);
    }
    answer
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

/// The run that this token has started already.
fn started_before(known: &Known, body: &Map<String, Value>) -> Result<Option<i64>, ApiError> {
    let Some(token) = body.get("idempotency_token").and_then(Value::as_str).filter(|token| !token.is_empty())
    else {
        return Ok(None);
    };
    if token.chars().count() > LONGEST_TOKEN {
        let message = format!("idempotency_token must have at most {LONGEST_TOKEN} characters");
        return Err(ApiError::invalid(message));
    }
    match known.tokens.get(token) {
        Some(id) if known.runs.iter().any(|run| run.id == *id) => Ok(Some(*id)),
        Some(id) => Err(ApiError::invalid(format!("The run of this idempotency_token was deleted: {id}"))),
        None => Ok(None),
    }
}

/// Remembers what a token has started.
fn remember(known: &mut Known, body: &Map<String, Value>, run_id: i64) {
    if let Some(token) = body.get("idempotency_token").and_then(Value::as_str).filter(|t| !t.is_empty()) {
        known.tokens.insert(token.to_owned(), run_id);
    }
}

async fn run_now(call: Call) -> Answer {
    let body = call.json()?;
    let job_id = required_id(&body, "job_id")?;
    let run = start_job(&call, job_id, &Value::Object(body), 0)?;
    Ok(Json(json!({ "run_id": run.id, "number_in_job": run.id })))
}

/// Starts a run of a job, unless the request has a token that has started one.
fn start_job(call: &Call, job_id: i64, request: &Value, depth: u32) -> Result<Arc<Run>, ApiError> {
    let empty = Map::new();
    let body = request.as_object().unwrap_or(&empty);
    let old = OLD_PARAMETERS.iter().any(|name| body.contains_key(*name));
    let given = body.get("job_parameters").and_then(Value::as_object);
    if old && given.is_some() {
        return Err(ApiError::invalid("job_parameters can't be combined with parameters for kinds of tasks"));
    }
    let jobs = jobs(call);
    let run = {
        let mut known = jobs.lock();
        if let Some(id) = started_before(&known, body)? {
            return known.runs.iter().find(|run| run.id == id).cloned().ok_or_else(|| ApiError::internal("no run"));
        }
        let settings = known.job(job_id)?.settings.clone();
        let mut parameters: Vec<(String, Value, Value)> = items(&settings, "parameters")
            .iter()
            .map(|one| (text(one, "name").to_owned(), one["default"].clone(), one["default"].clone()))
            .collect();
        for (name, value) in given.into_iter().flatten() {
            match parameters.iter_mut().find(|(known, ..)| known == name) {
                Some((_, _, own)) => *own = value.clone(),
                None => parameters.push((name.clone(), Value::Null, value.clone())),
            }
        }
        let only: Vec<&str> = request.get("only").map_or(vec![], |_| {
            items(request, "only").iter().filter_map(Value::as_str).collect()
        });
        let tasks = tasks_of(call, &settings, &only);
        let most = settings::id(settings.get("max_concurrent_runs")).unwrap_or(1);
        let has_place = i64::try_from(known.active(job_id)).is_ok_and(|active| active < most);
        let waits = [request, &settings].iter().any(|from| from["queue"]["enabled"] == true);
        let stage = match (has_place, waits) {
            (true, _) => Stage::Pending,
            (false, true) => Stage::Queued,
            (false, false) => Stage::Ended(record::Outcome::Skipped),
        };
        let name = text(&settings, "name").to_owned();
        let run = new_run(call, job_id, false, name, settings, request, depth, Progress::new(stage, tasks, parameters));
        remember(&mut known, body, run.id);
        known.add_run(run.clone());
        run
    };
    launch(call, &run);
    Ok(run)
}

/// Drives a new run, or ends one that is skipped.
fn launch(call: &Call, run: &Arc<Run>) {
    if !run.has_ended() {
        return execute::spawn(call, run.clone());
    }
    let (mut progress, now_ms) = (crate::lock::lock(&run.progress), call.now_ms());
    progress.message = "Run skipped: the maximum number of concurrent runs has been reached.".to_owned();
    progress.ended_ms = now_ms;
    progress.tasks.clear();
}

/// The first attempts of the tasks of a run. What isn't among those that were asked for is waited for by none.
fn tasks_of(call: &Call, settings: &Value, only: &[&str]) -> Vec<TaskRun> {
    let chosen = |key: &str| only.is_empty() || only.contains(&key);
    let tasks = items(settings, "tasks").iter().filter(|task| chosen(text(task, "task_key")));
    let own = tasks.map(|task| {
        let mut task = task.clone();
        if let Some(Value::Array(after)) = task.get_mut("depends_on") {
            after.retain(|one| chosen(text(one, "task_key")));
        }
        TaskRun::new(new_id(&call.server), task, 0)
    });
    own.collect()
}

#[allow(clippy::too_many_arguments, reason = "these are the parts of a run")]
fn new_run(
    call: &Call,
    job_id: i64,
    is_submitted: bool,
    name: String,
    settings: Value,
    request: &Value,
    depth: u32,
    progress: Progress,
) -> Arc<Run> {
    Arc::new(Run {
        id: new_id(&call.server),
        job_id,
        is_submitted,
        name,
        settings,
        started_ms: call.now_ms(),
        request: request.clone(),
        depth,
        canceled: tokio::sync::watch::Sender::new(false),
        progress: progress.into(),
    })
}

async fn submit(call: Call) -> Answer {
    let body = call.json()?;
    let mut settings = Value::Object(body.clone());
    if items(&settings, "tasks").is_empty() {
        return Err(ApiError::invalid("Missing required field: tasks"));
    }
    settings::check(&mut settings)?;
    let run = {
        let jobs = jobs(&call);
        let mut known = jobs.lock();
        if let Some(run_id) = started_before(&known, &body)? {
            return Ok(Json(json!({ "run_id": run_id })));
        }
        let name = body.get("run_name").and_then(Value::as_str).unwrap_or("Untitled").to_owned();
        let progress = Progress::new(Stage::Pending, tasks_of(&call, &settings, &[]), vec![]);
        let run = new_run(&call, new_id(&call.server), true, name, settings, &json!({}), 0, progress);
        remember(&mut known, &body, run.id);
        known.add_run(run.clone());
        run
    };
    launch(&call, &run);
    Ok(Json(json!({ "run_id": run.id })))
}

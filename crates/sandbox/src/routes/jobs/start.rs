//! Making the run that a request asks for, without running it.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::{
    record::{Outcome, Progress, Run, Stage, TaskRun},
    request::jobs,
    settings::{self, items, text},
    state::Known,
};
use crate::{call::Call, error::ApiError};

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

/// The run that a request is answered with.
pub(super) struct Started {
    pub(super) run: Arc<Run>,
    /// Whether it is still to be run.
    pub(super) is_new: bool,
}

/// The run that this token has started already.
fn started_before(known: &Known, body: &Map<String, Value>) -> Result<Option<Arc<Run>>, ApiError> {
    let Some(token) = body.get("idempotency_token").and_then(Value::as_str).filter(|token| !token.is_empty())
    else {
        return Ok(None);
    };
    if token.chars().count() > LONGEST_TOKEN {
        let message = format!("idempotency_token must have at most {LONGEST_TOKEN} characters");
        return Err(ApiError::invalid(message));
    }
    let Some(id) = known.tokens.get(token) else { return Ok(None) };
    match known.runs.iter().find(|run| run.id == *id) {
        Some(run) => Ok(Some(run.clone())),
        None => Err(ApiError::invalid(format!("The run of this idempotency_token was deleted: {id}"))),
    }
}

/// Starts a run of a job, unless the request has a token that has started one.
pub(super) fn of_job(call: &Call, job_id: i64, request: &Value, depth: u32) -> Result<Started, ApiError> {
    let empty = Map::new();
    let body = request.as_object().unwrap_or(&empty);
    let old = OLD_PARAMETERS.iter().any(|name| body.contains_key(*name));
    let given = body.get("job_parameters").and_then(Value::as_object);
    if old && given.is_some() {
        return Err(ApiError::invalid("job_parameters can't be combined with parameters for kinds of tasks"));
    }
    let jobs = jobs(call);
    let mut known = jobs.lock();
    if let Some(run) = started_before(&known, body)? {
        return Ok(Started { run, is_new: false });
    }
    let settings = known.job(job_id)?.settings.clone();
    let most = settings::id(settings.get("max_concurrent_runs")).unwrap_or(1);
    let has_place = i64::try_from(known.active(job_id)).is_ok_and(|active| active < most);
    let waits = [request, &settings].iter().any(|from| from["queue"]["enabled"] == true);
    let only: Vec<&str> = items(request, "only").iter().filter_map(Value::as_str).collect();
    let tasks = tasks_of(call, &settings, &only);
    let parameters = parameters_of(&settings, given);
    let progress = match (has_place, waits) {
        (true, _) => Progress::new(Stage::Pending, tasks, parameters),
        (false, true) => Progress::new(Stage::Queued, tasks, parameters),
        (false, false) => {
            let mut skipped = Progress::new(Stage::Ended(Outcome::Skipped), vec![], parameters);
            skipped.message =
                "Run skipped: the maximum number of concurrent runs has been reached.".to_owned();
            skipped.ended_ms = call.now_ms();
            skipped
        }
    };
    let run = Run {
        id: call.server.new_id(),
        job_id,
        is_submitted: false,
        name: text(&settings, "name").to_owned(),
        settings,
        started_ms: call.now_ms(),
        request: request.clone(),
        depth,
        canceled: watch::Sender::new(false),
        progress: progress.into(),
    };
    Ok(started(&mut known, body, run))
}

/// Starts a run of tasks without a job, unless the request has a token that has started one.
pub(super) fn submitted(call: &Call, body: Map<String, Value>) -> Result<Started, ApiError> {
    let mut settings = Value::Object(body.clone());
    if items(&settings, "tasks").is_empty() {
        return Err(ApiError::invalid("Missing required field: tasks"));
    }
    settings::check(&mut settings)?;
    let jobs = jobs(call);
    let mut known = jobs.lock();
    if let Some(run) = started_before(&known, &body)? {
        return Ok(Started { run, is_new: false });
    }
    let progress = Progress::new(Stage::Pending, tasks_of(call, &settings, &[]), vec![]);
    let run = Run {
        id: call.server.new_id(),
        job_id: call.server.new_id(),
        is_submitted: true,
        name: body.get("run_name").and_then(Value::as_str).unwrap_or("Untitled").to_owned(),
        settings,
        started_ms: call.now_ms(),
        request: json!({}),
        depth: 0,
        canceled: watch::Sender::new(false),
        progress: progress.into(),
    };
    Ok(started(&mut known, &body, run))
}

/// Keeps a new run, and its token.
fn started(known: &mut Known, body: &Map<String, Value>, run: Run) -> Started {
    if let Some(token) = body.get("idempotency_token").and_then(Value::as_str).filter(|t| !t.is_empty()) {
        known.tokens.insert(token.to_owned(), run.id);
    }
    let run = Arc::new(run);
    known.add_run(run.clone());
    // One that is skipped has ended already.
    Started { is_new: !run.has_ended(), run }
}

/// The parameters of a job with their defaults, and what the request gives in place of them.
fn parameters_of(settings: &Value, given: Option<&Map<String, Value>>) -> Vec<(String, Value, Value)> {
    let own = items(settings, "parameters").iter();
    let mut parameters: Vec<_> = own
        .map(|one| (text(one, "name").to_owned(), one["default"].clone(), one["default"].clone()))
        .collect();
    for (name, value) in given.into_iter().flatten() {
        match parameters.iter_mut().find(|(known, ..)| known == name) {
            Some((_, _, own)) => *own = value.clone(),
            None => parameters.push((name.clone(), Value::Null, value.clone())),
        }
    }
    parameters
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
        TaskRun::new(call.server.new_id(), task, 0)
    });
    own.collect()
}

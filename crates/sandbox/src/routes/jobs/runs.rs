//! Runs: list, get, output, cancel, repair, delete.

use axum::Json;
use serde_json::{Value, json};

use super::{
    execute,
    record::{Outcome, Run, Stage, TaskRun},
    request::{jobs, listed, queried_id, required_id},
    settings::{self, items, text},
};
use crate::{
    call::{Answer, Call, done},
    error::ApiError,
    lock::lock,
    page::page_by,
};

pub(super) async fn list(call: Call) -> Answer {
    let flag = |name: &str| call.query(name) == Some("true");
    let (active, completed) = (flag("active_only"), flag("completed_only"));
    if active && completed {
        return Err(ApiError::invalid("active_only and completed_only can't both be true"));
    }
    let job_id = call.query("job_id").map(|_| queried_id(&call, "job_id")).transpose()?;
    let time = |name: &str| call.query(name).and_then(|text| text.parse::<u64>().ok());
    let (from, to) = (time("start_time_from").unwrap_or(0), time("start_time_to").unwrap_or(u64::MAX));
    let wanted = call.query("run_type");
    let expands = flag("expand_tasks");
    let runs: Vec<_> = jobs(&call).lock().runs.iter().rev().cloned().collect();
    let runs = runs.into_iter().filter(|run| {
        let kind = if run.is_submitted { "SUBMIT_RUN" } else { "JOB_RUN" };
        job_id.is_none_or(|id| id == run.job_id)
            && wanted.is_none_or(|wanted| wanted == kind)
            && (from..=to).contains(&run.started_ms)
            && !(active && run.has_ended())
            && (!completed || run.has_ended())
    });
    let shown = runs.map(|run| {
        let mut shown = run.show(&call.server.url);
        if !expands {
            shown.as_object_mut().map(|run| run.remove("tasks"));
        }
        shown
    });
    let filter = format!("runs {job_id:?} {wanted:?} {active} {completed} {from} {to} {expands}");
    let (page, next) = page_by(&call, "limit", shown.collect(), &filter, 24)?;
    Ok(Json(listed("runs", page, next)))
}

pub(super) async fn get_one(call: Call) -> Answer {
    let id = queried_id(&call, "run_id")?;
    let run = jobs(&call).run_of(id)?;
    if run.id != id {
        return task(&call, &run, id);
    }
    let mut shown = run.read(&call.server.url);
    if call.query("include_history") != Some("true") {
        shown.as_object_mut().map(|run| run.remove("repair_history"));
    }
    Ok(Json(shown))
}

/// A task's run, with its iterations page by page.
fn task(call: &Call, run: &Run, id: i64) -> Answer {
    const MOST: usize = 100;
    let missing = || ApiError::internal("no task");
    let mut shown = run.output(&call.server.url, id).ok_or_else(missing)?["metadata"].take();
    let iterations: Vec<_> = {
        let progress = lock(&run.progress);
        let task = progress.task_run(id).ok_or_else(missing)?;
        task.iterations.iter().map(TaskRun::iteration_to_json).collect()
    };
    let (page, next) = page_by(call, "page_size", iterations, &format!("iterations {id}"), MOST)?;
    if !page.is_empty() {
        shown["iterations"] = json!(page);
    }
    if let Some(next) = next {
        shown["next_page_token"] = json!(next);
    }
    Ok(Json(shown))
}

pub(super) async fn output(call: Call) -> Answer {
    let id = queried_id(&call, "run_id")?;
    let run = jobs(&call).run_of(id)?;
    let task_id = match run.id == id {
        false => id,
        true => {
            let progress = lock(&run.progress);
            match &progress.tasks[..] {
                [only] => only.run_id,
                _ => {
                    return Err(ApiError::invalid(
                        "Retrieving the output of runs with multiple tasks is not supported. Please retrieve the \
                         output of each individual task run instead.",
                    ));
                }
            }
        }
    };
    run.output(&call.server.url, task_id).map(Json).ok_or_else(|| ApiError::internal("no task"))
}

pub(super) async fn cancel(call: Call) -> Answer {
    let id = required_id(&call.json()?, "run_id")?;
    jobs(&call).run(id)?.canceled.send_replace(true);
    done()
}

pub(super) async fn cancel_all(call: Call) -> Answer {
    let body = call.json()?;
    let queued_only = body.get("all_queued_runs") == Some(&Value::Bool(true));
    let job_id = settings::id(body.get("job_id"));
    if job_id.is_none() && !queued_only {
        return Err(ApiError::invalid("Missing required field: job_id"));
    }
    let jobs = jobs(&call);
    let known = jobs.lock();
    if let Some(id) = job_id {
        known.job(id)?;
    }
    for run in known.runs.iter().filter(|run| job_id.is_none_or(|id| id == run.job_id)) {
        if !queued_only || lock(&run.progress).stage == Stage::Queued {
            run.canceled.send_replace(true);
        }
    }
    done()
}

pub(super) async fn delete(call: Call) -> Answer {
    let id = required_id(&call.json()?, "run_id")?;
    let jobs = jobs(&call);
    if !jobs.run(id)?.has_ended() {
        return Err(ApiError::invalid(format!("Run {id} is active. Cancel it before you delete it.")));
    }
    jobs.lock().runs.retain(|run| run.id != id);
    done()
}

pub(super) async fn repair(call: Call) -> Answer {
    let body = call.json()?;
    let id = required_id(&body, "run_id")?;
    let run = jobs(&call).run(id)?;
    let repair_id = call.server.new_id();
    {
        let mut progress = lock(&run.progress);
        let Stage::Ended(ended) = progress.stage else {
            return Err(ApiError::invalid(format!("Run {id} is active and can't be repaired.")));
        };
        let latest = progress.repairs.iter().rev().find_map(|repair| settings::id(repair.get("id")));
        if latest != settings::id(body.get("latest_repair_id")) {
            let latest = latest.map_or_else(|| "none".to_owned(), |id| id.to_string());
            return Err(ApiError::invalid(format!(
                "latest_repair_id is not the id of the latest repair, which is {latest}"
            )));
        }
        let body = Value::Object(body);
        let chosen = chosen(&progress.tasks, &body)?;
        if progress.repairs.is_empty() {
            let original = json!({ "type": "ORIGINAL", "start_time": run.started_ms, "end_time": progress.ended_ms,
                "state": { "life_cycle_state": "TERMINATED", "result_state": ended.names()[0] } });
            progress.repairs.push(original);
        }
        for (name, value) in body["job_parameters"].as_object().into_iter().flatten() {
            match progress.parameters.iter_mut().find(|(known, ..)| known == name) {
                Some((_, _, own)) => *own = value.clone(),
                None => progress.parameters.push((name.clone(), Value::Null, value.clone())),
            }
        }
        let mut ids = Vec::new();
        for at in chosen {
            let old = &progress.tasks[at];
            let again = TaskRun::new(call.server.new_id(), old.task.clone(), old.attempt + 1);
            ids.push(again.run_id);
            let old = progress.tasks[at].replace(again);
            progress.earlier.push(old);
        }
        let started_ms = call.now_ms();
        progress.repairs.push(json!({ "type": "REPAIR", "id": repair_id, "start_time": started_ms,
            "task_run_ids": ids, "state": { "life_cycle_state": "RUNNING" } }));
        progress.reopen();
        run.canceled.send_replace(false);
    }
    execute::spawn(&call, run);
    Ok(Json(json!({ "repair_id": repair_id })))
}

/// The tasks that a repair runs again.
fn chosen(tasks: &[TaskRun], body: &Value) -> Result<Vec<usize>, ApiError> {
    let named: Vec<&str> = items(body, "rerun_tasks").iter().filter_map(Value::as_str).collect();
    if let Some(unknown) = named.iter().find(|key| !tasks.iter().any(|task| task.key() == **key)) {
        return Err(ApiError::invalid(format!("The run has no task of this key: {unknown}")));
    }
    let all_failed = body["rerun_all_failed_tasks"] == true;
    if all_failed && !named.is_empty() {
        return Err(ApiError::invalid("rerun_tasks and rerun_all_failed_tasks can't both be given"));
    }
    let failed = |task: &TaskRun| {
        !matches!(task.outcome(), Some(Outcome::Success | Outcome::Excluded | Outcome::Disabled))
    };
    let mut keys: Vec<&str> = tasks
        .iter()
        .filter(|task| if all_failed { failed(task) } else { named.contains(&task.key()) })
        .map(TaskRun::key)
        .collect();
    let with_dependents = body["rerun_dependent_tasks"] == true;
    let depends = |task: &&TaskRun, keys: &[&str]| {
        !keys.contains(&task.key())
            && items(&task.task, "depends_on").iter().any(|one| keys.contains(&text(one, "task_key")))
    };
    while let Some(next) = tasks.iter().find(|task| with_dependents && depends(task, &keys)) {
        keys.push(next.key());
    }
    if keys.is_empty() {
        return Err(ApiError::invalid("The run has no task to run again."));
    }
    Ok((0..tasks.len()).filter(|at| keys.contains(&tasks[*at].key())).collect())
}

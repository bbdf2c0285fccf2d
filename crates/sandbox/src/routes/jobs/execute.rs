//! Runs the tasks of a run in the order of their dependencies, side by side where they allow it.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    done::Done,
    for_each,
    pace::{LOOK, pause},
    record::{Outcome, Progress, Run, Stage, TaskRun},
    references::{References, as_text},
    settings::{self, items, kind, text},
    start::{self, Started},
    state::Jobs,
    task::perform,
};
use crate::{call::Call, clock::rfc3339, lock::lock, routes::pipelines};

/// How many runs may start each other.
const DEEPEST: u32 = 3;

/// Starts what drives a run to its end.
pub(super) fn spawn(call: &Call, run: Arc<Run>) {
    let (id, jobs, call) = (run.id, call.tenant.state::<Jobs>(), call.clone());
    let task = tokio::spawn(async move { drive(&call, &run).await });
    jobs.drives(id, task.abort_handle());
}

async fn drive(call: &Call, run: &Arc<Run>) {
    let mut canceled = run.canceled.subscribe();
    let outcome = tokio::select! {
        biased;
        _ = canceled.wait_for(|canceled| *canceled) => None,
        () = work(call, run) => Some(()),
    };
    let (mut progress, now_ms) = (lock(&run.progress), call.now_ms());
    if outcome.is_none() {
        for task in progress.tasks.iter_mut().filter(|task| task.outcome().is_none()) {
            task.end(Outcome::Canceled, "Run cancelled.", now_ms);
        }
    }
    let ended = match outcome {
        Some(()) => result(&progress.tasks),
        None => Outcome::Canceled,
    };
    progress.message = message(&progress.tasks, ended);
    (progress.stage, progress.ended_ms) = (Stage::Ended(ended), now_ms);
    call.tenant.changed();
    if let Some(repair) = progress.repairs.last_mut() {
        repair["end_time"] = json!(now_ms);
        repair["state"] = json!({ "life_cycle_state": "TERMINATED", "result_state": ended.names()[0] });
    }
}

/// A run's result from its tasks: that of the tasks that nothing depends on.
fn result(tasks: &[TaskRun]) -> Outcome {
    let is_leaf = |task: &&TaskRun| {
        !tasks.iter().any(|other| {
            items(&other.task, "depends_on").iter().any(|one| text(one, "task_key") == task.key())
        })
    };
    let outcomes = |leaves_only: bool| {
        tasks.iter().filter(move |task| !leaves_only || is_leaf(task)).filter_map(TaskRun::outcome)
    };
    if outcomes(true).any(|outcome| outcome == Outcome::TimedOut) {
        Outcome::TimedOut
    } else if outcomes(true).any(Outcome::is_failure) {
        Outcome::Failed
    } else if outcomes(true).any(|o| matches!(o, Outcome::Canceled | Outcome::UpstreamCanceled)) {
        Outcome::Canceled
    } else if outcomes(false).any(Outcome::is_failure) {
        Outcome::SuccessWithFailures
    } else {
        Outcome::Success
    }
}

fn message(tasks: &[TaskRun], ended: Outcome) -> String {
    match ended {
        Outcome::Canceled => "Run cancelled.".to_owned(),
        Outcome::Failed | Outcome::TimedOut | Outcome::SuccessWithFailures => {
            let failed =
                tasks.iter().find(|task| matches!(task.outcome(), Some(Outcome::Failed | Outcome::TimedOut)));
            failed.map_or_else(String::new, |task| {
                format!("Task {} failed with message: {}.", task.key(), task.message)
            })
        }
        _ => String::new(),
    }
}

/// Waits for a place, and then runs all tasks.
async fn work(call: &Call, run: &Arc<Run>) {
    let jobs = call.tenant.state::<Jobs>();
    let most = settings::id(run.settings.get("max_concurrent_runs")).unwrap_or(1);
    while !jobs.takes_place(run, most) {
        tokio::time::sleep(LOOK).await;
    }
    drop(jobs);
    pause(call, call.server.options.delays.run).await;
    lock(&run.progress).stage = Stage::Running;
    let mut working: JoinSet<()> = JoinSet::new();
    loop {
        for key in ready(call, run) {
            let (call, run) = (call.clone(), run.clone());
            working.spawn(async move {
                ended(&call, &run, &key, attempt(&call, &run, &key)).await;
            });
        }
        // A task may have been decided without running.
        if working.is_empty() && lock(&run.progress).tasks.iter().all(|task| task.outcome().is_some()) {
            return;
        }
        if !working.is_empty() {
            working.join_next().await;
        }
    }
}

/// The tasks that can start now, which are marked as running. Those that never will are ended.
fn ready(call: &Call, run: &Run) -> Vec<String> {
    let (mut progress, now_ms) = (lock(&run.progress), call.now_ms());
    let mut ready = Vec::new();
    // Each decision may decide another task.
    while let Some((at, verdict)) =
        (0..progress.tasks.len()).find_map(|at| Some((at, verdict(&progress, at)?)))
    {
        let task = &mut progress.tasks[at];
        match verdict {
            Ok(()) => {
                (task.stage, task.started_ms) = (Stage::Running, now_ms);
                ready.push(task.key().to_owned());
            }
            Err(outcome) => task.end(outcome, "", now_ms),
        }
    }
    ready
}

/// Whether a task that waits starts now, or how it ends without that; nothing while it has to wait.
fn verdict(progress: &Progress, at: usize) -> Option<Result<(), Outcome>> {
    let task = &progress.tasks[at];
    if !matches!(task.stage, Stage::Blocked | Stage::Pending) {
        return None;
    }
    if task.task["disabled"] == true {
        return Some(Err(Outcome::Disabled));
    }
    let mut outcomes = Vec::new();
    for one in items(&task.task, "depends_on") {
        let before = progress.tasks.iter().find(|other| other.key() == text(one, "task_key"))?;
        let mut outcome = before.outcome()?;
        let wanted = text(one, "outcome");
        if outcome == Outcome::Success && !wanted.is_empty() && before.output["outcome"] != wanted {
            outcome = Outcome::Excluded;
        }
        outcomes.push(outcome);
    }
    let all = |test: fn(&Outcome) -> bool| outcomes.iter().all(test);
    let any = |test: fn(&Outcome) -> bool| outcomes.iter().any(test);
    let succeeded = |outcome: &Outcome| matches!(outcome, Outcome::Success | Outcome::Disabled);
    let failed = |outcome: &Outcome| outcome.is_failure();
    let canceled = |outcome: &Outcome| matches!(outcome, Outcome::Canceled | Outcome::UpstreamCanceled);
    let met = outcomes.is_empty()
        || match text(&task.task, "run_if") {
            "ALL_DONE" => true,
            "AT_LEAST_ONE_SUCCESS" => any(succeeded),
            "NONE_FAILED" => !any(failed) && !any(canceled) && !all(|outcome| *outcome == Outcome::Excluded),
            "AT_LEAST_ONE_FAILED" => any(failed),
            "ALL_FAILED" => all(failed),
            _ => all(succeeded),
        };
    let by_default = matches!(text(&task.task, "run_if"), "" | "ALL_SUCCESS");
    Some(match met {
        true => Ok(()),
        false if by_default && any(failed) => Err(Outcome::UpstreamFailed),
        false if by_default && any(canceled) => Err(Outcome::UpstreamCanceled),
        false => Err(Outcome::Excluded),
    })
}

/// Runs an attempt. If it panics, the task fails: a task that stays open keeps its run from ending.
async fn ended(call: &Call, run: &Run, key: &str, attempt: impl Future<Output = ()>) {
    if AssertUnwindSafe(attempt).catch_unwind().await.is_err()
        && let Some(task) = lock(&run.progress).running(|task| task.key() == key)
    {
        task.end(Outcome::Failed, "The sandbox failed to run the task", call.now_ms());
    }
}

/// Runs a task, and again if it may be retried.
async fn attempt(call: &Call, run: &Arc<Run>, key: &str) {
    loop {
        let (run_id, task, values) = {
            let progress = lock(&run.progress);
            let Some(own) = progress.tasks.iter().find(|task| task.key() == key) else { return };
            let references = references(run, &progress, own);
            let values: serde_json::Map<String, Value> =
                progress.tasks.iter().map(|task| (task.key().to_owned(), task.values.clone())).collect();
            (own.run_id, references.fill_all(&own.task), Value::Object(values))
        };
        let limit =
            settings::id(task.get("timeout_seconds")).and_then(|s| u64::try_from(s).ok()).unwrap_or(0);
        let late = async {
            match limit {
                0 => std::future::pending().await,
                limit => pause(call, Duration::from_secs(limit)).await,
            }
        };
        let done = tokio::select! {
            done = one(call, run, &task, values) => done,
            () = late => Done { outcome: Outcome::TimedOut, ..Done::failed("The task timed out") },
        };
        match conclude(call, run, run_id, &task, done) {
            Some(rest) => pause(call, rest).await,
            None => return,
        }
    }
}

/// Records what became of an attempt, unless it was canceled meanwhile. Returns the rest before the next one, if there is
/// one.
fn conclude(call: &Call, run: &Run, run_id: i64, task: &Value, done: Done) -> Option<Duration> {
    let mut progress = lock(&run.progress);
    let own = progress.running(|task| task.run_id == run_id)?;
    (own.output, own.values) = (done.output, done.values);
    own.end(done.outcome, &done.message, call.now_ms());
    let most = settings::id(task.get("max_retries")).unwrap_or(0);
    let may_retry = done.outcome == Outcome::Failed
        || done.outcome == Outcome::TimedOut && task["retry_on_timeout"] == true;
    if !may_retry || (most >= 0 && own.attempt >= most) {
        return None;
    }
    let mut again = TaskRun::new(call.server.new_id(), own.task.clone(), own.attempt + 1);
    (again.stage, again.started_ms) = (Stage::Running, call.now_ms());
    let earlier = own.replace(again);
    progress.earlier.push(earlier);
    let rest = settings::id(task.get("min_retry_interval_millis")).unwrap_or(0);
    Some(Duration::from_millis(u64::try_from(rest).unwrap_or(0)))
}

async fn one(call: &Call, run: &Arc<Run>, task: &Value, values: Value) -> Done {
    match kind(task) {
        Some("run_job_task") => run_job(call, run, &task["run_job_task"]).await,
        Some("pipeline_task") => pipeline(call, &task["pipeline_task"]).await,
        Some("for_each_task") => for_each::run(call, run, task, values).await,
        _ => perform(call, run, task, values).await,
    }
}

/// Cancels a run when dropped: one that another run started ends with it.
struct CancelOnDrop(Arc<Run>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.canceled.send_replace(true);
    }
}

async fn run_job(call: &Call, run: &Run, task: &Value) -> Done {
    if run.depth >= DEEPEST {
        return Done::failed(format!("jobs start each other more than {DEEPEST} times"));
    }
    let started = match settings::id(task.get("job_id")) {
        Some(job_id) => start::of_job(call, job_id, task, run.depth + 1),
        None => return Done::failed("run_job_task has no job_id"),
    };
    let child = match started {
        Ok(Started { run: child, is_new }) => {
            if is_new {
                spawn(call, child.clone());
            }
            CancelOnDrop(child)
        }
        Err(error) => return Done::failed(error.message()),
    };
    while !child.0.has_ended() {
        tokio::time::sleep(LOOK).await;
    }
    let output = json!({ "run_job_output": { "run_id": child.0.id } });
    let stage = lock(&child.0.progress).stage;
    match stage {
        Stage::Ended(Outcome::Success | Outcome::SuccessWithFailures) => Done::succeeded(output),
        _ => Done { output, ..Done::failed(format!("Run {} of the job did not succeed", child.0.id)) },
    }
}

/// Stops an update of a pipeline when dropped: one that a task started ends with it.
struct StopOnDrop<'a>(&'a Call, &'a str, &'a str);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        pipelines::stop_update(self.0, self.1, self.2);
    }
}

/// Updates a pipeline, and waits for the end.
async fn pipeline(call: &Call, task: &Value) -> Done {
    let id = text(task, "pipeline_id");
    let mut request = task.as_object().cloned().unwrap_or_default();
    request.retain(|name, _| {
        matches!(name.as_str(), "full_refresh" | "full_refresh_selection" | "refresh_selection")
    });
    request.insert("cause".to_owned(), json!("JOB_TASK"));
    let update = match pipelines::start_now(call, id, request) {
        Ok(update) => update,
        Err(error) => return Done::failed(error.message()),
    };
    let _stop = StopOnDrop(call, id, &update);
    loop {
        match pipelines::state_of(call, id, &update).as_deref() {
            Ok("COMPLETED") => return Done::succeeded(json!({})),
            Ok(state @ ("FAILED" | "CANCELED")) => {
                return Done::failed(format!("Update {update} of pipeline {id} is {state}"));
            }
            Ok(_) => tokio::time::sleep(LOOK).await,
            Err(error) => return Done::failed(error.message()),
        }
    }
}

fn references(run: &Run, progress: &Progress, own: &TaskRun) -> References {
    let date = rfc3339(run.started_ms);
    let mut known = HashMap::from([
        ("job.id".to_owned(), run.job_id.to_string()),
        ("job.run_id".to_owned(), run.id.to_string()),
        ("job.name".to_owned(), run.name.clone()),
        ("job.start_time.iso_date".to_owned(), date.split('T').next().unwrap_or_default().to_owned()),
        ("task.name".to_owned(), own.key().to_owned()),
        ("task.run_id".to_owned(), own.run_id.to_string()),
    ]);
    for (name, _, value) in &progress.parameters {
        known.insert(format!("job.parameters.{name}"), as_text(value));
    }
    for task in &progress.tasks {
        let key = task.key();
        for (name, value) in task.values.as_object().into_iter().flatten() {
            known.insert(format!("tasks.{key}.values.{name}"), as_text(value));
        }
        if let Some(outcome) = task.outcome() {
            known.insert(format!("tasks.{key}.result_state"), outcome.names()[0].to_lowercase());
        }
    }
    References(known)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bytes::Bytes;
    use tokio::sync::watch;

    use super::*;
    use crate::{auth::Principal, builder::Options, server::Server};

    fn call() -> Call {
        let address = ([127, 0, 0, 1], 1).into();
        let server = Arc::new(Server::new(Options::default(), address, address).unwrap());
        let (_, tenant) = server.open_workspace(None, None);
        let (principal, query) = (Principal::User, Arc::default());
        Call { server, tenant, principal, query, body: Bytes::new(), paging: None }
    }

    /// A run whose only task is running.
    fn run() -> Run {
        let mut task = TaskRun::new(1, json!({ "task_key": "only", "max_retries": 3 }), 0);
        task.stage = Stage::Running;
        Run {
            id: 2,
            job_id: 3,
            is_submitted: true,
            name: String::new(),
            settings: json!({}),
            started_ms: 0,
            request: json!({}),
            depth: 0,
            canceled: watch::Sender::new(false),
            progress: Mutex::new(Progress::new(Stage::Running, vec![task], Vec::new())),
        }
    }

    #[test]
    fn a_canceled_task_stays_canceled() {
        let (call, run) = (call(), run());
        lock(&run.progress).tasks[0].end(Outcome::Canceled, "Run cancelled.", 0);
        for done in [Done::succeeded(json!({})), Done::failed("late")] {
            let task = lock(&run.progress).tasks[0].task.clone();
            assert_eq!(conclude(&call, &run, 1, &task, done), None);
            let progress = lock(&run.progress);
            assert_eq!(progress.tasks[0].outcome(), Some(Outcome::Canceled));
            assert!(progress.earlier.is_empty());
        }
    }

    #[tokio::test]
    async fn a_task_that_panics_has_failed() {
        let (call, run) = (call(), run());
        ended(&call, &run, "only", async { panic!("as a bug does") }).await;
        assert_eq!(lock(&run.progress).tasks[0].outcome(), Some(Outcome::Failed));
    }
}

//! A run and its tasks: how far each one is, and how the service shows that.
//!
//! A task shows each of its states to at least one reader, even if it takes no time: a read shows one state more. So
//! pollers are really exercised, and no task shows as started before those that it depends on show as ended.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::settings::{items, text};
use crate::{lock::lock, tenant::USER_NAME};

/// Says why a run has no result.
const LOST: &str = "The sandbox ended during this run.";

/// How a run or a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Outcome {
    Success,
    SuccessWithFailures,
    Failed,
    TimedOut,
    Canceled,
    Skipped,
    UpstreamFailed,
    UpstreamCanceled,
    Excluded,
    Disabled,
    /// The sandbox ended before it.
    Lost,
}

impl Outcome {
    /// Its name in the old form, and code and type in the new one.
    pub(super) fn names(self) -> [&'static str; 3] {
        match self {
            Self::Success => ["SUCCESS", "SUCCESS", "SUCCESS"],
            Self::SuccessWithFailures => ["SUCCESS_WITH_FAILURES", "SUCCESS_WITH_FAILURES", "SUCCESS"],
            Self::Failed => ["FAILED", "RUN_EXECUTION_ERROR", "CLIENT_ERROR"],
            Self::TimedOut => ["TIMEDOUT", "RUN_EXECUTION_ERROR", "CLIENT_ERROR"],
            Self::Canceled => ["CANCELED", "USER_CANCELED", "CLIENT_ERROR"],
            Self::Skipped => {
                ["MAXIMUM_CONCURRENT_RUNS_REACHED", "MAX_CONCURRENT_RUNS_EXCEEDED", "CLIENT_ERROR"]
            }
            Self::UpstreamFailed => ["UPSTREAM_FAILED", "RUN_EXECUTION_ERROR", "CLIENT_ERROR"],
            Self::UpstreamCanceled => ["UPSTREAM_CANCELED", "CANCELED", "CLIENT_ERROR"],
            Self::Excluded => ["EXCLUDED", "SUCCESS", "SUCCESS"],
            Self::Disabled => ["DISABLED", "DISABLED", "SUCCESS"],
            Self::Lost => ["FAILED", "INTERNAL_ERROR", "INTERNAL_ERROR"],
        }
    }

    /// Whether it counts as a failure for what depends on it.
    pub(super) fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::UpstreamFailed | Self::Lost)
    }
}

/// Where a run or a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    Queued,
    Blocked,
    Pending,
    Running,
    Ended(Outcome),
}

/// Both forms of a state.
fn forms(stage: Stage, message: &str) -> [(&'static str, Value); 2] {
    let life = match stage {
        Stage::Queued => "QUEUED",
        Stage::Blocked => "BLOCKED",
        Stage::Pending => "PENDING",
        Stage::Running => "RUNNING",
        Stage::Ended(Outcome::Skipped) => "SKIPPED",
        Stage::Ended(Outcome::Lost) => "INTERNAL_ERROR",
        Stage::Ended(_) => "TERMINATED",
    };
    let mut state = json!({ "life_cycle_state": life, "state_message": message });
    let mut status = json!({ "state": if let Stage::Ended(_) = stage { "TERMINATED" } else { life } });
    if let Stage::Ended(outcome) = stage {
        let [result, code, kind] = outcome.names();
        state["result_state"] = json!(result);
        state["user_cancelled_or_timedout"] = json!(matches!(outcome, Outcome::Canceled | Outcome::TimedOut));
        status["termination_details"] = json!({ "code": code, "type": kind, "message": message });
    }
    [("state", state), ("status", status)]
}

/// One attempt at a task.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TaskRun {
    pub(super) run_id: i64,
    /// The task in the settings of the run.
    pub(super) task: Value,
    pub(super) attempt: i64,
    pub(super) stage: Stage,
    shown: Stage,
    pub(super) message: String,
    pub(super) started_ms: u64,
    pub(super) ended_ms: u64,
    /// What `get-output` shows besides the metadata.
    pub(super) output: Value,
    /// What it tells other tasks.
    pub(super) values: Value,
    /// Those of a for-each task.
    pub(super) iterations: Vec<TaskRun>,
}

impl TaskRun {
    pub(super) fn new(run_id: i64, task: Value, attempt: i64) -> Self {
        let stage = if items(&task, "depends_on").is_empty() { Stage::Pending } else { Stage::Blocked };
        Self {
            run_id,
            task,
            attempt,
            stage,
            shown: stage,
            message: String::new(),
            started_ms: 0,
            ended_ms: 0,
            output: json!({}),
            values: json!({}),
            iterations: Vec::new(),
        }
    }

    /// Puts another attempt in its place, and returns the earlier one, which shows how it ended.
    pub(super) fn replace(&mut self, again: Self) -> Self {
        let earlier = std::mem::replace(self, again);
        Self { shown: earlier.stage, ..earlier }
    }

    pub(super) fn key(&self) -> &str {
        text(&self.task, "task_key")
    }

    pub(super) fn outcome(&self) -> Option<Outcome> {
        if let Stage::Ended(outcome) = self.stage { Some(outcome) } else { None }
    }

    pub(super) fn end(&mut self, outcome: Outcome, message: &str, now_ms: u64) {
        (self.stage, self.message, self.ended_ms) = (Stage::Ended(outcome), message.to_owned(), now_ms);
    }

    /// Ends it if it was active when the sandbox ended.
    fn lose(&mut self) {
        if self.outcome().is_none() {
            self.end(Outcome::Lost, LOST, self.started_ms);
            self.shown = self.stage;
            self.iterations.iter_mut().for_each(Self::lose);
        }
    }

    /// An iteration shows how far it is, not one state after the other.
    pub(super) fn iteration_to_json(&self) -> Value {
        Self { shown: self.stage, ..self.clone() }.to_json()
    }

    fn to_json(&self) -> Value {
        let mut shown = self.task.clone();
        let ended = matches!(self.shown, Stage::Ended(_));
        shown["run_id"] = json!(self.run_id);
        shown["attempt_number"] = json!(self.attempt);
        shown["start_time"] = json!(self.started_ms);
        shown["end_time"] = json!(if ended { self.ended_ms } else { 0 });
        shown["execution_duration"] =
            json!(if ended { self.ended_ms.saturating_sub(self.started_ms) } else { 0 });
        if let (Some(outcome), true) = (self.output.get("outcome"), ended) {
            shown["condition_task"]["outcome"] = outcome.clone();
        }
        if !self.iterations.is_empty() {
            shown["for_each_task"]["stats"] = stats(&self.iterations);
        }
        for (name, form) in forms(self.shown, if ended { &self.message } else { "" }) {
            shown[name] = form;
        }
        shown
    }
}

/// How many iterations are where.
fn stats(iterations: &[TaskRun]) -> Value {
    let count = |test: fn(&TaskRun) -> bool| iterations.iter().filter(|one| test(one)).count();
    json!({ "task_run_stats": {
        "total_iterations": iterations.len(),
        "scheduled_iterations": count(|one| one.started_ms > 0),
        "active_iterations": count(|one| one.stage == Stage::Running),
        "completed_iterations": count(|one| one.outcome().is_some()),
        "succeeded_iterations": count(|one| one.outcome() == Some(Outcome::Success)),
        "failed_iterations": count(|one| one.outcome().is_some_and(Outcome::is_failure)),
    } })
}

/// A run.
#[derive(Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) id: i64,
    pub(super) job_id: i64,
    pub(super) is_submitted: bool,
    pub(super) name: String,
    /// The settings when it started.
    pub(super) settings: Value,
    pub(super) started_ms: u64,
    /// The request that started it: parameters of the old kind.
    pub(super) request: Value,
    /// How many runs started each other to get here.
    pub(super) depth: u32,
    #[serde(skip)]
    pub(super) canceled: watch::Sender<bool>,
    pub(super) progress: Mutex<Progress>,
}

/// What changes while a run goes on.
#[derive(Serialize, Deserialize)]
pub(super) struct Progress {
    pub(super) stage: Stage,
    shown: Stage,
    was_read: bool,
    pub(super) message: String,
    pub(super) ended_ms: u64,
    pub(super) tasks: Vec<TaskRun>,
    /// Attempts that were followed by others.
    pub(super) earlier: Vec<TaskRun>,
    pub(super) repairs: Vec<Value>,
    /// Job parameters: name, default, value.
    pub(super) parameters: Vec<(String, Value, Value)>,
}

impl Progress {
    pub(super) fn new(stage: Stage, tasks: Vec<TaskRun>, parameters: Vec<(String, Value, Value)>) -> Self {
        Self {
            stage,
            shown: stage,
            was_read: false,
            message: String::new(),
            ended_ms: 0,
            tasks,
            earlier: Vec::new(),
            repairs: Vec::new(),
            parameters,
        }
    }

    /// The task's run or the iteration with this id.
    pub(super) fn task_run(&self, run_id: i64) -> Option<&TaskRun> {
        let tasks = self.tasks.iter().chain(&self.earlier);
        tasks
            .flat_map(|task| std::iter::once(task).chain(&task.iterations))
            .find(|task| task.run_id == run_id)
    }

    /// A task that is running.
    pub(super) fn running(&mut self, is_wanted: impl Fn(&TaskRun) -> bool) -> Option<&mut TaskRun> {
        self.tasks.iter_mut().find(|task| task.stage == Stage::Running && is_wanted(task))
    }

    /// Starts over, for a repair.
    pub(super) fn reopen(&mut self) {
        (self.stage, self.shown, self.ended_ms) = (Stage::Pending, Stage::Pending, 0);
        self.was_read = false;
        self.message.clear();
    }

    /// Shows one state more of each task, in the order of their dependencies.
    fn step(&mut self) {
        let mut waiting: Vec<usize> = (0..self.tasks.len()).collect();
        while let Some(at) = waiting.iter().position(|task| self.dependencies_show(*task, &waiting)) {
            let task = waiting.remove(at);
            let may_start = self.dependencies_ended(task);
            let task = &mut self.tasks[task];
            task.shown = match (task.shown, task.stage) {
                (Stage::Blocked, _) if !may_start => Stage::Blocked,
                (Stage::Blocked | Stage::Pending, Stage::Ended(outcome)) if task.started_ms == 0 => {
                    Stage::Ended(outcome)
                }
                (Stage::Blocked | Stage::Pending, Stage::Ended(_)) => Stage::Running,
                (_, stage) => stage,
            };
        }
        let all_ended = self.tasks.iter().all(|task| matches!(task.shown, Stage::Ended(_)));
        let any_started =
            self.tasks.iter().any(|task| !matches!(task.shown, Stage::Blocked | Stage::Pending));
        self.shown = match self.stage {
            Stage::Ended(_) if all_ended => self.stage,
            Stage::Queued => Stage::Queued,
            _ if any_started => Stage::Running,
            _ if self.shown == Stage::Queued => Stage::Pending,
            _ => self.shown,
        };
    }

    /// Whether all that a task depends on has been stepped already.
    fn dependencies_show(&self, task: usize, waiting: &[usize]) -> bool {
        let after = items(&self.tasks[task].task, "depends_on");
        after.iter().all(|one| !waiting.iter().any(|other| self.tasks[*other].key() == text(one, "task_key")))
    }

    fn dependencies_ended(&self, task: usize) -> bool {
        let shown: HashMap<&str, Stage> = self.tasks.iter().map(|task| (task.key(), task.shown)).collect();
        let after = items(&self.tasks[task].task, "depends_on");
        after.iter().all(|one| matches!(shown.get(text(one, "task_key")), Some(Stage::Ended(_)) | None))
    }
}

impl Run {
    /// The run as it shows to a reader, each of whom sees one state more than the one before.
    pub(super) fn read(&self, url: &str) -> Value {
        let mut progress = lock(&self.progress);
        if std::mem::replace(&mut progress.was_read, true) {
            progress.step();
        }
        self.to_json(url, &progress)
    }

    /// The run as it showed last.
    pub(super) fn show(&self, url: &str) -> Value {
        self.to_json(url, &lock(&self.progress))
    }

    fn to_json(&self, url: &str, progress: &Progress) -> Value {
        let ended_ms = if matches!(progress.shown, Stage::Ended(_)) { progress.ended_ms } else { 0 };
        let lasted = ended_ms.saturating_sub(self.started_ms);
        let mut tasks = Vec::new();
        for task in &progress.tasks {
            let earlier = progress.earlier.iter().filter(|earlier| earlier.key() == task.key());
            tasks.extend(earlier.chain([task]).map(TaskRun::to_json));
        }
        let parameters: Vec<Value> = progress
            .parameters
            .iter()
            .map(|(name, default, value)| json!({ "name": name, "default": default, "value": value }))
            .collect();
        let mut shown = json!({
            "job_id": self.job_id,
            "run_id": self.id,
            "number_in_job": self.id,
            "original_attempt_run_id": self.id,
            "creator_user_name": USER_NAME,
            "run_name": self.name,
            "run_type": if self.is_submitted { "SUBMIT_RUN" } else { "JOB_RUN" },
            "trigger": if self.depth > 0 { "RUN_JOB_TASK" } else { "ONE_TIME" },
            "format": "MULTI_TASK",
            "run_page_url": format!("{url}/jobs/{}/runs/{}", self.job_id, self.id),
            "start_time": self.started_ms,
            "end_time": ended_ms,
            "setup_duration": 0,
            "cleanup_duration": 0,
            "execution_duration": if tasks.len() == 1 { lasted } else { 0 },
            "run_duration": if tasks.len() == 1 { 0 } else { lasted },
            "tasks": tasks,
            "job_parameters": parameters,
        });
        if !progress.repairs.is_empty() {
            shown["repair_history"] = Value::Array(progress.repairs.clone());
        }
        let ended = matches!(progress.shown, Stage::Ended(_));
        for (name, form) in forms(progress.shown, if ended { &progress.message } else { "" }) {
            shown[name] = form;
        }
        shown
    }

    /// Ends a run that was active when the sandbox ended. It is not known when that was, so the rest takes no time.
    pub(super) fn lose(&mut self) {
        let progress = self.progress.get_mut().unwrap_or_else(PoisonError::into_inner);
        if matches!(progress.stage, Stage::Ended(_)) {
            return;
        }
        progress.tasks.iter_mut().for_each(TaskRun::lose);
        let last_ms = progress.tasks.iter().map(|task| task.ended_ms).max().unwrap_or_default();
        let stage = Stage::Ended(Outcome::Lost);
        (progress.stage, progress.shown) = (stage, stage);
        progress.ended_ms = last_ms.max(self.started_ms);
        LOST.clone_into(&mut progress.message);
    }

    /// The job parameters and their values.
    pub(super) fn parameters(&self) -> Value {
        let progress = lock(&self.progress);
        Value::Object(
            progress.parameters.iter().map(|(name, _, value)| (name.clone(), value.clone())).collect(),
        )
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(lock(&self.progress).stage, Stage::Ended(_))
    }

    /// What `get-output` shows for a task's run.
    pub(super) fn output(&self, url: &str, run_id: i64) -> Option<Value> {
        let progress = lock(&self.progress);
        let task = progress.task_run(run_id)?;
        let mut metadata = self.to_json(url, &progress);
        for (name, value) in task.iteration_to_json().as_object().into_iter().flatten() {
            metadata[name] = value.clone();
        }
        metadata["job_run_id"] = json!(self.id);
        for without in ["tasks", "repair_history"] {
            metadata.as_object_mut().map(|metadata| metadata.remove(without));
        }
        let mut answer = json!({});
        if task.outcome().is_some() {
            answer = task.output.clone();
            answer.as_object_mut().map(|answer| answer.remove("outcome"));
        }
        answer["metadata"] = metadata;
        Some(answer)
    }
}

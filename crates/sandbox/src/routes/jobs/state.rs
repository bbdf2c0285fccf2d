//! The jobs of a workspace and their runs, in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use super::{
    record::{Run, Stage},
    seed,
};
use crate::{
    error::ApiError,
    lock::lock,
    tenant::{ServiceState, Tenant, USER_NAME, kept},
};

/// How many runs are kept; the oldest that have ended are forgotten.
const RUNS_KEPT: usize = 1000;

/// A job.
#[derive(Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) id: i64,
    pub(super) created_ms: u64,
    pub(super) settings: Value,
}

impl Job {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "job_id": self.id,
            "creator_user_name": USER_NAME,
            "run_as_user_name": USER_NAME,
            "created_time": self.created_ms,
            "settings": self.settings,
        })
    }
}

/// The jobs of a workspace, oldest first, and their runs.
#[derive(Default)]
pub(in crate::routes) struct Jobs(Mutex<Known>);

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) jobs: BTreeMap<u64, Job>,
    #[serde(serialize_with = "runs_out", deserialize_with = "runs_in")]
    pub(super) runs: Vec<Arc<Run>>,
    /// Which run a token has started.
    pub(super) tokens: HashMap<String, i64>,
    #[serde(skip)]
    tasks: HashMap<i64, AbortHandle>,
    made: u64,
}

impl ServiceState for Jobs {
    fn fresh(tenant: &Tenant) -> Self {
        let jobs = Self::default();
        {
            let mut known = jobs.lock();
            for (n, settings) in seed::jobs().into_iter().enumerate() {
                let n = n as u64;
                let id = seed::FIRST_JOB + i64::try_from(n).unwrap_or_default();
                known.jobs.insert(n, Job { id, created_ms: tenant.opened_ms, settings });
                known.made = n + 1;
            }
        }
        jobs
    }
}

kept!(Jobs);

fn runs_out<S: Serializer>(runs: &[Arc<Run>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(runs.iter().map(Arc::as_ref))
}

/// None of them is active anymore.
fn runs_in<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Arc<Run>>, D::Error> {
    let mut runs = Vec::<Run>::deserialize(deserializer)?;
    runs.iter_mut().for_each(Run::lose);
    Ok(runs.into_iter().map(Arc::new).collect())
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.lock().tasks.values().for_each(AbortHandle::abort);
    }
}

impl Jobs {
    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        lock(&self.0)
    }

    /// Keeps what drives a run, so that it ends with the workspace.
    pub(super) fn drives(&self, run_id: i64, task: AbortHandle) {
        let mut known = self.lock();
        known.tasks.retain(|_, task| !task.is_finished());
        known.tasks.insert(run_id, task);
    }

    pub(super) fn run(&self, id: i64) -> Result<Arc<Run>, ApiError> {
        let known = self.lock();
        known.runs.iter().find(|run| run.id == id).cloned().ok_or_else(|| no_run(id))
    }

    /// The run with this id, or the one with a task's run of this id.
    pub(super) fn run_of(&self, id: i64) -> Result<Arc<Run>, ApiError> {
        let known = self.lock();
        let has_task = |run: &&Arc<Run>| {
            let progress = lock(&run.progress);
            run.id == id || progress.task_run(id).is_some()
        };
        known.runs.iter().find(has_task).cloned().ok_or_else(|| no_run(id))
    }

    /// Whether a run has a place among the active ones of its job; one in the queue takes it if there is one.
    pub(super) fn takes_place(&self, run: &Run, most: i64) -> bool {
        let known = self.lock();
        let has_place = i64::try_from(known.active(run.job_id)).is_ok_and(|active| active < most);
        let mut progress = lock(&run.progress);
        if progress.stage == Stage::Queued && has_place {
            progress.stage = Stage::Pending;
        }
        progress.stage != Stage::Queued
    }
}

impl Known {
    /// How many runs of a job are active, those in the queue left out.
    pub(super) fn active(&self, job_id: i64) -> usize {
        let of_job = self.runs.iter().filter(|run| run.job_id == job_id);
        of_job.filter(|run| !matches!(lock(&run.progress).stage, Stage::Ended(_) | Stage::Queued)).count()
    }

    pub(super) fn job(&self, id: i64) -> Result<&Job, ApiError> {
        self.jobs.values().find(|job| job.id == id).ok_or_else(|| no_job(id))
    }

    pub(super) fn job_mut(&mut self, id: i64) -> Result<&mut Job, ApiError> {
        self.jobs.values_mut().find(|job| job.id == id).ok_or_else(|| no_job(id))
    }

    pub(super) fn add_job(&mut self, job: Job) {
        self.made += 1;
        self.jobs.insert(self.made, job);
    }

    pub(super) fn add_run(&mut self, run: Arc<Run>) {
        self.runs.push(run);
        while self.runs.len() > RUNS_KEPT {
            let Some(oldest) = self.runs.iter().position(|run| run.has_ended()) else { break };
            let gone = self.runs.remove(oldest);
            self.tokens.retain(|_, run_id| *run_id != gone.id);
        }
    }
}

fn no_job(id: i64) -> ApiError {
    ApiError::invalid(format!("Job {id} does not exist."))
}

fn no_run(id: i64) -> ApiError {
    ApiError::invalid(format!("Run {id} does not exist."))
}

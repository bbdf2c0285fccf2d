//! Jobs: what they are, their runs, and tasks that run without a job.
//!
//! - A run outlives the program that started it. Dropping a handle or a future that waits cancels nothing.
//! - A start has an idempotency token, the caller's or a random one, so it is sent again when its answer is lost, and the
//!   service starts one run. The service remembers a token as long as its run exists.
//! - Ids have 64 bits and may not fit into a double.

mod id;
mod job_run;
mod outcome;
mod pages;
mod start;
mod task_run;

use brickwire_client::{Answer, Call, ResponseValue, operations, types};
use brickwire_wire::json;
use serde::Deserialize;
use serde_json::value::RawValue;

use self::id::numbered;
pub use self::{
    job_run::{EndedRun, JobRun},
    outcome::RunOutcome,
    task_run::EndedTask,
};
use crate::{Candidate, Error, ErrorKind, List, Named, Result, Workspace, document, list, names};

/// The most jobs that the service returns in one page.
const JOBS_IN_PAGE: i64 = 100;
/// The most runs that the service returns in one page.
const RUNS_IN_PAGE: i64 = 24;

/// The jobs of a workspace.
#[derive(Debug, Clone)]
pub struct Jobs {
    workspace: Workspace,
}

impl Workspace {
    /// Jobs and their runs.
    pub fn jobs(&self) -> Jobs {
        Jobs { workspace: self.clone() }
    }
}

impl Named for Jobs {
    const NOUN: &'static str = "job";

    /// A decimal number of 64 bits.
    fn is_id(text: &str) -> bool {
        text.parse::<i64>().is_ok_and(|id| id > 0) && text.bytes().all(|b| b.is_ascii_digit())
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        self.named(None).await
    }

    /// The service looks for the name itself, since there may be thousands of jobs.
    async fn find(&self, id_or_name: &str) -> Result<String> {
        if Self::is_id(id_or_name) {
            return Ok(id_or_name.to_owned());
        }
        names::required(Self::NOUN, id_or_name)?;
        let named = self.named(Some(id_or_name)).await?;
        if named.is_empty() {
            let text = format!("no job has this id or name: {id_or_name:?}");
            return Err(Error::new(ErrorKind::NotFound, text).with_hint("list the jobs"));
        }
        names::choose(Self::NOUN, id_or_name, named)
    }
}

/// What a name needs of a job. A list may hold jobs of which something else can't be decoded.
#[derive(Deserialize)]
struct Reference {
    #[serde(default, deserialize_with = "brickwire_client::integer::optional")]
    job_id: Option<i64>,
    settings: Option<ReferenceSettings>,
}

#[derive(Deserialize)]
struct ReferenceSettings {
    name: Option<String>,
}

impl Jobs {
    /// Lists all jobs that the caller may see, page after page, without their tasks.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for job in &workspace.jobs().list().await? {
    ///     println!("{:?} {:?}", job.job_id, job.settings.as_ref().and_then(|s| s.name.as_ref()));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call; no jobs is not an error. Operation: `jobs_list`.
    pub async fn list(&self) -> Result<List<types::Job>> {
        list::all(|token| self.page(None, token), "jobs").await
    }

    /// Lists all jobs as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for job in workspace.jobs().list_json().await? {
    ///     println!("{job}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self) -> Result<Vec<Box<RawValue>>> {
        list::json(|token| self.page(None, token), "jobs").await
    }

    /// Returns the id of the job that has this id or name. An id costs no request.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let jobs = workspace.jobs();
    /// let job_id = jobs.find("nightly report").await?;
    /// jobs.get(job_id).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Named::find`]. Operation: `jobs_list`.
    pub async fn find(&self, id_or_name: &str) -> Result<i64> {
        let id = Named::find(self, id_or_name).await?;
        id.parse().map_err(|_| Error::unexpected(format!("the id of the job is no number: {id}")))
    }

    /// Gets one job with all of its tasks, however many pages they take.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let job = workspace.jobs().get(1_234_567_890_123_456).await?;
    /// println!("{:?}", job.settings.as_ref().and_then(|settings| settings.tasks.as_ref()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. Operation: `jobs_get`.
    pub async fn get(&self, job_id: i64) -> Result<ResponseValue<types::Job>> {
        pages::decode(self.whole(job_id).await?, "jobs_get")
    }

    /// Gets one job as JSON. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.jobs().get_json(1_234_567_890_123_456).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, job_id: i64) -> Result<Box<RawValue>> {
        let document = pages::decode(self.whole(job_id).await?, "jobs_get")?;
        document::checked(document, "", "", "")
    }

    /// Creates a job, and returns its id. Names need not be unique.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types;
    /// let file = types::SparkPythonTask { python_file: Some("/Shared/report.py".into()), ..Default::default() };
    /// let task = types::Task {
    ///     task_key: Some("report".into()),
    ///     spark_python_task: Some(file),
    ///     ..Default::default()
    /// };
    /// let job = types::CreateJob { name: Some("report".into()), tasks: Some(vec![task]), ..Default::default() };
    /// let job_id = workspace.jobs().create(&job).await?;
    /// # let _ = job_id;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`] for settings that the service refuses, [`ErrorKind::UnknownOutcome`] if the answer is lost:
    /// a repeated create would make a second job. Operation: `jobs_create`.
    pub async fn create(&self, job: &types::CreateJob) -> Result<i64> {
        let created = self.workspace.client().jobs_create(job).await?;
        created.job_id.ok_or_else(|| document::nameless(Self::NOUN, "jobs_create"))
    }

    /// Changes the settings that are given, and keeps all others.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types;
    /// let settings = types::JobSettings { max_concurrent_runs: Some(2), ..Default::default() };
    /// let job_id = 1_234_567_890_123_456;
    /// let change = types::UpdateJob { job_id, new_settings: Some(settings), ..Default::default() };
    /// workspace.jobs().update(&change).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. Operation: `jobs_update`.
    pub async fn update(&self, change: &types::UpdateJob) -> Result<()> {
        numbered(Self::NOUN, change.job_id)?;
        self.workspace.client().jobs_update(change).await.map(drop)
    }

    /// Replaces all settings: what is not given goes back to its default, except for `run_as`.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types;
    /// let job = workspace.jobs().get(1_234_567_890_123_456).await?.into_inner();
    /// let mut new_settings = job.settings.unwrap_or_default();
    /// new_settings.timeout_seconds = Some(3600);
    /// workspace.jobs().reset(&types::ResetJob { job_id: 1_234_567_890_123_456, new_settings }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. Operation: `jobs_reset`.
    pub async fn reset(&self, change: &types::ResetJob) -> Result<()> {
        numbered(Self::NOUN, change.job_id)?;
        self.workspace.client().jobs_reset(change).await.map(drop)
    }

    /// Deletes a job. Its runs go on.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.jobs().delete(1_234_567_890_123_456).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id, or if an attempt whose answer was lost has deleted it. Operation:
    /// `jobs_delete`.
    pub async fn delete(&self, job_id: i64) -> Result<()> {
        numbered(Self::NOUN, job_id)?;
        self.workspace.client().jobs_delete(&types::DeleteJob { job_id }).await.map(drop)
    }

    /// Requests that all active runs of a job be canceled.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.jobs().cancel_runs(1_234_567_890_123_456).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. Operation: `runs_cancel_all`.
    pub async fn cancel_runs(&self, job_id: i64) -> Result<()> {
        numbered(Self::NOUN, job_id)?;
        let body = types::CancelAllRuns { job_id: Some(job_id), ..Default::default() };
        self.workspace.client().runs_cancel_all(&body).await.map(drop)
    }

    /// Lists runs, the latest start first: at most so many, since a workspace may have hundreds of thousands.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::RunsListQuery;
    /// let active = RunsListQuery { active_only: Some(true), ..Default::default() };
    /// for run in &workspace.jobs().list_runs(&active, 100).await? {
    ///     println!("{:?} {:?}", run.run_id, run.run_name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call; no runs is not an error. Operation: `runs_list`.
    pub async fn list_runs(&self, filter: &types::RunsListQuery, most: usize) -> Result<List<types::Run>> {
        list::decoded(self.list_runs_json(filter, most).await?, "runs")
    }

    /// Lists runs as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for run in workspace.jobs().list_runs_json(&Default::default(), 100).await? {
    ///     println!("{run}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list_runs`](Self::list_runs).
    pub async fn list_runs_json(
        &self,
        filter: &types::RunsListQuery,
        most: usize,
    ) -> Result<Vec<Box<RawValue>>> {
        let usual = i64::try_from(most).unwrap_or(i64::MAX).clamp(1, RUNS_IN_PAGE);
        let page = |page_token: Option<String>| {
            let limit = filter.limit.or(Some(usual));
            let query = types::RunsListQuery { page_token, limit, ..filter.clone() };
            self.workspace.client().call(&operations::RUNS_LIST).query_object(&query)
        };
        list::first(page, "runs", most).await
    }

    /// The run with this id, or the task's run. Nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let ended = workspace.jobs().run(1_234_567_890_123_456).wait().await?;
    /// println!("{}", ended.outcome);
    /// # Ok(())
    /// # }
    /// ```
    pub fn run(&self, run_id: i64) -> JobRun {
        JobRun::new(&self.workspace, run_id)
    }

    /// Ids and names of all jobs, or of those with this name in any case.
    async fn named(&self, name: Option<&str>) -> Result<Vec<Candidate>> {
        let found = list::all::<Reference>(|token| self.page(name, token), "jobs").await?;
        let candidate = |job: Reference| {
            let name = job.settings.and_then(|settings| settings.name);
            Candidate::new(job.job_id.map(|id| id.to_string()), name, None::<&str>)
        };
        Ok(found.into_iter().map(candidate).collect())
    }

    fn page(&self, name: Option<&str>, page_token: Option<String>) -> Call {
        let name = name.map(str::to_owned);
        let query =
            types::JobsListQuery { name, page_token, limit: Some(JOBS_IN_PAGE), ..Default::default() };
        self.workspace.client().call(&operations::JOBS_LIST).query_object(&query)
    }

    async fn whole(&self, job_id: i64) -> Result<Answer> {
        numbered(Self::NOUN, job_id)?;
        let page = |page_token: Option<String>| {
            let query = types::JobsGetQuery { page_token, ..Default::default() };
            self.workspace.client().call(&operations::JOBS_GET).query("job_id", &job_id).query_object(&query)
        };
        let answer = pages::whole(page, Some("settings")).await?;
        let came = json::decode::<Reference>(&answer.body).ok().and_then(|job| job.job_id);
        let came = came.map(|id| id.to_string());
        document::check_id(Self::NOUN, &job_id.to_string(), came.as_deref()).map_err(|e| answer.blame(e))?;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_ids_from_names() {
        for id in ["1", "9007199254740993", "9223372036854775807"] {
            assert!(Jobs::is_id(id), "{id}");
        }
        for name in ["", "0", "-1", "+1", "9223372036854775808", "12a", "report"] {
            assert!(!Jobs::is_id(name), "{name}");
        }
    }
}

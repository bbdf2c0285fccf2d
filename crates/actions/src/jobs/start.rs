//! Starting a run so that after a lost answer it is neither given up nor started twice.

use brickwire_client::{operations, types};

use super::{EndedRun, JobRun, Jobs, id::numbered};
use crate::{
    Error, Result, WaitOptions,
    idempotency::{start, token},
};

impl Jobs {
    /// Starts a run of a job, and returns as soon as the service has accepted it.
    ///
    /// The request gets a random `idempotency_token` unless it has one, so that it is sent again if its answer is lost. A
    /// token of the caller's own makes two calls start one run, even those of two programs.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::RunNow;
    /// let run = workspace.jobs().run_now(&RunNow { job_id: 1_234_567_890_123_456, ..Default::default() }).await?;
    /// let ended = run.wait().await?;
    /// for task in ended.tasks.iter().filter(|task| task.outcome.has_run()) {
    ///     println!("{}: {:?}", task.key, task.output().await?.logs);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown job, [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for parameters that it doesn't have,
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if no attempt brought an answer; the hint has the token with which to send it again.
    /// A run that is skipped because another one is active is not an error here. Operation: `jobs_run_now`.
    pub async fn run_now(&self, request: &types::RunNow) -> Result<JobRun> {
        numbered("job", request.job_id)?;
        let token = token(request.idempotency_token.as_deref())?;
        let request = types::RunNow { idempotency_token: Some(token.clone()), ..request.clone() };
        let call = self.workspace.client().call(&operations::JOBS_RUN_NOW).json(&request);
        let id = |run: types::RunNowResponse| run.run_id;
        let started = start("run", call, "jobs_run_now", &token, id).await?;
        self.workspace.events().requesting("run", &started.to_string(), "start");
        Ok(self.run(started))
    }

    /// Runs a job and waits for its end; the run is canceled if its time is over or the future is dropped before that, even
    /// while the start is still to be answered.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use std::time::Duration;
    /// use brickwire_actions::{WaitOptions, types::RunNow};
    /// let an_hour = WaitOptions::default().with_timeout(Duration::from_secs(3600));
    /// let request = RunNow { job_id: 1_234_567_890_123_456, ..Default::default() };
    /// println!("{}", workspace.jobs().run_or_cancel(&request, an_hour).await?.outcome);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`run_now`](Self::run_now) and [`JobRun::wait_or_cancel`]. Operations: `jobs_run_now`, `runs_get`,
    /// `runs_cancel`.
    pub async fn run_or_cancel(&self, request: &types::RunNow, options: WaitOptions) -> Result<EndedRun> {
        let (deadline, request, workspace) = (options.deadline(), request.clone(), self.workspace.clone());
        let submission = self.workspace.submit("run", deadline, |submitting| async move {
            let id = submitting.jobs().run_now(&request).await?.id();
            // The submission's own workspace sends nothing more once the caller has gone.
            let run = workspace.jobs().run(id);
            let guard = run.canceled_when_dropped();
            Ok((run, guard))
        });
        let (run, guard) = submission.await?;
        run.wait_guarded(guard, options.until(deadline)).await
    }

    /// Starts a run of tasks without a job, and returns as soon as the service has accepted it. About the token see
    /// [`run_now`](Self::run_now).
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
    /// let request = types::SubmitRun { tasks: Some(vec![task]), ..Default::default() };
    /// let ended = workspace.jobs().submit(&request).await?.wait().await?;
    /// println!("{}", ended.outcome);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) without a task; otherwise as for [`run_now`](Self::run_now). Operation: `runs_submit`.
    pub async fn submit(&self, request: &types::SubmitRun) -> Result<JobRun> {
        if request.tasks.as_ref().is_none_or(Vec::is_empty) {
            return Err(Error::usage("the run has no tasks"));
        }
        let token = token(request.idempotency_token.as_deref())?;
        let request = types::SubmitRun { idempotency_token: Some(token.clone()), ..request.clone() };
        let call = self.workspace.client().call(&operations::RUNS_SUBMIT).json(&request);
        let id = |run: types::SubmitRunResponse| run.run_id;
        let started = start("run", call, "runs_submit", &token, id).await?;
        self.workspace.events().requesting("run", &started.to_string(), "start");
        Ok(self.run(started))
    }
}

//! Starting a run so that a lost answer is no reason to give up, and no reason to run twice.

use brickwire_client::{Call, ResponseValue, operations, types};
use ring::rand::SecureRandom;
use serde::de::DeserializeOwned;

use super::{EndedRun, JobRun, Jobs, id::numbered};
use crate::{Error, ErrorKind, Result, WaitOptions, document};

/// The longest token that the service takes.
const LONGEST_TOKEN: usize = 64;

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
    /// [`ErrorKind::NotFound`] for an unknown job, [`ErrorKind::Rejected`] for parameters that it doesn't have,
    /// [`ErrorKind::UnknownOutcome`] if no attempt brought an answer; the hint has the token with which to send it again.
    /// A run that is skipped because another one is active is not an error here. Operation: `jobs_run_now`.
    pub async fn run_now(&self, request: &types::RunNow) -> Result<JobRun> {
        numbered("job", request.job_id)?;
        let token = token(request.idempotency_token.as_deref())?;
        let request = types::RunNow { idempotency_token: Some(token.clone()), ..request.clone() };
        let call = self.workspace.client().call(&operations::JOBS_RUN_NOW).json(&request);
        let started = start::<types::RunNowResponse>(call, "jobs_run_now", &token, |run| run.run_id).await?;
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
    /// [`ErrorKind::Usage`] without a task; otherwise as for [`run_now`](Self::run_now). Operation: `runs_submit`.
    pub async fn submit(&self, request: &types::SubmitRun) -> Result<JobRun> {
        if request.tasks.as_ref().is_none_or(Vec::is_empty) {
            return Err(Error::usage("the run has no tasks"));
        }
        let token = token(request.idempotency_token.as_deref())?;
        let request = types::SubmitRun { idempotency_token: Some(token.clone()), ..request.clone() };
        let call = self.workspace.client().call(&operations::RUNS_SUBMIT).json(&request);
        let started =
            start::<types::SubmitRunResponse>(call, "runs_submit", &token, |run| run.run_id).await?;
        self.workspace.events().requesting("run", &started.to_string(), "start");
        Ok(self.run(started))
    }
}

/// Sends a start, and returns the id of the run.
async fn start<T: DeserializeOwned>(
    call: Call,
    operation: &str,
    token: &str,
    run_id: impl FnOnce(&T) -> Option<i64>,
) -> Result<i64> {
    let answer: Result<ResponseValue<T>> = call.with_idempotency_token().send().await;
    let started =
        answer.and_then(|answer| run_id(&answer).ok_or_else(|| document::nameless("run", operation)));
    started.map_err(|error| match error.is_unknown_outcome() {
        true => error.with_hint(format!(
            "send it again with this `idempotency_token`, which starts no second run: {token}"
        )),
        false => error,
    })
}

/// The caller's token, or a random one.
fn token(given: Option<&str>) -> Result<String> {
    match given {
        Some(given) if given.trim().is_empty() => Err(Error::usage("the idempotency token is empty")),
        Some(given) if given.chars().count() > LONGEST_TOKEN => Err(Error::usage(format!(
            "the idempotency token is longer than {LONGEST_TOKEN} characters: {given}"
        ))),
        Some(given) => Ok(given.to_owned()),
        None => {
            let mut bytes = [0; 16];
            ring::rand::SystemRandom::new()
                .fill(&mut bytes)
                .map_err(|_| Error::new(ErrorKind::Local, "the system provides no random numbers"))?;
            Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_the_callers_or_random() {
        assert_eq!(token(Some("nightly-2026-11-26")).unwrap(), "nightly-2026-11-26");
        let random = [token(None).unwrap(), token(None).unwrap()];
        assert!(random[0] != random[1] && random.iter().all(|token| token.len() == 32), "{random:?}");
        for wrong in ["", " ", &"x".repeat(65)] {
            assert_eq!(token(Some(wrong)).unwrap_err().kind(), ErrorKind::Usage, "{wrong:?}");
        }
    }
}

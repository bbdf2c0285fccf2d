//! One run: its state, its end, its output, and what can be done to it.

use std::{collections::HashMap, ops::RangeInclusive, time::Duration};

use brickwire_client::{Answer, ResponseValue, operations, types};
use brickwire_wire::json;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    id::numbered,
    outcome::{RunOutcome, Standing},
    pages,
    task_run::{self, EndedTask, TaskView, latest},
};
use crate::{
    Error, ErrorKind, Event, Result, WaitOptions, Workspace,
    background::{CancelOnDrop, Canceled},
    document,
    wait::{Seen, Verdict, until},
};

/// Runs take from seconds to days.
const POLLS: RangeInclusive<Duration> = Duration::from_millis(500)..=Duration::from_secs(15);

/// A run of a job, of submitted tasks, or of one task. The handle is only the id: dropping it cancels nothing.
#[derive(Debug, Clone)]
pub struct JobRun {
    workspace: Workspace,
    id: i64,
}

/// A run that has ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EndedRun {
    /// Its id.
    pub run_id: i64,
    /// How it ended. A run that failed is not an error.
    pub outcome: RunOutcome,
    /// What the service says about that, if anything.
    pub message: Option<String>,
    /// The latest attempt of each task, in the order of the service.
    pub tasks: Vec<EndedTask>,
    /// The run as JSON, with all of its tasks.
    pub raw: Bytes,
}

/// What waiting needs of a run. Waiting goes on if other members can't be decoded.
#[derive(Deserialize)]
struct RunView {
    #[serde(default, deserialize_with = "brickwire_client::integer::optional")]
    run_id: Option<i64>,
    state: Option<types::RunState>,
    status: Option<types::RunStatus>,
    tasks: Option<Vec<TaskView>>,
}

impl RunView {
    fn standing(&self) -> Standing {
        Standing::of(self.state.as_ref(), self.status.as_ref())
    }

    fn tasks(&self) -> Vec<&TaskView> {
        latest(self.tasks.as_deref().unwrap_or_default())
    }
}

impl JobRun {
    pub(super) fn new(workspace: &Workspace, id: i64) -> Self {
        Self { workspace: workspace.clone(), id }
    }

    /// Its id.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Gets the run with all of its tasks, however many pages they take.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.jobs().run(1_234_567_890_123_456).get().await?.state);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. Operation: `runs_get`.
    pub async fn get(&self) -> Result<ResponseValue<types::Run>> {
        pages::decode(self.answer(false).await?, "runs_get")
    }

    /// Gets the run as JSON. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.jobs().run(1_234_567_890_123_456).get_json().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self) -> Result<Box<RawValue>> {
        document::checked(pages::decode(self.answer(false).await?, "runs_get")?, "", "", "")
    }

    /// Waits until the run has ended, in whatever way, without a limit of time.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let ended = workspace.jobs().run(1_234_567_890_123_456).wait().await?;
    /// for task in &ended.tasks {
    ///     println!("{} {}", task.key, task.outcome);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. A run that failed is not an error: see [`EndedRun::outcome`].
    /// Operation: `runs_get`.
    pub async fn wait(&self) -> Result<EndedRun> {
        self.wait_with(WaitOptions::default().with_timeout(Duration::MAX)).await
    }

    /// As [`wait`](Self::wait), within a time. [`Event::StateChanged`] tells each change of the run and of its tasks, with
    /// a task's key as its id.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use std::time::Duration;
    /// use brickwire_actions::WaitOptions;
    /// let an_hour = WaitOptions::default().with_timeout(Duration::from_secs(3600));
    /// let ended = workspace.jobs().run(1_234_567_890_123_456).wait_with(an_hour).await?;
    /// println!("{}", ended.outcome);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`wait`](Self::wait), and [`ErrorKind::DeadlineExceeded`]; the run then goes on.
    pub async fn wait_with(&self, options: WaitOptions) -> Result<EndedRun> {
        let pace = options.start(POLLS);
        let run = Self { workspace: self.workspace.with_deadline(pace.deadline), id: self.id };
        let (events, mut known) = (self.workspace.events(), HashMap::new());
        let (view, raw) = until(
            "run",
            &self.id.to_string(),
            pace,
            events,
            || run.view(),
            |(view, _)| {
                for task in view.tasks() {
                    let Standing { word, message, .. } = task.standing();
                    if !word.is_empty() && known.get(task.key()) != Some(&word) {
                        known.insert(task.key().to_owned(), word.clone());
                        let id = task.key().to_owned();
                        events.emit(|| Event::StateChanged { what: "task", id, state: word, message });
                    }
                }
                let Standing { word, outcome, message } = view.standing();
                let verdict = if outcome.is_some() { Verdict::Done } else { Verdict::Working };
                Seen { state: word, message, verdict }
            },
        )
        .await?;
        let Standing { word, outcome, message } = view.standing();
        Ok(EndedRun {
            run_id: self.id,
            outcome: outcome.unwrap_or(RunOutcome::Unknown(word)),
            message,
            tasks: view.tasks().into_iter().map(|task| EndedTask::new(&self.workspace, task)).collect(),
            raw,
        })
    }

    /// As [`wait_with`](Self::wait_with), but the run is canceled if its time is over or the future is dropped before it
    /// has ended.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use std::time::Duration;
    /// use brickwire_actions::WaitOptions;
    /// let an_hour = WaitOptions::default().with_timeout(Duration::from_secs(3600));
    /// workspace.jobs().run(1_234_567_890_123_456).wait_or_cancel(an_hour).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`wait_with`](Self::wait_with); [`ErrorKind::DeadlineExceeded`] says what became of the cancellation.
    /// Operations: `runs_get`, `runs_cancel`.
    pub async fn wait_or_cancel(&self, options: WaitOptions) -> Result<EndedRun> {
        numbered("run", self.id)?;
        self.wait_guarded(self.canceled_when_dropped(), options).await
    }

    pub(super) async fn wait_guarded(
        &self,
        mut guard: CancelOnDrop,
        options: WaitOptions,
    ) -> Result<EndedRun> {
        match self.wait_with(options).await {
            Err(error) if error.kind() == ErrorKind::DeadlineExceeded => {
                let canceled = guard.cancel().await;
                Err(options.exceeded("run", &self.id.to_string(), canceled, false))
            }
            ended => {
                if ended.is_ok() {
                    guard.disarm();
                }
                ended
            }
        }
    }

    pub(super) fn canceled_when_dropped(&self) -> CancelOnDrop {
        let id = self.id;
        self.workspace.cancel_on_drop("run", &id.to_string(), move |workspace| async move {
            let run = Self::new(&workspace, id);
            run.cancel().await?;
            Ok(async move {
                match run.wait_with(WaitOptions::for_an_ending()).await {
                    Ok(ended) => Canceled::Ended(ended.outcome.to_string()),
                    Err(_) => Canceled::Requested,
                }
            })
        })
    }

    /// Gets the output of a task's run, or of a run with one task.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.jobs().run(1_234_567_890_123_456).output().await?.logs);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id, [`ErrorKind::Rejected`] for a run of several tasks. Operation:
    /// `runs_get_output`.
    pub async fn output(&self) -> Result<ResponseValue<types::RunOutput>> {
        task_run::output(&self.workspace, self.id).await
    }

    /// Gets the output as JSON, as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.jobs().run(1_234_567_890_123_456).output_json().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`output`](Self::output).
    pub async fn output_json(&self) -> Result<Box<RawValue>> {
        task_run::output_json(&self.workspace, self.id).await
    }

    /// Requests that the run be canceled; [`wait`](Self::wait) returns once it has ended. A run that has ended already is
    /// not an error.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let run = workspace.jobs().run(1_234_567_890_123_456);
    /// run.cancel().await?;
    /// run.wait().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. Operation: `runs_cancel`.
    pub async fn cancel(&self) -> Result<()> {
        numbered("run", self.id)?;
        self.workspace.client().runs_cancel(&types::CancelRun { run_id: self.id }).await.map(drop)
    }

    /// Runs tasks of the run again, which has ended, and returns the id of the repair. If the request names no tasks, all
    /// that failed are run. The run's id stays the same; [`wait`](Self::wait) waits for the repair.
    ///
    /// The request names the latest repair, so that the service refuses a second one like it. The first repair of a run has
    /// none to name.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let run = workspace.jobs().run(1_234_567_890_123_456);
    /// run.repair(&Default::default()).await?;
    /// println!("{}", run.wait().await?.outcome);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`] for a run that is active or has no task to run again, [`ErrorKind::UnknownOutcome`] if the
    /// answer is lost, [`ErrorKind::Usage`] for a request about another run. Operations: `runs_get`, `runs_repair`.
    pub async fn repair(&self, request: &types::RepairRun) -> Result<i64> {
        numbered("run", self.id)?;
        if request.run_id != 0 && request.run_id != self.id {
            return Err(Error::usage(format!(
                "the repair is of another run than {}: {}",
                self.id, request.run_id
            )));
        }
        let mut request = types::RepairRun { run_id: self.id, ..request.clone() };
        if request.rerun_tasks.as_ref().is_none_or(Vec::is_empty) {
            request.rerun_all_failed_tasks.get_or_insert(true);
        }
        if request.latest_repair_id.is_none() {
            request.latest_repair_id = self.latest_repair().await?;
        }
        let repair = self.workspace.client().runs_repair(&request).await?;
        repair.repair_id.ok_or_else(|| document::nameless("repair", "runs_repair"))
    }

    /// Deletes the run, which has ended.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.jobs().run(1_234_567_890_123_456).delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`] for a run that is active, [`ErrorKind::NotFound`] for an unknown id. Operation:
    /// `runs_delete`.
    pub async fn delete(&self) -> Result<()> {
        numbered("run", self.id)?;
        self.workspace.client().runs_delete(&types::DeleteRun { run_id: self.id }).await.map(drop)
    }

    /// Exports the views of a notebook task's run as HTML: of code, of dashboards, or of both.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::ViewsToExport;
    /// let views = workspace.jobs().run(1_234_567_890_123_456).export(ViewsToExport::Code).await?;
    /// println!("{:?}", views.views);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`] for a run that isn't one of a notebook. Operation: `runs_export`.
    pub async fn export(&self, views: types::ViewsToExport) -> Result<ResponseValue<types::ExportRunOutput>> {
        numbered("run", self.id)?;
        let query = types::RunsExportQuery { views_to_export: Some(views) };
        self.workspace.client().runs_export(&query, self.id).await
    }

    /// The id of the latest repair, if there was one.
    async fn latest_repair(&self) -> Result<Option<i64>> {
        #[derive(Deserialize)]
        struct History {
            repair_history: Option<Vec<Repair>>,
        }
        #[derive(Deserialize)]
        struct Repair {
            #[serde(default, deserialize_with = "brickwire_client::integer::optional")]
            id: Option<i64>,
            #[serde(default, deserialize_with = "brickwire_client::integer::optional")]
            start_time: Option<i64>,
        }
        let history: History = json::decode(&self.answer(true).await?.body)?;
        let repairs = history.repair_history.into_iter().flatten();
        let latest = repairs.filter(|repair| repair.id.is_some()).max_by_key(|repair| repair.start_time);
        Ok(latest.and_then(|repair| repair.id))
    }

    async fn view(&self) -> Result<(RunView, Bytes)> {
        let answer = self.answer(false).await?;
        let view: RunView = json::decode(&answer.body).map_err(|error| answer.blame(error))?;
        Ok((view, answer.body))
    }

    /// All pages of the run.
    async fn answer(&self, include_history: bool) -> Result<Answer> {
        numbered("run", self.id)?;
        let page = |page_token: Option<String>| {
            let include_history = include_history.then_some(true);
            let query = types::RunsGetQuery { page_token, include_history, ..Default::default() };
            self.workspace.client().call(&operations::RUNS_GET).query("run_id", &self.id).query_object(&query)
        };
        let answer = pages::whole(page, None).await?;
        self.check(&answer).map_err(|error| answer.blame(error))?;
        Ok(answer)
    }

    /// Whether the answer is about this run. It may be about the whole run of a task that was asked for.
    fn check(&self, answer: &Answer) -> Result<()> {
        let Ok(view) = json::decode::<RunView>(&answer.body) else { return Ok(()) };
        match view.run_id {
            Some(id) if id != self.id && !view.tasks().iter().any(|task| task.run_id() == Some(self.id)) => {
                document::check_id("run", &self.id.to_string(), Some(&id.to_string()))
            }
            _ => Ok(()),
        }
    }
}

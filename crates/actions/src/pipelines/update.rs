//! One update of a pipeline: its state, its end, and canceling it.

use std::{ops::RangeInclusive, time::Duration};

use brickwire_client::{Call, ResponseValue, operations, types};
use brickwire_wire::json;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::outcome::{ErrorEvent, UpdateOutcome, reason};
use crate::{
    Error, ErrorKind, Result, WaitOptions, Workspace,
    background::{CancelOnDrop, Canceled},
    document, list,
    names::required,
    wait::{Seen, Verdict, until},
};

/// Updates take from seconds to hours.
const POLLS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(15);

/// How many errors are read to find the first one of an update.
const ERRORS_READ: usize = 250;

/// An update of a pipeline. The handle is only the ids: dropping it cancels nothing.
#[derive(Debug, Clone)]
pub struct PipelineUpdate {
    workspace: Workspace,
    pipeline_id: String,
    id: String,
}

/// An update that has ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EndedUpdate {
    /// The pipeline's id.
    pub pipeline_id: String,
    /// The update's id.
    pub update_id: String,
    /// How it ended. An update that failed is not an error.
    pub outcome: UpdateOutcome,
    /// Why it failed, as the pipeline's events tell it. Nothing if they don't, or if it didn't fail.
    pub reason: Option<String>,
    /// The update as JSON, as the service sent it.
    pub raw: Bytes,
}

/// What waiting needs of an update. Waiting goes on if other members can't be decoded.
#[derive(Deserialize)]
struct Answered {
    update: Option<View>,
}

#[derive(Deserialize)]
struct View {
    update_id: Option<String>,
    state: Option<types::PipelineUpdateState>,
}

/// An update as it came.
struct Polled {
    state: types::PipelineUpdateState,
    raw: Bytes,
}

impl PipelineUpdate {
    pub(super) fn new(workspace: &Workspace, pipeline_id: &str, id: &str) -> Self {
        Self { workspace: workspace.clone(), pipeline_id: pipeline_id.to_owned(), id: id.to_owned() }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id of its pipeline.
    pub fn pipeline_id(&self) -> &str {
        &self.pipeline_id
    }

    /// Gets the update.
    ///
    /// ```no_run
    /// # async fn example(update: brickwire_actions::PipelineUpdate) -> brickwire_actions::Result<()> {
    /// println!("{:?}", update.get().await?.update.as_ref().and_then(|update| update.state.as_ref()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. Operation: `pipelines_get_update`.
    pub async fn get(&self) -> Result<ResponseValue<types::GetUpdateResponse>> {
        let answer = self.call()?.send::<types::GetUpdateResponse>().await?;
        let id = |answer: &types::GetUpdateResponse| answer.update.as_ref()?.update_id.clone();
        document::check_id("update", &self.id, id(&answer).as_deref())?;
        Ok(answer)
    }

    /// Gets the update as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(update: brickwire_actions::PipelineUpdate) -> brickwire_actions::Result<()> {
    /// println!("{}", update.get_json().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self) -> Result<Box<RawValue>> {
        document::object(self.call()?).await
    }

    /// Waits until the update has ended, in whatever way, without a limit of time.
    ///
    /// ```no_run
    /// # async fn example(update: brickwire_actions::PipelineUpdate) -> brickwire_actions::Result<()> {
    /// let ended = update.wait().await?;
    /// println!("{} {:?}", ended.outcome, ended.reason);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. An update that failed is not an error: see [`EndedUpdate::outcome`].
    /// Operations: `pipelines_get_update`; `pipelines_list_events` for the reason of a failure.
    pub async fn wait(&self) -> Result<EndedUpdate> {
        self.wait_with(WaitOptions::default().with_timeout(Duration::MAX)).await
    }

    /// As [`wait`](Self::wait), within a time. [`Event::StateChanged`](crate::Event::StateChanged) tells each change.
    ///
    /// ```no_run
    /// # async fn example(update: brickwire_actions::PipelineUpdate) -> brickwire_actions::Result<()> {
    /// use std::time::Duration;
    /// use brickwire_actions::WaitOptions;
    /// let an_hour = WaitOptions::default().with_timeout(Duration::from_secs(3600));
    /// println!("{}", update.wait_with(an_hour).await?.outcome);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`wait`](Self::wait), and [`ErrorKind::DeadlineExceeded`]; the update then goes on.
    pub async fn wait_with(&self, options: WaitOptions) -> Result<EndedUpdate> {
        let pace = options.start(POLLS);
        let update = Self { workspace: self.workspace.with_deadline(pace.deadline), ..self.clone() };
        let look = |polled: &Polled| {
            let has_ended = UpdateOutcome::of(&polled.state).is_some();
            let verdict = if has_ended { Verdict::Done } else { Verdict::Working };
            Seen { state: polled.state.to_string(), message: None, verdict }
        };
        let polled = until("update", &self.id, pace, self.workspace.events(), || update.poll(), look).await?;
        let outcome = UpdateOutcome::of(&polled.state)
            .ok_or_else(|| Error::unexpected(format!("update {} has no outcome", self.id)))?;
        let reason = match outcome {
            UpdateOutcome::Failed => update.reason().await,
            _ => None,
        };
        let (pipeline_id, update_id) = (self.pipeline_id.clone(), self.id.clone());
        Ok(EndedUpdate { pipeline_id, update_id, outcome, reason, raw: polled.raw })
    }

    /// As [`wait_with`](Self::wait_with), but the update is canceled if its time is over or the future is dropped before
    /// it has ended.
    ///
    /// ```no_run
    /// # async fn example(update: brickwire_actions::PipelineUpdate) -> brickwire_actions::Result<()> {
    /// use std::time::Duration;
    /// use brickwire_actions::WaitOptions;
    /// let an_hour = WaitOptions::default().with_timeout(Duration::from_secs(3600));
    /// println!("{}", update.wait_or_cancel(an_hour).await?.outcome);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`wait_with`](Self::wait_with); [`ErrorKind::DeadlineExceeded`] says what became of the cancellation.
    /// Operations: `pipelines_get_update`, `pipelines_list_events`, `pipelines_stop`.
    pub async fn wait_or_cancel(&self, options: WaitOptions) -> Result<EndedUpdate> {
        self.check()?;
        self.wait_guarded(self.canceled_when_dropped(), options).await
    }

    pub(super) async fn wait_guarded(
        &self,
        mut guard: CancelOnDrop,
        options: WaitOptions,
    ) -> Result<EndedUpdate> {
        match self.wait_with(options).await {
            Err(error) if error.kind() == ErrorKind::DeadlineExceeded => {
                let canceled = guard.cancel().await;
                Err(options.exceeded("update", &self.id, canceled, false))
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
        let (pipeline_id, id) = (self.pipeline_id.clone(), self.id.clone());
        self.workspace.cancel_on_drop("update", &self.id, move |workspace| async move {
            let update = Self::new(&workspace, &pipeline_id, &id);
            update.cancel().await?;
            Ok(async move {
                match update.wait_with(WaitOptions::for_an_ending()).await {
                    Ok(ended) => Canceled::Ended(ended.outcome.to_string()),
                    Err(_) => Canceled::Requested,
                }
            })
        })
    }

    /// Requests that the update be canceled; [`wait`](Self::wait) returns once it has ended. One that has ended already is
    /// not an error.
    ///
    /// The service only stops whatever update a pipeline has. So nothing is requested if this one has ended, because
    /// another may be active by now.
    ///
    /// ```no_run
    /// # async fn example(update: brickwire_actions::PipelineUpdate) -> brickwire_actions::Result<()> {
    /// update.cancel().await?;
    /// update.wait().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. Operations: `pipelines_get_update`, `pipelines_stop`.
    pub async fn cancel(&self) -> Result<()> {
        match UpdateOutcome::of(&self.poll().await?.state) {
            Some(_) => Ok(()),
            None => self.workspace.pipelines().stop(&self.pipeline_id).await,
        }
    }

    /// Why the update failed. The update has ended, so events that can't be read make no error of it.
    async fn reason(&self) -> Option<String> {
        let query = types::PipelinesListEventsQuery {
            filter: Some("level='ERROR'".to_owned()),
            ..Default::default()
        };
        let pipelines = self.workspace.pipelines();
        let errors = pipelines.list_events_json(&self.pipeline_id, &query, ERRORS_READ).await;
        let errors = errors.and_then(|errors| list::decoded::<ErrorEvent>(errors, "events"));
        match errors {
            Ok(errors) => reason(&self.id, &errors),
            Err(error) => {
                tracing::debug!(target: "brickwire", update = self.id, %error, "the reason is not known");
                None
            }
        }
    }

    async fn poll(&self) -> Result<Polled> {
        let answer = self.call()?.send_raw().await?;
        let view: Answered = json::decode(&answer.body).map_err(|error| answer.blame(error))?;
        let View { update_id, state } = view.update.unwrap_or(View { update_id: None, state: None });
        document::check_id("update", &self.id, update_id.as_deref()).map_err(|error| answer.blame(error))?;
        let state = state.unwrap_or_else(|| types::PipelineUpdateState::from(String::new()));
        Ok(Polled { state, raw: answer.body })
    }

    fn check(&self) -> Result<()> {
        required("pipeline", &self.pipeline_id)?;
        required("update", &self.id)
    }

    fn call(&self) -> Result<Call> {
        self.check()?;
        let call = self.workspace.client().call(&operations::PIPELINES_GET_UPDATE);
        Ok(call.path("pipeline_id", &self.pipeline_id).path("update_id", &self.id))
    }
}

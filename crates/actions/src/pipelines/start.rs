//! Starting and stopping updates.

use brickwire_client::types;

use super::{EndedUpdate, PipelineUpdate, Pipelines};
use crate::{Named, Result, WaitOptions, document, names::required};

impl Pipelines {
    /// Starts an update, and returns as soon as the service has accepted it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::StartUpdate;
    /// let all = StartUpdate { full_refresh: Some(true), ..Default::default() };
    /// let pipelines = workspace.pipelines();
    /// let update = pipelines.start_update("8f2c1a34-5b6d-4e7f-8a90-1b2c3d4e5f60", &all).await?;
    /// let ended = update.wait().await?;
    /// println!("{} {:?}", ended.outcome, ended.reason);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id, [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) while another update is active, which goes on;
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the answer is lost: the list of updates tells. Operation:
    /// `pipelines_start_update`.
    pub async fn start_update(
        &self,
        pipeline_id: &str,
        request: &types::StartUpdate,
    ) -> Result<PipelineUpdate> {
        required(Self::NOUN, pipeline_id)?;
        let started = match self.workspace.client().pipelines_start_update(pipeline_id, request).await {
            Err(error) if error.is_unknown_outcome() => {
                return Err(error.with_hint("list the pipeline's updates to see whether one was started"));
            }
            started => started?,
        };
        let id = started.into_inner().update_id.filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| document::nameless("update", "pipelines_start_update"))?;
        self.workspace.events().requesting("update", &id, "start");
        Ok(self.update(pipeline_id, &id))
    }

    /// Runs an update and waits for its end; it is stopped if its time is over or the future is dropped before that, even
    /// while the start is still to be answered.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use std::time::Duration;
    /// use brickwire_actions::WaitOptions;
    /// let an_hour = WaitOptions::default().with_timeout(Duration::from_secs(3600));
    /// let id = "8f2c1a34-5b6d-4e7f-8a90-1b2c3d4e5f60";
    /// println!("{}", workspace.pipelines().run_or_cancel(id, &Default::default(), an_hour).await?.outcome);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`start_update`](Self::start_update) and [`PipelineUpdate::wait_or_cancel`]. Operations:
    /// `pipelines_start_update`, `pipelines_get_update`, `pipelines_list_events`, `pipelines_stop`.
    pub async fn run_or_cancel(
        &self,
        pipeline_id: &str,
        request: &types::StartUpdate,
        options: WaitOptions,
    ) -> Result<EndedUpdate> {
        required(Self::NOUN, pipeline_id)?;
        let (deadline, request, workspace) = (options.deadline(), request.clone(), self.workspace.clone());
        let pipeline_id = pipeline_id.to_owned();
        let submission = self.workspace.submit("update", deadline, |submitting| async move {
            let started = submitting.pipelines().start_update(&pipeline_id, &request).await?;
            // The submission's own workspace sends nothing more once the caller has gone.
            let update = workspace.pipelines().update(&pipeline_id, started.id());
            let guard = update.canceled_when_dropped();
            Ok((update, guard))
        });
        let (update, guard) = submission.await?;
        update.wait_guarded(guard, options.until(deadline)).await
    }

    /// The update with this id. Nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let (pipeline, update) = ("8f2c1a34-5b6d-4e7f-8a90-1b2c3d4e5f60", "0c1d2e3f-0000-4000-8000-000000000001");
    /// println!("{}", workspace.pipelines().update(pipeline, update).wait().await?.outcome);
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self, pipeline_id: &str, update_id: &str) -> PipelineUpdate {
        PipelineUpdate::new(&self.workspace, pipeline_id, update_id)
    }

    /// Requests that the active update be canceled. A pipeline without one is not an error.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.pipelines().stop("8f2c1a34-5b6d-4e7f-8a90-1b2c3d4e5f60").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id. Operation: `pipelines_stop`.
    pub async fn stop(&self, pipeline_id: &str) -> Result<()> {
        required(Self::NOUN, pipeline_id)?;
        self.workspace.client().pipelines_stop(pipeline_id).await.map(drop)
    }
}

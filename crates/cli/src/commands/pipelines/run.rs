//! Starting an update and following it to its end.

use std::time::Duration;

use brickwire_actions::{EndedUpdate, ErrorKind, Pipelines, UpdateOutcome, WaitOptions, types::StartUpdate};
use serde_json::json;

use crate::{
    context::Context,
    failure::{Failure, Result},
    options::duration,
    terminal::escaped_line,
};

/// What an update is to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Start {
    /// Compute all tables anew; rows that their sources no longer have are lost
    #[arg(long)]
    full_refresh: bool,
    /// Update only this table; may be repeated
    #[arg(long = "refresh", value_name = "TABLE", conflicts_with = "full_refresh")]
    refresh: Vec<String>,
    /// Compute only this table anew; may be repeated
    #[arg(long = "full-refresh-table", value_name = "TABLE", conflicts_with = "full_refresh")]
    full_refresh_tables: Vec<String>,
    /// Check the code of the pipeline without changing a table
    #[arg(long)]
    validate_only: bool,
}

impl Start {
    pub(super) fn request(self) -> Result<StartUpdate> {
        if self.refresh.iter().chain(&self.full_refresh_tables).any(|table| table.trim().is_empty()) {
            return Err(Failure::usage("the name of a table is empty"));
        }
        Ok(StartUpdate {
            full_refresh: self.full_refresh.then_some(true),
            refresh_selection: (!self.refresh.is_empty()).then_some(self.refresh),
            full_refresh_selection: (!self.full_refresh_tables.is_empty())
                .then_some(self.full_refresh_tables),
            validate_only: self.validate_only.then_some(true),
            ..Default::default()
        })
    }
}

/// How an update is followed.
#[derive(Debug, clap::Args)]
pub(crate) struct Following {
    /// Print the ID of the update and don't wait
    #[arg(long = "no-wait", alias = "detach")]
    detach: bool,
    /// Cancel the update when brick is interrupted, or at the end of --timeout
    #[arg(long, conflicts_with = "detach")]
    cancel_on_interrupt: bool,
    /// Stop waiting if the whole command takes longer than this, such as 30m or 2h; by default there is no limit
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true)]
    pub(super) timeout: Option<Duration>,
}

impl Following {
    /// Starts an update, and follows it unless it is to be detached.
    pub(super) async fn start(
        &self,
        pipelines: &Pipelines,
        pipeline_id: &str,
        request: &StartUpdate,
        limit: WaitOptions,
        context: &Context,
    ) -> Result {
        if self.cancel_on_interrupt {
            context.progress().expect_lines("update");
            return ended(&pipelines.run_or_cancel(pipeline_id, request, limit).await?, context);
        }
        // Before the start, so that an interrupt right after it names the update.
        context.progress().expect_to_outlive("update", &format!("brick pipelines updates {pipeline_id}"));
        let update = pipelines.start_update(pipeline_id, request).await?;
        if self.detach {
            let started = json!({ "pipeline_id": pipeline_id, "update_id": update.id() });
            return context.record(started.to_string().as_bytes());
        }
        ended(&update.wait_with(limit).await?, context)
    }
}

/// Prints the update, and says whether it succeeded.
fn ended(ended: &EndedUpdate, context: &Context) -> Result {
    context.record(&ended.raw)?;
    let id = &ended.update_id;
    let why = ended.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let failure = |text: String| Failure::new(ErrorKind::RemoteFailed, escaped_line(&text));
    match ended.outcome {
        UpdateOutcome::Completed => Ok(()),
        UpdateOutcome::Canceled => Err(failure(format!("update {id} was canceled"))),
        _ => {
            let events = format!("brick pipelines events {} --level error", ended.pipeline_id);
            Err(failure(format!("update {id} is {}{why}", ended.outcome))
                .with_hint(format!("see all of its errors: {events}")))
        }
    }
}

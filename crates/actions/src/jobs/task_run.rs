//! The tasks of a run: where each one is, and what it produced.

use std::collections::HashMap;

use brickwire_client::{ResponseValue, operations, types};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    id::numbered,
    outcome::{RunOutcome, Standing},
};
use crate::{Error, Result, Workspace, document};

/// What waiting needs of a task. A run may have tasks of which something else can't be decoded.
#[derive(Debug, Deserialize)]
pub(super) struct TaskView {
    task_key: Option<String>,
    #[serde(default, deserialize_with = "brickwire_client::integer::optional")]
    run_id: Option<i64>,
    #[serde(default, deserialize_with = "brickwire_client::integer::optional")]
    attempt_number: Option<i64>,
    state: Option<types::RunState>,
    status: Option<types::RunStatus>,
}

impl TaskView {
    pub(super) fn key(&self) -> &str {
        self.task_key.as_deref().unwrap_or_default()
    }

    pub(super) fn run_id(&self) -> Option<i64> {
        self.run_id
    }

    pub(super) fn standing(&self) -> Standing {
        Standing::of(self.state.as_ref(), self.status.as_ref())
    }
}

/// The latest attempt of each task, in the order of the service. Retries and repairs leave the earlier ones in the list.
pub(super) fn latest(tasks: &[TaskView]) -> Vec<&TaskView> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut latest: Vec<&TaskView> = Vec::new();
    for task in tasks {
        match places.get(task.key()) {
            Some(place) if latest[*place].attempt_number <= task.attempt_number => latest[*place] = task,
            Some(_) => {}
            None => {
                places.insert(task.key(), latest.len());
                latest.push(task);
            }
        }
    }
    latest
}

/// A task of a run that has ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EndedTask {
    /// Its key, unique in the run.
    pub key: String,
    /// The id of its own run, of the latest attempt; a task that never ran may have none.
    pub run_id: Option<i64>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// What the service says about that, if anything.
    pub message: Option<String>,
    workspace: Workspace,
}

impl EndedTask {
    pub(super) fn new(workspace: &Workspace, view: &TaskView) -> Self {
        let Standing { word, outcome, message } = view.standing();
        Self {
            key: view.key().to_owned(),
            run_id: view.run_id,
            // The run has ended, and with it the task, whatever its own state says.
            outcome: outcome.unwrap_or(RunOutcome::Unknown(word)),
            message,
            workspace: workspace.clone(),
        }
    }

    /// Gets what the task printed or returned, or its error. It may take megabytes, so a run doesn't keep the outputs of
    /// its tasks.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let ended = workspace.jobs().run(1_234_567_890_123_456).wait().await?;
    /// for task in ended.tasks.iter().filter(|task| !task.outcome.is_success() && task.outcome.has_run()) {
    ///     println!("{}: {:?}", task.key, task.output().await?.error);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a task without a run,
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a task that has no output, such as one that never ran. A
    /// task that failed is not an error here. Operation: `runs_get_output`.
    pub async fn output(&self) -> Result<ResponseValue<types::RunOutput>> {
        output(&self.workspace, self.own_run()?).await
    }
}

impl EndedTask {
    /// Gets the output as JSON, as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let ended = workspace.jobs().run(1_234_567_890_123_456).wait().await?;
    /// println!("{}", ended.tasks[0].output_json().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`output`](Self::output).
    pub async fn output_json(&self) -> Result<Box<RawValue>> {
        output_json(&self.workspace, self.own_run()?).await
    }

    fn own_run(&self) -> Result<i64> {
        self.run_id.ok_or_else(|| Error::usage(format!("the task has no run: {}", self.key)))
    }
}

pub(super) async fn output(workspace: &Workspace, run_id: i64) -> Result<ResponseValue<types::RunOutput>> {
    numbered("run", run_id)?;
    workspace.client().runs_get_output(run_id).await
}

pub(super) async fn output_json(workspace: &Workspace, run_id: i64) -> Result<Box<RawValue>> {
    numbered("run", run_id)?;
    document::object(workspace.client().call(&operations::RUNS_GET_OUTPUT).query("run_id", &run_id)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_attempt_of_a_task_counts() {
        let tasks: Vec<TaskView> = serde_json::from_str(
            r#"[{"task_key": "a", "run_id": 1}, {"task_key": "b", "run_id": "9007199254740993", "attempt_number": 1},
                {"task_key": "b", "run_id": 3, "attempt_number": 0}, {"task_key": "a", "run_id": 4, "attempt_number": 1}]"#,
        )
        .unwrap();
        let ids: Vec<_> = latest(&tasks).iter().map(|task| task.run_id).collect();
        assert_eq!(ids, [Some(4), Some(9_007_199_254_740_993)]);
    }
}

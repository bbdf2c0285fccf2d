//! Cells of a notebook on a cluster: one context, a command for each step, in order.
//!
//! The context is created for the first command. It is destroyed after the last one, when a cell fails, and when
//! [`CellRuns`] is dropped, which also cancels the command that runs; unless it is to be kept.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{
    Commands,
    options::RunOptions,
    output::{Run, RunOutput},
    session::Session,
};
use crate::{CellAction, CellStep, Result, types::CommandLanguage};

/// What became of a step.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CellRun {
    /// The step.
    pub step: CellStep,
    /// How it ended.
    pub status: CellStatus,
    /// The command and what it produced, if it ran.
    pub run: Option<Run>,
    /// How long it took.
    pub elapsed: Duration,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CellStatus {
    /// It succeeded.
    Ok,
    /// The code failed, or was canceled by someone else.
    Failed,
    /// It is nothing to run, such as text.
    Skipped,
    /// It was not run, because the run ended before it.
    NotRun,
}

impl CellStatus {
    /// The name of the status: `ok`, `failed`, `skipped`, `not_run`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::NotRun => "not_run",
        }
    }
}

/// Steps that run one by one. Dropping it cancels the command that runs, and destroys the context if it was created for
/// the steps.
#[derive(Debug)]
pub struct CellRuns {
    commands: Commands,
    cluster_id: String,
    options: RunOptions,
    deadline: Instant,
    steps: VecDeque<CellStep>,
    session: Option<Session>,
    context_id: Option<String>,
    /// The step that runs, or ran last.
    current: Option<CellStep>,
    has_ended: bool,
}

impl Commands {
    /// Runs steps of a notebook on a running cluster, in one context, which is a new one unless the options name one.
    /// Nothing is sent before [`CellRuns::next`].
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::{Notebook, RunOptions};
    /// let text = "# Databricks notebook source\nx = 6\n\n# COMMAND ----------\n\nprint(x * 7)";
    /// let steps = Notebook::parse(text, None, None)?.steps(&[], &[])?;
    /// let mut runs = workspace.commands().run_cells("0123-456789-abcdefgh", steps, &RunOptions::default());
    /// while let Some(cell) = runs.next().await? {
    ///     println!("cell {}: {}", cell.step.cell, cell.status.as_str());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn run_cells(&self, cluster_id: &str, steps: Vec<CellStep>, options: &RunOptions) -> CellRuns {
        CellRuns {
            commands: self.clone(),
            cluster_id: cluster_id.to_owned(),
            options: options.clone(),
            deadline: options.wait.deadline(),
            steps: steps.into(),
            session: None,
            context_id: None,
            current: None,
            has_ended: false,
        }
    }
}

impl CellRuns {
    /// Runs the next step. After a cell that failed, and after an error, all other steps are
    /// [`CellStatus::NotRun`]; [`RunOptions::with_continue_on_error`] changes the first. Steps that only set parameters
    /// are not returned unless they fail.
    ///
    /// ```no_run
    /// # async fn example(mut runs: brickwire_actions::CellRuns) -> brickwire_actions::Result<()> {
    /// while let Some(cell) = runs.next().await? {
    ///     println!("{:?}", cell.run.map(|run| run.output));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Commands::run`]. Code that fails is not an error.
    pub async fn next(&mut self) -> Result<Option<CellRun>> {
        loop {
            let Some(step) = self.steps.pop_front() else {
                self.end();
                return Ok(None);
            };
            let is_preparation = matches!(step.action, CellAction::Prepare { .. });
            let ran = match &step.action {
                CellAction::Skip { .. } => CellRun { status: CellStatus::Skipped, ..idle(step) },
                _ if self.has_ended => CellRun { status: CellStatus::NotRun, ..idle(step) },
                CellAction::Run { language, code } => {
                    let (language, code) = (language.clone(), code.clone());
                    self.run(step, &language, &code).await?
                }
                CellAction::Prepare { code } => {
                    let code = code.clone();
                    self.run(step, &CommandLanguage::Python, &code).await?
                }
            };
            if !is_preparation || ran.status == CellStatus::Failed {
                return Ok(Some(ran));
            }
        }
    }

    /// The context that the steps run in, once there is one.
    pub fn context_id(&self) -> Option<&str> {
        self.context_id.as_deref()
    }

    /// The step that runs, or that ran last.
    pub fn current(&self) -> Option<&CellStep> {
        self.current.as_ref()
    }

    /// The numbers of the cells whose code has not run, one for each step.
    pub fn left(&self) -> Vec<usize> {
        let has_code = |step: &&CellStep| step.language().is_some();
        self.steps.iter().filter(has_code).map(|step| step.cell).collect()
    }

    async fn run(&mut self, step: CellStep, language: &CommandLanguage, code: &str) -> Result<CellRun> {
        self.current = Some(step.clone());
        let (run, elapsed) = match self.run_code(language, code).await {
            Ok(ran) => ran,
            Err(error) => {
                // Dropping the session destroys a context of its own.
                self.session = None;
                self.has_ended = true;
                return Err(error);
            }
        };
        let has_failed = matches!(run.output, RunOutput::Failed { .. } | RunOutput::Cancelled);
        // A cell without its parameters would run with the wrong ones.
        let is_preparation = matches!(step.action, CellAction::Prepare { .. });
        if has_failed && !step.may_fail && (is_preparation || !self.options.continues) {
            self.end();
        }
        let status = if has_failed { CellStatus::Failed } else { CellStatus::Ok };
        Ok(CellRun { status, run: Some(run), elapsed, ..idle(step) })
    }

    /// Runs code. The time doesn't include that of the context.
    async fn run_code(&mut self, language: &CommandLanguage, code: &str) -> Result<(Run, Duration)> {
        let session = match &mut self.session {
            Some(session) => session,
            none => {
                let session =
                    Session::open(&self.commands, &self.cluster_id, &self.options, self.deadline).await?;
                self.context_id = Some(session.context_id().to_owned());
                none.insert(session)
            }
        };
        let start = Instant::now();
        let run = session.run(language, code).await?;
        Ok((run, start.elapsed()))
    }

    /// Runs nothing more.
    fn end(&mut self) {
        self.has_ended = true;
        if let Some(session) = self.session.take() {
            session.end();
        }
    }
}

/// A step that has not run.
fn idle(step: CellStep) -> CellRun {
    CellRun { step, status: CellStatus::Skipped, run: None, elapsed: Duration::ZERO }
}

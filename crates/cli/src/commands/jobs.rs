//! `brick jobs`: jobs and their runs.

mod run;
mod show;

use std::{ffi::OsStr, time::Duration};

use brickwire_actions::{
    Jobs, Workspace,
    types::{RepairRun, RunNow, RunsListQuery},
};
use clap::Subcommand;
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use serde_json::json;

use crate::{
    candidates::live,
    context::Context,
    failure::Result,
    options::{NamePart, duration},
    output::Column,
};
use run::{Following, Parameters, Start};

/// Jobs and their runs: list, get, run, runs, output, cancel, repair
#[derive(Debug, Subcommand)]
#[command(alias = "job")]
pub(crate) enum Command {
    /// List all jobs
    #[command(after_help = "Example:\n  brick jobs list -o table")]
    List(NamePart),
    /// Show one job with its tasks
    #[command(after_help = "Example:\n  brick jobs get daily-report")]
    Get(Which),
    /// Run a job, wait until it ends, and print the output of its tasks; exits with 8 if it fails
    #[command(after_help = "\
The run is not canceled when brick is interrupted, unless --cancel-on-interrupt is given. On stderr, brick reports each
state of the run and of its tasks, and the error of a task that failed.

Examples:
  brick jobs run daily-report --param day=2026-11-26
  brick jobs run daily-report --no-wait --idempotency-token daily-2026-11-26
  brick jobs run 1234567890123456 --timeout 2h -o json")]
    Run {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        start: Start,
        #[command(flatten)]
        following: Following,
    },
    /// List the latest runs, of one job or of all
    #[command(
        after_help = "Examples:\n  brick jobs runs daily-report\n  brick jobs runs --active --limit 100 -o csv"
    )]
    Runs {
        /// ID or name of the job; by default the runs of all jobs are listed
        #[arg(value_name = "JOB", add = ArgValueCompleter::new(candidates))]
        job: Option<String>,
        /// List only runs that have not ended
        #[arg(long)]
        active: bool,
        /// Number of runs to list at most
        #[arg(long, value_name = "COUNT", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Print the output of a run, task by task, once it has ended; exits with 8 if it failed
    #[command(after_help = "Example:\n  brick jobs output 1234567890123456")]
    Output {
        #[command(flatten)]
        run: Id,
        /// Stop waiting for the end of the run after this time, such as 30m or 2h; by default there is no limit
        #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true)]
        timeout: Option<Duration>,
    },
    /// Cancel a run; it may take a while to end
    #[command(after_help = "Example:\n  brick jobs cancel 1234567890123456")]
    Cancel(Id),
    /// Run the failed tasks of a run again, wait until it ends, and print the output
    #[command(after_help = "\
Examples:
  brick jobs repair 1234567890123456
  brick jobs repair 1234567890123456 --task load --dependents --param strict=false")]
    Repair {
        #[command(flatten)]
        run: Id,
        /// Run this task again, instead of all that failed; may be repeated
        #[arg(long = "task", value_name = "KEY")]
        tasks: Vec<String>,
        /// Also run the tasks again that depend on those
        #[arg(long)]
        dependents: bool,
        #[command(flatten)]
        parameters: Parameters,
        #[command(flatten)]
        following: Following,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// ID or name of the job
    #[arg(value_name = "JOB", add = ArgValueCompleter::new(candidates))]
    job: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Id {
    /// ID of the run
    #[arg(value_name = "RUN", value_parser = clap::value_parser!(i64).range(1..))]
    run: i64,
}

pub(super) const COLUMNS: &[Column] = &[
    ("ID", "/job_id"),
    ("NAME", "/settings/name"),
    ("CREATOR", "/creator_user_name"),
    ("SCHEDULE", "/settings/schedule/quartz_cron_expression"),
];

const RUNS: &[Column] = &[
    ("ID", "/run_id"),
    ("JOB", "/job_id"),
    ("NAME", "/run_name"),
    ("STATE", "/state/life_cycle_state"),
    ("RESULT", "/state/result_state"),
    ("STARTED (MS)", "/start_time"),
    ("ENDED (MS)", "/end_time"),
];

/// The workspace's jobs.
async fn of(context: &Context) -> Result<Jobs> {
    context.progress().expect_lines("task");
    Ok(context.workspace().await?.jobs())
}

/// Names and IDs, for completion.
fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::jobs)
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::List(part) => {
            let found = part.read().select(of(context).await?.list_json().await?, "/settings/name", None);
            context.output().list(&found, COLUMNS)
        }
        Command::Get(Which { job }) => {
            let jobs = of(context).await?;
            let id = jobs.find(&job).await?;
            context.record(jobs.get_json(id).await?.get().as_bytes())
        }
        Command::Run { which, start, following } => {
            let request = start.request()?;
            let limit = context.limit_if_any(following.timeout);
            let jobs = of(context).await?;
            let request = RunNow { job_id: jobs.find(&which.job).await?, ..request };
            following.start(&jobs, &request, limit, context).await
        }
        Command::Runs { job, active, limit } => {
            let jobs = of(context).await?;
            let job_id = match job {
                Some(job) => Some(jobs.find(&job).await?),
                None => None,
            };
            let filter = RunsListQuery { job_id, active_only: active.then_some(true), ..Default::default() };
            let most = usize::try_from(limit).unwrap_or(usize::MAX);
            context.output().list(&jobs.list_runs_json(&filter, most).await?, RUNS)
        }
        Command::Output { run, timeout } => {
            let limit = context.limit_if_any(timeout);
            run::expect_to_go_on(context);
            let run = of(context).await?.run(run.run);
            show::outputs(&run.wait_with(limit).await?, &run, context).await
        }
        Command::Cancel(Id { run }) => {
            of(context).await?.run(run).cancel().await?;
            context.record(json!({ "run_id": run, "cancel_requested": true }).to_string().as_bytes())
        }
        Command::Repair { run, tasks, dependents, parameters, following } => {
            let request = RepairRun {
                run_id: run.run,
                rerun_tasks: (!tasks.is_empty()).then_some(tasks),
                rerun_dependent_tasks: dependents.then_some(true),
                job_parameters: parameters.read()?,
                ..Default::default()
            };
            let limit = context.limit_if_any(following.timeout);
            let run = of(context).await?.run(run.run);
            following.repair(&run, &request, limit, context).await
        }
    }
}

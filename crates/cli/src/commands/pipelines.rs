//! `brick pipelines`: pipelines and their updates.

mod run;

use std::ffi::OsStr;

use brickwire_actions::{Pipelines, Workspace, types::PipelinesListEventsQuery};
use clap::{Subcommand, ValueEnum};
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use serde_json::json;

use crate::{candidates::live, context::Context, failure::Result, options::NamePart, output::Column};
use run::{Following, Start};

/// Pipelines and their updates: list, get, run, stop, updates, events
#[derive(Debug, Subcommand)]
#[command(alias = "pipeline")]
pub(crate) enum Command {
    /// List all pipelines
    #[command(after_help = "Example:\n  brick pipelines list -o table")]
    List(NamePart),
    /// Show one pipeline with its settings and its latest updates
    #[command(after_help = "Example:\n  brick pipelines get trips")]
    Get(Which),
    /// Start an update of a pipeline and wait until it ends; exits with 8 if it fails
    #[command(after_help = "\
The update is not canceled when brick is interrupted, unless --cancel-on-interrupt is given. On stderr, brick reports
each state of the update, and why it failed.

Examples:
  brick pipelines run trips --timeout 2h
  brick pipelines run trips --full-refresh --no-wait
  brick pipelines run trips --refresh trips_count --refresh trips_raw")]
    Run {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        start: Start,
        #[command(flatten)]
        following: Following,
    },
    /// Cancel the active update of a pipeline; it may take a while to end
    #[command(after_help = "Example:\n  brick pipelines stop trips")]
    Stop(Which),
    /// List the latest updates of a pipeline, or show one
    #[command(after_help = "\
Examples:
  brick pipelines updates trips -o table
  brick pipelines updates trips 0c1d2e3f-0000-4000-8000-000000000001")]
    Updates {
        #[command(flatten)]
        which: Which,
        /// ID of the update to show
        #[arg(value_name = "UPDATE", conflicts_with = "limit")]
        update: Option<String>,
        /// Number of updates to list at most
        #[arg(long, value_name = "COUNT", default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// List what happened to a pipeline and its updates, the newest first
    #[command(after_help = "Example:\n  brick pipelines events trips --level error --limit 10")]
    Events {
        #[command(flatten)]
        which: Which,
        /// List only events of this level; may be repeated
        #[arg(long, value_name = "LEVEL")]
        level: Vec<Level>,
        /// Number of events to list at most
        #[arg(long, value_name = "COUNT", default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// ID or name of the pipeline
    #[arg(value_name = "PIPELINE", add = ArgValueCompleter::new(candidates))]
    pipeline: String,
}

/// How bad an event is.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Level {
    Info,
    Warn,
    Error,
    Metrics,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Metrics => "METRICS",
        }
    }
}

pub(super) const COLUMNS: &[Column] = &[
    ("ID", "/pipeline_id"),
    ("NAME", "/name"),
    ("STATE", "/state"),
    ("HEALTH", "/health"),
    ("LATEST UPDATE", "/latest_updates/0/state"),
    ("CREATOR", "/creator_user_name"),
];

const UPDATES: &[Column] = &[
    ("ID", "/update_id"),
    ("STATE", "/state"),
    ("CAUSE", "/cause"),
    ("FULL REFRESH", "/full_refresh"),
    ("CREATED (MS)", "/creation_time"),
];

const EVENTS: &[Column] = &[
    ("TIME", "/timestamp"),
    ("LEVEL", "/level"),
    ("TYPE", "/event_type"),
    ("MESSAGE", "/message"),
    ("ERROR", "/error/exceptions/0/message"),
];

/// The workspace's pipelines.
async fn of(context: &Context) -> Result<Pipelines> {
    Ok(context.workspace().await?.pipelines())
}

/// Names and IDs, for completion.
fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::pipelines)
}

fn most(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::List(part) => {
            let found = part.read().select(of(context).await?.list_json().await?, "/name", None);
            context.output().list(&found, COLUMNS)
        }
        Command::Get(Which { pipeline }) => {
            let pipelines = of(context).await?;
            let id = pipelines.find(&pipeline).await?;
            context.record(pipelines.get_json(&id).await?.get().as_bytes())
        }
        Command::Run { which, start, following } => {
            let request = start.request()?;
            let limit = context.limit_if_any(following.timeout);
            let pipelines = of(context).await?;
            let id = pipelines.find(&which.pipeline).await?;
            following.start(&pipelines, &id, &request, limit, context).await
        }
        Command::Stop(Which { pipeline }) => {
            let pipelines = of(context).await?;
            let id = pipelines.find(&pipeline).await?;
            pipelines.stop(&id).await?;
            context.record(json!({ "pipeline_id": id, "stop_requested": true }).to_string().as_bytes())
        }
        Command::Updates { which, update, limit } => {
            let pipelines = of(context).await?;
            let id = pipelines.find(&which.pipeline).await?;
            match update {
                Some(update) => {
                    context.record(pipelines.update(&id, &update).get_json().await?.get().as_bytes())
                }
                None => context.output().list(&pipelines.list_updates_json(&id, most(limit)).await?, UPDATES),
            }
        }
        Command::Events { which, level, limit } => {
            let pipelines = of(context).await?;
            let id = pipelines.find(&which.pipeline).await?;
            let levels: Vec<_> = level.iter().map(|level| format!("'{}'", level.name())).collect();
            let filter = (!levels.is_empty()).then(|| format!("level in ({})", levels.join(", ")));
            let query = PipelinesListEventsQuery { filter, ..Default::default() };
            context.output().list(&pipelines.list_events_json(&id, &query, most(limit)).await?, EVENTS)
        }
    }
}

//! `brick warehouses`: the life of an SQL warehouse.

mod change;

use std::{
    ffi::OsStr,
    future::ready,
    io::{self, IsTerminal},
    time::Instant,
};

use brickwire_actions::{Change, ErrorKind, ListFilter, WaitOptions, Warehouses, Workspace};
use clap::{Subcommand, builder::PossibleValuesParser};
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use serde_json::json;

use crate::{
    candidates::live,
    context::Context,
    failure::{Failure, Result},
    lifecycle::{Asked, change, waited},
    options::{NamePart, Timeout, Waiting},
    output::Column,
};
use change::Options;

/// SQL warehouses: list, get, create, edit, delete, start, stop, wait
#[derive(Debug, Subcommand)]
#[command(alias = "warehouse")]
pub(crate) enum Command {
    /// List all SQL warehouses
    #[command(after_help = "\
Examples:
  brick warehouses list
  brick warehouses list --state RUNNING --name report")]
    List(Selection),
    /// Show one warehouse
    #[command(after_help = "Example:\n  brick warehouses get 0123456789abcdef -o json")]
    Get(Which),
    /// Create a warehouse and wait until it is running
    #[command(after_help = "\
Examples:
  brick warehouses create reporting --size 2X-Small --serverless --auto-stop-minutes 10
  brick warehouses create reporting --data @warehouse.json --no-wait")]
    Create {
        /// Name of the warehouse, unique in the workspace
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        options: Options,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Change settings of a warehouse and keep all others
    #[command(after_help = "Example:\n  brick warehouses edit reporting --size Medium --max-clusters 4")]
    Edit {
        /// ID or name of the warehouse
        #[arg(value_name = "WAREHOUSE", add = ArgValueCompleter::new(candidates))]
        warehouse: String,
        /// New name of the warehouse
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        options: Options,
    },
    /// Delete a warehouse for good and wait until it is gone; running statements fail
    #[command(after_help = "Example:\n  brick warehouses delete 0123456789abcdef")]
    Delete {
        /// ID of the warehouse, or its whole name, which only one warehouse may have
        #[arg(value_name = "WAREHOUSE", add = ArgValueCompleter::new(candidates))]
        warehouse: String,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Start a stopped warehouse and wait until it is running
    #[command(after_help = "Example:\n  brick warehouses start \"Shared Endpoint\"")]
    Start(Asked<Which>),
    /// Stop a running warehouse and wait until it is stopped; running statements fail
    #[command(after_help = "Example:\n  brick warehouses stop 0123456789abcdef --no-wait")]
    Stop(Asked<Which>),
    /// Wait until a warehouse is running, or with --stopped until it is stopped
    #[command(after_help = "Example:\n  brick warehouses wait 0123456789abcdef --stopped")]
    Wait {
        #[command(flatten)]
        which: Which,
        /// Wait for STOPPED instead of RUNNING
        #[arg(long)]
        stopped: bool,
        #[command(flatten)]
        timeout: Timeout,
    },
}

/// Which warehouses are listed.
#[derive(Debug, clap::Args)]
pub(crate) struct Selection {
    /// List only warehouses in these states
    #[arg(long = "state", value_name = "STATES", value_delimiter = ',', ignore_case = true)]
    #[arg(value_parser = PossibleValuesParser::new(STATES))]
    states: Vec<String>,
    #[command(flatten)]
    name: NamePart,
}

const STATES: [&str; 6] = ["STARTING", "RUNNING", "STOPPING", "STOPPED", "DELETING", "DELETED"];

impl Selection {
    fn read(self) -> ListFilter {
        self.name.read().with_states(self.states)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// ID, name, HTTP path, or URL of the warehouse; by default the configured one (DATABRICKS_WAREHOUSE_ID or warehouse_id)
    #[arg(value_name = "WAREHOUSE", add = ArgValueCompleter::new(candidates))]
    warehouse: Option<String>,
}

impl Which {
    async fn id(&self, context: &Context) -> Result<String> {
        let id_or_name = match &self.warehouse {
            Some(given) => given,
            None => {
                let hint = "give its id or name, or set DATABRICKS_WAREHOUSE_ID (warehouse_id)";
                let id = context.config().await?.required_warehouse_id();
                id.map_err(|e| Failure::from(e).with_hint(hint))?
            }
        };
        Ok(of(context).await?.find(id_or_name).await?)
    }
}

pub(super) const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("STATE", "/state"),
    ("SIZE", "/cluster_size"),
    ("TYPE", "/warehouse_type"),
    ("SERVERLESS", "/enable_serverless_compute"),
    ("AUTO STOP MIN", "/auto_stop_mins"),
];

/// The workspace's warehouses. A requested change continues when the program ends.
pub(crate) async fn of(context: &Context) -> Result<Warehouses> {
    context.progress().expect_to_outlive("warehouse", "brick warehouses get");
    Ok(context.workspace().await?.warehouses())
}

/// The ID of the warehouse for statements: the one that is given, or else the configured one, or else the default. On a
/// terminal a line says which one is the default, and why.
pub(crate) async fn for_statements(given: Option<&str>, context: &Context) -> Result<String> {
    let warehouses = of(context).await?;
    if let Some(id_or_name) = given.or(context.config().await?.warehouse_id()) {
        return Ok(warehouses.find(id_or_name).await?);
    }
    let chosen = warehouses.choose_default().await.map_err(|error| match error.kind() {
        ErrorKind::Configuration => Failure::from(error)
            .with_hint("set --warehouse or DATABRICKS_WAREHOUSE_ID, or save one with `brick configure`")
            .with_next("brick configure"),
        _ => error.into(),
    })?;
    if io::stderr().is_terminal() {
        context.note(&format!("using warehouse {} ({}), {}", chosen.name, chosen.id, chosen.reason));
    }
    Ok(chosen.id)
}

/// Names and IDs, for completion.
pub(crate) fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::warehouses)
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    // From here on, all requests of the command share its time.
    let limit = match &command {
        Command::Start(Asked { waiting, .. }) | Command::Stop(Asked { waiting, .. }) => {
            context.limit(waiting.timeout.timeout)
        }
        Command::Create { waiting, .. } | Command::Delete { waiting, .. } => {
            context.limit(waiting.timeout.timeout)
        }
        Command::Wait { timeout, .. } => context.limit(timeout.timeout),
        _ => WaitOptions::default(),
    };
    let warehouses = of(context).await?;
    match command {
        Command::List(selection) => {
            let selected = selection.read();
            context.output().list(&warehouses.list_json_by(&selected).await?, COLUMNS)
        }
        Command::Get(which) => {
            let id = which.id(context).await?;
            context.record(warehouses.get_json(&id).await?.get().as_bytes())
        }
        Command::Create { name, options, waiting } => {
            let id = warehouses.create(&options.read(Some(&name))?).await?;
            let done = warehouses.wait_until_running(&id, limit);
            let asked = ready(Ok(Change::Requested));
            change(context, &waiting, "", asked, warehouses.get(&id), done).await
        }
        Command::Edit { warehouse, name, options } => {
            let changes = options.read(name.as_deref())?;
            if changes.is_empty() {
                let hint = "give an option for the setting, or --data";
                return Err(Failure::usage("no settings to change").with_hint(hint));
            }
            let id = warehouses.find(&warehouse).await?;
            warehouses.edit(&id, &changes).await?;
            context.record(warehouses.get_json(&id).await?.get().as_bytes())
        }
        Command::Delete { warehouse, waiting } => {
            let id = warehouses.find(&warehouse).await?;
            warehouses.delete(&id).await?;
            if !waiting.no_wait {
                warehouses.wait_until_deleted(&id, limit).await?;
            }
            let done = if waiting.no_wait { "delete_requested" } else { "deleted" };
            context.record(json!({ "id": id, done: true }).to_string().as_bytes())
        }
        Command::Start(Asked { which, waiting }) => {
            let id = which.id(context).await?;
            let done = warehouses.wait_until_running(&id, limit);
            let already = format!("warehouse {id} is running or starting");
            change(context, &waiting, &already, warehouses.start(&id), warehouses.get(&id), done).await
        }
        Command::Stop(Asked { which, waiting }) => {
            let id = which.id(context).await?;
            context.progress().expect_goal(" --stopped");
            let done = warehouses.wait_until_stopped(&id, limit);
            let already = format!("warehouse {id} is stopped or stopping");
            change(context, &waiting, &already, warehouses.stop(&id), warehouses.get(&id), done).await
        }
        Command::Wait { which, stopped, .. } => {
            let id = which.id(context).await?;
            let since = Instant::now();
            if stopped {
                context.progress().expect_goal(" --stopped");
            }
            let warehouse = match stopped {
                true => warehouses.wait_until_stopped(&id, limit).await?,
                false => warehouses.wait_until_running(&id, limit).await?,
            };
            waited(context, warehouse.raw(), since)
        }
    }
}

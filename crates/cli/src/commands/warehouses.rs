//! `brick warehouses`

use brickwire_actions::Change;
use clap::Subcommand;

use clap_complete::ArgValueCompleter;

use super::{Result, record};
use crate::{
    args::{Timeout, Waiting},
    completion,
    context::Context,
    output::Column,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Warehouses {
    /// List all SQL warehouses
    #[command(after_help = "Example:\n  brick warehouses list")]
    List,
    /// Show one warehouse
    #[command(after_help = "Example:\n  brick warehouses get 0123456789abcdef -o json")]
    Get(Which),
    /// Start a stopped warehouse, and wait until it runs
    #[command(after_help = "Example:\n  brick warehouses start \"Shared Endpoint\"")]
    Start {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Stop a running warehouse, and wait until it has; statements that run on it fail
    #[command(after_help = "Example:\n  brick warehouses stop 0123456789abcdef --no-wait")]
    Stop {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Wait until a warehouse runs, or until it is stopped
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

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The warehouse's id or name
    #[arg(value_name = "WAREHOUSE", env = "DATABRICKS_WAREHOUSE_ID", hide_env_values = true)]
    #[arg(add = ArgValueCompleter::new(completion::warehouses))]
    warehouse: String,
}

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("STATE", "/state"),
    ("SIZE", "/cluster_size"),
    ("TYPE", "/warehouse_type"),
    ("SERVERLESS", "/enable_serverless_compute"),
    ("AUTO STOP MIN", "/auto_stop_mins"),
];

pub(crate) async fn run(command: Warehouses, context: &Context) -> Result {
    let warehouses = context.workspace().await?.warehouses();
    match command {
        Warehouses::List => Ok(context.output().list(&warehouses.list_json().await?, COLUMNS)?),
        Warehouses::Get(which) => {
            let id = warehouses.find(&which.warehouse).await?;
            record(context, warehouses.get(&id).await?.raw())
        }
        Warehouses::Start { which, waiting } => {
            let id = warehouses.find(&which.warehouse).await?;
            if warehouses.start(&id).await? == Change::Already {
                context.note(&format!("warehouse {id} is running or starting already"));
            }
            if waiting.no_wait {
                return record(context, warehouses.get(&id).await?.raw());
            }
            record(context, warehouses.wait_until_running(&id, waiting.timeout.options()).await?.raw())
        }
        Warehouses::Stop { which, waiting } => {
            let id = warehouses.find(&which.warehouse).await?;
            if warehouses.stop(&id).await? == Change::Already {
                context.note(&format!("warehouse {id} is stopped or stopping already"));
            }
            if waiting.no_wait {
                return record(context, warehouses.get(&id).await?.raw());
            }
            record(context, warehouses.wait_until_stopped(&id, waiting.timeout.options()).await?.raw())
        }
        Warehouses::Wait { which, stopped, timeout } => {
            let id = warehouses.find(&which.warehouse).await?;
            let warehouse = match stopped {
                true => warehouses.wait_until_stopped(&id, timeout.options()).await?,
                false => warehouses.wait_until_running(&id, timeout.options()).await?,
            };
            record(context, warehouse.raw())
        }
    }
}

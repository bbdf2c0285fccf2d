//! `brick instance-pools`: pools of idle machines.

use std::ffi::OsStr;

use brickwire_actions::Workspace;
use clap::Subcommand;
use clap_complete::{ArgValueCompleter, CompletionCandidate};

use crate::{candidates::live, context::Context, failure::Result, options::NamePart, output::Column};

/// Instance pools: list, get
#[derive(Debug, Subcommand)]
#[command(alias = "instance-pool")]
pub(crate) enum Command {
    /// List all instance pools
    #[command(after_help = "Example:\n  brick instance-pools list -o table")]
    List(NamePart),
    /// Show one instance pool
    #[command(after_help = "Example:\n  brick instance-pools get warm-pool")]
    Get {
        /// ID or name of the pool
        #[arg(value_name = "POOL", add = ArgValueCompleter::new(candidates))]
        pool: String,
    },
}

pub(super) const COLUMNS: &[Column] = &[
    ("ID", "/instance_pool_id"),
    ("NAME", "/instance_pool_name"),
    ("STATE", "/state"),
    ("NODE TYPE", "/node_type_id"),
    ("IDLE", "/stats/idle_count"),
    ("USED", "/stats/used_count"),
];

/// Names and IDs, for completion.
pub(crate) fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::instance_pools)
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let pools = context.workspace().await?.instance_pools();
    match command {
        Command::List(part) => {
            let found = part.read().select(pools.list_json().await?, "/instance_pool_name", None);
            context.output().list(&found, COLUMNS)
        }
        Command::Get { pool } => {
            let id = pools.find(&pool).await?;
            context.record(pools.get_json(&id).await?.get().as_bytes())
        }
    }
}

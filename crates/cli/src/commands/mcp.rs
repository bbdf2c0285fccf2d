//! `brick mcp`: serves tools for agents over the Model Context Protocol, on stdin and stdout.
//!
//! ```text
//! stdin ─ transport ─ rmcp ─ server ── calls ──▶ run ─ call ─ the library
//!                              ▲                  │
//!                              └──── answers ─────┘
//! ```
//!
//! All calls run in the future of `run`, not in tasks of their own: when that future is dropped because of a signal,
//! everything that the calls have started is canceled before the program waits for the cancellations. A call also ends
//! when no client waits for its answer: after a `notifications/cancelled`, and when stdin is closed.

#[cfg(feature = "mcp")]
mod call;
#[cfg(feature = "mcp")]
mod code;
#[cfg(feature = "mcp")]
mod compute;
#[cfg(feature = "mcp")]
mod describe;
#[cfg(feature = "mcp")]
mod dispatch;
#[cfg(feature = "mcp")]
mod list;
#[cfg(feature = "mcp")]
mod serve;
#[cfg(feature = "mcp")]
mod server;
#[cfg(feature = "mcp")]
mod sql;
#[cfg(feature = "mcp")]
mod statement;
#[cfg(feature = "mcp")]
mod tools;
#[cfg(feature = "mcp")]
mod transport;

use crate::{context::Context, failure::Result};

/// Serve tools for agents over the Model Context Protocol (MCP) on stdin and stdout
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The tools only read unless an option allows more: sql_query, describe, list, statement.

Examples:
  brick mcp
  brick mcp -p prod --allow-compute
  claude mcp add databricks -- brick mcp -p prod")]
pub(crate) struct Command {
    /// Add the tool sql_execute, which runs any SQL statement
    #[arg(long)]
    allow_writes: bool,
    /// Add the tool run_code, which runs code on a cluster
    #[arg(long)]
    allow_code: bool,
    /// Add the tool compute, which starts and stops warehouses and clusters
    #[arg(long)]
    allow_compute: bool,
}

#[cfg(feature = "mcp")]
pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let Command { allow_writes, allow_code, allow_compute } = command;
    serve::serve(
        tools::all(tools::Allowed { writes: allow_writes, code: allow_code, compute: allow_compute }),
        context,
    )
    .await
}

#[cfg(not(feature = "mcp"))]
pub(crate) async fn run(command: Command, _: &Context) -> Result {
    let Command { allow_writes: _writes, allow_code: _code, allow_compute: _compute } = command;
    Err(crate::failure::Failure::not_built("MCP server", "full"))
}

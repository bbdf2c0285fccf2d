//! `brick statements`: statements that were submitted earlier.

use std::path::PathBuf;

use clap::Subcommand;

use super::sql;
use crate::{
    context::Context,
    failure::{Failure, Result},
    options::{Bounds, MaxRows, Timeout},
    output::{About, Target, json},
};

/// Submitted SQL statements: get, wait, cancel
#[derive(Debug, Subcommand)]
#[command(alias = "statement")]
pub(crate) enum Command {
    /// Show the status of a statement, with the presigned links to its rows masked
    #[command(after_help = "\
Anyone who has a presigned link can read the rows. `brick statements wait` downloads them; `brick api` shows the links.

Example:\n  brick statements get 01f0a1b2-c3d4-1e5f-8a9b-0c1d2e3f4a5b")]
    Get(Which),
    /// Wait until a statement ends and print its rows
    #[command(after_help = "Example:\n  brick statements wait 01f0a1b2-c3d4-1e5f-8a9b-0c1d2e3f4a5b -o csv")]
    Wait {
        #[command(flatten)]
        which: Which,
        /// Write the rows to this file; its extension sets the format unless -o is given
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Maximum number of rows to show, or `all` [default: 1000 on a terminal, 200 with -o agent, all elsewhere]
        #[arg(long, value_name = "ROWS", allow_negative_numbers = true)]
        max_rows: Option<MaxRows>,
        #[command(flatten)]
        bounds: Bounds,
        #[command(flatten)]
        timeout: Timeout,
    },
    /// Cancel a statement
    #[command(after_help = "Example:\n  brick statements cancel 01f0a1b2-c3d4-1e5f-8a9b-0c1d2e3f4a5b")]
    Cancel(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// ID of the statement
    #[arg(value_name = "STATEMENT")]
    statement: String,
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let statements = async || Ok::<_, Failure>(context.workspace().await?.statements());
    match command {
        Command::Get(which) => {
            let answer = statements().await?.get_json(&which.statement).await?;
            context.record(&json::without_links(answer.get().as_bytes()))
        }
        Command::Wait { which, out, max_rows, bounds, timeout } => {
            // Before the wait, so that a problem with the file is reported at once.
            let output = context.output_to(out.as_deref(), false)?;
            output.check_rows()?;
            let about = About { limits: bounds.limits(max_rows), ..About::default() };
            let output = output.with_about(about);
            let target = Target::open(out.as_deref())?;
            let cap = output.row_cap(max_rows, false, &target);
            let output = output.with_cap(cap);
            context.progress().expect_not_to_cancel("statement", "brick statements wait");
            let limit = context.limit(timeout.timeout);
            let result = statements().await?.wait(&which.statement, limit).await?;
            sql::print(result, output, target, context).await
        }
        Command::Cancel(which) => {
            statements().await?.cancel(&which.statement).await?;
            let requested = serde_json::json!({ "statement_id": which.statement, "cancel_requested": true });
            context.record(requested.to_string().as_bytes())
        }
    }
}

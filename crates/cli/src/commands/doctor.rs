//! `brick doctor`: each step on the way to the workspace, and the first that fails.

use std::io;

use brickwire_actions::{Check, Doctor as Examination, Outcome};
use serde_json::value::to_raw_value;

use super::Result;
use crate::{context::Context, output::Column, report::Failure};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The exit status is that of the first fault: 3 not configured, 4 not allowed, 7 unreachable,
and so on.

Example:
  brick doctor --profile work")]
pub(crate) struct Doctor {}

const COLUMNS: &[Column] =
    &[("NAME", "/name"), ("OUTCOME", "/outcome"), ("DETAIL", "/detail"), ("HINT", "/hint")];

pub(crate) async fn run(context: &Context) -> Result {
    let sources = context.sources().await?;
    let doctor = Examination::new(sources).with_product("brick", env!("CARGO_PKG_VERSION"));
    let mut printed: io::Result<()> = Ok(());
    let as_text = context.output().is_text();
    let checks = doctor
        .examine(|check| {
            // A step may take seconds; each is shown as soon as it is done.
            if as_text && printed.is_ok() {
                printed = context.output().bytes(lines(check).as_bytes());
            }
        })
        .await;
    printed?;
    if !as_text {
        let items = checks.iter().map(to_raw_value).collect::<serde_json::Result<Vec<_>>>()?;
        context.output().list(&items, COLUMNS)?;
    }
    let fault = checks.iter().find_map(|check| Some((check.name, check.error_kind?)));
    match fault {
        Some((name, kind)) => Err(Failure::Fault { name, kind }),
        None => Ok(()),
    }
}

/// The outcome, the name, and what was found: all in columns.
fn lines(check: &Check) -> String {
    let mut text = String::new();
    let head = format!("{:<7}  {:<13}  ", check.outcome.as_str(), check.name);
    let indent = " ".repeat(head.len());
    for (i, line) in check.detail.lines().enumerate() {
        let before = if i == 0 { &head } else { &indent };
        text.push_str(&format!("{before}{line}\n"));
    }
    if let (Some(hint), true) = (&check.hint, check.outcome != Outcome::Ok) {
        text.push_str(&format!("{indent}hint: {hint}\n"));
    }
    if text.is_empty() { format!("{}\n", head.trim_end()) } else { text }
}

//! `brick doctor`: checks each step of the connection and finds the first that fails.

use std::io;

use brickwire_actions::{Check, Doctor, Outcome};
use serde_json::value::to_raw_value;

use crate::{
    context::Context,
    failure::{Failure, Result},
    hint::in_cli_words,
    options::Format,
    output::Column,
};

/// Diagnose the connection step by step
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The exit code is that of the first fault: 3 not configured, 4 not allowed, 7 unreachable, and so on.

Example:
  brick doctor --profile work")]
pub(crate) struct Command {}

const COLUMNS: &[Column] =
    &[("NAME", "/name"), ("OUTCOME", "/outcome"), ("DETAIL", "/detail"), ("HINT", "/hint")];

pub(crate) async fn run(_: Command, context: &Context) -> Result {
    let doctor = Doctor::new(context.sources().await?).with_product("brick", env!("CARGO_PKG_VERSION"));
    let mut printed: io::Result<()> = Ok(());
    let as_text = matches!(context.output().format(), Format::Table | Format::Record);
    let mut checks = doctor
        .examine(|check| {
            // A step may take seconds, so each result is shown at once.
            if as_text && printed.is_ok() {
                printed = context.output().bytes(lines(check).as_bytes());
            }
        })
        .await;
    printed?;
    if !as_text {
        for check in &mut checks {
            check.hint = check.hint.as_deref().map(in_cli_words);
        }
        let items = checks.iter().map(to_raw_value).collect::<serde_json::Result<Vec<_>>>()?;
        context.output().list(&items, COLUMNS)?;
    }
    let fault = checks.iter().find_map(|check| Some((check.name, check.error_kind?)));
    match fault {
        Some((name, kind)) => Err(Failure::new(kind, format!("the first fault is in {name}"))),
        None => Ok(()),
    }
}

/// Outcome, name, and details, in columns.
fn lines(check: &Check) -> String {
    let mut text = String::new();
    let head = format!("{:<7}  {:<13}  ", check.outcome.as_str(), check.name);
    let indent = " ".repeat(head.len());
    for (i, line) in check.detail.lines().enumerate() {
        let before = if i == 0 { &head } else { &indent };
        text.push_str(&format!("{before}{line}\n"));
    }
    if let (Some(hint), true) = (&check.hint, check.outcome != Outcome::Ok) {
        text.push_str(&format!("{indent}hint: {}\n", in_cli_words(hint)));
    }
    if text.is_empty() { format!("{}\n", head.trim_end()) } else { text }
}

//! The arguments of `brick sql`, and the statement that is sent for them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use brickwire_actions::{
    FetchOptions, Parameter, ParameterValue, PreviewLimits, Statement, Workspace, types::Disposition,
};
use clap_complete::ArgValueCompleter;

use crate::{
    commands::warehouses,
    failure::{Failure, Result},
    options::{Bounds, Format, MaxRows, duration},
    output::{Output, Target},
    source::Source,
};

/// The limit in bytes of rows that wait to be written: enough to keep the network busy, and little memory.
const WAITING: u64 = 40 << 20;

/// What stands for the number of a statement in the name of a file.
pub(super) const NUMBER: &str = "{n}";

/// The name of the file for the result of a statement.
pub(super) fn numbered(pattern: &str, number: usize) -> PathBuf {
    pattern.replace(NUMBER, &number.to_string()).into()
}

/// Run SQL statements and print their rows
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  brick sql \"SELECT * FROM samples.nyctaxi.trips LIMIT 5\"
  brick sql -f etl.sql
  brick sql -w \"Shared Endpoint\" -P from:DATE=2024-01-01 -P note:STRING -f report.sql -o csv")]
pub(crate) struct Command {
    #[command(flatten)]
    pub(super) source: Source,
    /// ID, name, HTTP path, or URL of the warehouse; by default DATABRICKS_WAREHOUSE_ID, then warehouse_id of the
    /// profile, then the only one that you can see, your default, or the workspace's default
    #[arg(long, short, value_name = "WAREHOUSE", add = ArgValueCompleter::new(warehouses::candidates))]
    pub(super) warehouse: Option<String>,
    /// Value for :NAME, as NAME=VALUE (a string), NAME:TYPE=VALUE, or NAME:TYPE (NULL); repeatable
    #[arg(long = "param", short = 'P', value_name = "NAME[:TYPE][=VALUE]", value_parser = parameter)]
    pub(super) parameters: Vec<Parameter>,
    /// Default catalog
    #[arg(long, value_name = "NAME")]
    pub(super) catalog: Option<String>,
    /// Default schema
    #[arg(long, value_name = "NAME")]
    pub(super) schema: Option<String>,
    /// Maximum number of rows
    #[arg(long, value_name = "ROWS", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(1..))]
    pub(super) limit: Option<i64>,
    /// Maximum number of rows to show, or `all` [default: 1000 on a terminal, 200 with -o agent, all elsewhere]
    #[arg(long, value_name = "ROWS", allow_negative_numbers = true, conflicts_with = "limit")]
    pub(super) max_rows: Option<MaxRows>,
    #[command(flatten)]
    pub(super) bounds: Bounds,
    /// Whether only as much is fetched as an agent is shown.
    #[arg(skip)]
    pub(super) is_previewed: bool,
    /// Get the rows in the answer of the service, and not from its object store (up to 25 MiB, as text)
    #[arg(long, conflicts_with = "detach")]
    pub(super) inline: bool,
    /// Write the rows to this file; its extension sets the format unless -o is given; in a script, an n in braces becomes
    /// the number of the statement
    #[arg(long, value_name = "FILE", conflicts_with = "detach")]
    pub(super) out: Option<PathBuf>,
    /// Fail if the warehouse is not running, instead of starting it
    #[arg(long)]
    pub(super) no_start: bool,
    /// Submit the statement, print its ID, and don't wait
    #[arg(long = "no-wait", alias = "detach")]
    pub(super) detach: bool,
    /// Print the statements with their lines, and send nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Go on after a statement that fails, unless access is refused or its outcome is unknown
    #[arg(long)]
    pub(super) continue_on_error: bool,
    /// Send the text as one statement, without looking for semicolons
    #[arg(long, conflicts_with_all = ["dry_run", "continue_on_error", "session"])]
    pub(super) no_split: bool,
    /// Run all statements in one SQL session, which keeps temporary views, variables, and settings
    #[arg(long, conflicts_with = "detach")]
    pub(super) session: bool,
    /// Cancel a statement if it takes longer than this, such as 30s or 2h
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true)]
    pub(super) timeout: Option<Duration>,
}

/// `name=value`, `name:TYPE=value`, `name:TYPE`
pub(crate) fn parameter(text: &str) -> std::result::Result<Parameter, String> {
    let (head, value) = match text.split_once('=') {
        Some((head, value)) => (head, Some(value)),
        None => (text, None),
    };
    let (name, type_name) = match head.split_once(':') {
        Some((name, type_name)) => (name.trim(), Some(type_name.trim())),
        None => (head.trim(), None),
    };
    if name.is_empty() || type_name.is_some_and(str::is_empty) {
        return Err("expected NAME=VALUE, NAME:TYPE=VALUE, or NAME:TYPE for NULL".to_owned());
    }
    match (type_name, value) {
        (None, Some(value)) => Ok(Parameter::new(name, value)),
        (Some(type_name), Some(value)) => Ok(Parameter::new(name, ParameterValue::typed(type_name, value))),
        (Some(type_name), None) => Ok(Parameter::new(name, ParameterValue::null(type_name))),
        (None, None) => Err(format!("{name} has neither a value nor a type; for NULL, use {name}:STRING")),
    }
}

impl Command {
    /// The statement to send, which returns at most `cap` rows.
    pub(super) fn statement(
        &self,
        workspace: &Workspace,
        warehouse: &str,
        text: &str,
        cap: Option<u64>,
    ) -> Statement {
        let mut statement = workspace
            .sql(warehouse)
            .statement(text)
            .with_fetch(FetchOptions::default().with_memory(WAITING))
            .with_parameters(self.parameters.iter().cloned());
        // Fewer bytes than rows that come as text, and all digits of a TIMESTAMP.
        #[cfg(feature = "arrow")]
        {
            statement = statement.with_rows_from_arrow();
        }
        if let Some(limit) = self.limit.or(cap.and_then(|cap| cap.try_into().ok())) {
            statement = statement.with_row_limit(limit);
        }
        if self.is_previewed {
            statement = statement.with_preview(self.limits());
        }
        if self.inline {
            statement = statement.with_disposition(Disposition::Inline);
        }
        if self.no_split {
            statement = statement.with_whole_text();
        }
        statement
    }

    /// The most rows to show.
    pub(super) fn cap(&self, output: &Output, target: &Target) -> Option<u64> {
        output.row_cap(self.max_rows, self.limit.is_some(), target)
    }

    /// How much of a result is shown to an agent.
    pub(super) fn limits(&self) -> PreviewLimits {
        self.bounds.limits(self.max_rows)
    }

    /// Puts the number of the only statement into the name of the file.
    pub(super) fn number_file(&mut self) {
        if let Some(pattern) = self.out.as_deref().and_then(Path::to_str) {
            self.out = Some(numbered(pattern, 1));
        }
    }

    /// The file that the text comes from.
    pub(super) fn file(&self) -> Option<String> {
        self.source.path().map(|path| path.display().to_string())
    }

    pub(super) fn check_inline(&self, format: Format) -> Result {
        if self.inline && matches!(format, Format::Arrow | Format::Parquet) {
            let message = "--inline gets rows as text, so they can't be written as Arrow or Parquet";
            return Err(Failure::usage(message).with_hint("leave out --inline, or write csv"));
        }
        Ok(())
    }
}

//! Options that more than one command takes, and what their values are.

use std::time::Duration;

use brickwire_actions::WaitOptions;
use clap::{Args, ValueEnum, ValueHint};
use clap_complete::ArgValueCompleter;

use crate::candidates;

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Profile in ~/.databrickscfg to take the connection from
    #[arg(long, short = 'p', global = true, value_name = "NAME", value_parser = not_blank)]
    #[arg(add = ArgValueCompleter::new(candidates::profiles))]
    pub(crate) profile: Option<String>,
    /// Host of the workspace, in place of DATABRICKS_HOST
    #[arg(long, global = true, value_name = "URL", value_parser = not_blank)]
    pub(crate) host: Option<String>,
    /// Trust the certificate authorities in this PEM file too, beside the system's
    #[arg(long, global = true, value_name = "FILE", value_parser = not_blank, value_hint = ValueHint::FilePath)]
    pub(crate) ca_file: Option<String>,
    /// How to print data
    #[arg(long, short, global = true, value_name = "FORMAT")]
    #[arg(default_value = "auto", hide_default_value = true)]
    pub(crate) output: Format,
    /// Filter JSON output with a jq expression, as in '.[].cluster_id'
    #[arg(long, global = true, value_name = "EXPR")]
    pub(crate) jq: Option<String>,
    /// Log requests and responses to stderr, secrets masked
    #[arg(long, global = true)]
    pub(crate) debug: bool,
    /// Show each request in one line (-vv: with details)
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Show nothing on stderr but errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Run this one command against a local pretend workspace, started for it
    #[arg(long, global = true)]
    pub(crate) sandbox: bool,
}

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table on a terminal, JSON otherwise
    Auto,
    /// Aligned columns
    Table,
    /// The service's JSON, nothing left out
    Json,
    /// One JSON value a line
    Jsonl,
    /// RFC 4180, with a header
    Csv,
    /// Each field on a line of its own
    Record,
    /// Apache Arrow IPC, for SQL rows (a stream; a file with --out)
    Arrow,
    /// Apache Parquet, for SQL rows
    Parquet,
}

/// Options of commands that wait for a state.
#[derive(Debug, Clone, Args)]
pub(crate) struct Waiting {
    /// Return as soon as the request is accepted
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) timeout: Timeout,
}

/// How long to wait.
#[derive(Debug, Clone, Args)]
pub(crate) struct Timeout {
    /// Give up waiting after this time, as in 90s, 20m, 1h30m
    #[arg(long, value_name = "DURATION", default_value = "20m", value_parser = duration, allow_hyphen_values = true)]
    pub(crate) timeout: Duration,
}

impl Timeout {
    pub(crate) fn options(&self) -> WaitOptions {
        WaitOptions::default().with_timeout(self.timeout)
    }
}

/// A flag that is given counts: `--host "$UNSET"` must not fall back to some other host.
fn not_blank(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it is blank; leave the option out to use the environment or a profile".to_owned());
    }
    Ok(text.to_owned())
}

/// A duration with its unit; 0 is none, and less than that can't be written.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text.trim()) {
        Ok(duration) if duration.is_zero() => Err("must be longer than nothing".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; write it as in 500ms, 30s, 20m, 1h30m")),
    }
}

//! Options that several commands share, and their value types.

use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use clap_complete::ArgValueCompleter;

use crate::candidates;

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Connection profile in ~/.databrickscfg
    #[arg(long, short = 'p', global = true, value_name = "NAME", value_parser = not_blank)]
    #[arg(add = ArgValueCompleter::new(candidates::profiles))]
    pub(crate) profile: Option<String>,
    /// URL of the workspace, instead of DATABRICKS_HOST; not with a token that was given for another host
    #[arg(long, global = true, value_name = "URL", value_parser = not_blank)]
    pub(crate) host: Option<String>,
    /// PEM file of certificate authorities to trust in addition to the system's
    #[arg(long, global = true, value_name = "FILE", value_parser = not_blank, value_hint = ValueHint::FilePath)]
    pub(crate) ca_file: Option<String>,
    /// Output format [default: BRICK_OUTPUT, or auto]
    #[arg(long, short, global = true, value_name = "FORMAT")]
    #[arg(default_value = "auto", hide_default_value = true)]
    pub(crate) output: Format,
    /// Whether the format comes from BRICK_OUTPUT, so that an option that needs another one is obeyed.
    #[arg(skip)]
    pub(crate) is_format_preferred: bool,
    /// Filter JSON output with a jq expression, such as '.[].cluster_id'
    #[arg(long, global = true, value_name = "EXPR")]
    pub(crate) jq: Option<String>,
    /// Log requests and responses to stderr, with secrets masked
    #[arg(long, global = true)]
    pub(crate) debug: bool,
    /// Log each request in one line (-vv for details)
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Print nothing to stderr except errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Run this command against a temporary local workspace
    #[arg(long, global = true)]
    pub(crate) sandbox: bool,
}

/// The variable with the format that is used where no format is given. The vendor's own variable,
/// DATABRICKS_OUTPUT_FORMAT, is not read: its values are other ones, and editors set it for all programs.
pub(crate) const BRICK_OUTPUT: &str = "BRICK_OUTPUT";

impl Global {
    /// Takes the format of `BRICK_OUTPUT`, for a command line without one.
    ///
    /// # Errors
    /// Says what is wrong with the value, and what to do about it.
    pub(crate) fn prefer(&mut self, format: &str) -> Result<(), (String, &'static str)> {
        let format = format.trim();
        if format.is_empty() {
            return Ok(());
        }
        let format = Format::from_str(format, false).map_err(|_| {
            (
                format!("{BRICK_OUTPUT} is not an output format: {format}"),
                "set it to a format of -o, such as json",
            )
        })?;
        if matches!(format, Format::Arrow | Format::Parquet) {
            let text = format!("{BRICK_OUTPUT} can't be a binary format");
            return Err((text, "add -o to the command that writes Arrow or Parquet"));
        }
        // A filter prints its results in its own way.
        if self.jq.is_none() || matches!(format, Format::Json | Format::Jsonl) {
            (self.output, self.is_format_preferred) = (format, true);
        }
        Ok(())
    }
}

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table on a terminal, JSON otherwise (what code prints stays as it is)
    Auto,
    /// Aligned columns
    Table,
    /// JSON with every field that the service sent
    Json,
    /// One JSON value per line
    Jsonl,
    /// RFC 4180, with a header row
    Csv,
    /// One field per line
    Record,
    /// Apache Arrow IPC, for SQL rows (a stream, or a file with --out)
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
    /// Time for the whole command, such as 90s, 20m, or 1h30m
    #[arg(long, value_name = "DURATION", default_value = "20m", value_parser = duration, allow_hyphen_values = true)]
    pub(crate) timeout: Duration,
}

/// An empty value is an error: `--host "$UNSET"` must not fall back to another host.
fn not_blank(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("the value is blank; omit the option to use the environment or a profile".to_owned());
    }
    Ok(text.to_owned())
}

/// A positive duration with its unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text.trim()) {
        Ok(duration) if duration.is_zero() => Err("must be greater than zero".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; use a format such as 500ms, 30s, 20m, or 1h30m")),
    }
}

//! Options that several commands share, and their value types.

use std::{str::FromStr, time::Duration};

use brickwire_actions::{ListFilter, PreviewLimits};
use clap::{Args, ValueEnum, ValueHint};
use clap_complete::ArgValueCompleter;

use crate::candidates;
pub(crate) use crate::color::Color;

/// The heading of the options that say what is printed, and how.
pub(crate) const OUTPUT: &str = "Output";

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Output format [default: BRICK_OUTPUT, or auto]
    #[arg(long, short, global = true, value_name = "FORMAT", help_heading = OUTPUT)]
    #[arg(default_value = "auto", hide_default_value = true)]
    pub(crate) output: Format,
    /// Filter JSON output with a jq expression, such as '.[].cluster_id'
    #[arg(long, global = true, value_name = "EXPR", help_heading = OUTPUT)]
    pub(crate) jq: Option<String>,
    /// Columns to print, in this order: headings, fields, or JSON pointers, such as name,state,/aws_attributes/zone_id
    #[arg(long, global = true, value_name = "NAMES", value_delimiter = ',', value_parser = not_blank)]
    #[arg(help_heading = OUTPUT, hide_short_help = true)]
    pub(crate) columns: Option<Vec<String>>,
    /// Omit the header row of table, csv, tsv, and markdown
    #[arg(long, global = true, help_heading = OUTPUT, hide_short_help = true)]
    pub(crate) no_header: bool,
    /// Text for NULL in tables, records, CSV, TSV, and Markdown [default: NULL; an empty cell in CSV, \N in TSV]
    #[arg(long, global = true, value_name = "TEXT", help_heading = OUTPUT, hide_short_help = true)]
    pub(crate) null: Option<String>,
    /// When to use colors
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    #[arg(help_heading = OUTPUT, hide_short_help = true)]
    pub(crate) color: Color,
    /// Never show long tables in a pager
    #[arg(long, global = true, help_heading = OUTPUT, hide_short_help = true)]
    pub(crate) no_pager: bool,
    /// Print for agents: -o agent unless another format is given, -q, and errors as JSON
    #[arg(long, global = true, help_heading = OUTPUT, hide_short_help = true)]
    pub(crate) agent: bool,
    /// Connection profile in ~/.databrickscfg
    #[arg(long, short = 'p', global = true, value_name = "NAME", value_parser = not_blank)]
    #[arg(add = ArgValueCompleter::new(candidates::profiles))]
    pub(crate) profile: Option<String>,
    /// URL of the workspace, instead of DATABRICKS_HOST; not with a token that was given for another host
    #[arg(long, global = true, value_name = "URL", value_parser = not_blank, hide_short_help = true)]
    pub(crate) host: Option<String>,
    /// PEM file of certificate authorities to trust in addition to the system's
    #[arg(long, global = true, value_name = "FILE", value_parser = not_blank, value_hint = ValueHint::FilePath)]
    #[arg(hide_short_help = true)]
    pub(crate) ca_file: Option<String>,
    /// Send nothing that changes something (functions in a query still run with your rights)
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) read_only: bool,
    /// Whether the format comes from BRICK_OUTPUT, so that an option that needs another one is obeyed.
    #[arg(skip)]
    pub(crate) is_format_preferred: bool,
    /// Log requests and responses to stderr, with secrets masked
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) debug: bool,
    /// Log each request in one line (-vv for details)
    #[arg(long, short, global = true, action = clap::ArgAction::Count, hide_short_help = true)]
    pub(crate) verbose: u8,
    /// Print nothing to stderr except errors
    #[arg(long, short, global = true, hide_short_help = true)]
    pub(crate) quiet: bool,
    /// Run this command against a temporary local workspace
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) sandbox: bool,
}

/// How many rows a terminal or an agent is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MaxRows {
    All,
    Rows(u64),
}

impl FromStr for MaxRows {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "all" => Ok(Self::All),
            Ok(rows) if (1..=u64::MAX >> 1).contains(&rows) => Ok(Self::Rows(rows)),
            _ => Err("must be a number greater than zero, or all".to_owned()),
        }
    }
}

/// How much of a result an agent is shown, apart from the number of rows.
#[derive(Debug, Clone, Args)]
pub(crate) struct Bounds {
    /// Maximum bytes of rows to show with -o agent [default: 8000]
    #[arg(long, value_name = "BYTES", help_heading = OUTPUT, hide_short_help = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
    max_bytes: Option<u64>,
    /// Maximum characters of a cell to show with -o agent [default: 200]
    #[arg(long, value_name = "CHARACTERS", help_heading = OUTPUT, hide_short_help = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    max_cell: Option<u64>,
}

impl Bounds {
    pub(crate) fn limits(&self, max_rows: Option<MaxRows>) -> PreviewLimits {
        let mut limits = PreviewLimits::default();
        match max_rows {
            None => {}
            Some(MaxRows::All) => limits = limits.with_rows(u64::MAX),
            Some(MaxRows::Rows(rows)) => limits = limits.with_rows(rows),
        }
        if let Some(bytes) = self.max_bytes.and_then(|bytes| bytes.try_into().ok()) {
            limits = limits.with_bytes(bytes);
        }
        if let Some(characters) = self.max_cell.and_then(|characters| characters.try_into().ok()) {
            limits = limits.with_cell(characters);
        }
        limits
    }
}

impl Global {
    /// Settles what follows from other options. A filter prints JSON.
    pub(crate) fn settle(&mut self) {
        if self.agent {
            self.quiet = true;
            // The option says more than BRICK_OUTPUT.
            if (self.output == Format::Auto || self.is_format_preferred) && self.jq.is_none() {
                self.output = Format::Agent;
            }
        }
    }

    /// The format that decides how an error is printed.
    pub(crate) fn error_format(&self) -> Format {
        if self.agent { Format::Agent } else { self.output }
    }
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
        if matches!(format, Format::Arrow | Format::Parquet | Format::Envelope) {
            let text = format!("{BRICK_OUTPUT} can't be a format that only rows have");
            return Err((text, "add -o to the command that prints or writes rows"));
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
    /// Cells separated by tabs, with a header row
    Tsv,
    /// A Markdown table
    Markdown,
    /// Ids, one per line, for lists and changes
    Name,
    /// One field per line
    Record,
    /// One JSON object with columns, rows, and facts, for SQL rows
    Envelope,
    /// At most 10 KB of text that says what it leaves out, for agents
    Agent,
    /// Apache Arrow IPC, for SQL rows (a stream, or a file with --out)
    Arrow,
    /// Apache Parquet, for SQL rows
    Parquet,
}

impl Format {
    /// Whether rows are laid out in the columns of a command, as opposed to the fields of the service.
    pub(crate) fn has_columns(self) -> bool {
        matches!(self, Self::Table | Self::Csv | Self::Tsv | Self::Markdown | Self::Name)
    }
}

/// Options of commands that wait for a state.
#[derive(Debug, Clone, Args)]
pub(crate) struct Waiting {
    /// Return as soon as the request is accepted
    #[arg(long, alias = "detach")]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) timeout: Timeout,
}

/// A part of the names of what is listed.
#[derive(Debug, Clone, Args)]
pub(crate) struct NamePart {
    /// List only those whose name contains this text, in any case
    #[arg(long = "name", value_name = "TEXT", value_parser = not_blank)]
    part: Option<String>,
}

impl NamePart {
    pub(crate) fn read(self) -> ListFilter {
        match self.part {
            Some(part) => ListFilter::default().with_name(part),
            None => ListFilter::default(),
        }
    }
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

/// A positive duration with its unit; a number alone is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let text = match text.trim() {
        number if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            &format!("{number}s")
        }
        text => text,
    };
    match humantime::parse_duration(text) {
        Ok(duration) if duration.is_zero() => Err("must be greater than zero".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; use a format such as 500ms, 30s, 20m, or 1h30m")),
    }
}

//! The command line's tree. What belongs to one noun stands with its commands.

use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use clap::ValueHint;
use clap_complete::ArgValueCompleter;

use crate::{
    commands::{
        api, auth, clusters, completions, config, contexts, doctor, execute, run, sql, statements, warehouses,
    },
    completion,
};

/// Databricks from the command line: clusters, SQL warehouses, statements, code, raw requests.
#[derive(Debug, Parser)]
#[command(name = "brick", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Connection:
  DATABRICKS_HOST with DATABRICKS_TOKEN, or with DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET,
  or a profile in ~/.databrickscfg.

Exit status:
  0    done, also if it already was so
  1    unexpected
  2    wrong usage
  3    not configured, or refused locally
  4    not authenticated or not allowed
  5    not found
  6    request rejected
  7    unreachable, unavailable or outcome unknown
  8    the remote work failed
  9    deadline passed
  130  interrupted
  143  terminated

Example:
  brick clusters list -o table";

/// Options that every command takes.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Profile in ~/.databrickscfg to take the connection from
    #[arg(long, short = 'p', global = true, value_name = "NAME", value_parser = not_blank)]
    #[arg(add = ArgValueCompleter::new(completion::profiles))]
    pub(crate) profile: Option<String>,
    /// Host of the workspace, in place of DATABRICKS_HOST
    #[arg(long, global = true, value_name = "URL", value_parser = not_blank)]
    pub(crate) host: Option<String>,
    /// Trust the certificate authorities in this PEM file too, beside the system's
    #[arg(long, global = true, value_name = "FILE", value_parser = not_blank, value_hint = ValueHint::FilePath)]
    pub(crate) ca_file: Option<String>,
    /// How to print data
    #[arg(
        long,
        short,
        global = true,
        value_name = "FORMAT",
        default_value = "auto",
        hide_default_value = true
    )]
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

impl Global {
    /// An error is JSON exactly where JSON was asked for.
    pub(crate) fn error_format(&self) -> Option<Format> {
        Some(self.output)
    }
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

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an SQL statement and print its rows
    Sql(sql::Sql),
    /// Run code on a cluster and print its output
    Run(run::Run),
    /// Statements submitted before: get, wait, cancel
    #[command(subcommand, alias = "statement")]
    Statements(statements::Statements),
    /// Clusters: list, get, start, restart, terminate
    #[command(subcommand, alias = "cluster")]
    Clusters(clusters::Clusters),
    /// SQL warehouses: list, get, start, stop
    #[command(subcommand, alias = "warehouse")]
    Warehouses(warehouses::Warehouses),
    /// Execution contexts on a cluster: create, status, destroy
    #[command(subcommand, alias = "context")]
    Contexts(contexts::Contexts),
    /// Commands in an execution context: execute, status, cancel
    #[command(subcommand, alias = "command")]
    Commands(execute::Commands),
    /// Show who the credential belongs to
    #[command(after_help = "Example:\n  brick whoami -o json")]
    Whoami,
    /// Send any request to the workspace
    Api(api::Api),
    /// Find out why the connection does or doesn't work, step by step
    Doctor(doctor::Doctor),
    /// What is configured, and where it comes from
    #[command(subcommand)]
    Config(config::Config),
    /// Log in with the browser, log out, print a token
    #[command(subcommand)]
    Auth(auth::Auth),
    /// Print the line that makes a shell complete commands, clusters, warehouses and profiles
    Completions(completions::Completions),
    /// Write the command reference
    #[cfg(feature = "reference")]
    #[command(hide = true)]
    Reference(crate::commands::reference::Reference),
    /// Serve a local pretend workspace: real SQL, real Python, no account
    #[command(after_help = "Example:\n  brick sandbox --delay cluster=2s")]
    Sandbox(SandboxArgs),
}

/// Without the feature the command stays, and says how to get it.
#[cfg(feature = "sandbox")]
pub(crate) use brickwire_sandbox::ServeArgs as SandboxArgs;

/// Arguments of a command that this build hasn't got.
#[cfg(not(feature = "sandbox"))]
#[derive(Debug, ClapArgs)]
pub(crate) struct SandboxArgs {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<String>,
}

/// Options of commands that wait for a state.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Waiting {
    /// Return as soon as the request is accepted
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) timeout: Timeout,
}

/// How long to wait.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Timeout {
    /// Give up waiting after this time, as in 90s, 20m, 1h30m
    #[arg(long, value_name = "DURATION", default_value = "20m", value_parser = duration, allow_hyphen_values = true)]
    pub(crate) timeout: Duration,
}

impl Timeout {
    pub(crate) fn options(&self) -> brickwire_actions::WaitOptions {
        brickwire_actions::WaitOptions::default().with_timeout(self.timeout)
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

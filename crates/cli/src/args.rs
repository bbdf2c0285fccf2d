//! The command line as a whole: global options and one command.

use clap::Parser;

use crate::{commands::Command, options::Global};

/// Databricks from the command line: clusters, SQL warehouses, statements, code, raw requests
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
  or a profile in ~/.databrickscfg

Exit codes:
  0    done, or already in the requested state
  1    unexpected error
  2    invalid usage
  3    not configured, or refused locally
  4    not authenticated or not allowed
  5    not found
  6    request rejected
  7    unreachable, unavailable, or outcome unknown
  8    remote work failed
  9    timed out
  130  interrupted
  143  terminated

Example:
  brick clusters list -o table";

//! `brick cluster-policies`: the rules that clusters obey.

use std::ffi::OsStr;

use brickwire_actions::Workspace;
use clap::Subcommand;
use clap_complete::{ArgValueCompleter, CompletionCandidate};

use crate::{candidates::live, context::Context, failure::Result, options::NamePart, output::Column};

/// Cluster policies: list, get
#[derive(Debug, Subcommand)]
#[command(alias = "cluster-policy")]
pub(crate) enum Command {
    /// List all cluster policies
    #[command(after_help = "Example:\n  brick cluster-policies list -o table")]
    List(NamePart),
    /// Show one cluster policy; its rules are JSON in text
    #[command(after_help = "Example:\n  brick cluster-policies get \"Shared Compute\"")]
    Get {
        /// ID or name of the policy
        #[arg(value_name = "POLICY", add = ArgValueCompleter::new(candidates))]
        policy: String,
    },
}

pub(super) const COLUMNS: &[Column] = &[
    ("ID", "/policy_id"),
    ("NAME", "/name"),
    ("CREATOR", "/creator_user_name"),
    ("FAMILY", "/policy_family_id"),
    ("DEFAULT", "/is_default"),
];

/// Names and IDs, for completion.
pub(crate) fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::cluster_policies)
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let policies = context.workspace().await?.cluster_policies();
    match command {
        Command::List(part) => {
            let found = part.read().select(policies.list_json().await?, "/name", None);
            context.output().list(&found, COLUMNS)
        }
        Command::Get { policy } => {
            let id = policies.find(&policy).await?;
            context.record(policies.get_json(&id).await?.get().as_bytes())
        }
    }
}

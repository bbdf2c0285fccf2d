//! `brick repos`: Git folders.

use std::ffi::OsStr;

use brickwire_actions::{Repos, Workspace, types::CreateRepoRequest};
use clap::Subcommand;
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use serde_json::json;

use crate::{candidates::live, context::Context, failure::Result, output::Column};

/// Git folders: list, get, create, update, delete
#[derive(Debug, Subcommand)]
#[command(alias = "repo")]
pub(crate) enum Command {
    /// List the Git folders that you may manage, in /Repos unless --prefix is given
    #[command(after_help = "Example:\n  brick repos list --prefix /Users/ada@example.com -o table")]
    List {
        /// List those whose path begins with this
        #[arg(long, value_name = "PATH")]
        prefix: Option<String>,
    },
    /// Show one Git folder with its branch and commit
    #[command(after_help = "Example:\n  brick repos get /Repos/ada@example.com/etl")]
    Get(Which),
    /// Clone a repository into a new Git folder
    #[command(
        after_help = "Example:\n  brick repos create https://github.com/example/etl.git --path /Repos/ada@example.com/etl"
    )]
    Create {
        /// URL of the repository
        #[arg(value_name = "URL")]
        url: String,
        /// Path of the Git folder; by default it is in /Repos and has the name of the repository
        #[arg(long, value_name = "PATH")]
        path: Option<String>,
        /// Git provider, such as gitHubEnterprise; by default it follows from the URL
        #[arg(long, value_name = "PROVIDER")]
        provider: Option<String>,
    },
    /// Check out the latest commit of a branch, or a tag
    #[command(
        after_help = "Examples:\n  brick repos update /Repos/ada@example.com/etl --branch main\n  brick repos update 1234567890123456 --tag v1.2.0"
    )]
    #[command(group = clap::ArgGroup::new("revision").required(true).args(["branch", "tag"]))]
    Update {
        #[command(flatten)]
        which: Which,
        /// The branch
        #[arg(long, value_name = "BRANCH")]
        branch: Option<String>,
        /// The tag
        #[arg(long, value_name = "TAG")]
        tag: Option<String>,
    },
    /// Delete a Git folder for good, even what was never pushed; the repository itself stays
    #[command(after_help = "Example:\n  brick repos delete /Repos/ada@example.com/etl")]
    Delete(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// ID or path of the Git folder
    #[arg(value_name = "REPO", add = ArgValueCompleter::new(candidates))]
    repo: String,
}

pub(super) const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("PATH", "/path"),
    ("BRANCH", "/branch"),
    ("COMMIT", "/head_commit_id"),
    ("URL", "/url"),
];

async fn of(context: &Context) -> Result<Repos> {
    Ok(context.workspace().await?.repos())
}

/// Paths and IDs, for completion.
fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::repos)
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let repos = of(context).await?;
    match command {
        Command::List { prefix } => {
            context.output().list(&repos.list_json(prefix.as_deref()).await?, COLUMNS)
        }
        Command::Get(Which { repo }) => {
            let id = repos.find(&repo).await?;
            context.record(repos.get_json(id).await?.get().as_bytes())
        }
        Command::Create { url, path, provider } => {
            let provider = provider.unwrap_or_default();
            let request = CreateRepoRequest { url, path, provider, ..Default::default() };
            context.record(repos.create(&request).await?.raw())
        }
        Command::Update { which: Which { repo }, branch, tag } => {
            let id = repos.find(&repo).await?;
            match (branch, tag) {
                (Some(branch), _) => repos.check_out_branch(id, &branch).await?,
                (None, tag) => repos.check_out_tag(id, &tag.unwrap_or_default()).await?,
            }
            context.record(repos.get_json(id).await?.get().as_bytes())
        }
        Command::Delete(Which { repo }) => {
            let id = repos.find(&repo).await?;
            repos.delete(id).await?;
            context.record(json!({ "id": id, "deleted": true }).to_string().as_bytes())
        }
    }
}

//! `brick users`: the users of the workspace.

use std::ffi::OsStr;

use brickwire_actions::{
    Users, Workspace,
    types::{CreateUserRequest, UsersListQuery},
};
use clap::Subcommand;
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use serde_json::json;

use crate::{candidates::live, context::Context, failure::Result, output::Column};

/// Users of the workspace: list, get, create, delete
#[derive(Debug, Subcommand)]
#[command(alias = "user")]
pub(crate) enum Command {
    /// List users: all of them, or those that fit a filter
    #[command(
        after_help = "Examples:\n  brick users list -o table\n  brick users list --filter 'userName sw \"ada\"'"
    )]
    List {
        /// Condition in the language of SCIM, such as 'userName eq "ada@example.com"'
        #[arg(long, value_name = "CONDITION")]
        filter: Option<String>,
    },
    /// Show one user with groups and entitlements
    #[command(after_help = "Example:\n  brick users get ada@example.com")]
    Get(Which),
    /// Add a user to the workspace; no invitation is sent
    #[command(after_help = "Example:\n  brick users create ada@example.com --display-name 'Ada Lovelace'")]
    Create {
        /// E-mail address of the user
        #[arg(value_name = "EMAIL")]
        email: String,
        /// Name to show; by default the e-mail address
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
    },
    /// Remove a user from the workspace; what the user owns stays
    #[command(after_help = "Example:\n  brick users delete ada@example.com")]
    Delete(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// ID or e-mail address of the user
    #[arg(value_name = "USER", add = ArgValueCompleter::new(candidates))]
    user: String,
}

pub(super) const COLUMNS: &[Column] =
    &[("ID", "/id"), ("NAME", "/userName"), ("DISPLAY NAME", "/displayName"), ("ACTIVE", "/active")];

async fn of(context: &Context) -> Result<Users> {
    Ok(context.workspace().await?.users())
}

/// Names and IDs, for completion.
fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::users)
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::List { filter } => {
            let query = UsersListQuery { filter, ..Default::default() };
            context.output().list(&of(context).await?.list_json(&query).await?, COLUMNS)
        }
        Command::Get(Which { user }) => {
            let users = of(context).await?;
            let id = users.find(&user).await?;
            context.record(users.get_json(&id).await?.get().as_bytes())
        }
        Command::Create { email, display_name } => {
            let user = CreateUserRequest { user_name: Some(email), display_name, ..Default::default() };
            context.record(of(context).await?.create(&user).await?.raw())
        }
        Command::Delete(Which { user }) => {
            let users = of(context).await?;
            let id = users.find(&user).await?;
            users.delete(&id).await?;
            context.record(json!({ "id": id, "deleted": true }).to_string().as_bytes())
        }
    }
}

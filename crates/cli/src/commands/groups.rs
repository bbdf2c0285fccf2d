//! `brick groups`: groups and their members.

use std::ffi::OsStr;

use brickwire_actions::{
    Groups, Workspace,
    types::{CreateGroupRequest, GroupsListQuery},
};
use clap::Subcommand;
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use serde_json::json;

use crate::{
    candidates::live,
    context::Context,
    failure::{Failure, Result},
    output::Column,
};

/// Groups of the workspace: list, get, create, add-members, remove-members, delete
#[derive(Debug, Subcommand)]
#[command(alias = "group")]
pub(crate) enum Command {
    /// List groups: all of them, or those that fit a filter
    #[command(after_help = "Example:\n  brick groups list -o table")]
    List {
        /// Condition in the language of SCIM, such as 'displayName sw "data"'
        #[arg(long, value_name = "CONDITION")]
        filter: Option<String>,
    },
    /// Show one group with its members
    #[command(after_help = "Example:\n  brick groups get data-engineers")]
    Get(Which),
    /// Create a group
    #[command(after_help = "Example:\n  brick groups create data-engineers")]
    Create {
        /// Name of the group
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Add members to a group
    #[command(after_help = "\
Example:
  brick groups add-members data-engineers --user ada@example.com --service-principal nightly-deployment")]
    AddMembers {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        members: Members,
    },
    /// Remove members from a group
    #[command(after_help = "Example:\n  brick groups remove-members data-engineers --user ada@example.com")]
    RemoveMembers {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        members: Members,
    },
    /// Delete a group; its members stay in the workspace
    #[command(after_help = "Example:\n  brick groups delete data-engineers")]
    Delete(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// ID or name of the group
    #[arg(value_name = "GROUP", add = ArgValueCompleter::new(candidates))]
    group: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Members {
    /// ID or e-mail address of a user; may be repeated
    #[arg(long, value_name = "USER")]
    user: Vec<String>,
    /// ID, application ID, or name of a service principal; may be repeated
    #[arg(long, value_name = "SERVICE_PRINCIPAL")]
    service_principal: Vec<String>,
    /// ID or name of another group; may be repeated
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
}

impl Members {
    /// Refuses to do nothing.
    fn check(&self) -> Result {
        if self.user.is_empty() && self.service_principal.is_empty() && self.groups.is_empty() {
            return Err(Failure::usage("no members are given")
                .with_hint("add --user, --service-principal or --group"));
        }
        Ok(())
    }

    async fn ids(&self, workspace: &Workspace) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        for user in &self.user {
            ids.push(workspace.users().find(user).await?);
        }
        for principal in &self.service_principal {
            ids.push(workspace.service_principals().find(principal).await?);
        }
        for group in &self.groups {
            ids.push(workspace.groups().find(group).await?);
        }
        Ok(ids)
    }
}

pub(super) const COLUMNS: &[Column] =
    &[("ID", "/id"), ("NAME", "/displayName"), ("TYPE", "/meta/resourceType")];

async fn of(context: &Context) -> Result<Groups> {
    Ok(context.workspace().await?.groups())
}

/// Names and IDs, for completion.
fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::groups)
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::List { filter } => {
            let query = GroupsListQuery { filter, ..Default::default() };
            context.output().list(&of(context).await?.list_json(&query).await?, COLUMNS)
        }
        Command::Get(Which { group }) => {
            let groups = of(context).await?;
            let id = groups.find(&group).await?;
            context.record(groups.get_json(&id).await?.get().as_bytes())
        }
        Command::Create { name } => {
            let group = CreateGroupRequest { display_name: Some(name), ..Default::default() };
            context.record(of(context).await?.create(&group).await?.raw())
        }
        Command::AddMembers { which: Which { group }, members } => {
            members.check()?;
            let groups = of(context).await?;
            let id = groups.find(&group).await?;
            groups.add_members(&id, &members.ids(&context.workspace().await?).await?).await?;
            context.record(groups.get_json(&id).await?.get().as_bytes())
        }
        Command::RemoveMembers { which: Which { group }, members } => {
            members.check()?;
            let groups = of(context).await?;
            let id = groups.find(&group).await?;
            groups.remove_members(&id, &members.ids(&context.workspace().await?).await?).await?;
            context.record(groups.get_json(&id).await?.get().as_bytes())
        }
        Command::Delete(Which { group }) => {
            let groups = of(context).await?;
            let id = groups.find(&group).await?;
            groups.delete(&id).await?;
            context.record(json!({ "id": id, "deleted": true }).to_string().as_bytes())
        }
    }
}

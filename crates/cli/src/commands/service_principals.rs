//! `brick service-principals`: identities of programs.

use std::ffi::OsStr;

use brickwire_actions::{
    ServicePrincipals, Workspace,
    types::{CreateServicePrincipalRequest, ServicePrincipalsListQuery},
};
use clap::Subcommand;
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use serde_json::json;

use crate::{candidates::live, context::Context, failure::Result, output::Column};

/// Service principals of the workspace: list, get, create, delete
#[derive(Debug, Subcommand)]
#[command(alias = "service-principal")]
pub(crate) enum Command {
    /// List service principals: all of them, or those that fit a filter
    #[command(after_help = "Example:\n  brick service-principals list -o table")]
    List {
        /// Condition in the language of SCIM, such as 'displayName sw "nightly"'
        #[arg(long, value_name = "CONDITION")]
        filter: Option<String>,
    },
    /// Show one service principal with groups and entitlements
    #[command(after_help = "Example:\n  brick service-principals get nightly-deployment")]
    Get(Which),
    /// Create a service principal
    #[command(after_help = "Example:\n  brick service-principals create nightly-deployment")]
    Create {
        /// Name to show; need not be unique
        #[arg(value_name = "NAME")]
        name: String,
        /// Application ID, a UUID; by default the service makes one
        #[arg(long, value_name = "UUID")]
        application_id: Option<String>,
    },
    /// Remove a service principal from the workspace; what it owns stays
    #[command(
        after_help = "Example:\n  brick service-principals delete 5e3c9f1a-0b8d-4c6e-9a2f-7d1e8b4c0f63"
    )]
    Delete(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// ID, application ID, or name of the service principal
    #[arg(value_name = "SERVICE_PRINCIPAL", add = ArgValueCompleter::new(candidates))]
    principal: String,
}

pub(super) const COLUMNS: &[Column] =
    &[("ID", "/id"), ("NAME", "/displayName"), ("APPLICATION ID", "/applicationId"), ("ACTIVE", "/active")];

async fn of(context: &Context) -> Result<ServicePrincipals> {
    Ok(context.workspace().await?.service_principals())
}

/// Names and IDs, for completion.
fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::service_principals)
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::List { filter } => {
            let query = ServicePrincipalsListQuery { filter, ..Default::default() };
            context.output().list(&of(context).await?.list_json(&query).await?, COLUMNS)
        }
        Command::Get(Which { principal }) => {
            let principals = of(context).await?;
            let id = principals.find(&principal).await?;
            context.record(principals.get_json(&id).await?.get().as_bytes())
        }
        Command::Create { name, application_id } => {
            let principal = CreateServicePrincipalRequest {
                display_name: Some(name),
                application_id,
                ..Default::default()
            };
            context.record(of(context).await?.create(&principal).await?.raw())
        }
        Command::Delete(Which { principal }) => {
            let principals = of(context).await?;
            let id = principals.find(&principal).await?;
            principals.delete(&id).await?;
            context.record(json!({ "id": id, "deleted": true }).to_string().as_bytes())
        }
    }
}

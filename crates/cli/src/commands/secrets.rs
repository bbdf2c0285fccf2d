//! `brick secrets`: secrets, their scopes, and who may use them. A value never stands on the command line, which other
//! users of the machine can read.

use std::{
    ffi::OsStr,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_actions::{
    Secrets, Workspace,
    types::{AclPermission, CreateScope},
};
use clap::{Subcommand, builder::PossibleValuesParser};
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use serde_json::json;

use crate::{
    candidates::live,
    context::Context,
    failure::{Failure, Result},
    output::Column,
    source::Input,
};

/// Secrets: scopes, list, put, get, delete, create-scope, delete-scope, acls, put-acl, delete-acl
#[derive(Debug, Subcommand)]
#[command(alias = "secret")]
pub(crate) enum Command {
    /// List the scopes
    #[command(after_help = "Example:\n  brick secrets scopes -o table")]
    Scopes,
    /// List the keys of a scope, without values
    #[command(after_help = "Example:\n  brick secrets list etl")]
    List(Scope),
    /// Store a value from a file or from standard input, and replace the one that was there
    #[command(after_help = "\
The value is stored byte by byte, including a trailing line break.

Examples:
  printf %s \"$DB_PASSWORD\" | brick secrets put etl db-password
  brick secrets put etl client-certificate --file client.p12")]
    Put {
        #[command(flatten)]
        secret: Secret,
        /// Read the value from this file; by default from standard input
        #[arg(long, short, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Get a value: as base64 in JSON, or as it is with --raw
    #[command(
        after_help = "Examples:\n  brick secrets get etl client-certificate --raw > client.p12\n  brick secrets get etl db-password | jq -r .value | base64 -d"
    )]
    Get {
        #[command(flatten)]
        secret: Secret,
        /// Print the value itself, even to a terminal
        #[arg(long)]
        raw: bool,
    },
    /// Delete a secret for good
    #[command(after_help = "Example:\n  brick secrets delete etl db-password")]
    Delete(Secret),
    /// Create a scope that the caller manages
    #[command(after_help = "Example:\n  brick secrets create-scope etl")]
    CreateScope {
        /// Name of the scope: up to 128 letters, digits, and characters of -_.@
        #[arg(value_name = "SCOPE")]
        scope: String,
        /// Let all users of the workspace manage the scope
        #[arg(long)]
        managed_by_users: bool,
    },
    /// Delete a scope for good, with all its secrets
    #[command(after_help = "Example:\n  brick secrets delete-scope etl")]
    DeleteScope(Scope),
    /// List who has which permission on a scope
    #[command(after_help = "Example:\n  brick secrets acls etl -o table")]
    Acls(Scope),
    /// Grant a permission on a scope, in place of the one that was granted before
    #[command(after_help = "Example:\n  brick secrets put-acl etl data-scientists READ")]
    PutAcl {
        #[command(flatten)]
        grantee: Grantee,
        /// The permission
        #[arg(value_name = "PERMISSION", ignore_case = true, value_parser = PossibleValuesParser::new(AclPermission::KNOWN))]
        permission: String,
    },
    /// Revoke what was granted on a scope
    #[command(after_help = "Example:\n  brick secrets delete-acl etl data-scientists")]
    DeleteAcl(Grantee),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Scope {
    /// Name of the scope
    #[arg(value_name = "SCOPE", add = ArgValueCompleter::new(candidates))]
    scope: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Secret {
    #[command(flatten)]
    of: Scope,
    /// Key of the secret
    #[arg(value_name = "KEY")]
    key: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Grantee {
    #[command(flatten)]
    of: Scope,
    /// Name of a user or a group, or the application ID of a service principal
    #[arg(value_name = "PRINCIPAL")]
    principal: String,
}

const SCOPES: &[Column] = &[("NAME", "/name"), ("BACKEND", "/backend_type")];
const KEYS: &[Column] = &[("KEY", "/key"), ("UPDATED (MS)", "/last_updated_timestamp")];
const ACLS: &[Column] = &[("PRINCIPAL", "/principal"), ("PERMISSION", "/permission")];

/// More than any value has; the library knows the limit.
const VALUE_LIMIT: u64 = 1 << 20;

async fn of(context: &Context) -> Result<Secrets> {
    Ok(context.workspace().await?.secrets())
}

/// Names of scopes, for completion.
fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::secrets)
}

/// The value to be stored.
fn value(file: Option<&Path>, context: &Context) -> Result<Vec<u8>> {
    if file.is_none() && io::stdin().is_terminal() {
        return Err(Failure::usage("no value given").with_hint("pipe it in, or name a file with --file"));
    }
    let value = Input::read(file.unwrap_or(Path::new("-")), VALUE_LIMIT)?.bytes;
    if value.ends_with(b"\n") {
        context.note("note: the value ends with a line break, which is stored, too");
    }
    Ok(value)
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let record = |record: serde_json::Value| context.record(record.to_string().as_bytes());
    match command {
        Command::Scopes => context.output().list(&of(context).await?.list_scopes_json().await?, SCOPES),
        Command::List(Scope { scope }) => {
            context.output().list(&of(context).await?.list_json(&scope).await?, KEYS)
        }
        Command::Put { secret: Secret { of: Scope { scope }, key }, file } => {
            let value = value(file.as_deref(), context)?;
            of(context).await?.put(&scope, &key, value).await?;
            record(json!({ "scope": scope, "key": key, "stored": true }))
        }
        Command::Get { secret: Secret { of: Scope { scope }, key }, raw } => {
            if !raw && io::stdout().is_terminal() {
                return Err(Failure::usage("a secret is not shown on a terminal")
                    .with_hint("add --raw to show it all the same, or redirect stdout to a file"));
            }
            let value = of(context).await?.get(&scope, &key).await?;
            match raw {
                true => Ok(context.output().bytes(value.expose())?),
                false => record(json!({ "key": key, "value": BASE64_STANDARD.encode(value.expose()) })),
            }
        }
        Command::Delete(Secret { of: Scope { scope }, key }) => {
            of(context).await?.delete(&scope, &key).await?;
            record(json!({ "scope": scope, "key": key, "deleted": true }))
        }
        Command::CreateScope { scope, managed_by_users } => {
            let initial_manage_principal = managed_by_users.then(|| "users".to_owned());
            let request = CreateScope { scope, initial_manage_principal, ..Default::default() };
            of(context).await?.create_scope_with(&request).await?;
            record(json!({ "scope": request.scope, "created": true }))
        }
        Command::DeleteScope(Scope { scope }) => {
            of(context).await?.delete_scope(&scope).await?;
            record(json!({ "scope": scope, "deleted": true }))
        }
        Command::Acls(Scope { scope }) => {
            context.output().list(&of(context).await?.list_acls_json(&scope).await?, ACLS)
        }
        Command::PutAcl { grantee: Grantee { of: Scope { scope }, principal }, permission } => {
            let permission = permission.to_ascii_uppercase();
            of(context).await?.put_acl(&scope, &principal, permission.as_str().into()).await?;
            record(json!({ "scope": scope, "principal": principal, "permission": permission }))
        }
        Command::DeleteAcl(Grantee { of: Scope { scope }, principal }) => {
            of(context).await?.delete_acl(&scope, &principal).await?;
            record(json!({ "scope": scope, "principal": principal, "deleted": true }))
        }
    }
}

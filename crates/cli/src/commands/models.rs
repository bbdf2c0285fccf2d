//! `brick models`: models registered in Unity Catalog. MLflow's clients make their versions.

use brickwire_actions::types::CreateRegisteredModelRequest;
use clap::Subcommand;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::{
    context::Context,
    failure::{Failure, Result},
    full_names,
    output::Column,
};

/// Models registered in Unity Catalog: list, get, versions, create, alias, delete-alias, delete
#[derive(Debug, Subcommand)]
#[command(alias = "model")]
pub(crate) enum Command {
    /// List the models of a schema, or of all catalogs
    #[command(after_help = "Examples:\n  brick models list -o table\n  brick models list main.default")]
    List {
        /// Name of the schema with its catalog
        #[arg(value_name = "CATALOG.SCHEMA", add = ArgValueCompleter::new(full_names::schemas))]
        schema: Option<String>,
    },
    /// Show one model with its aliases
    #[command(after_help = "Example:\n  brick models get main.default.churn --jq .aliases")]
    Get(Which),
    /// List the versions of a model
    #[command(after_help = "Example:\n  brick models versions main.default.churn -o table")]
    Versions(Which),
    /// Create a model without versions; its name is stored in lower case
    #[command(after_help = "Example:\n  brick models create main.default.churn --comment \"who leaves\"")]
    Create {
        #[command(flatten)]
        which: Which,
        /// Comment that describes it
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
    },
    /// Give a version an alias; if another version has it, it is moved
    #[command(after_help = "Example:\n  brick models alias main.default.churn champion 2")]
    Alias {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        alias: AliasName,
        /// Number of the version
        #[arg(id = "model_version", value_name = "VERSION", value_parser = clap::value_parser!(i64).range(1..))]
        version: i64,
    },
    /// Remove an alias; its version stays
    #[command(after_help = "Example:\n  brick models delete-alias main.default.churn challenger")]
    DeleteAlias {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        alias: AliasName,
    },
    /// Delete a model with all of its versions
    #[command(after_help = "Example:\n  brick models delete main.default.churn")]
    Delete(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Name of the model with its catalog and schema
    #[arg(value_name = "CATALOG.SCHEMA.MODEL", add = ArgValueCompleter::new(full_names::models))]
    model: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AliasName {
    /// The alias, such as champion
    #[arg(value_name = "ALIAS")]
    alias: String,
}

pub(super) const COLUMNS: &[Column] = &[("NAME", "/full_name"), ("OWNER", "/owner"), ("COMMENT", "/comment")];

const VERSIONS: &[Column] = &[
    ("VERSION", "/version"),
    ("STATUS", "/status"),
    ("RUN", "/run_id"),
    ("CREATED (MS)", "/created_at"),
    ("COMMENT", "/comment"),
];

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let models = context.workspace().await?.models();
    match command {
        Command::List { schema } => {
            context.output().list(&models.list_json(schema.as_deref()).await?, COLUMNS)
        }
        Command::Get(Which { model }) => context.record(models.get_json(&model).await?.get().as_bytes()),
        Command::Versions(Which { model }) => {
            context.output().list(&models.versions_json(&model).await?, VERSIONS)
        }
        Command::Create { which: Which { model }, comment } => {
            // No part of a new name has dots, so that none has backticks.
            let parts: Vec<&str> = model.split('.').collect();
            let [catalog, schema, name] = parts[..] else {
                return Err(Failure::usage(format!("not the full name of a model: {model:?}"))
                    .with_hint("write CATALOG.SCHEMA.NAME"));
            };
            let new = CreateRegisteredModelRequest {
                catalog_name: Some(catalog.to_owned()),
                schema_name: Some(schema.to_owned()),
                name: Some(name.to_owned()),
                comment,
                ..Default::default()
            };
            context.record(models.create(&new).await?.raw())
        }
        Command::Alias { which: Which { model }, alias: AliasName { alias }, version } => {
            context.record(models.set_alias(&model, &alias, version).await?.raw())
        }
        Command::DeleteAlias { which: Which { model }, alias: AliasName { alias } } => {
            models.delete_alias(&model, &alias).await?;
            let done = json!({ "full_name": model, "alias_name": alias, "deleted": true });
            context.record(done.to_string().as_bytes())
        }
        Command::Delete(Which { model }) => {
            models.delete(&model).await?;
            context.record(json!({ "full_name": model, "deleted": true }).to_string().as_bytes())
        }
    }
}

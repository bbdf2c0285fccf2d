//! `brick schemas`: schemas of Unity Catalog.

use brickwire_actions::types::CreateSchema;
use clap::Subcommand;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use super::catalogs::Which as Catalog;
use crate::{
    context::Context,
    failure::{Failure, Result},
    full_names,
    options::NamePart,
    output::Column,
};

/// Schemas of Unity Catalog: list, get, create, delete
#[derive(Debug, Subcommand)]
#[command(alias = "schema")]
pub(crate) enum Command {
    /// List the schemas of a catalog
    #[command(after_help = "Example:\n  brick schemas list main -o table")]
    List {
        #[command(flatten)]
        catalog: Catalog,
        #[command(flatten)]
        part: NamePart,
    },
    /// Show one schema
    #[command(after_help = "Example:\n  brick schemas get main.default")]
    Get(Which),
    /// Create a schema; its name is stored in lower case
    #[command(after_help = "Example:\n  brick schemas create main.sales --comment \"orders and returns\"")]
    Create {
        /// Name of the new schema with its catalog
        #[arg(value_name = "CATALOG.SCHEMA", add = ArgValueCompleter::new(full_names::schemas))]
        schema: String,
        /// Comment that describes it
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
        /// Cloud storage for its managed tables; by default the catalog's
        #[arg(long, value_name = "URL")]
        storage_root: Option<String>,
    },
    /// Delete an empty schema
    #[command(after_help = "Example:\n  brick schemas delete main.sales")]
    Delete {
        #[command(flatten)]
        which: Which,
        /// Delete everything in it, too: tables, volumes, functions, and models
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Name of the schema with its catalog
    #[arg(value_name = "CATALOG.SCHEMA", add = ArgValueCompleter::new(full_names::schemas))]
    pub(super) schema: String,
}

pub(super) const COLUMNS: &[Column] = &[("NAME", "/full_name"), ("OWNER", "/owner"), ("COMMENT", "/comment")];

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let schemas = context.workspace().await?.schemas();
    match command {
        Command::List { catalog: Catalog { catalog }, part } => {
            let found = part.read().select(schemas.list_json(&catalog).await?, "/name", None);
            context.output().list(&found, COLUMNS)
        }
        Command::Get(Which { schema }) => context.record(schemas.get_json(&schema).await?.get().as_bytes()),
        Command::Create { schema, comment, storage_root } => {
            // No part of a new name has dots, so that none has backticks.
            let Some((catalog, name)) = schema.split_once('.') else {
                return Err(Failure::usage(format!("not the full name of a schema: {schema:?}"))
                    .with_hint("write CATALOG.SCHEMA"));
            };
            let (catalog_name, name) = (catalog.to_owned(), name.to_owned());
            let new = CreateSchema { catalog_name, name, comment, storage_root, ..Default::default() };
            context.record(schemas.create(&new).await?.raw())
        }
        Command::Delete { which: Which { schema }, force } => {
            match force {
                true => schemas.delete_with_contents(&schema).await?,
                false => schemas.delete(&schema).await?,
            }
            context.record(json!({ "full_name": schema, "deleted": true }).to_string().as_bytes())
        }
    }
}

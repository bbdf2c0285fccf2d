//! `brick catalogs`: catalogs of Unity Catalog.

use brickwire_actions::types::CreateCatalog;
use clap::Subcommand;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::{context::Context, failure::Result, full_names, options::NamePart, output::Column};

/// Catalogs of Unity Catalog: list, get, create, delete
#[derive(Debug, Subcommand)]
#[command(alias = "catalog")]
pub(crate) enum Command {
    /// List all catalogs
    #[command(after_help = "Example:\n  brick catalogs list -o table")]
    List(NamePart),
    /// Show one catalog
    #[command(after_help = "Example:\n  brick catalogs get main")]
    Get(Which),
    /// Create a catalog; its name is stored in lower case
    #[command(after_help = "Example:\n  brick catalogs create lab --comment \"for experiments\"")]
    Create {
        /// Name of the new catalog
        #[arg(value_name = "CATALOG")]
        catalog: String,
        /// Comment that describes it
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
        /// Cloud storage for its managed tables; by default the metastore's, which not every metastore has
        #[arg(long, value_name = "URL")]
        storage_root: Option<String>,
    },
    /// Delete an empty catalog; its default schema doesn't count
    #[command(after_help = "Example:\n  brick catalogs delete lab")]
    Delete {
        #[command(flatten)]
        which: Which,
        /// Delete everything in it, too: schemas, tables, volumes, functions, and models
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Name of the catalog
    #[arg(value_name = "CATALOG", add = ArgValueCompleter::new(full_names::catalogs))]
    pub(super) catalog: String,
}

pub(super) const COLUMNS: &[Column] =
    &[("NAME", "/name"), ("TYPE", "/catalog_type"), ("OWNER", "/owner"), ("COMMENT", "/comment")];

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let catalogs = context.workspace().await?.catalogs();
    match command {
        Command::List(part) => {
            let found = part.read().select(catalogs.list_json().await?, "/name", None);
            context.output().list(&found, COLUMNS)
        }
        Command::Get(Which { catalog }) => {
            context.record(catalogs.get_json(&catalog).await?.get().as_bytes())
        }
        Command::Create { catalog, comment, storage_root } => {
            let new = CreateCatalog { name: catalog, comment, storage_root, ..Default::default() };
            context.record(catalogs.create(&new).await?.raw())
        }
        Command::Delete { which: Which { catalog }, force } => {
            match force {
                true => catalogs.delete_with_contents(&catalog).await?,
                false => catalogs.delete(&catalog).await?,
            }
            context.record(json!({ "name": catalog, "deleted": true }).to_string().as_bytes())
        }
    }
}

//! `brick volumes`: volumes of Unity Catalog.

use brickwire_actions::types::{CreateVolumeRequestContent, VolumeType};
use clap::Subcommand;
use clap_complete::ArgValueCompleter;

use crate::{
    context::Context,
    failure::{Failure, Result},
    full_names,
    output::Column,
};

/// Volumes of Unity Catalog: list, get, create, delete
#[derive(Debug, Subcommand)]
#[command(alias = "volume")]
pub(crate) enum Command {
    /// List the volumes of a schema
    #[command(after_help = "Example:\n  brick volumes list main.default")]
    List {
        /// Full name of the schema
        #[arg(value_name = "CATALOG.SCHEMA", add = ArgValueCompleter::new(full_names::schemas))]
        schema: String,
    },
    /// Show one volume
    #[command(after_help = "Example:\n  brick volumes get main.default.files -o json")]
    Get(Which),
    /// Create a volume, a managed one unless a storage location is given
    #[command(after_help = "\
Examples:
  brick volumes create main.default.raw --comment 'as delivered'
  brick volumes create main.default.lake --storage-location s3://bucket/lake")]
    Create {
        #[command(flatten)]
        which: Which,
        /// Create an external volume for the files at this address
        #[arg(long, value_name = "URL")]
        storage_location: Option<String>,
        /// Comment on the volume
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
    },
    /// Delete a volume, and the files of a managed one with it
    #[command(after_help = "Example:\n  brick volumes delete main.default.raw")]
    Delete(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Full name of the volume
    #[arg(value_name = "CATALOG.SCHEMA.VOLUME", add = ArgValueCompleter::new(full_names::volumes))]
    volume: String,
}

pub(super) const COLUMNS: &[Column] = &[
    ("NAME", "/full_name"),
    ("TYPE", "/volume_type"),
    ("OWNER", "/owner"),
    ("STORAGE LOCATION", "/storage_location"),
    ("COMMENT", "/comment"),
];

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::List { schema } => {
            let [catalog, schema] = parts(&schema, "catalog.schema")?;
            let volumes = context.workspace().await?.volumes();
            context.output().list(&volumes.list_json(catalog, schema).await?, COLUMNS)
        }
        Command::Get(Which { volume }) => {
            let volumes = context.workspace().await?.volumes();
            context.record(volumes.get_json(&volume).await?.get().as_bytes())
        }
        Command::Create { which, storage_location, comment } => {
            let [catalog, schema, name] = parts(&which.volume, "catalog.schema.volume")?;
            let volume_type =
                if storage_location.is_some() { VolumeType::External } else { VolumeType::Managed };
            let volume = CreateVolumeRequestContent {
                catalog_name: catalog.to_owned(),
                schema_name: schema.to_owned(),
                name: name.to_owned(),
                volume_type,
                storage_location,
                comment,
            };
            let created = context.workspace().await?.volumes().create(&volume).await?;
            context.record(created.raw())
        }
        Command::Delete(Which { volume }) => {
            context.workspace().await?.volumes().delete(&volume).await?;
            context.note(&format!("deleted {volume}"));
            Ok(())
        }
    }
}

/// The parts of a full name.
fn parts<'a, const N: usize>(name: &'a str, form: &str) -> Result<[&'a str; N]> {
    let parts: Vec<_> = name.split('.').collect();
    let wrong = || Failure::usage(format!("this is not a full name of the form {form}: {name:?}"));
    <[&str; N]>::try_from(parts).ok().filter(|parts| !parts.contains(&"")).ok_or_else(wrong)
}

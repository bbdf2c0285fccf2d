//! `brick tables`: tables and views of Unity Catalog. SQL creates them.

use clap::Subcommand;
use clap_complete::ArgValueCompleter;
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::schemas::Which as Schema;
use crate::{
    context::Context,
    failure::Result,
    full_names,
    options::{Format, NamePart},
    output::Column,
};

/// Tables and views of Unity Catalog: list, get, delete
#[derive(Debug, Subcommand)]
#[command(alias = "table")]
pub(crate) enum Command {
    /// List the tables and views of a schema
    #[command(after_help = "Example:\n  brick tables list samples.nyctaxi -o table")]
    List {
        #[command(flatten)]
        schema: Schema,
        #[command(flatten)]
        part: NamePart,
    },
    /// Show one table or view; as a table or CSV, its columns
    #[command(after_help = "\
A part of the name that has dots stands in backticks, which the shell needs quoted.

Examples:
  brick tables get samples.nyctaxi.trips -o table
  brick tables get 'main.default.`odd.name`' -o json")]
    Get(Which),
    /// Drop a table or view; the data of an external table stays
    #[command(after_help = "Example:\n  brick tables delete main.default.old_sales")]
    Delete(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Name of the table with its catalog and schema
    #[arg(value_name = "CATALOG.SCHEMA.TABLE", add = ArgValueCompleter::new(full_names::tables))]
    table: String,
}

pub(super) const COLUMNS: &[Column] = &[
    ("NAME", "/full_name"),
    ("TYPE", "/table_type"),
    ("FORMAT", "/data_source_format"),
    ("OWNER", "/owner"),
    ("COMMENT", "/comment"),
];

const OF_TABLE: &[Column] =
    &[("COLUMN", "/name"), ("TYPE", "/type_text"), ("NULLABLE", "/nullable"), ("COMMENT", "/comment")];

/// What a table format shows of a table.
#[derive(Deserialize)]
struct Columns {
    columns: Option<Vec<Box<RawValue>>>,
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let tables = context.workspace().await?.tables();
    match command {
        Command::List { schema: Schema { schema }, part } => {
            let found = part.read().select(tables.list_json(&schema).await?, "/name", None);
            context.output().list(&found, COLUMNS)
        }
        Command::Get(Which { table }) => {
            let table = tables.get_json(&table).await?;
            let output = context.output();
            let has_columns = output.format().has_columns() && output.format() != Format::Name;
            match serde_json::from_str(table.get()) {
                Ok(Columns { columns: Some(columns) }) if has_columns => output.list(&columns, OF_TABLE),
                _ => output.record(table.get()),
            }
        }
        Command::Delete(Which { table }) => {
            tables.delete(&table).await?;
            context.record(json!({ "full_name": table, "deleted": true }).to_string().as_bytes())
        }
    }
}

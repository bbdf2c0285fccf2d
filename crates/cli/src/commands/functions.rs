//! `brick functions`: functions of Unity Catalog. SQL creates them.

use clap::Subcommand;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use super::schemas::Which as Schema;
use crate::{context::Context, failure::Result, full_names, output::Column};

/// Functions of Unity Catalog: list, get, delete
#[derive(Debug, Subcommand)]
#[command(alias = "function")]
pub(crate) enum Command {
    /// List the functions of a schema
    #[command(after_help = "Example:\n  brick functions list main.default -o table")]
    List(Schema),
    /// Show one function with its definition
    #[command(after_help = "Example:\n  brick functions get main.default.celsius --jq .routine_definition")]
    Get(Which),
    /// Delete a function; what uses it fails from then on
    #[command(after_help = "Example:\n  brick functions delete main.default.celsius")]
    Delete(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Name of the function with its catalog and schema
    #[arg(value_name = "CATALOG.SCHEMA.FUNCTION", add = ArgValueCompleter::new(full_names::functions))]
    function: String,
}

pub(super) const COLUMNS: &[Column] =
    &[("NAME", "/full_name"), ("RETURNS", "/full_data_type"), ("OWNER", "/owner"), ("COMMENT", "/comment")];

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let functions = context.workspace().await?.functions();
    match command {
        Command::List(Schema { schema }) => {
            context.output().list(&functions.list_json(&schema).await?, COLUMNS)
        }
        Command::Get(Which { function }) => {
            context.record(functions.get_json(&function).await?.get().as_bytes())
        }
        Command::Delete(Which { function }) => {
            functions.delete(&function).await?;
            context.record(json!({ "full_name": function, "deleted": true }).to_string().as_bytes())
        }
    }
}

//! From the name and the arguments of a call to the tool.

use rmcp::model::JsonObject;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    code::{self, Kept},
    compute, describe, list, sql, statement,
};
use crate::{
    context::Context,
    failure::{Failure, Result},
};

/// The text that answers a call.
///
/// # Errors
/// Those of the tool, and arguments that it doesn't have: before anything is sent.
pub(super) async fn run(name: &str, arguments: JsonObject, kept: &Kept, context: &Context) -> Result<String> {
    match name {
        "sql_query" => sql::query(read(arguments)?, context).await,
        "describe" => describe::run(read(arguments)?, context).await,
        "list" => list::run(read(arguments)?, context).await,
        "statement" => statement::run(read(arguments)?, context).await,
        "sql_execute" => sql::execute(read(arguments)?, context).await,
        "run_code" => code::run(read(arguments)?, kept, context).await,
        "compute" => compute::run(read(arguments)?, context).await,
        _ => Err(Failure::usage(format!("unknown tool: {name}"))),
    }
}

fn read<T: DeserializeOwned>(arguments: JsonObject) -> Result<T> {
    serde_json::from_value(Value::Object(arguments))
        .map_err(|error| Failure::usage(format!("invalid arguments: {error}")))
}

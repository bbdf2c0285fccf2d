//! `brick sql`

use std::time::Duration;

use brickwire_actions::{Parameter, StatementResult};

use clap_complete::ArgValueCompleter;

use super::{Result, record, source::Source};
use crate::{args, completion, context::Context};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  brick sql \"SELECT * FROM samples.nyctaxi.trips LIMIT 5\"
  brick sql -w \"Shared Endpoint\" -P from:DATE=2024-01-01 -P note:STRING -f report.sql -o csv")]
pub(crate) struct Sql {
    #[command(flatten)]
    statement: Source,
    /// The warehouse's id or name; else the only running one
    #[arg(long, short, value_name = "WAREHOUSE", add = ArgValueCompleter::new(completion::warehouses))]
    warehouse: Option<String>,
    /// Bind :NAME, as NAME=VALUE (text), NAME:TYPE=VALUE, or NAME:TYPE (NULL); may be repeated
    #[arg(long = "param", short = 'P', value_name = "NAME[:TYPE][=VALUE]", value_parser = parameter)]
    parameters: Vec<Parameter>,
    /// The catalog for names without one
    #[arg(long, value_name = "NAME")]
    catalog: Option<String>,
    /// The schema for names without one
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// The most rows to return
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(i64).range(1..))]
    limit: Option<i64>,
    /// Submit the statement, print its id and don't wait
    #[arg(long)]
    detach: bool,
    /// Cancel the statement when it has not ended after this time, as in 30s, 2h
    #[arg(long, value_name = "DURATION", value_parser = args::duration)]
    timeout: Option<Duration>,
}

/// `name=value`, `name:TYPE=value`, `name:TYPE`
fn parameter(text: &str) -> std::result::Result<Parameter, String> {
    let (head, value) = match text.split_once('=') {
        Some((head, value)) => (head, Some(value)),
        None => (text, None),
    };
    let (name, type_name) = match head.split_once(':') {
        Some((name, type_name)) => (name.trim(), Some(type_name.trim())),
        None => (head.trim(), None),
    };
    if name.is_empty() || type_name.is_some_and(str::is_empty) {
        return Err("write it as NAME=VALUE, NAME:TYPE=VALUE, or NAME:TYPE for NULL".to_owned());
    }
    match (type_name, value) {
        (None, Some(value)) => Ok(Parameter::text(name, value)),
        (Some(type_name), Some(value)) => Ok(Parameter::typed(name, type_name, value)),
        (Some(type_name), None) => Ok(Parameter::null(name, Some(type_name))),
        (None, None) => Err(format!("{name} has neither value nor type; for NULL write {name}:STRING")),
    }
}

pub(crate) async fn run(command: Sql, context: &Context) -> Result {
    let text = command.statement.read("statement")?;
    let workspace = context.workspace().await?;
    let warehouses = workspace.warehouses();
    let given = command.warehouse.as_deref().or(context.config().await?.warehouse_id());
    let warehouse = match given {
        Some(id_or_name) => warehouses.find(id_or_name).await?,
        None => warehouses.find_only_running().await?,
    };
    let mut statement = workspace.sql(warehouse).statement(text);
    for parameter in command.parameters {
        statement = statement.with_parameter(parameter);
    }
    if let Some(catalog) = command.catalog {
        statement = statement.with_catalog(catalog);
    }
    if let Some(schema) = command.schema {
        statement = statement.with_schema(schema);
    }
    if let Some(limit) = command.limit {
        statement = statement.with_row_limit(limit);
    }
    if let Some(timeout) = command.timeout {
        statement = statement.with_deadline(timeout);
    }
    if command.detach {
        return record(context, statement.submit().await?.raw());
    }
    print(statement.execute().await?, context).await
}

/// Prints a result's rows as its chunks come.
pub(crate) async fn print(mut result: StatementResult, context: &Context) -> Result {
    let mut printer = context.output().rows();
    printer.begin(result.columns())?;
    while let Some(rows) = result.next_chunk().await? {
        printer.rows(&rows)?;
    }
    let rows = printer.end()?;
    if result.is_truncated() {
        context.note(&format!("the result was cut off after {rows} rows by a limit"));
    }
    Ok(())
}

//! `brick sql`

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
    time::Duration,
};

use brickwire_actions::{
    FetchOptions, Parameter, ParameterValue, Statement, StatementResult, types::WarehouseState,
};

use clap_complete::ArgValueCompleter;

use super::{Result, record, source::Source};
use crate::{
    args::{self, Format},
    completion,
    context::Context,
    output::{Output, Target},
    report::Failure,
};

/// So many bytes of rows may wait to be written: enough for a network, and little for a machine.
const WAITING: u64 = 40 << 20;

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
    /// Write the rows to this file; its extension decides the format unless -o does
    #[arg(long, value_name = "FILE", conflicts_with = "detach")]
    out: Option<PathBuf>,
    /// Don't start the warehouse: fail unless it is running
    #[arg(long)]
    no_start: bool,
    /// Submit the statement, print its id and don't wait
    #[arg(long)]
    detach: bool,
    /// Cancel the statement when it has not ended after this time, as in 30s, 2h
    #[arg(long, value_name = "DURATION", value_parser = args::duration, allow_hyphen_values = true)]
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
        (None, Some(value)) => Ok(Parameter::new(name, value)),
        (Some(type_name), Some(value)) => Ok(Parameter::new(name, ParameterValue::typed(type_name, value))),
        (Some(type_name), None) => Ok(Parameter::new(name, ParameterValue::null(type_name))),
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
    if command.no_start {
        let state = warehouses.get(&warehouse).await?.state.clone();
        if state != Some(WarehouseState::Running) {
            let state = state.map(|s| s.to_string()).unwrap_or_default();
            return Err(Failure::Unable(format!(
                "warehouse {warehouse} is {state}, and --no-start was given\nhint: brick warehouses start {warehouse}"
            )));
        }
    }
    let mut statement =
        workspace.sql(warehouse).statement(text).with_fetch(FetchOptions::default().with_memory(WAITING));
    statement = statement.with_parameters(command.parameters);
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
    // Before the statement runs, so that one whose rows can't be written isn't run.
    let output = context.output_to(command.out.as_deref())?;
    let target = Target::open(command.out.as_deref())?;
    if matches!(output.format(), Format::Arrow | Format::Parquet) {
        return batches(statement, output.format(), target, context).await;
    }
    print(statement.execute().await?, output, target, context).await
}

/// Prints a result's rows as its chunks come.
pub(crate) async fn print(
    mut result: StatementResult,
    output: Output,
    target: Target,
    context: &Context,
) -> Result {
    let on_screen = matches!(target, Target::Stdout(_)) && io::stdout().is_terminal();
    let mut printer = output.rows(target);
    printer.begin(result.columns())?;
    while let Some(rows) = result.next_rows().await? {
        // The line that is written over stands where the rows go.
        if on_screen {
            context.progress().clear();
        }
        printer.rows(&rows)?;
    }
    context.progress().clear();
    let rows = printer.end()?;
    tell_truncated(result.is_truncated(), rows, context);
    Ok(())
}

#[cfg(feature = "arrow")]
async fn batches(statement: Statement, format: Format, target: Target, context: &Context) -> Result {
    use crate::output::{BatchPrinter, schema_of};
    let mut batches = statement.execute_arrow().await?;
    let first = batches.next().await?;
    let schema = first.as_ref().map_or_else(|| schema_of(batches.columns()), |batch| batch.schema());
    let mut printer = BatchPrinter::new(format, target, &schema)?;
    let mut rows = 0;
    let mut next = first;
    while let Some(batch) = next {
        rows += batch.num_rows() as u64;
        printer.write(&batch)?;
        next = batches.next().await?;
    }
    context.progress().clear();
    printer.end()?;
    tell_truncated(batches.is_truncated(), rows, context);
    Ok(())
}

#[cfg(not(feature = "arrow"))]
async fn batches(_: Statement, _: Format, _: Target, _: &Context) -> Result {
    Err(Failure::Unable(
        "this build of brick writes neither Arrow nor Parquet: install it with the feature `arrow`"
            .to_owned(),
    ))
}

fn tell_truncated(truncated: bool, rows: u64, context: &Context) {
    if truncated {
        context.note(&format!("the result was cut off after {rows} rows by a limit"));
    }
}

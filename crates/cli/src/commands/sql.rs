//! `brick sql`: runs a statement and prints or saves its rows.

use std::{
    fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use brickwire_actions::{
    FetchOptions, Parameter, ParameterValue, Statement, StatementResult,
    types::{Disposition, WarehouseState},
};
use clap_complete::ArgValueCompleter;

use super::warehouses;
use crate::{
    context::Context,
    failure::{Failure, Result},
    options::{Format, MaxRows, duration},
    output::{Output, Target, json, saved},
    source::Source,
    terminal,
};

/// The limit in bytes of rows that wait to be written: enough to keep the network busy, and little memory.
const WAITING: u64 = 40 << 20;

/// Run an SQL statement and print its rows
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  brick sql \"SELECT * FROM samples.nyctaxi.trips LIMIT 5\"
  brick sql -w \"Shared Endpoint\" -P from:DATE=2024-01-01 -P note:STRING -f report.sql -o csv")]
pub(crate) struct Command {
    #[command(flatten)]
    statement: Source,
    /// Id, name, HTTP path, or URL of the warehouse; by default DATABRICKS_WAREHOUSE_ID, then warehouse_id of the
    /// profile, then the only one that you can see, your default, or the workspace's default
    #[arg(long, short, value_name = "WAREHOUSE", add = ArgValueCompleter::new(warehouses::candidates))]
    warehouse: Option<String>,
    /// Value for :NAME, as NAME=VALUE (a string), NAME:TYPE=VALUE, or NAME:TYPE (NULL); repeatable
    #[arg(long = "param", short = 'P', value_name = "NAME[:TYPE][=VALUE]", value_parser = parameter)]
    parameters: Vec<Parameter>,
    /// Default catalog
    #[arg(long, value_name = "NAME")]
    catalog: Option<String>,
    /// Default schema
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// Maximum number of rows
    #[arg(long, value_name = "ROWS", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(1..))]
    limit: Option<i64>,
    /// Maximum number of rows to show, or `all` [default: 1000 on a terminal, all elsewhere]
    #[arg(long, value_name = "ROWS", allow_negative_numbers = true, conflicts_with = "limit")]
    max_rows: Option<MaxRows>,
    /// Get the rows in the answer of the service, and not from its object store (up to 25 MiB, as text)
    #[arg(long, conflicts_with = "detach")]
    inline: bool,
    /// Write the rows to this file; its extension sets the format unless -o is given
    #[arg(long, value_name = "FILE", conflicts_with = "detach")]
    out: Option<PathBuf>,
    /// Fail if the warehouse is not running, instead of starting it
    #[arg(long)]
    no_start: bool,
    /// Submit the statement, print its id, and don't wait
    #[arg(long = "no-wait", alias = "detach")]
    detach: bool,
    /// Cancel the statement if it takes longer than this, such as 30s or 2h
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true)]
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
        return Err("expected NAME=VALUE, NAME:TYPE=VALUE, or NAME:TYPE for NULL".to_owned());
    }
    match (type_name, value) {
        (None, Some(value)) => Ok(Parameter::new(name, value)),
        (Some(type_name), Some(value)) => Ok(Parameter::new(name, ParameterValue::typed(type_name, value))),
        (Some(type_name), None) => Ok(Parameter::new(name, ParameterValue::null(type_name))),
        (None, None) => Err(format!("{name} has neither a value nor a type; for NULL, use {name}:STRING")),
    }
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    // All that can be wrong locally is checked before the first request.
    let text = command.statement.read("statement")?;
    Statement::check(&text, &command.parameters)?;
    let output = context.output_to(command.out.as_deref(), !command.detach)?;
    if !command.detach {
        output.check_rows()?;
    }
    if command.inline && matches!(output.format(), Format::Arrow | Format::Parquet) {
        return Err(Failure::usage(
            "--inline gets rows as text, so they can't be written as Arrow or Parquet",
        )
        .with_hint("leave out --inline, or write csv"));
    }
    let target = Target::open(command.out.as_deref())?;
    let cap = output.row_cap(command.max_rows, command.limit.is_some(), &target);
    let output = output.with_cap(cap);
    // Finding the warehouse and the statement share the time.
    if let Some(timeout) = command.timeout {
        context.limit(timeout);
    }
    let workspace = context.workspace().await?;
    let warehouses = warehouses::of(context).await?;
    let given = command.warehouse.as_deref().or(context.config().await?.warehouse_id());
    let warehouse = match given {
        Some(id_or_name) => warehouses.find(id_or_name).await?,
        None => warehouses.find_default().await?,
    };
    if command.no_start {
        let state = warehouses.get(&warehouse).await?.state.clone();
        if state != Some(WarehouseState::Running) {
            let state = state.map(|s| s.to_string()).unwrap_or_default();
            let message = format!("warehouse {warehouse} is {state}, and --no-start was given");
            let hint = format!("start it with `brick warehouses start {warehouse}`");
            return Err(Failure::local(message).with_hint(hint));
        }
    }
    let mut statement =
        workspace.sql(warehouse).statement(text).with_fetch(FetchOptions::default().with_memory(WAITING));
    statement = statement.with_parameters(command.parameters);
    // Fewer bytes than rows that come as text, and all digits of a TIMESTAMP.
    #[cfg(feature = "arrow")]
    {
        statement = statement.with_rows_from_arrow();
    }
    if let Some(catalog) = command.catalog {
        statement = statement.with_catalog(catalog);
    }
    if let Some(schema) = command.schema {
        statement = statement.with_schema(schema);
    }
    if let Some(limit) = command.limit.or(cap.and_then(|cap| cap.try_into().ok())) {
        statement = statement.with_row_limit(limit);
    }
    if let (Some(timeout), Some(deadline)) = (command.timeout, context.deadline()) {
        statement = statement.with_deadline(timeout).until(deadline);
    }
    if command.inline {
        statement = statement.with_disposition(Disposition::Inline);
    }
    if command.detach {
        return context.record(&json::without_links(statement.submit().await?.raw()));
    }
    if matches!(output.format(), Format::Arrow | Format::Parquet) {
        return batches(statement, &output, target, context).await;
    }
    print(statement.execute().await?, output, target, context).await
}

/// Prints the rows of a result as its chunks arrive.
pub(crate) async fn print(
    mut result: StatementResult,
    output: Output,
    target: Target,
    context: &Context,
) -> Result {
    let begun = output.begun();
    let id = result.statement_id().to_owned();
    let on_screen = target.is_stdout() && io::stdout().is_terminal();
    let file = target.file().map(Path::to_owned);
    let mut printer = output.rows(target);
    printer.begin(result.columns())?;
    while !printer.has_enough()
        && let Some(rows) = result.next_rows().await?
    {
        // The progress line is where the rows go.
        if on_screen {
            context.progress().clear();
        }
        printer.rows(&rows)?;
        if let Some(note) = printer.memory_note() {
            context.note(&note);
        }
    }
    context.progress().clear();
    if result.is_truncated() {
        printer.cut_off();
    }
    let lacks_rows = printer.lacks_rows();
    let (_, is_filtered) = context.asked();
    let rows = printer.end().map_err(|failure| match is_filtered {
        true => failure.after_statement(&id),
        false => failure,
    })?;
    tell_truncated(lacks_rows, rows, context);
    if let Some(file) = file {
        tell_saved(&file, (!is_filtered).then_some(rows), begun, context);
    }
    Ok(())
}

#[cfg(feature = "arrow")]
async fn batches(statement: Statement, output: &Output, target: Target, context: &Context) -> Result {
    use crate::output::{BatchPrinter, schema_of};
    let file = target.file().map(Path::to_owned);
    let mut batches = statement.execute_arrow().await?;
    let first = batches.next().await?;
    let schema = first.as_ref().map_or_else(|| schema_of(batches.columns()), |batch| batch.schema());
    let mut printer = BatchPrinter::new(output.format(), target, &schema, context.columns())?;
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
    if let Some(file) = file {
        tell_saved(&file, Some(rows), output.begun(), context);
    }
    Ok(())
}

#[cfg(not(feature = "arrow"))]
async fn batches(_: Statement, _: &Output, _: Target, _: &Context) -> Result {
    unreachable!("`output_to` refuses the format")
}

fn tell_truncated(truncated: bool, rows: u64, context: &Context) {
    if truncated {
        let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
        context.note(&format!("a limit cut the result off after {rows}"));
    }
}

/// Says what was written to a file, without the number of rows if they were filtered.
fn tell_saved(file: &Path, rows: Option<u64>, begun: Instant, context: &Context) {
    let bytes = fs::metadata(file).map(|known| known.len()).unwrap_or_default();
    let text = saved(rows, file, bytes, begun.elapsed());
    context.note(&terminal::escaped_line(&text));
}

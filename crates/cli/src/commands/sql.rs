//! `brick sql`: runs statements and prints or saves their rows.

mod connection;
mod prompt;
mod results;
mod script;

use std::{
    fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use brickwire_actions::{
    Defaults, FetchOptions, Parameter, ParameterValue, PreviewLimits, Script, ScriptStatement, Statement,
    StatementResult, Workspace, refuse_notebook,
    types::{Disposition, WarehouseState},
};
use clap_complete::ArgValueCompleter;

use super::warehouses;
use crate::{
    context::Context,
    failure::{Failure, Place, Result},
    options::{Bounds, Format, MaxRows, duration},
    output::{About, Facts, Output, Target, agent, json, saved},
    source::Source,
    terminal,
};

/// The limit in bytes of rows that wait to be written: enough to keep the network busy, and little memory.
const WAITING: u64 = 40 << 20;

/// Run SQL statements and print their rows
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  brick sql \"SELECT * FROM samples.nyctaxi.trips LIMIT 5\"
  brick sql -f etl.sql
  brick sql -w \"Shared Endpoint\" -P from:DATE=2024-01-01 -P note:STRING -f report.sql -o csv")]
pub(crate) struct Command {
    #[command(flatten)]
    source: Source,
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
    /// Maximum number of rows to show, or `all` [default: 1000 on a terminal, 200 with -o agent, all elsewhere]
    #[arg(long, value_name = "ROWS", allow_negative_numbers = true, conflicts_with = "limit")]
    max_rows: Option<MaxRows>,
    #[command(flatten)]
    bounds: Bounds,
    /// Whether only as much is fetched as an agent is shown.
    #[arg(skip)]
    is_previewed: bool,
    /// Get the rows in the answer of the service, and not from its object store (up to 25 MiB, as text)
    #[arg(long, conflicts_with = "detach")]
    inline: bool,
    /// Write the rows to this file; its extension sets the format unless -o is given; {n} is the statement's number
    #[arg(long, value_name = "FILE", conflicts_with = "detach")]
    out: Option<PathBuf>,
    /// Fail if the warehouse is not running, instead of starting it
    #[arg(long)]
    no_start: bool,
    /// Submit the statement, print its id, and don't wait
    #[arg(long = "no-wait", alias = "detach")]
    detach: bool,
    /// Print the statements with their lines, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Go on after a statement that fails, unless access is refused or its outcome is unknown
    #[arg(long)]
    continue_on_error: bool,
    /// Send the text as one statement, without looking for semicolons
    #[arg(long, conflicts_with_all = ["dry_run", "continue_on_error", "session"])]
    no_split: bool,
    /// Run all statements in one SQL session, which keeps temporary views, variables, and settings
    #[arg(long, conflicts_with = "detach")]
    session: bool,
    /// Cancel a statement if it takes longer than this, such as 30s or 2h
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true)]
    timeout: Option<Duration>,
}

/// `name=value`, `name:TYPE=value`, `name:TYPE`
pub(crate) fn parameter(text: &str) -> std::result::Result<Parameter, String> {
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

impl Command {
    /// The statement to send, which returns at most `cap` rows.
    fn statement(&self, workspace: &Workspace, warehouse: &str, text: &str, cap: Option<u64>) -> Statement {
        let mut statement = workspace
            .sql(warehouse)
            .statement(text)
            .with_fetch(FetchOptions::default().with_memory(WAITING))
            .with_parameters(self.parameters.iter().cloned());
        // Fewer bytes than rows that come as text, and all digits of a TIMESTAMP.
        #[cfg(feature = "arrow")]
        {
            statement = statement.with_rows_from_arrow();
        }
        if let Some(limit) = self.limit.or(cap.and_then(|cap| cap.try_into().ok())) {
            statement = statement.with_row_limit(limit);
        }
        if self.is_previewed {
            statement = statement.with_preview(self.limits());
        }
        if self.inline {
            statement = statement.with_disposition(Disposition::Inline);
        }
        if self.no_split {
            statement = statement.with_whole_text();
        }
        statement
    }

    /// The most rows to show.
    fn cap(&self, output: &Output, target: &Target) -> Option<u64> {
        output.row_cap(self.max_rows, self.limit.is_some(), target)
    }

    /// How much of a result is shown to an agent.
    fn limits(&self) -> PreviewLimits {
        self.bounds.limits(self.max_rows)
    }

    /// The file that the text comes from.
    fn file(&self) -> Option<String> {
        self.source.path().map(|path| path.display().to_string())
    }

    fn check_inline(&self, format: Format) -> Result {
        if self.inline && matches!(format, Format::Arrow | Format::Parquet) {
            let message = "--inline gets rows as text, so they can't be written as Arrow or Parquet";
            return Err(Failure::usage(message).with_hint("leave out --inline, or write csv"));
        }
        Ok(())
    }
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let out = command.out.clone();
    execute(command, context).await?;
    // An agent gets no notes on stderr.
    match out.filter(|_| context.is_agent()) {
        Some(file) => Ok(context.output().bytes(agent::saved(&file).as_bytes())?),
        None => Ok(()),
    }
}

async fn execute(mut command: Command, context: &Context) -> Result {
    command.is_previewed = context.is_agent() && command.out.is_none() && !command.detach;
    if prompt::is_asked(&command, context) {
        return prompt::run(&command, context).await;
    }
    // All that can be wrong locally is checked before the first request.
    let text = command.source.read_any("statement")?;
    if command.no_split {
        context.check_reads(&text).await?;
        return single(&command, &text, None, context).await;
    }
    let script =
        Script::parse(&text).map_err(|error| script::unsplit(error, &text, command.file().as_deref()))?;
    if command.dry_run {
        return script::list(&script, context);
    }
    check_reads(&command, &text, &script, context).await?;
    match script.statements() {
        [_] if command.session => script::run(&command, &script, context).await,
        // A text of one statement is sent byte for byte; a notebook is not a statement.
        [only] => {
            let text = if refuse_notebook(&text).is_ok() { text.as_str() } else { only.text() };
            Statement::check(text, &command.parameters)?;
            single(&command, text, Some(only), context).await
        }
        [] => Ok(Statement::check(&text, &command.parameters)?),
        _ => script::run(&command, &script, context).await,
    }
}

/// Runs one statement.
async fn single(command: &Command, text: &str, place: Option<&ScriptStatement>, context: &Context) -> Result {
    let output = context.output_to(command.out.as_deref(), !command.detach)?;
    if !command.detach {
        output.check_rows()?;
    }
    command.check_inline(output.format())?;
    let target = Target::open(command.out.as_deref())?;
    let cap = command.cap(&output, &target);
    let output = output.with_cap(cap);
    // Finding the warehouse and the statement share the time.
    if let Some(timeout) = command.timeout {
        context.limit(timeout);
    }
    let workspace = context.workspace().await?;
    let warehouse = warehouse(command, context).await?;
    let output = output.with_about(About {
        limits: command.limits(),
        is_safe_to_repeat: Statement::check_reads(text).is_ok(),
        warehouse_id: Some(warehouse.clone()),
    });
    let mut statement = command.statement(&workspace, &warehouse, text, cap);
    statement = Defaults::new(command.catalog.clone(), command.schema.clone()).apply(statement);
    if let (Some(timeout), Some(deadline)) = (command.timeout, context.deadline()) {
        statement = statement.with_deadline(timeout).until(deadline);
    }
    if command.detach {
        return context.record(&json::without_links(statement.submit().await?.raw()));
    }
    let ran = match output.format() {
        Format::Arrow | Format::Parquet => batches(statement, &output, target, context).await.map(drop),
        _ => match statement.execute().await {
            Ok(result) => return print(result, output, target, context).await,
            Err(error) => Err(error.into()),
        },
    };
    ran.map_err(|failure: Failure| match place {
        Some(place) => at(failure, place, command.file()),
        None => failure,
    })
}

/// Refuses a text with a statement that may change something, in read-only mode, and says where that is.
async fn check_reads(command: &Command, text: &str, script: &Script, context: &Context) -> Result {
    let statements = script.statements();
    for (i, statement) in statements.iter().enumerate() {
        if let Err(refusal) = context.check_reads(statement.text()).await {
            // The lines of the whole text, unless it is a notebook.
            let whole =
                if refuse_notebook(text).is_ok() { context.check_reads(text).await.err() } else { None };
            return Err(whole.unwrap_or(refusal).at(Place {
                file: command.file(),
                line: Some(statement.line()),
                column: Some(statement.column()),
                index: Some(i + 1),
                count: Some(statements.len()),
            }));
        }
    }
    Ok(())
}

/// Adds the place of the only statement, or of what in it the service names.
fn at(failure: Failure, statement: &ScriptStatement, file: Option<String>) -> Failure {
    let named = statement.place_in(&failure.message()).map(|(place, _)| place);
    failure.at(Place {
        file,
        line: Some(named.map_or(statement.line(), |place| place.line)),
        column: Some(named.map_or(statement.column(), |place| place.column)),
        index: Some(1),
        count: Some(1),
    })
}

/// The warehouse to run on.
async fn warehouse(command: &Command, context: &Context) -> Result<String> {
    let warehouses = warehouses::of(context).await?;
    let warehouse = warehouses::for_statements(command.warehouse.as_deref(), context).await?;
    if command.no_start {
        let state = warehouses.get(&warehouse).await?.state.clone();
        if state != Some(WarehouseState::Running) {
            let state = state.map(|s| s.to_string()).unwrap_or_default();
            let message = format!("warehouse {warehouse} is {state}, and --no-start was given");
            let hint = format!("start it with `brick warehouses start {warehouse}`");
            return Err(Failure::local(message).with_hint(hint));
        }
    }
    Ok(warehouse)
}

/// Prints the rows of a result as its chunks arrive.
pub(crate) async fn print(
    mut result: StatementResult,
    output: Output,
    target: Target,
    context: &Context,
) -> Result {
    if output.is_agent() {
        return preview(result, output, context).await;
    }
    let warehouse_id = output.about().warehouse_id.clone();
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
    printer.tell(Facts {
        truncated: lacks_rows || result.is_truncated(),
        statement_id: Some(id.clone()),
        warehouse_id,
        elapsed: context.elapsed(),
    });
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

/// Prints as much of a result as an agent is shown.
async fn preview(result: StatementResult, output: Output, context: &Context) -> Result {
    let id = result.statement_id().to_owned();
    let (limits, is_safe_to_repeat) = (output.about().limits, output.about().is_safe_to_repeat);
    let preview = result.preview(limits).await?;
    context.progress().clear();
    let text = agent::result(&preview, Some(&id), context.elapsed(), is_safe_to_repeat);
    Ok(output.bytes(text.as_bytes())?)
}

#[cfg(feature = "arrow")]
async fn batches(statement: Statement, output: &Output, target: Target, context: &Context) -> Result<u64> {
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
    Ok(rows)
}

#[cfg(not(feature = "arrow"))]
async fn batches(_: Statement, _: &Output, _: Target, _: &Context) -> Result<u64> {
    unreachable!("`output_to` refuses the format")
}

/// How many rows a statement has changed, if its result says so.
async fn changes(result: &mut StatementResult) -> Result<Option<u64>> {
    let is_count = result.columns().first().is_some_and(|c| c.name.as_deref() == Some("num_affected_rows"));
    if !is_count || result.manifest().total_row_count != Some(1) {
        return Ok(None);
    }
    let mut count = None;
    // To the end: a result that is partly read is canceled.
    while let Some(rows) = result.next_rows().await? {
        count = rows.cells().next().and_then(|cell| cell.as_str()?.parse().ok());
    }
    Ok(count)
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

//! Prints or saves the rows of a result.

use std::{
    fs,
    io::{self, IsTerminal},
    path::Path,
    time::Instant,
};

use brickwire_actions::{Statement, StatementResult};

use crate::{
    context::Context,
    failure::Result,
    output::{Facts, Output, Target, agent, saved},
    terminal,
};

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
    let started = output.started();
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
        tell_saved(&file, (!is_filtered).then_some(rows), started, context)?;
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
pub(super) async fn batches(
    statement: Statement,
    output: &Output,
    target: Target,
    context: &Context,
) -> Result<u64> {
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
        tell_saved(&file, Some(rows), output.started(), context)?;
    }
    Ok(rows)
}

#[cfg(not(feature = "arrow"))]
pub(super) async fn batches(_: Statement, _: &Output, _: Target, _: &Context) -> Result<u64> {
    unreachable!("`output_to` refuses the format")
}

/// How many rows a statement has changed, if its result says so.
pub(super) async fn changes(result: &mut StatementResult) -> Result<Option<u64>> {
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

pub(super) fn tell_truncated(truncated: bool, rows: u64, context: &Context) {
    if truncated {
        let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
        context.note(&format!("a limit cut the result off after {rows}"));
    }
}

/// Says what was written to a file, without the number of rows if they were filtered.
fn tell_saved(file: &Path, rows: Option<u64>, started: Instant, context: &Context) -> Result {
    let bytes = fs::metadata(file).map(|known| known.len()).unwrap_or_default();
    let text = saved(rows, file, bytes, started.elapsed());
    context.note(&terminal::escaped_line(&text));
    // An agent gets no notes on stderr.
    if context.is_agent() {
        context.output().bytes(agent::saved(file).as_bytes())?;
    }
    Ok(())
}

//! `describe`: the columns of tables, and some of their rows.

use brickwire_actions::{ErrorKind, Preview, PreviewLimits, Workspace, types::TableInfo};
use futures_util::future::join_all;
use serde::Deserialize;

use super::{
    call::{Time, warehouse},
    sql::bounded,
};
use crate::{
    context::Context,
    failure::{Failure, Result},
    terminal::escaped_line,
};

/// The most tables of one call.
pub(super) const MOST_TABLES: usize = 5;
/// The most sample rows of a table.
pub(super) const MOST_ROWS: u64 = 10;

/// The bytes for the columns, and for the sample rows, of all tables together.
const BYTES_OF_COLUMNS: usize = 5000;
const BYTES_OF_ROWS: usize = 2500;
/// The same for the headings of the sample rows.
const BYTES_OF_HEADINGS: usize = 1200;

/// The most characters of a table's comment, of a cell of a sample row, and of a message.
const COMMENT: usize = 120;
const CELL: usize = 60;
const LONGEST_LINE: usize = 200;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Describe {
    tables: Vec<String>,
    sample_rows: Option<u64>,
    warehouse: Option<String>,
}

pub(super) async fn run(describe: Describe, context: &Context) -> Result<String> {
    let count = describe.tables.len();
    if count == 0 || count > MOST_TABLES {
        return Err(Failure::usage(format!("tables must have 1 to {MOST_TABLES} names: {count}")));
    }
    let rows = describe.sample_rows.unwrap_or(3);
    if rows > MOST_ROWS {
        return Err(Failure::usage(format!("sample_rows must be from 0 to {MOST_ROWS}: {rows}")));
    }
    let time = Time::of(None)?;
    let workspace = time.workspace(context).await?.as_read_only();
    let service = workspace.tables();
    let mut found = join_all(describe.tables.iter().map(|name| service.get(name))).await;
    if found.iter().all(std::result::Result::is_err)
        && let Err(error) = found.swap_remove(0)
    {
        let is_missing = error.kind() == ErrorKind::NotFound;
        let failure = Failure::from(error);
        return Err(match is_missing {
            true => failure.with_hint(
                "find its name with the tool list; for hive_metastore, run DESCRIBE TABLE with sql_query",
            ),
            false => failure,
        });
    }
    let samples = join_all(found.iter().map(async |table| match table {
        Ok(table) if rows > 0 => {
            Some(sample(table, rows, count, &time, &workspace, &describe, context).await)
        }
        _ => None,
    }))
    .await;
    let mut text = String::new();
    for ((name, table), sample) in describe.tables.iter().zip(&found).zip(samples) {
        match table {
            Ok(table) => text.push_str(&columns(table, count)),
            Err(error) => {
                text.push_str(&format!("# table={} error={}\n", line(name), line(&error.to_string())))
            }
        }
        match sample {
            Some(Ok(rows)) => text.push_str(&rows),
            Some(Err(error)) => text.push_str(&format!("# no sample rows: {}\n", line(&error.message()))),
            None => {}
        }
    }
    Ok(text)
}

/// A text from outside on one line, of a bounded length.
fn line(text: &str) -> String {
    escaped_line(&text.chars().take(LONGEST_LINE).collect::<String>()).into_owned()
}

/// The columns of a table, with its name, type, and comment in the summary.
fn columns(table: &TableInfo, count: usize) -> String {
    let limits = PreviewLimits::default().with_rows(1000).with_bytes(BYTES_OF_COLUMNS / count);
    let mut preview = Preview::new([("column", ""), ("type", ""), ("comment", "")], limits);
    for column in table.columns.iter().flatten() {
        preview.push([
            Some(column.name.as_deref().unwrap_or_default()),
            Some(column.type_text.as_deref().unwrap_or_default()),
            Some(column.comment.as_deref().unwrap_or_default()),
        ]);
    }
    let comment: String = table.comment.iter().flat_map(|comment| comment.chars()).take(COMMENT).collect();
    let kind = table.table_type.as_ref().map(ToString::to_string).unwrap_or_default();
    let facts =
        [("table", table.full_name.as_deref().unwrap_or_default()), ("type", &kind), ("comment", &comment)];
    let facts: Vec<_> = facts.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    preview.to_text(
        &facts,
        Some("the other columns: SELECT * FROM system.information_schema.columns with a WHERE"),
    )
}

/// Some rows of a table.
async fn sample(
    table: &TableInfo,
    rows: u64,
    count: usize,
    time: &Time,
    workspace: &Workspace,
    describe: &Describe,
    context: &Context,
) -> Result<String> {
    let parts = [&table.catalog_name, &table.schema_name, &table.name];
    let parts = parts.map(|part| format!("`{}`", part.as_deref().unwrap_or_default().replace('`', "``")));
    let limits = PreviewLimits::default()
        .with_rows(rows)
        .with_cell(CELL)
        .with_bytes(BYTES_OF_ROWS / count)
        .with_heading(BYTES_OF_HEADINGS / count);
    let warehouse = warehouse(describe.warehouse.as_deref(), workspace, context).await?;
    let query = format!("SELECT * FROM {} LIMIT {rows}", parts.join("."));
    let statement = workspace.sql(warehouse).statement(query);
    let result = bounded(statement, limits, time).execute().await?;
    Ok(result.preview(limits).await?.to_text(&[], None))
}

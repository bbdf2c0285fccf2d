//! Commands of language `sql`: the first rows as a table with typed cells.

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::{
    engine::{
        Column, EngineError, Parameter, Query, SqlEngine,
        encode::{Format, encode},
    },
    tenant::USER_NAME,
};

/// Rows a table result shows; more are cut off.
const ROWS_SHOWN: usize = 1000;

/// How many bytes of rows Python gets at once or a table shows, as JSON.
pub(super) const ROW_BYTES: usize = 64 * 1024 * 1024;

/// The results of a statement: a table, or the error.
pub(super) async fn results(session: &dyn SqlEngine, text: &str, parameters: Vec<Parameter>) -> Value {
    match table(session, text, parameters).await {
        Ok(table) => table,
        Err(error) => json!({ "resultType": "error", "summary": error.message, "cause": error.message }),
    }
}

async fn table(
    session: &dyn SqlEngine,
    text: &str,
    parameters: Vec<Parameter>,
) -> Result<Value, EngineError> {
    let query = Query { sql: text, user: USER_NAME, parameters, ..Query::default() };
    let mut stream = session.query(query).await?;
    let (mut rows, mut truncated, mut bytes) = (Vec::new(), false, 0);
    while let Some(batch) = stream.batches.next().await {
        let batch = batch?;
        let room = ROWS_SHOWN - rows.len();
        truncated = batch.num_rows() > room;
        let shown = batch.slice(0, batch.num_rows().min(room));
        let cells = encode(Format::JsonArray, &stream.schema, &[shown], true)?;
        bytes += cells.len();
        if bytes > ROW_BYTES {
            return Err(too_large());
        }
        let cells: Vec<Vec<Option<String>>> =
            serde_json::from_slice(&cells).map_err(EngineError::internal)?;
        rows.extend(cells.into_iter().map(|row| typed_row(row, &stream.columns)));
        if truncated {
            break;
        }
    }
    let schema: Vec<Value> = stream
        .columns
        .iter()
        .map(|column| {
            json!({ "name": column.name, "type": json!(spark_type(column)).to_string(), "metadata": "{}" })
        })
        .collect();
    Ok(json!({
        "resultType": "table", "data": rows, "schema": schema, "truncated": truncated, "isJsonSchema": true,
    }))
}

fn typed_row(row: Vec<Option<String>>, columns: &[Column]) -> Value {
    row.into_iter()
        .zip(columns)
        .map(|(cell, column)| cell.map_or(Value::Null, |text| typed(text, column)))
        .collect()
}

fn typed(text: String, column: &Column) -> Value {
    let parsed = match column.type_name.as_str() {
        "BYTE" | "SHORT" | "INT" | "LONG" => text.parse::<i64>().ok().map(|number| json!(number)),
        "FLOAT" | "DOUBLE" => {
            text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| json!(number))
        }
        "BOOLEAN" => text.parse::<bool>().ok().map(|truth| json!(truth)),
        _ => None,
    };
    parsed.unwrap_or(Value::String(text))
}

/// A column's type as Spark's JSON schema names it.
fn spark_type(column: &Column) -> String {
    match column.type_name.as_str() {
        "INT" => "integer".to_owned(),
        "NULL" => "void".to_owned(),
        _ if column.type_name == "DECIMAL" => column.type_text.to_ascii_lowercase(),
        name => name.to_ascii_lowercase(),
    }
}

/// The error for more rows than [`ROW_BYTES`].
pub(super) fn too_large() -> EngineError {
    let message =
        "The sandbox hands over and shows at most 64 MiB of rows. Add a LIMIT, or aggregate in SQL.";
    EngineError::of_class("RESULT_TOO_LARGE.SANDBOX", "54000", message)
}

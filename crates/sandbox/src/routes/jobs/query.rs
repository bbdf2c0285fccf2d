//! SQL of tasks: a file that a warehouse runs, and the SQL cells of notebooks.

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{done::Done, pace::LOOK, references::as_text, settings::text, source};
use crate::{
    call::Call,
    engine::{
        EngineError, Parameter, Query, SqlEngine,
        encode::{Format, encode},
    },
    routes::warehouses,
    tenant::USER_NAME,
};

/// The most rows of a query that are shown.
const ROWS_SHOWN: usize = 1000;

pub(super) async fn sql(call: &Call, task: &Value) -> Result<Done, String> {
    let warehouse = text(task, "warehouse_id");
    let path = text(&task["file"], "path");
    if path.is_empty() {
        return Err(match text(&task["query"], "query_id") {
            "" => "The sandbox runs SQL tasks that have a file only.".to_owned(),
            id => format!(
                "The sandbox has no saved queries and can't run {id}. Put the SQL into a file, and set sql_task.file."
            ),
        });
    }
    let statement = source::file(call, path)?;
    warehouses::wake(call, warehouse).map_err(|_| format!("SQL warehouse {warehouse} does not exist."))?;
    while warehouses::is_running(&call.server, &call.tenant, warehouse) == Some(false) {
        tokio::time::sleep(LOOK).await;
    }
    let session = call.tenant.engine().session();
    let result = rows(&*session, &statement, &task["parameters"]).await.map_err(|error| error.message)?;
    let output = json!({ "query_text": statement, "warehouse_id": warehouse, "query_result": result,
        "sql_statements": [{ "lookup_key": call.server.uuid() }] });
    Ok(Done::succeeded(json!({ "sql_output": { "file_output": output } })))
}

/// The first rows of a statement whose parameters have these values by name.
pub(super) async fn rows(
    session: &dyn SqlEngine,
    sql: &str,
    parameters: &Value,
) -> Result<Value, EngineError> {
    let parameters = parameters.as_object().into_iter().flatten().map(|(name, value)| Parameter {
        name: name.clone(),
        value: Some(as_text(value)),
        type_name: None,
    });
    let query = Query { sql, user: USER_NAME, parameters: parameters.collect(), ..Query::default() };
    let mut stream = session.query(query).await?;
    let (mut rows, mut truncated) = (Vec::new(), false);
    while let Some(batch) = stream.batches.next().await {
        let batch = batch?;
        let room = ROWS_SHOWN - rows.len();
        truncated = batch.num_rows() > room;
        let shown = batch.slice(0, batch.num_rows().min(room));
        let cells = encode(Format::JsonArray, &stream.schema, &[shown], true)?;
        let cells: Vec<Vec<Option<String>>> =
            serde_json::from_slice(&cells).map_err(EngineError::internal)?;
        rows.extend(cells.into_iter().map(|row| {
            let values = row.into_iter().map(|cell| json!({ "string_value": cell }));
            json!({ "values": values.collect::<Vec<_>>() })
        }));
        if truncated {
            break;
        }
    }
    let columns: Vec<_> = stream.columns.iter().map(|column| json!({ "name": column.name })).collect();
    Ok(json!({ "columns": columns, "rows": rows, "truncated": truncated }))
}

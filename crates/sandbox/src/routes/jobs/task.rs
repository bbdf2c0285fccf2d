//! One task: Python, a notebook, SQL, a condition, or another job.

use std::path::Path;

use futures_util::StreamExt;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::{
    pace::LOOK,
    record::{Outcome, Run},
    references::as_text,
    seed,
    settings::{items, kind, text},
};
use crate::{
    call::Call,
    engine::{
        EngineError, Parameter, Query,
        encode::{Format, encode},
    },
    routes::{
        contexts::{
            context::NO_EXEC,
            python::{Interpreter, Reply},
        },
        warehouses,
    },
    tenant::USER_NAME,
};

const TASK: &str = include_str!("task.py");
/// The most bytes of logs and results that are kept.
const OUTPUT_KEPT: usize = 5_000_000;
/// The most rows of a query that are shown.
const ROWS_SHOWN: usize = 1000;

/// What became of a task.
pub(super) struct Done {
    pub(super) outcome: Outcome,
    pub(super) message: String,
    pub(super) output: Value,
    pub(super) values: Value,
}

impl Done {
    pub(super) fn succeeded(output: Value) -> Self {
        Self { outcome: Outcome::Success, message: String::new(), output, values: json!({}) }
    }

    pub(super) fn failed(error: impl Into<String>) -> Self {
        let error = error.into();
        let output = json!({ "error": error, "error_trace": error });
        Self { outcome: Outcome::Failed, message: error, output, values: json!({}) }
    }
}

/// Runs a task whose references have been filled in. `values` are those of the other tasks. Tasks that run a job are not
/// for this.
pub(super) async fn perform(call: &Call, run: &Run, task: &Value, values: Value) -> Done {
    let done = match kind(task) {
        Some("spark_python_task") => python(call, run, &task["spark_python_task"], values).await,
        Some("notebook_task") => notebook(call, run, &task["notebook_task"], values).await,
        Some("sql_task") => sql(call, &task["sql_task"]).await,
        Some("condition_task") => condition(&task["condition_task"]),
        other => Err(format!("{} is not supported by the sandbox", other.unwrap_or("this kind of task"))),
    };
    done.unwrap_or_else(Done::failed)
}

/// The content of a file: one of the workspace's, or one of this machine by its `file:` URL. Those who may run code may
/// read it anyway.
pub(in crate::routes) fn source(call: &Call, path: &str) -> Result<String, String> {
    if let Some(local) = path.strip_prefix("file:") {
        if call.server.options.no_exec {
            return Err(NO_EXEC.to_owned());
        }
        let local = Path::new(local.strip_prefix("//").unwrap_or(local));
        return std::fs::read_to_string(local).map_err(|error| format!("{error}: {}", local.display()));
    }
    seed::file(path).map(str::to_owned).ok_or_else(|| format!("The file {path} does not exist."))
}

async fn python(call: &Call, run: &Run, task: &Value, values: Value) -> Result<Done, String> {
    let path = text(task, "python_file");
    let arguments = match items(&run.request, "python_params") {
        [] => items(task, "parameters"),
        given => given,
    };
    let arguments: Vec<_> = arguments.iter().map(as_text).collect();
    let request = json!({ "name": path, "arguments": arguments, "widgets": {}, "values": values });
    let (done, _) = interpret(call, path, request).await?;
    Ok(done)
}

async fn notebook(call: &Call, run: &Run, task: &Value, values: Value) -> Result<Done, String> {
    let path = text(task, "notebook_path");
    let mut widgets = Map::new();
    let parameters = run.parameters();
    for given in [&task["base_parameters"], &parameters, &run.request["notebook_params"]] {
        for (name, value) in given.as_object().into_iter().flatten() {
            widgets.insert(name.clone(), json!(as_text(value)));
        }
    }
    let request = json!({ "name": path, "arguments": [], "widgets": widgets, "values": values });
    let (mut done, exit) = interpret(call, path, request).await?;
    if done.outcome == Outcome::Success {
        let result = exit.unwrap_or_default();
        let kept = result.chars().take(OUTPUT_KEPT).collect::<String>();
        done.output =
            json!({ "notebook_output": { "truncated": kept.len() < result.len(), "result": kept } });
    }
    Ok(done)
}

/// Runs Python, and returns what the task became and the text that it exited with.
async fn interpret(call: &Call, path: &str, mut request: Value) -> Result<(Done, Option<String>), String> {
    if call.server.options.no_exec {
        return Err(NO_EXEC.to_owned());
    }
    let source = source(call, path)?;
    if let Some(magic) = source.lines().find_map(|line| line.strip_prefix("# MAGIC %")) {
        let word = magic.split_whitespace().next().unwrap_or_default();
        if !matches!(word, "md" | "md-sandbox" | "pip") {
            return Err(format!("%{word} is not supported by the sandbox in notebooks of jobs"));
        }
    }
    request["source"] = json!(source);
    let failed = |error: std::io::Error| error.to_string();
    let directory = call.server.new_directory("task-").map_err(failed)?;
    let folder = directory.path().to_owned();
    std::fs::write(folder.join("task.json"), request.to_string()).map_err(failed)?;
    let mut interpreter = Interpreter::start(directory).await.map_err(failed)?;
    // Canceling drops this future, and with it the process.
    let printed = match interpreter.run("task", TASK, &Notify::new()).await.map_err(failed)? {
        Reply::Text(printed) => printed,
        Reply::Raised { cause, .. } => return Err(cause),
        Reply::Cancelled => return Err("the task was interrupted".to_owned()),
    };
    let result = std::fs::read_to_string(folder.join("result.json")).map_err(failed)?;
    let result: Value = serde_json::from_str(&result).map_err(|error| error.to_string())?;
    let (logs, truncated) = tail(&printed);
    let mut output = json!({ "logs": logs, "logs_truncated": truncated });
    let mut done = match result.get("error").and_then(Value::as_str) {
        None => Done::succeeded(json!({})),
        Some(error) => {
            output["error"] = json!(error);
            output["error_trace"] = result["trace"].clone();
            Done { outcome: Outcome::Failed, ..Done::failed("Workload failed, see run output for details") }
        }
    };
    done.output = output;
    done.values = result["values"].clone();
    Ok((done, result.get("exit").and_then(Value::as_str).map(str::to_owned)))
}

/// The last part of what was printed, and whether that isn't all.
fn tail(printed: &str) -> (&str, bool) {
    let from = printed.len().saturating_sub(OUTPUT_KEPT);
    let from = (from..printed.len()).find(|at| printed.is_char_boundary(*at)).unwrap_or(0);
    (&printed[from..], from > 0)
}

async fn sql(call: &Call, task: &Value) -> Result<Done, String> {
    let warehouse = text(task, "warehouse_id");
    let path = text(&task["file"], "path");
    if path.is_empty() {
        return Err("the sandbox runs sql tasks with a file only".to_owned());
    }
    let statement = source(call, path)?;
    warehouses::wake(call, warehouse).map_err(|_| format!("SQL warehouse {warehouse} does not exist."))?;
    while warehouses::is_running(&call.server, &call.tenant, warehouse) == Some(false) {
        tokio::time::sleep(LOOK).await;
    }
    let parameters = task["parameters"].as_object().into_iter().flatten();
    let parameters = parameters.map(|(name, value)| Parameter {
        name: name.clone(),
        value: Some(as_text(value)),
        type_name: None,
    });
    let query =
        Query { sql: &statement, user: USER_NAME, parameters: parameters.collect(), ..Query::default() };
    let result = rows(call, query).await.map_err(|error| error.message)?;
    let output = json!({ "query_text": statement, "warehouse_id": warehouse, "query_result": result,
        "sql_statements": [{ "lookup_key": call.server.uuid() }] });
    Ok(Done::succeeded(json!({ "sql_output": { "file_output": output } })))
}

async fn rows(call: &Call, query: Query<'_>) -> Result<Value, EngineError> {
    let session = call.tenant.engine().session();
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

/// Equality compares texts, the others compare numbers.
fn condition(task: &Value) -> Result<Done, String> {
    let (left, op, right) = (text(task, "left"), text(task, "op"), text(task, "right"));
    let number = |side: &str| {
        side.trim().parse::<f64>().map_err(|_| format!("{op} compares numbers, and this is none: {side:?}"))
    };
    let holds = match op {
        "EQUAL_TO" => left == right,
        "NOT_EQUAL" => left != right,
        "GREATER_THAN" => number(left)? > number(right)?,
        "GREATER_THAN_OR_EQUAL" => number(left)? >= number(right)?,
        "LESS_THAN" => number(left)? < number(right)?,
        "LESS_THAN_OR_EQUAL" => number(left)? <= number(right)?,
        other => return Err(format!("Unknown operator: {other:?}")),
    };
    Ok(Done::succeeded(json!({ "outcome": holds.to_string() })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_compares_texts_and_order_compares_numbers() {
        let outcome = |left: &str, op: &str, right: &str| {
            let done = condition(&json!({ "left": left, "op": op, "right": right }));
            done.map(|done| done.output["outcome"].as_str().unwrap_or_default().to_owned())
        };
        for (left, op, right, expected) in [
            ("1.0", "EQUAL_TO", "1", "false"),
            ("1.0", "NOT_EQUAL", "1", "true"),
            ("10", "GREATER_THAN", "9", "true"),
            ("1.0", "GREATER_THAN_OR_EQUAL", "1", "true"),
            ("10", "LESS_THAN", "9", "false"),
            ("-1", "LESS_THAN_OR_EQUAL", "-1", "true"),
        ] {
            assert_eq!(outcome(left, op, right).as_deref(), Ok(expected), "{left} {op} {right}");
        }
        assert!(outcome("x", "LESS_THAN", "1").is_err() && outcome("1", "LIKE", "1").is_err());
    }

    #[test]
    fn the_last_megabytes_of_a_log_are_kept_and_no_character_is_cut() {
        assert_eq!(tail("short"), ("short", false));
        let long = format!("x{}", "é".repeat(OUTPUT_KEPT));
        let (kept, truncated) = tail(&long);
        assert!(truncated && kept.len() <= OUTPUT_KEPT && kept.len() > OUTPUT_KEPT - 4);
    }
}

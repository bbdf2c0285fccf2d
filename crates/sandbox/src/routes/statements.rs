//! Statement execution: submit, poll, fetch chunks, cancel.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde_json::value::RawValue;
use serde_json::{Value, json};

pub(crate) mod disk;
pub(crate) mod files;
mod foreign;
pub(crate) mod record;
mod request;
mod run;

use files::ResultFiles;
use record::{Chunk, Outcome, State, Statement, Statements};
use request::Request;

use super::warehouses;
use crate::{
    call::{Answer, Call, Routes, done},
    clock::millis,
    error::ApiError,
    fault::kind::Swap,
};

/// How long every statement takes at least.
pub(super) const DELAY: Duration = Duration::ZERO;

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/2.0/sql/statements", post(execute))
        .route("/api/2.0/sql/statements/", post(execute))
        .route("/api/2.0/sql/statements/{id}", get(get_one))
        .route("/api/2.0/sql/statements/{id}/cancel", post(cancel))
        .route("/api/2.0/sql/statements/{id}/result/chunks/{index}", get(chunk))
        .route("/api/2.0/sql/sessions", post(no_sessions))
        .route("/api/2.0/sql/sessions/{id}", delete(no_sessions))
}

/// The engine keeps nothing from one statement to the next.
async fn no_sessions(_: Call) -> Answer {
    Err(ApiError::new(StatusCode::NOT_IMPLEMENTED, "NOT_IMPLEMENTED", "The sandbox has no SQL sessions."))
}

async fn execute(call: Call) -> Result<Response, ApiError> {
    let request = Request::read(&call.json()?)?;
    warehouses::wake(&call, &request.warehouse_id)?;
    let id = format!("01ef{}", &call.server.uuid()[4..]);
    let files =
        call.server.new_directory("statement-").map_err(|error| ApiError::internal(error.to_string()))?;
    let files = ResultFiles::new(files, call.server.stored.clone());
    let statement = Arc::new(Statement::new(id, request, files));
    let known = call.tenant.state::<Statements>();
    known.add(statement.clone());
    run::spawn(call.server.clone(), call.tenant.clone(), statement.clone());

    let wait = statement.request.wait;
    if wait.is_zero() {
        return full_answer(&call, &statement, State::Pending).await;
    }
    let in_time = ends_in_time(&call, &statement).await;
    if !in_time && statement.request.cancel_on_timeout {
        statement.end(State::Canceled, ended_now(&call));
    }
    let state = statement.show_now();
    full_answer(&call, &statement, state).await
}

/// Waits for the end as long as the request says, by the sandbox's clock.
async fn ends_in_time(call: &Call, statement: &Statement) -> bool {
    let until_ms = call.now_ms().saturating_add(millis(statement.request.wait));
    let mut watch = statement.watch();
    let late = async {
        while call.now_ms() < until_ms {
            tokio::time::sleep(run::LOOK).await;
        }
    };
    tokio::select! {
        biased;
        _ = watch.wait_for(|state| state.is_end()) => true,
        () = late => false,
    }
}

fn ended_now(call: &Call) -> Outcome {
    Outcome { ended_ms: call.now_ms(), ..Outcome::default() }
}

async fn get_one(Path(id): Path<String>, call: Call) -> Result<Response, ApiError> {
    let statement = find(&call, &id)?;
    let state = statement.show();
    full_answer(&call, &statement, state).await
}

async fn cancel(Path(id): Path<String>, call: Call) -> Answer {
    find(&call, &id)?.end(State::Canceled, ended_now(&call));
    done()
}

async fn chunk(Path((id, index)): Path<(String, String)>, call: Call) -> Result<Response, ApiError> {
    let statement = find(&call, &id)?;
    let chunks = match statement.results() {
        Ok(outcome) => outcome.chunks,
        Err(State::Closed) => return Err(unknown(&id)),
        Err(state) => {
            let message = format!("The statement {id} has no result: its state is {}.", state.name());
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message));
        }
    };
    let count = chunks.len();
    match index.parse::<usize>() {
        Ok(index) if index < count => {
            let result = result(&call, &statement, &chunks, index).await?;
            json_answer(&result.ok_or_else(|| unknown(&id))?)
        }
        _ => Err(ApiError::invalid(format!("Invalid chunk index {index}: the result has {count} chunks"))),
    }
}

fn find(call: &Call, id: &str) -> Result<Arc<Statement>, ApiError> {
    call.tenant.state::<Statements>().find(id, call.now_ms()).ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "NOT_FOUND", format!("The statement {id} was not found."))
}

/// What a link leads to: the bytes of a chunk, or of what a fault puts in its place. `None` if there is no such chunk.
pub(crate) async fn stored(statement: &Statement, index: usize, swap: Option<Swap>) -> Option<Vec<u8>> {
    let index = match swap {
        None => index,
        Some(Swap::Chunk(other)) => other,
        Some(Swap::Foreign) => return foreign::chunk(&statement.request).ok(),
    };
    tokio::fs::read(&statement.chunk(index)?.file).await.ok()
}

/// Rows pass through as the stored text: megabytes of cells aren't parsed a second time.
type Fields = Vec<(&'static str, Box<RawValue>)>;

fn raw(value: &Value) -> Result<Box<RawValue>, ApiError> {
    serde_json::value::to_raw_value(value).map_err(|error| ApiError::internal(error.to_string()))
}

fn json_answer(fields: &Fields) -> Result<Response, ApiError> {
    Ok(([(header::CONTENT_TYPE, "application/json")], object(fields)).into_response())
}

fn object(fields: &Fields) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

async fn full_answer(call: &Call, statement: &Statement, state: State) -> Result<Response, ApiError> {
    let (state, more) = match state {
        State::Succeeded => match results(call, statement).await? {
            Some(results) => (state, results),
            // It has been closed since the state was read.
            None => (State::Closed, Fields::new()),
        },
        _ => (state, Fields::new()),
    };
    let mut fields: Fields =
        vec![("statement_id", raw(&json!(statement.id))?), ("status", raw(&statement.status(state))?)];
    fields.extend(more);
    json_answer(&fields)
}

/// The manifest and the first chunk; `None` if they are no longer there.
async fn results(call: &Call, statement: &Statement) -> Result<Option<Fields>, ApiError> {
    let Ok(outcome) = statement.results() else { return Ok(None) };
    let first = match outcome.chunks.is_empty() {
        true => Some(Fields::new()),
        false => result(call, statement, &outcome.chunks, 0).await?,
    };
    let Some(first) = first else { return Ok(None) };
    let first =
        RawValue::from_string(object(&first)).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(Some(vec![("manifest", raw(&manifest(statement, &outcome))?), ("result", first)]))
}

fn manifest(statement: &Statement, outcome: &Outcome) -> Value {
    let columns = outcome.columns.iter().enumerate().map(|(position, column)| {
        let mut shown = json!({
            "name": column.name,
            "type_text": column.type_text,
            "type_name": column.type_name,
            "position": position,
        });
        if let (Some(precision), Some(scale)) = (column.precision, column.scale) {
            shown["type_precision"] = json!(precision);
            shown["type_scale"] = json!(scale);
        }
        shown
    });
    let columns: Vec<Value> = columns.collect();
    let chunks: Vec<Value> =
        (0..).zip(&outcome.chunks).map(|(index, chunk)| extent(index, chunk, true)).collect();
    let mut manifest = json!({
        "format": statement.request.format_name(),
        "schema": { "column_count": columns.len(), "columns": columns },
        "total_chunk_count": chunks.len(),
        "total_row_count": outcome.chunks.iter().map(|chunk| chunk.row_count).sum::<u64>(),
        "total_byte_count": outcome.chunks.iter().map(|chunk| chunk.byte_count).sum::<u64>(),
        "truncated": outcome.truncated,
    });
    if !chunks.is_empty() {
        manifest["chunks"] = json!(chunks);
    }
    if statement.request.lz4 {
        manifest["result_compression"] = json!("LZ4_FRAME");
    }
    manifest
}

fn extent(index: usize, chunk: &Chunk, with_bytes: bool) -> Value {
    let mut extent =
        json!({ "chunk_index": index, "row_offset": chunk.row_offset, "row_count": chunk.row_count });
    if with_bytes {
        extent["byte_count"] = json!(chunk.byte_count);
    }
    extent
}

/// A chunk: its rows, or the link to them, and where the next one is. `None` if its file is no longer there.
async fn result(
    call: &Call,
    statement: &Statement,
    chunks: &[Chunk],
    index: usize,
) -> Result<Option<Fields>, ApiError> {
    let Some(chunk) = chunks.get(index) else { return Ok(None) };
    let external = statement.request.external;
    let mut extent = extent(index, chunk, external);
    if let Some(next) = chunks.get(index + 1) {
        let path = format!("/api/2.0/sql/statements/{}/result/chunks/{}", statement.id, index + 1);
        extent["next_chunk_index"] = json!(index + 1);
        extent["next_chunk_internal_link"] = json!(format!("{path}?row_offset={}", next.row_offset));
    }
    if external {
        let file_name = format!("{}/{index}", statement.id);
        let link = call.server.links.link(&file_name, call.now_ms(), &call.server.options);
        if let (Value::Object(extent), Value::Object(link)) = (&mut extent, link) {
            extent.extend(link);
        }
        return Ok(Some(vec![("external_links", raw(&json!([extent]))?)]));
    }
    let Ok(rows) = tokio::fs::read_to_string(&chunk.file).await else { return Ok(None) };
    let rows = RawValue::from_string(rows).map_err(|error| ApiError::internal(error.to_string()))?;
    let mut fields = Fields::new();
    for name in ["chunk_index", "row_offset", "row_count", "next_chunk_index", "next_chunk_internal_link"] {
        if let Some(value) = extent.get(name) {
            fields.push((name, raw(value)?));
        }
    }
    fields.push(("data_array", rows));
    Ok(Some(fields))
}

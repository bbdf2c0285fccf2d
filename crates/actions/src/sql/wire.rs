//! The requests and answers of the statement API. Rows stay the bytes that arrived until they are decoded.

use brickwire_client::{Answer, integer, operations, types};
use brickwire_wire::{Call, json};
use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{Error, ErrorKind, Result, Workspace, results::ChunkAnswer};

/// The current state of a statement.
#[derive(Debug)]
pub(super) struct StatementAnswer {
    pub(super) statement_id: Option<String>,
    pub(super) status: types::StatementStatus,
    /// There once the statement has ended, unless it returns nothing.
    pub(super) manifest: Option<types::ResultManifest>,
    pub(super) chunk: Option<ChunkAnswer>,
    pub(super) raw: Bytes,
}

#[derive(Deserialize)]
struct Statement<'a> {
    statement_id: Option<String>,
    status: Option<types::StatementStatus>,
    manifest: Option<types::ResultManifest>,
    #[serde(borrow)]
    result: Option<Chunk<'a>>,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(default, deserialize_with = "integer::optional")]
    chunk_index: Option<i64>,
    #[serde(default, deserialize_with = "integer::optional")]
    row_count: Option<i64>,
    #[serde(default, deserialize_with = "integer::optional")]
    row_offset: Option<i64>,
    #[serde(default, deserialize_with = "integer::optional")]
    next_chunk_index: Option<i64>,
    #[serde(default, deserialize_with = "json::list")]
    external_links: Option<Vec<types::ExternalLink>>,
    #[serde(borrow)]
    data_array: Option<&'a RawValue>,
}

/// What is tried, and given up again if the service refuses it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Formats {
    /// Compressed record batches.
    pub(super) lz4: bool,
    /// JSON loses nothing compared with Arrow.
    pub(super) or_json: bool,
}

/// Submits a statement. `lz4` asks for compressed record batches with the field that Databricks' own drivers send. The
/// public API doesn't describe it, so a submission that is refused because of it is sent again without: a refused
/// statement has not run. So is one whose format is refused, if `or_json` says that JSON is as good: emulators of the
/// API may not have Arrow.
pub(super) async fn execute(
    workspace: &Workspace,
    request: &types::ExecuteStatementRequest,
    formats: Formats,
) -> Result<StatementAnswer> {
    let mut plain = serde_json::to_value(request)
        .map_err(|e| Error::usage("cannot encode the statement").with_source(e))?;
    match submit_in_format(workspace, request, &plain, formats.lz4).await {
        Err(e) if formats.or_json && refuses(&e, &["ARROW", "FORMAT"]) => {
            plain["format"] = types::StatementFormat::JsonArray.as_str().into();
            submit(workspace, &plain).await
        }
        answer => answer,
    }
}

async fn submit_in_format(
    workspace: &Workspace,
    request: &types::ExecuteStatementRequest,
    plain: &Value,
    lz4: bool,
) -> Result<StatementAnswer> {
    if lz4 && request.format == Some(types::StatementFormat::ArrowStream) {
        let mut compressed = plain.clone();
        compressed["result_compression"] = "LZ4_FRAME".into();
        match submit(workspace, &compressed).await {
            Err(e) if refuses(&e, &["RESULT_COMPRESSION"]) => {}
            answer => return answer,
        }
    }
    submit(workspace, plain).await
}

/// Whether a submission was refused with a message that has one of these words. There is no code that says so.
fn refuses(error: &Error, words: &[&str]) -> bool {
    let text = error.to_string().to_ascii_uppercase();
    let has_word = words.iter().any(|word| text.contains(word));
    error.status() == Some(400) && error.kind() == ErrorKind::Rejected && has_word
}

/// The call that submits a statement. A read-only workspace sends it for a statement that only reads. This is decided here,
/// where the call is let through, so that no other code can forget it.
///
/// # Errors
/// As for [`Statement::check_reads`](crate::Statement::check_reads) if the workspace is read-only.
pub(super) fn submission(workspace: &Workspace, statement: &str) -> Result<Call> {
    let call = workspace.client().call(&operations::STATEMENTS_EXECUTE);
    if !workspace.is_read_only() {
        return Ok(call);
    }
    super::guard::check_reads(statement)?;
    Ok(call.with_reads(true))
}

async fn submit(workspace: &Workspace, body: &Value) -> Result<StatementAnswer> {
    let call = submission(workspace, body["statement"].as_str().unwrap_or_default())?.json(body);
    let answer = call.with_any_shape().send_raw().await?;
    // The statement was accepted, and may run.
    statement(answer).map_err(|error| error.into_unknown_outcome(operations::STATEMENTS_EXECUTE.operation_id))
}

pub(super) async fn get(workspace: &Workspace, statement_id: &str) -> Result<StatementAnswer> {
    let call = workspace.client().call(&operations::STATEMENTS_GET).path("statement_id", &statement_id);
    statement(call.with_any_shape().send_raw().await?)
}

pub(super) async fn chunk(workspace: &Workspace, statement_id: &str, index: u64) -> Result<ChunkAnswer> {
    let call = workspace.client().call(&operations::STATEMENTS_GET_RESULT_CHUNK);
    let answer = call
        .path("statement_id", &statement_id)
        .path("chunk_index", &index)
        .with_any_shape()
        .send_raw()
        .await?;
    let chunk: Chunk<'_> = json::decode(&answer.body).map_err(|error| answer.blame(error))?;
    Ok(chunk.keep(&answer.headers, &answer.body))
}

fn statement(answer: Answer) -> Result<StatementAnswer> {
    let decoded = json::decode(&answer.body).map_err(|error| answer.blame(error))?;
    let Statement { statement_id, status, manifest, result } = decoded;
    Ok(StatementAnswer {
        statement_id: statement_id.filter(|id| !id.is_empty()),
        status: status.unwrap_or_default(),
        manifest,
        chunk: result.map(|chunk| chunk.keep(&answer.headers, &answer.body)),
        raw: answer.body.clone(),
    })
}

impl Chunk<'_> {
    fn keep(self, headers: &HeaderMap, raw: &Bytes) -> ChunkAnswer {
        let links = self.external_links.unwrap_or_default();
        let next_in_links = links.iter().filter_map(|l| l.next_chunk_index).max();
        ChunkAnswer {
            index: self.chunk_index,
            rows: self.row_count,
            row_offset: self.row_offset,
            next_index: self.next_chunk_index.or(next_in_links),
            links,
            inline: self.data_array.map(|rows| raw.slice_ref(rows.get().as_bytes())),
            headers: headers.clone(),
        }
    }
}

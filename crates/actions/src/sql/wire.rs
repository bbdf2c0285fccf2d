//! The statement API's requests and answers. Rows stay the bytes that they came as until someone wants them.

use std::fmt;

use brickwire_client::{OperationInfo, Response, operations, types};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use reqwest::{Method, Request, Url};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use crate::{Error, ErrorKind, Result, Workspace};

/// A statement as of now.
#[derive(Debug)]
pub(super) struct StatementAnswer {
    pub(super) statement_id: Option<String>,
    pub(super) status: types::StatementStatus,
    pub(super) manifest: types::ResultManifest,
    pub(super) chunk: Option<ChunkAnswer>,
    pub(super) raw: Bytes,
}

/// A chunk's rows, or links to them.
pub(super) struct ChunkAnswer {
    pub(super) index: Option<i64>,
    pub(super) rows: Option<i64>,
    pub(super) next_index: Option<i64>,
    pub(super) links: Vec<types::ExternalLink>,
    /// A JSON array of rows.
    pub(super) inline: Option<Bytes>,
    pub(super) headers: HeaderMap,
}

impl fmt::Debug for ChunkAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkAnswer")
            .field("index", &self.index)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
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
    #[serde(default, deserialize_with = "integer")]
    chunk_index: Option<i64>,
    #[serde(default, deserialize_with = "integer")]
    row_count: Option<i64>,
    #[serde(default, deserialize_with = "integer")]
    next_chunk_index: Option<i64>,
    external_links: Option<Vec<types::ExternalLink>>,
    #[serde(borrow)]
    data_array: Option<&'a RawValue>,
}

/// A number, or its text.
fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    })
}

/// Submits a statement. `lz4` packs record batches: `LZ4_FRAME` is asked for the way Databricks' own drivers do; the
/// API description has no word of it, so a service that refuses it is asked again without: a refused statement has not
/// run.
pub(super) async fn execute(
    workspace: &Workspace,
    request: &types::ExecuteStatementRequest,
    lz4: bool,
) -> Result<StatementAnswer> {
    let plain = serde_json::to_value(request)
        .map_err(|e| Error::usage("the statement can't be sent").with_source(e))?;
    if lz4 && request.format == Some(types::StatementFormat::ArrowStream) {
        let mut packed = plain.clone();
        packed["result_compression"] = "LZ4_FRAME".into();
        match submit(workspace, &packed).await {
            Err(e) if e.status() == Some(400) && refuses_compression(&e) => {}
            answer => return answer,
        }
    }
    submit(workspace, &plain).await
}

fn refuses_compression(error: &Error) -> bool {
    error.kind() == ErrorKind::Rejected && error.to_string().contains("result_compression")
}

async fn submit(workspace: &Workspace, body: &Value) -> Result<StatementAnswer> {
    let mut request = request(workspace, &operations::STATEMENTS_EXECUTE, &[])?;
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *request.body_mut() = Some(body.to_string().into());
    statement(send(workspace, request, &operations::STATEMENTS_EXECUTE).await?)
}

pub(super) async fn get(workspace: &Workspace, statement_id: &str) -> Result<StatementAnswer> {
    let operation = &operations::STATEMENTS_GET;
    let request = request(workspace, operation, &[("statement_id", statement_id)])?;
    statement(send(workspace, request, operation).await?)
}

pub(super) async fn chunk(workspace: &Workspace, statement_id: &str, index: u64) -> Result<ChunkAnswer> {
    let operation = &operations::STATEMENTS_GET_RESULT_CHUNK;
    let index = index.to_string();
    let request = request(workspace, operation, &[("statement_id", statement_id), ("chunk_index", &index)])?;
    let (headers, raw) = send(workspace, request, operation).await?;
    let chunk: Option<Chunk<'_>> = decode(&raw)?;
    chunk.map(|chunk| chunk.keep(&headers, &raw)).ok_or_else(|| undecodable(None))
}

fn request(workspace: &Workspace, operation: &OperationInfo, parameters: &[(&str, &str)]) -> Result<Request> {
    let mut path = operation.path.to_owned();
    for (name, value) in parameters {
        // Ids are UUIDs; anything that could lead elsewhere is none.
        if value.is_empty() || !value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Err(Error::usage(format!("not a statement's id: {value:?}")));
        }
        path = path.replace(&format!("{{{name}}}"), value);
    }
    let url = Url::parse(&format!("{}{path}", workspace.client().base_url()))
        .map_err(|e| Error::configuration("the host is not an address").with_source(e))?;
    let method = if operation.method == "POST" { Method::POST } else { Method::GET };
    Ok(Request::new(method, url))
}

async fn send(
    workspace: &Workspace,
    request: Request,
    operation: &OperationInfo,
) -> Result<(HeaderMap, Bytes)> {
    let Response { headers, body, .. } = workspace.client().transport().send(request, operation).await?;
    Ok((headers, body.read().await?))
}

fn statement((headers, raw): (HeaderMap, Bytes)) -> Result<StatementAnswer> {
    let Statement { statement_id, status, manifest, result } = decode(&raw)?;
    Ok(StatementAnswer {
        statement_id: statement_id.filter(|id| !id.is_empty()),
        status: status.unwrap_or_default(),
        manifest: manifest.unwrap_or_default(),
        chunk: result.map(|chunk| chunk.keep(&headers, &raw)),
        raw,
    })
}

impl Chunk<'_> {
    fn keep(self, headers: &HeaderMap, raw: &Bytes) -> ChunkAnswer {
        let links = self.external_links.unwrap_or_default();
        let next_in_links = links.iter().filter_map(|l| l.next_chunk_index).max();
        ChunkAnswer {
            index: self.chunk_index,
            rows: self.row_count,
            next_index: self.next_chunk_index.or(next_in_links),
            links,
            inline: self.data_array.map(|rows| raw.slice_ref(rows.get().as_bytes())),
            headers: headers.clone(),
        }
    }
}

fn decode<'a, T: Deserialize<'a>>(raw: &'a [u8]) -> Result<T> {
    serde_json::from_slice(raw).map_err(|e| undecodable(Some(e)))
}

/// serde's message may quote what it found, which may be a link.
fn undecodable(error: Option<serde_json::Error>) -> Error {
    let place = error.map(|e| format!(" at line {}, column {}", e.line(), e.column())).unwrap_or_default();
    Error::new(ErrorKind::UnexpectedResponse, format!("cannot decode the answer of the statement API{place}"))
}

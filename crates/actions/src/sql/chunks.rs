//! A result's rows: chunk after chunk in order, inline or by presigned links, counted against the manifest.
//!
//! Links are secrets: they are fetched with a bare client, with the headers that came with them and no others, and are
//! never logged. One that no longer works is asked for again by the chunk's index.

use brickwire_client::types;
use bytes::Bytes;
use reqwest::Url;

use crate::{
    Error, ErrorKind, Event, Result, RetryPolicy, Workspace,
    error::ErrorBody,
    host::is_loopback,
    retry::{Decision, Failure, Situation, decide},
    transport::unreachable,
};

/// One row: the cells as text, NULL as `None`.
pub type Row = Vec<Option<String>>;

/// The result of a statement that succeeded.
#[derive(Debug)]
pub struct StatementResult {
    workspace: Workspace,
    statement_id: String,
    manifest: types::ResultManifest,
    raw: Bytes,
    first: Option<types::ResultData>,
    next_index: i64,
    rows_seen: i64,
}

impl StatementResult {
    pub(super) fn new(
        workspace: Workspace,
        statement_id: String,
        response: brickwire_client::ResponseValue<types::StatementResponse>,
    ) -> Self {
        let raw = response.raw().clone();
        let response = response.into_inner();
        Self {
            workspace,
            statement_id,
            manifest: response.manifest.unwrap_or_default(),
            raw,
            first: response.result,
            next_index: 0,
            rows_seen: 0,
        }
    }

    /// The statement's id.
    pub fn statement_id(&self) -> &str {
        &self.statement_id
    }

    /// What the service says of the result: schema, chunks, counts.
    pub fn manifest(&self) -> &types::ResultManifest {
        &self.manifest
    }

    /// The last answer of the service as it came: status, manifest and first chunk.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The columns in order.
    pub fn columns(&self) -> &[types::StatementColumnInfo] {
        self.manifest.schema.as_ref().and_then(|s| s.columns.as_deref()).unwrap_or_default()
    }

    /// Whether rows were cut off by a limit.
    pub fn is_truncated(&self) -> bool {
        self.manifest.truncated.unwrap_or_default()
    }

    /// All rows of all chunks, in order. Holds the whole result in memory; see [`next_chunk`](Self::next_chunk).
    ///
    /// # Errors
    /// As for [`next_chunk`](Self::next_chunk).
    pub async fn rows(mut self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        while let Some(chunk) = self.next_chunk().await? {
            rows.extend(chunk);
        }
        Ok(rows)
    }

    /// The rows of the next chunk; `None` after the last. Memory is bounded by one chunk.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`] if rows are missing at the end. Operation: `statements_get_result_chunk`.
    pub async fn next_chunk(&mut self) -> Result<Option<Vec<Row>>> {
        let index = self.next_index;
        if index > 0 && index >= self.chunk_count() {
            return self.end();
        }
        let data = match self.first.take() {
            Some(first) if index == 0 => first,
            None if index == 0 && self.chunk_count() == 0 => return self.end(),
            _ => self.resolve(index).await?,
        };
        let rows =
            match data.external_links.as_ref().and_then(|links| links.iter().find(|l| is_chunk(l, index))) {
                Some(link) => self.fetch(index, link.clone()).await?,
                None => data.data_array.unwrap_or_default(),
            };
        self.next_index += 1;
        self.rows_seen += rows.len() as i64;
        let (seen, total) = (self.rows_seen, self.manifest.total_row_count);
        self.workspace.events().emit(|| Event::ChunkFetched {
            statement_id: self.statement_id.clone(),
            rows: seen.unsigned_abs(),
            total_rows: total.map(i64::unsigned_abs),
        });
        Ok(Some(rows))
    }

    fn chunk_count(&self) -> i64 {
        let listed = self.manifest.chunks.as_ref().map(|c| c.len() as i64);
        self.manifest.total_chunk_count.or(listed).unwrap_or_default()
    }

    fn end(&self) -> Result<Option<Vec<Row>>> {
        match self.manifest.total_row_count {
            Some(total) if total != self.rows_seen => Err(self.broken(format!(
                "the result is incomplete: {} of {total} rows came in {} chunks",
                self.rows_seen, self.next_index
            ))),
            _ => Ok(None),
        }
    }

    async fn resolve(&self, index: i64) -> Result<types::ResultData> {
        let client = self.workspace.client();
        Ok(client.statements_get_result_chunk(&self.statement_id, index).await?.into_inner())
    }

    /// Downloads one chunk; whatever goes wrong in passing is tried again, a link that is refused is renewed.
    async fn fetch(&self, index: i64, mut link: types::ExternalLink) -> Result<Vec<Row>> {
        let begun = tokio::time::Instant::now();
        let mut attempts = 0;
        let mut renewals = 0;
        loop {
            attempts += 1;
            let (ending, error) = match self.download(&link).await {
                Ok(Ok(body)) => {
                    return serde_json::from_slice::<Option<Vec<Row>>>(&body)
                        .map(Option::unwrap_or_default)
                        .map_err(|e| {
                            self.broken(format!("chunk {index} is not what it should be")).with_source(e)
                        });
                }
                Ok(Err(refused)) if refused.status.is_client_error() && renewals < 3 => {
                    renewals += 1;
                    let data = self.resolve(index).await?;
                    let mut links = data.external_links.unwrap_or_default().into_iter();
                    link = links
                        .find(|l| is_chunk(l, index))
                        .ok_or_else(|| self.broken(format!("chunk {index} has no link any more")))?;
                    continue;
                }
                Ok(Err(refused)) => {
                    let text = format!("storage refused chunk {index} (HTTP {})", refused.status.as_u16());
                    (Some(refused), Error::new(ErrorKind::Unavailable, text))
                }
                Err(error) => (None, error),
            };
            let failure = ending.as_ref().map_or(Failure::Lost, Failure::Answer);
            let now =
                Situation { attempts, elapsed: begun.elapsed(), repeatable: true, jitter: fastrand::f64() };
            match decide(&RetryPolicy::default(), &failure, now) {
                Decision::Retry(after) => {
                    self.workspace.events().emit(|| Event::Retrying {
                        operation: "storage download".to_owned(),
                        attempts,
                        reason: error.to_string(),
                        after,
                    });
                    tokio::time::sleep(after).await;
                }
                _ => return Err(error.with_details(|d| d.statement_id = Some(self.statement_id.clone()))),
            }
        }
    }

    async fn download(&self, link: &types::ExternalLink) -> Result<Result<Bytes, ErrorBody>> {
        let text = link.external_link.as_deref().unwrap_or_default();
        let url =
            Url::parse(text).map_err(|_| self.broken("a link of the result is not an address".to_owned()))?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(self.broken("a link of the result is not https".to_owned()));
        }
        let mut request = self.workspace.storage()?.get(url.clone());
        for (name, value) in link.http_headers.iter().flatten() {
            request = request.header(name, value);
        }
        let origin = Url::parse(&url.origin().ascii_serialization()).unwrap_or(url);
        let lost = |e| unreachable(&origin, e, 1);
        let response = request.send().await.map_err(lost)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(lost)?;
        Ok(if status.is_success() { Ok(body) } else { Err(ErrorBody::read(status, &headers, &body)) })
    }

    fn broken(&self, message: String) -> Error {
        Error::new(ErrorKind::UnexpectedResponse, message)
            .with_details(|d| d.statement_id = Some(self.statement_id.clone()))
    }
}

/// A link without an index is the chunk that was asked for.
fn is_chunk(link: &types::ExternalLink, index: i64) -> bool {
    link.chunk_index.is_none_or(|i| i == index)
}

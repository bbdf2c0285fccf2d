//! The result of a statement: what the service says of it, and its rows, fetched as they are asked for.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use brickwire_client::types::{ResultManifest, StatementColumnInfo, StatementFormat};
use bytes::Bytes;
use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::{
    reader::{Fetch, FetchOptions, Source},
    rows::{Row, Rows, RowsDecoder},
};
use crate::{
    Error, Result, Workspace,
    sql::{
        execution::CancelOnDrop,
        wire::{ChunkAnswer, StatementAnswer},
    },
};

/// The result of a statement that succeeded.
///
/// Its rows come with [`next_chunk`](Self::next_chunk), [`rows`](Self::rows) or [`into_stream`](Self::into_stream), or
/// with the feature `arrow` as record batches. Chunks are downloaded ahead, many at a time; dropping this while some are
/// on their way ends the downloads and cancels the statement.
pub struct StatementResult {
    pub(super) about: About,
    first: Option<ChunkAnswer>,
    state: State,
}

/// What is known of a result before its rows.
pub(super) struct About {
    workspace: Workspace,
    statement_id: String,
    pub(super) manifest: ResultManifest,
    raw: Bytes,
    options: FetchOptions,
    /// Cancels the statement if dropped; not there for a statement of someone else.
    guard: Option<CancelOnDrop>,
}

enum State {
    Waiting,
    Reading(Fetch<RowsDecoder>),
}

impl fmt::Debug for StatementResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatementResult")
            .field("statement_id", &self.about.statement_id)
            .field("manifest", &self.about.manifest)
            .finish_non_exhaustive()
    }
}

impl About {
    /// What the chunks of this result have in common.
    pub(super) fn source(&self, first: Option<&ChunkAnswer>) -> Result<Source> {
        Source::new(&self.workspace, &self.statement_id, &self.manifest, first, self.options)
            .map_err(|e| e.with_details(|d| d.statement_id = Some(self.statement_id.clone())))
    }

    /// From now on the statement is cancelled if its rows aren't all read.
    pub(super) fn begin(&mut self) {
        if let Some(guard) = &mut self.guard {
            guard.arm();
        }
    }

    pub(super) fn end(&mut self) {
        if let Some(guard) = &mut self.guard {
            guard.disarm();
        }
    }

    pub(super) fn statement_id(&self) -> &str {
        &self.statement_id
    }

    pub(super) fn columns(&self) -> &[StatementColumnInfo] {
        self.manifest.schema.as_ref().and_then(|s| s.columns.as_deref()).unwrap_or_default()
    }

    pub(super) fn is_truncated(&self) -> bool {
        self.manifest.truncated.unwrap_or_default()
    }
}

impl StatementResult {
    pub(crate) fn new(
        workspace: Workspace,
        statement_id: String,
        answer: StatementAnswer,
        guard: Option<CancelOnDrop>,
    ) -> Self {
        let StatementAnswer { manifest, raw, chunk, .. } = answer;
        let options = FetchOptions::default();
        Self {
            about: About { workspace, statement_id, manifest, raw, options, guard },
            first: chunk,
            state: State::Waiting,
        }
    }

    /// How the rest of the rows is fetched; to be set before the first is.
    pub fn with_fetch(mut self, options: FetchOptions) -> Self {
        self.about.options = options;
        self
    }

    /// The statement's id.
    pub fn statement_id(&self) -> &str {
        self.about.statement_id()
    }

    /// What the service says of the result: schema, chunks, counts.
    pub fn manifest(&self) -> &ResultManifest {
        &self.about.manifest
    }

    /// The last answer of the service as it came: status, manifest and first chunk. It may hold presigned links, which
    /// are secrets.
    pub fn raw(&self) -> &Bytes {
        &self.about.raw
    }

    /// The columns in order.
    pub fn columns(&self) -> &[StatementColumnInfo] {
        self.about.columns()
    }

    /// Whether rows were cut off by a limit.
    pub fn is_truncated(&self) -> bool {
        self.about.is_truncated()
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

    /// All rows as structs, maps or tuples; see [`Row::deserialize`]. Holds the whole result in memory.
    ///
    /// # Errors
    /// As for [`next_chunk`](Self::next_chunk) and [`Row::deserialize`].
    pub async fn deserialize<T: DeserializeOwned>(mut self) -> Result<Vec<T>> {
        let mut values = Vec::new();
        while let Some(rows) = self.next_chunk().await? {
            values.extend(rows.deserialize::<T>()?);
        }
        Ok(values)
    }

    /// The next rows, some thousands at a time; `None` after the last. Memory is bounded by
    /// [`FetchOptions::with_memory`], whatever the size of the result.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if a chunk is missing, damaged, or has
    /// other rows than announced; [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) if it can't be downloaded;
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the result is not in the format `JSON_ARRAY`. After an error
    /// there are no more rows. Operation: `statements_get_result_chunk`.
    pub async fn next_chunk(&mut self) -> Result<Option<Rows>> {
        std::future::poll_fn(|context| self.poll_rows(context)).await.transpose()
    }

    fn poll_rows(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Rows>>> {
        let fetch = match &mut self.state {
            State::Reading(fetch) => fetch,
            State::Waiting => match self.start() {
                Ok(fetch) => {
                    self.about.begin();
                    self.state = State::Reading(fetch);
                    return self.poll_rows(context);
                }
                Err(error) => return Poll::Ready(Some(Err(error))),
            },
        };
        let next = ready!(fetch.poll_next(context));
        if fetch.is_ended() {
            self.about.end();
        }
        Poll::Ready(next)
    }

    fn start(&mut self) -> Result<Fetch<RowsDecoder>> {
        if let Some(format) =
            self.about.manifest.format.as_ref().filter(|f| **f != StatementFormat::JsonArray)
        {
            return Err(Error::usage(format!(
                "the rows of this result are in the format {format}, not JSON_ARRAY"
            ))
            .with_hint("read them as record batches, or run the statement again without a format"));
        }
        let source = self.about.source(self.first.as_ref())?;
        let columns: Arc<[StatementColumnInfo]> = self.columns().into();
        Ok(Fetch::start(source, self.first.take(), move || RowsDecoder::new(columns.clone())))
    }

    /// The rows one by one.
    pub fn into_stream(self) -> RowStream {
        RowStream { result: self, rows: None }
    }

    #[cfg(feature = "arrow")]
    pub(super) fn into_parts(self) -> (About, Option<ChunkAnswer>) {
        (self.about, self.first)
    }
}

/// A result's rows one by one, in order. After an error there are no more.
#[derive(Debug)]
#[must_use = "a stream does nothing unless it is polled"]
pub struct RowStream {
    result: StatementResult,
    rows: Option<super::rows::RowsIter>,
}

impl RowStream {
    /// The result the rows are of.
    pub fn result(&self) -> &StatementResult {
        &self.result
    }
}

impl Stream for RowStream {
    type Item = Result<Row>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Row>>> {
        let this = self.get_mut();
        loop {
            if let Some(row) = this.rows.as_mut().and_then(Iterator::next) {
                return Poll::Ready(Some(Ok(row)));
            }
            match ready!(this.result.poll_rows(context)) {
                Some(Ok(rows)) => this.rows = Some(rows.into_iter()),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

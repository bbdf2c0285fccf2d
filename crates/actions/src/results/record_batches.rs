//! Results as Arrow record batches, which look into the downloaded bytes: nothing is copied where it can be helped.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::{ArrowError, SchemaRef};
use brickwire_client::types::{ResultManifest, StatementColumnInfo, StatementFormat};
use bytes::Bytes;
use futures_core::Stream;

use super::{
    buffer_pool::Pooled,
    pipeline::Decode,
    reader::{Fetch, Source, broken},
    statement_result::{About, StatementResult},
};
use crate::{Error, Result, sql::wire::ChunkAnswer};

/// A result's rows as record batches, in order. After an error there are no more.
///
/// Made by [`Statement::execute_arrow`](crate::Statement::execute_arrow). Chunks are downloaded ahead, many at a time;
/// dropping this while some are on their way ends the downloads and cancels the statement. A batch keeps some megabytes
/// around it in memory: copy what is to be kept for long.
#[must_use = "a stream does nothing unless it is polled"]
pub struct RecordBatches {
    about: About,
    state: State,
    schema: Option<SchemaRef>,
}

enum State {
    Waiting(Option<Box<(Source, Option<ChunkAnswer>)>>),
    Reading(Fetch<BatchDecoder>),
}

impl fmt::Debug for RecordBatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordBatches")
            .field("statement_id", &self.about.statement_id())
            .finish_non_exhaustive()
    }
}

impl StatementResult {
    /// The rows as record batches, of a statement that was submitted with the format `ARROW_STREAM`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the result is in another format.
    pub fn into_batches(self) -> Result<RecordBatches> {
        match self.manifest().format.as_ref() {
            Some(StatementFormat::ArrowStream) | None => {}
            Some(other) => {
                return Err(Error::usage(format!(
                    "the rows of this result are in the format {other}, not ARROW_STREAM"
                ))
                .with_hint("run the statement again with `execute_arrow`"));
            }
        }
        let (about, first) = self.into_parts();
        let source = about.source(first.as_ref())?;
        Ok(RecordBatches { about, state: State::Waiting(Some(Box::new((source, first)))), schema: None })
    }
}

impl RecordBatches {
    /// The statement's id.
    pub fn statement_id(&self) -> &str {
        self.about.statement_id()
    }

    /// What the service says of the result: schema, chunks, counts.
    pub fn manifest(&self) -> &ResultManifest {
        &self.about.manifest
    }

    /// The columns in order, with their SQL types.
    pub fn columns(&self) -> &[StatementColumnInfo] {
        self.about.columns()
    }

    /// Whether rows were cut off by a limit.
    pub fn is_truncated(&self) -> bool {
        self.about.is_truncated()
    }

    /// The Arrow schema, once the first batch came. A result without rows has none.
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    /// The next batch; `None` after the last.
    ///
    /// # Errors
    /// As for [`StatementResult::next_chunk`].
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        std::future::poll_fn(|context| self.poll_batch(context)).await.transpose()
    }

    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<RecordBatch>>> {
        let fetch = match &mut self.state {
            State::Reading(fetch) => fetch,
            State::Waiting(known) => {
                let Some(known) = known.take() else { return Poll::Ready(None) };
                let (source, first) = *known;
                self.about.begin();
                self.state = State::Reading(Fetch::start(source, first, BatchDecoder::default));
                return self.poll_batch(context);
            }
        };
        let next = ready!(fetch.poll_next(context));
        if fetch.is_ended() {
            self.about.end();
        }
        if let (None, Some(Ok(batch))) = (&self.schema, &next) {
            self.schema = Some(batch.schema());
        }
        Poll::Ready(next)
    }
}

impl Stream for RecordBatches {
    type Item = Result<RecordBatch>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<RecordBatch>>> {
        self.get_mut().poll_batch(context)
    }
}

/// One chunk: an Arrow stream of its own.
#[derive(Debug, Default)]
struct BatchDecoder(StreamDecoder);

fn malformed(error: ArrowError) -> Error {
    broken("the rows are not the Arrow stream they should be".to_owned()).with_source(error)
}

impl Decode for BatchDecoder {
    type Item = RecordBatch;

    fn take(&mut self, bytes: Pooled, items: &mut Vec<(RecordBatch, u64)>) -> Result<()> {
        let mut buffer = Buffer::from(Bytes::from_owner(bytes));
        while let Some(batch) = self.0.decode(&mut buffer).map_err(malformed)? {
            let rows = batch.num_rows() as u64;
            items.push((batch, rows));
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.0.finish().map_err(malformed)
    }
}

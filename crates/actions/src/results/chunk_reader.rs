//! The reader's end: receives the rows of all chunks in order, and checks that none are missing.

use std::{
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

#[cfg(feature = "arrow")]
use super::schema::CommonSchema;
use super::{
    chunks::Chunks,
    decode::ChunkDecoder,
    decode_job::ChunkMessage,
    pipeline::{ChunkReceiver, Pipeline},
    scheduler::Scheduler,
    source::ChunkAnswer,
    task::Task,
};
use crate::{Error, Event, Result};

/// Reads a result. Dropping it ends all downloads and requests.
pub(super) struct ChunkReader<D: ChunkDecoder> {
    chunks: Arc<Chunks>,
    pipeline: Arc<Pipeline<D>>,
    /// A receiver for each chunk, in order.
    receivers: UnboundedReceiver<ChunkReceiver<D::Item>>,
    /// The chunk that is being read.
    receiver: Option<ChunkReceiver<D::Item>>,
    /// How many chunks and rows have been read.
    chunks_read: u64,
    rows: u64,
    #[cfg(feature = "arrow")]
    schema: CommonSchema,
    ended: bool,
    /// Aborted when this is dropped.
    _scheduler: Task<()>,
}

impl<D: ChunkDecoder> ChunkReader<D> {
    /// Starts fetching. Must be called within a tokio runtime.
    pub(super) fn start(
        chunks: Chunks,
        first: Option<ChunkAnswer>,
        new_decoder: impl Fn() -> D + Send + Sync + 'static,
    ) -> Self {
        let pipeline = Arc::new(Pipeline::new(chunks.options.memory, new_decoder));
        let chunks = Arc::new(chunks);
        let (sender, receivers) = unbounded_channel();
        let scheduler = Scheduler::new(chunks.clone(), pipeline.clone(), sender, first);
        let scheduler = Task::spawn(scheduler.run());
        Self {
            chunks,
            pipeline,
            receivers,
            receiver: None,
            chunks_read: 0,
            rows: 0,
            #[cfg(feature = "arrow")]
            schema: CommonSchema::default(),
            ended: false,
            _scheduler: scheduler,
        }
    }

    /// Whether the last row, or an error, has been returned.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// The next rows; `None` after the last, and after an error.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<D::Item>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = ready!(self.poll_item(context)).transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        Poll::Ready(next)
    }

    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<D::Item>>> {
        while self.chunks_read < self.chunks.layout.count() {
            let Some(receiver) = &mut self.receiver else {
                match ready!(self.receivers.poll_recv(context)) {
                    Some(receiver) => self.receiver = Some(receiver),
                    None => return Poll::Ready(Err(self.stopped())),
                }
                continue;
            };
            match ready!(receiver.poll_recv(context)) {
                Some(ChunkMessage::Rows { item, rows, bytes }) => {
                    #[cfg(feature = "arrow")]
                    if let Some(schema) = D::schema(&item) {
                        self.schema.check(schema, self.chunks_read)?;
                    }
                    self.rows += rows;
                    self.pipeline.release(bytes);
                    return Poll::Ready(Ok(Some(item)));
                }
                Some(ChunkMessage::Begin { offset }) => self.check_offset(offset)?,
                Some(ChunkMessage::End) => self.end_chunk(),
                Some(ChunkMessage::Failed(error)) => return Poll::Ready(Err(error)),
                None => return Poll::Ready(Err(self.stopped())),
            }
        }
        Poll::Ready(self.check_rows().map(|()| None))
    }

    /// The error if the scheduler or a download ended without a word, as with the runtime.
    fn stopped(&self) -> Error {
        Error::unexpected(format!("the download of chunk {} of the result stopped", self.chunks_read))
    }

    fn end_chunk(&mut self) {
        self.chunks_read += 1;
        self.receiver = None;
        self.pipeline.advance();
        self.chunks.wire.events().emit(|| Event::ChunkFetched {
            statement_id: self.chunks.statement_id.clone(),
            rows: self.rows,
            total_rows: self.chunks.layout.total_rows(),
            bytes: self.chunks.bytes(),
        });
    }

    /// Compares the first row that the service gives a chunk with the rows that came before.
    fn check_offset(&self, offset: u64) -> Result<()> {
        let (index, rows) = (self.chunks_read, self.rows);
        if offset == rows {
            return Ok(());
        }
        Err(Error::unexpected(format!(
            "chunk {index} of the result should start at row {rows}, and starts at row {offset}"
        )))
    }

    fn check_rows(&self) -> Result<()> {
        let (rows, chunks) = (self.rows, self.chunks_read);
        match self.chunks.layout.total_rows() {
            Some(total) if total != rows => Err(Error::unexpected(format!(
                "the result is incomplete: {rows} of {total} rows came in {chunks} chunks"
            ))),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use brickwire_client::types::{ResultManifest, StatementColumnInfo};
    use brickwire_wire::{BoxFuture, Host, HttpOptions, Wire};
    use http::HeaderMap;
    use serde_json::json;
    use tokio::time::Instant;

    use super::*;
    use crate::results::{
        layout::Layout, options::FetchOptions, rows::decoder::RowsDecoder, source::ChunkSource,
    };

    const CHUNKS: u64 = 12;
    const ROWS: u64 = 100;

    /// Answers with rows, after a wait.
    struct Rows(fn(u64) -> Duration);

    impl ChunkSource for Rows {
        fn chunk(&self, index: u64) -> BoxFuture<'_, Result<ChunkAnswer>> {
            Box::pin(async move {
                tokio::time::sleep(self.0(index)).await;
                let ids = index * ROWS..(index + 1) * ROWS;
                let rows: Vec<_> = ids.map(|id| json!([id.to_string()])).collect();
                Ok(ChunkAnswer {
                    index: i64::try_from(index).ok(),
                    rows: None,
                    row_offset: None,
                    next_index: None,
                    links: Vec::new(),
                    inline: Some(json!(rows).to_string().into()),
                    headers: HeaderMap::new(),
                })
            })
        }
    }

    fn reader(source: Arc<dyn ChunkSource>, options: FetchOptions) -> ChunkReader<RowsDecoder> {
        let host = Host::parse("http://127.0.0.1:1").unwrap();
        let wire = Wire::builder(HttpOptions::new(host)).build().unwrap();
        let manifest = json!({ "total_chunk_count": CHUNKS, "total_row_count": CHUNKS * ROWS });
        let manifest: ResultManifest = serde_json::from_value(manifest).unwrap();
        let layout = Layout::new(&manifest, None).unwrap();
        let chunks = Chunks::new(wire, source, "01f0".to_owned(), true, layout, options);
        let columns: Arc<[_]> = [StatementColumnInfo::default()].into();
        ChunkReader::start(chunks, None, move || RowsDecoder::new(&columns, None))
    }

    async fn next(reader: &mut ChunkReader<RowsDecoder>) -> Option<Result<crate::Rows>> {
        std::future::poll_fn(|context| reader.poll_next(context)).await
    }

    async fn ids(mut reader: ChunkReader<RowsDecoder>) -> Vec<u64> {
        let mut ids = Vec::new();
        while let Some(rows) = next(&mut reader).await {
            ids.extend(rows.unwrap().cells().map(|cell| cell.as_str().unwrap().parse::<u64>().unwrap()));
        }
        ids
    }

    #[tokio::test(start_paused = true)]
    async fn chunks_arrive_in_any_order_and_are_read_in_theirs() {
        let backwards = Rows(|index| Duration::from_secs(CHUNKS - index));
        let start = Instant::now();
        let ids = ids(reader(Arc::new(backwards), FetchOptions::default())).await;
        assert_eq!(ids, (0..CHUNKS * ROWS).collect::<Vec<_>>());
        // One after another they would take 1 + 2 + … + 12 = 78 seconds.
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_result_is_read_without_memory_and_over_one_connection() {
        let options = FetchOptions::default().with_memory(0).with_connections(1..=1);
        let ids = ids(reader(Arc::new(Rows(|_| Duration::from_millis(1))), options)).await;
        assert_eq!(ids.len() as u64, CHUNKS * ROWS);
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_the_reader_ends_the_requests() {
        let source: Arc<dyn ChunkSource> = Arc::new(Rows(|_| Duration::MAX));
        let mut reader = reader(source.clone(), FetchOptions::default());
        let waiting = tokio::time::timeout(Duration::from_secs(5), next(&mut reader)).await;
        assert!(waiting.is_err() && Arc::strong_count(&source) > 1);
        drop(reader);
        while Arc::strong_count(&source) > 1 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_stops_is_an_error_behind_the_rows_before_it() {
        let source = Rows(|index| if index == 2 { panic!("as a bug would") } else { Duration::ZERO });
        let mut reader = reader(Arc::new(source), FetchOptions::default());
        for _ in 0..2 {
            assert_eq!(next(&mut reader).await.unwrap().unwrap().len() as u64, ROWS);
        }
        let error = next(&mut reader).await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "the request for chunk 2 of the result stopped");
        assert!(reader.is_ended() && next(&mut reader).await.is_none());
    }
}

//! The reader's end: receives the rows of all chunks in order, and checks that none are missing.

use std::{
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{
    chunks::Chunks,
    decode::ChunkDecoder,
    pipeline::{ChunkMessage, ChunkReceiver, Pipeline},
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
                    self.rows += rows;
                    self.pipeline.release(bytes);
                    return Poll::Ready(Ok(Some(item)));
                }
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

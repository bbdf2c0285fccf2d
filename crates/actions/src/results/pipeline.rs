//! Between the downloads and the reader: pieces that wait to be decoded, decode jobs, and rows that wait for the
//! reader.
//!
//! Chunks arrive in any order and are read in theirs. What is bounded is bytes, not chunks: all that have arrived and
//! haven't been handed to the reader count. Decoding (LZ4, then Arrow or JSON) runs on tokio's blocking threads, at
//! most one per core, and each job takes the first piece of the foremost chunk that may be decoded. A job is one
//! piece, so that no thread is held while there is nothing to decode.
//!
//! The invariants of the whole engine are in the module `results`.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{
    Notify,
    futures::Notified,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use super::{
    buffer_pool::BufferPool,
    decode::ChunkDecoder,
    decode_job::{ChunkMessage, Completion, DecodeJob, Decoded, Decoding, HINT},
    panics::quietly,
    splitter::Piece,
};
use crate::Error;

/// While all threads are busy, downloads pause at this many bytes even if the memory limit is higher: 12 segments of
/// 4 MiB, which keep the threads of a usual machine busy. More bytes would only wait, in memory that takes time to
/// touch.
const BUSY_BYTES: usize = 48 << 20;

/// Chunks beyond the one after the reader's are decoded only while fewer bytes than this are buffered. Decompressed
/// bytes are more than compressed ones, so three eighths of the memory are left for what a decode job adds.
fn decode_ahead_limit(memory: usize) -> usize {
    memory / 8 * 5
}

/// Receives the rows of one chunk. If it closes without [`ChunkMessage::End`] or `Failed`, fetching was abandoned.
pub(super) type ChunkReceiver<T> = UnboundedReceiver<ChunkMessage<T>>;

pub(super) struct Pipeline<D: ChunkDecoder> {
    buffers: BufferPool,
    new_decoder: Box<dyn Fn() -> D + Send + Sync>,
    /// The memory limit, in bytes.
    memory: usize,
    threads: usize,
    state: Mutex<PipelineState<D>>,
    /// Wakes the downloads that wait for memory and the scheduler. Notified after each change that may let one of
    /// them go on.
    changed: Notify,
}

struct PipelineState<D: ChunkDecoder> {
    /// The chunk that the reader is at.
    current: u64,
    /// How many bytes have arrived and haven't been handed to the reader, compressed or decoded.
    buffered: usize,
    /// How many decode jobs are running.
    jobs: usize,
    /// The chunks that were opened and are not yet decoded to their end.
    chunks: BTreeMap<u64, PendingChunk<D>>,
}

/// A chunk that is being downloaded or decoded.
struct PendingChunk<D: ChunkDecoder> {
    pieces: VecDeque<Piece>,
    /// There once all pieces have been pushed.
    completion: Option<Completion>,
    /// `None` while a decode job has it. So a chunk has one job at a time, and its pieces are decoded in order.
    decoding: Option<Box<Decoding<D>>>,
    sender: UnboundedSender<ChunkMessage<D::Item>>,
}

impl<D: ChunkDecoder> Pipeline<D> {
    /// A pipeline that buffers this many bytes.
    pub(super) fn new(memory: u64, new_decoder: impl Fn() -> D + Send + Sync + 'static) -> Self {
        Self {
            buffers: BufferPool::default(),
            new_decoder: Box::new(new_decoder),
            memory: usize::try_from(memory).unwrap_or(usize::MAX),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            state: Mutex::new(PipelineState { current: 0, buffered: 0, jobs: 0, chunks: BTreeMap::new() }),
            changed: Notify::new(),
        }
    }

    /// The lock is held for bookkeeping only, never while something is decoded or awaited.
    fn state(&self) -> MutexGuard<'_, PipelineState<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn buffers(&self) -> &BufferPool {
        &self.buffers
    }

    /// Opens a chunk, whose rows go to the receiver.
    pub(super) fn open(&self, index: u64) -> ChunkReceiver<D::Item> {
        let (sender, receiver) = unbounded_channel();
        let decoding = Box::new(Decoding::new(index, self.buffers.clone(), (self.new_decoder)()));
        let chunk =
            PendingChunk { pieces: VecDeque::new(), completion: None, decoding: Some(decoding), sender };
        self.state().chunks.insert(index, chunk);
        receiver
    }

    /// Waits until there is memory for the next piece of a chunk. The chunk that the reader is at never waits, so the
    /// limit can't stop the pipeline.
    pub(super) async fn wait_for_memory(&self, index: u64) {
        loop {
            // Created before the state is read, so that no change in between is missed.
            let changed = self.changed.notified();
            {
                let state = self.state();
                let is_busy = state.jobs >= self.threads;
                let limit = if is_busy { self.memory.min(BUSY_BYTES) } else { self.memory };
                if index <= state.current || state.buffered < limit {
                    return;
                }
            }
            changed.await;
        }
    }

    /// The chunk that the reader is at.
    pub(super) fn current(&self) -> u64 {
        self.state().current
    }

    /// Completes when the reader goes to another chunk or memory is freed after this call; may complete for less.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Adds the next piece of a chunk.
    pub(super) fn push(self: &Arc<Self>, index: u64, piece: Piece) {
        {
            let mut state = self.state();
            // A chunk that failed takes no more pieces.
            let Some(chunk) = state.chunks.get_mut(&index) else { return };
            let length = piece.bytes.len();
            chunk.pieces.push_back(piece);
            state.buffered += length;
        }
        self.start_jobs();
    }

    /// Says how many rows of the result come before a chunk, if the service does. Called before the first piece.
    pub(super) fn begin(&self, index: u64, offset: Option<u64>) {
        if let (Some(offset), Some(chunk)) = (offset, self.state().chunks.get(&index)) {
            // Sending fails only if the reader is gone.
            let _ = chunk.sender.send(ChunkMessage::Begin { offset });
        }
    }

    /// Says that all pieces of a chunk have been pushed, and what is known about its rows.
    pub(super) fn complete(self: &Arc<Self>, index: u64, completion: Completion) {
        if let Some(chunk) = self.state().chunks.get_mut(&index) {
            chunk.completion = Some(completion);
        }
        self.start_jobs();
    }

    /// Ends a chunk with an error.
    pub(super) fn fail(&self, index: u64, error: Error) {
        self.state().fail(index, error);
    }

    /// Drops the chunks that will never be complete, because nothing is downloaded any more. Their receivers close.
    pub(super) fn abandon(&self) {
        self.state().chunks.retain(|_, chunk| chunk.completion.is_some());
    }

    /// Says that the reader took rows that account for this many bytes.
    pub(super) fn release(self: &Arc<Self>, bytes: usize) {
        let mut state = self.state();
        // Below that limit only running jobs hold anything back, and a job that ends wakes all. Waking all for each
        // batch would cost time.
        let held_back = state.buffered >= decode_ahead_limit(self.memory);
        state.buffered = state.buffered.saturating_sub(bytes);
        drop(state);
        if held_back {
            self.changed.notify_waiters();
            self.start_jobs();
        }
    }

    /// Says that the reader goes on to the next chunk.
    pub(super) fn advance(self: &Arc<Self>) {
        self.state().current += 1;
        self.changed.notify_waiters();
        self.start_jobs();
    }

    /// Starts decode jobs while there are free threads and pieces that may be decoded.
    fn start_jobs(self: &Arc<Self>) {
        let mut state = self.state();
        while state.jobs < self.threads {
            let Some(job) = state.claim(self.memory) else { return };
            state.jobs += 1;
            let pipeline = self.clone();
            tokio::task::spawn_blocking(move || pipeline.run_jobs(job));
        }
    }

    /// Runs a job, and others after it as long as there are some, on a blocking thread.
    fn run_jobs(&self, mut job: DecodeJob<D>) {
        loop {
            let (index, length) = (job.decoding.index, job.piece.as_ref().map_or(0, |p| p.bytes.len()));
            // Arrow's decoder panics on some malformed bytes. That must not leave the reader waiting for ever.
            let decoded = quietly(|| job.run()).unwrap_or_else(|| {
                let error = Error::unexpected(format!("chunk {index} of the result cannot be decoded"));
                Err(error.with_hint(HINT))
            });
            let mut state = self.state();
            state.buffered = state.buffered.saturating_sub(length);
            match decoded {
                Ok(decoded) => state.settle(decoded),
                Err(error) => state.fail(index, error),
            }
            let next = state.claim(self.memory);
            if next.is_none() {
                state.jobs -= 1;
            }
            drop(state);
            self.changed.notify_waiters();
            match next {
                Some(next) => job = next,
                None => return,
            }
        }
    }
}

impl<D: ChunkDecoder> PipelineState<D> {
    /// Takes the next job: the first piece of the foremost chunk that may be decoded.
    fn claim(&mut self, memory: usize) -> Option<DecodeJob<D>> {
        let may_decode_ahead = self.buffered < decode_ahead_limit(memory);
        let current = self.current;
        let is_ready = |index: u64, chunk: &PendingChunk<D>| {
            let has_work = !chunk.pieces.is_empty() || chunk.completion.is_some();
            chunk.decoding.is_some() && has_work && (index <= current + 1 || may_decode_ahead)
        };
        let (_, chunk) = self.chunks.iter_mut().find(|(index, chunk)| is_ready(**index, chunk))?;
        let piece = chunk.pieces.pop_front();
        let completion = chunk.completion.unwrap_or_default();
        chunk.decoding.take().map(|decoding| DecodeJob { decoding, piece, completion })
    }

    fn settle(&mut self, decoded: Decoded<D>) {
        let index = decoded.decoding.index;
        let Some(chunk) = self.chunks.get_mut(&index) else { return };
        let mut is_over = decoded.is_end;
        for message in decoded.messages {
            if let ChunkMessage::Rows { bytes, .. } = &message {
                self.buffered += bytes;
            }
            // Sending fails only if the reader is gone. Then there is no use in decoding more.
            is_over |= chunk.sender.send(message).is_err();
        }
        chunk.decoding = Some(decoded.decoding);
        if is_over {
            self.chunks.remove(&index);
        }
    }

    fn fail(&mut self, index: u64, error: Error) {
        if let Some(chunk) = self.chunks.remove(&index) {
            let waiting: usize = chunk.pieces.iter().map(|piece| piece.bytes.len()).sum();
            self.buffered = self.buffered.saturating_sub(waiting);
            let _ = chunk.sender.send(ChunkMessage::Failed(error));
        }
    }
}

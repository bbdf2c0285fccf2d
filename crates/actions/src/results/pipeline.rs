//! Where the chunks of one result meet: what has come, what is being unpacked, what waits for the reader.
//!
//! Chunks come in any order and leave in theirs. Bytes are bounded, not chunks: whatever came and was not handed over
//! counts. The chunk that the reader waits for is never held back, so the bound can't stop the flow. Unpacking and
//! decoding run on blocking threads, one for each core at the most, the foremost chunk first; each job is one piece,
//! so that no thread is kept while there is nothing to do.

use std::{
    collections::{BTreeMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{
    Notify,
    futures::Notified,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use super::{
    buffer_pool::{Pool, Pooled},
    lz4::Inflate,
    splitter::{Piece, SEGMENT},
};
use crate::{Error, ErrorKind, Result};

/// Turns a chunk's plain bytes into what the reader wants.
pub(crate) trait Decode: Send + 'static {
    /// Some rows.
    type Item: Send + 'static;

    /// Plain bytes come so many at a time; each download holds that much.
    const SEGMENT: usize = SEGMENT;

    /// Takes the next bytes; adds what is whole, with its number of rows.
    fn take(&mut self, bytes: Pooled, items: &mut Vec<(Self::Item, u64)>) -> Result<()>;

    /// There are no more bytes.
    fn finish(&mut self) -> Result<()>;

    /// What an item takes in memory beside the bytes it was made from.
    fn overhead(_item: &Self::Item) -> usize {
        0
    }
}

/// So many bytes keep all threads busy.
const ENOUGH: usize = 48 << 20;

/// How much of the memory chunks far ahead may be unpacked into: unpacked, bytes are more.
fn ahead(budget: usize) -> usize {
    budget / 8 * 5
}

/// What a chunk's reader is told, in order.
#[derive(Debug)]
pub(crate) enum Message<T> {
    Rows { item: T, rows: u64, bytes: usize },
    End,
    Failed(Error),
}

pub(crate) type Lane<T> = UnboundedReceiver<Message<T>>;

pub(crate) struct Flow<D: Decode> {
    pub(crate) pool: Pool,
    decoder: Box<dyn Fn() -> D + Send + Sync>,
    budget: usize,
    threads: usize,
    state: Mutex<State<D>>,
    moved: Notify,
}

struct State<D: Decode> {
    /// The chunk that the reader is at.
    head: u64,
    /// Bytes that came and were not handed over.
    held: usize,
    working: usize,
    chunks: BTreeMap<u64, Chunk<D>>,
}

struct Chunk<D: Decode> {
    pieces: VecDeque<Piece>,
    /// All pieces are here; with the number of rows there should be.
    ended: Option<Option<u64>>,
    /// Away while a thread works on it.
    work: Option<Box<Work<D>>>,
    out: UnboundedSender<Message<D::Item>>,
}

/// What decoding a chunk has come to.
struct Work<D> {
    index: u64,
    inflate: Inflate,
    decode: D,
    rows: u64,
    /// Bytes unpacked that no item accounts for yet.
    unaccounted: usize,
}

/// One piece to be worked on, or the end.
struct Job<D> {
    work: Box<Work<D>>,
    piece: Option<Piece>,
    expected: Option<u64>,
}

impl<D: Decode> Flow<D> {
    pub(crate) fn new(budget: usize, decoder: impl Fn() -> D + Send + Sync + 'static) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            pool: Pool::default(),
            decoder: Box::new(decoder),
            budget,
            threads,
            state: Mutex::new(State { head: 0, held: 0, working: 0, chunks: BTreeMap::new() }),
            moved: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a chunk; what is returned tells of its rows.
    pub(crate) fn open(&self, index: u64) -> Lane<D::Item> {
        let (out, lane) = unbounded_channel();
        let work = Box::new(Work {
            index,
            inflate: Inflate::new(self.pool.clone()),
            decode: (self.decoder)(),
            rows: 0,
            unaccounted: 0,
        });
        let chunk = Chunk { pieces: VecDeque::new(), ended: None, work: Some(work), out };
        self.state().chunks.insert(index, chunk);
        lane
    }

    /// Waits until there is memory for a chunk's next piece.
    pub(crate) async fn room(&self, index: u64) {
        loop {
            let moved = self.moved.notified();
            {
                let state = self.state();
                // While all threads are busy, more bytes would only wait, in memory that costs time to touch.
                let enough = if state.working < self.threads { self.budget } else { self.budget.min(ENOUGH) };
                if index <= state.head || state.held < enough {
                    return;
                }
            }
            moved.await;
        }
    }

    /// The chunk that the reader is at.
    pub(crate) fn head(&self) -> u64 {
        self.state().head
    }

    /// Ends when the reader goes to another chunk or memory becomes free, even if that is before it is awaited; may
    /// end early.
    pub(crate) fn moved(&self) -> Notified<'_> {
        self.moved.notified()
    }

    pub(crate) fn push(self: &Arc<Self>, index: u64, piece: Piece) {
        {
            let mut state = self.state();
            let Some(chunk) = state.chunks.get_mut(&index) else { return };
            let length = piece.bytes.len();
            chunk.pieces.push_back(piece);
            state.held += length;
        }
        self.pump();
    }

    /// All pieces of a chunk have been pushed.
    pub(crate) fn end(self: &Arc<Self>, index: u64, expected: Option<u64>) {
        if let Some(chunk) = self.state().chunks.get_mut(&index) {
            chunk.ended = Some(expected);
        }
        self.pump();
    }

    /// Nothing more comes of a chunk, and this is why.
    pub(crate) fn fail(&self, index: u64, error: Error) {
        self.state().fail(index, error);
    }

    /// Nothing more comes of any chunk that isn't complete. Its reader sees an end without [`Message::End`].
    pub(crate) fn abandon(&self) {
        self.state().chunks.retain(|_, chunk| chunk.ended.is_some());
    }

    /// The reader took this many bytes.
    pub(crate) fn handed_over(self: &Arc<Self>, bytes: usize) {
        let mut state = self.state();
        let held_back = state.held >= ahead(self.budget);
        state.held = state.held.saturating_sub(bytes);
        drop(state);
        if held_back {
            self.moved.notify_waiters();
            self.pump();
        }
    }

    /// The reader goes on to the next chunk.
    pub(crate) fn advance(self: &Arc<Self>) {
        self.state().head += 1;
        self.moved.notify_waiters();
        self.pump();
    }

    fn pump(self: &Arc<Self>) {
        let mut state = self.state();
        while state.working < self.threads {
            let Some(job) = state.claim(self.budget) else { return };
            state.working += 1;
            let flow = self.clone();
            tokio::task::spawn_blocking(move || flow.run(job));
        }
    }

    /// Works as long as there is something to do.
    fn run(&self, mut job: Job<D>) {
        loop {
            let (index, length) = (job.work.index, job.piece.as_ref().map_or(0, |p| p.bytes.len()));
            // A decoder that panics on what it reads must not leave the reader waiting for ever.
            let done = catch_unwind(AssertUnwindSafe(|| job.perform())).unwrap_or_else(|_| {
                let text = format!("chunk {index} of the result cannot be decoded");
                Err(Error::new(ErrorKind::UnexpectedResponse, text))
            });
            let mut state = self.state();
            state.held = state.held.saturating_sub(length);
            match done {
                Ok(done) => state.settle(done),
                Err(error) => state.fail(index, error),
            }
            match state.claim(self.budget) {
                Some(next) => job = next,
                None => {
                    state.working -= 1;
                    drop(state);
                    self.moved.notify_waiters();
                    return;
                }
            }
            drop(state);
            self.moved.notify_waiters();
        }
    }
}

/// What came of a job.
struct Done<D: Decode> {
    work: Box<Work<D>>,
    messages: Vec<Message<D::Item>>,
    ended: bool,
}

impl<D: Decode> Job<D> {
    fn perform(self) -> Result<Done<D>> {
        let Self { mut work, piece, expected } = self;
        let index = work.index;
        let malformed = |e: super::splitter::Malformed| {
            Error::new(ErrorKind::UnexpectedResponse, format!("chunk {index} of the result is damaged: {e}"))
        };
        let of_this_chunk = |e: Error| {
            let text = format!("chunk {index} of the result: {e}");
            Error::new(ErrorKind::UnexpectedResponse, text)
                .with_hint("run the statement again; if it stays so, report it with the statement's id")
                .with_source(e)
        };
        let ended = piece.is_none();
        let mut ready = Vec::new();
        match piece {
            Some(piece) => work.inflate.take(piece, &mut ready).map_err(malformed)?,
            None => ready.extend(work.inflate.finish()),
        }
        let mut items = Vec::new();
        for bytes in ready {
            work.unaccounted += bytes.len();
            work.decode.take(bytes, &mut items).map_err(of_this_chunk)?;
        }
        let mut messages = Vec::with_capacity(items.len() + 1);
        for (item, rows) in items {
            work.rows += rows;
            let bytes = std::mem::take(&mut work.unaccounted) + D::overhead(&item);
            messages.push(Message::Rows { item, rows, bytes });
        }
        if ended {
            work.decode.finish().map_err(of_this_chunk)?;
            if let Some(expected) = expected.filter(|expected| *expected != work.rows) {
                let text = format!(
                    "the result is incomplete: chunk {index} has {} rows where {expected} were announced",
                    work.rows
                );
                return Err(Error::new(ErrorKind::UnexpectedResponse, text));
            }
            messages.push(Message::End);
        }
        Ok(Done { work, messages, ended })
    }
}

impl<D: Decode> State<D> {
    /// The foremost piece that may be worked on.
    fn claim(&mut self, budget: usize) -> Option<Job<D>> {
        let (head, held) = (self.head, self.held);
        let enough = ahead(budget);
        let ready = |index: u64, chunk: &Chunk<D>| {
            let something = !chunk.pieces.is_empty() || chunk.ended.is_some();
            chunk.work.is_some() && something && (index <= head + 1 || held < enough)
        };
        let (_, chunk) = self.chunks.iter_mut().find(|(index, chunk)| ready(**index, chunk))?;
        let piece = chunk.pieces.pop_front();
        let expected = chunk.ended.flatten();
        chunk.work.take().map(|work| Job { work, piece, expected })
    }

    fn settle(&mut self, done: Done<D>) {
        let index = done.work.index;
        let Some(chunk) = self.chunks.get_mut(&index) else { return };
        for message in done.messages {
            if let Message::Rows { bytes, .. } = &message {
                self.held += bytes;
            }
            // Nobody listens any more: then all of this is about to go.
            let _ = chunk.out.send(message);
        }
        chunk.work = Some(done.work);
        if done.ended {
            self.chunks.remove(&index);
        }
    }

    fn fail(&mut self, index: u64, error: Error) {
        if let Some(chunk) = self.chunks.remove(&index) {
            self.held = self.held.saturating_sub(chunk.pieces.iter().map(|p| p.bytes.len()).sum());
            let _ = chunk.out.send(Message::Failed(error));
        }
    }
}

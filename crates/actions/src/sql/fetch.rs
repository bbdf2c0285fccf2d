//! The chunks of a result, many at a time and in order, in bounded memory.
//!
//! A driver starts downloads in the chunks' order, each with a link that was asked for shortly before: one resolved
//! late never expires. It begins with a few connections and doubles them as long as that brings more. What comes is
//! unpacked and decoded while the rest downloads (`flow.rs`). Dropping a [`Fetch`] ends all of it.

mod download;
pub(super) mod flow;
mod inflate;
mod link;
mod pieces;
pub(super) mod pool;

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{AbortHandle, JoinHandle, JoinSet},
    time::Instant,
};

use self::{
    flow::{Decode, Flow, Lane, Message},
    link::Link,
    pieces::{Coding, Piece},
};
use super::wire::{self, ChunkAnswer};
use crate::{Error, ErrorKind, Event, Result, Workspace};

/// How a result's chunks are fetched; the defaults suit most networks and machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchOptions {
    connections: usize,
    most_connections: usize,
    memory: usize,
    stall: Duration,
    tries: u32,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self {
            connections: 8,
            most_connections: 16,
            memory: 192 << 20,
            stall: Duration::from_secs(30),
            tries: 10,
        }
    }
}

impl FetchOptions {
    /// How many chunks are downloaded at a time: `first` at first (8), up to `most` (16) if the network gives more then.
    pub fn with_connections(mut self, first: usize, most: usize) -> Self {
        self.connections = first.max(1);
        self.most_connections = most.max(self.connections);
        self
    }

    /// How many bytes of the result may wait for the reader, downloaded or decoded; 192 MiB by default. The chunk that
    /// is being read is never held back, so what it needs comes on top if this is less.
    pub fn with_memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// A download that brings no byte for so long is begun again where it stopped; 30 seconds by default. There is no
    /// limit to how long it may take in all.
    pub fn with_stall_timeout(mut self, stall: Duration) -> Self {
        self.stall = stall;
        self
    }

    /// How many attempts in a row, none of which brings a byte, make a chunk fail; 10 by default.
    pub fn with_tries(mut self, tries: u32) -> Self {
        self.tries = tries.max(1);
        self
    }
}

/// Links are asked for so many chunks ahead of the downloads.
const AHEAD: usize = 4;
/// So many chunks may have come and not be read, beside those that are downloading.
const WAITING: u64 = 4;
/// How often it is looked whether more connections would bring more.
const TICK: Duration = Duration::from_millis(20);

/// What all chunks of one result have in common.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) workspace: Workspace,
    pub(super) statement_id: String,
    storage: reqwest::Client,
    options: FetchOptions,
    /// The rows of each chunk, where the manifest tells.
    rows: Vec<Option<u64>>,
    total_rows: Option<u64>,
    bytes: AtomicU64,
}

impl Source {
    /// # Errors
    /// If the manifest contradicts itself.
    pub(super) fn new(
        workspace: &Workspace,
        statement_id: &str,
        manifest: &brickwire_client::types::ResultManifest,
        first: Option<&ChunkAnswer>,
        options: FetchOptions,
    ) -> Result<Self> {
        let listed = manifest.chunks.as_deref().unwrap_or_default();
        let only_one = first.filter(|f| f.next_index.is_none()).map(|_| 1);
        let count = manifest.total_chunk_count.or(Some(listed.len() as i64).filter(|n| *n > 0)).or(only_one);
        let count = usize::try_from(count.unwrap_or_default()).unwrap_or_default();
        let mut rows = vec![None; count];
        for (position, chunk) in listed.iter().enumerate() {
            let index = chunk.chunk_index.map_or(position, |i| usize::try_from(i).unwrap_or(usize::MAX));
            match rows.get_mut(index) {
                Some(known @ None) => *known = Some(chunk.row_count),
                Some(Some(_)) => return Err(broken(format!("the manifest lists chunk {index} twice"))),
                None => return Err(broken(format!("the manifest lists chunk {index} of {count}"))),
            }
        }
        let whole = |rows: i64| u64::try_from(rows).ok();
        Ok(Self {
            workspace: workspace.clone(),
            statement_id: statement_id.to_owned(),
            storage: workspace.storage()?.clone(),
            options,
            rows: rows.into_iter().map(|rows| rows.flatten().and_then(whole)).collect(),
            total_rows: manifest.total_row_count.and_then(whole),
            bytes: AtomicU64::new(0),
        })
    }

    fn rows_of(&self, index: u64) -> Option<u64> {
        self.rows.get(usize::try_from(index).ok()?).copied().flatten()
    }

    fn received(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    async fn resolve(&self, index: u64) -> Result<ChunkAnswer> {
        let answer = wire::chunk(&self.workspace, &self.statement_id, index).await?;
        match answer.index.and_then(|i| u64::try_from(i).ok()) {
            Some(other) if other != index => Err(broken(format!(
                "chunk {index} of the result is missing: chunk {other} came in its place"
            ))),
            _ => Ok(answer),
        }
    }

    /// A new link to a chunk.
    async fn link(&self, index: u64) -> Result<Link> {
        link_of(&self.resolve(index).await?, index)?
            .ok_or_else(|| broken(format!("chunk {index} of the result has no link")))
    }
}

/// The link to a chunk in an answer that may hold several. One without an index is the chunk that was asked for.
fn link_of(answer: &ChunkAnswer, index: u64) -> Result<Option<Link>> {
    let mut mine =
        answer.links.iter().filter(|l| l.chunk_index.is_none_or(|i| u64::try_from(i) == Ok(index)));
    let link = mine.next().map(|link| Link::read(link, &answer.headers));
    link.transpose().map_err(|why| broken(format!("the link to chunk {index} of the result {why}")))
}

pub(super) fn broken(message: String) -> Error {
    Error::new(ErrorKind::UnexpectedResponse, message)
}

/// The reader's end.
pub(super) struct Fetch<D: Decode> {
    source: Arc<Source>,
    flow: Arc<Flow<D>>,
    lanes: UnboundedReceiver<Lane<D::Item>>,
    lane: Option<Lane<D::Item>>,
    chunks: u64,
    rows: u64,
    ended: bool,
    _driver: Aborting,
}

impl<D: Decode> Fetch<D> {
    /// Starts fetching; to be called within a runtime.
    pub(super) fn start(
        source: Source,
        first: Option<ChunkAnswer>,
        decoder: impl Fn() -> D + Send + Sync + 'static,
    ) -> Self {
        let flow = Arc::new(Flow::new(source.options.memory, decoder));
        let source = Arc::new(source);
        let (sender, lanes) = unbounded_channel();
        let driver = Driver { source: source.clone(), flow: flow.clone(), lanes: sender, first };
        let driver = Aborting(tokio::spawn(driver.run()).abort_handle());
        Self { source, flow, lanes, lane: None, chunks: 0, rows: 0, ended: false, _driver: driver }
    }

    /// Whether the last row was handed over, or an error.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<D::Item>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = ready!(self.poll_item(context)).transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        let statement_id = &self.source.statement_id;
        Poll::Ready(
            next.map(|item| {
                item.map_err(|e| e.with_details(|d| d.statement_id = Some(statement_id.clone())))
            }),
        )
    }

    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<D::Item>>> {
        loop {
            let Some(lane) = &mut self.lane else {
                match ready!(self.lanes.poll_recv(context)) {
                    Some(lane) => self.lane = Some(lane),
                    None => return Poll::Ready(self.end().map(|()| None)),
                }
                continue;
            };
            match ready!(lane.poll_recv(context)) {
                Some(Message::Rows { item, rows, bytes }) => {
                    self.rows += rows;
                    self.flow.handed_over(bytes);
                    return Poll::Ready(Ok(Some(item)));
                }
                Some(Message::End) => {
                    self.chunks += 1;
                    self.lane = None;
                    self.flow.advance();
                    self.source.workspace.events().emit(|| Event::ChunkFetched {
                        statement_id: self.source.statement_id.clone(),
                        rows: self.rows,
                        total_rows: self.source.total_rows,
                        bytes: self.source.bytes.load(Relaxed),
                    });
                    // The last row is the end: nobody has to ask once more for the statement to count as read.
                    if self.chunks == self.source.rows.len() as u64 && self.end().is_ok() {
                        self.ended = true;
                        return Poll::Ready(Ok(None));
                    }
                }
                Some(Message::Failed(error)) => return Poll::Ready(Err(error)),
                None => {
                    return Poll::Ready(Err(broken(format!("the fetching of chunk {} stopped", self.chunks))));
                }
            }
        }
    }

    fn end(&self) -> Result<()> {
        let (rows, chunks) = (self.rows, self.chunks);
        match self.source.total_rows {
            Some(total) if total != rows => Err(broken(format!(
                "the result is incomplete: {rows} of {total} rows came in {chunks} chunks"
            ))),
            _ => Ok(()),
        }
    }
}

/// Ends a task when dropped.
struct Aborting(AbortHandle);

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A request that is under way; dropped, it ends.
struct Request<T>(JoinHandle<Result<T>>);

impl<T: Send + 'static> Request<T> {
    fn start(request: impl Future<Output = Result<T>> + Send + 'static) -> Self {
        Self(tokio::spawn(request))
    }

    async fn answer(mut self) -> Result<T> {
        (&mut self.0).await.unwrap_or_else(|_| Err(broken("a request for a chunk stopped".to_owned())))
    }
}

impl<T> Drop for Request<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Driver<D: Decode> {
    source: Arc<Source>,
    flow: Arc<Flow<D>>,
    lanes: UnboundedSender<Lane<D::Item>>,
    first: Option<ChunkAnswer>,
}

/// Whatever ends the driver, no reader waits for what can't come any more.
struct Closing<D: Decode>(Arc<Flow<D>>);

impl<D: Decode> Drop for Closing<D> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl<D: Decode> Driver<D> {
    async fn run(mut self) {
        let _closing = Closing(self.flow.clone());
        let first = self.first.take().map(Arc::new);
        let count = self.source.rows.len() as u64;
        let mut growth = Growth::new(self.source.options);
        let (mut answers, mut asked) = (VecDeque::new(), 0_u64);
        let (mut downloads, mut next) = (JoinSet::new(), 0_u64);
        let mut tick = Instant::now() + TICK;
        loop {
            let moved = self.flow.moved();
            let head = self.flow.head();
            while asked < count && asked < next + (growth.limit - downloads.len() + AHEAD) as u64 {
                answers.push_back(self.ask(asked, first.as_ref()));
                asked += 1;
            }
            while downloads.len() < growth.limit
                && next < count
                && next < head + growth.limit as u64 + WAITING
            {
                let Some(answer) = answers.pop_front() else { break };
                // The reader is gone: this task is about to be, too.
                let _ = self.lanes.send(self.flow.open(next));
                downloads.spawn(fetch(self.source.clone(), self.flow.clone(), next, answer));
                next += 1;
            }
            if next == count && downloads.is_empty() {
                return;
            }
            tokio::select! {
                Some(_) = downloads.join_next() => {}
                () = moved => {}
                () = tokio::time::sleep_until(tick), if growth.may_grow() && downloads.len() == growth.limit => {
                    growth.look(self.source.bytes.load(Relaxed));
                    tick = Instant::now() + TICK;
                }
            }
        }
    }

    fn ask(&self, index: u64, first: Option<&Arc<ChunkAnswer>>) -> Request<Answer> {
        let known =
            first.filter(|f| f.inline.is_some() && f.index.is_none_or(|i| u64::try_from(i) == Ok(index)));
        if let Some(inline) = known.filter(|_| index == 0).and_then(|f| f.inline.clone()) {
            return Request::start(async move { Ok(Answer::Inline(inline)) });
        }
        if let Some(link) = first.map(|f| link_of(f, index)).and_then(Result::transpose) {
            // Without an index it is the first chunk's.
            let indexed = first.is_some_and(|f| f.links.iter().all(|l| l.chunk_index.is_some()));
            if indexed || index == 0 {
                return Request::start(async move { link.map(Answer::Link) });
            }
        }
        let source = self.source.clone();
        Request::start(async move {
            let answer = source.resolve(index).await?;
            if let Some(link) = link_of(&answer, index)? {
                return Ok(Answer::Link(link));
            }
            match answer.inline {
                Some(inline) => Ok(Answer::Inline(inline)),
                None if answer.links.is_empty() && answer.rows.unwrap_or_default() == 0 => {
                    Ok(Answer::Nothing)
                }
                None => Err(broken(format!("chunk {index} of the result is missing: no link to it came"))),
            }
        })
    }
}

/// Where a chunk's rows are.
enum Answer {
    Inline(bytes::Bytes),
    Link(Link),
    Nothing,
}

async fn fetch<D: Decode>(source: Arc<Source>, flow: Arc<Flow<D>>, index: u64, answer: Request<Answer>) {
    let done = async {
        match answer.answer().await? {
            Answer::Link(link) => download::download(&source, &flow, index, link).await,
            Answer::Inline(rows) => {
                source.received(rows.len());
                for part in rows.chunks(pieces::SEGMENT) {
                    let mut bytes = flow.pool.take(part.len());
                    bytes.copy_from_slice(part);
                    flow.push(index, Piece { bytes, coding: Coding::Plain });
                }
                flow.end(index, source.rows_of(index));
                Ok(())
            }
            Answer::Nothing => {
                flow.end(index, source.rows_of(index));
                Ok(())
            }
        }
    };
    if let Err(error) = done.await {
        flow.fail(index, error);
    }
}

/// How many connections: doubled as long as the last doubling brought at least a fifth more, unless each brings so
/// much that the machine and not the network is the limit.
struct Growth {
    limit: usize,
    most: usize,
    /// Bytes and their rate at the last look.
    seen: u64,
    rate: u64,
    looks: u32,
    rate_before_growth: u64,
}

/// Bytes per tick of one connection: 128 MB/s is more than a store gives.
const PLENTY: u64 = 128_000_000 / 50;
/// Looks between two growths, so that new connections have begun to bring something.
const PATIENCE: u32 = 10;

impl Growth {
    fn new(options: FetchOptions) -> Self {
        Self {
            limit: options.connections,
            most: options.most_connections,
            seen: 0,
            rate: 0,
            looks: 0,
            rate_before_growth: 0,
        }
    }

    fn may_grow(&self) -> bool {
        self.limit < self.most
    }

    fn look(&mut self, bytes: u64) {
        self.rate = self.rate.max(bytes - self.seen);
        self.seen = bytes;
        self.looks += 1;
        let first = self.looks == 1 && self.rate == 0;
        if !first && self.looks % PATIENCE != 0 {
            return;
        }
        let helped = self.rate >= self.rate_before_growth + self.rate_before_growth / 5;
        if helped && self.rate < PLENTY * self.limit as u64 {
            self.limit = (self.limit * 2).min(self.most);
            self.rate_before_growth = self.rate;
        }
        self.rate = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(per_look: &[u64]) -> usize {
        let mut growth = Growth::new(FetchOptions::default().with_connections(2, 32));
        let mut bytes = 0;
        for more in per_look {
            bytes += more;
            growth.look(bytes);
        }
        growth.limit
    }

    #[test]
    fn a_far_store_gets_more_connections_at_once_and_a_near_one_none() {
        assert_eq!(grown(&[0]), 4);
        assert_eq!(grown(&[PLENTY * 2; 30]), 2);
        assert_eq!(grown(&[100; 9]), 2);
        assert_eq!(grown(&[100; 10]), 4);
    }

    #[test]
    fn they_stop_growing_when_that_brings_nothing() {
        assert_eq!(grown(&[1000; 100]), 4);
        let doubling: Vec<u64> = (0..40).map(|i| 1000 << (i / 10)).collect();
        assert_eq!(grown(&doubling), 32);
    }
}

//! The chunks of a result, many at a time and in order, in bounded memory.
//!
//! A driver starts downloads in the chunks' order, each with a link that was asked for shortly before: one resolved
//! late never expires. It begins with a few connections and opens more where that brings more. What comes is
//! unpacked and decoded while the rest downloads (`flow.rs`). Dropping a [`Fetch`] ends all of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{
    link::Link,
    pipeline::{Decode, Flow, Lane, Message},
    scheduler::{Aborting, Driver},
};
use crate::{
    Error, ErrorKind, Event, Result, Workspace,
    sql::wire::{self, ChunkAnswer},
};

/// How a result's chunks are fetched; the defaults suit most networks and machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchOptions {
    pub(super) connections: usize,
    pub(super) most_connections: usize,
    memory: usize,
    pub(super) stall: Duration,
    pub(super) tries: u32,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self {
            connections: 2,
            most_connections: 16,
            memory: 144 << 20,
            stall: Duration::from_secs(30),
            tries: 10,
        }
    }
}

impl FetchOptions {
    /// How many chunks are downloaded at a time: `first` at first (2), up to `most` (16) if the network gives more then.
    pub fn with_connections(mut self, first: usize, most: usize) -> Self {
        self.connections = first.max(1);
        self.most_connections = most.max(self.connections);
        self
    }

    /// How many bytes of the result may wait for the reader, downloaded or decoded; 144 MiB by default. The chunk that
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

/// What all chunks of one result have in common.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) workspace: Workspace,
    pub(super) statement_id: String,
    pub(super) options: FetchOptions,
    /// The rows of each chunk, where the manifest tells.
    pub(super) rows: Vec<Option<u64>>,
    total_rows: Option<u64>,
    pub(super) bytes: AtomicU64,
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
        if count == 0 && first.is_some_and(|f| f.next_index.is_some() || !f.links.is_empty()) {
            return Err(broken("the manifest does not tell how many chunks there are".to_owned()));
        }
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
            options,
            rows: rows.into_iter().map(|rows| rows.flatten().and_then(whole)).collect(),
            total_rows: manifest.total_row_count.and_then(whole),
            bytes: AtomicU64::new(0),
        })
    }

    pub(super) fn rows_of(&self, index: u64) -> Option<u64> {
        self.rows.get(usize::try_from(index).ok()?).copied().flatten()
    }

    pub(super) fn received(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) async fn resolve(&self, index: u64) -> Result<ChunkAnswer> {
        let answer = wire::chunk(&self.workspace, &self.statement_id, index).await?;
        match answer.index.and_then(|i| u64::try_from(i).ok()) {
            Some(other) if other != index => Err(broken(format!(
                "chunk {index} of the result is missing: chunk {other} came in its place"
            ))),
            _ => Ok(answer),
        }
    }

    /// A new link to a chunk.
    pub(super) async fn link(&self, index: u64) -> Result<Link> {
        link_of(&self.resolve(index).await?, index)?
            .ok_or_else(|| broken(format!("chunk {index} of the result has no link")))
    }
}

/// The link to a chunk in an answer that may hold several. One without an index is the chunk that was asked for.
pub(super) fn link_of(answer: &ChunkAnswer, index: u64) -> Result<Option<Link>> {
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
                    return Poll::Ready(Err(broken(format!(
                        "the fetching of chunk {} stopped",
                        self.chunks
                    ))));
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

//! Decides which chunk is downloaded next, over how many connections, and when its link is requested.
//!
//! Downloads start in the order of the chunks. Each uses a link that was requested shortly before, because links
//! expire.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use http::Method;
use tokio::{
    sync::{Semaphore, mpsc::UnboundedSender},
    task::JoinSet,
    time::Instant,
};

use super::{
    chunks::Chunks,
    decode::ChunkDecoder,
    download::download,
    link::Link,
    pipeline::{ChunkReceiver, Pipeline},
    ramp_up::{RampUp, TICK},
    source::{ChunkAnswer, Location},
    splitter::{Coding, Piece},
    task::Task,
};
use crate::{Error, Result, RetryPolicy};

/// Links are requested this many chunks ahead of the downloads, in addition to one for each connection: downloads that
/// started together end together, and all need a new link then.
const LINKS_AHEAD: u64 = 4;

/// A result of at most this many chunks gets its links one after another, over the connection to the service that is
/// open. That takes no longer than opening other connections. Also how many connections to the store are opened ahead
/// at first, so that a small result doesn't wait for the ramp-up.
const FEW: usize = 4;

/// The most links that are requested at a time. Each needs a connection to the service, which stays open.
const LINK_REQUESTS: usize = 16;

/// The wait before the next link request after one has ended. Until then the HTTP client has seen that the connection
/// is free, and uses it again instead of opening another. That takes some microseconds.
const REUSE: Duration = Duration::from_millis(1);

/// The first downloads, for which no connection to the store is opened ahead. The first link is there at once, so the
/// first download opens its own. The second link comes over a connection to the service that is open, which takes as
/// long as opening one to the store.
const NOT_OPENED_AHEAD: usize = 2;

/// How long a download waits for its connection to be opened ahead.
const OPENING_TIMEOUT: Duration = Duration::from_millis(500);

/// How many chunks may wait for the reader, in addition to those that are downloading.
const CHUNKS_AHEAD: u64 = 4;

/// The task that starts everything else. It owns the downloads and the link requests, which end with it.
pub(super) struct Scheduler<D: ChunkDecoder> {
    chunks: Arc<Chunks>,
    pipeline: Arc<Pipeline<D>>,
    /// Takes a receiver for each chunk, in order.
    receivers: UnboundedSender<ChunkReceiver<D::Item>>,
    /// What the service said about the first chunk when the statement ended.
    first: Option<ChunkAnswer>,
    first_link: Option<Link>,
    ramp_up: RampUp,
    /// Bounds the link requests under way. It is fair: requests get their turn in the order of the chunks.
    link_turns: Arc<Semaphore>,
    /// Chunks from `started` on: where they are, or the request for that.
    locations: VecDeque<Task<Result<Location>>>,
    /// How many chunks have a location or a request for it.
    requested: u64,
    /// Connections to the store that are being opened for downloads to come.
    openings: VecDeque<Task<()>>,
    /// How many connections there are, counting those being opened.
    opened: usize,
    downloads: JoinSet<()>,
    /// How many downloads have been started.
    started: u64,
}

/// Closes the receivers when the scheduler ends, however it ends, so that the reader doesn't wait for what can't come.
struct AbandonOnDrop<D: ChunkDecoder>(Arc<Pipeline<D>>);

impl<D: ChunkDecoder> Drop for AbandonOnDrop<D> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl<D: ChunkDecoder> Scheduler<D> {
    pub(super) fn new(
        chunks: Arc<Chunks>,
        pipeline: Arc<Pipeline<D>>,
        receivers: UnboundedSender<ChunkReceiver<D::Item>>,
        first: Option<ChunkAnswer>,
    ) -> Self {
        let count = chunks.layout.count();
        let is_by_links = first.as_ref().is_some_and(|first| first.inline.is_none());
        let link_requests = match count {
            // The answers hold rows, so a request is a download, and the ramp-up bounds those.
            _ if !is_by_links => Semaphore::MAX_PERMITS,
            few if few <= FEW as u64 => 1,
            _ => LINK_REQUESTS,
        };
        // An error is returned when the first chunk is located.
        let first_link = first.as_ref().and_then(|first| first.link_to(0, 0, chunks.origin()).ok().flatten());
        Self {
            ramp_up: RampUp::new(&chunks.options, count),
            link_turns: Arc::new(Semaphore::new(link_requests)),
            locations: VecDeque::new(),
            requested: 0,
            openings: VecDeque::new(),
            opened: NOT_OPENED_AHEAD,
            downloads: JoinSet::new(),
            started: 0,
            chunks,
            pipeline,
            receivers,
            first,
            first_link,
        }
    }

    /// Runs until all chunks have been downloaded, or failed. If the reader is dropped, this is aborted.
    pub(super) async fn run(mut self) {
        let pipeline = self.pipeline.clone();
        let _abandon = AbandonOnDrop(pipeline.clone());
        self.request_locations();
        self.prepare_store().await;
        let mut tick = Instant::now() + TICK;
        loop {
            // Created before the state of the pipeline is read, so that no change in between is missed.
            let changed = pipeline.changed();
            self.request_locations();
            self.open_connections();
            self.start_downloads();
            // The downloads that were just started make room for more requests.
            self.request_locations();
            if self.started == self.chunks.layout.count() && self.downloads.is_empty() {
                return;
            }
            let may_grow = self.ramp_up.may_grow() && self.downloads.len() == self.ramp_up.connections();
            tokio::select! {
                // One that panicked leaves a chunk that never comes; without the scheduler the reader ends.
                Some(ended) = self.downloads.join_next() => if ended.is_err() { return },
                () = changed => {}
                () = tokio::time::sleep_until(tick), if may_grow => {
                    self.ramp_up.look(self.chunks.bytes());
                    tick = Instant::now() + TICK;
                }
            }
        }
    }

    /// Sets up the HTTP client for the store while the first links are requested. It reads the system's certificates,
    /// which takes some milliseconds; during them no byte could arrive, and the ramp-up would take a near store for a
    /// far one.
    async fn prepare_store(&self) {
        if self.first.as_ref().is_none_or(|first| first.inline.is_none()) {
            let wire = self.chunks.wire.clone();
            // If this fails, so does each download, with its own error.
            let _ = tokio::task::spawn_blocking(move || wire.prepare_store()).await;
        }
    }

    /// Requests the locations of the chunks that are downloaded next.
    fn request_locations(&mut self) {
        let end = self.started + self.ramp_up.connections() as u64 + LINKS_AHEAD;
        while self.requested < end.min(self.chunks.layout.count()) {
            self.locations.push_back(self.locate(self.requested));
            self.requested += 1;
        }
    }

    /// Opens connections to the store while links are requested.
    fn open_connections(&mut self) {
        let Some(link) = &self.first_link else { return };
        let remaining = usize::try_from(self.chunks.layout.count() - self.started).unwrap_or(usize::MAX);
        let useful = self.ramp_up.connections().max(FEW).min(self.ramp_up.most()).min(remaining);
        while self.opened < useful {
            self.openings.push_back(Task::spawn(open_connection(self.chunks.clone(), link.clone())));
            self.opened += 1;
        }
    }

    /// Starts downloads while there are connections for them, unless they are too far ahead of the reader.
    fn start_downloads(&mut self) {
        let connections = self.ramp_up.connections();
        let end = self.pipeline.current() + connections as u64 + CHUNKS_AHEAD;
        while self.downloads.len() < connections && self.started < end {
            let Some(location) = self.locations.pop_front() else { return };
            let index = self.started;
            // Sending fails only if the reader is gone. Then this task is about to be aborted.
            let _ = self.receivers.send(self.pipeline.open(index));
            let opening = if index < NOT_OPENED_AHEAD as u64 { None } else { self.openings.pop_front() };
            self.downloads.spawn(fetch(self.chunks.clone(), self.pipeline.clone(), index, location, opening));
            self.started += 1;
        }
    }

    /// Finds out where a chunk is: from the first answer if that says so, else with a request.
    fn locate(&self, index: u64) -> Task<Result<Location>> {
        if let Some(location) = self.known_location(index).transpose() {
            return Task::spawn(std::future::ready(location));
        }
        let chunks = self.chunks.clone();
        // Polled once here, so that the places in the queue are in the order of the chunks, whichever task runs first.
        let mut turn = Box::pin(self.link_turns.clone().acquire_owned());
        let at_once = turn.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        Task::spawn(async move {
            let turn = match at_once {
                Poll::Ready(turn) => turn,
                Poll::Pending => {
                    let turn = turn.await;
                    tokio::time::sleep(REUSE).await;
                    turn
                }
            };
            let answer = chunks.ask(index).await?;
            drop(turn);
            answer.locate(index, chunks.origin())
        })
    }

    /// Where a chunk is, if the first answer says so.
    fn known_location(&self, index: u64) -> Result<Option<Location>> {
        let Some(first) = &self.first else { return Ok(None) };
        match &first.inline {
            Some(rows) if index == 0 && first.other_index(0).is_none() => {
                Ok(Some(Location::Inline(rows.clone(), first.extent())))
            }
            _ => Ok(first.link_to(index, 0, self.chunks.origin())?.map(Location::Link)),
        }
    }
}

/// Opens a connection to the store with a request that transfers no bytes. Whether the store accepts the request
/// doesn't matter: a link may be valid for `GET` only.
async fn open_connection(chunks: Arc<Chunks>, link: Link) {
    let call = chunks.wire.presigned(Method::HEAD, link.url).with_parts(link.headers, None);
    let call = call.with_operation("connection to the store").with_retry(RetryPolicy::never());
    let _ = call.with_timeout(Some(OPENING_TIMEOUT)).send_raw().await;
}

/// Fetches one chunk into the pipeline.
async fn fetch<D: ChunkDecoder>(
    chunks: Arc<Chunks>,
    pipeline: Arc<Pipeline<D>>,
    index: u64,
    location: Task<Result<Location>>,
    opening: Option<Task<()>>,
) {
    let fetched = async {
        let stopped =
            || Err(Error::unexpected(format!("the request for chunk {index} of the result stopped")));
        let said = chunks.layout.extent(index);
        let extent = match location.join().await.unwrap_or_else(stopped)? {
            Location::Link(link) => {
                // The connection is open sooner than one that would be opened now.
                if let Some(opening) = opening {
                    opening.join().await;
                }
                return download(&chunks, &pipeline, index, link).await;
            }
            Location::Inline(rows, extent) => {
                let extent = said.and(extent, index)?;
                pipeline.begin(index, extent.offset);
                chunks.received(rows.len());
                for segment in rows.chunks(D::SEGMENT) {
                    let mut bytes = pipeline.buffers().take(segment.len());
                    bytes.copy_from_slice(segment);
                    pipeline.push(index, Piece { bytes, coding: Coding::Plain });
                }
                extent
            }
            Location::Empty(extent) => said.and(extent, index)?,
        };
        pipeline.complete(index, chunks.completion(extent));
        Ok(())
    };
    if let Err(error) = fetched.await {
        pipeline.fail(index, error);
    }
}

//! Starts downloads in the chunks' order, each with a link that was asked for shortly before.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll, Waker},
    time::Duration,
};

use http::Method;
use tokio::{
    sync::{Semaphore, mpsc::UnboundedSender},
    task::{AbortHandle, JoinHandle, JoinSet},
    time::Instant,
};

use super::{
    download,
    link::Link,
    pipeline::{Decode, Flow, Lane},
    ramp_up::{Growth, TICK},
    reader::{Source, broken, link_of},
    splitter::{Coding, Piece},
};
use crate::{Result, RetryPolicy, sql::wire::ChunkAnswer};

/// Links are asked for so many chunks ahead, beside one for each connection: downloads that began together end together.
const AHEAD: usize = 4;
/// The connection that brought the first answer is open: for so few chunks the links are asked for over it, one after
/// another, which takes no longer than to open others.
const OVER_THE_OPEN: usize = 4;
/// So many links are asked for at a time if there are more: each opens a connection of its own, once.
const ASKING: usize = 16;
/// What a connection needs to be seen free again, and some.
const RETURN: Duration = Duration::from_millis(1);
/// The store's connections that nobody need open ahead: the first chunk's link is there already, and the second comes
/// over the open connection, as fast as one to the store could be opened for it.
const OPENED_IN_TIME: usize = 2;
/// Longer than this nobody waits for a connection that is being opened.
const OPENING: Duration = Duration::from_millis(500);
/// So many chunks may have come and not be read, beside those that are downloading.
const WAITING: u64 = 4;
/// Ends a task when dropped.
pub(super) struct Aborting(pub(super) AbortHandle);

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

pub(super) struct Driver<D: Decode> {
    pub(super) source: Arc<Source>,
    pub(super) flow: Arc<Flow<D>>,
    pub(super) lanes: UnboundedSender<Lane<D::Item>>,
    pub(super) first: Option<ChunkAnswer>,
}

/// Whatever ends the driver, no reader waits for what can't come any more.
struct Closing<D: Decode>(Arc<Flow<D>>);

impl<D: Decode> Drop for Closing<D> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl<D: Decode> Driver<D> {
    pub(super) async fn run(mut self) {
        let _closing = Closing(self.flow.clone());
        let first = self.first.take().map(Arc::new);
        let count = self.source.rows.len() as u64;
        let by_links = first.as_ref().is_some_and(|f| f.inline.is_none());
        let asking = Arc::new(Semaphore::new(match self.source.rows.len() {
            // Rows in the answers: asking is downloading.
            _ if !by_links => Semaphore::MAX_PERMITS,
            few if few <= OVER_THE_OPEN => 1,
            _ => ASKING,
        }));
        let link = first.as_ref().and_then(|f| link_of(f, 0).ok().flatten());
        let (mut opening, mut opened) = (VecDeque::new(), OPENED_IN_TIME);
        let mut growth = Growth::new(self.source.options);
        let (mut answers, mut asked) = (VecDeque::new(), 0_u64);
        let (mut downloads, mut next) = (JoinSet::new(), 0_u64);
        let mut tick = Instant::now() + TICK;
        loop {
            let moved = self.flow.moved();
            let head = self.flow.head();
            while asked < count && asked < next + (growth.limit + AHEAD) as u64 {
                answers.push_back(self.ask(asked, first.as_ref(), &asking));
                asked += 1;
            }
            let left = self.source.rows.len().saturating_sub(next as usize);
            // A few at once, so that a small result doesn't wait for growth.
            let useful = growth.limit.max(OVER_THE_OPEN).min(left);
            while let Some(link) = link.as_ref().filter(|_| opened < useful) {
                opening.push_back(Request::start(open(self.source.clone(), link.clone())));
                opened += 1;
            }
            while downloads.len() < growth.limit
                && next < count
                && next < head + growth.limit as u64 + WAITING
            {
                let Some(answer) = answers.pop_front() else { break };
                // The reader is gone: this task is about to be, too.
                let _ = self.lanes.send(self.flow.open(next));
                let opening = if next < OPENED_IN_TIME as u64 { None } else { opening.pop_front() };
                downloads.spawn(fetch(self.source.clone(), self.flow.clone(), next, answer, opening));
                next += 1;
            }
            while asked < count && asked < next + (growth.limit + AHEAD) as u64 {
                answers.push_back(self.ask(asked, first.as_ref(), &asking));
                asked += 1;
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

    fn ask(&self, index: u64, first: Option<&Arc<ChunkAnswer>>, asking: &Arc<Semaphore>) -> Request<Answer> {
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
        // The place in the queue is taken here, in the chunks' order, whichever task runs first.
        let mut turn = Box::pin(asking.clone().acquire_owned());
        let at_once = turn.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        Request::start(async move {
            let turn = match at_once {
                Poll::Ready(turn) => turn,
                Poll::Pending => {
                    let turn = turn.await;
                    tokio::time::sleep(RETURN).await;
                    turn
                }
            };
            let answer = source.resolve(index).await?;
            drop(turn);
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

/// Opens a connection to the store while the links are on their way, with a request that brings no bytes. Whether the
/// store likes it doesn't matter: a link may be good for `GET` alone.
async fn open(source: Arc<Source>, link: Link) -> Result<()> {
    let call = source.workspace.wire().presigned(Method::HEAD, link.url).with_parts(link.headers, None);
    let call = call.with_operation("connection to the store").with_retry(RetryPolicy::never());
    let _ = call.with_timeout(Some(OPENING)).send_raw().await;
    Ok(())
}

/// Where a chunk's rows are.
enum Answer {
    Inline(bytes::Bytes),
    Link(Link),
    Nothing,
}

async fn fetch<D: Decode>(
    source: Arc<Source>,
    flow: Arc<Flow<D>>,
    index: u64,
    answer: Request<Answer>,
    opening: Option<Request<()>>,
) {
    let done = async {
        match answer.answer().await? {
            Answer::Link(link) => {
                // It was begun earlier than another could be now.
                if let Some(opening) = opening {
                    let _ = opening.answer().await;
                }
                download::download(&source, &flow, index, link).await
            }
            Answer::Inline(rows) => {
                source.received(rows.len());
                for part in rows.chunks(D::SEGMENT) {
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

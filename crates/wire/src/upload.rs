//! Request bodies that are read while they are sent, such as files.
//!
//! Decides what such a request may do:
//! - It is sent again only if its body can be opened again. A body that is read once makes the request one that must not
//!   be repeated, whatever its method says.
//! - It ends after too much silence from the network, and not because its source is slow or its body long.
//! - If the source fails, the request ends with the source's error: the service has seen a part of the body, which it
//!   can tell from a whole one.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use reqwest::Body;
use tokio::time::Instant;

use crate::{BoxFuture, Error, ErrorKind, Result};

/// What a request uploads.
///
/// ```
/// use brickwire_wire::{Error, Upload};
/// // Bytes in memory:
/// let text = Upload::from("a,b\n1,2\n");
/// // A body that is opened anew for each attempt, as a file would be:
/// let rows = Upload::reopened(|| async { Ok::<_, Error>(vec![b'x'; 1 << 20].into()) });
/// // A body that can be read once; the request is not repeated:
/// let piped = Upload::once("from standard input");
/// ```
pub struct Upload(pub(crate) Source);

pub(crate) enum Source {
    /// Sent like any other body.
    Bytes(Bytes),
    Stream(Stream),
}

/// A body that is read while it is sent.
pub(crate) enum Stream {
    Reopened(Box<dyn Fn() -> BoxFuture<'static, Result<Body>> + Send + Sync>),
    Once(Mutex<Option<Body>>),
}

impl Upload {
    /// A body that is opened for each attempt, so that the request can be sent again. If the body knows its length, the
    /// request says it.
    pub fn reopened<F>(open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Body>> + Send + 'static,
    {
        Self(Source::Stream(Stream::Reopened(Box::new(move || Box::pin(open())))))
    }

    /// A body that can be read once. The request is sent once: where a lost answer would be a reason to send it again,
    /// its outcome is unknown.
    pub fn once(body: impl Into<Body>) -> Self {
        Self(Source::Stream(Stream::Once(Mutex::new(Some(body.into())))))
    }
}

impl<T: Into<Bytes>> From<T> for Upload {
    /// Bytes in memory.
    fn from(bytes: T) -> Self {
        Self(Source::Bytes(bytes.into()))
    }
}

/// Shows nothing of the content.
impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0 {
            Source::Bytes(_) => "bytes",
            Source::Stream(Stream::Reopened(_)) => "reopened",
            Source::Stream(Stream::Once(_)) => "once",
        };
        write!(f, "Upload({kind})")
    }
}

impl Stream {
    /// Whether the body can be sent again.
    pub(crate) fn is_reopened(&self) -> bool {
        matches!(self, Self::Reopened(_))
    }

    /// The body for one attempt, and a way to watch how it fares.
    pub(crate) async fn open(&self) -> Result<(Body, Watch)> {
        let body = match self {
            Self::Reopened(open) => open().await?,
            Self::Once(body) => body
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
                .ok_or_else(|| Error::usage("a request body that can't be sent again"))?,
        };
        let watch = Watch(Arc::new(Mutex::new(State { moved: Instant::now(), waits: false, failed: None })));
        Ok((Body::wrap(Watched { body, watch: watch.clone() }), watch))
    }
}

/// How a body fares that is being sent.
#[derive(Clone)]
pub(crate) struct Watch(Arc<Mutex<State>>);

struct State {
    /// When the network last asked for bytes.
    moved: Instant,
    /// Whether it waits for the source.
    waits: bool,
    /// Why the source failed.
    failed: Option<String>,
}

impl Watch {
    /// Returns once nothing has moved for this long, the source excepted.
    pub(crate) async fn silence(&self, limit: Duration) {
        loop {
            let idle = self.with(|state| if state.waits { Duration::ZERO } else { state.moved.elapsed() });
            match limit.checked_sub(idle) {
                None | Some(Duration::ZERO) => return,
                Some(left) => tokio::time::sleep(left).await,
            }
        }
    }

    /// The error of the source, if it failed.
    pub(crate) fn failure(&self) -> Option<Error> {
        let failed = self.with(|state| state.failed.take())?;
        Some(Error::new(ErrorKind::Local, format!("cannot read what is uploaded: {failed}")))
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A body that says how it fares.
struct Watched {
    body: Body,
    watch: Watch,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.watch.with(|state| {
            state.moved = Instant::now();
            state.waits = frame.is_pending();
            if let Poll::Ready(Some(Err(error))) = &frame {
                state.failed = Some(source_of(error).to_string());
            }
        });
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The source's own error: the HTTP client only says that there was one.
fn source_of(error: &reqwest::Error) -> &dyn std::error::Error {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner
}

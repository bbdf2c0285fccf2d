//! Reading a response: why an attempt can fail, and how bodies are read in bounds.

use std::time::Duration;

use ::http::StatusCode;
use bytes::{Bytes, BytesMut};
use reqwest::{Request, Response, Url};

use crate::{Error, ErrorBody, ErrorKind, Result, Unanswered, call::Call};

/// What becomes of a successful response.
pub(crate) trait Receive: Send {
    type Output: Send;

    /// Changes the request before an attempt.
    fn prepare(&mut self, request: &mut Request) -> impl Future<Output = Result<()>> + Send {
        let _ = request;
        std::future::ready(Ok(()))
    }

    /// Reads the body.
    fn receive(
        &mut self,
        call: &Call,
        response: Response,
        attempts: u32,
    ) -> impl Future<Output = Result<Self::Output, Failed>> + Send;

    /// How many bytes have come in all attempts together.
    fn progress(&self) -> u64 {
        0
    }

    /// After the server refused the request: whether there is another address to try.
    fn renew(&mut self, refused: StatusCode) -> impl Future<Output = Result<bool>> + Send {
        let _ = refused;
        std::future::ready(Ok(false))
    }
}

/// Why an attempt failed.
pub(crate) enum Failed {
    /// An error response came.
    Answer(Box<ErrorBody>),
    Unanswered(Unanswered),
    /// The time for the attempt was up.
    Overdue(Duration),
    /// A successful answer came, and it can't be what the API describes.
    Unreadable(Error),
    /// Nothing would change this.
    Final(Error),
}

impl Failed {
    /// Whether the request may have been carried out all the same.
    pub(crate) fn may_have_run(&self) -> bool {
        match self {
            Self::Answer(body) => body.may_have_run(),
            Self::Unanswered(Unanswered::NotSent(_)) | Self::Final(_) => false,
            Self::Unanswered(_) | Self::Overdue(_) | Self::Unreadable(_) => true,
        }
    }

    pub(crate) fn stalled(silence: Duration) -> Self {
        let text = format!("no data for {silence:?}");
        Self::Unanswered(Unanswered::TimedOut(Error::new(ErrorKind::Unreachable, text)))
    }
}

/// A body, or its start.
pub(crate) enum Body {
    Whole(Bytes),
    /// It goes on past the limit.
    Start(Bytes),
}

/// Reads a body up to a limit.
pub(crate) async fn read(
    response: &mut Response,
    limit: u64,
    stall: Option<Duration>,
) -> Result<Body, Failed> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let url = response.url().clone();
    let mut whole = BytesMut::new();
    let mut next_bytes = next(response, &url, stall).await?;
    while let Some(bytes) = next_bytes {
        if whole.len() + bytes.len() > limit {
            whole.extend_from_slice(&bytes[..limit - whole.len()]);
            return Ok(Body::Start(whole.freeze()));
        }
        next_bytes = next(response, &url, stall).await?;
        // Most answers come in one piece, which needs no copy.
        if whole.is_empty() && next_bytes.is_none() {
            return Ok(Body::Whole(bytes));
        }
        whole.extend_from_slice(&bytes);
    }
    Ok(Body::Whole(whole.freeze()))
}

/// The next bytes of a body; silence for longer than `stall` ends the attempt.
pub(crate) async fn next(
    response: &mut Response,
    url: &Url,
    stall: Option<Duration>,
) -> Result<Option<Bytes>, Failed> {
    let next = match stall {
        None => response.chunk().await,
        Some(stall) => match tokio::time::timeout(stall, response.chunk()).await {
            Ok(next) => next,
            Err(_) => return Err(Failed::stalled(stall)),
        },
    };
    next.map_err(|error| match Unanswered::new(url, error) {
        // A connection was there: what failed is the body.
        Unanswered::NotSent(error) => Failed::Unanswered(Unanswered::Lost(error)),
        other => Failed::Unanswered(other),
    })
}

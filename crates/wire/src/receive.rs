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
    /// Nothing would change this.
    Final(Error),
}

impl Failed {
    pub(crate) fn stalled(silence: Duration) -> Self {
        let text = format!("no data for {silence:?}");
        Self::Unanswered(Unanswered::TimedOut(Error::new(ErrorKind::Unreachable, text)))
    }
}

/// Reads a body up to a limit; `None` if it is longer.
pub(crate) async fn read(
    response: &mut Response,
    limit: u64,
    stall: Option<Duration>,
) -> Result<Option<Bytes>, Failed> {
    let url = response.url().clone();
    let Some(first) = next(response, &url, stall).await? else { return Ok(Some(Bytes::new())) };
    let mut whole = BytesMut::new();
    let mut length = first.len() as u64;
    let mut current = Some(first);
    while let Some(bytes) = current {
        if length > limit {
            return Ok(None);
        }
        let following = next(response, &url, stall).await?;
        // Most answers come in one piece, which needs no copy.
        if whole.is_empty() && following.is_none() {
            return Ok(Some(bytes));
        }
        length += following.as_ref().map_or(0, |b| b.len() as u64);
        whole.extend_from_slice(&bytes);
        current = following;
    }
    Ok(Some(whole.freeze()))
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

//! Streamed bodies: written to a sink while they arrive, and continued where they break off.
//!
//! A body that breaks off is asked for again from the byte that is missing (`Range`). A server that sends everything
//! again is taken at its word: the bytes that came before are skipped. An `ETag` that changes in between ends the
//! download, since the two halves belong to different objects.

use ::http::{HeaderMap, HeaderValue, StatusCode, header};
use bytes::Bytes;
use reqwest::{Request, Response, Url};

use crate::{
    Error, ErrorKind, Result, RetryPolicy, Unanswered,
    call::Call,
    receive::{Failed, Receive, next},
    send::send,
};

/// How often a refused address is renewed without a byte in between.
const RENEWALS: u32 = 3;

/// How many attempts in a row may bring no byte, unless the caller says otherwise.
const TRIES: u32 = 10;

/// Takes a streamed body.
pub trait Sink: Send {
    /// Takes the next bytes. The download waits until this returns, so that a slow reader slows it down.
    ///
    /// # Errors
    /// Any error ends the download and is its result.
    fn write(&mut self, bytes: Bytes) -> impl Future<Output = Result<()>> + Send;

    /// Looks at the headers of an answer whose body is about to be written. Called once for each attempt that is
    /// answered.
    ///
    /// # Errors
    /// Any error ends the download and is its result.
    fn begin(&mut self, headers: &HeaderMap) -> Result<()> {
        let _ = headers;
        Ok(())
    }

    /// The address to read from, when it has to be another one: presigned links expire. `refused` is the status with
    /// which the server refused the last one; `None` asks before each attempt whether the address is still good.
    /// Returns `None` if the address stays as it is.
    ///
    /// # Errors
    /// Any error ends the download and is its result.
    fn renew(&mut self, refused: Option<StatusCode>) -> impl Future<Output = Result<Option<Target>>> + Send {
        let _ = refused;
        std::future::ready(Ok(None))
    }
}

/// Where a body is.
#[derive(Clone)]
pub struct Target {
    /// The address.
    pub url: Url,
    /// Headers that belong to it.
    pub headers: HeaderMap,
}

/// Names the host only: a presigned link is a secret.
impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

impl Call {
    /// Sends it and writes the body to a sink while it arrives; a body that breaks off is continued. Returns how many
    /// bytes came.
    ///
    /// # Errors
    /// As for [`send_raw`](Self::send_raw), and those of the sink.
    pub async fn send_stream(mut self, sink: &mut impl Sink) -> Result<u64> {
        // A budget for retries is none for the download.
        if let RetryPolicy::Safe { .. } = self.retry {
            self.retry = RetryPolicy::Resume { tries: TRIES };
        }
        send(&self, Streamed::new(sink)).await
    }
}

/// A download's state between attempts.
struct Streamed<'a, S> {
    sink: &'a mut S,
    target: Option<Target>,
    received: u64,
    /// Tells one version of an object from another.
    version: Option<HeaderValue>,
    renewals: u32,
}

impl<'a, S: Sink> Streamed<'a, S> {
    fn new(sink: &'a mut S) -> Self {
        Self { sink, target: None, received: 0, version: None, renewals: 0 }
    }

    /// Whether the next byte is the first of this range, and how many bytes there are in all, if that is said.
    fn range(&self, headers: &HeaderMap) -> (bool, Option<u64>) {
        let range = headers.get(header::CONTENT_RANGE).and_then(|v| v.to_str().ok());
        let range = range.and_then(|range| range.strip_prefix("bytes ")).unwrap_or_default();
        let start = range.split('-').next().and_then(|start| start.parse().ok());
        (start == Some(self.received), range.rsplit('/').next().and_then(|total| total.parse().ok()))
    }
}

impl<S: Sink> Receive for Streamed<'_, S> {
    type Output = u64;

    async fn prepare(&mut self, request: &mut Request) -> Result<()> {
        if let Some(target) = self.sink.renew(None).await? {
            self.target = Some(target);
        }
        if let Some(target) = &self.target {
            *request.url_mut() = target.url.clone();
            *request.headers_mut() = target.headers.clone();
        }
        if self.received > 0 {
            let range = HeaderValue::try_from(format!("bytes={}-", self.received));
            request.headers_mut().extend(range.ok().map(|range| (header::RANGE, range)));
        }
        Ok(())
    }

    async fn receive(&mut self, call: &Call, mut response: Response, _: u32) -> Result<u64, Failed> {
        let (stall, status) = (call.stall(), response.status());
        // A server that doesn't know ranges sends everything again.
        let mut known = if status == StatusCode::PARTIAL_CONTENT { 0 } else { self.received };
        let version = response.headers().get(header::ETAG).cloned();
        if self.received > 0 && version != self.version {
            return Err(Failed::Final(Error::unexpected("the content changed while it was downloaded")));
        }
        let mut total = None;
        if status == StatusCode::PARTIAL_CONTENT {
            let (is_next, all) = self.range(response.headers());
            if !is_next {
                return Err(lost("the server sent another range"));
            }
            total = all;
        }
        self.sink.begin(response.headers()).map_err(Failed::Final)?;
        self.version = version;
        let url = response.url().clone();
        while let Some(bytes) = next(&mut response, &url, stall).await? {
            let skipped = known.min(bytes.len() as u64);
            known -= skipped;
            let bytes = bytes.slice(skipped as usize..);
            if !bytes.is_empty() {
                self.received += bytes.len() as u64;
                self.renewals = 0;
                self.sink.write(bytes).await.map_err(Failed::Final)?;
            }
        }
        if total.is_some_and(|total| total > self.received) {
            return Err(lost("the server sent a part of the range"));
        }
        if known > 0 { Err(lost("the server sent less than before")) } else { Ok(self.received) }
    }

    fn progress(&self) -> u64 {
        self.received
    }

    async fn renew(&mut self, refused: StatusCode) -> Result<bool> {
        if self.renewals == RENEWALS {
            return Ok(false);
        }
        let Some(target) = self.sink.renew(Some(refused)).await? else { return Ok(false) };
        self.target = Some(target);
        self.renewals += 1;
        Ok(true)
    }
}

fn lost(why: &str) -> Failed {
    Failed::Unanswered(Unanswered::Lost(Error::new(ErrorKind::Unreachable, why)))
}

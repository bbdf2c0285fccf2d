//! Streamed bodies: written to a sink while they arrive, and continued where they break off.
//!
//! A body that breaks off is asked for again from the byte that is missing (`Range`). A server that sends everything
//! again is taken at its word: the bytes that came before are skipped. An `ETag` or a length that changes in between ends
//! the download, since the two halves belong to different objects. A part has as many bytes as it announces. A file of the
//! workspace has no `ETag`: its `Last-Modified` tells, and the service is asked to refuse if it has changed
//! (`If-Unmodified-Since`). A presigned link gets no such header, which could spoil its signature.

use ::http::{HeaderMap, HeaderValue, StatusCode, header};
use bytes::Bytes;
use reqwest::{Request, Response, Url};

use crate::{
    Error, ErrorKind, Result, RetryPolicy, Unanswered,
    answer::check_file,
    call::{Call, Destination},
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
    /// Asks for a file and writes its bytes to a sink while they arrive, as [`send_stream`](Self::send_stream) does.
    /// Returns how many bytes came.
    ///
    /// ```no_run
    /// # async fn example(wire: brickwire_wire::Wire, sink: &mut impl brickwire_wire::Sink) -> brickwire_wire::Result<()> {
    /// use brickwire_wire::OperationInfo;
    /// const GET: OperationInfo = OperationInfo::new("files_download", "GET", "/api/2.0/fs/files/{path}", true);
    /// let bytes = wire.call(&GET).path_with_slashes("path", &"/Volumes/main/a/b/c.csv").download(sink).await?;
    /// println!("{bytes} bytes");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`send_stream`](Self::send_stream), and
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) for an HTML page, which is how proxies
    /// and sign-ins answer.
    pub async fn download(mut self, sink: &mut impl Sink) -> Result<u64> {
        self.expects_json = false;
        self.expects_file = true;
        self.with_header(header::ACCEPT, HeaderValue::from_static("application/octet-stream, */*;q=0.1"))
            // A part of a packed body can't be continued.
            .with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))
            .send_stream(sink)
            .await
            .map_err(|error| match error.status() {
                Some(412) => error.with_kind(ErrorKind::UnexpectedResponse).with_message(CHANGED),
                _ => error,
            })
    }

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
        let is_guarded = self.expects_file && self.destination == Destination::Api;
        send(&self, Streamed::new(sink, is_guarded)).await
    }
}

/// What to say of content that is another than before.
const CHANGED: &str = "the content changed while it was downloaded";

/// A download's state between attempts.
struct Streamed<'a, S> {
    sink: &'a mut S,
    target: Option<Target>,
    received: u64,
    /// Tells one version of an object from another.
    version: Option<HeaderValue>,
    /// Whether a date tells versions apart, too.
    is_guarded: bool,
    /// The date of the version.
    modified: Option<HeaderValue>,
    /// The length of the whole body, if it was said.
    length: Option<u64>,
    renewals: u32,
}

impl<'a, S: Sink> Streamed<'a, S> {
    fn new(sink: &'a mut S, is_guarded: bool) -> Self {
        let (version, modified) = (None, None);
        Self { sink, target: None, received: 0, version, is_guarded, modified, length: None, renewals: 0 }
    }

    /// The length of the whole body, if an answer says so. `None` if it is another than before.
    fn same_length(&mut self, said: Option<u64>) -> Option<()> {
        match (self.length, said) {
            (Some(before), Some(now)) if before != now => return None,
            (None, Some(now)) => self.length = Some(now),
            _ => {}
        }
        Some(())
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
            let since = self.modified.clone();
            request.headers_mut().extend(since.map(|since| (header::IF_UNMODIFIED_SINCE, since)));
        }
        Ok(())
    }

    async fn receive(&mut self, call: &Call, mut response: Response, _: u32) -> Result<u64, Failed> {
        let (stall, status) = (call.stall(), response.status());
        if call.expects_file {
            check_file(call.wire.host(), response.headers()).map_err(Failed::Unreadable)?;
        }
        // A server that doesn't know ranges sends everything again.
        let mut known = if status == StatusCode::PARTIAL_CONTENT { 0 } else { self.received };
        let version = response.headers().get(header::ETAG).cloned();
        let mut end = None;
        let mut length = response.content_length();
        if status == StatusCode::PARTIAL_CONTENT {
            match Range::read(response.headers()) {
                Some(range) if range.first == self.received && length.is_none_or(|n| n == range.length()) => {
                    (end, length) = (Some(range.first.saturating_add(range.length())), range.total);
                }
                _ => return Err(lost("the server sent another range")),
            }
        }
        let modified = response.headers().get(header::LAST_MODIFIED).filter(|_| self.is_guarded).cloned();
        let has_new_date = modified.is_some() && self.modified.is_some() && modified != self.modified;
        let is_same = self.received == 0 || version == self.version && !has_new_date;
        if self.received == 0 {
            self.length = None;
        }
        if !is_same || self.same_length(length).is_none() {
            return Err(Failed::Final(Error::unexpected(CHANGED)));
        }
        self.sink.begin(response.headers()).map_err(Failed::Final)?;
        (self.version, self.modified) = (version, modified.or(self.modified.take()));
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
        // Which bytes are missing isn't known, and what came has been written.
        if end.is_some_and(|end| end != self.received) {
            let text = "the server sent another number of bytes than the range it announced";
            return Err(Failed::Final(Error::unexpected(text)));
        }
        if self.length.is_some_and(|length| length > self.received) {
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

/// The part of a body that an answer has: `bytes 100-199/200`.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    first: u64,
    last: u64,
    total: Option<u64>,
}

impl Range {
    fn length(&self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }

    fn read(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
        let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let total = match total.trim() {
            "*" => None,
            total => Some(total.parse().ok()?),
        };
        let range = Self { first: first.trim().parse().ok()?, last: last.trim().parse().ok()?, total };
        let is_possible = range.first <= range.last && total.is_none_or(|total| range.last < total);
        is_possible.then_some(range)
    }
}

fn lost(why: &str) -> Failed {
    Failed::Unanswered(Unanswered::Lost(Error::new(ErrorKind::Unreachable, why)))
}

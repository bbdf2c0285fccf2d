//! Downloads one chunk from the object store into the pipeline.
//!
//! The wire retries a download and resumes it where it stopped. A link that was refused, or is about to expire, is
//! replaced by a new one. A download may take as long as it needs while bytes arrive; only silence ends an attempt.
//! Messages of the store are never repeated, since they may hold the link.
//!
//! A store that can't be reached, because of a firewall or a private link, is a problem of its own: the service answers,
//! and the rows come from another host. So errors name that host, and a result of which not one byte has come within
//! [`FIRST_BYTE`] fails.

use std::{sync::Arc, time::Duration};

use brickwire_wire::{Sink, Target};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use reqwest::Url;

use super::{
    chunks::Chunks,
    decode::ChunkDecoder,
    extent::Extent,
    link::Link,
    pipeline::Pipeline,
    splitter::{Malformed, Splitter},
};
use crate::{Error, ErrorKind, Result, RetryPolicy};

/// Downloads a chunk into the pipeline.
pub(super) async fn download<D: ChunkDecoder>(
    chunks: &Chunks,
    pipeline: &Arc<Pipeline<D>>,
    index: u64,
    link: Link,
) -> Result<()> {
    let call = chunks
        .wire
        .presigned(Method::GET, link.url.clone())
        .with_parts(link.headers.clone(), None)
        .with_operation(format!("download of chunk {index}"))
        .with_retry(RetryPolicy::Resume { tries: chunks.options.tries })
        .with_stall(chunks.options.stall_timeout);
    let host = host_of(&link.url);
    let extent = chunks.layout.extent(index).and(link.extent, index)?;
    pipeline.begin(index, extent.offset);
    let splitter = Splitter::new(pipeline.buffers().clone(), D::SEGMENT);
    let mut sink =
        ChunkSink { chunks, pipeline, index, link, extent, splitter, begins: true, own_error: None };
    let outcome = tokio::select! {
        outcome = call.send_stream(&mut sink) => outcome,
        limit = silence(chunks) => {
            let text = format!("no byte of the result came within {limit:?}");
            return Err(unreachable_store(index, &host, &text));
        }
    };
    if let Err(error) = outcome {
        return Err(sink.own_error.take().unwrap_or_else(|| sink.failed(&error)));
    }
    let last = sink.splitter.finish().map_err(|error| error.in_chunk(index))?;
    if let Some(piece) = last {
        pipeline.push(index, piece);
    }
    pipeline.complete(index, chunks.completion(sink.extent));
    Ok(())
}

/// How long a store may take to send the first byte of a result. Once bytes have come, only [`FetchOptions`] count.
///
/// [`FetchOptions`]: crate::FetchOptions
const FIRST_BYTE: Duration = Duration::from_secs(45);

/// Returns when the store has sent no byte of the result for too long, and never if it has.
async fn silence(chunks: &Chunks) -> Duration {
    // The caller allows this stall.
    let limit = FIRST_BYTE.max(chunks.options.stall_timeout);
    tokio::time::sleep(limit).await;
    if chunks.bytes() > 0 {
        std::future::pending::<()>().await;
    }
    limit
}

/// The store's host and port; the rest of a link is secret.
fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or("unknown");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn unreachable_store(index: u64, host: &str, why: &str) -> Error {
    let text = format!("cannot download chunk {index} of the result from {host}: {why}");
    Error::new(ErrorKind::Unavailable, text).with_hint(unreachable_hint(host))
}

fn unreachable_hint(host: &str) -> String {
    format!(
        "results are downloaded from {host}: check that firewall, proxy and DNS of this network let you reach it; to \
         fetch a small result in the answer instead, set `disposition` to `INLINE`"
    )
}

/// Whether the store may answer the same request later, so that no new link was asked for.
fn is_busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

/// Splits the bytes of one download, and pushes the pieces into the pipeline.
struct ChunkSink<'a, D: ChunkDecoder> {
    chunks: &'a Chunks,
    pipeline: &'a Arc<Pipeline<D>>,
    index: u64,
    /// The link in use.
    link: Link,
    /// What is known about the chunk's rows.
    extent: Extent,
    splitter: Splitter,
    /// Whether no byte has come.
    begins: bool,
    /// An error that isn't about the store. The wire returns errors of the sink with the call's details, which would
    /// name the wrong operation, so it is kept here as it was.
    own_error: Option<Error>,
}

impl<D: ChunkDecoder> ChunkSink<'_, D> {
    fn keep(&mut self, error: Error) -> Error {
        self.own_error = Some(error.clone());
        error
    }

    fn malformed(&mut self, error: Malformed) -> Error {
        self.keep(error.in_chunk(self.index))
    }

    /// The error for a download that failed for good.
    fn failed(&self, error: &Error) -> Error {
        let (index, host) = (self.index, host_of(&self.link.url));
        let status = error.status().and_then(|status| StatusCode::from_u16(status).ok());
        let code = status.map_or(0, |status| status.as_u16());
        let ours = match status {
            Some(StatusCode::NOT_FOUND | StatusCode::GONE) => {
                let text =
                    format!("the store no longer has chunk {index} of the result: {host} (HTTP {code})");
                let hint = match self.chunks.only_reads {
                    true => "run the statement again",
                    false => "the statement has run: only its result is gone",
                };
                Error::new(ErrorKind::Unavailable, text).with_hint(hint)
            }
            Some(status) if status.is_client_error() && !is_busy(status) => {
                let text = format!("the store refuses chunk {index} of the result (HTTP {code}): {host}");
                let hint = match self.chunks.bytes() {
                    0 => format!(
                        "{}; new links were refused as well, so check the clock, too",
                        unreachable_hint(&host)
                    ),
                    _ => "new links were refused as well: check the network and the clock".to_owned(),
                };
                Error::new(ErrorKind::Unavailable, text).with_hint(hint)
            }
            Some(status) if status.is_redirection() => {
                let text =
                    format!("the store of chunk {index} of the result leads elsewhere (HTTP {code}): {host}");
                Error::new(ErrorKind::Unavailable, text).with_hint(unreachable_hint(&host))
            }
            Some(_) => {
                let wait = error.retry_after().map(|wait| format!(", and asks to wait {wait:?}"));
                unreachable_store(index, &host, &format!("HTTP {code}{}", wait.unwrap_or_default()))
            }
            None if matches!(
                error.kind(),
                ErrorKind::UnexpectedResponse
                    | ErrorKind::DeadlineExceeded
                    | ErrorKind::Configuration
                    | ErrorKind::Local
            ) =>
            {
                let text = format!("cannot download chunk {index} of the result from {host}: {error}");
                Error::new(error.kind(), text)
            }
            None => unreachable_store(index, &host, &error.to_string()),
        };
        ours.with_details(|d| {
            d.status = error.status();
            d.retry_after = error.retry_after();
            d.attempts = error.attempts();
            d.elapsed = error.elapsed();
        })
    }

    /// A proxy or a login page answered for the store.
    fn page(&mut self) -> Error {
        let host = host_of(&self.link.url);
        let text = format!("chunk {} of the result is an HTML page, and not rows: {host}", self.index);
        self.keep(Error::unexpected(text).with_hint(unreachable_hint(&host)))
    }
}

impl<D: ChunkDecoder> Sink for ChunkSink<'_, D> {
    fn begin(&mut self, headers: &HeaderMap) -> Result<()> {
        let content_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        if content_type.to_ascii_lowercase().starts_with(b"text/html") { Err(self.page()) } else { Ok(()) }
    }

    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if std::mem::take(&mut self.begins) && bytes.trim_ascii_start().starts_with(b"<") {
            return Err(self.page());
        }
        self.chunks.received(bytes.len());
        let mut bytes = &bytes[..];
        while !bytes.is_empty() {
            // Backpressure: while this waits, nothing is read from the connection.
            if self.splitter.needs_buffer() {
                self.pipeline.wait_for_memory(self.index).await;
            }
            match self.splitter.take(&mut bytes) {
                Ok(Some(piece)) => self.pipeline.push(self.index, piece),
                Ok(None) => {}
                Err(error) => return Err(self.malformed(error)),
            }
        }
        Ok(())
    }

    async fn renew(&mut self, refused: Option<StatusCode>) -> Result<Option<Target>> {
        if refused.is_none() && !self.link.is_stale() {
            return Ok(None);
        }
        let renewed = self.chunks.new_link(self.index).await;
        let renewed = renewed.and_then(|link| Ok((self.extent.and(link.extent, self.index)?, link)));
        match renewed {
            Ok((extent, link)) => (self.extent, self.link) = (extent, link),
            Err(error) => return Err(self.keep(error)),
        }
        Ok(Some(Target { url: self.link.url.clone(), headers: self.link.headers.clone() }))
    }
}

//! Downloads one chunk from the object store into the pipeline.
//!
//! The wire retries a download and resumes it where it stopped. A link that was refused, or is about to expire, is
//! replaced by a new one. A download may take as long as it needs while bytes arrive; only silence ends an attempt.
//! Messages of the store are never repeated, since they may hold the link.

use std::sync::Arc;

use brickwire_wire::{Sink, Target};
use bytes::Bytes;
use http::{Method, StatusCode};

use super::{
    chunks::Chunks,
    decode::ChunkDecoder,
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
    let splitter = Splitter::new(pipeline.buffers().clone(), D::SEGMENT);
    let mut sink = ChunkSink { chunks, pipeline, index, link, splitter, own_error: None };
    if let Err(error) = call.send_stream(&mut sink).await {
        return Err(sink.own_error.unwrap_or_else(|| failed(index, &error)));
    }
    let last = sink.splitter.finish().map_err(|error| error.in_chunk(index))?;
    if let Some(piece) = last {
        pipeline.push(index, piece);
    }
    pipeline.complete(index, chunks.layout.rows_of(index).or(sink.link.rows));
    Ok(())
}

/// Splits the bytes of one download, and pushes the pieces into the pipeline.
struct ChunkSink<'a, D: ChunkDecoder> {
    chunks: &'a Chunks,
    pipeline: &'a Arc<Pipeline<D>>,
    index: u64,
    /// The link in use.
    link: Link,
    splitter: Splitter,
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
}

impl<D: ChunkDecoder> Sink for ChunkSink<'_, D> {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
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
        match self.chunks.new_link(self.index).await {
            Ok(link) => self.link = link,
            Err(error) => return Err(self.keep(error)),
        }
        Ok(Some(Target { url: self.link.url.clone(), headers: self.link.headers.clone() }))
    }
}

/// The error for a download that failed for good.
fn failed(index: u64, error: &Error) -> Error {
    let status = error.status().and_then(|status| StatusCode::from_u16(status).ok());
    let ours = match status {
        Some(status) if status.is_client_error() => {
            let text = format!("the store refuses chunk {index} of the result (HTTP {})", status.as_u16());
            let hint = match status {
                StatusCode::NOT_FOUND | StatusCode::GONE => {
                    "the store no longer has it: run the statement again"
                }
                _ => "new links were refused as well: check the network and the clock",
            };
            Error::new(ErrorKind::Unavailable, text).with_hint(hint)
        }
        Some(status) => {
            let text = format!("cannot download chunk {index} of the result: HTTP {}", status.as_u16());
            Error::new(ErrorKind::Unavailable, text)
        }
        None => {
            let kind = match error.kind() {
                ErrorKind::UnexpectedResponse => ErrorKind::UnexpectedResponse,
                _ => ErrorKind::Unavailable,
            };
            Error::new(kind, format!("cannot download chunk {index} of the result: {error}"))
        }
    };
    ours.with_details(|d| {
        d.status = error.status();
        d.attempts = error.attempts();
        d.elapsed = error.elapsed();
    })
}

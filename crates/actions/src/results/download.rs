//! Downloads one chunk from the store into the flow. It is retried by itself and continued where it broke off, and its
//! link is renewed when it is refused or about to expire.
//!
//! A download may take as long as it likes while bytes come; only silence ends an attempt. What the store says is never
//! repeated, since it may hold the link.

use std::sync::Arc;

use brickwire_wire::{Sink, Target};
use bytes::Bytes;
use http::{Method, StatusCode};

use super::{
    link::Link,
    pipeline::{Decode, Flow},
    reader::Source,
    splitter::{Malformed, Splitter},
};
use crate::{Error, ErrorKind, Result, RetryPolicy};

/// Downloads a chunk into the flow.
pub(super) async fn download<D: Decode>(
    source: &Source,
    flow: &Arc<Flow<D>>,
    index: u64,
    link: Link,
) -> Result<()> {
    let options = source.options;
    let call = source
        .workspace
        .wire()
        .presigned(Method::GET, link.url.clone())
        .with_parts(link.headers.clone(), None)
        .with_operation(format!("download of chunk {index}"))
        .with_retry(RetryPolicy::Resume { tries: options.tries })
        .with_stall(options.stall);
    let splitter = Splitter::new(flow.pool.clone(), D::SEGMENT);
    let mut chunk = Chunk { source, flow, index, link, splitter, own_error: None };
    if let Err(error) = call.send_stream(&mut chunk).await {
        return Err(chunk.own_error.unwrap_or_else(|| failed(index, &error)));
    }
    let last = chunk.splitter.finish().map_err(|e| damaged(index, &e))?;
    if let Some(piece) = last {
        flow.push(index, piece);
    }
    flow.end(index, source.rows_of(index).or(chunk.link.rows));
    Ok(())
}

/// A chunk on its way.
struct Chunk<'a, D: Decode> {
    source: &'a Source,
    flow: &'a Arc<Flow<D>>,
    index: u64,
    link: Link,
    splitter: Splitter,
    /// An error that is not the store's.
    own_error: Option<Error>,
}

impl<D: Decode> Chunk<'_, D> {
    fn fail(&mut self, error: Error) -> Error {
        self.own_error = Some(error.clone());
        error
    }
}

impl<D: Decode> Sink for Chunk<'_, D> {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.source.received(bytes.len());
        let mut bytes = &bytes[..];
        while !bytes.is_empty() {
            if self.splitter.wants_memory() {
                self.flow.room(self.index).await;
            }
            match self.splitter.take(&mut bytes) {
                Ok(Some(piece)) => self.flow.push(self.index, piece),
                Ok(None) => {}
                Err(error) => return Err(self.fail(damaged(self.index, &error))),
            }
        }
        Ok(())
    }

    async fn renew(&mut self, refused: Option<StatusCode>) -> Result<Option<Target>> {
        if refused.is_none() && !self.link.is_stale() {
            return Ok(None);
        }
        match self.source.link(self.index).await {
            Ok(link) => self.link = link,
            Err(error) => return Err(self.fail(error)),
        }
        Ok(Some(Target { url: self.link.url.clone(), headers: self.link.headers.clone() }))
    }
}

fn damaged(index: u64, error: &Malformed) -> Error {
    Error::unexpected(format!("chunk {index} of the result is damaged: {error}"))
}

/// The error for a download that the store has ended.
fn failed(index: u64, error: &Error) -> Error {
    let status = error.status().and_then(|status| StatusCode::from_u16(status).ok());
    let refused = status.filter(StatusCode::is_client_error);
    let ours = match (refused, status, error.kind()) {
        (Some(status), ..) => {
            let text = format!("the store refuses chunk {index} of the result (HTTP {})", status.as_u16());
            let hint = match status {
                StatusCode::NOT_FOUND | StatusCode::GONE => {
                    "the store no longer has it: run the statement again"
                }
                _ => "links renewed just now were refused, too: check the network and the clock",
            };
            Error::new(ErrorKind::Unavailable, text).with_hint(hint)
        }
        (None, Some(status), _) => {
            let text = format!("cannot download chunk {index} of the result: HTTP {}", status.as_u16());
            Error::new(ErrorKind::Unavailable, text)
        }
        (None, None, ErrorKind::UnexpectedResponse) => {
            Error::unexpected(format!("cannot download chunk {index} of the result: {error}"))
        }
        (None, None, _) => Error::new(
            ErrorKind::Unavailable,
            format!("cannot download chunk {index} of the result: {error}"),
        ),
    };
    ours.with_details(|d| {
        d.status = error.status();
        d.attempts = error.attempts();
        d.elapsed = error.elapsed();
    })
}

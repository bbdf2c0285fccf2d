//! One chunk from the store: retried alone, continued where it broke off, its link renewed when it is refused.
//!
//! A download may take as long as it likes while bytes come; only silence ends an attempt.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{StatusCode, header};
use reqwest::Response;

use super::{
    Source,
    flow::{Decode, Flow},
    link::Link,
    pieces::Splitter,
};
use crate::{Error, ErrorKind, Event, Result, error::ErrorBody};

/// How often a refused link is renewed before that is an error, if no byte comes in between.
const RENEWALS: u32 = 3;

const FIRST_STEP: Duration = Duration::from_millis(100);
const LONGEST_STEP: Duration = Duration::from_secs(5);

/// How an attempt ended, if not with the last byte.
enum Ending {
    /// The store refuses the link.
    Refused(StatusCode),
    /// It may work if tried again.
    Passing {
        reason: String,
        after: Option<Duration>,
    },
    Final(Error),
}

/// How far a download has come.
struct Progress {
    splitter: Splitter,
    received: u64,
    /// What tells one version of an object from another.
    version: Option<Bytes>,
}

/// Downloads a chunk into the flow.
pub(super) async fn download<D: Decode>(
    source: &Source,
    flow: &Arc<Flow<D>>,
    index: u64,
    mut link: Link,
) -> Result<()> {
    let mut progress =
        Progress { splitter: Splitter::new(flow.pool.clone(), D::SEGMENT), received: 0, version: None };
    let (mut failures, mut renewals) = (0, 0);
    if link.is_stale() {
        link = source.link(index).await?;
    }
    loop {
        let before = progress.received;
        let ending = match attempt(source, flow, index, &link, &mut progress).await {
            Ok(()) => break,
            Err(ending) => ending,
        };
        if progress.received > before {
            (failures, renewals) = (0, 0);
        }
        match ending {
            Ending::Final(error) => return Err(error),
            Ending::Refused(status) => {
                renewals += 1;
                if renewals > RENEWALS {
                    let text =
                        format!("the store refuses chunk {index} of the result (HTTP {})", status.as_u16());
                    let hint = match status {
                        StatusCode::NOT_FOUND | StatusCode::GONE => {
                            "the store no longer has it: run the statement again"
                        }
                        _ => "links renewed just now were refused too: check the network and the clock",
                    };
                    return Err(Error::new(ErrorKind::Unavailable, text)
                        .with_hint(hint)
                        .with_details(|d| d.status = Some(status.as_u16())));
                }
                link = source.link(index).await?;
            }
            Ending::Passing { reason, after } => {
                failures += 1;
                if failures >= source.options.tries {
                    let text = format!("cannot download chunk {index} of the result: {reason}");
                    return Err(
                        Error::new(ErrorKind::Unavailable, text).with_details(|d| d.attempts = failures)
                    );
                }
                let after = wait(failures, fastrand::f64()).max(after.unwrap_or_default());
                source.workspace.events().emit(|| Event::Retrying {
                    operation: format!("download of chunk {index}"),
                    attempts: failures,
                    reason: reason.clone(),
                    after,
                });
                tracing::debug!(target: "brickwire", index, failures, ?after, reason, "downloading again");
                tokio::time::sleep(after).await;
                if link.is_stale() {
                    link = source.link(index).await?;
                }
            }
        }
    }
    let last = progress.splitter.finish().map_err(|e| damaged(index, &e))?;
    if let Some(piece) = last {
        flow.push(index, piece);
    }
    flow.end(index, source.rows_of(index).or(link.rows));
    Ok(())
}

/// Between half a step and a whole one; the step doubles.
fn wait(failures: u32, jitter: f64) -> Duration {
    let step = FIRST_STEP.saturating_mul(1 << (failures - 1).min(10)).min(LONGEST_STEP);
    step.mul_f64(0.5 + jitter / 2.0)
}

fn damaged(index: u64, error: &super::pieces::Malformed) -> Error {
    Error::new(ErrorKind::UnexpectedResponse, format!("chunk {index} of the result is damaged: {error}"))
}

async fn attempt<D: Decode>(
    source: &Source,
    flow: &Arc<Flow<D>>,
    index: u64,
    link: &Link,
    progress: &mut Progress,
) -> std::result::Result<(), Ending> {
    let stall = source.options.stall;
    let mut request = source.storage.get(link.url.clone()).headers(link.headers.clone());
    if progress.received > 0 {
        request = request.header(header::RANGE, format!("bytes={}-", progress.received));
    }
    let answer = tokio::time::timeout(stall, request.send()).await.map_err(|_| stalled(stall))?;
    let mut answer = answer.map_err(|e| broken(&e))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(refused(answer, stall).await);
    }
    // A store that doesn't know ranges sends all again.
    let mut known = if status == StatusCode::PARTIAL_CONTENT { 0 } else { progress.received };
    let version = answer.headers().get(header::ETAG).map(|v| Bytes::copy_from_slice(v.as_bytes()));
    if progress.received > 0 && version != progress.version {
        let text = format!("chunk {index} of the result changed while it was downloaded");
        return Err(Ending::Final(Error::new(ErrorKind::UnexpectedResponse, text)));
    }
    if status == StatusCode::PARTIAL_CONTENT && !begins_at(&answer, progress.received) {
        return Err(Ending::Passing { reason: "the store sent another range".to_owned(), after: None });
    }
    progress.version = version;
    loop {
        let next = tokio::time::timeout(stall, answer.chunk()).await.map_err(|_| stalled(stall))?;
        let Some(bytes) = next.map_err(|e| broken(&e))? else { break };
        let skipped = known.min(bytes.len() as u64);
        known -= skipped;
        let mut bytes = &bytes[skipped as usize..];
        progress.received += bytes.len() as u64;
        source.received(bytes.len());
        while !bytes.is_empty() {
            if progress.splitter.wants_memory() {
                flow.room(index).await;
            }
            let piece = progress.splitter.take(&mut bytes);
            if let Some(piece) = piece.map_err(|e| Ending::Final(damaged(index, &e)))? {
                flow.push(index, piece);
            }
        }
    }
    if known > 0 {
        return Err(Ending::Passing { reason: "the store sent less than before".to_owned(), after: None });
    }
    Ok(())
}

fn begins_at(answer: &Response, offset: u64) -> bool {
    let range = answer.headers().get(header::CONTENT_RANGE).and_then(|v| v.to_str().ok());
    range.and_then(|r| r.strip_prefix("bytes ")?.split('-').next()?.parse().ok()) == Some(offset)
}

async fn refused(answer: Response, stall: Duration) -> Ending {
    let (status, headers) = (answer.status(), answer.headers().clone());
    // Read, so that the connection can be used again; what it says may hold the link, and is shown to nobody.
    let body = tokio::time::timeout(stall, answer.bytes()).await;
    let body = body.ok().and_then(Result::ok).unwrap_or_default();
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::RANGE_NOT_SATISFIABLE => {}
        _ if status.is_client_error() => return Ending::Refused(status),
        _ => {}
    }
    let after = ErrorBody::read(status, &headers, &body).retry_after;
    Ending::Passing { reason: format!("HTTP {}", status.as_u16()), after }
}

fn stalled(stall: Duration) -> Ending {
    Ending::Passing { reason: format!("no data for {stall:?}"), after: None }
}

/// The innermost cause; the outer ones name the address.
fn broken(error: &reqwest::Error) -> Ending {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let reason =
        if std::ptr::addr_eq(cause, error) { "the request failed".to_owned() } else { cause.to_string() };
    Ending::Passing { reason, after: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_begin_short_and_double_up_to_five_seconds() {
        let bounds = |n| (wait(n, 0.0).as_millis(), wait(n, 1.0).as_millis());
        assert_eq!(bounds(1), (50, 100));
        assert_eq!(bounds(2), (100, 200));
        assert_eq!(bounds(20), (2500, 5000));
    }
}

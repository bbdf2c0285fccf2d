//! What the targets have in common: reading their inputs, which are text where the wire has text, so that a seed can be
//! written by hand and a find can be read.

pub mod program;
pub mod types;

use std::{cell::Cell, panic};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// A value that must never be seen. It has no meaning in JSON, URLs, or forms, so that nothing escapes it.
pub const PLANTED: &str = "dapi0123456789abcdef0123";

/// The input as text.
pub fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// Takes the first line.
pub fn line<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (line, after) = rest.split_at(end);
    *rest = after.get(1..).unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// An HTTP response as it is on the wire, but for the version: a line with the status, headers, an empty line, the body.
/// What can't be part of one is skipped.
pub fn response(data: &[u8]) -> (StatusCode, HeaderMap, Bytes) {
    let mut rest = data;
    let status = std::str::from_utf8(line(&mut rest)).ok().and_then(|status| status.trim().parse().ok());
    let status =
        status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut headers = HeaderMap::new();
    while !rest.is_empty() {
        let line = line(&mut rest);
        if line.is_empty() {
            break;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    (status, headers, Bytes::copy_from_slice(rest))
}

/// Offsets at which a chunk is cut, from a line of numbers. Each is the length of the next portion; the last one repeats.
pub fn cuts(line: &[u8], length: usize) -> Vec<usize> {
    let mut lengths: Vec<usize> = String::from_utf8_lossy(line)
        .split_whitespace()
        .filter_map(|length| length.parse().ok())
        .filter(|length| *length > 0)
        .take(64)
        .collect();
    let Some(last) = lengths.last().copied() else { return Vec::new() };
    // A byte at a time would take long for large inputs.
    let last = last.max(length / 256).max(1);
    let mut cuts = Vec::new();
    let mut at = 0_usize;
    lengths.reverse();
    while at < length {
        at = at.saturating_add(lengths.pop().unwrap_or(last));
        cuts.push(at);
    }
    cuts
}

/// Everything that an error shows: to people and in a debug log.
pub fn shown(error: &brickwire_wire::Error) -> String {
    let mut shown = format!("{error} {error:?} {:?}", error.hint());
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        shown.push_str(&format!(" {error} {error:?}"));
        source = error.source();
    }
    shown
}

thread_local! {
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Lets [`caught`] catch panics, which otherwise end the run.
pub fn allow_catching() {
    let abort = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !CAUGHT.get() {
            abort(info);
        }
    }));
}

/// Runs something that may panic where the product catches it, too. `None` after a panic.
pub fn caught<T>(run: impl FnOnce() -> T) -> Option<T> {
    CAUGHT.set(true);
    let result = panic::catch_unwind(panic::AssertUnwindSafe(run)).ok();
    CAUGHT.set(false);
    result
}

//! What the debug log shows of a request and its answer: secrets masked, and nothing of what is a secret as a whole.

use ::http::{HeaderMap, StatusCode};
use reqwest::Request;

use crate::{
    call::{Call, Destination},
    redact,
};

/// Token requests and presigned links are secrets as a whole, so only API calls are logged in detail.
fn is_logged(call: &Call) -> bool {
    call.debug && call.destination == Destination::Api
}

pub(super) fn log_request(call: &Call, request: &Request) {
    if is_logged(call) {
        let url = filtered(call, redact::url(request.url()));
        tracing::debug!(target: "brickwire::debug", "> {} {url}", request.method());
        let headers = filtered(call, redact::headers(request.headers()));
        tracing::debug!(target: "brickwire::debug", "> {headers}");
        if let Some(body) = request.body().and_then(|body| body.as_bytes()).filter(|body| !body.is_empty()) {
            tracing::debug!(target: "brickwire::debug", "> {}", redact::body(body, call.wire.filter()));
        }
    }
}

pub(super) fn log_headers(call: &Call, status: StatusCode, headers: &HeaderMap) {
    if is_logged(call) {
        let headers = filtered(call, redact::headers(headers));
        tracing::debug!(target: "brickwire::debug", "< {status} {headers}");
    }
}

fn filtered(call: &Call, text: String) -> String {
    call.wire.filter().text(&text).into_owned()
}

pub(super) fn log_body(call: &Call, body: &[u8]) {
    if is_logged(call) {
        tracing::debug!(target: "brickwire::debug", "< {}", redact::body(body, call.wire.filter()));
    }
}

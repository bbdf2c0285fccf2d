//! The storage behind external links: a listener of its own that knows no tokens and refuses who shows one.
//!
//! A link is signed over its path, its moment and its lifetime with a key of this run. As a cloud's storage does, it
//! answers XML: 400 to an `Authorization` header (two ways to authenticate at once), 403 to a changed, old or
//! incomplete link.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::builder::Options;
use crate::clock::{millis, rfc3339};
use crate::fault::Connection;
use crate::server::Server;

/// The header that a link hands out when it hands out headers.
const LINK_HEADER: &str = "x-sandbox-link-key";

pub(crate) struct Links {
    address: SocketAddr,
    key: String,
}

impl Links {
    pub(crate) fn new(address: SocketAddr, key: String) -> Self {
        Self { address, key }
    }

    /// A link to a file, with what the API says beside it.
    pub(crate) fn link(&self, file: &str, now_ms: u64, options: &Options) -> Value {
        let lifetime_ms = millis(options.link_ttl);
        let path = format!("/results/{file}");
        let signature = self.sign(&path, now_ms, lifetime_ms);
        let mut link = json!({
            "external_link": format!(
                "http://{}{path}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={now_ms}&X-Amz-Expires={}\
                 &X-Amz-SignedHeaders=host&X-Amz-Signature={signature}",
                self.address, lifetime_ms / 1000,
            ),
            "expiration": rfc3339(now_ms + lifetime_ms / 1000 * 1000),
        });
        if options.link_headers {
            link["http_headers"] = json!({ LINK_HEADER: self.sign(&path, 0, 0) });
        }
        link
    }

    fn sign(&self, path: &str, at_ms: u64, lifetime_ms: u64) -> String {
        // HMAC takes keys of any length; a wrong key would make no link work, so nothing is hidden by the default.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.as_bytes()) else { return String::new() };
        mac.update(format!("{path}\n{at_ms}\n{}", lifetime_ms / 1000).as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether a request may have its file, in the order storage checks.
    fn check(&self, uri: &Uri, headers: &HeaderMap, now_ms: u64, options: &Options) -> Result<(), Refusal> {
        if headers.contains_key(header::AUTHORIZATION) {
            return Err(Refusal(
                StatusCode::BAD_REQUEST,
                "InvalidArgument",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
                 parameter or the Authorization header should be specified",
            ));
        }
        let query: HashMap<_, _> =
            form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).collect();
        let number = |name| query.get(name).and_then(|text| text.parse::<u64>().ok());
        let (Some(at_ms), Some(lifetime), Some(signature)) =
            (number("X-Amz-Date"), number("X-Amz-Expires"), query.get("X-Amz-Signature"))
        else {
            return Err(Refusal(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"));
        };
        if self.sign(uri.path(), at_ms, lifetime.saturating_mul(1000)) != *signature {
            return Err(Refusal(
                StatusCode::FORBIDDEN,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and \
                 signing method.",
            ));
        }
        if now_ms >= at_ms.saturating_add(lifetime.saturating_mul(1000)) {
            return Err(Refusal(StatusCode::FORBIDDEN, "AccessDenied", "Request has expired"));
        }
        let shown = headers.get(LINK_HEADER).and_then(|value| value.to_str().ok());
        if options.link_headers && shown != Some(&self.sign(uri.path(), 0, 0)) {
            return Err(Refusal(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"));
        }
        Ok(())
    }
}

/// An error in the words of a cloud's storage.
struct Refusal(StatusCode, &'static str, &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
    }
}

pub(crate) fn router(server: Arc<Server>) -> Router {
    Router::new().fallback(serve).with_state(server)
}

async fn serve(State(server): State<Arc<Server>>, connection: Connection, request: Request) -> Response {
    let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
    let file = uri.path().strip_prefix("/results/").and_then(|rest| rest.split_once('/'));
    let now_ms = server.now_ms();
    let found = file.and_then(|(id, index)| {
        server.directory.tenants().into_iter().find_map(|tenant| {
            let statement = tenant.statements.find(id, now_ms)?;
            Some((tenant.name.clone(), statement.chunk(index.parse().ok()?)))
        })
    });
    let (tenant, chunk) = found.unzip();
    let number = server.log.arrived(now_ms, tenant.clone(), (&method, &uri), &headers, b"");
    let fault = server.faults.choose(&method, uri.path(), tenant.as_deref());
    if let Some(fault) = &fault {
        server.log.faulted(number, fault.rule());
        fault.delay().await;
        server.options.clock.advance(fault.lateness());
    }
    let now_ms = server.now_ms();
    let mut response = match (server.links.check(&uri, &headers, now_ms, &server.options), chunk.flatten()) {
        (Err(refusal), _) => refusal.into_response(),
        (Ok(()), None) => {
            Refusal(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.").into_response()
        }
        (Ok(()), Some(_)) if method != Method::GET && method != Method::HEAD => {
            Refusal(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "The method is not allowed.")
                .into_response()
        }
        (Ok(()), Some(chunk)) => match tokio::fs::read(&chunk.file).await {
            Ok(body) => body_or_part(body, &method, headers.get(header::RANGE)),
            Err(_) => Refusal(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
                .into_response(),
        },
    };
    if let Some(fault) = fault {
        response = fault.play(response, connection, now_ms).await;
        if fault.cuts_connection() {
            return response;
        }
    }
    server.log.answered(number, response.status());
    response
}

/// The file, or the part of it that a `Range` of one piece asks for.
fn body_or_part(body: Vec<u8>, method: &Method, range: Option<&HeaderValue>) -> Response {
    let length = body.len();
    let range = range.and_then(|range| range.to_str().ok()).and_then(|range| range.strip_prefix("bytes="));
    let mut response = match range.map(|range| part(range, length)) {
        Some(None) => {
            let all = format!("bytes */{length}");
            return (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, all)]).into_response();
        }
        Some(Some((from, to))) => {
            let shown = format!("bytes {from}-{}/{length}", to - 1);
            let part = if *method == Method::HEAD { Vec::new() } else { body[from..to].to_vec() };
            (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, shown)], part).into_response()
        }
        None if *method == Method::HEAD => {
            // With an empty body the server would announce a length of zero.
            let announced = Response::builder().header(header::CONTENT_LENGTH, length).body(Body::empty());
            announced.unwrap_or_else(|_| StatusCode::OK.into_response())
        }
        None => body.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("binary/octet-stream"));
    response
}

/// Start and end of `a-b`, `a-` or `-n` in a file of `length` bytes; `None` if there is no such part.
fn part(range: &str, length: usize) -> Option<(usize, usize)> {
    let (from, to) = range.split_once('-')?;
    let (from, to) = match (from.parse::<usize>().ok(), to.parse::<usize>().ok()) {
        (Some(from), Some(last)) => (from, last.saturating_add(1).min(length)),
        (Some(from), None) => (from, length),
        (None, Some(last)) => (length.saturating_sub(last), length),
        (None, None) => return None,
    };
    (from < to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_file() {
        assert_eq!(part("0-3", 10), Some((0, 4)));
        assert_eq!(part("4-", 10), Some((4, 10)));
        assert_eq!(part("-3", 10), Some((7, 10)));
        assert_eq!(part("8-99", 10), Some((8, 10)));
        assert_eq!(part("10-", 10), None);
        assert_eq!(part("x", 10), None);
    }
}

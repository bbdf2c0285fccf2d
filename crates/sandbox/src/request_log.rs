//! The request log: one entry per request, for assertions. Credentials are kept as a short hash, so that a test can
//! tell two tokens apart and the log reveals neither.

use std::collections::VecDeque;
use std::sync::Mutex;

use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::lock::lock;

/// Older entries are dropped, so that the memory of a long-running server is bounded.
const KEPT: usize = 10_000;
const BODY_KEPT: usize = 64 * 1024;

/// One request as it came in.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// Counts the requests of this sandbox from 1.
    pub number: u64,
    /// When it arrived, by the sandbox's clock, in milliseconds since 1970.
    pub at_ms: u64,
    /// Which workspace it belongs to, if its credential was good: see [`requests_of`](crate::Sandbox::requests_of).
    pub tenant: Option<String>,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, not decoded.
    pub path: String,
    /// The query, not decoded, without its question mark. Its secrets are masked.
    pub query: Option<String>,
    /// Names in lower case, in order. `authorization` keeps its scheme and a hash of the rest.
    pub headers: Vec<(String, String)>,
    /// The body: JSON if it is JSON, else text. Secrets of the token endpoint are masked.
    pub body: Option<Value>,
    /// The status of the answer; `None` until there is one, and when a fault cut the connection instead.
    pub status: Option<u16>,
    /// The fault that was injected, as its rule was written.
    pub fault: Option<String>,
}

impl RecordedRequest {
    /// A header's first value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == &name.to_ascii_lowercase())
            .map(|(_, value)| value.as_str())
    }
}

/// The first eight hex digits of a hash: enough to tell credentials apart.
pub(crate) fn fingerprint(secret: &str) -> String {
    Sha256::digest(secret.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Debug, Default)]
pub(crate) struct RequestLog(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    arrived: u64,
    kept: VecDeque<RecordedRequest>,
}

impl RequestLog {
    /// Notes a request and returns its number.
    pub(crate) fn arrived(
        &self,
        at_ms: u64,
        tenant: Option<String>,
        (method, uri): (&Method, &Uri),
        headers: &HeaderMap,
        body: &[u8],
    ) -> u64 {
        let mut entries = lock(&self.0);
        entries.arrived += 1;
        let number = entries.arrived;
        if entries.kept.len() == KEPT {
            entries.kept.pop_front();
        }
        entries.kept.push_back(RecordedRequest {
            number,
            at_ms,
            tenant,
            method: method.to_string(),
            path: uri.path().to_owned(),
            query: uri.query().map(masked),
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_string(), header_text(name.as_str(), value)))
                .collect(),
            body: body_value(uri.path(), body),
            status: None,
            fault: None,
        });
        number
    }

    pub(crate) fn faulted(&self, number: u64, rule: &str) {
        self.update(number, |entry| entry.fault = Some(rule.to_owned()));
    }

    pub(crate) fn answered(&self, number: u64, status: StatusCode) {
        self.update(number, |entry| entry.status = Some(status.as_u16()));
    }

    fn update(&self, number: u64, change: impl FnOnce(&mut RecordedRequest)) {
        let mut entries = lock(&self.0);
        if let Some(entry) = entries.kept.iter_mut().rev().find(|entry| entry.number == number) {
            change(entry);
        }
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        lock(&self.0).kept.iter().cloned().collect()
    }
}

fn header_text(name: &str, value: &axum::http::HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    match name {
        "authorization" | "proxy-authorization" | "cookie" => match text.split_once(' ') {
            Some((scheme, secret)) => format!("{scheme} sha256:{}", fingerprint(secret)),
            None => format!("sha256:{}", fingerprint(&text)),
        },
        _ => text,
    }
}

/// Parameters of queries and forms that hold a credential.
const SECRETS: [&str; 10] = [
    "access_token",
    "actor_token",
    "assertion",
    "client_secret",
    "code",
    "code_verifier",
    "login_code",
    "refresh_token",
    "subject_token",
    "x-amz-signature",
];

/// A query or a form with hashes in place of its secrets.
fn masked(pairs: &str) -> String {
    let masked = pairs.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) if SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) => {
            format!("{name}=sha256:{}", fingerprint(value))
        }
        _ => pair.to_owned(),
    });
    masked.collect::<Vec<_>>().join("&")
}

fn body_value(path: &str, body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return None;
    }
    if path.starts_with("/oidc/") {
        return Some(Value::String(masked(&String::from_utf8_lossy(body))));
    }
    let kept = &body[..body.len().min(BODY_KEPT)];
    Some(
        serde_json::from_slice(kept)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(kept).into_owned())),
    )
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn no_credential_is_kept_in_clear() {
        let log = RequestLog::default();
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("Bearer dapi-secret"));
        let uri = Uri::from_static("/oidc/v1/token?X-Amz-Signature=sig-secret&code=code-secret&a=1");
        log.arrived(
            0,
            None,
            (&Method::POST, &uri),
            &headers,
            b"grant_type=client_credentials&client_secret=form-secret&code_verifier=verifier-secret\
              &refresh_token=refresh-secret&subject_token=subject-secret",
        );
        let all = log.all();
        let text = serde_json::to_string(&all).expect("a log is JSON");
        assert!(!text.contains("-secret"), "{text}");
        assert_eq!(
            all[0].header("Authorization"),
            Some(&*format!("Bearer sha256:{}", fingerprint("dapi-secret")))
        );
        assert!(all[0].query.as_deref().is_some_and(|query| query.ends_with("&a=1")));
    }
}

//! The request log: one entry per request, for assertions. Credentials are kept as a short hash, so that a test can
//! tell two tokens apart and the log reveals neither.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::lock::lock;

/// Older entries are dropped, so that the memory of a long-running server is bounded.
const KEPT: usize = 10_000;
/// The text of all entries together.
const BYTES_KEPT: usize = 32 * 1024 * 1024;
const BODY_KEPT: usize = 64 * 1024;
/// Letters of a fault's rule.
const RULE_KEPT: usize = 1000;

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
    bytes: usize,
    kept: VecDeque<Arc<Entry>>,
}

/// A request as it is kept: its body is read as JSON only when somebody asks for the log.
#[derive(Debug)]
struct Entry {
    /// Without body, status and fault.
    request: RecordedRequest,
    body: Vec<u8>,
    bytes: usize,
    outcome: Mutex<(Option<u16>, Option<String>)>,
}

impl Entry {
    fn recorded(&self) -> RecordedRequest {
        let (status, fault) = lock(&self.outcome).clone();
        let body = body_value(&self.request.path, &self.body);
        RecordedRequest { body, status, fault, ..self.request.clone() }
    }
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
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), header_text(name.as_str(), value)))
            .collect();
        let path = uri.path().to_owned();
        // The secrets of a form are masked in the whole of it, or its cut could hide a name from the mask.
        let body = if path.starts_with("/oidc/") { body } else { &body[..body.len().min(BODY_KEPT)] };
        let query = uri.query().map(masked);
        let header_bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let bytes = path.len() + query.as_ref().map_or(0, String::len) + header_bytes + body.len();
        let request = RecordedRequest {
            number: 0,
            at_ms,
            tenant,
            method: method.to_string(),
            path,
            query,
            headers,
            body: None,
            status: None,
            fault: None,
        };
        let mut entry = Entry { request, body: body.to_vec(), bytes, outcome: Mutex::default() };
        let mut entries = lock(&self.0);
        entries.arrived += 1;
        let number = entries.arrived;
        entry.request.number = number;
        entries.bytes += bytes;
        entries.kept.push_back(Arc::new(entry));
        while entries.kept.len() > KEPT || (entries.bytes > BYTES_KEPT && entries.kept.len() > 1) {
            let Some(oldest) = entries.kept.pop_front() else { break };
            entries.bytes -= oldest.bytes;
        }
        number
    }

    pub(crate) fn faulted(&self, number: u64, rule: &str) {
        let shown: String = rule.chars().take(RULE_KEPT).collect();
        self.update(number, |(_, fault)| *fault = Some(shown));
    }

    pub(crate) fn answered(&self, number: u64, status: StatusCode) {
        self.update(number, |(known, _)| *known = Some(status.as_u16()));
    }

    fn update(&self, number: u64, change: impl FnOnce(&mut (Option<u16>, Option<String>))) {
        let entry = {
            let entries = lock(&self.0);
            // The numbers follow each other.
            let first = entries.kept.front().map_or(0, |entry| entry.request.number);
            let place = number.checked_sub(first).and_then(|place| usize::try_from(place).ok());
            place.and_then(|place| entries.kept.get(place)).cloned()
        };
        if let Some(entry) = entry {
            change(&mut lock(&entry.outcome));
        }
    }

    /// The requests that `wanted` says; only these are copied.
    pub(crate) fn those(&self, wanted: impl Fn(&RecordedRequest) -> bool) -> Vec<RecordedRequest> {
        let kept: Vec<Arc<Entry>> = lock(&self.0).kept.iter().cloned().collect();
        kept.iter().filter(|entry| wanted(&entry.request)).map(|entry| entry.recorded()).collect()
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
    Some(
        serde_json::from_slice(body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned())),
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
        let all = log.those(|_| true);
        let text = serde_json::to_string(&all).expect("a log is JSON");
        assert!(!text.contains("-secret"), "{text}");
        assert_eq!(
            all[0].header("Authorization"),
            Some(&*format!("Bearer sha256:{}", fingerprint("dapi-secret")))
        );
        assert!(all[0].query.as_deref().is_some_and(|query| query.ends_with("&a=1")));
    }

    fn arrive(log: &RequestLog, body: &[u8]) -> u64 {
        log.arrived(0, None, (&Method::POST, &Uri::from_static("/api")), &HeaderMap::new(), body)
    }

    #[test]
    fn the_oldest_entries_go_when_there_are_too_many_bytes() {
        let log = RequestLog::default();
        let first = arrive(&log, b"{}");
        for _ in 0..BYTES_KEPT / BODY_KEPT + 10 {
            arrive(&log, &vec![b'x'; BODY_KEPT * 2]);
        }
        let last = arrive(&log, b"{}");
        log.answered(first, StatusCode::OK);
        log.answered(last, StatusCode::NOT_FOUND);
        log.faulted(last, "GET *: 404");
        let kept = log.those(|_| true);
        assert!(
            (BYTES_KEPT / BODY_KEPT - 10..=BYTES_KEPT / BODY_KEPT).contains(&kept.len()),
            "{}",
            kept.len()
        );
        assert!(kept[0].number > first);
        let newest = &kept[kept.len() - 1];
        assert_eq!((newest.number, newest.status), (last, Some(404)));
        assert_eq!(
            (newest.fault.as_deref(), newest.body.as_ref()),
            (Some("GET *: 404"), Some(&serde_json::json!({})))
        );
        assert_eq!(log.those(|request| request.number == last).len(), 1);
    }

    #[test]
    fn the_oldest_entries_go_when_there_are_too_many() {
        let log = RequestLog::default();
        for _ in 0..KEPT + 5 {
            arrive(&log, b"");
        }
        let kept = log.those(|_| true);
        assert_eq!((kept.len(), kept[0].number), (KEPT, 6));
    }
}

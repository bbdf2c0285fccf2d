//! Decides what an error response means. Databricks sends one shape for each generation of its APIs; proxies and
//! gateways in front of it send plain text, HTML, or nothing but headers.
//!
//! The kind follows from the status first and the error code second, so that a proxy's text is judged right, too; the
//! exceptions are rows of [`NOT_FOUND_QUIRKS`]. Whether a request was carried out is never read from the message: it
//! may quote the user's own text.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use ::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::{Error, ErrorKind};
use crate::{known, text, time};

/// How much of a text that isn't JSON is repeated, in characters, and how much of it is searched for that, in bytes.
const TEXT_LIMIT: usize = 500;
const TEXT_SEARCHED: usize = 64 << 10;

/// 400 INVALID_PARAMETER_VALUE that means 404: (part of the operation's path, what the message must hold).
const NOT_FOUND_QUIRKS: [(&str, &[&str]); 4] = [
    ("/clusters/", &["Cluster ", " does not exist"]),
    ("/jobs/runs/", &["Run", " exist"]),
    ("/jobs/", &["Job ", " does not exist"]),
    ("/1.2/", &["does not exist"]),
];

/// An error response, taken apart.
#[derive(Clone)]
pub struct ErrorBody {
    /// The HTTP status.
    pub status: StatusCode,
    /// The service's error code.
    pub error_code: Option<String>,
    /// What the service says.
    pub message: String,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// Whether the code is a field of its own, and not a word of a text.
    is_coded: bool,
    /// Whether the wait is that of a Retry-After header. Only with that is a 503 a promise that nothing was done.
    pub(crate) has_retry_after: bool,
    raw: Bytes,
}

/// Without what the service says, which may repeat secrets of the request.
impl fmt::Debug for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorBody")
            .field("status", &self.status)
            .field("error_code", &self.error_code.as_deref().map(known::hide))
            .field("request_id", &self.request_id.as_deref().map(known::hide))
            .finish_non_exhaustive()
    }
}

impl ErrorBody {
    /// Takes a response apart.
    pub fn read(status: StatusCode, headers: &HeaderMap, raw: &Bytes) -> Self {
        let whole = String::from_utf8_lossy(raw);
        let whole = whole.trim_start_matches('\u{feff}').trim();
        let json = serde_json::from_str::<Value>(whole).ok().filter(Value::is_object);
        // Services repeat what they refuse. A cut might leave a part of a secret that would no longer be recognized.
        let (error_code, message) = match &json {
            Some(json) => (code_of(json), message_of(json)),
            None => from_text(status, &known::hide(&whole[..text::boundary(whole, TEXT_SEARCHED)])),
        };
        // The messages of Spark begin with a line break, which would make an empty first line.
        let message = reason_headers(headers)
            .or(message)
            .map(|message| message.trim().to_owned())
            .filter(|message| !message.is_empty())
            .unwrap_or_else(|| status.canonical_reason().unwrap_or("request failed").to_owned());
        let in_header = retry_after(headers, now(headers));
        let retry_after = in_header.or_else(|| json.as_ref().and_then(retry_info));
        Self {
            status,
            error_code,
            message,
            retry_after,
            has_retry_after: in_header.is_some(),
            is_coded: json.is_some(),
            request_id: header(headers, "x-request-id")
                .or_else(|| header(headers, "x-databricks-request-id"))
                .or_else(|| json.as_ref().and_then(request_info)),
            raw: raw.clone(),
        }
    }

    /// Whether the service says that it has not started to carry out the request. With a 500, 502 or 504 the code may
    /// be that of something which the request itself had asked for.
    pub(crate) fn is_not_executed(&self) -> bool {
        match self.status.as_u16() {
            429 => true,
            400 | 503 => self.is_coded && self.error_code.as_deref() == Some("REQUEST_LIMIT_EXCEEDED"),
            _ => false,
        }
    }

    fn is_over_limit(&self) -> bool {
        self.is_coded
            && matches!(self.error_code.as_deref(), Some("REQUEST_LIMIT_EXCEEDED" | "RESOURCE_EXHAUSTED"))
    }

    /// Whether the request may have been carried out although this is an error: read from the status and the code, for
    /// a message may quote the caller's own text. A 503 with a Retry-After header is a promise that nothing was done.
    pub(crate) fn may_have_run(&self) -> bool {
        match self.status.as_u16() {
            501 => false,
            // A gateway that waited too long for the service may say this, too.
            408 => true,
            503 => !self.has_retry_after && !self.is_not_executed(),
            500.. => true,
            _ => false,
        }
    }

    /// Whether the failure is likely to pass. The request may have been carried out all the same.
    pub(crate) fn is_transient(&self) -> bool {
        const MESSAGES: [&str; 11] = [
            "REQUEST_LIMIT_EXCEEDED",
            "UnknownWorkerEnvironmentException",
            "does not have any associated worker environments",
            "There is no worker environment with id",
            "Unknown worker environment",
            "ClusterNotReadyException",
            "RPC token bucket limit has been exceeded",
            "Timed out after ",
            "deadline exceeded",
            "Unexpected error",
            "try a faster operation",
        ];
        self.is_over_limit()
            || MESSAGES.iter().any(|m| self.message.contains(m))
            || (self.message.contains("worker env ") && self.message.contains(" not found"))
    }

    /// The error that a caller sees. `path` is that of the request: some paths have statuses of their own.
    pub fn into_error(self, path: &str) -> Error {
        let kind = self.kind(path);
        let text = match &self.error_code {
            Some(code) if !self.message.contains(code.as_str()) => format!("{code}: {}", self.message),
            _ => self.message.clone(),
        };
        let error = Error::new(kind, format!("{text} (HTTP {})", self.status.as_u16())).with_details(|d| {
            d.status = Some(self.status.as_u16());
            d.error_code = self.error_code;
            d.request_id = self.request_id;
            d.retry_after = self.retry_after;
            d.body = Some(self.raw);
        });
        match hint(kind, &self.message) {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    pub(crate) fn kind(&self, path: &str) -> ErrorKind {
        let code = self.error_code.as_deref().unwrap_or_default();
        let quirk = |(part, words): &(&str, &[&str])| {
            path.contains(part) && words.iter().all(|w| self.message.contains(w))
        };
        match self.status.as_u16() {
            _ if self.is_not_executed() => ErrorKind::RateLimited,
            _ if code == "RESOURCE_DOES_NOT_EXIST" => ErrorKind::NotFound,
            400 if code == "INVALID_PARAMETER_VALUE" && NOT_FOUND_QUIRKS.iter().any(quirk) => {
                ErrorKind::NotFound
            }
            400 | 500 if path.contains("/1.2/") && NOT_FOUND_QUIRKS[3..].iter().any(quirk) => {
                ErrorKind::NotFound
            }
            401 => ErrorKind::Unauthenticated,
            403 => ErrorKind::PermissionDenied,
            404 => ErrorKind::NotFound,
            500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Rejected,
        }
    }
}

/// What a 403 says of a token that the workspace doesn't know; there is no code for it.
const UNKNOWN_TOKEN: &str = "Invalid access token";

fn hint(kind: ErrorKind, message: &str) -> Option<&'static str> {
    match kind {
        ErrorKind::PermissionDenied if message.contains(UNKNOWN_TOKEN) => {
            hint(ErrorKind::Unauthenticated, "")
        }
        ErrorKind::Unauthenticated => Some("the token is wrong, expired or of another workspace"),
        ErrorKind::PermissionDenied => Some("ask an administrator of the workspace for the permission"),
        _ => None,
    }
}

/// The error in an answer whose status is that of a success, as a gateway may send it.
pub(crate) fn in_success(body: &[u8]) -> Option<Error> {
    #[derive(Deserialize)]
    struct Said {
        error_code: Option<String>,
        message: Option<String>,
    }
    // Errors are short, and most answers are not read for this.
    let is_candidate = body.len() <= TEXT_SEARCHED && memchr::memmem::find(body, b"\"error_code\"").is_some();
    let said: Said = serde_json::from_slice(if is_candidate { body } else { b"" }).ok()?;
    let code = said.error_code.filter(|code| !code.is_empty())?;
    let message = said.message.unwrap_or_default();
    let text = format!("{code}: {message}: an error came with the status of a success");
    Some(Error::unexpected(text).with_details(|d| d.error_code = Some(code)))
}

fn code_of(json: &Value) -> Option<String> {
    match json.get("error_code") {
        Some(Value::String(code)) if !code.is_empty() => Some(code.clone()),
        Some(Value::Null | Value::String(_)) | None => {
            let status = json.get("status").filter(|_| json.get("detail").is_some())?;
            Some(format!("SCIM_{}", text_of(status)))
        }
        Some(other) => Some(other.to_string()),
    }
}

fn message_of(json: &Value) -> Option<String> {
    let field = |name: &str| json.get(name).filter(|v| !v.is_null()).map(text_of).filter(|t| !t.is_empty());
    let scim = || match (field("scimType"), field("detail")) {
        (Some(kind), Some(detail)) => Some(format!("{kind} {detail}")),
        (None, detail) => detail,
        (kind, None) => kind,
    };
    // API 1.2 says `error`; so does OAuth, with a description.
    let error = field("error").map(|error| match field("error_description") {
        Some(description) => format!("{error}: {description}"),
        None => error,
    });
    error.or_else(|| field("message")).or_else(scim).or_else(|| Some("request failed".to_owned()))
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `CODE: message`, HTML, or any other text.
fn from_text(status: StatusCode, text: &str) -> (Option<String>, Option<String>) {
    if text.is_empty() || text == "null" {
        return (None, None);
    }
    let inner = |tag: &str| {
        let start = text.find(&format!("<{tag}>"))? + tag.len() + 2;
        let end = start + text[start..].find(&format!("</{tag}>"))?;
        Some(text[start..end].trim().to_owned())
    };
    if let Some(message) = inner("pre").or_else(|| inner("title")) {
        let code = status.canonical_reason().map(|r| r.to_uppercase().replace(' ', "_"));
        return (code, Some(message));
    }
    if let Some((code, message)) = text.split_once(": ")
        && !code.is_empty()
        && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    {
        return (Some(code.to_owned()), Some(message.to_owned()));
    }
    (None, Some(text.chars().take(TEXT_LIMIT).collect()))
}

/// Gateways say why in headers, with no body.
fn reason_headers(headers: &HeaderMap) -> Option<String> {
    let thrift = header(headers, "x-thriftserver-error-message").map(|m| format!("Thriftserver error: {m}"));
    let reason = header(headers, "x-databricks-reason-phrase");
    let databricks = match (header(headers, "x-databricks-error-or-redirect-message"), reason) {
        (Some(message), Some(reason)) => Some(format!("Databricks error: {message}: {reason}")),
        (Some(text), None) | (None, Some(text)) => Some(format!("Databricks error: {text}")),
        (None, None) => None,
    };
    match (thrift, databricks) {
        (Some(a), Some(b)) => Some(format!("{a}, {b}")),
        (a, b) => a.or(b),
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().filter(|t| !t.is_empty()).map(str::to_owned)
}

/// The moment at which the answer was made, by the clock that its dates are of: that of this machine may be wrong.
fn now(headers: &HeaderMap) -> SystemTime {
    let date =
        headers.get(::http::header::DATE).and_then(|date| time::parse_http_date(date.to_str().ok()?.trim()));
    date.unwrap_or_else(SystemTime::now)
}

/// `Retry-After`: seconds, with decimals or without, or a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(::http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = time::parse_http_date(text)?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// `google.rpc.RequestInfo` among the details.
fn request_info(json: &Value) -> Option<String> {
    Some(detail(json, "google.rpc.RequestInfo")?["request_id"].as_str()?.to_owned())
}

fn detail<'a>(json: &'a Value, name: &str) -> Option<&'a Value> {
    let details = json.get("details")?.as_array()?;
    details.iter().find(|detail| detail["@type"].as_str().is_some_and(|t| t.ends_with(name)))
}

/// `google.rpc.RetryInfo` among the details.
fn retry_info(json: &Value) -> Option<Duration> {
    match &detail(json, "google.rpc.RetryInfo")?["retry_delay"] {
        Value::String(text) => {
            text.strip_suffix('s')?.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok())
        }
        delay => Some(Duration::from_secs(delay["seconds"].as_u64()?)),
    }
}

#[cfg(test)]
mod tests {
    use ::http::{HeaderValue, header};

    use super::*;

    #[test]
    fn a_date_to_wait_for_is_judged_by_the_clock_of_the_answer() {
        let after = |date: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            let until = HeaderValue::from_static("Sun, 06 Nov 1994 08:50:37 GMT");
            headers.insert(header::RETRY_AFTER, until);
            headers.extend(date.map(|date| (header::DATE, HeaderValue::from_static(date))));
            ErrorBody::read(StatusCode::TOO_MANY_REQUESTS, &headers, &Bytes::new()).retry_after
        };
        assert_eq!(after(Some("Sun, 06 Nov 1994 08:49:37 GMT")), Some(Duration::from_secs(60)));
        assert_eq!(after(Some("Sun, 06 Nov 1994 08:51:00 GMT")), Some(Duration::ZERO));
        // By this machine's clock, that moment has passed.
        for unknown in [None, Some("yesterday")] {
            assert_eq!(after(unknown), Some(Duration::ZERO));
        }
    }
}

//! Raw Request: any request to the workspace, with every input of the connector's action of that name.
//!
//! Four pure parts decide what is sent: `raw/url.rs` the address, `raw/headers.rs` the headers, `raw/body.rs` and
//! `raw/multipart.rs` the body. `raw/response.rs` reads the answer. The wire sends, retries and logs the request like any
//! other. All inputs are checked before anything is sent.
//!
//! Differences from the connector, on purpose:
//! - An absolute address must be on the workspace or on its cloud's account console, because the token goes with the
//!   request. User information, backslashes, control characters, other schemes and `//host` are refused.
//! - `/api/2.0/x` means the same as `/2.0/x`, and a lone `%` is sent as `%25`.
//! - JSON text without a Content-Type is labeled `application/json`, and a byte-order mark before it isn't sent. Text
//!   under a JSON label is sent as it is and never quoted. A JSON number, `false` or `null` given as [`RawData::Json`] is
//!   sent.
//! - A content type given with data or a file wins. A file whose name has no known extension is
//!   `application/octet-stream`.
//! - Authorization, Host and the headers of the connection itself are refused, and so are an empty header name, a value
//!   with a line break, and a Content-Length that isn't the body's. An empty Content-Type counts as none.
//! - A Content-Type that contradicts the body is refused.
//! - A file name without its file is an error.
//! - Each attempt sends a form whole. A 429 is retried for every method. A POST whose answer is lost is an unknown
//!   outcome, and is repeated only with "retry on all errors". A GET whose answer is cut off is repeated.
//! - Redirects stay on their origin, ten at most.
//! - A page or a text in place of JSON is an error, integers stay exact, and status and headers are returned.
//! - Silence always has a limit (60 s), and a timeout of zero is refused.
//! - The debug log masks credentials and never shows a form.

mod body;
mod curl;
mod data;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod headers;
mod multipart;
mod named;
mod response;
mod url;

use std::{fmt, time::Duration};

use brickwire_client::Reference;
use brickwire_wire::{Redirects, Wire};
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use reqwest::Request;

use crate::{Error, Result, RetryPolicy};

use body::Content;

pub use data::RawData;
pub use multipart::FilePart;
pub use response::{RawResponse, ResponseType};

/// The connector's methods.
const METHODS: [&str; 10] =
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "LINK", "UNLINK", "PURGE"];

/// A request to the workspace by method and address; sent with [`Workspace::raw`](crate::Workspace::raw).
///
/// ```no_run
/// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
/// use brickwire_actions::RawRequest;
/// let request = RawRequest::new("POST", "/2.0/clusters/start").with_data(r#"{"cluster_id":"1-2-x"}"#);
/// let response = workspace.raw(&request).await?;
/// println!("{} {}", response.status, response.json()?);
/// # Ok(())
/// # }
/// ```
///
/// The address is relative to `https://<host>/api/` (`/api/…` works, too), or an absolute one on the workspace or on the
/// account console of its cloud.
///
/// Nothing is repeated unless [`with_retry`](Self::with_retry) says so. GET, HEAD, OPTIONS, PUT and DELETE count as
/// safe to repeat.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a wrong input, before anything is sent;
/// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) for an answer that is not the JSON that was
/// requested; and for a status other than 2xx the kind that belongs to it. An empty body is not an error.
#[derive(Clone)]
pub struct RawRequest {
    method: String,
    url: String,
    data: Option<RawData>,
    form: Vec<(String, String)>,
    files: Vec<FilePart>,
    file_names: Vec<(String, String)>,
    query: Vec<(String, String)>,
    repeats_query_keys: bool,
    headers: Vec<(String, String)>,
    response_type: ResponseType,
    response_limit: Option<u64>,
    timeout: Option<Duration>,
    debug: bool,
    retry: RetryPolicy,
    /// The operation that it was made for.
    named: Option<&'static Reference>,
}

impl RawRequest {
    /// Creates a request. The method, in any case, is one of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, LINK, UNLINK, PURGE.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            data: None,
            form: Vec::new(),
            files: Vec::new(),
            file_names: Vec::new(),
            query: Vec::new(),
            repeats_query_keys: false,
            headers: Vec::new(),
            response_type: ResponseType::default(),
            response_limit: None,
            timeout: None,
            debug: false,
            retry: RetryPolicy::never(),
            named: None,
        }
    }

    /// Sets the body. A request has either a body or form fields and files.
    pub fn with_data(mut self, data: impl Into<RawData>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// Adds a field to a multipart form. Fields come before files.
    pub fn with_form_field(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.form.push((key.into(), value.into()));
        self
    }

    /// Adds a file to a multipart form.
    pub fn with_file(mut self, file: FilePart) -> Self {
        self.files.push(file);
        self
    }

    /// Sends the file under `key` with this name instead of the key. Of a path, only the last part is sent.
    pub fn with_file_name(mut self, key: impl Into<String>, name: impl Into<String>) -> Self {
        self.file_names.push((key.into(), name.into()));
        self
    }

    /// Adds a query parameter after those of the address. If a key is given twice, the last value counts.
    pub fn with_query(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((key.into(), value.into()));
        self
    }

    /// Sends each key as often as it was given, which SCIM and some lists need.
    pub fn with_repeated_query_keys(mut self, repeated: bool) -> Self {
        self.repeats_query_keys = repeated;
        self
    }

    /// Adds a header. If a name is given twice, the last value counts. Authorization belongs to the connection and is
    /// refused.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The type of the answer; JSON by default.
    pub fn with_response_type(mut self, response_type: ResponseType) -> Self {
        self.response_type = response_type;
        self
    }

    /// Limits each attempt, its body included; must be greater than zero. Without a limit, an attempt ends after a minute
    /// of silence.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The longest answer, unpacked, in bytes; a longer one is an error. Without this, it is 64 MiB, and JSON with more
    /// values than an answer of the API should have is an error, too.
    pub fn with_response_limit(mut self, bytes: u64) -> Self {
        self.response_limit = Some(bytes);
        self
    }

    /// Logs request and response through `tracing` (target `brickwire::debug`), with secrets masked.
    pub fn with_debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// When to send it again: by the connector's four inputs ([`RetryPolicy::Connector`]), or whenever that is safe.
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    pub(crate) async fn send(&self, wire: &Wire) -> Result<RawResponse> {
        let request = self.prepared(wire)?;
        let operation = match self.named {
            Some(named) => named.info.operation_id.to_owned(),
            None => format!("{} {}", request.method(), request.url().path()),
        };
        let (method, url) = (request.method().clone(), request.url().clone());
        let expects_json = self.response_type == ResponseType::Json && method != Method::HEAD;
        let body = request.body().and_then(|body| body.as_bytes()).map(Bytes::copy_from_slice);
        let call = wire
            .request(method, url)
            .with_parts(request.headers().clone(), body)
            .with_operation(operation.clone())
            .with_retry(self.retry)
            .with_timeout(self.timeout)
            .with_debug(self.debug)
            .with_redirects(Redirects::FollowAsBrowsers)
            .with_expected_json(expects_json);
        let call = match self.named {
            Some(_) if self.has_idempotency_token() => call.with_idempotency_token(),
            Some(named) => call.with_repeatable(named.info.repeatable),
            None => call,
        };
        let call = match self.named {
            Some(named) => call.with_reads(named.info.reads),
            None => call,
        };
        let call = match self.response_limit {
            None => call,
            // Who sets a limit has the memory for what fits.
            Some(limit) => call.with_limit(limit).with_any_values(),
        };
        let (is_repeatable, answer) = (call.is_repeatable(), call.send_raw().await?);
        RawResponse::new(answer, &operation, self.response_type).map_err(|error| match is_repeatable {
            true => error,
            // The service accepted the request, but what it did is unknown.
            false => error.into_unknown_outcome(&operation),
        })
    }

    /// The request as a curl command, secrets masked; nothing is sent.
    pub(crate) fn as_curl(&self, wire: &Wire) -> Result<String> {
        let request = self.prepared(wire)?;
        let is_form = !self.form.is_empty() || !self.files.is_empty();
        Ok(match is_form {
            true => {
                let files = multipart::parts(&self.files, &self.file_names);
                curl::form_command(&request, &self.form, files, wire.filter())
            }
            false => curl::command(&request, wire.filter()),
        })
    }

    /// All inputs checked and put together.
    fn prepared(&self, wire: &Wire) -> Result<Request> {
        let method = self.parsed_method()?;
        self.check_body()?;
        if self.timeout.is_some_and(|t| t.is_zero()) {
            return Err(
                Error::usage("the timeout must be more than zero").with_hint("leave it out for no timeout")
            );
        }
        let address = match self.named {
            // Not every operation lies under /api.
            Some(_) => wire.host().join(&self.url)?,
            None => url::resolve(wire.host(), &self.url)?,
        };
        let address = url::with_query(address, &self.query, self.repeats_query_keys);
        let mut headers = headers::merged(&self.headers)?;
        let content = Content {
            data: self.data.as_ref(),
            form: &self.form,
            files: &self.files,
            file_names: &self.file_names,
        };
        let payload = content.payload(&method, headers.get(header::CONTENT_TYPE))?;
        match payload.content_type {
            Some(content_type) => headers.insert(header::CONTENT_TYPE, content_type),
            None => headers.remove(header::CONTENT_TYPE),
        };
        let length = payload.bytes.as_ref().map_or(0, Bytes::len);
        if let Some(given) = headers.remove(header::CONTENT_LENGTH)
            && given.to_str().ok().and_then(|given| given.parse().ok()) != Some(length)
        {
            return Err(Error::usage(format!(
                "the Content-Length is {given:?}, but the body has {length} bytes"
            ))
            .with_hint("leave it out"));
        }
        if payload.bytes.is_none() && !matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS" | "DELETE") {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let mut request = Request::new(method, address);
        *request.headers_mut() = headers;
        *request.body_mut() = payload.bytes.map(Into::into);
        Ok(request)
    }

    fn parsed_method(&self) -> Result<Method> {
        let method = self.method.trim().to_ascii_uppercase();
        METHODS.iter().find(|known| **known == method).and_then(|known| known.parse().ok()).ok_or_else(|| {
            Error::usage(format!("unknown method: {:?}", self.method))
                .with_hint(format!("one of {}", METHODS.join(", ")))
        })
    }
}

/// Shows names, not values: a header, a field or a query may be a secret.
impl fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |pairs: &[(String, String)]| pairs.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        f.debug_struct("RawRequest")
            .field("method", &self.method)
            .field("url", &path.rsplit('@').next().unwrap_or_default())
            .field("data", &self.data)
            .field("form", &names(&self.form))
            .field("files", &self.files)
            .field("query", &names(&self.query))
            .field("headers", &names(&self.headers))
            .field("response_type", &self.response_type)
            .field("timeout", &self.timeout)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_read_in_any_case() {
        for method in METHODS {
            let lower = RawRequest::new(method.to_lowercase(), "/");
            assert_eq!(lower.parsed_method().unwrap().as_str(), method);
        }
        for bad in ["", "TRACE", "CONNECT", "GE T", "GET\r\nX: y"] {
            let error = RawRequest::new(bad, "/").parsed_method().unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Usage, "{bad:?}");
        }
    }

    #[test]
    fn debug_holds_no_values() {
        let request = RawRequest::new("POST", "https://u:S3@x.example/a?token=S3")
            .with_data("S3")
            .with_form_field("password", "S3")
            .with_file(FilePart::new("f", "S3"))
            .with_query("sig", "S3")
            .with_header("X-Api-Key", "S3");
        let shown = format!("{request:?} {:?}", RawData::Json(serde_json::json!({"a": "S3"})));
        assert!(!shown.contains("S3") && shown.contains("X-Api-Key"), "{shown}");
    }
}

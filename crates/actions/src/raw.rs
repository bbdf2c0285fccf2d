//! Raw Request: any request to the workspace, with every input of the connector's action of that name.
//!
//! What is sent is decided in four pure parts: the address in `raw/url.rs`, the headers in `raw/headers.rs`, the body
//! in `raw/body.rs` and `raw/multipart.rs`; the answer is in `raw/response.rs`. Sending, retries and the debug log are
//! the wire's, as for every other call. All inputs are checked before anything is sent.
//!
//! Differences from the connector, on purpose:
//! - an absolute address is refused unless it is the workspace's or its cloud's account console, for the token goes
//!   along; so are user information, backslashes, control characters, other schemes and `//host`;
//! - `/api/2.0/x` means the same as `/2.0/x`, and a lone `%` is sent as `%25`;
//! - JSON text without a Content-Type is labelled `application/json`, and a byte-order mark before it isn't sent; text under a JSON label is sent as it is, and
//!   never quoted; a JSON number, `false` or `null` given as [`RawData::Json`] is sent;
//! - a content type given with data or a file wins; a file's name without a known extension is
//!   `application/octet-stream`;
//! - Authorization, Host and the headers of the connection itself are refused, as are an empty header name, a value
//!   with a line break, and a Content-Length that isn't the body's; an empty Content-Type is none;
//! - a Content-Type that the body contradicts is refused: one of a form for JSON, another one for a form;
//! - a file name for a file that wasn't given is an error;
//! - a form is sent whole again at each attempt; a 429 is repeated for every method; a lost answer to a POST is
//!   reported as an unknown outcome and repeated only with "retry on all errors"; a cut-off answer to a GET is
//!   repeated;
//! - redirects stay on their origin, ten at the most;
//! - a page or a text where JSON was asked for is an error, integers stay exact, and status and headers are returned;
//! - there is always a limit on silence (60 s), and a timeout of nothing is refused;
//! - the debug log masks credentials, and never shows a form.

mod body;
mod curl;
mod data;
mod headers;
mod multipart;
mod response;
mod url;

use std::{fmt, time::Duration};

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
/// The address is relative to `https://<host>/api/` (`/api/…` is accepted as well), or absolute and then on the
/// workspace's own origin or on the account console of its cloud.
///
/// Nothing is repeated unless [`with_retry`](Self::with_retry) says so. GET, HEAD, OPTIONS, PUT and DELETE count as
/// safe to repeat.
///
/// # Errors
/// Sending gives [`ErrorKind::Usage`](crate::ErrorKind::Usage) for an input that is wrong, before anything is sent;
/// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if JSON was asked for and something else
/// came; and for a status other than 2xx the kind that belongs to it. An empty body is not an error.
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
    timeout: Option<Duration>,
    debug: bool,
    retry: RetryPolicy,
}

impl RawRequest {
    /// A request; the method in any case, one of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, LINK, UNLINK, PURGE.
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
            timeout: None,
            debug: false,
            retry: RetryPolicy::never(),
        }
    }

    /// The body; not together with form fields or files.
    pub fn with_data(mut self, data: impl Into<RawData>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// One more field of a multipart form; fields come before files.
    pub fn with_form_field(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.form.push((key.into(), value.into()));
        self
    }

    /// One more file of a multipart form.
    pub fn with_file(mut self, file: FilePart) -> Self {
        self.files.push(file);
        self
    }

    /// The name that the file under `key` is sent with, instead of the key; of a path only the last part.
    pub fn with_file_name(mut self, key: impl Into<String>, name: impl Into<String>) -> Self {
        self.file_names.push((key.into(), name.into()));
        self
    }

    /// One more query parameter, after those of the address. Of a key given twice the last value counts.
    pub fn with_query(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((key.into(), value.into()));
        self
    }

    /// Sends every query parameter, a key as often as it was given; SCIM and some lists need that.
    pub fn with_repeated_query_keys(mut self, repeated: bool) -> Self {
        self.repeats_query_keys = repeated;
        self
    }

    /// One more header. Of a name given twice the last value counts. Authorization belongs to the connection and is
    /// refused.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// What the answer is to be; JSON by default.
    pub fn with_response_type(mut self, response_type: ResponseType) -> Self {
        self.response_type = response_type;
        self
    }

    /// The time for each attempt, the body included; must be more than zero. Without it an attempt lives as long as
    /// no minute passes in silence.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Logs request and response through `tracing` (target `brickwire::debug`), with secrets masked.
    pub fn with_debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// When it is sent again: the connector's four inputs as [`RetryPolicy::Connector`], or whatever is safe.
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    pub(crate) async fn send(&self, wire: &Wire) -> Result<RawResponse> {
        let request = self.prepared(wire)?;
        let operation = format!("{} {}", request.method(), request.url().path());
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
        RawResponse::new(call.send_raw().await?, &operation, self.response_type)
    }

    /// The request as a curl command, secrets masked; nothing is sent.
    pub(crate) fn as_curl(&self, wire: &Wire) -> Result<String> {
        let request = self.prepared(wire)?;
        let is_form = !self.form.is_empty() || !self.files.is_empty();
        Ok(match is_form {
            true => curl::form_command(&request, &self.form, multipart::parts(&self.files, &self.file_names)),
            false => curl::command(&request),
        })
    }

    /// All inputs checked and put together.
    fn prepared(&self, wire: &Wire) -> Result<Request> {
        let method = self.parsed_method()?;
        if self.timeout.is_some_and(|t| t.is_zero()) {
            return Err(
                Error::usage("the timeout must be more than zero").with_hint("leave it out for no timeout")
            );
        }
        let address = url::resolve(wire.host(), &self.url)?;
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

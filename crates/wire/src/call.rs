//! One call: its method, address, headers and body, whether it may be repeated, and how long it may take.
//!
//! Decides how arguments look on the wire. A path segment is percent-encoded whole; an empty one, `.` and `..` are
//! refused, since URL parsers resolve even their encoded forms and the request would reach another resource. A list in
//! the query repeats its key.

use std::{borrow::Cow, fmt, fmt::Display, time::Duration};

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Request, Url};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    Error, ErrorKind, OperationInfo, Result, RetryPolicy, Upload, Wire, form,
    http::INACTIVITY,
    upload::{Source, Stream},
};

/// Everything but RFC 3986's unreserved characters is encoded in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The longest answer, unpacked, in bytes, unless the caller says otherwise.
const LONGEST_BODY: u64 = 64 << 20;

/// How often a body that is read while it is sent is sent at most, unless the caller says otherwise.
const UPLOADS: u32 = 4;

/// What becomes of a redirect. No redirect is followed to another origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Redirects {
    /// Followed as long as the method stays the same.
    #[default]
    Follow,
    /// Followed as browsers do, which turn some POST requests into GET.
    FollowAsBrowsers,
    /// Not followed: an error response like any other.
    Refuse,
    /// Not followed: the redirect itself is the answer.
    Return,
}

/// Where a call goes, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The workspace or its account console, with the credential.
    Api,
    /// A token endpoint or the like: over the same HTTP client, without the credential.
    Anonymous,
    /// A presigned link: nothing of ours goes there.
    Presigned,
}

/// A call in the making. Nothing is sent before one of the `send` methods is awaited; the first wrong argument is kept
/// and is their result.
///
/// ```no_run
/// # async fn example(wire: brickwire_wire::Wire) -> brickwire_wire::Result<()> {
/// use brickwire_wire::OperationInfo;
/// const GET: OperationInfo = OperationInfo::new("pools_get", "GET", "/api/2.0/instance-pools/get", true);
/// let answer = wire.call(&GET).query("instance_pool_id", &"p-1").send_raw().await?;
/// println!("{} bytes", answer.body.len());
/// # Ok(())
/// # }
/// ```
#[must_use = "a call is not sent until one of its `send` methods is awaited"]
pub struct Call {
    pub(crate) wire: Wire,
    pub(crate) operation: Cow<'static, str>,
    repeatable: bool,
    /// Whether it changes nothing.
    reads: bool,
    /// Whether it starts something, though only once however often it is sent.
    has_token: bool,
    pub(crate) retry: RetryPolicy,
    pub(crate) timeout: Option<Duration>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) cancel: Option<CancellationToken>,
    pub(crate) debug: bool,
    pub(crate) destination: Destination,
    pub(crate) redirects: Redirects,
    /// Whether anything but JSON is an error.
    pub(crate) expects_json: bool,
    /// Whether an HTML page is an error, and anything else the content of a file.
    pub(crate) expects_file: bool,
    /// Whether an answer with nothing in it is an error.
    pub(crate) expects_content: bool,
    pub(crate) checks_shape: bool,
    pub(crate) checks_values: bool,
    pub(crate) limit: u64,
    stall: Option<Duration>,
    method: Method,
    /// The path with its placeholders filled in; not used if there is a URL.
    path: String,
    url: Option<Url>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Option<Bytes>,
    /// A body that is read while it is sent, in place of `body`.
    upload: Option<Stream>,
    problem: Option<Error>,
}

impl Call {
    fn new(wire: Wire, operation: &OperationInfo) -> Self {
        let method = Method::from_bytes(operation.method.as_bytes());
        let problem = method.is_err().then(|| Error::usage(format!("not a method: {:?}", operation.method)));
        let mut call = Self::to(wire, Destination::Api, method.unwrap_or_default(), None);
        call.operation = Cow::Borrowed(operation.operation_id);
        (call.repeatable, call.reads) = (operation.repeatable, operation.reads);
        call.path = operation.path.to_owned();
        call.problem = problem;
        call.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        call.expects_json = true;
        call.expects_content = call.method == Method::GET;
        call
    }

    fn to(wire: Wire, destination: Destination, method: Method, url: Option<Url>) -> Self {
        let settings = wire.settings();
        Self {
            operation: Cow::Borrowed("request"),
            repeatable: is_repeatable(&method),
            reads: matches!(method, Method::GET | Method::HEAD),
            has_token: false,
            retry: settings.retry,
            timeout: None,
            deadline: settings.deadline,
            cancel: settings.cancel.clone(),
            debug: settings.debug,
            destination,
            redirects: Redirects::Follow,
            expects_json: false,
            expects_file: false,
            expects_content: false,
            checks_shape: true,
            checks_values: true,
            limit: LONGEST_BODY,
            stall: None,
            method,
            path: String::new(),
            url,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: None,
            upload: None,
            problem: None,
            wire,
        }
    }

    /// Fills the placeholder `{name}` of the path with one segment.
    pub fn path(self, name: &str, value: &dyn Display) -> Self {
        let value = value.to_string();
        self.fill(name, &value, &[&value])
    }

    /// Fills the placeholder `{name}` with a path of its own; one slash at its start is not part of it.
    pub fn path_with_slashes(self, name: &str, value: &dyn Display) -> Self {
        let value = value.to_string();
        let segments: Vec<_> = value.strip_prefix('/').unwrap_or(&value).split('/').collect();
        self.fill(name, &value, &segments)
    }

    fn fill(mut self, name: &str, value: &str, segments: &[&str]) -> Self {
        let encoded: Option<Vec<_>> = segments.iter().map(|segment| path_segment(segment)).collect();
        match encoded {
            Some(encoded) => self.path = self.path.replace(&format!("{{{name}}}"), &encoded.join("/")),
            None => self.refuse(name, value),
        }
        self
    }

    /// Adds a required query parameter; an empty value is refused.
    pub fn query(mut self, name: &str, value: &dyn Display) -> Self {
        let value = value.to_string();
        if value.is_empty() {
            self.refuse(name, &value);
        }
        self.query.push((name.to_owned(), value));
        self
    }

    /// Adds the query parameters that are set; a list repeats its key.
    pub fn query_object(mut self, query: &impl Serialize) -> Self {
        match serde_json::to_value(query) {
            Ok(Value::Object(parameters)) => {
                for (name, value) in parameters {
                    match value {
                        Value::Null => {}
                        Value::Array(values) => {
                            self.query.extend(values.iter().map(|one| (name.clone(), text(one))))
                        }
                        value => self.query.push((name, text(&value))),
                    }
                }
            }
            Ok(_) => self.fail(Error::usage("the query is not an object")),
            Err(error) => self.fail(Error::usage(error.to_string())),
        }
        self
    }

    /// Sets a JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.with_body(body.into(), HeaderValue::from_static("application/json")),
            Err(error) => {
                self.fail(Error::usage(error.to_string()));
                self
            }
        }
    }

    /// Sets a form as the body.
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let body = form::encode(pairs.iter().copied());
        self.with_body(body.into(), HeaderValue::from_static("application/x-www-form-urlencoded"))
    }

    /// Sets a body of any type.
    pub fn with_body(mut self, body: Bytes, content_type: HeaderValue) -> Self {
        (self.body, self.upload) = (Some(body), None);
        self.headers.insert(header::CONTENT_TYPE, content_type);
        self
    }

    /// Sets a file as the body. One that is read while it is sent has no time limit but the call's own: it ends after a
    /// minute of silence, and instead of a budget for retries, a number of attempts counts.
    pub fn with_upload(mut self, upload: impl Into<Upload>) -> Self {
        let content_type = HeaderValue::from_static("application/octet-stream");
        match upload.into().0 {
            Source::Bytes(bytes) => self.with_body(bytes, content_type),
            Source::Stream(_) if self.destination == Destination::Presigned => {
                self.fail(Error::usage("a presigned link takes a body from memory only"));
                self
            }
            Source::Stream(stream) => {
                // A long body would leave nothing of a budget, so its attempts are counted.
                if let RetryPolicy::Safe { .. } = self.retry {
                    self.retry = RetryPolicy::Resume { tries: UPLOADS };
                }
                self.upload = Some(stream);
                self.body = None;
                self.headers.insert(header::CONTENT_TYPE, content_type);
                self
            }
        }
    }

    /// Sets a header.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Replaces all headers and the body.
    pub fn with_parts(mut self, headers: HeaderMap, body: Option<Bytes>) -> Self {
        (self.headers, self.body, self.upload) = (headers, body, None);
        self
    }

    /// What events, logs and errors call it.
    pub fn with_operation(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.operation = operation.into();
        self
    }

    /// Whether sending it twice has the same effect as sending it once.
    pub fn with_repeatable(mut self, repeatable: bool) -> Self {
        self.repeatable = repeatable;
        self
    }

    /// Whether it changes nothing, so that a [read-only](Wire::with_read_only) wire sends it. By default a GET or a HEAD
    /// does, and an operation that the API description says so of.
    pub fn with_reads(mut self, reads: bool) -> Self {
        self.reads = reads;
        self
    }

    /// Says that the body has an idempotency token, so that what the call starts is started once however often it is
    /// sent: it may be repeated. If it fails all the same after an attempt whose outcome is not known, the error is
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome).
    pub fn with_idempotency_token(mut self) -> Self {
        (self.repeatable, self.has_token) = (true, true);
        self
    }

    /// When it is sent again, in place of the wire's policy.
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The time for each attempt, the body included.
    pub fn with_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    /// Ends an attempt after this much silence, in place of a minute. A call that is more patient than that has no time
    /// limit but its own, and a budget for retries doesn't cut its attempts short.
    pub fn with_stall(mut self, stall: Duration) -> Self {
        self.stall = Some(stall);
        self
    }

    /// What becomes of a redirect.
    pub fn with_redirects(mut self, redirects: Redirects) -> Self {
        self.redirects = redirects;
        self
    }

    /// Whether an answer that is not JSON, such as a login page, is an error.
    pub fn with_expected_json(mut self, expects_json: bool) -> Self {
        self.expects_json = expects_json;
        self
    }

    /// Takes answers however deep they are nested and however many values they have, for a caller that reads them
    /// without recursion, keeps what it decodes in bounds and doesn't print them. The check looks at each byte, which
    /// counts for the rows of an SQL result.
    pub fn with_any_shape(mut self) -> Self {
        self.checks_shape = false;
        self
    }

    /// Takes answers however many values they have, for a caller that doesn't decode them. Nesting is still checked.
    pub fn with_any_values(mut self) -> Self {
        self.checks_values = false;
        self
    }

    /// The longest body, unpacked, in bytes; 64 MiB by default.
    pub fn with_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Logs this request and its answers, secrets masked, even if the wire doesn't log all.
    pub fn with_debug(mut self, debug: bool) -> Self {
        self.debug |= debug;
        self
    }

    /// The request that is sent, but for the headers of the credential.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a wrong argument.
    pub fn request(&self) -> Result<Request> {
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        let mut url = match &self.url {
            Some(url) => url.clone(),
            None => self.wire.host().join(&self.path)?,
        };
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let mut request = Request::new(self.method.clone(), url);
        *request.headers_mut() = self.headers.clone();
        *request.body_mut() = self.body.clone().map(Into::into);
        Ok(request)
    }

    /// Why it may not be sent at all. A token request changes nothing in the workspace.
    pub(crate) fn refusal(&self) -> Option<Error> {
        let is_refused = self.wire.settings().read_only && self.destination != Destination::Anonymous;
        if !is_refused || self.reads && !overrides_method(&self.headers) {
            return None;
        }
        let text = format!("read-only mode refuses what may change something: {}", self.operation);
        let error = Error::new(ErrorKind::ReadOnly, text).with_hint("leave out `read_only` to allow it");
        Some(error.with_details(|d| d.operation = Some(self.operation.clone().into_owned())))
    }

    /// Whether it can be sent twice, with the same effect as sending it once.
    pub fn is_repeatable(&self) -> bool {
        self.repeatable && self.can_be_sent_again()
    }

    /// Whether it can be sent twice, and an attempt whose outcome isn't known leaves nothing behind.
    pub(crate) fn is_harmless(&self) -> bool {
        self.is_repeatable() && !self.has_token
    }

    /// Whether what it starts is started once however often it is sent.
    pub(crate) fn has_token(&self) -> bool {
        self.has_token
    }

    /// Whether there is a body for a second attempt.
    pub(crate) fn can_be_sent_again(&self) -> bool {
        self.upload.as_ref().is_none_or(Stream::is_reopened)
    }

    /// Whether it may take longer than the HTTP client's minute of silence, or than a budget for retries.
    pub(crate) fn is_patient(&self) -> bool {
        self.upload.is_some() || self.stall.is_some_and(|stall| stall > INACTIVITY)
    }

    pub(crate) fn upload(&self) -> Option<&Stream> {
        self.upload.as_ref()
    }

    /// The HTTP client for uploads doesn't limit silence itself, because to it an answer that isn't there is silence.
    pub(crate) fn stall(&self) -> Option<Duration> {
        self.stall.or(self.upload.as_ref().map(|_| INACTIVITY))
    }

    fn refuse(&mut self, name: &str, value: &str) {
        let operation = &self.operation;
        let problem = match value {
            "" => format!("`{name}` of {operation} is empty"),
            _ => format!("`{name}` of {operation} has an empty, `.` or `..` segment: {value:?}"),
        };
        self.fail(Error::usage(problem));
    }

    fn fail(&mut self, problem: Error) {
        self.problem.get_or_insert(problem);
    }
}

impl Wire {
    /// A call of an API operation, with the credential.
    pub fn call(&self, operation: &OperationInfo) -> Call {
        Call::new(self.clone(), operation)
    }

    /// A request to an address on the host or on its cloud's account console, with the credential. Nothing else may
    /// be called this way.
    pub fn request(&self, method: Method, url: Url) -> Call {
        Call::to(self.clone(), Destination::Api, method, Some(url))
    }

    /// A request without the credential, such as one to a token endpoint. It is not logged in detail.
    pub fn anonymous(&self, method: Method, url: Url) -> Call {
        Call::to(self.clone(), Destination::Anonymous, method, Some(url))
    }

    /// A request to a presigned link, without the credential and without any header of ours. The link is never logged.
    pub fn presigned(&self, method: Method, url: Url) -> Call {
        Call::to(self.clone(), Destination::Presigned, method, Some(url))
    }
}

/// Names what is called and nothing of what is sent.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("repeatable", &self.repeatable)
            .finish_non_exhaustive()
    }
}

/// A text as one segment of a path, percent-encoded. Nothing if it can't be one: empty, `.` or `..`, which would lead
/// elsewhere.
///
/// ```
/// assert_eq!(brickwire_wire::path_segment("a b/c").as_deref(), Some("a%20b%2Fc"));
/// assert_eq!(brickwire_wire::path_segment(".."), None);
/// ```
pub fn path_segment(text: &str) -> Option<String> {
    (!matches!(text, "" | "." | "..")).then(|| utf8_percent_encode(text, SEGMENT).to_string())
}

/// Whether a header asks the service to take the request for another method, such as `X-HTTP-Method-Override`.
fn overrides_method(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("x-") && name.as_str().contains("method"))
}

fn is_repeatable(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

//! What the generated operations need at run time, in place of the `progenitor-client` crate.
//!
//! The generated code builds a request and hands it, with what is known of the operation, to a [`Transport`].
//! Credentials, retries and logs live behind that trait; a status other than 2xx and a body that does not decode
//! become an [`Error`] here, with nothing of the response thrown away.

use std::{fmt, future::Future, pin::Pin};

use bytes::Bytes;
use serde::de::{DeserializeOwned, Error as _};

/// A boxed future that can move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A boxed error of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What is known of an operation before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationInfo {
    /// The operation's id in the API description, as in `clusters_list`.
    pub operation_id: &'static str,
    /// Whether sending it twice has the same effect as sending it once.
    pub repeatable: bool,
    /// The HTTP method, empty if this is not an operation of the API description.
    pub method: &'static str,
    /// The path with its placeholders, as in `/api/2.0/sql/warehouses/{id}`; empty as `method` is.
    pub path: &'static str,
}

impl OperationInfo {
    /// Describes an operation.
    pub const fn new(operation_id: &'static str, repeatable: bool) -> Self {
        Self { operation_id, repeatable, method: "", path: "" }
    }

    /// Says where the API description puts it.
    pub(crate) const fn at(self, method: &'static str, path: &'static str) -> Self {
        Self { method, path, ..self }
    }
}

/// Sends requests: authentication, retries and logs live behind this.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends one request and returns the response, whatever its status.
    ///
    /// The body of anything but a streamed 2xx has been read when this returns.
    fn send<'a>(
        &'a self,
        request: reqwest::Request,
        operation: &'a OperationInfo,
    ) -> BoxFuture<'a, Result<Response, Error>>;
}

/// A response as a [`Transport`] returns it.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: http::StatusCode,
    /// The response headers.
    pub headers: http::HeaderMap,
    /// The body, read or still to be read.
    pub body: Body,
}

impl Response {
    /// The HTTP status.
    pub fn status(&self) -> http::StatusCode {
        self.status
    }
}

/// A response's body.
pub enum Body {
    /// Read in full.
    Bytes(Bytes),
    /// Still on the wire.
    Stream(reqwest::Response),
}

impl Body {
    /// Reads what has not been read yet.
    ///
    /// # Errors
    /// [`Error::Transport`] if the connection breaks.
    pub async fn read(self) -> Result<Bytes, Error> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Stream(stream) => {
                stream.bytes().await.map_err(|e| Error::Transport(e.without_url().into()))
            }
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Stream(_) => f.write_str("stream"),
        }
    }
}

/// A response with a status other than 2xx, as it came.
#[derive(Clone)]
pub struct ApiError {
    /// The HTTP status.
    pub status: http::StatusCode,
    /// The response headers.
    pub headers: http::HeaderMap,
    /// The body as it came.
    pub raw: Bytes,
    /// `error_code` of a JSON body.
    pub error_code: Option<String>,
    /// `message` of a JSON body, `error` where API 1.2 says so, or `detail` where SCIM does.
    pub message: Option<String>,
}

impl ApiError {
    /// Takes from the body what it says in JSON; any other body leaves code and message empty.
    pub fn new(status: http::StatusCode, headers: http::HeaderMap, raw: Bytes) -> Self {
        let body: serde_json::Value = serde_json::from_slice(&raw).unwrap_or_default();
        let text = |name: &str| match &body[name] {
            serde_json::Value::String(text) if !text.is_empty() => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let error_code = text("error_code");
        let message = text("message").or_else(|| text("error")).or_else(|| text("detail"));
        Self { status, headers, raw, error_code, message }
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("status", &self.status)
            .field("error_code", &self.error_code)
            .field("message", &self.message)
            .field("raw", &format_args!("{} bytes", self.raw.len()))
            .finish_non_exhaustive()
    }
}

/// Why a call failed.
///
/// Neither form of its text holds a body or a URL: both may carry secrets.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The service answered with a status other than 2xx.
    #[error("{}{}", .0.status, describe(.0))]
    Api(Box<ApiError>),
    /// The request was refused before anything was sent.
    #[error("invalid request: {0}")]
    InvalidRequest(String),
    /// No response came; what exactly went wrong is the source.
    #[error("the request failed")]
    Transport(#[source] BoxError),
    /// The response is not what the API description says.
    #[error("cannot decode the response{}", place(path))]
    Decode {
        /// Where in the JSON document; `.` is the document itself.
        path: String,
        /// What was wrong there, without the value that was found.
        source: serde_json::Error,
        /// The HTTP status.
        status: http::StatusCode,
        /// The body as it came.
        raw: Bytes,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(error) => f.debug_tuple("Api").field(error).finish(),
            Self::InvalidRequest(problem) => f.debug_tuple("InvalidRequest").field(problem).finish(),
            Self::Transport(source) => f.debug_tuple("Transport").field(source).finish(),
            Self::Decode { path, source, status, raw } => f
                .debug_struct("Decode")
                .field("path", path)
                .field("source", source)
                .field("status", status)
                .field("raw", &format_args!("{} bytes", raw.len()))
                .finish(),
        }
    }
}

fn place(path: &str) -> String {
    if path == "." { String::new() } else { format!(" at `{path}`") }
}

fn describe(error: &ApiError) -> String {
    match (&error.error_code, &error.message) {
        (Some(code), Some(message)) => format!(" {code}: {message}"),
        (Some(code), None) => format!(" {code}"),
        (None, Some(message)) => format!(": {message}"),
        (None, None) => String::new(),
    }
}

/// A decoded value with the response that it came in.
pub struct ResponseValue<T> {
    inner: T,
    status: http::StatusCode,
    headers: http::HeaderMap,
    raw: Bytes,
}

impl<T> ResponseValue<T> {
    /// The decoded value.
    pub fn into_inner(self) -> T {
        self.inner
    }
    /// The HTTP status.
    pub fn status(&self) -> http::StatusCode {
        self.status
    }
    /// The response headers.
    pub fn headers(&self) -> &http::HeaderMap {
        &self.headers
    }
    /// The body as it came, with all that the types don't know.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }
}

impl<T> std::ops::Deref for ResponseValue<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: fmt::Debug> fmt::Debug for ResponseValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: DeserializeOwned> ResponseValue<T> {
    /// Decodes a JSON body; an empty one and `null` count as `{}`.
    ///
    /// # Errors
    /// [`Error::Decode`] if the body is not what the type says, [`Error::Transport`] if it can't be read.
    pub async fn from_response(response: Response) -> Result<Self, Error> {
        let Response { status, headers, body } = response;
        let raw = body.read().await?;
        match decode(&raw) {
            Ok(inner) => Ok(Self { inner, status, headers, raw }),
            Err((path, source)) => Err(Error::Decode { path, source, status, raw }),
        }
    }
}

impl ResponseValue<()> {
    /// Reads the body of an operation that has nothing to say.
    #[allow(dead_code, reason = "the API description decides whether there are any")]
    pub(crate) async fn ignoring_body(response: Response) -> Result<Self, Error> {
        let Response { status, headers, body } = response;
        Ok(Self { inner: (), status, headers, raw: body.read().await? })
    }
}

fn decode<T: DeserializeOwned>(raw: &[u8]) -> Result<T, (String, serde_json::Error)> {
    let text = match raw.trim_ascii() {
        b"" | b"null" => b"{}",
        b if b.starts_with(b"<") => {
            let problem = "the body is HTML, not JSON: a sign-in page or a proxy may have answered";
            return Err((".".to_owned(), serde_json::Error::custom(problem)));
        }
        text => text,
    };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| (error.path().to_string(), without_value(&error.into_inner())))?;
    deserializer.end().map_err(|error| (".".to_owned(), error))?;
    Ok(value)
}

/// serde quotes the text that it found, which may be a secret.
fn without_value(error: &serde_json::Error) -> serde_json::Error {
    let text = error.to_string();
    match (text.find('"'), text.rfind('"')) {
        (Some(start), Some(end)) if start < end => {
            serde_json::Error::custom(format!("{}\"…\"{}", &text[..start], &text[end + 1..]))
        }
        _ => serde_json::Error::custom(text),
    }
}

/// Stands for a secret in `Debug` output.
pub(crate) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

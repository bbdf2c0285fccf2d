//! What the generated operations need at run time, in place of the `progenitor-client` crate.
//!
//! The generated code builds a request and hands it, with what is known of the operation, to a [`Transport`].
//! Credentials, retries and logs live behind that trait; a status other than 2xx and a body that does not decode
//! become an [`Error`] here, with nothing of the response thrown away.

use std::{fmt, future::Future, pin::Pin};

use bytes::Bytes;
use serde::de::DeserializeOwned;

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
}

impl OperationInfo {
    /// Describes an operation.
    pub const fn new(operation_id: &'static str, repeatable: bool) -> Self {
        Self { operation_id, repeatable }
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
    /// `message` of a JSON body.
    pub message: Option<String>,
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
#[derive(Debug, thiserror::Error)]
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
    #[error("cannot decode the response at `{path}`")]
    Decode {
        /// Where in the JSON document.
        path: String,
        /// What was wrong there.
        source: serde_json::Error,
        /// The HTTP status.
        status: http::StatusCode,
        /// The body as it came.
        raw: Bytes,
    },
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
    pub async fn from_response(response: Response) -> Result<Self, Error> {
        let Response { status, headers, body } = response;
        let raw = match body {
            Body::Bytes(bytes) => bytes,
            Body::Stream(stream) => {
                stream.bytes().await.map_err(|e| Error::Transport(e.without_url().into()))?
            }
        };
        let blank = raw.iter().all(u8::is_ascii_whitespace) || raw.trim_ascii() == b"null";
        let text: &[u8] = if blank { b"{}" } else { &raw };
        match serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(text)) {
            Ok(inner) => Ok(Self { inner, status, headers, raw }),
            Err(e) => {
                Err(Error::Decode { path: e.path().to_string(), source: e.into_inner(), status, raw })
            }
        }
    }
}

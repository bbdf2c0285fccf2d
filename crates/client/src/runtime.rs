//! What the generated operations need at run time, in place of the `progenitor-client` crate.
//!
//! The generated code builds a request and hands it, with what is known of the operation, to a [`Transport`].
//! Credentials, retries and logs live behind that trait; a status other than 2xx and a body that does not decode
//! become an [`Error`] here, with nothing of the response thrown away.

mod decode;
mod error;

use std::{fmt, future::Future, pin::Pin};

use bytes::Bytes;
use serde::de::DeserializeOwned;

pub use error::{ApiError, Error};

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
        match decode::decode(&raw) {
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

/// Stands for a secret in `Debug` output.
pub(crate) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

//! A successful answer: checked before anyone decodes it, and kept as it came together with the decoded value.

use std::{fmt, ops::Deref};

use ::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::{Error, Host, Result, json};

/// A successful answer as it came.
#[derive(Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The response headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// How many requests were sent for it.
    pub attempts: u32,
}

impl Answer {
    /// Puts an answer together, for tests and for answers that come another way.
    pub fn new(status: StatusCode, headers: HeaderMap, body: Bytes, attempts: u32) -> Self {
        Self { status, headers, body, attempts }
    }

    /// Decodes the body; an empty one and `null` count as `{}`.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if it is not what the type says.
    pub fn decode<T: DeserializeOwned>(self) -> Result<ResponseValue<T>> {
        match json::decode(&self.body) {
            Ok(value) => Ok(ResponseValue { value, answer: self }),
            Err(error) => Err(self.blame(error)),
        }
    }

    /// Keeps this answer with an error that says what is wrong with it.
    pub fn blame(&self, error: Error) -> Error {
        error.with_details(|d| {
            d.status = Some(self.status.as_u16());
            d.attempts = self.attempts;
            d.body = Some(self.body.clone());
        })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

/// A decoded value with the answer that it came in. It derefs to the value.
#[derive(Clone)]
pub struct ResponseValue<T> {
    value: T,
    answer: Answer,
}

impl<T> ResponseValue<T> {
    /// Pairs a value with its answer.
    pub fn new(value: T, answer: Answer) -> Self {
        Self { value, answer }
    }

    /// Changes the value; the answer stays.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> ResponseValue<U> {
        ResponseValue { value: change(self.value), answer: self.answer }
    }

    /// The decoded value.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.answer.status
    }

    /// The response headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.answer.headers
    }

    /// The body as it came, with all that the types don't know.
    pub fn raw(&self) -> &Bytes {
        &self.answer.body
    }
}

impl<T> Deref for ResponseValue<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for ResponseValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// Checks that an answer can be what a caller of a JSON API expects.
pub(crate) fn check_json(host: &Host, headers: &HeaderMap, body: &[u8]) -> Result<()> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let start = body.trim_ascii_start();
    if said.starts_with("text/html") || (start.starts_with(b"<") && !said.contains("xml")) {
        return Err(page_instead_of("JSON", host));
    }
    check_packing(headers)
}

/// Checks that an answer can be the file that a caller wants to download, whose bytes may be anything.
pub(crate) fn check_file(host: &Host, headers: &HeaderMap) -> Result<()> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if said.starts_with("text/html") {
        return Err(page_instead_of("a file", host));
    }
    check_packing(headers)
}

fn page_instead_of(expected: &str, host: &Host) -> Error {
    Error::unexpected(format!("an HTML page came instead of {expected} from {host}")).with_hint(
        "a login page or a proxy answered: check the host, and that this network reaches the workspace",
    )
}

fn check_packing(headers: &HeaderMap) -> Result<()> {
    // The HTTP client unpacks what it asked for and takes the header away.
    if let Some(packed) = headers.get(header::CONTENT_ENCODING).filter(|v| *v != "identity") {
        let packed = packed.to_str().unwrap_or("unknown");
        return Err(Error::unexpected(format!("the answer is packed in a way nothing asked for: {packed}")));
    }
    Ok(())
}

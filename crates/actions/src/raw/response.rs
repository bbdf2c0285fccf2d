//! The answer to a raw request: its bytes, and three ways to read them.

use std::{borrow::Cow, fmt, str::FromStr};

use brickwire_wire::{Answer, BoxError, json, redact};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::{Error, ErrorKind, Result};

/// The type of answer that the caller expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ResponseType {
    /// JSON; anything else but an empty body is an error.
    #[default]
    Json,
    /// Text; anything is text.
    Text,
    /// Bytes, untouched.
    Binary,
}

impl FromStr for ResponseType {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            "binary" => Ok(Self::Binary),
            _ => Err(Error::usage(format!("unknown response type: {text:?}"))
                .with_hint("one of json, text, binary")),
        }
    }
}

/// A 2xx answer to a [`RawRequest`](super::RawRequest).
#[derive(Clone)]
#[non_exhaustive]
pub struct RawResponse {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed and otherwise as it came.
    pub body: Bytes,
    /// How many requests were sent.
    pub attempts: u32,
}

impl RawResponse {
    pub(super) fn new(answer: Answer, operation: &str, wanted: ResponseType) -> Result<Self> {
        let Answer { status, headers, body, attempts, .. } = answer;
        let response = Self { status, headers, body, attempts };
        if wanted == ResponseType::Json && !response.is_empty() {
            response.check_json().map_err(|e| {
                response.not_json(e).with_details(|d| d.operation = Some(operation.to_owned()))
            })?;
        }
        Ok(response)
    }

    /// The body as JSON; `null` if it is empty. Integers of 64 bits are exact.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if it is something else.
    pub fn json(&self) -> Result<Value> {
        if self.is_empty() {
            return Ok(Value::Null);
        }
        if let Some(excess) = json::excess(&self.body) {
            return Err(Error::unexpected(format!("the answer is {excess}")).with_hint("read its bytes"));
        }
        serde_json::from_str(&self.text()).map_err(|e| self.not_json(e))
    }

    /// The body as text, without a byte order mark; what isn't UTF-8 becomes U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.body))
    }

    /// The body's bytes; cheap, as they are shared.
    pub fn bytes(&self) -> Bytes {
        self.body.clone()
    }

    fn check_json(&self) -> Result<(), BoxError> {
        let text = std::str::from_utf8(&self.body)?;
        serde_json::from_str::<IgnoredAny>(text.strip_prefix('\u{feff}').unwrap_or(text))?;
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.text().trim().is_empty()
    }

    fn not_json(&self, error: impl Into<BoxError>) -> Error {
        let said = self.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let text = format!(
            "JSON was asked for and something else came: {}, {} bytes",
            said.unwrap_or("no content type"),
            self.body.len()
        );
        Error::new(ErrorKind::UnexpectedResponse, text)
            .with_hint("ask for the response type text or binary to get it as it is")
            .with_source(error)
            .with_details(|d| {
                d.status = Some(self.status.as_u16());
                d.attempts = self.attempts;
                d.body = Some(self.body.clone());
            })
    }
}

impl fmt::Debug for RawResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawResponse")
            .field("status", &self.status)
            .field("headers", &redact::headers(&self.headers))
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("attempts", &self.attempts)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(body: &'static [u8], wanted: ResponseType) -> Result<RawResponse> {
        let headers = [(header::SET_COOKIE, http::HeaderValue::from_static("S3"))].into_iter().collect();
        let answer = Answer::new(StatusCode::OK, headers, Bytes::from_static(body), 2);
        RawResponse::new(answer, "GET /api/x", wanted)
    }

    #[test]
    fn json_is_exact_and_checked() {
        let json = response(b"\xef\xbb\xbf{\"id\":9223372036854775807}", ResponseType::Json)
            .unwrap()
            .json()
            .unwrap();
        assert_eq!(json["id"].as_i64(), Some(i64::MAX));
        assert_eq!(response(b" \n", ResponseType::Json).unwrap().json().unwrap(), Value::Null);
        let error = response(b"hello S3", ResponseType::Json).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
        assert_eq!(
            (error.to_string().as_str(), error.attempts(), error.body().unwrap().as_ref()),
            ("JSON was asked for and something else came: no content type, 8 bytes", 2, &b"hello S3"[..])
        );
        assert!(!format!("{error:?}").contains("S3"));
        assert!(response(b"{\"id\":\"\xff\"}", ResponseType::Json).is_err());
    }

    #[test]
    fn text_and_bytes_take_anything() {
        assert_eq!(response(b"\xef\xbb\xbfhi", ResponseType::Text).unwrap().text(), "hi");
        assert_eq!(response(b"\0\xff\xfeA", ResponseType::Text).unwrap().text(), "\0\u{fffd}\u{fffd}A");
        assert_eq!(response(b"\0\xff\xfeA", ResponseType::Binary).unwrap().bytes().as_ref(), b"\0\xff\xfeA");
        assert!(response(b"x", ResponseType::Text).unwrap().json().is_err());
    }

    #[test]
    fn debug_holds_neither_body_nor_cookies() {
        let shown = format!("{:?}", response(b"S3", ResponseType::Text).unwrap());
        assert!(!shown.contains("S3") && shown.contains("2 bytes"), "{shown}");
    }

    #[test]
    fn types_are_named_as_in_the_connector() {
        assert_eq!("binary".parse::<ResponseType>().unwrap(), ResponseType::Binary);
        assert_eq!("document".parse::<ResponseType>().unwrap_err().kind(), ErrorKind::Usage);
    }
}

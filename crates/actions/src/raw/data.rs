//! The body of a raw request as the caller gives it.

use std::fmt;

use bytes::Bytes;
use serde_json::Value;

/// The body of a [`RawRequest`](crate::RawRequest).
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum RawData {
    /// Text, sent as it is. JSON text is labelled so unless a Content-Type is given.
    Text(String),
    /// JSON; with the Content-Type `application/x-www-form-urlencoded` it is sent as a form (`a=1&b%5Bc%5D=2`).
    Json(Value),
    /// Bytes, with their content type where it is known.
    Bytes {
        /// The bytes.
        bytes: Bytes,
        /// Wins over a Content-Type among the headers.
        content_type: Option<String>,
    },
}

impl RawData {
    /// Bytes of a known content type.
    pub fn bytes(bytes: impl Into<Bytes>, content_type: impl Into<String>) -> Self {
        Self::Bytes { bytes: bytes.into(), content_type: Some(content_type.into()) }
    }

    /// No text is no data, like in the connector.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

impl From<&str> for RawData {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for RawData {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Value> for RawData {
    fn from(json: Value) -> Self {
        Self::Json(json)
    }
}

impl From<Bytes> for RawData {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes { bytes, content_type: None }
    }
}

impl From<Vec<u8>> for RawData {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl fmt::Debug for RawData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Json(_) => f.write_str("Json"),
            Self::Bytes { bytes, content_type } => {
                write!(f, "Bytes({} bytes, {content_type:?})", bytes.len())
            }
        }
    }
}

//! Why calls fail. What came is kept whole; what is printed holds no body and no URL.

use std::fmt;

use bytes::Bytes;

use super::BoxError;

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

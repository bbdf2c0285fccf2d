//! Why something failed, as data: what a program branches on, what a person reads, what a script exits with.

mod parse;

use std::{fmt, time::Duration};

use brickwire_client::BoxError;

pub(crate) use parse::ErrorBody;

/// What sort of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is wrong; nothing was sent.
    Usage,
    /// Host, credential or profile missing or contradictory, or refused locally for safety; nothing was sent.
    Configuration,
    /// The credential was not accepted (401, or the token endpoint refused).
    Unauthenticated,
    /// The credential is good and not allowed to do this (403).
    PermissionDenied,
    /// The thing named does not exist (404, and the 400s that say so).
    NotFound,
    /// The service understood the request and refused it (other 4xx).
    Rejected,
    /// Too many requests (429), after all retries.
    RateLimited,
    /// The service failed or is not available (5xx), after all retries.
    Unavailable,
    /// No answer came: name resolution, a refused connection or TLS, before anything was sent; or a connection that
    /// broke or fell silent, for a request that is safe to send again.
    Unreachable,
    /// The request may or may not have taken effect: the answer was lost and repeating it would not be safe.
    UnknownOutcome,
    /// An answer that is not what the API describes, such as a login page.
    UnexpectedResponse,
    /// The remote work was done and failed: a statement, a command, a start.
    RemoteFailed,
    /// A deadline of ours passed.
    DeadlineExceeded,
    /// Something local: a file that can't be read or written.
    Local,
}

impl ErrorKind {
    /// The kind's name in snake case, stable across versions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Configuration => "configuration",
            Self::Unauthenticated => "unauthenticated",
            Self::PermissionDenied => "permission_denied",
            Self::NotFound => "not_found",
            Self::Rejected => "rejected",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Unreachable => "unreachable",
            Self::UnknownOutcome => "unknown_outcome",
            Self::UnexpectedResponse => "unexpected_response",
            Self::RemoteFailed => "remote_failed",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Local => "local",
        }
    }
}

/// The error of this crate.
///
/// `Display` is one line; [`hint`](Self::hint) says what to do about it where that is known.
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    details: Details,
    source: Option<BoxError>,
}

/// What is known beyond kind and message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Details {
    pub(crate) hint: Option<String>,
    pub(crate) operation: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) error_code: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) body: Option<bytes::Bytes>,
    pub(crate) statement_id: Option<String>,
    pub(crate) sql_state: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), details: Details::default(), source: None }))
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.details.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_details(mut self, change: impl FnOnce(&mut Details)) -> Self {
        change(&mut self.0.details);
        self
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The same error for one more of those who wait for it; the source stays with the first.
    pub(crate) fn copied(&self) -> Self {
        Self(Box::new(Inner {
            kind: self.0.kind,
            message: self.0.message.clone(),
            details: self.0.details.clone(),
            source: None,
        }))
    }

    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&str> {
        self.0.details.hint.as_deref()
    }
    /// The API operation that failed, such as `clusters_get`.
    pub fn operation(&self) -> Option<&str> {
        self.0.details.operation.as_deref()
    }
    /// The HTTP status, if an answer came.
    pub fn status(&self) -> Option<u16> {
        self.0.details.status
    }
    /// The service's error code, such as `RESOURCE_DOES_NOT_EXIST`.
    pub fn error_code(&self) -> Option<&str> {
        self.0.details.error_code.as_deref()
    }
    /// The service's id of the request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.details.request_id.as_deref()
    }
    /// How long the service asked to wait before another try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.details.retry_after
    }
    /// How many requests were sent; 0 if none.
    pub fn attempts(&self) -> u32 {
        self.0.details.attempts
    }
    /// The time from the first attempt to the failure.
    pub fn elapsed(&self) -> Duration {
        self.0.details.elapsed
    }
    /// The body of the error response as it came. It may hold anything: don't log it.
    pub fn body(&self) -> Option<&bytes::Bytes> {
        self.0.details.body.as_ref()
    }
    /// The SQL statement concerned, if it had been submitted.
    pub fn statement_id(&self) -> Option<&str> {
        self.0.details.statement_id.as_deref()
    }
    /// The SQLSTATE of a failed statement.
    pub fn sql_state(&self) -> Option<&str> {
        self.0.details.sql_state.as_deref()
    }
    /// Whether the thing named does not exist.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }
    /// Whether the same call may succeed later without a change.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind(), ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::Unreachable)
    }
    /// Whether the request may or may not have taken effect.
    pub fn is_unknown_outcome(&self) -> bool {
        self.kind() == ErrorKind::UnknownOutcome
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let d = &self.0.details;
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("operation", &d.operation)
            .field("status", &d.status)
            .field("error_code", &d.error_code)
            .field("request_id", &d.request_id)
            .field("attempts", &d.attempts)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|e| e.as_ref() as _)
    }
}

/// The generated client's error, with ours unwrapped where the transport put it.
impl From<brickwire_client::Error> for Error {
    fn from(error: brickwire_client::Error) -> Self {
        use brickwire_client::Error as Wire;
        match error {
            Wire::Transport(source) => match source.downcast::<Error>() {
                Ok(ours) => *ours,
                Err(source) => Self::new(ErrorKind::Unreachable, "the request failed").with_source(source),
            },
            Wire::Api(api) => ErrorBody::read(api.status, &api.headers, &api.raw).into_error("", 0),
            Wire::InvalidRequest(message) => Self::usage(message),
            Wire::Decode { path, source, status, raw } => {
                let place = if path == "." || path == "?" { String::new() } else { format!(" at `{path}`") };
                let text = format!("cannot decode the response{place}: {source}");
                Self::new(ErrorKind::UnexpectedResponse, text)
                    .with_hint("see whether something else answers for the workspace, such as a proxy")
                    .with_source(source)
                    .with_details(|d| {
                        d.status = Some(status.as_u16());
                        d.body = Some(raw);
                    })
            }
            other => Self::new(ErrorKind::UnexpectedResponse, other.to_string()),
        }
    }
}

impl From<Error> for brickwire_client::Error {
    fn from(error: Error) -> Self {
        Self::Transport(Box::new(error))
    }
}

//! Why something failed, as data: what a program branches on, what a person reads, what a script exits with.

pub(crate) mod body;

use std::{fmt, iter::successors, sync::Arc, time::Duration};

use crate::{known, text};

pub use body::ErrorBody;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A boxed error of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The longest message that an error keeps, in bytes.
const LONGEST_MESSAGE: usize = 4 * 1024;

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
    /// Read-only mode refuses it; it was not sent.
    ReadOnly,
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
            Self::ReadOnly => "read_only",
        }
    }
}

/// Why a call failed.
///
/// `Display` is one line and repeats neither [`hint`](Self::hint), which says what to do about it, nor the source.
/// Neither `Display` nor `Debug` holds a body, and no field but the body holds a credential in use: services repeat what
/// they refuse.
///
/// ```
/// use brickwire_wire::{Error, ErrorKind};
/// let error = Error::new(ErrorKind::NotFound, "no such pool: p-1").with_hint("list the pools");
/// assert!(error.is_not_found());
/// assert_eq!((error.to_string().as_str(), error.hint()), ("no such pool: p-1", Some("list the pools")));
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    details: ErrorDetails,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What is known of a failure beyond its kind and message.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ErrorDetails {
    /// What to do about it, in the library's words: settings are named, never a program's flags.
    pub hint: Option<String>,
    /// The API operation, or the method and path of a raw request.
    pub operation: Option<String>,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// The service's error code.
    pub error_code: Option<String>,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// How long the service asked to wait.
    pub retry_after: Option<Duration>,
    /// How many requests were sent.
    pub attempts: u32,
    /// The time from the first attempt to the failure.
    pub elapsed: Duration,
    /// The body of the response as it came.
    pub body: Option<bytes::Bytes>,
    /// The SQL statement concerned.
    pub statement_id: Option<String>,
    /// The SQLSTATE of a failed statement.
    pub sql_state: Option<String>,
}

/// Without the body, which may repeat secrets of the request.
impl fmt::Debug for ErrorDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorDetails")
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("error_code", &self.error_code)
            .field("request_id", &self.request_id)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl Error {
    /// An error of this kind. The message is one line in lower case with the value at its end; a long one is cut, and
    /// so are blank lines around what a service says.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let mut message: String = message.into();
        if message.starts_with(char::is_whitespace) || message.ends_with(char::is_whitespace) {
            message = message.trim().to_owned();
        }
        // A cut might leave a part of a secret that would no longer be recognized.
        known::hide_in(&mut message);
        text::cut(&mut message, LONGEST_MESSAGE);
        Self(Box::new(Inner { kind, message, details: ErrorDetails::default(), source: None }))
    }

    /// An argument that is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// A setting that is missing, wrong or refused.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// An answer that is not what the API describes.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::UnexpectedResponse, message)
    }

    /// Says what to do about it, in the library's words.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        self.with_details(|d| d.hint = Some(hint.into()))
    }

    /// Says what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Changes what is known beyond kind and message.
    #[must_use]
    pub fn with_details(mut self, change: impl FnOnce(&mut ErrorDetails)) -> Self {
        let d = &mut self.0.details;
        change(d);
        for text in [&mut d.hint, &mut d.operation].into_iter().flatten() {
            known::hide_in(text);
        }
        // What programs compare.
        let ids = [&mut d.error_code, &mut d.request_id, &mut d.statement_id, &mut d.sql_state];
        ids.into_iter().flatten().for_each(known::hide_credentials_in);
        self
    }

    /// Gives it another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Gives it another message; everything else stays.
    #[must_use]
    pub fn with_message(self, message: impl Into<String>) -> Self {
        let Inner { kind, details, source, .. } = *self.0;
        let mut error = Self::new(kind, message);
        (error.0.details, error.0.source) = (details, source);
        error
    }

    /// This failure of a request that may not be repeated and may have taken effect, as the error that says so. What is
    /// known of the request stays.
    #[must_use]
    pub fn into_unknown_outcome(self, operation: &str) -> Self {
        let reason = self.to_string();
        self.into_unknown_outcome_for(operation, &reason)
    }

    pub(crate) fn into_unknown_outcome_for(self, operation: &str, reason: &str) -> Self {
        let text = format!("outcome unknown: `{operation}` may have been carried out: {reason}");
        let advice = "see whether it took effect before you send it again";
        let hint = self.hint().map_or_else(|| advice.to_owned(), |hint| format!("{hint}; {advice}"));
        // A wait that the service asked for does not make it safe to repeat.
        let known = self.0.details.clone();
        let operation = known.operation.or_else(|| Some(operation.to_owned()));
        let details = ErrorDetails { hint: Some(hint), operation, retry_after: None, ..known };
        Self::new(ErrorKind::UnknownOutcome, text).with_details(|d| *d = details).with_source(self)
    }

    /// The message, with the cause after a colon unless the message includes it already.
    pub fn with_cause(&self) -> String {
        let message = self.to_string();
        let source = std::error::Error::source(self);
        let mut causes = successors(source, |cause| cause.source()).map(ToString::to_string);
        // The message for an error response, a failed connection or an unknown outcome says all that its cause says.
        let is_complete = self.status().is_some()
            || matches!(self.kind(), ErrorKind::Unreachable | ErrorKind::UnknownOutcome);
        match source {
            Some(cause) if !is_complete && !causes.any(|cause| message.contains(&cause)) => {
                known::hide(&format!("{message}: {cause}")).into_owned()
            }
            _ => message,
        }
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
            .field("source", &self.0.source.as_ref().map(|source| Hidden(format!("{source:?}"))))
            .finish_non_exhaustive()
    }
}

/// The `Debug` of something made elsewhere, without the credentials in use.
struct Hidden(String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&known::hide(&self.0))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

//! How an update ended, and why.

use std::fmt;

use brickwire_client::types::PipelineUpdateState as State;
use serde::Deserialize;

/// How an update of a pipeline ended.
///
/// ```
/// use brickwire_actions::UpdateOutcome;
/// assert!(UpdateOutcome::Completed.is_success() && !UpdateOutcome::Canceled.is_success());
/// assert_eq!(UpdateOutcome::Failed.to_string(), "FAILED");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpdateOutcome {
    /// All that it was to do is done.
    Completed,
    /// It failed.
    Failed,
    /// It was canceled: by a stop, or by the service.
    Canceled,
}

impl UpdateOutcome {
    /// The outcome that a state is, if it is one. States that this version doesn't know go on.
    pub(super) fn of(state: &State) -> Option<Self> {
        match state {
            State::Completed => Some(Self::Completed),
            State::Failed => Some(Self::Failed),
            State::Canceled => Some(Self::Canceled),
            _ => None,
        }
    }

    /// Whether it succeeded.
    pub fn is_success(self) -> bool {
        self == Self::Completed
    }

    /// The word for it, as the service writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
        }
    }
}

impl fmt::Display for UpdateOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a reason needs of an event. The reason is known even if other members can't be decoded.
#[derive(Deserialize)]
pub(super) struct ErrorEvent {
    message: Option<String>,
    origin: Option<Origin>,
    error: Option<Details>,
}

#[derive(Deserialize)]
struct Origin {
    update_id: Option<String>,
}

#[derive(Deserialize)]
struct Details {
    exceptions: Option<Vec<Exception>>,
}

#[derive(Deserialize)]
struct Exception {
    message: Option<String>,
}

impl ErrorEvent {
    /// The messages of the error and of its causes, each once.
    fn exceptions(&self) -> Option<String> {
        let mut messages: Vec<&str> = Vec::new();
        for exception in self.error.iter().filter_map(|error| error.exceptions.as_ref()).flatten() {
            let message = exception.message.as_deref().map(str::trim).filter(|message| !message.is_empty());
            if let Some(message) = message.filter(|new| !messages.iter().any(|known| known.contains(new))) {
                messages.push(message);
            }
        }
        (!messages.is_empty()).then(|| messages.join("; "))
    }
}

/// Why an update failed, by the errors among the events, the newest first. The first error of an update is its cause, what
/// follows comes of it; one that has exceptions says more than one that has a message.
pub(super) fn reason(update_id: &str, errors: &[ErrorEvent]) -> Option<String> {
    let own = || {
        let is_own = |event: &&ErrorEvent| {
            let origin = event.origin.as_ref().and_then(|origin| origin.update_id.as_deref());
            origin.is_some_and(|id| id.eq_ignore_ascii_case(update_id))
        };
        errors.iter().rev().filter(is_own)
    };
    let message = || own().find_map(|event| event.message.clone().filter(|text| !text.trim().is_empty()));
    own().find_map(ErrorEvent::exceptions).or_else(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(json: &str) -> Vec<ErrorEvent> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_first_exception_of_the_update_is_the_reason() {
        let all = events(
            r#"[{"message":"Update u is FAILED.","origin":{"update_id":"u"}},
                {"message":"later","origin":{"update_id":"u"},"error":{"exceptions":[{"message":"later"}]}},
                {"message":"Flow failed","origin":{"update_id":"U"},"error":{"exceptions":[{"message":" no table x "},
                    {"message":"table x"},{"message":null},{"message":"disk"}]}},
                {"message":"before","origin":{"update_id":"u"}},
                {"message":"other","origin":{"update_id":"v"},"error":{"exceptions":[{"message":"other"}]}},
                {"message":"other's","error":{"exceptions":[{"message":"x"}]}}]"#,
        );
        assert_eq!(reason("u", &all).as_deref(), Some("no table x; disk"));
        assert_eq!(reason("w", &all), None);
    }

    #[test]
    fn without_exceptions_the_first_message_is_the_reason() {
        let all = events(
            r#"[{"message":"Update u is FAILED.","origin":{"update_id":"u"}},
                {"message":"no cluster","origin":{"update_id":"u"},"error":{"exceptions":[]}},
                {"message":" ","origin":{"update_id":"u"},"error":null}]"#,
        );
        assert_eq!(reason("u", &all).as_deref(), Some("no cluster"));
    }
}

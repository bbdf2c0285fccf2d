//! Why a context failed to start: what the service says about it, which no specification mentions.

use brickwire_client::{ResponseValue, types::ContextStatusResponse};
use serde::Deserialize;

use crate::{Error, ErrorKind};

/// A longer message is not for people, such as the whole log of a process.
const MAX_LINES: usize = 5;
const MAX_CHARS: usize = 500;

#[derive(Default, Deserialize)]
struct Told {
    message: Option<String>,
}

/// The error for a context that failed to start.
pub(super) fn error(kind: ErrorKind, id: &str, context: &ResponseValue<ContextStatusResponse>) -> Error {
    // A message of another type is left out.
    let told: Told = serde_json::from_slice(context.raw()).unwrap_or_default();
    Error::new(
        kind,
        match told.message.as_deref().and_then(shown) {
            Some(message) => format!("context {id} failed to start: {message}"),
            None => format!("the context failed to start: {id}"),
        },
    )
}

/// A message in one line; `None` if it is empty or too long.
fn shown(message: &str) -> Option<String> {
    let lines: Vec<&str> = message.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is_short = (1..=MAX_LINES).contains(&lines.len()) && message.chars().count() <= MAX_CHARS;
    is_short.then(|| lines.join(" "))
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_short_message_is_shown_in_one_line() {
        assert_eq!(
            shown("cannot run python3:\n  not found\n").as_deref(),
            Some("cannot run python3: not found")
        );
        for none in ["", " \n", &"x\n".repeat(6), &"x".repeat(501)] {
            assert_eq!(shown(none), None);
        }
    }
}

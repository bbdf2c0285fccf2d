//! What is wrong with a description, and where.

use std::fmt;

use serde_json::Value;

/// One thing that is wrong with the description.
struct Finding {
    /// An operation's id, or a schema with the way into it.
    place: String,
    rule: &'static str,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.rule, self.message)
    }
}

/// Collects findings.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn add(&mut self, place: &str, rule: &'static str, message: impl Into<String>) {
        self.0.push(Finding { place: place.to_owned(), rule, message: message.into() });
    }

    /// The findings, one to a line.
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.iter().map(Finding::to_string).collect()
    }
}

/// What an operation is called in findings.
pub(super) fn place(method: &str, path: &str, operation: &Value) -> String {
    match operation["operationId"].as_str() {
        Some(id) => id.to_owned(),
        None => format!("{} {path}", method.to_uppercase()),
    }
}

//! What became of a task.

use serde_json::{Value, json};

use super::record::Outcome;

pub(super) struct Done {
    pub(super) outcome: Outcome,
    pub(super) message: String,
    pub(super) output: Value,
    pub(super) values: Value,
}

impl Done {
    pub(super) fn succeeded(output: Value) -> Self {
        Self { outcome: Outcome::Success, message: String::new(), output, values: json!({}) }
    }

    pub(super) fn failed(error: impl Into<String>) -> Self {
        let error = error.into();
        let output = json!({ "error": error, "error_trace": error });
        Self { outcome: Outcome::Failed, message: error, output, values: json!({}) }
    }
}

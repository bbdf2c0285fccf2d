//! Why a statement failed, in Databricks' words.

use std::fmt;

/// Why a statement failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineError {
    /// The API's code: `BAD_REQUEST`, `RESOURCE_EXHAUSTED`, `INTERNAL_ERROR`.
    pub error_code: String,
    /// The message with its error class and SQLSTATE: `[TABLE_OR_VIEW_NOT_FOUND] … SQLSTATE: 42P01`.
    pub message: String,
    /// The SQLSTATE alone.
    pub sql_state: Option<String>,
}

impl EngineError {
    /// An error of the statement itself: `[CLASS] text SQLSTATE: state`.
    pub fn of_class(class: &str, sql_state: &str, text: impl fmt::Display) -> Self {
        Self {
            error_code: "BAD_REQUEST".to_owned(),
            message: format!("[{class}] {text} SQLSTATE: {sql_state}"),
            sql_state: Some(sql_state.to_owned()),
        }
    }

    /// Something Databricks does and this engine doesn't.
    pub fn unsupported(what: impl fmt::Display) -> Self {
        Self::of_class(
            "UNSUPPORTED_FEATURE.SANDBOX",
            "0A000",
            format_args!("The feature is not supported: the sandbox's SQL engine cannot do this: {what}."),
        )
    }

    /// A fault of the engine, not of the statement.
    pub fn internal(what: impl fmt::Display) -> Self {
        Self {
            error_code: "INTERNAL_ERROR".to_owned(),
            message: format!("[INTERNAL_ERROR] The sandbox's SQL engine failed: {what}. SQLSTATE: XX000"),
            sql_state: Some("XX000".to_owned()),
        }
    }

    /// The error class: what stands in brackets at the start of the message.
    #[must_use]
    pub fn class(&self) -> Option<&str> {
        self.message.trim_start().strip_prefix('[')?.split_once(']').map(|(class, _)| class)
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EngineError {}

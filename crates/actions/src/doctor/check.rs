//! The result of one check.

use serde::{Serialize, Serializer};

use crate::{Error, ErrorKind};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Outcome {
    /// All is well.
    Ok,
    /// It works, but may cause trouble.
    Warning,
    /// It doesn't work.
    Fault,
    /// Not checked, because an earlier check failed or there is nothing to check.
    Skipped,
}

impl Outcome {
    /// The name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
            Self::Skipped => "skipped",
        }
    }
}

/// One step of the connection to the workspace.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// What was checked, such as `dns`.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found, in one line or several.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The kind of failure, for a fault.
    #[serde(serialize_with = "kind_as_text")]
    pub error_kind: Option<ErrorKind>,
}

fn kind_as_text<S: Serializer>(kind: &Option<ErrorKind>, serializer: S) -> Result<S::Ok, S::Error> {
    kind.map(ErrorKind::as_str).serialize(serializer)
}

impl Check {
    fn new(name: &'static str, outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { name, outcome, detail: detail.into(), hint: None, error_kind: None }
    }

    pub(super) fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Outcome::Ok, detail)
    }

    pub(super) fn warning(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Outcome::Warning, detail)
    }

    pub(super) fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self::new(name, Outcome::Skipped, why)
    }

    pub(super) fn fault(name: &'static str, error: &Error) -> Self {
        let hint = error.hint().map(str::to_owned);
        Self { error_kind: Some(error.kind()), hint, ..Self::new(name, Outcome::Fault, error.with_cause()) }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

//! A value that a statement is given.

use serde::{Deserialize, Serialize};

/// A named parameter. It is bound as a value, never pasted into the text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// The name without its colon.
    pub name: String,
    /// The value as text; `None` is NULL, which is not the empty text.
    pub value: Option<String>,
    /// The SQL type, `STRING` when `None`.
    pub type_name: Option<String>,
}

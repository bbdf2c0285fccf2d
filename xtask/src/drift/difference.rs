//! One difference between the description and the SDK.

use std::fmt;

use serde::Serialize;

/// Who has what the other lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum Sign {
    /// Only the SDK has it.
    #[serde(rename = "+")]
    Sdk,
    /// Only the description has it.
    #[serde(rename = "-")]
    Description,
    /// Both have it, of different types.
    #[serde(rename = "~")]
    Both,
}

/// A difference, under the name that the list of those that are meant knows it by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Difference {
    /// The description's file, or the tag of the operation.
    pub(crate) service: String,
    pub(crate) sign: Sign,
    /// What differs, such as `field App.url`.
    pub(crate) name: String,
    /// The types, or where the SDK has it.
    pub(crate) detail: String,
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sdk => "+",
            Self::Description => "-",
            Self::Both => "~",
        })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sign, self.name)
    }
}

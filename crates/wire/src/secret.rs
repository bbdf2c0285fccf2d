//! A value that must not be seen: `Debug` and `Display` hide it, [`Secret::expose`] is greppable.

use std::fmt;

use crate::{Error, Result};

/// A token, client secret or other value that must never be printed.
///
/// ```
/// let secret = brickwire_wire::Secret::new("dapi-example");
/// assert_eq!(format!("{secret:?}"), "***");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the value over.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the place that writes a header or a form.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The value without the blanks that a pasted one has around it; `what` names it in the error.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an empty value, or one with blanks, control
    /// characters or characters outside of ASCII in it: no header can hold those.
    pub fn cleaned(&self, what: &str) -> Result<Self> {
        let text = self.0.trim();
        if text.is_empty() {
            return Err(Error::configuration(format!("the {what} is empty")));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || !c.is_ascii()) {
            return Err(Error::configuration(format!(
                "the {what} contains blanks, control or non-ASCII characters"
            ))
            .with_hint("copy it again, without line breaks"));
        }
        Ok(Self::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_pasted_value_is_trimmed_and_checked() {
        assert_eq!(Secret::new(" dapi1\n").cleaned("token").unwrap().expose(), "dapi1");
        for bad in ["", " \n", "dapi\n1", "da pi", "dapi\u{e9}"] {
            let error = Secret::new(bad).cleaned("token").unwrap_err().to_string();
            assert!(error.starts_with("the token") && !error.contains("dapi"), "{error}");
        }
    }
}

//! Settings as the members of a JSON object. A caller gives them as one of the types or as JSON, so that a setting that
//! this version doesn't know is sent all the same, and numbers keep all of their digits.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{Error, Result};

/// Members of an object, each as its JSON.
pub(crate) type Fields = BTreeMap<String, Box<RawValue>>;

/// The members of what a caller gives. `what` is what errors call it.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for anything but a JSON object.
pub(crate) fn fields(what: &str, settings: &impl Serialize) -> Result<Fields> {
    let unwritable = |error| Error::usage(format!("the {what} can't be written as JSON: {error}"));
    let text = serde_json::to_string(settings).map_err(unwritable)?;
    // The parser's error may quote a value.
    serde_json::from_str(&text).map_err(|_| Error::usage(format!("the {what} is not a JSON object")))
}

/// A member that is text; nothing if it is missing or `null`.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a value of another type.
pub(crate) fn text(fields: &Fields, name: &str) -> Result<Option<String>> {
    let Some(value) = fields.get(name) else { return Ok(None) };
    serde_json::from_str(value.get()).map_err(|_| Error::usage(format!("the value of {name} is not text")))
}

/// Whether a member is there and not `null`.
pub(crate) fn has(fields: &Fields, name: &str) -> bool {
    fields.get(name).is_some_and(|value| value.get() != "null")
}

/// Sets a member.
pub(crate) fn set(fields: &mut Fields, name: &str, value: &impl Serialize) -> Result<()> {
    let value = to_raw_value(value).map_err(|error| Error::usage(error.to_string()))?;
    fields.insert(name.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn members_stay_as_they_are() {
        let given =
            RawValue::from_string(r#"{"b":1e400,"a":{"x":18446744073709551616},"n":null}"#.to_owned());
        let mut fields = fields("settings", &given.unwrap()).unwrap();
        assert!(has(&fields, "a") && !has(&fields, "n") && !has(&fields, "c"));
        set(&mut fields, "c", &"d").unwrap();
        assert_eq!(
            serde_json::to_string(&fields).unwrap(),
            r#"{"a":{"x":18446744073709551616},"b":1e400,"c":"d","n":null}"#
        );
    }

    #[test]
    fn what_is_no_object_is_not_quoted() {
        for given in [r#"["hush"]"#, r#""hush""#, "1", "null"] {
            let given = RawValue::from_string(given.to_owned()).unwrap();
            let error = fields("change", &given).unwrap_err();
            assert_eq!(
                (error.kind(), error.to_string().as_str()),
                (ErrorKind::Usage, "the change is not a JSON object")
            );
        }
        let fields = fields("x", &serde_json::json!({ "name": 5 })).unwrap();
        assert_eq!(text(&fields, "name").unwrap_err().to_string(), "the value of name is not text");
        assert_eq!(text(&fields, "other").unwrap(), None);
    }
}

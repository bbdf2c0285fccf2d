//! Names in Unity Catalog, in lower case: which are taken for new objects, and how a full name is read.

use crate::error::ApiError;

/// The parts of a full name, without backticks. Any other number of parts is refused.
pub(crate) fn parts<const N: usize>(what: &str, text: &str) -> Result<[String; N], ApiError> {
    let refuse = || ApiError::invalid(format!("'{text}' is not a valid name of a {what}"));
    split(text).and_then(|parts| parts.try_into().ok()).ok_or_else(refuse)
}

/// The key of an object: its parts with what no part has between them.
pub(crate) fn key<S: AsRef<str>>(parts: &[S]) -> String {
    parts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("\0")
}

/// A full name as the service shows it.
pub(crate) fn full_name<S: AsRef<str>>(parts: &[S]) -> String {
    parts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(".")
}

/// The name of a new object as the service stores it.
pub(crate) fn new(what: &str, name: &str) -> Result<String, ApiError> {
    let is_wrong = |c: char| matches!(c, '.' | ' ' | '/') || c.is_control();
    if name.is_empty() || name.len() > 255 || name.contains(is_wrong) {
        return Err(ApiError::invalid(format!("Invalid input: the name of a {what} cannot be '{name}'")));
    }
    Ok(name.to_lowercase())
}

fn split(text: &str) -> Option<Vec<String>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    loop {
        let (part, after) = match rest.strip_prefix('`') {
            Some(quoted) => quoted.split_once('`')?,
            None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
        };
        if part.is_empty() {
            return None;
        }
        parts.push(part.to_lowercase());
        if after.is_empty() {
            return Some(parts);
        }
        rest = after.strip_prefix('.')?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_keep_dots_together() {
        assert_eq!(parts("table", "Main.default.`Odd.name`").unwrap(), ["main", "default", "odd.name"]);
        for wrong in ["", "a", "a.b", "a.b.", "a.b.c.d", "a.b.`c", "a.b.`c`d"] {
            assert!(parts::<3>("table", wrong).is_err(), "{wrong}");
        }
        assert!(new("schema", "a.b").is_err() && new("schema", "Sales_1").unwrap() == "sales_1");
    }
}

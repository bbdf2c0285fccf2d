//! Names in Unity Catalog: parts with dots between them, for example `main.default.sales`. A part that has dots itself stands in
//! backticks.

use std::fmt;

use crate::{Error, Result};

/// The parts of a full name, in the order of SQL.
const PARTS: [&str; 3] = ["CATALOG", "SCHEMA", "NAME"];

/// The full name of an object, from the catalog down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FullName(Vec<String>);

impl FullName {
    /// Reads a name with so many parts.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for any other text.
    pub(crate) fn parse(what: &str, parts: usize, text: &str) -> Result<Self> {
        match split(text) {
            Some(found) if found.len() == parts => Ok(Self(found)),
            _ => Err(Error::usage(format!("not the full name of a {what}: {text:?}")).with_hint(format!(
                "write {}, with backticks around a part that has dots",
                PARTS[..parts.min(PARTS.len())].join(".")
            ))),
        }
    }

    /// Reads a name with any number of parts.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if a part is empty, or a backtick has no partner.
    pub(crate) fn any(what: &str, text: &str) -> Result<Self> {
        let parts = split(text).ok_or_else(|| Error::usage(format!("not the name of a {what}: {text:?}")))?;
        Ok(Self(parts))
    }

    /// One part, without backticks.
    pub(crate) fn part(&self, n: usize) -> &str {
        self.0.get(n).map_or("", String::as_str)
    }

    /// The field of an answer with this name; empty if the name can't be compared: which backticks the service writes and
    /// what it makes of letters beyond ASCII is not known.
    pub(crate) fn compared<'a>(&self, field: &'a str) -> &'a str {
        if self.0.iter().all(|part| part.is_ascii() && !needs_quotes(part)) { field } else { "" }
    }
}

/// As the service takes it: in backticks where they are needed, and nowhere else.
impl fmt::Display for FullName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, part) in self.0.iter().enumerate() {
            let dot = if n == 0 { "" } else { "." };
            match needs_quotes(part) {
                true => write!(f, "{dot}`{}`", part.replace('`', "``"))?,
                false => write!(f, "{dot}{part}")?,
            }
        }
        Ok(())
    }
}

/// Refuses a name that the service gives no new object: it has no dots, spaces, slashes, or control characters.
pub(crate) fn check_new(what: &str, name: Option<&str>) -> Result<()> {
    let name = name.unwrap_or_default();
    if name.is_empty() {
        return Err(Error::usage(format!("the new {what} has no name")));
    }
    if name.contains(|c: char| matches!(c, '.' | ' ' | '/') || c.is_control()) {
        return Err(Error::usage(format!("not a name for a new {what}: {name:?}"))
            .with_hint("use no dots, spaces, or slashes; catalog and schema are given separately"));
    }
    Ok(())
}

fn needs_quotes(part: &str) -> bool {
    part.contains(['.', '`'])
}

/// The parts without backticks; two backticks in a quoted part are one.
fn split(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let mut part = String::new();
        if let Some(mut quoted) = rest.strip_prefix('`') {
            rest = loop {
                let (before, after) = quoted.split_once('`')?;
                part.push_str(before);
                match after.strip_prefix('`') {
                    Some(more) => (part.push('`'), quoted = more),
                    None => break after,
                };
            };
            if !(rest.is_empty() || rest.starts_with('.')) {
                return None;
            }
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            part.push_str(&rest[..end]);
            rest = &rest[end..];
            if part.contains('`') {
                return None;
            }
        }
        if part.trim().is_empty() || part.contains(char::is_control) {
            return None;
        }
        parts.push(part);
        match rest.strip_prefix('.') {
            Some(more) => rest = more,
            None => return Some(parts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_dots_between_them_or_backticks_around() {
        for (text, parts, sent) in [
            ("main", &["main"][..], "main"),
            ("main.default.Sales 2026", &["main", "default", "Sales 2026"], "main.default.Sales 2026"),
            ("main.default.`odd.name`", &["main", "default", "odd.name"], "main.default.`odd.name`"),
            ("`main`.`default`", &["main", "default"], "main.default"),
            ("a.`b``c`", &["a", "b`c"], "a.`b``c`"),
            ("a./..", &[], ""),
            ("`.`", &["."], "`.`"),
        ] {
            let found = split(text).map(FullName);
            assert_eq!(found.as_ref().map_or(&[][..], |name| &name.0), parts, "{text}");
            assert_eq!(found.map(|name| name.to_string()).unwrap_or_default(), sent, "{text}");
        }
        for wrong in ["", " ", ".", "a.", ".a", "a..b", "`a", "a`b", "`a`b", "``", "a.``", "a\n.b", "` `"] {
            assert_eq!(split(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_wrong_number_of_parts_says_what_is_right() {
        assert!(FullName::parse("table", 3, "main.default.t").is_ok());
        let error = FullName::parse("schema", 2, "main.default.t").unwrap_err();
        assert_eq!(error.to_string(), r#"not the full name of a schema: "main.default.t""#);
        assert_eq!(error.hint(), Some("write CATALOG.SCHEMA, with backticks around a part that has dots"));
    }

    #[test]
    fn a_new_name_is_one_part() {
        assert!(check_new("schema", Some("sales_2026")).is_ok());
        for wrong in [None, Some(""), Some("main.sales"), Some("a b"), Some("a/b"), Some("a\u{7f}")] {
            assert!(check_new("schema", wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_plain_names_are_compared_with_answers() {
        let compared = |text: &str| split(text).map(FullName).unwrap().compared("full_name");
        assert_eq!(compared("main.default.t"), "full_name");
        assert_eq!((compared("main.default.`a.b`"), compared("main.d\u{e9}faut.t")), ("", ""));
    }
}

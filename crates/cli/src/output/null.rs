//! How NULL is told from a text that reads the same.

use std::borrow::Cow;

/// How a table and a record show NULL, unless `--null` says otherwise.
pub(super) const NULL: &str = "NULL";

/// A text as a terminal shows it: a text that reads like NULL, with or without quotes, gets one more pair of quotes.
pub(super) fn told_apart<'a>(text: &'a str, null: &str) -> Cow<'a, str> {
    let mut inner = text;
    while let Some(rest) = inner.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        inner = rest;
    }
    if inner == null { Cow::Owned(format!("'{text}'")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::{NULL, told_apart};

    #[test]
    fn no_text_is_shown_as_null_is() {
        for (text, shown) in [
            ("NULL", "'NULL'"),
            ("'NULL'", "''NULL''"),
            ("''NULL''", "'''NULL'''"),
            ("'NULL", "'NULL"),
            ("null", "null"),
            ("", ""),
            ("'", "'"),
        ] {
            assert_eq!(told_apart(text, NULL), shown);
        }
        assert_eq!(told_apart("", ""), "''");
        assert_eq!(told_apart("''", ""), "''''");
        assert_eq!(told_apart("NULL", "-"), "NULL");
    }
}

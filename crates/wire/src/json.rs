//! JSON as it comes from elsewhere: decoded so that an error says where it is wrong and does not quote it, because
//! serde's own messages may hold a secret.

mod place;
mod room;
mod shape;

use serde::{Deserialize, de::Error as _};
use serde_json::error::Category;

use crate::{Error, Result};

pub use self::{
    room::{elements, entries, list, map, rows},
    shape::{Excess, excess},
};

/// Decodes a document. An empty one and `null` count as `{}`, and a byte order mark is skipped.
///
/// # Errors
/// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if the text is not what the type says; the
/// message names the place and not the value.
pub fn decode<'a, T: Deserialize<'a>>(raw: &'a [u8]) -> Result<T> {
    decode_within("", if is_empty(raw) { b"{}" } else { without_mark(raw) })
}

/// Decodes a part of a document, whose place an error names: `clusters[3]`.
///
/// # Errors
/// As for [`decode`].
pub fn decode_within<'a, T: Deserialize<'a>>(place: &str, raw: &'a [u8]) -> Result<T> {
    let decoded = room::limited(room::LARGEST, || serde_json::from_slice(raw));
    decoded.map_err(|error| undecodable(place, &place::path(raw, error.line(), error.column()), &error))
}

fn undecodable(place: &str, path: &str, error: &serde_json::Error) -> Error {
    let dot = if place.is_empty() || path.is_empty() || path.starts_with('[') { "" } else { "." };
    let place = match format!("{place}{dot}{path}") {
        nowhere if nowhere.is_empty() => nowhere,
        place => format!(" at `{place}`"),
    };
    let hint = match error.classify() {
        Category::Data => {
            "the service sent something that this version does not expect: the raw answer has all of it"
        }
        _ => "this is not JSON: see whether something else answers for the workspace, such as a proxy",
    };
    let source = without_value(error);
    Error::unexpected(format!("cannot decode the response{place}: {source}"))
        .with_hint(hint)
        .with_source(source)
}

/// Whether there is nothing in a body: no text, or `null`.
pub fn is_empty(raw: &[u8]) -> bool {
    matches!(without_mark(raw).trim_ascii(), b"" | b"null")
}

fn without_mark(raw: &[u8]) -> &[u8] {
    raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw)
}

/// serde quotes what it found.
fn without_value(error: &serde_json::Error) -> serde_json::Error {
    let text = error.to_string();
    match (text.find(['"', '`']), text.rfind(['"', '`'])) {
        (Some(start), Some(end)) if start < end && error.classify() == Category::Data => {
            serde_json::Error::custom(format!("{}\u{2026}{}", &text[..start], &text[end + 1..]))
        }
        _ => serde_json::Error::custom(text),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    struct Pool {
        #[serde(default)]
        size: Option<u32>,
    }

    #[test]
    fn nothing_is_an_empty_object() {
        for raw in [&b""[..], b" \n", b"null", b" null ", b"\xef\xbb\xbf{}", b"{}"] {
            assert_eq!(decode::<Pool>(raw).unwrap(), Pool::default(), "{raw:?}");
        }
    }

    #[test]
    fn an_error_names_the_place_and_not_the_value() {
        for (raw, place) in [
            (r#"{"size":"hush"}"#, "at `size`"),
            (r#""hush""#, "cannot decode the response: "),
            (r#"{"size":1} hush"#, "trailing characters"),
            (r#"{"size":"hu`sh"}"#, "at `size`"),
        ] {
            let error = decode::<Pool>(raw.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(place), "{error}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hush") && !shown.contains("hu`sh"), "{shown}");
        }
    }
}

//! The caller's headers: what may be set, and which of several counts.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{Error, Result};

/// Set by the connection itself; a caller's value would route the request elsewhere, end it early, or have no effect.
const REFUSED: [HeaderName; 8] = [
    header::AUTHORIZATION,
    header::HOST,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    HeaderName::from_static("keep-alive"),
];

/// Merges pairs into headers: the last of a name counts.
pub(super) fn merged(pairs: &[(String, String)]) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let parsed = HeaderName::try_from(name.trim())
            .map_err(|_| Error::usage(format!("not a header name: {name:?}")))?;
        if REFUSED.contains(&parsed) {
            return Err(Error::usage(format!("this header can't be set: {parsed}"))
                .with_hint("it belongs to the connection, not to the request"));
        }
        let value = parse_value(value).ok_or_else(|| {
            Error::usage(format!(
                "the header's value holds line breaks or other forbidden characters: {parsed}"
            ))
        })?;
        if parsed == header::CONTENT_TYPE && value.is_empty() {
            headers.remove(parsed);
        } else {
            headers.insert(parsed, value);
        }
    }
    Ok(headers)
}

/// A content type that came with data or a file.
pub(super) fn parse_content_type(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text.trim())
        .ok()
        .filter(|value| value.to_str().is_ok_and(|t| t.contains('/')))
        .ok_or_else(|| Error::usage(format!("not a content type: {text:?}")))
}

/// Latin-1, as HTTP has it; no control characters.
fn parse_value(text: &str) -> Option<HeaderValue> {
    let bytes: Vec<u8> =
        text.trim().chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<_>>()?;
    HeaderValue::from_bytes(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::merged;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn the_last_of_a_name_counts() {
        let headers = merged(&pairs(&[
            ("X-A", "1"),
            ("x-a", "2"),
            ("Content-Type", "text/csv"),
            ("content-type", ""),
            ("X-Latin", "é"),
        ]))
        .unwrap();
        assert_eq!(headers["x-a"], "2");
        assert_eq!(headers["x-latin"].as_bytes(), b"\xe9");
        assert_eq!(headers.len(), 2, "{headers:?}");
    }

    #[test]
    fn refuses_what_would_break_the_request() {
        for (name, value) in [
            ("Host", "evil.example"),
            ("authorization", "Bearer S3"),
            ("Transfer-Encoding", "chunked"),
            ("", "x"),
            ("X A", "x"),
            ("X-A\r\nX-Evil", "1"),
            ("X-A", "a\r\nX-Evil: S3"),
            ("X-A", "\u{20ac}S3"),
            ("X-A", "a\0"),
        ] {
            let error = merged(&pairs(&[(name, value)])).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Usage, "{name:?}");
            assert!(!error.to_string().contains("S3"), "{error}");
        }
    }
}

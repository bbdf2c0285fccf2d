//! Decides what people may see of a request and a response: everything but credentials, presigned links and the like.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use ::http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;
use serde_json::Value;

use crate::{Secret, text};

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// How much of a body a debug log shows, in bytes.
const BODY_LIMIT: usize = 8 * 1024;

/// Parts of header names, JSON keys and query keys whose values are never shown.
const SECRET_WORDS: [&str; 17] = [
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "passwd",
    "api-key",
    "apikey",
    "api_key",
    "credential",
    "signature",
    "external_link",
    "http_headers",
    "private_key",
    "access_key",
    "string_value",
    "bytes_value",
];

/// Keys that contain a secret word and are harmless.
const HARMLESS: [&str; 5] =
    ["page_token", "next_page_token", "prev_page_token", "token_type", "idempotency_token"];

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !HARMLESS.contains(&name.as_str())
        && (SECRET_WORDS.iter().any(|word| name.contains(word))
            || name.starts_with("x-amz-")
            || name == "sig")
}

/// A header's value as it may be shown.
pub fn header<'a>(name: &HeaderName, value: &'a HeaderValue) -> &'a str {
    if is_secret(name.as_str()) { MASK } else { value.to_str().unwrap_or("(not text)") }
}

/// The value of a field as it may be shown.
pub fn value<'a>(key: &str, value: &'a str) -> &'a str {
    if is_secret(key) { MASK } else { value }
}

/// Headers on one line. Addresses are shown without their query, which may be a signature.
pub fn headers(headers: &HeaderMap) -> String {
    const ADDRESSES: [&str; 3] = ["location", "content-location", "referer"];
    let shown = |n: &HeaderName, v: &HeaderValue| match header(n, v).split_once('?') {
        Some((address, _)) if ADDRESSES.contains(&n.as_str()) => format!("{address}?{MASK}"),
        _ => header(n, v).to_owned(),
    };
    headers.iter().map(|(n, v)| format!("{n}: {}", shown(n, v))).collect::<Vec<_>>().join("; ")
}

/// A URL with the values of secret query parameters masked.
pub fn url(url: &Url) -> String {
    let mut shown = url.clone();
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_fragment(None);
    if url.query().is_some() {
        let pairs: Vec<_> = url.query_pairs().map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
        shown.query_pairs_mut().clear().extend_pairs(
            pairs.iter().map(|(k, v)| (k.as_str(), if is_secret(k) { MASK } else { v.as_str() })),
        );
    }
    shown.to_string()
}

/// A body as it may be shown: JSON with its secrets masked, of other text the start; without the secrets that the filter
/// knows.
pub fn body(bytes: &[u8], filter: &Filter) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut text = match serde_json::from_slice::<Value>(bytes) {
        Ok(mut json) => {
            mask(&mut json);
            json.to_string()
        }
        Err(_) => match std::str::from_utf8(bytes) {
            // Nothing tells which of its fields are secrets.
            Ok(text) if is_multipart(text) => return format!("(a form of {} bytes)", bytes.len()),
            // JSON of several lines, too deep, or cut off.
            Ok(text) if text.trim_start().starts_with(['{', '[']) => {
                return format!("({} bytes)", bytes.len());
            }
            Ok(text) if is_form(text) => form(text),
            Ok(text) => text.to_owned(),
            Err(_) => return format!("({} bytes)", bytes.len()),
        },
    };
    if let Cow::Owned(filtered) = filter.text(&text) {
        text = filtered;
    }
    if text.len() > BODY_LIMIT {
        let end = text::boundary(&text, BODY_LIMIT);
        let more = text.len() - end;
        text.truncate(end);
        text.push_str(&format!("... ({more} bytes more)"));
    }
    text
}

/// Knows the credentials in use and takes them out of what people read. Clones share what they know.
#[derive(Clone, Default)]
pub struct Filter(Arc<RwLock<Vec<Secret>>>);

impl Filter {
    /// A text of this length, in bytes, is recognizable as a secret.
    const LONG: usize = 16;
    /// A shorter text is a secret only if it mixes letters and digits, and none below this length is: servers for
    /// development take tokens such as `dev` or `databricks`, which are in every other message.
    const SHORTEST: usize = 8;
    /// Renewed tokens replace the oldest.
    const MOST: usize = 64;

    /// Takes note of a secret.
    pub fn learn(&self, secret: &Secret) {
        let is_known = |known: &[Secret]| known.contains(secret);
        if !Self::is_recognizable(secret.expose())
            || is_known(&self.0.read().unwrap_or_else(PoisonError::into_inner))
        {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if !is_known(&known) {
            if known.len() == Self::MOST {
                known.remove(0);
            }
            known.push(secret.clone());
        }
    }

    fn is_recognizable(secret: &str) -> bool {
        let has = |is: fn(&u8) -> bool| secret.bytes().any(|byte| is(&byte));
        let mixed = || has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
        secret.len() >= Self::LONG || secret.len() >= Self::SHORTEST && mixed()
    }

    /// The text without the secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().fold(Cow::Borrowed(text), |text, secret| {
            if text.contains(secret.expose()) {
                Cow::Owned(text.replace(secret.expose(), MASK))
            } else {
                text
            }
        })
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter")
    }
}

fn mask(json: &mut Value) {
    match json {
        Value::Object(map) => {
            // The secrets API answers with these two fields. A tag looks the same.
            let is_pair = map.len() == 2 && map.contains_key("key") && map.contains_key("value");
            for (key, value) in map {
                if is_pair && key == "value" && !value.is_null() {
                    *value = MASK.into();
                } else if key == "parameters" {
                    mask_parameters(value);
                } else if is_secret(key) && !value.is_null() {
                    *value = MASK.into();
                } else {
                    mask(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        _ => {}
    }
}

/// SQL parameters are the user's data: their names are shown, their values are not.
fn mask_parameters(value: &mut Value) {
    match value.as_array_mut() {
        Some(items) => {
            for item in items {
                if let Some(value) = item.get_mut("value").filter(|v| !v.is_null()) {
                    *value = MASK.into();
                }
            }
        }
        None => mask(value),
    }
}

fn is_multipart(text: &str) -> bool {
    text.starts_with("--") && text.contains("Content-Disposition: form-data")
}

fn is_form(text: &str) -> bool {
    text.contains('=') && !text.contains(char::is_whitespace) && !text.starts_with('<')
}

fn form(text: &str) -> String {
    text.split('&')
        .map(|pair| match pair.split_once('=') {
            Some((key, _)) if is_secret(key) => format!("{key}={MASK}"),
            _ => pair.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knowing(secret: &str) -> Filter {
        let filter = Filter::default();
        filter.learn(&secret.into());
        filter
    }

    #[test]
    fn the_filter_knows_long_secrets_and_no_words() {
        let filter = knowing("dapi-0123456789");
        let words = ["x", "dev", "token", "emulator", "databricks", "12345678"];
        words.iter().for_each(|word| filter.learn(&(*word).into()));
        let text = words.join(" ");
        assert_eq!(filter.text(&text), text);
        assert_eq!(filter.text("dev uses dapi-0123456789, dapi-0123456789"), "dev uses ***, ***");
        for secret in ["abcdefgh1", "a-secret-of-letters", "01234567-89ab-cdef"] {
            assert_eq!(knowing(secret).text(&format!("[{secret}]")), "[***]");
        }
        assert!(matches!(filter.text("nothing here"), Cow::Borrowed(_)));
        assert!(!format!("{filter:?}").contains("0123"));
    }

    #[test]
    fn masks_json_at_any_depth_and_keeps_the_rest() {
        let shown = body(
            br#"{"a":1,"client_secret":"S3","deep":[{"external_link":"https://store/?X-Amz-Signature=S3"}],
                "next_page_token":"keep","parameters":[{"name":"n","value":"S3","type":"INT"}],"note":"has dapi-long-S3 in it"}"#,
            &knowing("dapi-long-S3"),
        );
        assert!(!shown.contains("S3"), "{shown}");
        for secret in [r#"{"scope":"s","key":"k","string_value":"S3"}"#, r#"{"key":"k","value":"S3"}"#] {
            assert!(!body(secret.as_bytes(), &Filter::default()).contains("S3"), "{secret}");
        }
        assert!(shown.contains(r#""next_page_token":"keep""#) && shown.contains(r#""name":"n""#), "{shown}");
    }

    #[test]
    fn masks_urls_headers_and_forms() {
        let url =
            url(&Url::parse("https://u:S3@h.example/p?X-Amz-Signature=S3&page_token=t&sig=S3#S3").unwrap());
        assert!(!url.contains("S3") && url.contains("page_token=t"), "{url}");
        let mut map = HeaderMap::new();
        map.insert("Authorization", "Bearer S3".parse().unwrap());
        map.insert("X-Api-Key", "S3".parse().unwrap());
        map.insert("Accept", "a/b".parse().unwrap());
        map.insert("Location", "https://store/chunk?sig=S3".parse().unwrap());
        let shown = headers(&map);
        assert!(!shown.contains("S3") && shown.contains("accept: a/b"), "{shown}");
        assert_eq!(
            body(b"grant_type=x&client_secret=S3", &Filter::default()),
            "grant_type=x&client_secret=***"
        );
        let link = r#"{"external_link":"S3"}"#;
        for text in [format!("\u{feff}{link}"), format!("{link}\n{link}"), link[..20].to_owned()] {
            assert!(!body(text.as_bytes(), &Filter::default()).contains("S3"), "{text}");
        }
        let form = b"--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nS3\r\n--B--\r\n";
        assert_eq!(body(form, &Filter::default()), format!("(a form of {} bytes)", form.len()));
    }

    #[test]
    fn cuts_long_bodies_on_a_character() {
        let long = "\u{e9}".repeat(BODY_LIMIT);
        let shown = body(long.as_bytes(), &Filter::default());
        assert!(shown.len() < BODY_LIMIT + 100 && shown.ends_with("bytes more)"));
    }
}

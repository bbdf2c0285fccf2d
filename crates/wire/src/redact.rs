//! Decides what people may see of a request and a response: everything but credentials, presigned links and the like.
//!
//! Names decide first: of fields, parameters and headers (`names`). What a secret's name doesn't tell is taken out by
//! its value: the credentials in use and what the user sends as a secret ([`Filter`]), and what free text calls a
//! password (`scrub`).

mod fields;
mod hidden;
mod names;
mod scrub;

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use ::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use reqwest::{Request, Url};
use serde_json::Value;

use self::{
    fields::{mask, masked_value, report},
    hidden::is_multipart,
    names::{is_secret, is_shown},
    scrub::{Found, scrub},
};
pub use crate::known::MASK;
use crate::{
    Secret, form, json,
    known::{self, Known, Origin},
    text,
};

/// How much of a body a debug log shows, in bytes.
const BODY_LIMIT: usize = 8 * 1024;
/// The longest body of a request whose secrets are remembered, in bytes.
const LEARN_LIMIT: usize = 1 << 20;

/// Whether a value of this name is a secret, as far as the name tells: `DB_PASSWORD`, `accessKey`.
///
/// ```
/// assert!(brickwire_wire::redact::is_secret_name("ARM_CLIENT_SECRET"));
/// assert!(!brickwire_wire::redact::is_secret_name("AZURE_CONFIG_DIR"));
/// ```
pub fn is_secret_name(name: &str) -> bool {
    is_secret(name)
}

/// A header's value as it may be shown: headers that aren't well known may be secrets, and addresses are shown without
/// their query, which may be a signature.
pub fn header<'a>(name: &HeaderName, value: &'a HeaderValue) -> Cow<'a, str> {
    masked_header(name, value, &mut |_| {})
}

fn masked_header<'a>(name: &HeaderName, value: &'a HeaderValue, found: &mut Found<'_>) -> Cow<'a, str> {
    const ADDRESSES: [&str; 3] = ["location", "content-location", "referer"];
    let Ok(text) = value.to_str() else {
        return Cow::Borrowed(if is_shown(name) { "(not text)" } else { MASK });
    };
    if !is_shown(name) {
        report(text, found);
        return Cow::Borrowed(MASK);
    }
    match text.find(['?', '#']) {
        Some(at) if ADDRESSES.contains(&name.as_str()) => {
            let query = &text[at + 1..];
            form_urlencoded::parse(query.as_bytes()).for_each(|(_, value)| report(&value, found));
            Cow::Owned(format!("{}{MASK}", scrub(&text[..=at], found)))
        }
        _ => scrub(text, found),
    }
}

/// The value of a field as it may be shown.
pub fn value<'a>(key: &str, value: &'a str) -> Cow<'a, str> {
    masked_value(key, value, &mut |_| {})
}

/// Headers on one line.
pub fn headers(headers: &HeaderMap) -> String {
    headers.iter().map(|(n, v)| format!("{n}: {}", header(n, v))).collect::<Vec<_>>().join("; ")
}

/// A URL with the values of secret query parameters masked.
pub fn url(url: &Url) -> String {
    masked_url(url, &mut |_| {})
}

fn masked_url(url: &Url, found: &mut Found<'_>) -> String {
    let mut shown = url.clone();
    if let Some(password) = url.password() {
        report(&percent_decode_str(password).decode_utf8_lossy(), found);
    }
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_fragment(None);
    if url.query().is_some() {
        let pairs: Vec<_> = url.query_pairs().map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
        let pairs = pairs.iter().map(|(k, v)| (k.as_str(), masked_value(k, v, found)));
        shown.query_pairs_mut().clear().extend_pairs(pairs);
    }
    shown.to_string()
}

/// A text without the credentials of any connection of this process, in whatever form they are repeated.
pub fn text(text: &str) -> Cow<'_, str> {
    known::hide(text)
}

/// A body as it may be shown: JSON with its secrets masked, of other text the start; without the secrets that the filter
/// knows.
pub fn body(bytes: &[u8], filter: &Filter) -> String {
    // What is scrubbed and not shown is only as long as the longest secret.
    match masked_body(bytes, 3 * BODY_LIMIT, &mut |_| {}) {
        Body::Shown(text, length) => shown(&text, length, filter),
        Body::Form => format!("(a form of {} bytes)", without_mark(bytes).len()),
        Body::Hidden => format!("({} bytes)", without_mark(bytes).len()),
    }
}

/// What may be shown of a body.
enum Body<'a> {
    /// The start of it, and its length in bytes.
    Shown(Cow<'a, str>, usize),
    /// Nothing, since it is not known which of its fields are secrets.
    Form,
    Hidden,
}

/// Masks the secrets of a body and reports them. Free text is read as far as `limit`.
fn masked_body<'a>(bytes: &'a [u8], limit: usize, found: &mut Found<'_>) -> Body<'a> {
    let bytes = without_mark(bytes);
    let is_large = json::excess(bytes).is_some();
    if let Ok(mut json) = serde_json::from_slice::<Value>(if is_large { b"-" } else { bytes }) {
        mask(&mut json, found);
        let text = json.to_string();
        let length = text.len();
        return Body::Shown(text.into(), length);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if is_multipart(text) => Body::Form,
        // JSON of several lines, too deep, or cut off.
        Ok(text) if text.trim_start().starts_with(['{', '[']) => Body::Hidden,
        Ok(text) if is_form(text) => {
            let text = masked_form(text, found);
            let length = text.len();
            Body::Shown(text.into(), length)
        }
        Ok(text) => Body::Shown(scrub(&text[..text::boundary(text, limit)], found), text.len()),
        Err(_) => Body::Hidden,
    }
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The start of a text, and how much more there is of `length` bytes.
fn shown(text: &str, length: usize, filter: &Filter) -> String {
    let start = &text[..text::boundary(text, 3 * BODY_LIMIT)];
    let mut text = filter.text(start).into_owned();
    let end = text::boundary(&text, BODY_LIMIT);
    if end < text.len() {
        let more = length.saturating_sub(end);
        text.truncate(end);
        text.push_str(&format!("... ({more} bytes more)"));
    }
    text
}

/// Knows the credentials in use, and the secrets that the user sends, and takes them out of what people read. Clones
/// share what they know. Errors and events pass the filters of all connections by themselves.
#[derive(Clone, Default)]
pub struct Filter(Arc<RwLock<Known>>);

impl Filter {
    /// Takes note of a secret. One that is too short to be told from a word is not hidden.
    pub fn learn(&self, secret: &Secret) {
        Known::learn(&self.0, [secret.expose()], Origin::Credential);
    }

    /// Takes note of the secrets that a request carries, because services repeat what they refuse: everything that is
    /// masked where the request is shown.
    pub fn learn_request(&self, request: &Request) {
        let mut found: Vec<String> = Vec::new();
        let mut find = |secret: &str| found.push(secret.to_owned());
        for (name, value) in request.headers() {
            masked_header(name, value, &mut find);
        }
        masked_url(request.url(), &mut find);
        let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
        if body.len() <= LEARN_LIMIT
            && matches!(masked_body(body, LEARN_LIMIT, &mut find), Body::Form | Body::Hidden)
        {
            hidden::find(&String::from_utf8_lossy(without_mark(body)), &mut find);
        }
        Known::learn(&self.0, found.iter().map(String::as_str), Origin::Input);
    }

    /// The text without the secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).hide(text)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter")
    }
}

/// Whether it is a form, even one whose blanks were not encoded.
fn is_form(text: &str) -> bool {
    let key = text.trim_start().split('=').next().unwrap_or_default();
    key.len() < text.trim_start().len()
        && !key.is_empty()
        && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.%+[]&~*".contains(c))
}

fn masked_form(text: &str, found: &mut Found<'_>) -> String {
    let decoded =
        |text: &str| form_urlencoded::parse(text.as_bytes()).next().unwrap_or_default().0.into_owned();
    text.split('&')
        .map(|pair| match pair.split_once('=') {
            Some((key, raw)) => {
                let (name, plain) = (decoded(key), decoded(&raw.replace('=', "%3D")));
                match masked_value(name.trim(), &plain, found) {
                    shown if shown == plain => pair.to_owned(),
                    shown if shown == MASK => format!("{key}={MASK}"),
                    shown => format!("{key}={}", form::encode_text(&shown)),
                }
            }
            None => scrub(pair, found).into_owned(),
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
    fn masks_what_databricks_calls_a_secret() {
        for json in [
            r#"{"scope":"s","key":"k","bytes_value":"S3"}"#,
            r#"{"key":"k","value":"S3","last_updated":1}"#,
            r#"{"value":"S3"}"#,
            r#"{"spark_conf":{"fs.azure.account.key.a.dfs.core.windows.net":"S3","spark.x":"kept"}}"#,
            r#"{"spark_conf":{"spark.my.secret":"S3","spark.jdbc.password":"S3"}}"#,
            r#"{"spark_env_vars":{"ANYTHING":"S3"}}"#,
            r#"{"environment_vars":[{"name":"ANYTHING","value":"S3"}]}"#,
            r#"{"pwd":"S3","passphrase":"S3","private-key":"S3","accessKey":"S3"}"#,
            r#"{"connection_string":"S3","sas_url":"S3","webhook":{"url":"S3"},"password":12345}"#,
            r#"{"config":{"slack":{"url":"https://hooks.slack.com/services/S3"}}}"#,
            r#"{"settings":"{\"password\":\"S3\"}"}"#,
            r#"{"settings":"[{\"deep\":\"{\\\"token\\\":\\\"S3\\\"}\"}]"}"#,
            r#"{"url":"jdbc:x://h;user=u;password=S3"}"#,
            r#""password=S3""#,
            r#"{"parameters":["--password","S3"]}"#,
            r#"{"options":[{"name":"DB_PASSWORD","value":"S3","type":"STRING"}]}"#,
            r#"{"otp":"S3"}"#,
            r#"{"statement":"CREATE CONNECTION c OPTIONS (host 'h', password 'S3')"}"#,
            r#"{"parameters":[{"name":"n","value":"v","client_secret":"S3"}]}"#,
        ] {
            let shown = body(json.as_bytes(), &Filter::default());
            assert!(!shown.contains("S3") && shown.contains(MASK), "{json}: {shown}");
        }
        let kept =
            r#"{"spark_version":"15.4.x","tags":[{"name":"a","value":"b"}],"max_tokens":5,"text":"{x}"}"#;
        assert_eq!(body(kept.as_bytes(), &Filter::default()), kept);
    }

    #[test]
    fn masks_bodies_that_are_not_clean() {
        for text in [
            r#"{"password":"S3",}"#,
            "{\"token\":\"S3\"}\n{\"token\":\"S3\"}",
            "a=b c&client_secret=S3 S3&d=e",
            "client%5Fsecret=S3&a=b",
            " password=S3\n",
            "config=%7B%22password%22%3A%22S3%22%7D",
            "grant_type=authorization_code&code=S3",
            "Password: S3",
            "<p>password=S3</p>",
            "\r\n--B\r\ncontent-disposition: form-data; name=\"password\"\r\n\r\nS3\r\n--B--",
        ] {
            let shown = body(text.as_bytes(), &Filter::default());
            assert!(!shown.contains("S3"), "{text}: {shown}");
        }
        assert_eq!(body(b"a=b+c&page_token=d", &Filter::default()), "a=b+c&page_token=d");
    }

    #[test]
    fn what_a_request_carries_is_hidden_where_it_is_repeated() {
        let mut request =
            Request::new(::http::Method::POST, "https://h/p?sig=in-the-address-1".parse().unwrap());
        request.headers_mut().insert("X-Auth", "in-a-header-12345".parse().unwrap());
        *request.body_mut() = Some(
            r#"{"string_value":"in-the-body-12345","parameters":[{"name":"p","value":"a-parameter-12345"}],
                "statement":"SELECT a-long-statement"}"#
                .into(),
        );
        let filter = Filter::default();
        filter.learn_request(&request);
        let repeated = "in-the-address-1 in-a-header-12345 in-the-body-12345 a-parameter-12345";
        assert_eq!(filter.text(repeated), "*** *** *** ***");
        assert_eq!(filter.text("SELECT a-long-statement"), "SELECT a-long-statement");
    }

    #[test]
    fn forms_with_files_are_read_too() {
        let mut request = Request::new(::http::Method::POST, "https://h/p".parse().unwrap());
        let body =
            b"--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nin-a-form-12345\r\n--B\r\n\
            Content-Disposition: form-data; name=\"content\"; filename=\"a\"\r\n\r\n\xff\xfe\r\n--B--\r\n"
                .to_vec();
        assert!(std::str::from_utf8(&body).is_err());
        *request.body_mut() = Some(body.into());
        let filter = Filter::default();
        filter.learn_request(&request);
        assert_eq!(filter.text("[in-a-form-12345]"), "[***]");
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

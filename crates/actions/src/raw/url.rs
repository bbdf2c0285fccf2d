//! Where a raw request goes: resolved as a browser would (WHATWG), and never to where the token doesn't belong.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

use crate::{Error, Host, Result};

/// Resolves what the caller wrote.
pub(super) fn resolve(host: &Host, text: &str) -> Result<Url> {
    let text = text.trim();
    let text = text.split('#').next().unwrap_or_default();
    if text.chars().any(char::is_control) {
        return Err(Error::usage(format!("the address holds control characters: {:?}", shown(text))));
    }
    let path_end = text.find('?').unwrap_or(text.len());
    if text[..path_end].contains('\\') {
        return Err(Error::usage(format!("the address holds a backslash: {:?}", shown(text))));
    }
    if text.starts_with("//") {
        return Err(Error::usage(format!("the address has no scheme: {:?}", shown(text)))
            .with_hint("write https://… or a path, for example /2.0/clusters/list"));
    }
    let escaped = escape_lone_percents(text);
    match scheme_of(text) {
        Some(scheme) => absolute(scheme, &escaped, host),
        None => {
            let path = escaped.trim_start_matches('/');
            let below_api = path == "api" || path.starts_with("api/") || path.starts_with("api?");
            host.join(&if below_api { path.to_owned() } else { format!("api/{path}") })
        }
    }
}

fn absolute(scheme: &str, text: &str, host: &Host) -> Result<Url> {
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
        return Err(Error::usage(format!("the address must be http or https: {:?}", shown(text))));
    }
    if !text[scheme.len()..].starts_with("://") {
        return Err(Error::usage(format!("the address lacks // after its scheme: {:?}", shown(text))));
    }
    let malformed = || Error::usage(format!("malformed address: {:?}", shown(text)));
    let mut url = Url::parse(text).map_err(|_| malformed())?;
    let authority = text[scheme.len() + 3..].split(['/', '?']).next().unwrap_or_default();
    if !url.username().is_empty() || url.password().is_some() || authority.contains('@') {
        return Err(Error::usage("the address holds user information (before an @)")
            .with_hint("the connection's credential is used; leave user and password out"));
    }
    if !host.may_receive_credential(&url) {
        return Err(Error::usage(format!(
            "refused to send this connection's token to another host: {}",
            url.origin().ascii_serialization()
        ))
        .with_hint(format!("allowed are {host} and the account console of its cloud")));
    }
    url.set_fragment(None);
    Ok(url)
}

/// The scheme of an absolute address. A name and a colon alone is a path (`2.0/x:y`), but for http and https.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    (is_scheme && (is_web || rest.starts_with('/'))).then_some(scheme)
}

fn escape_lone_percents(text: &str) -> Cow<'_, str> {
    let is_escape = |rest: &str| rest.len() >= 2 && rest.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit);
    let mut parts = text.split('%');
    let mut escaped = parts.next().unwrap_or_default().to_owned();
    for rest in parts {
        escaped.push_str(if is_escape(rest) { "%" } else { "%25" });
        escaped.push_str(rest);
    }
    if escaped.len() == text.len() { Cow::Borrowed(text) } else { Cow::Owned(escaped) }
}

/// For an error's text: a query may hold a secret, and so may what stands before an `@`.
fn shown(text: &str) -> &str {
    let text = text.split('?').next().unwrap_or_default();
    text.rsplit('@').next().unwrap_or_default()
}

/// What axios leaves unescaped in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b':')
    .remove(b'$')
    .remove(b',');

/// Appends parameters to the query that the address may have already.
pub(super) fn with_query(mut url: Url, parameters: &[(String, String)], repeats_keys: bool) -> Url {
    let mut kept: Vec<(&str, &str)> = Vec::new();
    for (key, value) in parameters {
        match kept.iter_mut().find(|(known, _)| known == key && !repeats_keys) {
            Some(known) => known.1 = value,
            None => kept.push((key, value)),
        }
    }
    let encoded = |text: &str| utf8_percent_encode(text, QUERY).to_string().replace("%20", "+");
    let own = url.query().filter(|q| !q.is_empty()).map(str::to_owned);
    let pairs = kept.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value)));
    let query = own.into_iter().chain(pairs).collect::<Vec<_>>().join("&");
    url.set_query(Some(query.as_str()).filter(|q| !q.is_empty()));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(text: &str) -> Result<String> {
        let host = Host::parse("https://w.cloud.databricks.com").unwrap();
        resolve(&host, text).map(Into::into)
    }

    #[test]
    fn relative_and_allowed_absolute_addresses() {
        const W: &str = "https://w.cloud.databricks.com";
        for (text, path) in [
            ("", "/api/"),
            ("/", "/api/"),
            ("2.0/clusters/list", "/api/2.0/clusters/list"),
            ("/2.0/clusters/list", "/api/2.0/clusters/list"),
            ("/api/2.0/clusters/list", "/api/2.0/clusters/list"),
            ("api/2.0/x?api=1", "/api/2.0/x?api=1"),
            ("apiary/x", "/api/apiary/x"),
            ("/a/../b", "/api/b"),
            ("/a/%2e%2e/b", "/api/b"),
            ("/../oidc/x", "/oidc/x"),
            ("/a%2Fb%20c", "/api/a%2Fb%20c"),
            ("/100%", "/api/100%25"),
            ("/r?x=5%&y=%zz#f", "/api/r?x=5%25&y=%25zz"),
            ("@evil.example/x", "/api/@evil.example/x"),
            ("data:text/plain,x", "/api/data:text/plain,x"),
            ("2.0/x:y", "/api/2.0/x:y"),
            (" /r ", "/api/r"),
            ("https://w.cloud.databricks.com/oidc/x#f", "/oidc/x"),
            ("HTTPS://W.cloud.databricks.com:443/x", "/x"),
        ] {
            assert_eq!(to(text).unwrap(), format!("{W}{path}"), "{text}");
        }
        let console = "https://accounts.cloud.databricks.com/api/2.0/accounts/1/workspaces";
        assert_eq!(to(console).unwrap(), console);
    }

    #[test]
    fn refuses_everything_else_and_shows_no_secret() {
        for (text, part) in [
            ("https://evil.example/S3?S3", "to another host: https://evil.example"),
            ("http://w.cloud.databricks.com/x", "another host"),
            ("https://w.cloud.databricks.com:8443/x", "another host"),
            ("https://accounts.azuredatabricks.net/x", "another host"),
            ("https://w.cloud.databricks.com.evil.example/", "another host"),
            ("https://u:S3@w.cloud.databricks.com/x", "user information"),
            ("https://@w.cloud.databricks.com/x", "user information"),
            ("//evil.example/x", "no scheme"),
            ("\\\\evil.example/x", "backslash"),
            ("https:\\\\evil.example", "backslash"),
            ("ht\ttps://evil.example", "control"),
            ("/a\r\nX: y", "control"),
            ("http:/x", "lacks //"),
            ("https:evil.example", "lacks //"),
            ("file:///etc/hostname", "http or https"),
            ("ftp://127.0.0.1/x", "http or https"),
            ("https://", "malformed"),
        ] {
            let error = to(text).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Usage, "{text}");
            assert!(error.to_string().contains(part) && !error.to_string().contains("S3"), "{text}: {error}");
        }
    }

    #[test]
    fn queries_are_appended_and_the_last_of_a_key_wins() {
        let query = |address: &str, pairs: &[(&str, &str)], repeats| {
            let pairs: Vec<_> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let url =
                with_query(Url::parse("https://x.example").unwrap().join(address).unwrap(), &pairs, repeats);
            url.query().map(str::to_owned)
        };
        assert_eq!(query("/r", &[], false), None);
        assert_eq!(query("/r?", &[("a", "1")], false).unwrap(), "a=1");
        assert_eq!(query("/r?z=0", &[("a", "1"), ("b", "2"), ("a", "3")], false).unwrap(), "z=0&a=3&b=2");
        assert_eq!(query("/r", &[("a", "1"), ("a", "2")], true).unwrap(), "a=1&a=2");
        assert_eq!(
            query("/r", &[("a[]", "x y"), ("é&", "1:$,+=")], false).unwrap(),
            "a%5B%5D=x+y&%C3%A9%26=1:$,%2B%3D"
        );
    }
}

//! Takes secrets out of free text: `password=…`, `(password '…')`, `Bearer …`, the user information of an address,
//! webhooks, and keys.

use std::{borrow::Cow, ops::Range};

use super::names::is_secret;
use percent_encoding::percent_decode_str;

use crate::known::MASK;

/// Receives each secret that is masked, so that what is masked is also learned.
pub(super) type Found<'f> = dyn FnMut(&str) + 'f;

/// A word that may be a token is longer than this.
const WORD: usize = 24;

/// The text with its secrets masked and reported, as far as their surroundings tell.
pub(super) fn scrub<'t>(text: &'t str, found: &mut Found<'_>) -> Cow<'t, str> {
    if text.contains("PRIVATE KEY-----") {
        text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).for_each(found);
        return Cow::Borrowed(MASK);
    }
    // What lies in a secret that was found is not looked at again, which also keeps this linear.
    let (mut secrets, mut end) = (Vec::new(), 0);
    for (at, separator) in text.match_indices(['=', ':']) {
        if at >= end
            && let Some(secret) = value_after(text, at, separator)
        {
            end = secret.end;
            secrets.push(secret);
        }
    }
    let mut end = 0;
    for (at, scheme) in text.match_indices("://") {
        if at >= end
            && let Some(secret) = in_address(text, at + scheme.len())
        {
            end = secret.end;
            secrets.push(secret);
        }
    }
    secrets.extend(options(text));
    secrets.extend(words(text));
    // A webhook's address may have no path.
    secrets.retain(|secret| !secret.is_empty());
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    secrets.sort_by_key(|range| (range.start, range.end));
    let (mut shown, mut end) = (String::new(), 0);
    for secret in secrets {
        if secret.start >= end {
            report_parts(&text[secret.clone()], found);
            shown.push_str(&text[end..secret.start]);
            shown.push_str(MASK);
        }
        end = end.max(secret.end);
    }
    shown.push_str(&text[end..]);
    Cow::Owned(shown)
}

/// Reports a secret as it stands in the text, and as what it means there: without escapes, and of user information or a
/// webhook the last part.
fn report_parts(secret: &str, found: &mut Found<'_>) {
    let mut report = |secret: &str| {
        found(secret);
        if let Some((_, last)) = secret.rsplit_once([':', '/']) {
            found(last);
        }
    };
    report(secret);
    if secret.contains('%')
        && let Ok(decoded) = percent_decode_str(secret).decode_utf8()
    {
        report(&decoded);
    }
    if secret.contains('\\')
        && let Ok(plain) = serde_json::from_str::<String>(&format!("\"{secret}\""))
    {
        report(&plain);
    }
    if secret.contains("''") {
        report(&secret.replace("''", "'"));
    }
}

const QUOTES: [char; 3] = ['"', '\'', '`'];

/// The values of SQL's lists of options: `(user 'u', password 'S')`.
fn options(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut end) = (Vec::new(), 0);
    for (at, quote) in text.match_indices(['\'', '"']) {
        if at < end {
            continue;
        }
        let before = text[..at].trim_end();
        // One quote at most, so that each place is looked at once.
        let unquoted = before.strip_suffix(QUOTES).unwrap_or(before);
        let before = unquoted.trim_end_matches(is_in_name);
        let name = &unquoted[before.len()..];
        let before = before.strip_suffix(QUOTES).unwrap_or(before);
        if before.trim_end().ends_with(['(', ',']) && is_secret(name) {
            let start = at + quote.len();
            let quote = quote.chars().next().unwrap_or_default();
            let length = end_of_quoted(&text[start..], quote).unwrap_or(text.len() - start);
            end = start + length + 1;
            found.push(start..start + length);
        }
    }
    found
}

fn is_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// The value after a separator, if the name before it is that of a secret.
fn value_after(text: &str, at: usize, separator: &str) -> Option<Range<usize>> {
    let is_quote = |c: char| matches!(c, '"' | '\'' | '`' | '\\');
    let before = text[..at].trim_end_matches(|c: char| c == ' ' || is_quote(c));
    let name = &before[before.trim_end_matches(is_in_name).len()..];
    if !is_secret(name) {
        return None;
    }
    let after = &text[at + separator.len()..];
    // Of a list or an object, the first value.
    let mut value = after.trim_start_matches([' ', '\t', '[', '{', '(']);
    let quote = value.chars().next().filter(|c| is_quote(*c));
    value = value.trim_start_matches(is_quote);
    for scheme in ["Bearer ", "bearer ", "Basic ", "basic "] {
        value = value.strip_prefix(scheme).unwrap_or(value);
    }
    let start = text.len() - value.len();
    let length = match quote {
        Some('\\') => value.find('\\'),
        Some(quote) => end_of_quoted(value, quote),
        None => {
            value.find(|c: char| c.is_whitespace() || matches!(c, '&' | ';' | ',' | '"' | '\'' | '<' | '}'))
        }
    };
    Some(start..start + length.unwrap_or(value.len()))
}

fn end_of_quoted(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        if c == quote && !is_escaped {
            // SQL doubles a quote within a text.
            if quote != '\'' || characters.next_if(|(_, next)| *next == quote).is_none() {
                return Some(at);
            }
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    None
}

/// The user information of an address, or the path of a webhook.
fn in_address(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = &text[start..];
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`');
    let is_end_of_authority = |c: char| is_end(c) || matches!(c, '/' | '?' | '#');
    let authority = &rest[..rest.find(is_end_of_authority).unwrap_or(rest.len())];
    if let Some(at) = authority.rfind('@') {
        return Some(start..start + at);
    }
    let lower = authority.to_ascii_lowercase();
    let is_hook = lower.starts_with("hooks.") || lower.contains("webhook");
    is_hook.then(|| start + authority.len()..start + rest.find(is_end).unwrap_or(rest.len()))
}

/// Words that are tokens by their looks, and the word after `Bearer` or `Basic`.
fn words(text: &str) -> Vec<Range<usize>> {
    let is_in_word =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '/' | '=' | '~');
    let (mut found, mut at, mut is_next) = (Vec::new(), 0, false);
    while at < text.len() {
        let rest = &text[at..];
        let start = at + rest.find(is_in_word).unwrap_or(rest.len());
        let word = &text[start..];
        let word = &word[..word.find(|c| !is_in_word(c)).unwrap_or(word.len())];
        at = start + word.len();
        let is_databricks = ["dapi", "dose", "dkea"].iter().any(|sort| {
            word.strip_prefix(sort).is_some_and(|hex| {
                hex.len() + 4 > WORD && hex.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
            })
        });
        let is_jwt = word.starts_with("eyJ") && word.len() > WORD && word.contains('.');
        if is_databricks || is_jwt || is_next && word.len() >= 8 {
            found.push(start..at);
        }
        is_next = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Cow<'_, str> {
        scrub(text, &mut |_| {})
    }

    #[test]
    fn masks_what_its_surroundings_call_a_secret() {
        for text in [
            "Server=tcp:x;User ID=u;Password=S3CR3T;Encrypt=True",
            "AccountName=a;AccountKey=S3CR3T==;EndpointSuffix=x",
            "jdbc:sqlserver://h:1433;user=u;password=S3CR3T",
            "postgres://u:S3CR3T@h/db",
            "https://a.example/?next=https://u:S3CR3T@b.example/",
            "https://store/c?sv=1&sig=S3CR3T&se=2",
            "Authorization: Bearer S3CR3T-abc",
            "curl -H 'x: Bearer S3CR3T-abcdef'",
            r#"{"password": "S3CR3T with \" blanks", }"#,
            r#"{\"password\":\"S3CR3T\"}"#,
            "https://hooks.slack.com/services/T0/B0/S3CR3T",
            "https://acme.webhook.office.com/webhookb2/S3CR3T",
            "-----BEGIN RSA PRIVATE KEY-----\nS3CR3T\n-----END RSA PRIVATE KEY-----",
            "export DB_PWD='S3CR3T x'",
            r#"{"passwords": ["S3CR3T"],}"#,
            "CREATE CONNECTION c TYPE postgresql OPTIONS (host 'h', password 'it''s S3CR3T', port '1')",
            "OPTIONS ('spark.password' \"S3CR3T\")",
            "it is dapiS3CR3T".replace("S3CR3T", "0123456789abcdef0123456789abcdef").as_str(),
            "see eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJTM0NSM1QifQ.c2ln",
        ] {
            let shown = shown(text);
            let leaks = ["S3CR3T", "0123456789abcdef", "c2ln"].iter().any(|s| shown.contains(s));
            assert!(shown.contains(MASK) && !leaks, "{text}: {shown}");
        }
        assert_eq!(shown("a=1;password=S3;b=2"), "a=1;password=***;b=2");
        assert_eq!(
            shown("see https://hooks.example, password=S3"),
            "see https://hooks.example, password=***"
        );
        for text in [
            "[TABLE_OR_VIEW_NOT_FOUND] The table `a`.`b` cannot be found: line 1",
            "at 12:00:00: SELECT key FROM t WHERE a = 'b'",
            "basic tips: https://docs.example/a?b=c",
            "{{secrets/scope/key}}",
            "Syntax error at or near the token 'FROM'",
            "",
        ] {
            assert_eq!(shown(text), text);
        }
    }
}

//! What people may see of requests and responses: a planted secret never is, and showing what is shown changes nothing.

#![no_main]

use brickwire_fuzz::{PLANTED, line, response, text};
use brickwire_wire::{Secret, redact};
use http::HeaderValue;
use libfuzzer_sys::{Corpus, fuzz_target};
use reqwest::Url;
use serde_json::Value;

/// Names whose values are secrets, wherever they are.
const NAMES: [&str; 8] = [
    "client_secret",
    "access_token",
    "password",
    "string_value",
    "X-Api-Key",
    "refresh_token",
    "token",
    "private_key",
];

fuzz_target!(|data: &[u8]| -> Corpus {
    if data.windows(PLANTED.len()).any(|part| part == PLANTED.as_bytes()) {
        return Corpus::Reject;
    }
    let mut rest = data;
    // Where something is planted.
    let place: usize = text(line(&mut rest)).and_then(|line| line.trim().parse().ok()).unwrap_or(0);
    let name = NAMES[place % NAMES.len()];
    let filter = redact::Filter::default();

    // A known secret, anywhere in a text.
    if let Some(body) = text(rest) {
        filter.learn(&Secret::new(PLANTED));
        let at = (0..=place % (body.len() + 1)).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(0);
        let planted = format!("{}{PLANTED}{}", &body[..at], &body[at..]);
        hidden(&redact::body(planted.as_bytes(), &filter));
        hidden(&filter.text(&planted));
    }

    // A secret that is known by its name.
    let nothing = redact::Filter::default();
    if let Ok(mut json) = serde_json::from_slice::<Value>(rest) {
        let mut left = place % 16;
        plant(&mut json, name, &mut left);
        hidden(&redact::body(json.to_string().as_bytes(), &nothing));
    }
    if let Some(body) = text(rest).filter(|body| !body.contains(char::is_whitespace)) {
        hidden(&redact::body(format!("{}={PLANTED}&x={body}", name).as_bytes(), &nothing));
    }
    if let Some(mut url) = text(rest).and_then(|url| Url::parse(url).ok()) {
        url.query_pairs_mut().append_pair(name, PLANTED);
        let _ = url.set_password(Some(PLANTED));
        url.set_fragment(Some(PLANTED));
        let shown = redact::url(&url);
        hidden(&shown);
        let again = Url::parse(&shown).expect("what is shown of a URL is a URL");
        assert_eq!(redact::url(&again), shown);
    }
    let (_, mut headers, _) = response(data);
    headers.insert("x-databricks-token", HeaderValue::from_static(PLANTED));
    headers.insert(
        "location",
        HeaderValue::from_static("https://store.example/chunk?sig=dapi0123456789abcdef0123"),
    );
    hidden(&redact::headers(&headers));

    // Not with what was learned: its mask may join the letters around it to the name of a secret.
    let shown = redact::body(rest, &nothing);
    // Floats may change in their last digit, and a cut text says how much is missing.
    if shown.len() < 8000 && !serde_json::from_str(&shown).is_ok_and(|json| has_float(&json)) {
        assert_eq!(redact::body(shown.as_bytes(), &nothing), shown);
    }
    Corpus::Keep
});

fn hidden(shown: &str) {
    assert!(!shown.contains(PLANTED), "{shown}");
}

/// Adds a member with a secret to one of the objects.
fn plant(json: &mut Value, name: &str, left: &mut usize) {
    match json {
        Value::Object(members) => {
            members.values_mut().for_each(|member| plant(member, name, left));
            if *left == 0 || members.is_empty() {
                members.insert(name.to_owned(), PLANTED.into());
            }
            *left = left.saturating_sub(1);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| plant(item, name, left)),
        _ => {}
    }
}

fn has_float(json: &Value) -> bool {
    match json {
        Value::Object(members) => members.values().any(has_float),
        Value::Array(items) => items.iter().any(has_float),
        other => other.is_f64(),
    }
}

//! The credentials in use, in every form in which a service may repeat them, so that no text for people holds one.
//!
//! Each connection knows its own secrets. Errors and events are made in many places that don't know a connection, so
//! they are filtered by the secrets of all live connections of the process. A connection that is dropped takes its
//! secrets with it.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock, Weak},
};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::form;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// A text of this length, in bytes, is recognizable as a secret.
const LONG: usize = 16;
/// A shorter text is a secret only if it mixes letters and digits, and none below this length is: servers for
/// development take tokens such as `dev` or `databricks`, which are in every other message.
const SHORTEST: usize = 8;
/// Renewed tokens replace the oldest, and so do the values that the user sends.
const MOST: usize = 64;
/// The connections whose secrets are taken out of errors; the newest count.
const MOST_CONNECTIONS: usize = 256;

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The secrets of all live connections.
static LIVE: RwLock<Vec<Weak<RwLock<Known>>>> = RwLock::new(Vec::new());

/// Where a secret comes from. Many values of one sort don't displace the other.
#[derive(Clone, Copy)]
pub(crate) enum Origin {
    Credential,
    /// A value that the user sends, such as a password to be stored or an SQL parameter.
    Input,
}

/// The secrets of one connection.
#[derive(Default)]
pub(crate) struct Known {
    credentials: Vec<String>,
    inputs: Vec<String>,
    /// All forms of all of them. The longest is first, in case one contains another.
    forms: Vec<String>,
}

impl Known {
    /// Takes note of a secret, if it is long enough to be told from a word.
    pub(crate) fn learn(this: &Arc<RwLock<Self>>, secret: &str, origin: Origin) {
        if !is_recognizable(secret) || read(this).has(secret) {
            return;
        }
        let mut known = this.write().unwrap_or_else(PoisonError::into_inner);
        if known.has(secret) {
            return;
        }
        let is_first = known.forms.is_empty();
        let list = match origin {
            Origin::Credential => &mut known.credentials,
            Origin::Input => &mut known.inputs,
        };
        if list.len() == MOST {
            list.remove(0);
        }
        list.push(secret.to_owned());
        let all: BTreeSet<_> = known.credentials.iter().chain(&known.inputs).flat_map(|s| forms(s)).collect();
        known.forms = all.into_iter().collect();
        known.forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        drop(known);
        if is_first {
            let mut live = LIVE.write().unwrap_or_else(PoisonError::into_inner);
            live.retain(|known| known.strong_count() > 0);
            if live.len() == MOST_CONNECTIONS {
                live.remove(0);
            }
            live.push(Arc::downgrade(this));
        }
    }

    fn has(&self, secret: &str) -> bool {
        self.credentials.iter().chain(&self.inputs).any(|known| known == secret)
    }

    /// The text without the secrets.
    pub(crate) fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.forms.iter().fold(Cow::Borrowed(text), |text, form| {
            if text.contains(form.as_str()) { Cow::Owned(text.replace(form.as_str(), MASK)) } else { text }
        })
    }
}

/// The text without the secrets of any live connection.
pub(crate) fn hide(text: &str) -> Cow<'_, str> {
    let live = LIVE.read().unwrap_or_else(PoisonError::into_inner);
    let known = live.iter().filter_map(Weak::upgrade);
    known.fold(Cow::Borrowed(text), |text, known| match read(&known).hide(&text) {
        Cow::Owned(hidden) => Cow::Owned(hidden),
        Cow::Borrowed(_) => text,
    })
}

/// Takes the secrets of all live connections out of a text.
pub(crate) fn hide_in(text: &mut String) {
    if let Cow::Owned(hidden) = hide(text) {
        *text = hidden;
    }
}

fn read(known: &RwLock<Known>) -> std::sync::RwLockReadGuard<'_, Known> {
    known.read().unwrap_or_else(PoisonError::into_inner)
}

fn is_recognizable(secret: &str) -> bool {
    let has = |is: fn(&u8) -> bool| secret.bytes().any(|byte| is(&byte));
    let mixed = || has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    secret.len() >= LONG || secret.len() >= SHORTEST && mixed()
}

/// A secret as it may be repeated: as it is, as a host's name, in a URL, in a form, in JSON, in HTML, and in base64,
/// alone or as a part of something, such as the `user:password` of a Basic header.
fn forms(secret: &str) -> Vec<String> {
    let percent = utf8_percent_encode(secret, RESERVED).to_string();
    let json = serde_json::Value::from(secret).to_string();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut forms = vec![
        secret.to_owned(),
        secret.to_ascii_lowercase(),
        percent.to_ascii_lowercase(),
        percent,
        form::encode_text(secret),
        json[1..json.len() - 1].to_owned(),
        html,
    ];
    for engine in [BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD] {
        // Three bytes are four characters, so what stands before the secret shifts it by none, one, or two bytes. The
        // characters at its ends belong to its neighbors, too.
        for (before, shared) in [(0, 0), (1, 2), (2, 3)] {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(secret.as_bytes());
            let text = engine.encode(&bytes);
            let end = text.len() - usize::from(bytes.len() % 3 != 0);
            forms.push(text[shared..end].to_owned());
        }
    }
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_recognized_in_every_encoding() {
        let secret = "s3cret/with+odd &\"<signs>=";
        let known = Arc::new(RwLock::new(Known::default()));
        Known::learn(&known, secret, Origin::Credential);
        for repeated in [
            secret.to_owned(),
            "s3cret%2Fwith%2Bodd%20%26%22%3Csigns%3E%3D".to_owned(),
            "s3cret%2fwith%2bodd%20%26%22%3csigns%3e%3d".to_owned(),
            "s3cret%2Fwith%2Bodd+%26%22%3Csigns%3E%3D".to_owned(),
            "s3cret/with+odd &\\\"<signs>=".to_owned(),
            "s3cret/with+odd &amp;&quot;&lt;signs&gt;=".to_owned(),
        ] {
            assert_eq!(read(&known).hide(&format!("[{repeated}]")), "[***]", "{repeated}");
        }
        for user in ["", "a:", "ab:", "abc:", "the client:"] {
            let pair = format!("{user}{secret}");
            let url_safe = BASE64_URL_SAFE_NO_PAD.encode(&pair);
            for encoded in [base64::prelude::BASE64_STANDARD.encode(&pair), url_safe] {
                let hidden = read(&known).hide(&encoded).into_owned();
                assert!(hidden.contains(MASK) && hidden.len() < 30, "{user}: {hidden}");
            }
        }
    }

    #[test]
    fn values_that_the_user_sends_displace_no_credential() {
        let known = Arc::new(RwLock::new(Known::default()));
        Known::learn(&known, "the-credential-1", Origin::Credential);
        for number in 0..200 {
            Known::learn(&known, &format!("a-value-number-{number:03}"), Origin::Input);
        }
        assert_eq!(read(&known).hide("the-credential-1 a-value-number-199"), "*** ***");
        assert_eq!(read(&known).hide("a-value-number-000"), "a-value-number-000");
    }

    #[test]
    fn a_dropped_connection_takes_its_secrets_along() {
        let known = Arc::new(RwLock::new(Known::default()));
        Known::learn(&known, "gone-with-its-connection", Origin::Credential);
        assert_eq!(hide("gone-with-its-connection"), MASK);
        drop(known);
        assert_eq!(hide("gone-with-its-connection"), "gone-with-its-connection");
    }
}

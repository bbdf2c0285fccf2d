//! The credentials in use, in every form in which a service may repeat them, so that no text for people holds one.
//!
//! Each connection knows its own secrets. Errors and events are made in many places that don't know a connection, so
//! they are filtered by the secrets of all live connections of the process. A connection that is dropped takes its
//! secrets with it.

use std::{
    borrow::Cow,
    collections::HashSet,
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
/// What is longer is no credential, and a message is cut long before.
const LONGEST: usize = 16 << 10;
/// The same for a value that the user sends: texts and lists are parameters too.
const LONGEST_INPUT: usize = 1 << 10;
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
    credentials: Vec<Forms>,
    inputs: Vec<Forms>,
    is_live: bool,
}

/// A secret in every form; the first is the secret itself.
struct Forms(Vec<String>);

impl Known {
    /// Takes note of those secrets that are long enough to be told from a word.
    pub(crate) fn learn<'a>(
        this: &Arc<RwLock<Self>>,
        secrets: impl IntoIterator<Item = &'a str>,
        origin: Origin,
    ) {
        let longest = match origin {
            Origin::Credential => LONGEST,
            Origin::Input => LONGEST_INPUT,
        };
        let is_suitable = |secret: &&str| secret.len() <= longest && is_recognizable(secret);
        // The last ones stay, so those before them need no work.
        let mut secrets: Vec<_> = secrets.into_iter().filter(is_suitable).collect();
        secrets.drain(..secrets.len().saturating_sub(MOST));
        {
            let known = read(this);
            secrets.retain(|secret| !known.has(secret));
        }
        if secrets.is_empty() {
            return;
        }
        let secrets: Vec<_> = secrets.into_iter().map(forms).collect();
        let mut known = this.write().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets {
            if known.has(&secret.0[0]) {
                continue;
            }
            let list = match origin {
                Origin::Credential => &mut known.credentials,
                Origin::Input => &mut known.inputs,
            };
            if list.len() == MOST {
                list.remove(0);
            }
            list.push(secret);
        }
        if !std::mem::replace(&mut known.is_live, true) {
            drop(known);
            let mut live = LIVE.write().unwrap_or_else(PoisonError::into_inner);
            live.retain(|known| known.strong_count() > 0);
            if live.len() == MOST_CONNECTIONS {
                live.remove(0);
            }
            live.push(Arc::downgrade(this));
        }
    }

    fn has(&self, secret: &str) -> bool {
        self.credentials.iter().chain(&self.inputs).any(|known| known.0[0] == secret)
    }

    /// The text without the secrets.
    pub(crate) fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        hide_all(text, self.credentials.iter().chain(&self.inputs))
    }
}

/// The text without these secrets; the longest goes first, in case one contains another.
fn hide_all<'a, 'b>(text: &'a str, secrets: impl Iterator<Item = &'b Forms>) -> Cow<'a, str> {
    let mut found: Vec<&str> =
        secrets.flat_map(|secret| &secret.0).map(String::as_str).filter(|form| text.contains(form)).collect();
    found.sort_by_key(|form| std::cmp::Reverse(form.len()));
    let hide = |text: Cow<'a, str>, form: &str| match text.contains(form) {
        true => Cow::Owned(text.replace(form, MASK)),
        false => text,
    };
    found.into_iter().fold(Cow::Borrowed(text), hide)
}

/// The text without the secrets of any live connection.
pub(crate) fn hide(text: &str) -> Cow<'_, str> {
    hide_by(text, Known::hide)
}

/// Takes the secrets of all live connections out of a text.
pub(crate) fn hide_in(text: &mut String) {
    if let Cow::Owned(hidden) = hide(text) {
        *text = hidden;
    }
}

/// Takes the credentials of all live connections out of an id, which a program compares with others. A value that the
/// user sends may well be an id.
pub(crate) fn hide_credentials_in(id: &mut String) {
    if let Cow::Owned(hidden) = hide_by(id, |known, id| hide_all(id, known.credentials.iter())) {
        *id = hidden;
    }
}

fn hide_by<'t>(text: &'t str, by: impl for<'a> Fn(&Known, &'a str) -> Cow<'a, str>) -> Cow<'t, str> {
    let live = LIVE.read().unwrap_or_else(PoisonError::into_inner);
    let known = live.iter().filter_map(Weak::upgrade);
    known.fold(Cow::Borrowed(text), |text, known| match by(&read(&known), &text) {
        Cow::Owned(hidden) => Cow::Owned(hidden),
        Cow::Borrowed(_) => text,
    })
}

fn read(known: &RwLock<Known>) -> std::sync::RwLockReadGuard<'_, Known> {
    known.read().unwrap_or_else(PoisonError::into_inner)
}

fn is_recognizable(secret: &str) -> bool {
    let has = |is: fn(&u8) -> bool| secret.bytes().any(|byte| is(&byte));
    let mixed = || has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    secret.len() >= LONG || secret.len() >= SHORTEST && mixed()
}

/// A secret as it may be repeated: as it is, as a host's name, in a URL, in a form, in JSON, in HTML, in hexadecimal
/// digits, and in base64, alone or as a part of something, such as the `user:password` of a Basic header.
fn forms(secret: &str) -> Forms {
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
    // Some encode every byte in a URL, and some write bytes as digits.
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let every: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
    forms.extend([hex.to_ascii_uppercase(), hex, every.to_ascii_uppercase(), every]);
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
    let mut seen = HashSet::new();
    forms.retain(|form| seen.insert(form.clone()));
    Forms(forms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_recognized_in_every_encoding() {
        let secret = "s3cret/with+odd &\"<signs>=";
        let known = Arc::new(RwLock::new(Known::default()));
        Known::learn(&known, [secret], Origin::Credential);
        for repeated in [
            secret.to_owned(),
            "s3cret%2Fwith%2Bodd%20%26%22%3Csigns%3E%3D".to_owned(),
            "s3cret%2fwith%2bodd%20%26%22%3csigns%3e%3d".to_owned(),
            "s3cret%2Fwith%2Bodd+%26%22%3Csigns%3E%3D".to_owned(),
            "s3cret/with+odd &\\\"<signs>=".to_owned(),
            "7333637265742f776974682b6f64642026223c7369676e733e3d".to_owned(),
            "7333637265742F776974682B6F64642026223C7369676E733E3D".to_owned(),
            secret.bytes().map(|byte| format!("%{byte:02X}")).collect(),
            secret.bytes().map(|byte| format!("%{byte:02x}")).collect(),
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
        Known::learn(&known, ["the-credential-1"], Origin::Credential);
        for number in 0..200 {
            Known::learn(&known, [&*format!("a-value-number-{number:03}")], Origin::Input);
        }
        assert_eq!(read(&known).hide("the-credential-1 a-value-number-199"), "*** ***");
        assert_eq!(read(&known).hide("a-value-number-000"), "a-value-number-000");
        let mut id = "a-value-number-199 the-credential-1".to_owned();
        hide_credentials_in(&mut id);
        assert_eq!(id, "a-value-number-199 ***");
        let long = "x1".repeat(LONGEST_INPUT);
        Known::learn(&known, [&*long], Origin::Input);
        assert_eq!(read(&known).hide(&long), long);
    }

    #[test]
    fn of_secrets_that_contain_each_other_the_longest_is_hidden() {
        let known = Arc::new(RwLock::new(Known::default()));
        Known::learn(&known, ["secret-number-1", "secret-number-1-and-more"], Origin::Input);
        assert_eq!(read(&known).hide("[secret-number-1-and-more]"), "[***]");
    }

    #[test]
    fn a_dropped_connection_takes_its_secrets_along() {
        let known = Arc::new(RwLock::new(Known::default()));
        Known::learn(&known, ["gone-with-its-connection"], Origin::Credential);
        assert_eq!(hide("gone-with-its-connection"), MASK);
        drop(known);
        assert_eq!(hide("gone-with-its-connection"), "gone-with-its-connection");
    }
}

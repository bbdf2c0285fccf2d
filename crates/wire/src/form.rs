//! `application/x-www-form-urlencoded`, as the URL standard defines it.

use form_urlencoded::{Serializer, byte_serialize};

/// Encodes pairs as a form: `a=1&b=x+y`.
pub fn encode<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Encodes one text the way a form's names and values are.
pub fn encode_text(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

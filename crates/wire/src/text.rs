//! Cutting texts without breaking a character.

/// Cuts a text that is longer than `limit` bytes, and says so.
pub(crate) fn cut(text: &mut String, limit: usize) {
    let length = text.len();
    if length > limit {
        text.truncate(boundary(text, limit));
        text.push_str(&format!("\u{2026} (cut: {} of {length} bytes)", text.len()));
    }
}

/// The last place up to `limit` where a text can be cut.
pub(crate) fn boundary(text: &str, limit: usize) -> usize {
    (0..=limit.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or_default()
}

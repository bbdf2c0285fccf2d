//! Cutting texts without breaking a character.

/// Cuts a text that is longer than `limit` bytes, and marks the cut.
pub(crate) fn cut(text: &mut String, limit: usize) {
    if text.len() > limit {
        text.truncate(boundary(text, limit));
        text.push('\u{2026}');
    }
}

/// The last place up to `limit` where a text can be cut.
pub(crate) fn boundary(text: &str, limit: usize) -> usize {
    (0..=limit).rev().find(|i| text.is_char_boundary(*i)).unwrap_or_default()
}

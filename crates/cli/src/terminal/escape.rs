//! Control characters as text. The fuzz targets read this file, too, so it uses nothing else of the program.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

/// Whether a terminal may act on this character instead of showing it, or show others in another order because of it.
pub(crate) fn is_control(character: char) -> bool {
    matches!(character,
        // C0, DEL, and C1.
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        // The Arabic letter mark, and the left-to-right and right-to-left marks.
        | '\u{61c}' | '\u{200e}' | '\u{200f}'
        // Line and paragraph separators, then embeddings and overrides.
        | '\u{2028}'..='\u{202e}'
        // Isolates.
        | '\u{2066}'..='\u{2069}'
        // The byte-order mark, which is not seen.
        | '\u{feff}')
}

/// The text with its control characters shown. Line breaks and tabs stay.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    escape(text, |character| is_control(character) && !matches!(character, '\n' | '\t'))
}

/// The text on one line, with all its control characters shown.
pub(crate) fn escaped_line(text: &str) -> Cow<'_, str> {
    escape(text, is_control)
}

fn escape(text: &str, is_hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' if is_hidden('\n') => shown.push_str("\\n"),
            '\t' if is_hidden('\t') => shown.push_str("\\t"),
            // All of them have four hexadecimal digits or fewer. Writing to a string can't fail.
            hidden if is_hidden(hidden) => drop(write!(shown, "\\u{:04x}", u32::from(hidden))),
            other => shown.push(other),
        }
    }
    Cow::Owned(shown)
}

/// The text with its control characters shown, except for the sequences that set colors, which clap uses.
pub(crate) fn escaped_but_for_colors(text: &str) -> String {
    by_color(text, |colors| colors.to_owned(), |rest| escaped(rest).into_owned())
}

/// The text without the sequences that set colors. Code that runs remotely prints them, and says nothing by them.
pub(crate) fn without_colors(text: &str) -> String {
    by_color(text, |_| String::new(), str::to_owned)
}

/// Maps the sequences that set colors, and the rest of the text.
fn by_color(text: &str, color: impl Fn(&str) -> String, other: impl Fn(&str) -> String) -> String {
    const START: &str = "\x1b[";
    let mut mapped = String::new();
    let mut plain = 0;
    for (at, _) in text.match_indices(START) {
        let rest = text[at + START.len()..].trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        if rest.starts_with('m') {
            let end = text.len() - rest.len() + 1;
            mapped.push_str(&other(&text[plain..at]));
            mapped.push_str(&color(&text[at..end]));
            plain = end;
        }
    }
    mapped.push_str(&other(&text[plain..]));
    mapped
}

/// The longest message that is printed whole, in bytes. A service may send a page or a stack trace in place of a line.
pub(crate) const LONGEST_MESSAGE: usize = 8 << 10;

/// A message of the service, cut if it is too long, with a word about what is missing.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_MESSAGE {
        return text.into();
    }
    let start = &text[..text.floor_char_boundary(LONGEST_MESSAGE)];
    format!("{start}… (cut: {} of {} bytes)", start.len(), text.len()).into()
}

/// Escapes what is written. A character may be split between two writes.
pub(crate) struct Escaping<W> {
    inner: W,
    /// The first bytes of a character whose other bytes have yet to come.
    incomplete: Vec<u8>,
}

impl<W: Write> Escaping<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, incomplete: Vec::new() }
    }
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = std::mem::take(&mut self.incomplete);
        text.extend_from_slice(bytes);
        let complete = complete(&text);
        self.inner.write_all(escaped(&String::from_utf8_lossy(&text[..complete])).as_bytes())?;
        self.incomplete = text.split_off(complete);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// How many of the bytes are not the beginning of a character that is cut off.
fn complete(bytes: &[u8]) -> usize {
    let last = bytes.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
    let is_cut = std::str::from_utf8(last).is_err_and(|error| error.error_len().is_none());
    bytes.len() - if is_cut { last.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_shown_and_text_stays() {
        let hostile = "a\x1b]0;x\x07\x7f\u{9b}2J\u{202e}\u{2066}\u{200f}\u{61c}\r";
        let shown = r"a\u001b]0;x\u0007\u007f\u009b2J\u202e\u2066\u200f\u061c\u000d";
        assert_eq!(escaped(hostile), shown);
        assert_eq!(escaped("two\n\tlines"), "two\n\tlines");
        assert_eq!(escaped_line("two\n\tlines"), r"two\n\tlines");
        // Joiners are part of emoji and of several scripts.
        for plain in ["日本語 é 👩\u{200d}💻", r"C:\temp", ""] {
            assert!(matches!(escaped_line(plain), Cow::Borrowed(_)), "{plain}");
        }
        for code in 0..0x2100 {
            let Some(character) = char::from_u32(code) else { continue };
            assert!(!character.is_control() || is_control(character), "{code:x}");
        }
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let text = "é".repeat(LONGEST_MESSAGE);
        let shown = cut(&text);
        let start = "é".repeat(LONGEST_MESSAGE / 2);
        assert_eq!(shown, format!("{start}… (cut: {LONGEST_MESSAGE} of {} bytes)", text.len()));
        assert!(matches!(cut(&start), Cow::Borrowed(_)));
    }

    #[test]
    fn json_remains_json() {
        let json = "{\"a\":\"\u{202e}\u{9b}\u{7f}\"}";
        let shown: serde_json::Value = serde_json::from_str(&escaped(json)).unwrap();
        assert_eq!(shown, serde_json::from_str::<serde_json::Value>(json).unwrap());
    }

    #[test]
    fn only_colors_are_kept() {
        let text = "\x1b[1;31merror\x1b[0m \x1b[2J\x1b]0;x\x07";
        assert_eq!(escaped_but_for_colors(text), "\x1b[1;31merror\x1b[0m \\u001b[2J\\u001b]0;x\\u0007");
        assert_eq!(without_colors("a\x1b[0;31mb\x1b[mc\x1b[2J\x1b[3"), "abc\x1b[2J\x1b[3");
    }

    #[test]
    fn a_character_may_be_split_anywhere() {
        let text = "é\u{202e}日\x1b👩";
        for step in 1..5 {
            let mut out = Escaping::new(Vec::new());
            for piece in text.as_bytes().chunks(step) {
                out.write_all(piece).unwrap();
            }
            assert_eq!(String::from_utf8(out.inner).unwrap(), "é\\u202e日\\u001b👩");
        }
        let mut out = Escaping::new(Vec::new());
        out.write_all(b"a\x9b\xffb").unwrap();
        assert_eq!(String::from_utf8(out.inner).unwrap(), "a\u{fffd}\u{fffd}b");
    }
}

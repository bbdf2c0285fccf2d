//! A cell of a preview: escaped, and cut if it is long.

use std::fmt::Write as _;

/// The most bytes of `…(+1234567890)`.
const CUT: usize = 17;

/// The space for a cell, with what says that it is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// The most characters of the cell before they are escaped.
    pub(super) characters: usize,
    /// The most bytes of what is written.
    pub(super) bytes: usize,
}

impl Room {
    pub(super) fn of(bytes: usize) -> Self {
        Self { characters: usize::MAX, bytes }
    }
}

/// Appends a cell; `None` is NULL. Returns whether it was cut.
pub(super) fn push(out: &mut String, cell: Option<&str>, room: Room, starts_line: bool) -> bool {
    let Some(text) = cell else {
        out.push_str("\\N");
        return false;
    };
    let begin = out.len();
    // Where the text ends if what says that it is cut follows.
    let mut before_cut = (begin, 0);
    let mut is_over = false;
    for (taken, character) in text.chars().enumerate() {
        if out.len() - begin + CUT <= room.bytes {
            before_cut = (out.len(), taken);
        }
        is_over = taken == room.characters;
        if is_over {
            break;
        }
        match character {
            '#' if starts_line && taken == 0 => out.push_str("\\#"),
            character => push_escaped(out, character),
        }
        is_over = out.len() - begin > room.bytes;
        if is_over {
            break;
        }
    }
    if is_over {
        let (end, taken) = before_cut;
        out.truncate(end);
        let missing = text.chars().count() - taken;
        let _ = match room.bytes {
            // Writing to a string can't fail.
            CUT.. => write!(out, "…(+{missing})"),
            _ => write!(out, "…"),
        };
    }
    is_over
}

fn push_escaped(out: &mut String, character: char) {
    // Writing to a string can't fail.
    let _ = match character {
        '\t' => write!(out, "\\t"),
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        '\\' => write!(out, "\\\\"),
        control @ ('\0'..='\x1f' | '\x7f') => write!(out, "\\x{:02x}", u32::from(control)),
        // C1, line separators, and what reorders text or has no width: a reader must see what a model reads.
        control @ ('\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}') => write!(out, "\\u{{{:x}}}", u32::from(control)),
        plain => {
            out.push(plain);
            Ok(())
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, characters: usize, bytes: usize) -> (String, bool) {
        let mut out = String::new();
        let is_cut = push(&mut out, Some(text), Room { characters, bytes }, true);
        (out, is_cut)
    }

    #[test]
    fn text_is_on_one_line_and_can_be_read_back() {
        for (text, expected) in [
            ("", ""),
            ("a\tb\nc\rd\\e", r"a\tb\nc\rd\\e"),
            ("\\N", r"\\N"),
            ("# next: rm", r"\# next: rm"),
            ("a # b", "a # b"),
            ("\x1b[2J\0\x7f", r"\x1b[2J\x00\x7f"),
            ("a\u{202e}b\u{2028}\u{85}", r"a\u{202e}b\u{2028}\u{85}"),
            ("hidden\u{e0041}", r"hidden\u{e0041}"),
            ("日本 é 👩\u{200d}💻", "日本 é 👩\u{200d}💻"),
        ] {
            assert_eq!(shown(text, 100, 100), (expected.to_owned(), false), "{text:?}");
        }
        let mut out = String::new();
        assert!(!push(&mut out, None, Room::of(2), true));
        assert_eq!(out, "\\N");
    }

    #[test]
    fn a_cut_says_how_many_characters_are_missing() {
        assert_eq!(shown("abcdef", 6, 100), ("abcdef".to_owned(), false));
        assert_eq!(shown("abcdef", 4, 100), ("abcd…(+2)".to_owned(), true));
        assert_eq!(shown("日本日本", 3, 100), ("日本日…(+1)".to_owned(), true));
        // Text that fits isn't cut for the sake of a mark that it doesn't need.
        assert_eq!(shown("abcdef", 100, 6), ("abcdef".to_owned(), false));
        assert_eq!(shown("abcdefg", 100, 6), ("…".to_owned(), true));
        assert_eq!(shown(&"x".repeat(100), 1000, 30), (format!("{}…(+87)", "x".repeat(13)), true));
    }
}

//! How large a document gets once it is decoded, judged before that: a few bytes of JSON can stand for kilobytes of
//! memory, and each level of nesting for a level of recursion.

use std::fmt;

/// How deep an answer may be nested. A printed answer indents each level, so depth costs its square.
const DEEPEST: usize = 512;

/// The memory that the values of a document may take, in bytes.
const LARGEST: usize = 96 << 20;

/// What a value takes that no type describes, in bytes: measured with `serde_json::Value`, rounded up.
const OBJECT: usize = 900;
const OTHER: usize = 100;

/// Why a document is not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// Its brackets are nested more than 512 deep.
    Nesting,
    /// It has too many values: some 100,000 objects, or a million of other values.
    Values,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nesting => write!(f, "nested too deeply, more than {DEEPEST} levels"),
            Self::Values => write!(f, "too large: its values would take more than {} MiB", LARGEST >> 20),
        }
    }
}

/// Whether a document is nested deeper, or has more values, than an answer of the API should. Looks at brackets and
/// commas only: whether the rest is JSON is for the decoder to say.
pub fn excess(raw: &[u8]) -> Option<Excess> {
    excess_over(LARGEST, raw)
}

fn excess_over(largest: usize, raw: &[u8]) -> Option<Excess> {
    let (mut depth, mut size, mut at) = (0_usize, 0_usize, 0);
    while let Some(&byte) = raw.get(at) {
        at += 1;
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > DEEPEST {
                    return Some(Excess::Nesting);
                }
                size += if byte == b'{' { OBJECT } else { OTHER };
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => size += OTHER,
            b'"' => at += text_length(&raw[at..]),
            _ => {}
        }
    }
    (size > largest).then_some(Excess::Values)
}

/// The distance to the end of the text that starts here, including its closing quote. Most of a document is texts.
fn text_length(raw: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'"', b'\\', &raw[at..]) {
        at += found + 1;
        if raw[at - 1] == b'"' {
            return at;
        }
        // The escaped character may be a quote.
        at = (at + 1).min(raw.len());
    }
    raw.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_of_texts() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let excess = |raw: String| excess(raw.as_bytes());
        assert_eq!(excess(deep(DEEPEST)), None);
        assert_eq!(excess(deep(DEEPEST + 1)), Some(Excess::Nesting));
        assert_eq!(excess(format!(r#"["{}\"{}"]"#, "[".repeat(600), "{".repeat(600))), None);
        assert_eq!(excess("[],".repeat(1000)), None);
        for broken in ["\"", "\"\\", "\"\\\"", "[\"a"] {
            assert_eq!(excess(broken.to_owned()), None, "{broken}");
        }
        assert_eq!(excess(format!(r#"["\\",{}"#, deep(DEEPEST))), Some(Excess::Nesting));
    }

    #[test]
    fn a_few_bytes_can_be_much_memory() {
        for (part, size) in
            [("{},", 1000), ("[],", 200), ("1,", 100), (r#"{"a":1},"#, 1000), (r#""[{,","#, 100)]
        {
            let many = part.repeat(50);
            assert_eq!(excess_over(50 * size, many.as_bytes()), None, "{part}");
            assert_eq!(excess_over(50 * size - 1, many.as_bytes()), Some(Excess::Values), "{part}");
        }
        assert_eq!(excess("{},".repeat(LARGEST / 1000 + 1).as_bytes()), Some(Excess::Values));
    }
}

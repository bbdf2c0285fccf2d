//! Text from the bytes of a file or of standard input, and bytes from the base64 of an answer.
//!
//! Text is UTF-8, or UTF-16 if it starts with a byte-order mark. Editors on Windows write such marks, and no service
//! understands them, so they are dropped. A NUL never occurs in code or JSON: it means UTF-16 without a mark, or UTF-32.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::{Error, Result};

/// Decodes base64 with and without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const MARK: char = '\u{feff}';

/// Decodes text and drops its byte-order mark. Errors name the source as `name`, such as `report.sql`.
///
/// ```
/// use brickwire_actions::decode_text;
/// assert_eq!(decode_text(b"\xef\xbb\xbfSELECT 1", "report.sql")?, "SELECT 1");
/// assert_eq!(decode_text(b"\xff\xfeX\x001\x00", "report.sql")?, "X1");
/// # Ok::<(), brickwire_actions::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) with the offset of the first byte that is not text.
pub fn decode_text(bytes: &[u8], name: &str) -> Result<String> {
    let refuse = |offset: usize, encoding: &str| {
        let byte = bytes.get(offset).map_or_else(|| "end".to_owned(), |byte| format!("byte 0x{byte:02x}"));
        Error::usage(format!("not {encoding} text ({byte} at offset {offset}): {name}"))
            .with_hint("save it as UTF-8, or as UTF-16 with a byte-order mark")
    };
    let (text, encoding, width) = match bytes {
        [0xFE, 0xFF, rest @ ..] => (utf16(rest, u16::from_be_bytes), "UTF-16", 2),
        [0xFF, 0xFE, rest @ ..] => (utf16(rest, u16::from_le_bytes), "UTF-16", 2),
        _ => (std::str::from_utf8(bytes).map(str::to_owned).map_err(|e| e.valid_up_to()), "UTF-8", 1),
    };
    let text = text.map_err(|offset| refuse(offset, encoding))?;
    if let Some(at) = text.find('\0') {
        let offset = if width == 1 { at } else { 2 + 2 * text[..at].encode_utf16().count() };
        return Err(refuse(offset, encoding));
    }
    Ok(without_mark(&text).to_owned())
}

/// The text without the byte-order marks before it.
pub fn without_mark(text: &str) -> &str {
    text.trim_start_matches(MARK)
}

/// The bytes that an answer has as base64, if it is base64.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text).ok()
}

/// Decodes what follows the mark. The error is the offset, counted with the mark.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> std::result::Result<String, usize> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let mut offset = 2;
    for read in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let character = read.map_err(|_| offset)?;
        offset += 2 * character.len_utf16();
        text.push(character);
    }
    if rest.is_empty() { Ok(text) } else { Err(offset) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_dropped_and_utf16_is_read() {
        let utf16 = |mark: u16, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            std::iter::once(mark).chain("é😀\r\n".encode_utf16()).flat_map(bytes).collect()
        };
        for bytes in [
            "é😀\r\n".into(),
            "\u{feff}é😀\r\n".into(),
            "\u{feff}\u{feff}é😀\r\n".into(),
            utf16(0xFEFF, u16::to_le_bytes),
            utf16(0xFEFF, u16::to_be_bytes),
        ] {
            assert_eq!(decode_text(&bytes, "x").unwrap(), "é😀\r\n", "{bytes:x?}");
        }
        assert_eq!(decode_text(b"", "x").unwrap(), "");
        assert_eq!(decode_text("a\u{feff}b".as_bytes(), "x").unwrap(), "a\u{feff}b");
    }

    #[test]
    fn other_bytes_are_refused_with_their_place() {
        for (bytes, told) in [
            (&b"caf\xe9"[..], "not UTF-8 text (byte 0xe9 at offset 3): a.sql"),
            (b"S\0E\0L\0", "not UTF-8 text (byte 0x00 at offset 1): a.sql"),
            (b"\xff\xfeS\0E", "not UTF-16 text (byte 0x45 at offset 4): a.sql"),
            (b"\xff\xfeS\0\x00\xd8E\0", "not UTF-16 text (byte 0x00 at offset 4): a.sql"),
            // UTF-32 begins like UTF-16.
            (b"\xff\xfe\0\0S\0\0\0", "not UTF-16 text (byte 0x00 at offset 2): a.sql"),
            (b"PK\x03\x04\xfe", "not UTF-8 text (byte 0xfe at offset 4): a.sql"),
        ] {
            let error = decode_text(bytes, "a.sql").unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (crate::ErrorKind::Usage, told));
        }
    }
}

//! Reads rows of JSON from bytes that may end anywhere: JSON's grammar, and nothing else.

use super::super::page::Span;

/// Marks a span of the unescaped text, whose offsets are counted from that text's start. All offsets in a page's
/// bytes are smaller, because the decoder refuses longer pages.
pub(super) const UNESCAPED: u32 = 1 << 31;

/// Where in the document the next byte is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Start,
    /// Behind the bracket that opens the rows.
    First,
    /// Behind a row.
    Rows,
    End,
}

/// Why reading stops.
pub(super) enum Stop {
    /// The bytes end within a row.
    Incomplete,
    /// The document is malformed.
    Malformed(&'static str),
}

/// JSON's whitespace, which is less than what ASCII calls so.
pub(super) fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

pub(super) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| is_whitespace(*byte))
}

/// Without the whitespace around it.
pub(super) fn trimmed(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_whitespace(*byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_whitespace(*byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// Whether a text can't go on with this byte as it is.
fn ends_text(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < b' '
}

/// Whether this is a number as JSON writes it: `-12.5e+3`, and not `012`, `.5` or `NaN`.
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let length = digits(exponent);
        return length > 0 && length == exponent.len();
    }
    rest.is_empty()
}

/// Reads rows from bytes that may end anywhere.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) spans: Vec<Span>,
    /// The text of the cells that have escapes.
    pub(super) unescaped: Vec<u8>,
}

impl Reader<'_> {
    /// Reads the start of the document.
    pub(super) fn start(&mut self) -> Result<(), Stop> {
        match self.next()? {
            b'[' => Ok(()),
            // `null` stands for no rows.
            _ if b"null".starts_with(trimmed(self.bytes)) => Err(Stop::Incomplete),
            _ => Err(Stop::Malformed("no array of rows")),
        }
    }

    /// Reads the next row and returns the number of its cells; `None` after the last.
    pub(super) fn row(&mut self, place: &mut Place) -> Result<Option<usize>, Stop> {
        let mut token = self.next()?;
        if token == b']' {
            *place = Place::End;
            return Ok(None);
        }
        if *place == Place::Rows {
            if token != b',' {
                return Err(Stop::Malformed("a row is not followed by another"));
            }
            token = self.next()?;
        }
        if token != b'[' {
            return Err(Stop::Malformed("a row is no array"));
        }
        let before = self.spans.len();
        token = self.next()?;
        if token != b']' {
            loop {
                let cell = self.cell(token)?;
                self.spans.push(cell);
                match self.next()? {
                    b',' => token = self.next()?,
                    b']' => break,
                    _ => return Err(Stop::Malformed("a cell is not followed by another")),
                }
            }
        }
        *place = Place::Rows;
        Ok(Some(self.spans.len() - before))
    }

    /// The next byte that isn't whitespace.
    fn next(&mut self) -> Result<u8, Stop> {
        loop {
            let byte = *self.bytes.get(self.at).ok_or(Stop::Incomplete)?;
            self.at += 1;
            if !is_whitespace(byte) {
                return Ok(byte);
            }
        }
    }

    /// Reads a cell, whose first byte has been read.
    fn cell(&mut self, first: u8) -> Result<Span, Stop> {
        if first == b'"' {
            let start = self.at;
            let rest = &self.bytes[start..];
            let length = rest.iter().position(|b| ends_text(*b)).ok_or(Stop::Incomplete)?;
            if rest[length] == b'"' {
                self.at += length + 1;
                return Ok(Span { start: start as u32, length: length as u32 });
            }
            return self.escaped();
        }
        let rest = &self.bytes[self.at - 1..];
        let ends = |b: &u8| matches!(b, b',' | b']') || is_whitespace(*b);
        let length = rest.iter().position(ends).ok_or(Stop::Incomplete)?;
        let start = self.at - 1;
        self.at = start + length;
        match &rest[..length] {
            b"null" => Ok(Span::NULL),
            // Cells are texts. A number or a boolean is read as its text.
            other if matches!(other, b"true" | b"false") || is_number(other) => {
                Ok(Span { start: start as u32, length: length as u32 })
            }
            _ => Err(Stop::Malformed("a cell is no text")),
        }
    }

    /// Reads a text with escapes, from behind its first quote.
    fn escaped(&mut self) -> Result<Span, Stop> {
        let start = self.unescaped.len();
        loop {
            let rest = &self.bytes[self.at..];
            let length = rest.iter().position(|b| ends_text(*b)).ok_or(Stop::Incomplete)?;
            self.unescaped.extend_from_slice(&rest[..length]);
            self.at += length + 1;
            match rest[length] {
                b'"' => {
                    let length = (self.unescaped.len() - start) as u32;
                    return Ok(Span { start: UNESCAPED + start as u32, length });
                }
                b'\\' => {}
                _ => return Err(Stop::Malformed("a control character in a text")),
            }
            let escape = *self.bytes.get(self.at).ok_or(Stop::Incomplete)?;
            self.at += 1;
            let plain = match escape {
                b'"' | b'\\' | b'/' => escape,
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'u' => {
                    let character = self.unicode()?;
                    self.unescaped.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    continue;
                }
                _ => return Err(Stop::Malformed("an unknown escape")),
            };
            self.unescaped.push(plain);
        }
    }

    /// Reads the digits behind `\u`, and the second half of a surrogate pair.
    fn unicode(&mut self) -> Result<char, Stop> {
        let first = self.hex()?;
        let code = if (0xD800..0xDC00).contains(&first) {
            for expected in *b"\\u" {
                if *self.bytes.get(self.at).ok_or(Stop::Incomplete)? != expected {
                    return Err(Stop::Malformed("half a surrogate pair"));
                }
                self.at += 1;
            }
            let second = self.hex()?;
            if !(0xDC00..0xE000).contains(&second) {
                return Err(Stop::Malformed("half a surrogate pair"));
            }
            0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
        } else {
            first
        };
        char::from_u32(code).ok_or(Stop::Malformed("half a surrogate pair"))
    }

    fn hex(&mut self) -> Result<u32, Stop> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or(Stop::Incomplete)?;
        self.at += 4;
        digits.iter().try_fold(0, |code, digit| {
            let digit = char::from(*digit).to_digit(16).ok_or(Stop::Malformed("an unknown escape"))?;
            Ok(code << 4 | digit)
        })
    }
}

//! Reads `[["text", null, …], …]` while it arrives, wherever the bytes are cut.
//!
//! Rows that are complete are read, and the rest of the bytes is put before the next ones. The text is copied once,
//! and cells are spans of that copy. A JSON library would need the whole document, or parse from the start after each
//! cut; how fast this is beside reading the bytes alone is in BENCHMARKS.md (`fetch json`).
//!
//! It reads what JSON allows and nothing else: rows that were damaged on the way must not pass for others.

use std::sync::Arc;

use brickwire_client::types::StatementColumnInfo;

use super::{
    Rows, no_schema,
    page::{Page, Span},
};
use crate::{Error, Result, results::buffer_pool::PooledBuffer};

/// Marks a span of the unescaped text, whose offsets are counted from that text's start. All offsets in a page's
/// bytes are smaller, because [`JsonDecoder::decode`] refuses longer pages.
const UNESCAPED: u32 = 1 << 31;

fn wrong(what: &str) -> Error {
    Error::unexpected(format!("the rows are not the JSON they should be: {what}"))
}

/// Decodes the rows of one chunk.
pub(in crate::results) struct JsonDecoder {
    columns: Arc<[StatementColumnInfo]>,
    place: Place,
    /// The start of a row whose end has not arrived.
    carry: Vec<u8>,
    /// How many cells the last page has. The next one will have about as many.
    cells_before: usize,
}

/// Where in the document the next byte is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// Behind the bracket that opens the rows.
    First,
    /// Behind a row.
    Rows,
    End,
}

/// Why reading stops.
enum Stop {
    /// The bytes end within a row.
    Incomplete,
    /// The document is malformed.
    Malformed(&'static str),
}

impl JsonDecoder {
    pub(super) fn new(columns: &Arc<[StatementColumnInfo]>) -> Self {
        Self { columns: columns.clone(), place: Place::Start, carry: Vec::new(), cells_before: 0 }
    }

    /// Takes the next bytes, and adds the rows that are complete with their number.
    ///
    /// # Errors
    /// If the bytes are malformed.
    pub(super) fn decode(&mut self, bytes: PooledBuffer, items: &mut Vec<(Rows, u64)>) -> Result<()> {
        if self.place == Place::End {
            return if is_blank(&bytes) { Ok(()) } else { Err(wrong("something follows them")) };
        }
        let mut joined = std::mem::take(&mut self.carry);
        if joined.len() + bytes.len() >= UNESCAPED as usize {
            return Err(Error::unexpected("a row of the result has more than 2 GiB"));
        }
        joined.reserve_exact(bytes.len());
        joined.extend_from_slice(&bytes);
        // The buffer is free for the next piece while this one is read.
        drop(bytes);
        items.extend(self.page(joined)?);
        Ok(())
    }

    /// Ends the chunk.
    ///
    /// # Errors
    /// If the chunk can't end here.
    pub(super) fn finish(&mut self) -> Result<()> {
        match self.place {
            Place::End if is_blank(&self.carry) => Ok(()),
            // A chunk without rows may be empty or `null`.
            Place::Start if is_blank(&self.carry) || trimmed(&self.carry) == b"null" => Ok(()),
            Place::End => Err(wrong("something follows them")),
            Place::Start | Place::First | Place::Rows => Err(Error::unexpected("its rows end too early")),
        }
    }

    /// Whether the array of rows has ended. A chunk may have no bytes, or `null`, if it is known to have no rows.
    pub(super) fn is_complete(&self) -> bool {
        self.place == Place::End
    }

    /// Reads the rows that are complete, and keeps the rest of the bytes.
    fn page(&mut self, mut bytes: Vec<u8>) -> Result<Option<(Rows, u64)>> {
        let mut reader = Reader {
            bytes: &bytes,
            at: 0,
            spans: Vec::with_capacity(self.cells_before),
            unescaped: Vec::new(),
        };
        let (mut rows, mut width) = (0_usize, None);
        // Up to here the bytes have been read.
        let mut complete = 0;
        if self.place == Place::Start {
            match reader.start() {
                Ok(()) => (self.place, complete) = (Place::First, reader.at),
                Err(Stop::Incomplete) => {
                    // Whitespace doesn't pile up; one byte of it still ends a `null`.
                    let blank = bytes.iter().take_while(|byte| is_whitespace(**byte)).count();
                    let kept = trimmed(&bytes).len() + 1;
                    bytes.drain(..blank);
                    bytes.truncate(kept);
                    self.carry = bytes;
                    return Ok(None);
                }
                Err(Stop::Malformed(what)) => return Err(wrong(what)),
            }
        }
        loop {
            match reader.row(&mut self.place) {
                Ok(Some(cells)) => {
                    if self.columns.is_empty() {
                        return Err(no_schema());
                    }
                    let expected = *width.get_or_insert(self.columns.len());
                    if cells != expected {
                        return Err(Error::unexpected(format!(
                            "a row of the result has {cells} cells for {expected} columns"
                        )));
                    }
                    rows += 1;
                    complete = reader.at;
                }
                Ok(None) => {
                    complete = reader.at;
                    break;
                }
                Err(Stop::Incomplete) => break,
                Err(Stop::Malformed(what)) => return Err(wrong(what)),
            }
        }
        let Reader { mut spans, unescaped, .. } = reader;
        let width = width.unwrap_or_default();
        spans.truncate(rows * width);
        self.cells_before = spans.len();
        self.carry = bytes.split_off(complete);
        if rows == 0 {
            return Ok(None);
        }
        // The unescaped text is put behind the bytes. The sum fits, since both are shorter than 2 GiB.
        let offset = complete as u32;
        for span in spans.iter_mut().filter(|span| span.start >= UNESCAPED && !span.is_null()) {
            span.start = span.start - UNESCAPED + offset;
        }
        bytes.extend_from_slice(&unescaped);
        let text = String::from_utf8(bytes).map_err(|_| Error::unexpected("the rows are not UTF-8"))?;
        let overhead = spans.len() * size_of::<Span>();
        let page = Page {
            columns: self.columns.clone(),
            text,
            spans,
            rows,
            width,
            #[cfg(feature = "arrow")]
            schema: None,
            overhead,
        };
        Ok(Some((Rows(Arc::new(page)), rows as u64)))
    }
}

/// JSON's whitespace, which is less than what ASCII calls so.
fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| is_whitespace(*byte))
}

/// Without the whitespace around it.
fn trimmed(bytes: &[u8]) -> &[u8] {
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
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    spans: Vec<Span>,
    /// The text of the cells that have escapes.
    unescaped: Vec<u8>,
}

impl Reader<'_> {
    /// Reads the start of the document.
    fn start(&mut self) -> Result<(), Stop> {
        match self.next()? {
            b'[' => Ok(()),
            // `null` stands for no rows.
            _ if b"null".starts_with(trimmed(self.bytes)) => Err(Stop::Incomplete),
            _ => Err(Stop::Malformed("no array of rows")),
        }
    }

    /// Reads the next row and returns the number of its cells; `None` after the last.
    fn row(&mut self, place: &mut Place) -> Result<Option<usize>, Stop> {
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

#[cfg(test)]
mod tests;

//! Reads `[["text", null, …], …]` while it arrives, wherever the bytes are cut.
//!
//! Rows that are complete are read, and the rest of the bytes is put before the next ones. The text is copied once,
//! and cells are spans of that copy. A JSON library would need the whole document, or parse from the start after each
//! cut; how fast this is beside reading the bytes alone is in BENCHMARKS.md (`fetch json`).

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
            Place::End if self.carry.iter().all(u8::is_ascii_whitespace) => Ok(()),
            // A chunk without rows may be empty or `null`.
            Place::Start if self.carry.is_empty() || self.carry.trim_ascii() == b"null" => Ok(()),
            Place::End => Err(wrong("something follows them")),
            Place::Start | Place::Rows => Err(Error::unexpected("its rows end too early")),
        }
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
                Ok(()) => (self.place, complete) = (Place::Rows, reader.at),
                Err(Stop::Incomplete) => {
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
        let page = Page { columns: self.columns.clone(), text, spans, rows, width, overhead };
        Ok(Some((Rows(Arc::new(page)), rows as u64)))
    }
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
            _ if b"null".starts_with(self.bytes.trim_ascii()) => Err(Stop::Incomplete),
            _ => Err(Stop::Malformed("no array of rows")),
        }
    }

    /// Reads the next row and returns the number of its cells; `None` after the last.
    fn row(&mut self, place: &mut Place) -> Result<Option<usize>, Stop> {
        if *place == Place::End {
            return Ok(None);
        }
        match self.next()? {
            b']' => {
                *place = Place::End;
                return Ok(None);
            }
            b',' => {
                if self.next()? != b'[' {
                    return Err(Stop::Malformed("a row is no array"));
                }
            }
            b'[' => {}
            _ => return Err(Stop::Malformed("a row is no array")),
        }
        let before = self.spans.len();
        let mut token = self.next()?;
        while token != b']' {
            let cell = self.cell(token)?;
            self.spans.push(cell);
            token = self.next()?;
            if token == b',' {
                token = self.next()?;
            } else if token != b']' {
                return Err(Stop::Malformed("a cell is not followed by another"));
            }
        }
        Ok(Some(self.spans.len() - before))
    }

    /// The next byte that isn't whitespace.
    fn next(&mut self) -> Result<u8, Stop> {
        loop {
            let byte = *self.bytes.get(self.at).ok_or(Stop::Incomplete)?;
            self.at += 1;
            if !byte.is_ascii_whitespace() {
                return Ok(byte);
            }
        }
    }

    /// Reads a cell, whose first byte has been read.
    fn cell(&mut self, first: u8) -> Result<Span, Stop> {
        if first == b'"' {
            let start = self.at;
            let rest = &self.bytes[start..];
            let length = rest.iter().position(|b| matches!(b, b'"' | b'\\')).ok_or(Stop::Incomplete)?;
            self.at += length + 1;
            if rest[length] == b'"' {
                return Ok(Span { start: start as u32, length: length as u32 });
            }
            self.at = start;
            return self.escaped();
        }
        let rest = &self.bytes[self.at - 1..];
        let length =
            rest.iter().position(|b| matches!(b, b',' | b']' | b' ' | b'\n')).ok_or(Stop::Incomplete)?;
        let start = self.at - 1;
        self.at = start + length;
        match &rest[..length] {
            b"null" => Ok(Span::NULL),
            // Cells are texts. A number or a boolean is read as its text.
            other if other.iter().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)) => {
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
            let length = rest.iter().position(|b| matches!(b, b'"' | b'\\')).ok_or(Stop::Incomplete)?;
            self.unescaped.extend_from_slice(&rest[..length]);
            self.at += length + 1;
            if rest[length] == b'"' {
                let length = (self.unescaped.len() - start) as u32;
                return Ok(Span { start: UNESCAPED + start as u32, length });
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
mod tests {
    use super::*;
    use crate::results::buffer_pool::BufferPool;

    /// The rows if the text arrives in portions of this length.
    fn read(text: &[u8], portion: usize, columns: usize) -> Result<Vec<Vec<Option<String>>>> {
        let buffers = BufferPool::default();
        let columns: Arc<[_]> = vec![StatementColumnInfo::default(); columns].into();
        let mut decoder = JsonDecoder::new(&columns);
        let mut items = Vec::new();
        for part in text.chunks(portion) {
            let mut bytes = buffers.take(part.len());
            bytes.copy_from_slice(part);
            decoder.decode(bytes, &mut items)?;
        }
        decoder.finish()?;
        let rows = items.iter().flat_map(|(rows, count)| {
            assert_eq!(rows.len() as u64, *count);
            rows.iter()
                .map(|row| row.iter().map(|cell| cell.as_str().map(str::to_owned)).collect())
                .collect::<Vec<_>>()
        });
        Ok(rows.collect())
    }

    #[test]
    fn reads_what_serde_reads_wherever_it_is_cut() {
        let text = r#" [ ["a",null,""], [ "\"q\\ \u00e4\ud83d\ude00\n", "ü€😀" , "null" ],["1","x]\",[","\/\b\f\r\t"],
            ["\\","é","\\\\"] ] "#;
        let expected: Vec<Vec<Option<String>>> = serde_json::from_str(text).unwrap();
        for portion in 1..text.len() + 1 {
            assert_eq!(read(text.as_bytes(), portion, 3).unwrap(), expected, "{portion}");
        }
    }

    #[test]
    fn no_rows_have_several_forms() {
        for text in ["", "[]", " [ ] ", "null"] {
            for portion in [1, 100] {
                assert_eq!(read(text.as_bytes(), portion, 3).unwrap(), Vec::<Vec<_>>::new(), "{text:?}");
            }
        }
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in [
            "[",
            "[[\"a\"]",
            "[[\"a\"",
            "[[\"a\"]] x",
            "{\"a\": 1}",
            "[\"a\"]",
            "[[\"a\" \"b\"]]",
            "[[\"\\x\"]]",
            "[[\"\\ud800\"]]",
            "[[\"\\ud800\\u0041\"]]",
            "[[{}]]",
            "[[\"a\",\"b\"]]",
            "[[]]",
            "nul",
            "<html>",
            "nullx",
        ] {
            assert!(read(text.as_bytes(), 5, 1).is_err(), "{text}");
        }
        assert!(read(b"[[\"\xFF\"]]", 100, 1).is_err());
    }
}

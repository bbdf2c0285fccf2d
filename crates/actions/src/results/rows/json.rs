//! Reads `[["text", null, …], …]` as it comes in, whatever is cut where.
//!
//! Only rows that are whole are read; what is left of the bytes is put before the next. One copy is made, and cells
//! are ranges of it.

use std::sync::Arc;

use brickwire_client::types::StatementColumnInfo;

use super::{Cell, NULL, Page, Rows};
use crate::{
    Error, Result,
    results::{buffer_pool::Pooled, pipeline::Decode, reader::broken},
};

fn wrong(what: &str) -> Error {
    broken(format!("the rows are not the JSON they should be: {what}"))
}

/// The rows of one chunk.
pub(in crate::results) struct RowsDecoder {
    columns: Arc<[StatementColumnInfo]>,
    place: Place,
    /// The beginning of a row that isn't whole yet.
    carry: Vec<u8>,
    /// The lengths of the last page's text and cells: the next is about as large.
    cells_before: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Rows,
    End,
}

/// The text ends within something.
enum Stop {
    NotWhole,
    Wrong(&'static str),
}

impl RowsDecoder {
    pub(in crate::results) fn new(columns: Arc<[StatementColumnInfo]>) -> Self {
        Self { columns, place: Place::Start, carry: Vec::new(), cells_before: 0 }
    }

    fn page(&mut self, mut bytes: Vec<u8>) -> Result<Option<(Rows, u64)>> {
        let mut reader = Reader {
            bytes: &bytes,
            at: 0,
            cells: Vec::with_capacity(self.cells_before),
            unescaped: Vec::new(),
        };
        let (mut rows, mut width) = (0_usize, None);
        let mut whole = 0;
        if self.place == Place::Start {
            match reader.begin() {
                Ok(()) => (self.place, whole) = (Place::Rows, reader.at),
                Err(Stop::NotWhole) => {
                    self.carry = bytes;
                    return Ok(None);
                }
                Err(Stop::Wrong(what)) => return Err(wrong(what)),
            }
        }
        loop {
            match reader.row(&mut self.place) {
                Ok(Some(cells)) => {
                    let expected = *width.get_or_insert(if self.columns.is_empty() {
                        cells
                    } else {
                        self.columns.len()
                    });
                    if cells != expected {
                        return Err(broken(format!(
                            "a row of the result has {cells} cells for {expected} columns"
                        )));
                    }
                    rows += 1;
                    whole = reader.at;
                }
                Ok(None) => {
                    whole = reader.at;
                    break;
                }
                Err(Stop::NotWhole) => break,
                Err(Stop::Wrong(what)) => return Err(wrong(what)),
            }
        }
        let Reader { mut cells, unescaped, .. } = reader;
        let width = width.unwrap_or_default();
        cells.truncate(rows * width);
        self.cells_before = cells.len();
        self.carry = bytes.split_off(whole);
        if rows == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&unescaped);
        let text = String::from_utf8(bytes).map_err(|_| broken("the rows are not UTF-8".to_owned()))?;
        // Ranges in the unescaped text were counted from its start; it stands behind the rest.
        for cell in cells.iter_mut().filter(|cell| cell.start >= UNESCAPED && cell.start != NULL.start) {
            cell.start = cell.start - UNESCAPED + whole as u32;
        }
        let page = Page { columns: self.columns.clone(), text, cells, rows, width };
        Ok(Some((Rows { page: Arc::new(page) }, rows as u64)))
    }
}

/// Marks a range of the unescaped text; far beyond any page.
const UNESCAPED: u32 = 1 << 31;

impl Decode for RowsDecoder {
    type Item = Rows;

    // A page of rows is made of each: some thousands at a time.
    const SEGMENT: usize = 1 << 20;

    fn take(&mut self, bytes: Pooled, items: &mut Vec<(Rows, u64)>) -> Result<()> {
        let mut joined = std::mem::take(&mut self.carry);
        if joined.len() + bytes.len() >= UNESCAPED as usize {
            return Err(broken("a row of the result has more than 2 GiB".to_owned()));
        }
        joined.reserve_exact(bytes.len());
        joined.extend_from_slice(&bytes);
        drop(bytes);
        items.extend(self.page(joined)?);
        Ok(())
    }

    fn overhead(rows: &Rows) -> usize {
        rows.page.cells.len() * size_of::<Cell>()
    }

    fn finish(&mut self) -> Result<()> {
        match self.place {
            Place::End if self.carry.iter().all(u8::is_ascii_whitespace) => Ok(()),
            // A chunk without rows may have no text at all.
            Place::Start if self.carry.is_empty() || self.carry.trim_ascii() == b"null" => Ok(()),
            Place::End => Err(wrong("something follows them")),
            Place::Start | Place::Rows => Err(broken("its rows end too early".to_owned())),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    cells: Vec<Cell>,
    unescaped: Vec<u8>,
}

impl Reader<'_> {
    fn begin(&mut self) -> Result<(), Stop> {
        match self.next()? {
            b'[' => Ok(()),
            // `null` stands for no rows.
            _ if b"null".starts_with(self.bytes.trim_ascii()) => Err(Stop::NotWhole),
            _ => Err(Stop::Wrong("no array of rows")),
        }
    }

    /// The number of cells of the next row; `None` after the last.
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
                    return Err(Stop::Wrong("a row is no array"));
                }
            }
            b'[' => {}
            _ => return Err(Stop::Wrong("a row is no array")),
        }
        let before = self.cells.len();
        let mut token = self.next()?;
        while token != b']' {
            let cell = self.cell(token)?;
            self.cells.push(cell);
            token = self.next()?;
            if token == b',' {
                token = self.next()?;
            } else if token != b']' {
                return Err(Stop::Wrong("a cell is not followed by another"));
            }
        }
        Ok(Some(self.cells.len() - before))
    }

    /// The next byte that isn't blank.
    fn next(&mut self) -> Result<u8, Stop> {
        loop {
            let byte = *self.bytes.get(self.at).ok_or(Stop::NotWhole)?;
            self.at += 1;
            if !byte.is_ascii_whitespace() {
                return Ok(byte);
            }
        }
    }

    fn cell(&mut self, first: u8) -> Result<Cell, Stop> {
        if first == b'"' {
            let start = self.at;
            let rest = &self.bytes[start..];
            let length = rest.iter().position(|b| matches!(b, b'"' | b'\\')).ok_or(Stop::NotWhole)?;
            self.at += length + 1;
            if rest[length] == b'"' {
                return Ok(Cell { start: start as u32, length: length as u32 });
            }
            self.at = start;
            return self.escaped();
        }
        let rest = &self.bytes[self.at - 1..];
        let length =
            rest.iter().position(|b| matches!(b, b',' | b']' | b' ' | b'\n')).ok_or(Stop::NotWhole)?;
        let start = self.at - 1;
        self.at = start + length;
        match &rest[..length] {
            b"null" => Ok(NULL),
            // Cells are texts; a number or a boolean is taken for its text.
            other if other.iter().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)) => {
                Ok(Cell { start: start as u32, length: length as u32 })
            }
            _ => Err(Stop::Wrong("a cell is no text")),
        }
    }

    /// A text with escapes, from behind its quote.
    fn escaped(&mut self) -> Result<Cell, Stop> {
        let begin = self.unescaped.len();
        loop {
            let rest = &self.bytes[self.at..];
            let length = rest.iter().position(|b| matches!(b, b'"' | b'\\')).ok_or(Stop::NotWhole)?;
            self.unescaped.extend_from_slice(&rest[..length]);
            self.at += length + 1;
            if rest[length] == b'"' {
                let length = (self.unescaped.len() - begin) as u32;
                return Ok(Cell { start: UNESCAPED + begin as u32, length });
            }
            let escape = *self.bytes.get(self.at).ok_or(Stop::NotWhole)?;
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
                _ => return Err(Stop::Wrong("an unknown escape")),
            };
            self.unescaped.push(plain);
        }
    }

    fn unicode(&mut self) -> Result<char, Stop> {
        let first = self.hex()?;
        let code = if (0xD800..0xDC00).contains(&first) {
            for expected in *b"\\u" {
                if *self.bytes.get(self.at).ok_or(Stop::NotWhole)? != expected {
                    return Err(Stop::Wrong("half a surrogate pair"));
                }
                self.at += 1;
            }
            let second = self.hex()?;
            if !(0xDC00..0xE000).contains(&second) {
                return Err(Stop::Wrong("half a surrogate pair"));
            }
            0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
        } else {
            first
        };
        char::from_u32(code).ok_or(Stop::Wrong("half a surrogate pair"))
    }

    fn hex(&mut self) -> Result<u32, Stop> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or(Stop::NotWhole)?;
        self.at += 4;
        digits.iter().try_fold(0, |code, digit| {
            let digit = char::from(*digit).to_digit(16).ok_or(Stop::Wrong("an unknown escape"))?;
            Ok(code << 4 | digit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::buffer_pool::Pool;

    /// The rows when the text comes in portions.
    fn read(text: &[u8], portion: usize, columns: usize) -> Result<Vec<Vec<Option<String>>>> {
        let pool = Pool::default();
        let columns: Arc<[_]> = vec![StatementColumnInfo::default(); columns].into();
        let mut decoder = RowsDecoder::new(columns);
        let mut items = Vec::new();
        for part in text.chunks(portion) {
            let mut bytes = pool.take(part.len());
            bytes.copy_from_slice(part);
            decoder.take(bytes, &mut items)?;
        }
        decoder.finish()?;
        let rows = items.iter().flat_map(|(rows, count)| {
            assert_eq!(rows.len() as u64, *count);
            rows.iter()
                .map(|row| row.iter().map(|cell| cell.map(str::to_owned)).collect())
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

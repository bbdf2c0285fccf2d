//! Reads `[["text", null, …], …]` while it arrives, wherever the bytes are cut.
//!
//! Rows that are complete are read, and the rest of the bytes is put before the next ones. The text is copied once,
//! and cells are spans of that copy. A JSON library would need the whole document, or parse from the start after each
//! cut; how fast this is compared with reading the bytes alone is in BENCHMARKS.md (`fetch json`).
//!
//! It reads what JSON allows and nothing else: rows that were damaged on the way must not pass for others.

mod reader;

use std::sync::Arc;

use brickwire_client::types::StatementColumnInfo;

use self::reader::{Place, Reader, Stop, UNESCAPED, is_blank, is_whitespace, trimmed};
use super::{
    Rows, no_schema,
    page::{Page, Span},
};
use crate::{Error, Result, results::buffer_pool::PooledBuffer};

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

#[cfg(test)]
mod tests;

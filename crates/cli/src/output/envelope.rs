//! Results as JSON objects with their columns, rows and facts. Rows are arrays in the order of the columns, so that two
//! columns may have one name; the values are typed as in other JSON.

use std::io;

use brickwire_actions::{ErrorKind, Rows, types::StatementColumnInfo};

use super::{
    facts::{Facts, described, fields},
    filter::filter,
    kind::Kind,
    target::{Target, Writer},
};
use crate::failure::Failure;

/// Writes an array of envelopes, each as its rows arrive.
pub(crate) struct Envelopes {
    out: Sink,
    /// The text to write next.
    text: Vec<u8>,
    /// How many elements the array has.
    count: usize,
    kinds: Vec<Kind>,
    rows: u64,
}

/// Where the text goes. A filter applies to the whole array, so all of it is collected first.
enum Sink {
    Direct(Writer),
    Filtered { code: String, text: Vec<u8>, out: Target },
}

impl Envelopes {
    pub(crate) fn new(out: Target, jq: Option<String>) -> Self {
        let out = match jq {
            None => Sink::Direct(Writer::new(out)),
            Some(code) => Sink::Filtered { code, text: Vec::new(), out },
        };
        Self { out, text: Vec::new(), count: 0, kinds: Vec::new(), rows: 0 }
    }

    /// Starts the next envelope.
    pub(crate) fn begin(&mut self, columns: &[StatementColumnInfo]) -> Result<(), Failure> {
        self.start_element();
        self.kinds = columns.iter().map(Kind::of).collect();
        self.rows = 0;
        let columns: Vec<_> = columns.iter().map(described).collect();
        self.text.extend_from_slice(br#"{"columns":"#);
        serde_json::to_writer(&mut self.text, &columns)?;
        self.text.extend_from_slice(br#","rows":["#);
        Ok(self.write()?)
    }

    /// Adds rows to the envelope.
    pub(crate) fn rows(&mut self, rows: &Rows) -> Result<(), Failure> {
        let width = rows.get(0).map_or(0, |row| row.len());
        if !rows.is_empty() && width != self.kinds.len() {
            let columns = self.kinds.len();
            let message =
                format!("the result's rows don't fit its columns: {width} cells, {columns} columns");
            return Err(Failure::new(ErrorKind::UnexpectedResponse, message));
        }
        let mut cells = rows.cells().map(|cell| cell.as_str());
        for _ in 0..rows.len() {
            self.text.extend_from_slice(if self.rows == 0 { b"[" } else { b",[" });
            for (i, (kind, cell)) in self.kinds.iter().zip(cells.by_ref().take(width)).enumerate() {
                if i > 0 {
                    self.text.push(b',');
                }
                match cell {
                    None => self.text.extend_from_slice(b"null"),
                    Some(text) => kind.write_json(text, &mut self.text),
                }
            }
            self.text.push(b']');
            self.rows += 1;
        }
        Ok(self.write()?)
    }

    /// Ends the envelope. Returns the number of its rows.
    pub(crate) fn end_element(&mut self, facts: &Facts) -> Result<u64, Failure> {
        self.text.extend_from_slice(format!("],{}", fields(self.rows, facts)).as_bytes());
        self.write()?;
        Ok(self.rows)
    }

    /// Adds an element that is no result, such as an error.
    pub(crate) fn element(&mut self, json: &str) -> Result<(), Failure> {
        self.start_element();
        self.text.extend_from_slice(json.as_bytes());
        Ok(self.write()?)
    }

    /// Ends the array.
    pub(crate) fn end(mut self) -> Result<(), Failure> {
        self.text.extend_from_slice(if self.count == 0 { b"[]\n" } else { b"\n]\n" });
        self.write()?;
        match self.out {
            Sink::Direct(out) => out.end()?.keep()?,
            Sink::Filtered { code, text, mut out } => {
                filter(&code, &text, &mut out)?;
                out.keep()?;
            }
        }
        Ok(())
    }

    fn start_element(&mut self) {
        self.text.extend_from_slice(if self.count == 0 { b"[\n  " } else { b",\n  " });
        self.count += 1;
    }

    fn write(&mut self) -> io::Result<()> {
        match &mut self.out {
            Sink::Direct(out) => out.write(&mut self.text),
            Sink::Filtered { text, .. } => {
                text.append(&mut self.text);
                Ok(())
            }
        }
    }
}

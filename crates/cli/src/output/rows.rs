//! Rows of an SQL result, printed as they arrive. Only tables are laid out in pages of rows.

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
};

use brickwire_actions::{ErrorKind, Rows, types::StatementColumnInfo};
use indicatif::HumanBytes;

use super::{
    cell::{csv_line, csv_single},
    filter::filter,
    table::{Table, field_lines, shown, terminal_width},
    target::{Target, Writer},
};
use crate::{failure::Failure, options::Format, terminal};

/// The number of rows in a page of a table; each page starts with the heading.
const PAGE: usize = 10_000;

/// How much text a filter may hold before that is worth a note, in bytes.
const MUCH: usize = 64 << 20;

/// Prints rows in one format.
pub(crate) struct RowPrinter {
    format: Format,
    out: Sink,
    columns: Vec<Heading>,
    page: Table,
    /// Whether the text is shown on a terminal, where control characters are escaped before anything is aligned.
    on_terminal: bool,
    /// The width that a table must fit in.
    width: Option<u16>,
    /// The text to write next: many rows at once, which is several times as fast as cell by cell.
    text: Vec<u8>,
    rows: u64,
    /// How much a filter held when that was last said.
    noted: usize,
}

/// Where the text goes. A filter applies to the whole result, so all of it is collected first.
enum Sink {
    Direct(Writer),
    Filtered { code: String, text: Vec<u8>, out: Target },
}

struct Heading {
    name: String,
    /// The name as a key in a JSON object, with the brace or comma before it and the colon after it.
    key: String,
    kind: Kind,
}

/// How the text of a cell becomes JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// The text is a JSON number.
    Number,
    /// A number, except that NaN and the infinities are strings.
    Float,
    Boolean,
    /// The text is a JSON array or object.
    Nested,
}

impl Kind {
    fn of(column: &StatementColumnInfo) -> Self {
        match column.type_name.as_ref().map(|t| t.as_str()).unwrap_or_default() {
            "BYTE" | "SHORT" | "INT" | "LONG" | "DECIMAL" => Self::Number,
            "FLOAT" | "DOUBLE" => Self::Float,
            "BOOLEAN" => Self::Boolean,
            "ARRAY" | "MAP" | "STRUCT" => Self::Nested,
            _ => Self::Text,
        }
    }

    fn write_json(self, text: &str, out: &mut Vec<u8>) {
        let is_json = match self {
            Self::Text => false,
            Self::Number | Self::Float => is_plain_number(text) || is_json(text),
            Self::Nested => is_json(text),
            Self::Boolean => matches!(text, "true" | "false"),
        };
        if is_json {
            out.extend_from_slice(text.as_bytes());
        } else if is_plain(text) {
            out.push(b'"');
            out.extend_from_slice(text.as_bytes());
            out.push(b'"');
        } else {
            // This can't fail: a string is written to memory.
            let _ = serde_json::to_writer(out, text);
        }
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Whether this is a JSON number without an exponent, as almost all are. This check is faster than parsing.
fn is_plain_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let bytes = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let (digits, points) = bytes.iter().fold((0, 0), |(digits, points), byte| {
        (digits + usize::from(byte.is_ascii_digit()), points + usize::from(*byte == b'.'))
    });
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    points <= 1
        && digits + points == bytes.len()
        && ends(bytes.first())
        && ends(bytes.last())
        && (bytes[0] != b'0' || bytes.len() == 1 || bytes[1] == b'.')
}

/// Whether a JSON string needs no escapes.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |all, b| all & !matches!(b, 0..=0x1F | b'"' | b'\\'))
}

impl RowPrinter {
    pub(super) fn new(format: Format, out: Target, jq: Option<String>) -> Self {
        let on_terminal = out.is_stdout() && io::stdout().is_terminal();
        let width = if on_terminal { terminal_width() } else { None };
        let out = match jq {
            None => Sink::Direct(Writer::new(out)),
            Some(code) => Sink::Filtered { code, text: Vec::new(), out },
        };
        Self {
            format,
            out,
            columns: Vec::new(),
            page: Table::default(),
            on_terminal,
            width,
            text: Vec::new(),
            rows: 0,
            noted: MUCH / 2,
        }
    }

    /// Sets the columns, before any rows.
    pub(crate) fn begin(&mut self, columns: &[StatementColumnInfo]) -> Result<(), Failure> {
        if matches!(self.format, Format::Arrow | Format::Parquet) {
            return Err(Failure::usage(
                "arrow and parquet are for the rows of `brick sql`; these rows came as text",
            )
            .with_hint("write csv"));
        }
        for column in columns {
            let taken = self.columns.iter().map(|c| c.name.as_str());
            let name = distinct(taken, column.name.as_deref().unwrap_or_default());
            let before = if self.columns.is_empty() { '{' } else { ',' };
            let key = format!("{before}{}:", serde_json::Value::from(name.as_str()));
            self.columns.push(Heading { name, key, kind: Kind::of(column) });
        }
        self.page = Table::new(self.columns.iter().map(|column| heading(&column.name, self.on_terminal)));
        for (at, column) in self.columns.iter().enumerate() {
            if matches!(column.kind, Kind::Number | Kind::Float) {
                self.page.align_right(at);
            }
        }
        Ok(())
    }

    /// CSV's first line. Printed with the first row, so that a result that can't be fetched leaves no partial output.
    fn csv_header(&mut self) {
        csv_line(&mut self.text, self.columns.iter().map(|c| Some(c.name.as_str())));
    }

    /// Prints rows.
    pub(crate) fn rows(&mut self, rows: &Rows) -> Result<(), Failure> {
        let width = rows.get(0).map_or(0, |row| row.len());
        if !rows.is_empty() {
            self.check_width(width)?;
        }
        let mut cells = rows.cells().map(|cell| cell.as_str());
        for _ in 0..rows.len() {
            self.take(cells.by_ref().take(width));
        }
        Ok(self.write()?)
    }

    /// Rows without columns would be printed as empty objects, and other rows that don't fit would lose cells.
    fn check_width(&self, cells: usize) -> Result<(), Failure> {
        let columns = self.columns.len();
        if cells == columns && columns > 0 {
            return Ok(());
        }
        let message = format!("the result's rows don't fit its columns: {cells} cells, {columns} columns");
        Err(Failure::new(ErrorKind::UnexpectedResponse, message))
    }

    /// Prints one row; a cell that is `None` is NULL.
    pub(crate) fn row<'a>(
        &mut self,
        cells: impl ExactSizeIterator<Item = Option<&'a str>>,
    ) -> Result<(), Failure> {
        self.check_width(cells.len())?;
        self.take(cells);
        Ok(self.write()?)
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

    fn take<'a>(&mut self, cells: impl Iterator<Item = Option<&'a str>>) {
        match self.format {
            Format::Table => {
                cells.for_each(|cell| self.page.push(&shown(cell.unwrap_or("NULL"), self.on_terminal)));
                if self.page.rows() == PAGE {
                    self.print_page();
                }
            }
            Format::Csv => {
                if self.rows == 0 {
                    self.csv_header();
                }
                match &self.columns[..] {
                    [column] => {
                        csv_single(&mut self.text, cells.flatten().next(), column.kind == Kind::Text);
                    }
                    _ => csv_line(&mut self.text, cells),
                }
            }
            Format::Record => {
                let gap = if self.rows > 0 { "\n" } else { "" };
                let names = self.columns.iter().map(|c| c.name.clone());
                let cells = cells.map(|cell| cell.unwrap_or("NULL").to_owned());
                let lines = field_lines(&names.zip(cells).collect::<Vec<_>>(), self.on_terminal);
                self.text.extend_from_slice(format!("{gap}{lines}\n").as_bytes());
            }
            Format::Jsonl => {
                self.object(cells);
                self.text.push(b'\n');
            }
            // `begin` rejects Arrow and Parquet.
            Format::Json | Format::Auto | Format::Arrow | Format::Parquet => {
                self.text.extend_from_slice(if self.rows == 0 { b"[\n  " } else { b",\n  " });
                self.object(cells);
            }
        }
        self.rows += 1;
    }

    /// What to say of the memory that a filter takes: once it is much, and each time it has doubled.
    pub(crate) fn memory_note(&mut self) -> Option<String> {
        let Sink::Filtered { text, .. } = &self.out else { return None };
        if text.len() < self.noted.saturating_mul(2) {
            return None;
        }
        self.noted = text.len();
        let held = HumanBytes(text.len() as u64);
        Some(format!(
            "--jq holds the whole result in memory: {held} so far, and several times as much when it filters"
        ))
    }

    /// Finishes the output. Returns the number of rows.
    pub(crate) fn end(mut self) -> Result<u64, Failure> {
        match self.format {
            Format::Table if self.page.rows() > 0 || self.rows == 0 => self.print_page(),
            Format::Csv if self.rows == 0 => self.csv_header(),
            Format::Json | Format::Auto => {
                self.text.extend_from_slice(if self.rows == 0 { b"[]\n" } else { b"\n]\n" });
            }
            _ => {}
        }
        self.write()?;
        match self.out {
            Sink::Direct(out) => out.end()?.keep()?,
            Sink::Filtered { code, text, mut out } => {
                for result in filter(&code, &String::from_utf8_lossy(&text))? {
                    writeln!(out, "{result}")?;
                }
                out.keep()?;
            }
        }
        Ok(self.rows)
    }

    fn object<'a>(&mut self, cells: impl Iterator<Item = Option<&'a str>>) {
        for (column, cell) in self.columns.iter().zip(cells) {
            self.text.extend_from_slice(column.key.as_bytes());
            match cell {
                None => self.text.extend_from_slice(b"null"),
                Some(text) => column.kind.write_json(text, &mut self.text),
            }
        }
        self.text.extend_from_slice(if self.columns.is_empty() { b"{}" } else { b"}" });
    }

    fn print_page(&mut self) {
        self.page.write(self.width, false, &mut self.text);
        self.page.clear();
    }
}

/// A column's name as a table shows it: on a terminal, on one line.
fn heading(name: &str, on_terminal: bool) -> Cow<'_, str> {
    if on_terminal { terminal::escaped_line(name) } else { name.into() }
}

/// A name that no previous column has: `id`, `id_2`, `id_3`.
pub(super) fn distinct<'a>(taken: impl Iterator<Item = &'a str> + Clone, name: &str) -> String {
    let is_free = |name: &str| taken.clone().all(|other| other != name);
    if is_free(name) {
        return name.to_owned();
    }
    (2..).map(|n| format!("{name}_{n}")).find(|name| is_free(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_seen_are_numbers_read() {
        let texts = [
            "0", "-0", "7", "10", "-1.50", "0.0", "00", "01", "-01.5", "1.", ".5", "-", "", "+1", "1e5",
            "NaN", "١",
        ];
        for text in texts {
            assert!(!is_plain_number(text) || is_json(text), "{text}");
        }
        assert!(["0", "-0", "7", "10", "-1.50", "0.0"].into_iter().all(is_plain_number));
    }

    #[test]
    fn json_is_what_serde_writes() {
        for text in ["", "x", "a\"b", "c\\d", "\n", "\u{1f}", "ü€", "\u{7f}", "\u{2028}"] {
            let mut out = Vec::new();
            Kind::Text.write_json(text, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(text).unwrap());
        }
    }
}

//! Rows of an SQL result. All formats but the table print as rows come; the table is laid out in pages of rows.

use std::io::{self, Write};

use brickwire_actions::{Rows, types::StatementColumnInfo};
use comfy_table::CellAlignment;

use super::{Target, bare_table, cell::csv_line, trim_lines};
use crate::{args::Format, report::Failure};

/// How many rows a table is laid out for at once; a longer one begins again with its heading.
const PAGE: usize = 10_000;

/// Prints rows in one format.
pub(crate) struct RowPrinter {
    format: Format,
    out: Sink,
    columns: Vec<Heading>,
    page: Vec<Vec<String>>,
    rows: u64,
}

/// Where the text goes. A filter is over the whole result, so all of it is collected first.
enum Sink {
    Direct(Target),
    Filtered { code: String, text: Vec<u8>, out: Target },
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Direct(out) => out.write(bytes),
            Self::Filtered { text, .. } => text.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Direct(out) => out.flush(),
            Self::Filtered { .. } => Ok(()),
        }
    }
}

struct Heading {
    name: String,
    /// The name as the key of a JSON object, with its colon.
    key: String,
    kind: Kind,
}

/// How a cell's text becomes JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// The text is a JSON number already.
    Number,
    /// Like a number, but NaN and the infinities are texts.
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

    fn write_json(self, text: &str, out: &mut impl Write) -> io::Result<()> {
        let is_json = match self {
            Self::Text => false,
            Self::Number | Self::Float | Self::Nested => {
                serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
            }
            Self::Boolean => matches!(text, "true" | "false"),
        };
        if is_json { out.write_all(text.as_bytes()) } else { Ok(serde_json::to_writer(out, text)?) }
    }
}

impl RowPrinter {
    pub(super) fn new(format: Format, out: Target, jq: Option<String>) -> Self {
        let out = match jq {
            None => Sink::Direct(out),
            Some(code) => Sink::Filtered { code, text: Vec::new(), out },
        };
        Self { format, out, columns: Vec::new(), page: Vec::new(), rows: 0 }
    }

    /// Takes the columns; comes before all rows.
    pub(crate) fn begin(&mut self, columns: &[StatementColumnInfo]) -> Result<(), Failure> {
        if matches!(self.format, Format::Arrow | Format::Parquet) {
            return Err(Failure::Usage(
                "arrow and parquet are for the rows of `brick sql`; these came as text\nhint: write csv"
                    .to_owned(),
            ));
        }
        for column in columns {
            let taken = self.columns.iter().map(|c| c.name.as_str());
            let name = distinct(taken, column.name.as_deref().unwrap_or_default());
            let key = format!("{}:", serde_json::Value::from(name.as_str()));
            self.columns.push(Heading { name, key, kind: Kind::of(column) });
        }
        Ok(())
    }

    /// CSV's first line. It waits for the first row, so that a result that can't be fetched leaves no half output.
    fn csv_header(&mut self) -> io::Result<()> {
        csv_line(&mut self.out, self.columns.iter().map(|c| Some(c.name.as_str())))
    }

    /// Prints rows.
    pub(crate) fn rows(&mut self, rows: &Rows) -> io::Result<()> {
        rows.iter().try_for_each(|row| self.row(row.iter()))
    }

    /// Prints one row; a cell that is `None` is NULL.
    pub(crate) fn row<'a>(&mut self, cells: impl Iterator<Item = Option<&'a str>>) -> io::Result<()> {
        match self.format {
            Format::Table => {
                self.page.push(cells.map(|cell| cell.unwrap_or("NULL").to_owned()).collect());
                if self.page.len() == PAGE {
                    self.print_page()?;
                }
            }
            Format::Csv => {
                if self.rows == 0 {
                    self.csv_header()?;
                }
                csv_line(&mut self.out, cells)?;
            }
            Format::Record => {
                let gap = if self.rows > 0 { "\n" } else { "" };
                let names = self.columns.iter().map(|c| c.name.clone());
                let cells = cells.map(|cell| cell.unwrap_or("NULL").to_owned());
                writeln!(self.out, "{gap}{}", super::field_lines(&names.zip(cells).collect::<Vec<_>>()))?;
            }
            Format::Jsonl => {
                self.object(cells)?;
                self.out.write_all(b"\n")?;
            }
            // The last two never come this far.
            Format::Json | Format::Auto | Format::Arrow | Format::Parquet => {
                self.out.write_all(if self.rows == 0 { b"[\n  " } else { b",\n  " })?;
                self.object(cells)?;
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Ends the output; gives the number of rows.
    pub(crate) fn end(mut self) -> Result<u64, Failure> {
        match self.format {
            Format::Table if !self.page.is_empty() || self.rows == 0 => self.print_page()?,
            Format::Csv if self.rows == 0 => self.csv_header()?,
            Format::Json | Format::Auto => {
                let end: &[u8] = if self.rows == 0 { b"[]\n" } else { b"\n]\n" };
                self.out.write_all(end)?;
            }
            _ => {}
        }
        match self.out {
            Sink::Direct(out) => out.keep()?,
            Sink::Filtered { code, text, mut out } => {
                for result in super::filtered(&code, &String::from_utf8_lossy(&text))? {
                    writeln!(out, "{result}")?;
                }
                out.keep()?;
            }
        }
        Ok(self.rows)
    }

    fn object<'a>(&mut self, cells: impl Iterator<Item = Option<&'a str>>) -> io::Result<()> {
        for (i, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            self.out.write_all(if i == 0 { b"{" } else { b"," })?;
            self.out.write_all(column.key.as_bytes())?;
            match cell {
                None => self.out.write_all(b"null")?,
                Some(text) => column.kind.write_json(text, &mut self.out)?,
            }
        }
        self.out.write_all(if self.columns.is_empty() { b"{}" } else { b"}" })
    }

    fn print_page(&mut self) -> io::Result<()> {
        let mut table = bare_table();
        table.set_header(self.columns.iter().map(|c| c.name.as_str()));
        for row in self.page.drain(..) {
            table.add_row(row);
        }
        for (i, column) in self.columns.iter().enumerate() {
            if matches!(column.kind, Kind::Number | Kind::Float)
                && let Some(column) = table.column_mut(i)
            {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        if !self.columns.is_empty() {
            writeln!(self.out, "{}", trim_lines(&table.to_string()))?;
        }
        Ok(())
    }
}

/// A name that no column before it has: `id`, `id_2`, `id_3`.
pub(super) fn distinct<'a>(taken: impl Iterator<Item = &'a str> + Clone, name: &str) -> String {
    let is_free = |name: &str| taken.clone().all(|other| other != name);
    if is_free(name) {
        return name.to_owned();
    }
    let mut n = 2;
    loop {
        let candidate = format!("{name}_{n}");
        if is_free(&candidate) {
            return candidate;
        }
        n += 1;
    }
}

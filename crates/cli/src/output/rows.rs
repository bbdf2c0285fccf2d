//! Rows of an SQL result, printed as they arrive. Only tables are laid out in pages of rows.

use std::io::{self, Write};

use brickwire_actions::{Rows, types::StatementColumnInfo};
use comfy_table::CellAlignment;

use super::{
    cell::csv_line,
    filter::filter,
    kind::Kind,
    table::{bare_table, field_lines, terminal_width, trim_lines},
    target::{Target, Writer},
};
use crate::{failure::Failure, options::Format};

/// The number of rows in a page of a table; each page starts with the heading.
const PAGE: usize = 10_000;

/// Prints rows in one format.
pub(crate) struct RowPrinter {
    format: Format,
    out: Sink,
    columns: Vec<Heading>,
    page: Vec<Vec<String>>,
    /// The width that a table must fit in.
    width: Option<u16>,
    /// The text to write next: many rows at once, which is several times as fast as cell by cell.
    text: Vec<u8>,
    rows: u64,
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

impl RowPrinter {
    pub(super) fn new(format: Format, out: Target, jq: Option<String>) -> Self {
        let width = if out.is_stdout() { terminal_width() } else { None };
        let out = match jq {
            None => Sink::Direct(Writer::new(out)),
            Some(code) => Sink::Filtered { code, text: Vec::new(), out },
        };
        Self { format, out, columns: Vec::new(), page: Vec::new(), width, text: Vec::new(), rows: 0 }
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
        Ok(())
    }

    /// CSV's first line. Printed with the first row, so that a result that can't be fetched leaves no partial output.
    fn csv_header(&mut self) {
        csv_line(&mut self.text, self.columns.iter().map(|c| Some(c.name.as_str())));
    }

    /// Prints rows.
    pub(crate) fn rows(&mut self, rows: &Rows) -> io::Result<()> {
        let width = rows.get(0).map_or(0, |row| row.len());
        let mut cells = rows.cells().map(|cell| cell.as_str());
        for _ in 0..rows.len() {
            self.take(cells.by_ref().take(width));
        }
        self.write()
    }

    /// Prints one row; a cell that is `None` is NULL.
    pub(crate) fn row<'a>(&mut self, cells: impl Iterator<Item = Option<&'a str>>) -> io::Result<()> {
        self.take(cells);
        self.write()
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
                self.page.push(cells.map(|cell| cell.unwrap_or("NULL").to_owned()).collect());
                if self.page.len() == PAGE {
                    self.print_page();
                }
            }
            Format::Csv => {
                if self.rows == 0 {
                    self.csv_header();
                }
                csv_line(&mut self.text, cells);
            }
            Format::Record => {
                let gap = if self.rows > 0 { "\n" } else { "" };
                let names = self.columns.iter().map(|c| c.name.clone());
                let cells = cells.map(|cell| cell.unwrap_or("NULL").to_owned());
                let lines = field_lines(&names.zip(cells).collect::<Vec<_>>());
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

    /// Finishes the output. Returns the number of rows.
    pub(crate) fn end(mut self) -> Result<u64, Failure> {
        match self.format {
            Format::Table if !self.page.is_empty() || self.rows == 0 => self.print_page(),
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
        let mut table = bare_table(self.width);
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
            self.text.extend_from_slice(trim_lines(&table.to_string()).as_bytes());
            self.text.push(b'\n');
        }
    }
}

/// A name that no previous column has: `id`, `id_2`, `id_3`.
pub(super) fn distinct<'a>(taken: impl Iterator<Item = &'a str> + Clone, name: &str) -> String {
    let is_free = |name: &str| taken.clone().all(|other| other != name);
    if is_free(name) {
        return name.to_owned();
    }
    (2..).map(|n| format!("{name}_{n}")).find(|name| is_free(name)).unwrap_or_default()
}

//! Rows of an SQL result. All formats but the table print as rows come; the table is laid out in pages of rows.

use std::io::{self, Write};

use brickwire_actions::{Row, types::StatementColumnInfo};
use comfy_table::CellAlignment;

use super::{bare_table, cell::csv_line, trim_lines};
use crate::args::Format;

/// How many rows a table is laid out for at once; a longer one begins again with its heading.
const PAGE: usize = 10_000;

/// Prints rows in one format.
pub(crate) struct RowPrinter {
    format: Format,
    out: Box<dyn Write>,
    columns: Vec<Heading>,
    page: Vec<Row>,
    rows: u64,
}

struct Heading {
    name: String,
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

    fn json(self, text: &str) -> String {
        let is_json = match self {
            Self::Text => false,
            Self::Number | Self::Float | Self::Nested => {
                serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
            }
            Self::Boolean => matches!(text, "true" | "false"),
        };
        if is_json { text.to_owned() } else { serde_json::Value::from(text).to_string() }
    }
}

impl RowPrinter {
    pub(super) fn new(format: Format, out: Box<dyn Write>) -> Self {
        Self { format, out, columns: Vec::new(), page: Vec::new(), rows: 0 }
    }

    /// Takes the columns; comes before all rows.
    pub(crate) fn begin(&mut self, columns: &[StatementColumnInfo]) -> io::Result<()> {
        for column in columns {
            let name = distinct(&self.columns, column.name.as_deref().unwrap_or_default());
            self.columns.push(Heading { name, kind: Kind::of(column) });
        }
        if self.format == Format::Csv {
            csv_line(&mut self.out, self.columns.iter().map(|c| Some(c.name.as_str())))?;
        }
        Ok(())
    }

    /// Prints rows.
    pub(crate) fn rows(&mut self, rows: Vec<Row>) -> io::Result<()> {
        for row in rows {
            match self.format {
                Format::Table => {
                    self.page.push(row);
                    if self.page.len() == PAGE {
                        self.print_page()?;
                    }
                }
                Format::Csv => csv_line(&mut self.out, row.iter().map(Option::as_deref))?,
                Format::Jsonl => {
                    let line = self.object(&row);
                    writeln!(self.out, "{line}")?;
                }
                Format::Json | Format::Auto => {
                    let separator = if self.rows == 0 { "[\n  " } else { ",\n  " };
                    let object = self.object(&row);
                    write!(self.out, "{separator}{object}")?;
                }
            }
            self.rows += 1;
        }
        Ok(())
    }

    /// Ends the output; gives the number of rows.
    pub(crate) fn end(mut self) -> io::Result<u64> {
        match self.format {
            Format::Table if !self.page.is_empty() || self.rows == 0 => self.print_page()?,
            Format::Json | Format::Auto => {
                let end: &[u8] = if self.rows == 0 { b"[]\n" } else { b"\n]\n" };
                self.out.write_all(end)?;
            }
            _ => {}
        }
        self.out.flush()?;
        Ok(self.rows)
    }

    fn object(&self, row: &Row) -> String {
        let fields: Vec<_> = self
            .columns
            .iter()
            .zip(row)
            .map(|(column, cell)| {
                let value = cell.as_deref().map_or_else(|| "null".to_owned(), |text| column.kind.json(text));
                format!("{}:{value}", serde_json::Value::from(column.name.as_str()))
            })
            .collect();
        format!("{{{}}}", fields.join(","))
    }

    fn print_page(&mut self) -> io::Result<()> {
        let mut table = bare_table();
        table.set_header(self.columns.iter().map(|c| c.name.as_str()));
        for row in self.page.drain(..) {
            table.add_row(row.into_iter().map(|cell| cell.unwrap_or_else(|| "NULL".to_owned())));
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
fn distinct(taken: &[Heading], name: &str) -> String {
    let is_free = |name: &str| taken.iter().all(|c| c.name != name);
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

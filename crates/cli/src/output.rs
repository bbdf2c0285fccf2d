//! Data on stdout, in the requested format. JSON is the service's own text, re-indented, so nothing is lost.

#[cfg(feature = "arrow")]
mod batches;
mod cell;
mod check;
mod envelope;
mod fields;
mod filter;
#[cfg(feature = "arrow")]
mod guard;
#[cfg(feature = "jq")]
mod jq;
pub(crate) mod json;
mod kind;
mod rows;
#[cfg(feature = "arrow")]
mod schema;
mod sql_type;
mod table;
mod target;

use std::io::{self, BufWriter, IsTerminal, Write};

use serde_json::value::RawValue;

use crate::{failure::Failure, options::Format, terminal};

#[cfg(feature = "arrow")]
pub(crate) use batches::BatchPrinter;
pub(crate) use check::check;
pub(crate) use envelope::{Envelopes, Facts};
pub(crate) use fields::Column;
use fields::{cells, fields};
use filter::filter;
#[cfg(feature = "jq")]
pub(crate) use filter::run_if_child;
pub(crate) use rows::RowPrinter;
#[cfg(feature = "arrow")]
pub(crate) use schema::schema_of;
use table::{Table, field_lines, shown, terminal_width};
pub(crate) use target::{Target, format_for};

/// Prints data to stdout.
pub(crate) struct Output {
    asked: Format,
    format: Format,
    jq: Option<String>,
    on_terminal: bool,
    out: BufWriter<Box<dyn Write + Send>>,
}

impl Output {
    pub(crate) fn new(asked: Format, jq: Option<String>) -> Self {
        let on_terminal = io::stdout().is_terminal();
        let format = match asked {
            _ if jq.is_some() => Format::Json,
            Format::Auto if on_terminal => Format::Table,
            Format::Auto => Format::Json,
            other => other,
        };
        Self { asked, format, jq, on_terminal, out: BufWriter::new(terminal::stdout()) }
    }

    /// Whether a person reads it.
    pub(crate) fn is_table(&self) -> bool {
        self.format == Format::Table
    }

    /// Prints a list; tables and CSV show the given columns.
    pub(crate) fn list(mut self, items: &[Box<RawValue>], columns: &[Column]) -> Result<(), Failure> {
        match self.format {
            Format::Json | Format::Auto => {
                let all = items.iter().map(|item| item.get()).collect::<Vec<_>>().join(",");
                self.json(&format!("[{all}]"))?;
            }
            Format::Record => {
                for (i, item) in items.iter().enumerate() {
                    let gap = if i > 0 { "\n" } else { "" };
                    writeln!(self.out, "{gap}{}", field_lines(&fields(item.get()), self.on_terminal))?;
                }
            }
            Format::Jsonl => {
                for item in items {
                    writeln!(self.out, "{}", json::compact(item.get()))?;
                }
            }
            Format::Arrow | Format::Parquet => return Err(rows_only()),
            Format::Table => {
                let mut table = Table::new(columns.iter().map(|(name, _)| (*name).into()));
                for cell in items.iter().flat_map(|item| cells(item.get(), columns)) {
                    table.push(&shown(&cell, self.on_terminal));
                }
                let mut text = Vec::new();
                // Ids are copied, so they must not wrap.
                table.write(terminal_width(), true, &mut text);
                self.out.write_all(&text)?;
            }
            Format::Csv => {
                let heading = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
                self.csv([heading].into_iter().chain(items.iter().map(|item| cells(item.get(), columns))))?;
            }
        }
        Ok(self.out.flush()?)
    }

    /// Prints one item: its JSON, or one field per line.
    pub(crate) fn record(mut self, text: &str) -> Result<(), Failure> {
        match self.format {
            Format::Json | Format::Auto => self.json(text)?,
            Format::Jsonl => writeln!(self.out, "{}", json::compact(text))?,
            Format::Arrow | Format::Parquet => return Err(rows_only()),
            Format::Table | Format::Record => {
                writeln!(self.out, "{}", field_lines(&fields(text), self.on_terminal))?;
            }
            Format::Csv => {
                let (names, values): (Vec<_>, Vec<_>) = fields(text).into_iter().unzip();
                self.csv([names, values])?;
            }
        }
        Ok(self.out.flush()?)
    }

    /// Prints a JSON document of any shape, which has no table form.
    pub(crate) fn document(mut self, text: &str) -> Result<(), Failure> {
        match self.format {
            Format::Jsonl => writeln!(self.out, "{}", json::compact(text))?,
            _ => self.json(text)?,
        }
        Ok(self.out.flush()?)
    }

    /// Prints JSON, filtered if requested.
    fn json(&mut self, text: &str) -> Result<(), Failure> {
        let Some(code) = &self.jq else { return Ok(writeln!(self.out, "{}", json::pretty(text))?) };
        filter(code, text.as_bytes(), &mut self.out)
    }

    fn csv(&mut self, lines: impl IntoIterator<Item = Vec<String>>) -> io::Result<()> {
        let mut text = Vec::new();
        for line in lines {
            match &line[..] {
                [cell] => cell::csv_single(&mut text, Some(cell), true),
                // An empty cell stands for null, too.
                cells => cell::csv_line(
                    &mut text,
                    cells.iter().map(|c| Some(c.as_str()).filter(|c| !c.is_empty())),
                ),
            }
        }
        self.out.write_all(&text)
    }

    /// Prints the text that code has printed: on a terminal without its colors.
    pub(crate) fn text(self, text: &str) -> io::Result<()> {
        if self.on_terminal {
            self.bytes(terminal::without_colors(text).as_bytes())
        } else {
            self.bytes(text.as_bytes())
        }
    }

    /// Prints bytes as they are, except that a terminal gets no control characters.
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
    }

    /// Whether a command that changes something prints one line: on a terminal, unless a format was requested.
    pub(crate) fn is_brief(&self) -> bool {
        self.on_terminal && self.asked == Format::Auto && self.jq.is_none()
    }

    /// Whether JSON is printed.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.format, Format::Json | Format::Jsonl)
    }

    /// Whether the user requested JSON, as opposed to getting it because stdout is a pipe.
    pub(crate) fn is_json_asked(&self) -> bool {
        matches!(self.asked, Format::Json | Format::Jsonl)
    }

    /// Prints the rows of an SQL result to a target.
    pub(crate) fn rows(self, target: Target) -> RowPrinter {
        RowPrinter::new(self.format, target, self.jq)
    }

    /// The envelopes of several results, printed to a target.
    pub(crate) fn envelopes(self, target: Target) -> Envelopes {
        Envelopes::new(target, self.jq)
    }

    /// The format in effect.
    pub(crate) fn format(&self) -> Format {
        self.format
    }
}

fn rows_only() -> Failure {
    Failure::usage("arrow and parquet are for the rows of `brick sql`").with_hint("write csv, json, or jsonl")
}

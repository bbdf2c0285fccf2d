//! Data on stdout, in the requested format. JSON is the service's own text, re-indented, so nothing is lost.

#[cfg(feature = "arrow")]
mod batches;
mod cell;
mod filter;
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

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use comfy_table::ColumnConstraint;
use serde_json::{Value, value::RawValue};

use crate::{failure::Failure, options::Format};

#[cfg(feature = "arrow")]
pub(crate) use batches::BatchPrinter;
use filter::filter;
pub(crate) use rows::RowPrinter;
#[cfg(feature = "arrow")]
pub(crate) use schema::schema_of;
use table::{bare_table, field_lines, terminal_width, trim_lines};
pub(crate) use target::{Target, format_for};

/// A column of a table: its heading, and the JSON pointer to its value in an item.
pub(crate) type Column = (&'static str, &'static str);

/// Prints data to stdout.
pub(crate) struct Output {
    asked: Format,
    format: Format,
    jq: Option<String>,
    out: BufWriter<Stdout>,
}

impl Output {
    pub(crate) fn new(asked: Format, jq: Option<String>) -> Self {
        let stdout = io::stdout();
        let format = match asked {
            _ if jq.is_some() => Format::Json,
            Format::Auto if stdout.is_terminal() => Format::Table,
            Format::Auto => Format::Json,
            other => other,
        };
        Self { asked, format, jq, out: BufWriter::new(stdout) }
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
                    writeln!(self.out, "{gap}{}", field_lines(&fields(item.get())))?;
                }
            }
            Format::Jsonl => {
                for item in items {
                    writeln!(self.out, "{}", json::compact(item.get()))?;
                }
            }
            Format::Arrow | Format::Parquet => return Err(rows_only()),
            Format::Table => {
                let rows = items.iter().map(|item| cells(item.get(), columns));
                let mut table = bare_table(terminal_width());
                table.set_header(columns.iter().map(|(name, _)| *name));
                table.add_rows(rows);
                // Ids are copied, so they must not wrap.
                if let Some(id) = table.column_mut(0) {
                    id.set_constraint(ColumnConstraint::ContentWidth);
                }
                writeln!(self.out, "{}", trim_lines(&table.to_string()))?;
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
            Format::Table | Format::Record => writeln!(self.out, "{}", field_lines(&fields(text)))?,
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
        for result in filter(code, text)? {
            writeln!(self.out, "{result}")?;
        }
        Ok(())
    }

    fn csv(&mut self, lines: impl IntoIterator<Item = Vec<String>>) -> io::Result<()> {
        let mut text = Vec::new();
        for line in lines {
            // An empty cell stands for null, too.
            cell::csv_line(&mut text, line.iter().map(|c| Some(c.as_str()).filter(|c| !c.is_empty())));
        }
        self.out.write_all(&text)
    }

    /// Prints bytes as they are.
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
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

    /// The format in effect.
    pub(crate) fn format(&self) -> Format {
        self.format
    }
}

fn rows_only() -> Failure {
    Failure::usage("arrow and parquet are for the rows of an SQL statement")
}

fn cells(item: &str, columns: &[Column]) -> Vec<String> {
    let item: Value = serde_json::from_str(item).unwrap_or_default();
    columns.iter().map(|(_, pointer)| item.pointer(pointer).map(plain).unwrap_or_default()).collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn fields(text: &str) -> Vec<(String, String)> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => map.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        Ok(other) => vec![("value".to_owned(), plain(&other))],
        Err(_) => vec![("value".to_owned(), text.to_owned())],
    }
}

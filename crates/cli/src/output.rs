//! Data on stdout, in the requested format. JSON is the service's own text, re-indented, so nothing is lost.

#[cfg(feature = "arrow")]
mod batches;
mod cell;
mod check;
mod fields;
mod filter;
mod footer;
mod grid;
#[cfg(feature = "arrow")]
mod guard;
#[cfg(feature = "jq")]
mod jq;
pub(crate) mod json;
mod kind;
mod layout;
mod look;
mod null;
mod pager;
mod record;
mod rows;
#[cfg(feature = "arrow")]
mod schema;
mod screen;
mod sql_type;
mod table;
mod target;

use std::{
    borrow::Cow,
    io::{self, BufWriter, IsTerminal, Write},
    time::Instant,
};

use serde_json::value::RawValue;

use crate::{
    color,
    failure::Failure,
    options::{Format, MaxRows},
    terminal,
};

#[cfg(feature = "arrow")]
pub(crate) use batches::BatchPrinter;
pub(crate) use check::{check, check_null};
pub(crate) use fields::Column;
use fields::{cells, fields};
use filter::filter;
#[cfg(feature = "jq")]
pub(crate) use filter::run_if_child;
pub(crate) use footer::saved;
use grid::{Grid, Size};
pub(crate) use look::Look;
use record::Field;
pub(crate) use rows::RowPrinter;
#[cfg(feature = "arrow")]
pub(crate) use schema::schema_of;
use screen::Screen;
use table::Table;
pub(crate) use target::{Target, format_for};

/// Prints data to stdout.
pub(crate) struct Output {
    asked: Format,
    format: Format,
    jq: Option<String>,
    look: Look,
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
        let out = BufWriter::new(terminal::stdout());
        Self { asked, format, jq, look: Look::default(), on_terminal, out }
    }

    /// Sets how data is shown.
    pub(crate) fn with_look(mut self, look: Look) -> Self {
        self.look = look;
        self
    }

    /// Sets when the work began whose time the line below the rows tells. Without it, that is when the command began.
    #[allow(dead_code, reason = "used by the prompt and by scripts")]
    pub(crate) fn begun_at(mut self, begun: Instant) -> Self {
        self.look.begun = begun;
        self
    }

    /// When the work began.
    pub(crate) fn begun(&self) -> Instant {
        self.look.begun
    }

    /// Shows the rows of a query as a table even where records would show more.
    #[allow(dead_code, reason = "used by the prompt and by scripts")]
    pub(crate) fn always_a_table(mut self) -> Self {
        self.look.may_be_records = false;
        self
    }

    /// The most rows to ask for and to show, if there is a limit. A terminal has one unless `--limit` or `--max-rows` is given.
    pub(crate) fn row_cap(&self, asked: Option<MaxRows>, has_limit: bool, target: &Target) -> Option<u64> {
        look::cap(asked, has_limit, rows::is_on_screen(self.format, target))
    }

    /// Shows at most so many rows.
    pub(crate) fn with_cap(mut self, cap: Option<u64>) -> Self {
        self.look.cap = cap;
        self
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
                let records: Vec<String> = items.iter().map(|item| self.fields_of(item.get())).collect();
                return self.show(records.join("\n"));
            }
            Format::Jsonl => {
                for item in items {
                    writeln!(self.out, "{}", json::compact(item.get()))?;
                }
            }
            Format::Arrow | Format::Parquet => return Err(rows_only()),
            Format::Table => {
                let text = self.table(items, columns);
                return self.show(text);
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
                let text = self.fields_of(text);
                return self.show(text);
            }
            Format::Csv => {
                let (names, values): (Vec<_>, Vec<_>) = fields(text).into_iter().unzip();
                self.csv([names, values])?;
            }
        }
        Ok(self.out.flush()?)
    }

    /// The lines of a list.
    fn table(&self, items: &[Box<RawValue>], columns: &[Column]) -> String {
        let headings = columns.iter().map(|(name, _)| *name);
        let cells = items.iter().flat_map(|item| cells(item.get(), columns));
        let mut text = Vec::new();
        if self.on_terminal {
            let mut grid = Grid::of_list(headings, Size::of_stdout());
            cells.for_each(|cell| grid.push_text(&self.look.listed(&cell)));
            grid.write(true, &mut text);
            let footer = footer::of_list(grid.missing(), columns.len()).filter(|_| self.look.has_footer);
            text.extend(footer.into_iter().flat_map(|footer| format!("{footer}\n").into_bytes()));
        } else {
            let mut table = Table::new(headings.map(Cow::from));
            cells.for_each(|cell| table.push(&self.look.listed(&cell)));
            table.write(&mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The lines of an item.
    fn fields_of(&self, item: &str) -> String {
        let fields = fields(item);
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| Field::of(name, self.look.listed(value))).collect();
        record::lines(&fields, self.on_terminal, color::is_for_data()) + "\n"
    }

    /// Prints lines that were laid out; long ones of a terminal in the pager.
    fn show(mut self, lines: String) -> Result<(), Failure> {
        let mut lines = lines.into_bytes();
        if self.on_terminal {
            let mut screen = Screen::new(self.look.may_page);
            screen.write(&mut lines)?;
            return screen.end();
        }
        self.out.write_all(&lines)?;
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
        let null = self.look.null.as_deref();
        // An empty cell stands for null, too.
        for line in lines {
            match &line[..] {
                [cell] if null.is_none() => cell::csv_single(&mut text, Some(cell), true, None),
                cells => {
                    let cells = cells.iter().map(|c| Some(c.as_str()).filter(|c| !c.is_empty()));
                    cell::csv_line(&mut text, cells, null);
                }
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
        RowPrinter::new(self.format, target, self.jq, self.look)
    }

    /// The format in effect.
    pub(crate) fn format(&self) -> Format {
        self.format
    }
}

fn rows_only() -> Failure {
    Failure::usage("arrow and parquet are for the rows of `brick sql`").with_hint("write csv, json, or jsonl")
}

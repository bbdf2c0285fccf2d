//! Data on stdout, in the requested format. JSON is the service's own text, re-indented, so nothing is lost.

pub(crate) mod agent;
#[cfg(feature = "arrow")]
mod batches;
mod cell;
mod check;
mod columns;
mod delimited;
mod envelope;
mod facts;
mod fields;
mod filter;
mod footer;
mod frame;
mod grid;
#[cfg(feature = "arrow")]
mod guard;
#[cfg(feature = "jq")]
mod jq;
pub(crate) mod json;
mod kind;
mod layout;
mod look;
mod moment;
mod name;
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
pub(crate) use columns::Selection;
use delimited::{markdown_heading, markdown_line, tsv_line};
pub(crate) use envelope::Envelopes;
pub(crate) use facts::{About, Facts};
pub(crate) use fields::Column;
use fields::{cells, fields};
use filter::filter;
#[cfg(feature = "jq")]
pub(crate) use filter::run_if_child;
pub(crate) use footer::saved;
pub(crate) use frame::Frame;
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
    selection: Selection,
    look: Look,
    about: About,
    on_terminal: bool,
    out: BufWriter<Box<dyn Write + Send>>,
    frame: Option<Frame>,
}

impl Output {
    pub(crate) fn new(asked: Format, jq: Option<String>) -> Self {
        let on_terminal = io::stdout().is_terminal();
        let format = match asked {
            Format::Envelope => Format::Envelope,
            _ if jq.is_some() => Format::Json,
            Format::Auto if on_terminal => Format::Table,
            Format::Auto => Format::Json,
            other => other,
        };
        let out = BufWriter::new(terminal::stdout());
        let (selection, look, about) = (Selection::default(), Look::default(), About::default());
        Self { asked, format, jq, selection, look, about, on_terminal, out, frame: None }
    }

    /// Prints only some columns, or no header.
    pub(crate) fn with_selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Prints to a frame instead of stdout.
    pub(crate) fn into_frame(mut self, frame: Frame) -> Self {
        self.out = BufWriter::new(Box::new(frame.clone()));
        self.frame = Some(frame);
        self
    }

    /// Sets how data is shown.
    pub(crate) fn with_look(mut self, look: Look) -> Self {
        self.look = look;
        self
    }

    /// Sets when the work began whose time the line below the rows tells. Without it, that is when the command began.
    pub(crate) fn started_at(mut self, started: Instant) -> Self {
        self.look.started = started;
        self
    }

    /// When the work began.
    pub(crate) fn started(&self) -> Instant {
        self.look.started
    }

    /// Shows the rows of a query as a table even where records would show more.
    pub(crate) fn always_a_table(mut self) -> Self {
        self.look.may_be_records = false;
        self
    }

    /// The most rows to ask for and to show, if there is a limit. A terminal has one unless `--limit` or `--max-rows` is given.
    pub(crate) fn row_cap(&self, asked: Option<MaxRows>, has_limit: bool, target: &Target) -> Option<u64> {
        // A preview counts the rows that it leaves out.
        let asked = asked.filter(|_| !self.is_agent());
        look::cap(asked, has_limit, rows::is_on_screen(self.format, target))
    }

    /// Shows at most this number of rows.
    pub(crate) fn with_cap(mut self, cap: Option<u64>) -> Self {
        self.look.cap = cap;
        self
    }

    /// Whether a person reads it.
    pub(crate) fn is_table(&self) -> bool {
        self.format == Format::Table
    }

    /// Prints a list; tables, CSV, TSV, and Markdown show the given columns.
    pub(crate) fn list(mut self, items: &[Box<RawValue>], columns: &[Column]) -> Result<(), Failure> {
        let names = self.selection.columns.as_deref();
        let is_whole = names.is_none();
        let chosen = columns::of_list(names, columns, items)?;
        if let (Some(frame), Some((_, id))) = (&self.frame, columns.first()) {
            frame.identify(id);
        }
        let text = |item: &'_ RawValue| match is_whole {
            true => item.get().to_owned(),
            false => columns::project(item.get(), &chosen),
        };
        match self.format {
            Format::Json | Format::Auto => {
                let all = items.iter().map(|item| text(item)).collect::<Vec<_>>().join(",");
                self.json_items(&format!("[{all}]"))?;
            }
            Format::Record => {
                let records: Vec<String> = items.iter().map(|item| self.fields_of(&text(item))).collect();
                return self.show(records.join("\n").into_bytes());
            }
            Format::Jsonl => {
                for item in items {
                    writeln!(self.out, "{}", json::compact(&text(item)))?;
                }
            }
            Format::Arrow | Format::Parquet | Format::Envelope => return Err(rows_only()),
            Format::Agent => {
                let pointers = || chosen.iter().map(|column| column.pointer.as_str());
                let heading: Vec<_> = chosen.iter().map(|column| column.heading.clone()).collect();
                let rows = items.iter().map(|item| cells(item.get(), pointers()));
                self.out.write_all(agent::list(&heading, rows).as_bytes())?;
            }
            Format::Name => {
                for cell in
                    items.iter().flat_map(|item| cells(item.get(), columns.iter().take(1).map(|c| c.1)))
                {
                    writeln!(self.out, "{}", terminal::escaped_line(&cell))?;
                }
            }
            Format::Table | Format::Csv | Format::Tsv | Format::Markdown => {
                let pointers = || chosen.iter().map(|column| column.pointer.as_str());
                let rows = items.iter().map(|item| cells(item.get(), pointers()));
                let heading: Vec<String> = chosen.iter().map(|column| column.heading.clone()).collect();
                if self.format == Format::Table {
                    let lines = self.table(&heading, rows);
                    return self.show(lines);
                }
                self.cells(&heading, rows)?;
            }
        }
        Ok(self.out.flush()?)
    }

    /// Prints one item: its JSON, or one field per line.
    pub(crate) fn record(mut self, text: &str) -> Result<(), Failure> {
        let chosen =
            self.selection.columns.as_deref().map(|names| columns::of_record(names, text)).transpose()?;
        let text = match &chosen {
            Some(chosen) => Cow::Owned(columns::project(text, chosen)),
            None => Cow::Borrowed(text),
        };
        let text = text.as_ref();
        match self.format {
            Format::Json | Format::Auto | Format::Envelope => self.json(text)?,
            Format::Agent => self.out.write_all(agent::record(&fields(text)).as_bytes())?,
            Format::Jsonl => writeln!(self.out, "{}", json::compact(text))?,
            Format::Arrow | Format::Parquet => return Err(rows_only()),
            Format::Name => {
                let id = name::of_record(&fields(text))?;
                writeln!(self.out, "{}", terminal::escaped_line(&id))?;
            }
            Format::Table | Format::Record => {
                let lines = self.fields_of(text);
                return self.show(lines.into_bytes());
            }
            Format::Csv | Format::Tsv | Format::Markdown => {
                let (names, values): (Vec<_>, Vec<_>) = fields(text).into_iter().unzip();
                self.cells(&names, [values].into_iter())?;
            }
        }
        Ok(self.out.flush()?)
    }

    /// The lines of a list.
    fn table(&self, heading: &[String], rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
        let headings = heading.iter().map(String::as_str);
        let has_heading = !self.selection.no_header;
        let mut text = Vec::new();
        if self.on_terminal {
            let headings = headings.map(moment::without_unit);
            let mut grid = Grid::of_list(headings, Size::of_stdout()).with_heading(has_heading);
            for cells in rows {
                for (heading, cell) in heading.iter().zip(&cells) {
                    grid.push_text(&self.look.listed(&moment::shown(heading, cell)));
                }
            }
            grid.write(true, &mut text);
            let footer = footer::of_list(grid.missing(), heading.len()).filter(|_| self.look.has_footer);
            text.extend(footer.into_iter().flat_map(|footer| format!("{footer}\n").into_bytes()));
        } else {
            let mut table = Table::new(headings.map(Cow::from)).with_heading(has_heading);
            rows.flatten().for_each(|cell| table.push(&self.look.listed(&cell)));
            table.write(&mut text);
        }
        text
    }

    /// Prints rows of text below a heading, for other programs and for texts.
    fn cells(&mut self, heading: &[String], rows: impl Iterator<Item = Vec<String>>) -> io::Result<()> {
        let has_header = !self.selection.no_header;
        let null = self.look.null.as_deref();
        let mut text = Vec::new();
        match self.format {
            Format::Tsv => {
                if has_header {
                    tsv_line(&mut text, heading.iter().map(|name| Some(name.as_str())), null);
                }
                for line in rows {
                    let cells = line.iter().map(|cell| Some(cell.as_str()).filter(|cell| !cell.is_empty()));
                    tsv_line(&mut text, cells, Some(null.unwrap_or_default()));
                }
            }
            Format::Markdown => {
                if has_header {
                    let names = heading.iter().map(String::as_str);
                    markdown_heading(&mut text, names, heading.iter().map(|_| false));
                }
                rows.for_each(|line| {
                    markdown_line(&mut text, line.iter().map(|cell| self.look.listed(cell)));
                });
            }
            _ => {
                let header = has_header.then(|| heading.to_vec());
                for line in header.into_iter().chain(rows) {
                    match &line[..] {
                        [cell] if null.is_none() => cell::csv_single(&mut text, Some(cell), true, None),
                        cells => {
                            let cells = cells.iter().map(|c| Some(c.as_str()).filter(|c| !c.is_empty()));
                            cell::csv_line(&mut text, cells, null);
                        }
                    }
                }
            }
        }
        self.out.write_all(&text)
    }

    /// The lines of an item.
    fn fields_of(&self, item: &str) -> String {
        let fields = fields(item);
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| Field::of(name, self.look.listed(value))).collect();
        record::lines(&fields, self.on_terminal, color::is_for_data()) + "\n"
    }

    /// Prints lines that were laid out; long ones of a terminal in the pager.
    fn show(mut self, mut lines: Vec<u8>) -> Result<(), Failure> {
        if self.on_terminal && self.frame.is_none() {
            let mut screen = Screen::new(self.look.may_page);
            screen.write(&mut lines)?;
            return screen.end();
        }
        self.out.write_all(&lines)?;
        Ok(self.out.flush()?)
    }

    /// Prints a JSON document of any shape, which has no table form.
    pub(crate) fn document(mut self, text: &str) -> Result<(), Failure> {
        if self.selection.columns.is_some() {
            return self.record(text);
        }
        match self.format {
            Format::Jsonl => writeln!(self.out, "{}", json::compact(text))?,
            Format::Agent => {
                let text = format!("{}\n", json::compact(text));
                self.out.write_all(agent::text(&text, agent::DOCUMENT).as_bytes())?;
            }
            _ => self.json(text)?,
        }
        Ok(self.out.flush()?)
    }

    /// Prints JSON, filtered if requested.
    fn json(&mut self, text: &str) -> Result<(), Failure> {
        let Some(code) = &self.jq else { return Ok(writeln!(self.out, "{}", json::pretty(text))?) };
        filter(code, text.as_bytes(), &mut self.out)
    }

    /// Prints an array. With `-o jsonl`, a filter gets its items, and not the array.
    fn json_items(&mut self, text: &str) -> Result<(), Failure> {
        match self.filter_of_items() {
            Some(code) => filter(&code, text.as_bytes(), &mut self.out),
            None => self.json(text),
        }
    }

    fn filter_of_items(&self) -> Option<String> {
        let is_each = self.asked == Format::Jsonl;
        // On lines of its own, because a filter may end with a comment.
        self.jq.as_ref().map(|code| if is_each { format!(".[] | (\n{code}\n)") } else { code.clone() })
    }

    /// Prints the text that code has printed: on a terminal without its colors.
    pub(crate) fn text(self, text: &str) -> io::Result<()> {
        if self.format == Format::Agent {
            self.bytes(agent::text(&terminal::without_colors(text), agent::PRINTED).as_bytes())
        } else if self.on_terminal {
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
        let is_whole = self.jq.is_none() && self.selection.columns.is_none();
        self.on_terminal && self.asked == Format::Auto && is_whole
    }

    /// Whether JSON is printed.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.format, Format::Json | Format::Jsonl | Format::Envelope)
    }

    /// Whether the user requested JSON, as opposed to getting it because stdout is a pipe.
    pub(crate) fn is_json_asked(&self) -> bool {
        matches!(self.asked, Format::Json | Format::Jsonl)
    }

    /// Checks that the format suits rows.
    pub(crate) fn check_rows(&self) -> Result<(), Failure> {
        match self.format {
            Format::Name => Err(rows::rows_have_no_ids()),
            Format::Agent if self.selection.columns.is_some() => {
                Err(Failure::usage("--columns doesn't go with -o agent for SQL rows")
                    .with_hint("name the columns in the SELECT"))
            }
            _ => Ok(()),
        }
    }

    /// Prints the rows of an SQL result to a target.
    pub(crate) fn rows(self, target: Target) -> RowPrinter {
        let filter = self.filter_of_items();
        RowPrinter::new(self.format, target, filter, self.look).with_selection(self.selection)
    }

    /// Whether what is printed is bounded, for an agent.
    pub(crate) fn is_agent(&self) -> bool {
        self.format == Format::Agent
    }

    /// Sets what is known of the result that is printed.
    pub(crate) fn with_about(mut self, about: About) -> Self {
        self.about = about;
        self
    }

    /// What is known of the result that is printed.
    pub(crate) fn about(&self) -> &About {
        &self.about
    }

    /// The envelopes of several results, printed to a target.
    pub(crate) fn envelopes(self, target: Target) -> Envelopes {
        let filter = self.filter_of_items();
        Envelopes::new(target, filter)
    }

    /// Whether a filter gets each row, and not all of them.
    pub(crate) fn filters_each(&self) -> bool {
        self.asked == Format::Jsonl && self.jq.is_some()
    }

    /// The format in effect.
    pub(crate) fn format(&self) -> Format {
        self.format
    }
}

fn rows_only() -> Failure {
    Failure::usage("arrow and parquet are for the rows of `brick sql`").with_hint("write csv, json, or jsonl")
}

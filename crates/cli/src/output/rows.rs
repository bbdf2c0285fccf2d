//! Rows of an SQL result, printed as they arrive. Only tables are laid out in pages of rows.

use std::{
    borrow::Cow,
    io::{self, IsTerminal},
};

use brickwire_actions::{ErrorKind, Rows, types::StatementColumnInfo};
use indicatif::HumanBytes;

use super::{
    Selection,
    cell::{csv_line, csv_single},
    columns,
    delimited::{markdown_heading, markdown_line, tsv_line},
    filter::filter,
    kind::Kind,
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
    selection: Selection,
    columns: Vec<Heading>,
    /// How many cells a row that comes has.
    received: usize,
    /// The places of the columns that are printed in a row that comes; all in their order if this is `None`.
    chosen: Option<Vec<usize>>,
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

impl Heading {
    fn new(name: String, kind: Kind, is_first: bool) -> Self {
        let key = format!("{}{}:", if is_first { '{' } else { ',' }, serde_json::Value::from(name.as_str()));
        Self { name, key, kind }
    }
}

/// The chosen columns. One that is chosen twice gets a name of its own.
fn headings(chosen: &[usize], all: &[Heading]) -> Vec<Heading> {
    let mut headings: Vec<Heading> = Vec::with_capacity(chosen.len());
    for column in chosen.iter().map(|at| &all[*at]) {
        let name = distinct(headings.iter().map(|heading| heading.name.as_str()), &column.name);
        headings.push(Heading::new(name, column.kind.clone(), headings.is_empty()));
    }
    headings
}

/// `-o name` is for lists.
pub(crate) fn rows_have_no_ids() -> Failure {
    Failure::usage("-o name prints ids, and rows have none")
        .with_hint("write tsv, or choose columns with --columns")
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
            selection: Selection::default(),
            columns: Vec::new(),
            received: 0,
            chosen: None,
            page: Table::default(),
            on_terminal,
            width,
            text: Vec::new(),
            rows: 0,
            noted: MUCH / 2,
        }
    }

    /// Prints only some columns, or no header.
    pub(super) fn with_selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Sets the columns, before any rows.
    pub(crate) fn begin(&mut self, columns: &[StatementColumnInfo]) -> Result<(), Failure> {
        if matches!(self.format, Format::Arrow | Format::Parquet) {
            return Err(Failure::usage(
                "arrow and parquet are for the rows of `brick sql`; these rows came as text",
            )
            .with_hint("write csv"));
        }
        if self.format == Format::Name {
            return Err(rows_have_no_ids());
        }
        self.received = columns.len();
        for column in columns {
            let taken = self.columns.iter().map(|c| c.name.as_str());
            let name = distinct(taken, column.name.as_deref().unwrap_or_default());
            self.columns.push(Heading::new(name, Kind::of(column), self.columns.is_empty()));
        }
        if let Some(names) = &self.selection.columns {
            let known: Vec<_> = self.columns.iter().map(|column| column.name.as_str()).collect();
            let chosen = columns::of_rows(names, &known)?;
            self.columns = headings(&chosen, &self.columns);
            self.chosen = Some(chosen);
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
        if self.selection.no_header {
            return;
        }
        csv_line(&mut self.text, self.columns.iter().map(|c| Some(c.name.as_str())));
    }

    /// The first line of TSV, and the first two of Markdown.
    fn delimited_header(&mut self) {
        let names = self.columns.iter().map(|column| column.name.as_str());
        match self.format {
            _ if self.selection.no_header => {}
            Format::Tsv => tsv_line(&mut self.text, names.map(Some)),
            _ => {
                let is_number = |column: &Heading| matches!(column.kind, Kind::Number | Kind::Float);
                markdown_heading(&mut self.text, names, self.columns.iter().map(is_number));
            }
        }
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
        let columns = self.received;
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
        match self.chosen.take() {
            None => self.print(cells),
            Some(chosen) => {
                let cells: Vec<_> = cells.collect();
                self.print(chosen.iter().map(|at| cells[*at]));
                self.chosen = Some(chosen);
            }
        }
    }

    fn print<'a>(&mut self, cells: impl Iterator<Item = Option<&'a str>>) {
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
            Format::Tsv => {
                if self.rows == 0 {
                    self.delimited_header();
                }
                tsv_line(&mut self.text, cells);
            }
            Format::Markdown => {
                if self.rows == 0 {
                    self.delimited_header();
                }
                markdown_line(&mut self.text, cells.map(|cell| cell.unwrap_or("NULL")));
            }
            // `begin` rejects Arrow, Parquet, and names.
            Format::Json | Format::Auto | Format::Arrow | Format::Parquet | Format::Name => {
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
            Format::Tsv | Format::Markdown if self.rows == 0 => self.delimited_header(),
            Format::Json | Format::Auto => {
                self.text.extend_from_slice(if self.rows == 0 { b"[]\n" } else { b"\n]\n" });
            }
            _ => {}
        }
        self.write()?;
        match self.out {
            Sink::Direct(out) => out.end()?.keep()?,
            Sink::Filtered { code, text, mut out } => {
                filter(&code, &text, &mut out)?;
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
        let begin = self.text.len();
        self.page.write(self.width, false, &mut self.text);
        if self.selection.no_header {
            // The heading is one line.
            let end = self.text[begin..].iter().position(|byte| *byte == b'\n').unwrap_or_default();
            self.text.drain(begin..=begin + end);
        }
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

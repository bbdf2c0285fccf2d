//! Rows of an SQL result, printed as they arrive. Only tables are laid out in pages of rows.

use std::{
    borrow::Cow,
    io::{self, IsTerminal},
};

use brickwire_actions::{ErrorKind, Rows, types::StatementColumnInfo};
use indicatif::HumanBytes;

use super::{
    Facts,
    cell::{csv_line, csv_single},
    columns::{self, Selection},
    delimited::{markdown_heading, markdown_line, tsv_line},
    facts,
    filter::filter,
    footer::Footer,
    grid::{Grid, Missing, Size},
    kind::Kind,
    layout::Cells,
    look::Look,
    null::told_apart,
    record::{self, Field},
    screen::Screen,
    table::Table,
    target::{Target, Writer},
};
use crate::{
    color::{self, DIM},
    failure::Failure,
    options::Format,
};

/// The number of rows in a page of a table in a pipe or a file; each page starts with the heading.
const PAGE: usize = 10_000;

/// How much text a filter may hold before a note says so, in bytes.
const MUCH: usize = 64 << 20;

/// Prints rows in one format.
pub(crate) struct RowPrinter {
    format: Format,
    look: Look,
    out: Sink,
    selection: Selection,
    columns: Vec<Heading>,
    /// How many cells a row that comes has.
    received: usize,
    /// The places of the columns that are printed in a row that comes; all in their order if this is `None`.
    chosen: Option<Vec<usize>>,
    /// A table in a pipe or a file.
    page: Table,
    /// A table on a terminal.
    grid: Option<Grid>,
    /// The text to write next: many rows at once, which is several times as fast as cell by cell.
    text: Vec<u8>,
    rows: u64,
    /// Whether there are more rows than are printed.
    has_more: bool,
    /// What an envelope says at its end.
    facts: Facts,
    /// How much a filter held when that was last said.
    noted: usize,
}

/// Where the text goes. A filter applies to the whole result, so all of it is collected first.
enum Sink {
    Direct(Writer),
    Filtered {
        code: String,
        text: Vec<u8>,
        out: Target,
    },
    /// A table or records on a terminal.
    Screen(Screen),
}

struct Heading {
    name: String,
    /// The name as a key in a JSON object, with the brace or comma before it and the colon after it.
    key: String,
    kind: Kind,
    cells: Cells,
}

/// Whether a table or records are shown on a terminal.
pub(super) fn is_on_screen(format: Format, out: &Target) -> bool {
    matches!(format, Format::Table | Format::Record) && out.is_stdout() && io::stdout().is_terminal()
}

/// Which columns must not be cut: a part of a number or a date is another value.
fn cells_of(kind: &Kind, column: &StatementColumnInfo) -> Cells {
    let text = column.type_text.as_deref().or(column.type_name.as_ref().map(|name| name.as_str()));
    let text = text.unwrap_or_default().trim_start();
    let starts_with =
        |word: &str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    match kind {
        Kind::Number | Kind::Float | Kind::Boolean => Cells::Values,
        Kind::Text if ["DATE", "TIME", "INTERVAL"].into_iter().any(starts_with) => Cells::Values,
        Kind::Text | Kind::Json | Kind::Nested(_) => Cells::Text,
    }
}

impl Heading {
    fn new(name: String, kind: Kind, cells: Cells, is_first: bool) -> Self {
        let key = format!("{}{}:", if is_first { '{' } else { ',' }, serde_json::Value::from(name.as_str()));
        Self { name, key, kind, cells }
    }
}

/// The chosen columns. One that is chosen twice gets a name of its own.
fn headings(chosen: &[usize], all: &[Heading]) -> Vec<Heading> {
    let mut headings: Vec<Heading> = Vec::with_capacity(chosen.len());
    for column in chosen.iter().map(|at| &all[*at]) {
        let name = distinct(headings.iter().map(|heading| heading.name.as_str()), &column.name);
        headings.push(Heading::new(name, column.kind.clone(), column.cells, headings.is_empty()));
    }
    headings
}

/// `-o name` is for lists.
pub(crate) fn rows_have_no_ids() -> Failure {
    Failure::usage("-o name prints ids, and rows have none")
        .with_hint("write tsv, or choose columns with --columns")
}

impl RowPrinter {
    pub(super) fn new(format: Format, out: Target, jq: Option<String>, look: Look) -> Self {
        let out = match jq {
            None if is_on_screen(format, &out) => Sink::Screen(Screen::new(look.may_page)),
            None => Sink::Direct(Writer::new(out)),
            Some(code) => Sink::Filtered { code, text: Vec::new(), out },
        };
        Self {
            format,
            look,
            out,
            selection: Selection::default(),
            columns: Vec::new(),
            received: 0,
            chosen: None,
            page: Table::default(),
            grid: None,
            text: Vec::new(),
            rows: 0,
            has_more: false,
            facts: Facts::default(),
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
            let kind = Kind::of(column);
            let cells = cells_of(&kind, column);
            self.columns.push(Heading::new(name, kind, cells, self.columns.is_empty()));
        }
        if let Some(names) = &self.selection.columns {
            let known: Vec<_> = self.columns.iter().map(|column| column.name.as_str()).collect();
            let chosen = columns::of_rows(names, &known)?;
            self.columns = headings(&chosen, &self.columns);
            self.chosen = Some(chosen);
        }
        if self.format == Format::Envelope {
            let all: Vec<_> = columns.iter().collect();
            let described = self.chosen.as_ref().map(|chosen| chosen.iter().map(|at| all[*at]).collect());
            // It stays in memory until the first rows are there.
            self.text.extend_from_slice(facts::opening(&described.unwrap_or(all)).as_bytes());
        }
        let is_right = |column: &Heading| matches!(column.kind, Kind::Number | Kind::Float);
        if self.format == Format::Table && self.is_on_screen() {
            let columns = self.columns.iter().map(|c| (c.name.as_str(), c.cells, is_right(c)));
            let grid = Grid::of_query(columns, Size::of_stdout()).with_heading(!self.selection.no_header);
            self.grid = Some(if self.look.may_be_records { grid } else { grid.always_a_table() });
        }
        self.page = Table::new(self.columns.iter().map(|column| Cow::from(&column.name)))
            .with_heading(!self.selection.no_header);
        for (at, column) in self.columns.iter().enumerate() {
            if is_right(column) {
                self.page.align_right(at);
            }
        }
        Ok(())
    }

    fn is_on_screen(&self) -> bool {
        matches!(self.out, Sink::Screen(_))
    }

    /// CSV's first line. Printed with the first row, so that a result that can't be fetched leaves no partial output.
    fn csv_header(&mut self) {
        if self.selection.no_header {
            return;
        }
        csv_line(&mut self.text, self.columns.iter().map(|c| Some(c.name.as_str())), None);
    }

    /// The first line of TSV, and the first two of Markdown.
    fn delimited_header(&mut self) {
        let names = self.columns.iter().map(|column| column.name.as_str());
        match self.format {
            _ if self.selection.no_header => {}
            Format::Tsv => tsv_line(&mut self.text, names.map(Some), None),
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
            if self.is_full() {
                self.has_more = true;
                break;
            }
            self.take(cells.by_ref().take(width));
        }
        Ok(self.write()?)
    }

    fn is_full(&self) -> bool {
        self.look.cap.is_some_and(|cap| self.rows >= cap)
    }

    /// Whether more rows would not be shown: there are as many as may be, or the reader has left the pager.
    pub(crate) fn has_enough(&self) -> bool {
        self.has_more || matches!(&self.out, Sink::Screen(screen) if screen.is_left())
    }

    /// Says that a limit cut the result off, before the end.
    pub(crate) fn cut_off(&mut self) {
        self.has_more = true;
    }

    /// Whether there are more rows, and the line below the rows doesn't say that.
    pub(crate) fn lacks_rows(&self) -> bool {
        self.has_more && !self.is_on_screen()
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
            Sink::Screen(screen) => screen.write(&mut self.text),
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
            Format::Table => match &mut self.grid {
                Some(grid) => {
                    cells.for_each(|cell| grid.push(cell, self.look.null()));
                    if grid.is_full() {
                        grid.write(false, &mut self.text);
                    }
                }
                None => {
                    cells.for_each(|cell| self.page.push(cell.unwrap_or(self.look.null())));
                    if self.page.rows() == PAGE {
                        self.print_page();
                    }
                }
            },
            Format::Csv => {
                if self.rows == 0 {
                    self.csv_header();
                }
                let null = self.look.null.as_deref();
                match &self.columns[..] {
                    [column] => {
                        let is_text = column.kind == Kind::Text;
                        csv_single(&mut self.text, cells.flatten().next(), is_text, null);
                    }
                    _ => csv_line(&mut self.text, cells, null),
                }
            }
            Format::Record => {
                let on_screen = self.is_on_screen();
                let null = self.look.null();
                let mut fields = Vec::with_capacity(self.columns.len());
                for (column, cell) in self.columns.iter().zip(cells) {
                    let value = match cell {
                        None => null.into(),
                        Some(text) if on_screen => told_apart(text, null),
                        Some(text) => text.into(),
                    };
                    let style = cell.is_none().then_some(DIM);
                    fields.push(Field { name: column.name.as_str().into(), value, style });
                }
                let lines = record::lines(&fields, on_screen, color::is_for_data());
                let gap = if self.rows > 0 { "\n" } else { "" };
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
                tsv_line(&mut self.text, cells, self.look.null.as_deref());
            }
            Format::Markdown => {
                if self.rows == 0 {
                    self.delimited_header();
                }
                markdown_line(&mut self.text, cells.map(|cell| cell.unwrap_or(self.look.null())));
            }
            Format::Envelope => {
                self.text.extend_from_slice(if self.rows == 0 { b"\n  " } else { b",\n  " });
                self.array(cells);
            }
            // `begin` rejects Arrow, Parquet, and names; an agent gets a preview.
            Format::Json | Format::Auto | Format::Arrow | Format::Parquet | Format::Name | Format::Agent => {
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
        match (self.format, &mut self.grid) {
            (Format::Table, Some(grid)) if grid.is_pending() => grid.write(true, &mut self.text),
            (Format::Table, None) if self.page.rows() > 0 || self.rows == 0 => self.print_page(),
            (Format::Csv, _) if self.rows == 0 => self.csv_header(),
            (Format::Tsv | Format::Markdown, _) if self.rows == 0 => self.delimited_header(),
            (Format::Envelope, _) => {
                self.text.extend_from_slice(facts::closing(self.rows, &self.facts).as_bytes());
            }
            (Format::Json | Format::Auto, _) => {
                self.text.extend_from_slice(if self.rows == 0 { b"[]\n" } else { b"\n]\n" });
            }
            _ => {}
        }
        if self.is_on_screen() && self.look.has_footer {
            for line in self.footer().lines(Size::of_stdout().room()) {
                let line = if color::is_for_data() { color::painted(&line, DIM) } else { line };
                self.text.extend_from_slice(format!("{line}\n").as_bytes());
            }
        }
        self.write()?;
        match self.out {
            Sink::Direct(out) => out.end()?.keep()?,
            Sink::Filtered { code, text, mut out } => {
                filter(&code, &text, &mut out)?;
                out.keep()?;
            }
            Sink::Screen(screen) => screen.end()?,
        }
        Ok(self.rows)
    }

    fn footer(&self) -> Footer {
        Footer {
            rows: self.rows,
            columns: self.columns.len(),
            has_more: self.has_more,
            is_capped: self.is_full(),
            missing: self.grid.as_ref().map_or(Missing::default(), Grid::missing),
            elapsed: self.look.started.elapsed(),
        }
    }

    /// Sets what an envelope says at its end.
    pub(crate) fn tell(&mut self, facts: Facts) {
        self.facts = facts;
    }

    fn array<'a>(&mut self, cells: impl Iterator<Item = Option<&'a str>>) {
        for (at, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            self.text.push(if at == 0 { b'[' } else { b',' });
            match cell {
                None => self.text.extend_from_slice(b"null"),
                Some(text) => column.kind.write_json(text, &mut self.text),
            }
        }
        self.text.push(b']');
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
        self.page.write(&mut self.text);
        self.page.clear();
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

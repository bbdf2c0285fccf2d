//! A table on a terminal: laid out in pages of rows, so that no line is broken. What doesn't fit is cut or left out, and
//! the grid knows what is missing.

use std::borrow::Cow;

use anstyle::Style;

use super::{
    layout::{self, Cells, Column, GAP, MARK, Slot, cut, width},
    null::told_apart,
    record::{self, Field},
    table::Table,
};
use crate::{
    color::{self, DIM, HEADING},
    terminal,
};

/// The number of rows that the widths are measured from, and that are laid out at once.
const PAGE: usize = 1_000;
/// The size in bytes at which a page ends with fewer rows.
const PAGE_BYTES: usize = 8 << 20;

/// The size of a terminal, where it is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) lines: Option<usize>,
    pub(super) columns: Option<usize>,
}

impl Size {
    /// The size of the terminal that stdout is.
    pub(super) fn of_stdout() -> Self {
        let known = console::Term::stdout().size_checked();
        let known = known.map(|(lines, columns)| (usize::from(lines), usize::from(columns)));
        let known = known.filter(|(lines, columns)| *lines > 0 && *columns > 0);
        Self { lines: known.map(|known| known.0), columns: known.map(|known| known.1) }
    }

    /// The columns that a line may take. The last one stays free: some terminals wrap as soon as it is used.
    pub(super) fn room(self) -> usize {
        self.columns.map_or(usize::MAX, |columns| columns.saturating_sub(1).max(1))
    }

    /// The lines of a text that the terminal shows without a line for the prompt.
    pub(super) fn most_lines(self) -> usize {
        self.lines.map_or(usize::MAX, |lines| lines.saturating_sub(1))
    }

    /// How many lines of the terminal this line takes.
    pub(super) fn height(self, line: &str) -> usize {
        self.columns.map_or(1, |columns| width(line).div_ceil(columns).max(1))
    }
}

/// What is not shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Missing {
    /// How many columns are shown, if not all are.
    pub(super) columns: Option<usize>,
    /// Whether cells are cut.
    pub(super) is_cut: bool,
}

/// A table on a terminal.
pub(super) struct Grid {
    table: Table,
    /// Whether each cell is NULL, with the heading's.
    nulls: Vec<bool>,
    columns: Vec<Column>,
    /// The column of state words.
    states: Option<usize>,
    /// The order in which columns stay.
    order: Vec<usize>,
    size: Size,
    /// Whether a result that is too wide may become records.
    may_be_records: bool,
    has_colors: bool,
    has_heading: bool,
    /// What the last page looked like; `None` before the first.
    slots: Option<Vec<Slot>>,
    missing: Missing,
}

impl Grid {
    /// The rows of a query, whose columns have these names and hold text or values.
    pub(super) fn of_query<'a>(columns: impl Iterator<Item = (&'a str, Cells, bool)>, size: Size) -> Self {
        let columns: Vec<_> = columns.collect();
        let mut table = Table::new(columns.iter().map(|(name, ..)| terminal::escaped_line(name)));
        for (at, (_, _, is_right)) in columns.iter().enumerate() {
            if *is_right {
                table.align_right(at);
            }
        }
        let order = layout::from_the_ends(columns.len());
        Self::new(table, columns.iter().map(|(_, cells, _)| *cells), order, size)
    }

    /// A list of resources with these headings.
    pub(super) fn of_list<'a>(headings: impl Iterator<Item = &'a str> + Clone, size: Size) -> Self {
        let cells = |at| if at == 0 { Cells::Ids } else { Cells::Text };
        let table = Table::new(headings.clone().map(terminal::escaped_line));
        let kinds = (0..table.columns()).map(cells);
        let mut grid = Self::new(table, kinds, layout::by_heading(headings.clone()), size);
        grid.states = headings.clone().position(|heading| matches!(heading, "STATE" | "STATUS"));
        grid.may_be_records = false;
        grid
    }

    fn new(table: Table, cells: impl Iterator<Item = Cells>, order: Vec<usize>, size: Size) -> Self {
        let heading = |at| width(table.cell(0, at));
        let column = |(at, cells)| Column { cells, heading: heading(at), widest: 0 };
        let columns = cells.enumerate().map(column).collect();
        Self {
            nulls: vec![false; table.columns()],
            columns,
            states: None,
            order,
            size,
            may_be_records: true,
            has_colors: color::is_for_data(),
            has_heading: true,
            slots: None,
            missing: Missing::default(),
            table,
        }
    }

    /// Never shows records, whatever fits.
    pub(super) fn always_a_table(mut self) -> Self {
        self.may_be_records = false;
        self
    }

    /// Sets whether the row of headings is shown.
    pub(super) fn with_heading(mut self, has_heading: bool) -> Self {
        self.has_heading = has_heading;
        self
    }

    /// Appends a cell to the last row; `None` is NULL, which is shown as `null`.
    pub(super) fn push(&mut self, cell: Option<&str>, null: &str) {
        self.table.push(&cell.map_or(Cow::Borrowed(null), |text| told_apart(text, null)));
        self.nulls.push(cell.is_none());
    }

    /// Appends a cell that is shown as it is.
    pub(super) fn push_text(&mut self, cell: &str) {
        self.table.push(cell);
        self.nulls.push(false);
    }

    /// Whether enough rows are there to be laid out.
    pub(super) fn is_full(&self) -> bool {
        self.table.rows() >= PAGE || self.table.bytes() >= PAGE_BYTES
    }

    /// Whether there is something to write at the end.
    pub(super) fn is_pending(&self) -> bool {
        self.table.rows() > 0 || self.slots.is_none()
    }

    /// What was not shown so far.
    pub(super) fn missing(&self) -> Missing {
        self.missing
    }

    /// Appends the rows' lines and removes the rows. `is_last` says whether no page follows.
    pub(super) fn write(&mut self, is_last: bool, out: &mut Vec<u8>) {
        let is_first = self.slots.is_none();
        let page = self.measure();
        for (column, widest) in self.columns.iter_mut().zip(&page) {
            column.widest = column.widest.max(*widest);
        }
        if is_first && is_last && self.may_be_records && self.is_better_as_records() {
            self.slots = Some(Vec::new());
            out.extend_from_slice(self.as_records().as_bytes());
        } else if self.table.columns() > 0 {
            if is_first || !self.fits(&page) {
                let slots = layout::slots(&self.columns, &self.order, self.size.room());
                let shown = slots.iter().filter(|slot| matches!(slot, Slot::Column { .. })).count();
                self.missing.columns = (shown < self.columns.len()).then_some(shown);
                self.slots = Some(slots);
                if self.has_heading {
                    self.write_row(0, out);
                }
            }
            (1..=self.table.rows()).for_each(|row| self.write_row(row, out));
        } else {
            self.slots = Some(Vec::new());
        }
        self.nulls.truncate(self.table.columns());
        self.table.clear();
    }

    /// The width of the widest cell of each column in this page.
    fn measure(&self) -> Vec<usize> {
        let widest = |column| {
            let cells = (1..=self.table.rows()).map(|row| self.table.cell(row, column));
            cells.map(|cell| width(&terminal::escaped_line(cell))).max().unwrap_or_default()
        };
        (0..self.table.columns()).map(widest).collect()
    }

    /// Whether no value of this page has to be cut to the widths of the pages before it.
    fn fits(&self, page: &[usize]) -> bool {
        self.slots.iter().flatten().all(|slot| match slot {
            Slot::Column { index, width } => self.columns[*index].can_be_cut() || page[*index] <= *width,
            Slot::Hidden => true,
        })
    }

    /// Whether records show what a table would have to cut or to leave out: a single row always, and several rows if all
    /// columns would not fit, and the records fit on one screen.
    fn is_better_as_records(&self) -> bool {
        let rows = self.table.rows();
        let room = self.size.room();
        let total = self.columns.iter().map(|column| column.heading.max(column.widest) + GAP).sum::<usize>();
        let is_whole = total.saturating_sub(GAP) <= room;
        if rows == 1 {
            let has_lines = (0..self.table.columns()).any(|column| self.table.cell(1, column).contains('\n'));
            return !is_whole || has_lines;
        }
        let most = self.size.most_lines();
        // Each field takes a line, records are separated by one, and the footer takes one.
        let is_short = rows > 0 && rows * (self.table.columns() + 1) <= most;
        if is_whole || !is_short || layout::fitted(&self.columns, room).is_some() {
            return false;
        }
        let lines: usize = self.as_records().lines().map(|line| self.size.height(line)).sum();
        lines < most
    }

    fn as_records(&self) -> String {
        let field = |row: usize, column: usize| Field {
            name: self.table.cell(0, column).into(),
            value: self.table.cell(row, column).into(),
            style: self.style(row, column, self.table.cell(row, column)),
        };
        let record = |row| {
            let fields: Vec<_> = (0..self.table.columns()).map(|column| field(row, column)).collect();
            record::lines(&fields, true, self.has_colors)
        };
        (1..=self.table.rows()).map(record).collect::<Vec<_>>().join("\n\n") + "\n"
    }

    fn write_row(&mut self, row: usize, out: &mut Vec<u8>) {
        let mut space = 0;
        for (at, slot) in self.slots.iter().flatten().enumerate() {
            space += if at > 0 { GAP } else { 0 };
            let Slot::Column { index, width: most } = *slot else {
                out.resize(out.len() + space, b' ');
                out.extend_from_slice(MARK.as_bytes());
                space = 0;
                continue;
            };
            let whole = terminal::escaped_line(self.table.cell(row, index));
            let shown = cut(&whole, most);
            self.missing.is_cut |= row > 0 && shown != whole;
            let free = most.saturating_sub(width(&shown));
            let is_right = self.table.is_right(index);
            if !shown.is_empty() {
                out.resize(out.len() + space + if is_right { free } else { 0 }, b' ');
                match self.style(row, index, &shown).filter(|_| self.has_colors) {
                    Some(style) => out.extend_from_slice(color::painted(&shown, style).as_bytes()),
                    None => out.extend_from_slice(shown.as_bytes()),
                }
                space = 0;
            }
            space += match (is_right, shown.is_empty()) {
                (true, false) => 0,
                (true, true) | (false, _) => free,
            };
        }
        out.push(b'\n');
    }

    fn style(&self, row: usize, column: usize, shown: &str) -> Option<Style> {
        match row {
            0 => Some(HEADING),
            _ if self.nulls[row * self.table.columns() + column] => Some(DIM),
            _ if self.states == Some(column) => color::of_state(shown),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;

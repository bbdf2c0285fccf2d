//! The cells of a table, and how it looks in a pipe or a file: as wide as it is, with nothing cut.

use std::borrow::Cow;

use super::layout::{GAP, width};
use crate::color::{self, HEADING};

/// Stands for the width of a cell that has several lines.
const LINES: usize = usize::MAX;

/// A table without borders. Its cells are in one piece of memory, because a page has thousands of rows.
#[derive(Default)]
pub(super) struct Table {
    text: String,
    /// The end of each cell in the text, row by row. The heading is the first row.
    ends: Vec<usize>,
    /// The width of each cell, or `LINES`.
    widths: Vec<usize>,
    columns: usize,
    /// The columns whose cells are aligned to the right.
    right: Vec<bool>,
    hides_heading: bool,
}

impl Table {
    /// A table with this heading and no rows.
    pub(super) fn new<'a>(heading: impl Iterator<Item = Cow<'a, str>>) -> Self {
        let mut table = Self::default();
        heading.for_each(|name| table.push(&name));
        table.columns = table.ends.len();
        table.right = vec![false; table.columns];
        table
    }

    /// Sets whether the row of headings is shown.
    pub(super) fn with_heading(mut self, has_heading: bool) -> Self {
        self.hides_heading = !has_heading;
        self
    }

    pub(super) fn align_right(&mut self, column: usize) {
        self.right[column] = true;
    }

    pub(super) fn is_right(&self, column: usize) -> bool {
        self.right[column]
    }

    /// Appends a cell to the last row.
    pub(super) fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
        // Checks every byte: without an early exit the loop is vectorized.
        let is_plain = cell.bytes().fold(true, |all, byte| all & byte.is_ascii() & (byte != b'\n'));
        self.widths.push(match is_plain {
            true => cell.len(),
            false if cell.contains('\n') => LINES,
            false => width(cell),
        });
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The number of rows below the heading.
    pub(super) fn rows(&self) -> usize {
        (self.ends.len() / self.columns.max(1)).saturating_sub(1)
    }

    /// The size of all cells in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Removes the rows and keeps the heading.
    pub(super) fn clear(&mut self) {
        self.ends.truncate(self.columns);
        self.widths.truncate(self.columns);
        self.text.truncate(self.ends.last().copied().unwrap_or_default());
    }

    /// The cell in a row, where 0 is the heading, and a column.
    pub(super) fn cell(&self, row: usize, column: usize) -> &str {
        self.at(row * self.columns + column)
    }

    fn at(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }

    /// Appends the table's lines.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let widths = self.widths();
        let has_colors = color::is_for_data();
        let mut cells = Vec::with_capacity(self.columns);
        for row in usize::from(self.hides_heading)..self.ends.len() / self.columns.max(1) {
            cells.clear();
            cells.extend((0..self.columns).map(|column| self.cell(row, column)));
            let known = &self.widths[row * self.columns..][..self.columns];
            let has_lines = known.contains(&LINES);
            let lines = if has_lines { cells.iter().map(|cell| height(cell)).max().unwrap_or(1) } else { 1 };
            for line in 0..lines {
                let begin = out.len();
                for (column, cell) in cells.iter().enumerate() {
                    let part = if has_lines { cell.split('\n').nth(line).unwrap_or_default() } else { cell };
                    let space = widths[column] - if has_lines { width(part) } else { known[column] };
                    let (before, after) = if self.right[column] { (space, 0) } else { (0, space) };
                    out.resize(out.len() + if column > 0 { GAP } else { 0 } + before, b' ');
                    out.extend_from_slice(part.as_bytes());
                    out.resize(out.len() + after, b' ');
                }
                let end = begin + out[begin..].trim_ascii_end().len();
                out.truncate(end);
                if row == 0 && has_colors {
                    let heading = color::painted(&String::from_utf8_lossy(&out[begin..]), HEADING);
                    out.truncate(begin);
                    out.extend_from_slice(heading.as_bytes());
                }
                out.push(b'\n');
            }
        }
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.columns];
        for (at, width_of_cell) in self.widths.iter().enumerate() {
            let widest = match *width_of_cell {
                LINES => self.at(at).split('\n').map(width).max().unwrap_or_default(),
                width => width,
            };
            let known = &mut widths[at % self.columns];
            *known = widest.max(*known);
        }
        widths
    }
}

fn height(cell: &str) -> usize {
    1 + cell.bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(heading: &[&str], rows: &[&[&str]]) -> Table {
        let mut table = Table::new(heading.iter().map(|name| Cow::from(*name)));
        rows.iter().for_each(|row| row.iter().for_each(|cell| table.push(cell)));
        table
    }

    fn lines(table: &Table) -> Vec<String> {
        let mut out = Vec::new();
        table.write(&mut out);
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn columns_are_aligned_by_what_a_screen_shows() {
        let mut table = table(&["n", "wide", "last"], &[&["7", "日本", "a\nbc"], &["100", "é", ""]]);
        table.align_right(0);
        assert_eq!(lines(&table), ["  n  wide  last", "  7  日本  a", "           bc", "100  é"]);
        assert_eq!(table.rows(), 2);
        table.clear();
        assert_eq!(lines(&table), ["n  wide  last"]);
    }

    /// Run with `cargo test --release -p brickwire-cli --lib -- --ignored --nocapture a_million_rows`.
    #[test]
    #[ignore = "measures the optimized build"]
    fn a_million_rows() {
        use std::time::Instant;
        let cells: Vec<[String; 4]> = (0..1_000_000)
            .map(|n| {
                [n.to_string(), format!("name of {n}"), format!("{}.25", n % 977), "2024-02-29".to_owned()]
            })
            .collect();
        let started = Instant::now();
        let (mut out, mut written) = (Vec::new(), 0);
        let mut table = Table::new(["n", "name", "fare", "day"].into_iter().map(Cow::from));
        for (at, row) in cells.iter().enumerate() {
            row.iter().for_each(|cell| table.push(cell));
            if at % 10_000 == 9_999 {
                table.write(&mut out);
                table.clear();
                written += out.len();
                out.clear();
            }
        }
        let as_table = started.elapsed();
        let started = Instant::now();
        let mut out = Vec::new();
        for row in &cells {
            super::super::cell::csv_line(&mut out, row.iter().map(|cell| Some(cell.as_str())), None);
            if out.len() > 1 << 20 {
                written += out.len();
                out.clear();
            }
        }
        eprintln!("table {as_table:?}, csv {:?}, {written} bytes", started.elapsed());
    }
}

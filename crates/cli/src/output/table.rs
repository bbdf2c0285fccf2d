//! Tables as text, and fields on lines.

use std::borrow::Cow;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, presets};
use unicode_width::UnicodeWidthStr;

use crate::terminal;

/// The space between two columns.
const GAP: usize = 2;

/// A table without borders. Its cells are in one piece of memory, because a page has thousands of rows.
#[derive(Default)]
pub(super) struct Table {
    text: String,
    /// The end of each cell in the text, row by row. The heading is the first row.
    ends: Vec<usize>,
    columns: usize,
    /// The columns whose cells are aligned to the right.
    right: Vec<bool>,
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

    pub(super) fn align_right(&mut self, column: usize) {
        self.right[column] = true;
    }

    /// Appends a cell to the last row.
    pub(super) fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    /// The number of rows below the heading.
    pub(super) fn rows(&self) -> usize {
        (self.ends.len() / self.columns.max(1)).saturating_sub(1)
    }

    /// Removes the rows and keeps the heading.
    pub(super) fn clear(&mut self) {
        self.ends.truncate(self.columns);
        self.text.truncate(self.ends.last().copied().unwrap_or_default());
    }

    /// Appends the table's lines. Cells wrap where the table would exceed `limit`, except for ids in the first column
    /// if `keeps_ids`.
    pub(super) fn write(&self, limit: Option<u16>, keeps_ids: bool, out: &mut Vec<u8>) {
        let widths = self.widths();
        let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        // The last column of a terminal stays free: some wrap as soon as it is used.
        match limit.filter(|limit| total >= usize::from(*limit)) {
            Some(limit) => out.extend_from_slice(self.wrapped(limit, keeps_ids).as_bytes()),
            None => self.write_rows(&widths, out),
        }
    }

    fn write_rows(&self, widths: &[usize], out: &mut Vec<u8>) {
        let mut cells = Vec::with_capacity(self.columns);
        for row in 0..self.ends.len() / self.columns.max(1) {
            cells.clear();
            cells.extend((0..self.columns).map(|column| self.cell(row * self.columns + column)));
            let lines = cells.iter().map(|cell| height(cell)).max().unwrap_or(1);
            for line in 0..lines {
                let begin = out.len();
                for (column, cell) in cells.iter().enumerate() {
                    let part = if lines == 1 { cell } else { cell.split('\n').nth(line).unwrap_or_default() };
                    let space = widths[column] - width(part);
                    let (before, after) = if self.right[column] { (space, 0) } else { (0, space) };
                    out.resize(out.len() + if column > 0 { GAP } else { 0 } + before, b' ');
                    out.extend_from_slice(part.as_bytes());
                    out.resize(out.len() + after, b' ');
                }
                let end = begin + out[begin..].trim_ascii_end().len();
                out.truncate(end);
                out.push(b'\n');
            }
        }
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.columns];
        for at in 0..self.ends.len() {
            let cell = self.cell(at);
            let widest = match height(cell) {
                1 => width(cell),
                _ => cell.split('\n').map(width).max().unwrap_or_default(),
            };
            let known = &mut widths[at % self.columns];
            *known = widest.max(*known);
        }
        widths
    }

    fn cell(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }

    /// The lines of a table that is too wide.
    fn wrapped(&self, limit: u16, keeps_ids: bool) -> String {
        let mut table = comfy_table::Table::new();
        table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(limit);
        let row = |row: usize| (0..self.columns).map(move |column| self.cell(row * self.columns + column));
        table.set_header(row(0));
        table.add_rows((1..=self.rows()).map(row));
        for (at, is_right) in self.right.iter().enumerate() {
            if let (Some(column), true) = (table.column_mut(at), *is_right) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        if let (Some(ids), true) = (table.column_mut(0), keeps_ids) {
            ids.set_constraint(ColumnConstraint::ContentWidth);
        }
        // Each line is padded on both sides.
        let trimmed = |line: &str| format!("{}\n", line.strip_prefix(' ').unwrap_or(line).trim_end());
        table.lines().map(|line| trimmed(&line)).collect()
    }
}

/// A cell as a table shows it: on a terminal without control characters, and with tabs shown, which would break the
/// alignment. Line breaks stay, since a cell can have several lines.
pub(super) fn shown(cell: &str, on_terminal: bool) -> Cow<'_, str> {
    match on_terminal {
        true if cell.contains('\t') => Cow::Owned(terminal::escaped(&cell.replace('\t', "\\t")).into_owned()),
        true => terminal::escaped(cell),
        false => Cow::Borrowed(cell),
    }
}

/// The width of the terminal, if stdout is one.
pub(super) fn terminal_width() -> Option<u16> {
    console::Term::stdout().size_checked().map(|(_, columns)| columns)
}

/// Lines of `name  value`, with the values aligned. On a terminal, the further lines of a value are aligned, too, so
/// that a value can't pass for another field.
pub(super) fn field_lines(fields: &[(String, String)], on_terminal: bool) -> String {
    let names: Vec<_> = fields
        .iter()
        .map(|(name, _)| if on_terminal { terminal::escaped_line(name) } else { Cow::from(name.as_str()) })
        .collect();
    let widest = names.iter().map(|name| width(name)).max().unwrap_or_default();
    let line = |(name, (_, value)): (&Cow<'_, str>, &(String, String))| {
        let (space, indent) = (" ".repeat(widest + GAP - width(name)), " ".repeat(widest + GAP));
        let value = match on_terminal {
            true => terminal::escaped(value).replace('\n', &format!("\n{indent}")),
            false => value.clone(),
        };
        format!("{name}{space}{value}").trim_end().to_owned()
    };
    names.iter().zip(fields).map(line).collect::<Vec<_>>().join("\n")
}

/// The number of columns that a text without line breaks takes on a screen.
fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
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

    fn lines(table: &Table, limit: Option<u16>) -> Vec<String> {
        let mut out = Vec::new();
        table.write(limit, false, &mut out);
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn columns_are_aligned_by_what_a_screen_shows() {
        let mut table = table(&["n", "wide", "last"], &[&["7", "日本", "a\nbc"], &["100", "é", ""]]);
        table.align_right(0);
        assert_eq!(lines(&table, None), ["  n  wide  last", "  7  日本  a", "           bc", "100  é"]);
        assert_eq!(table.rows(), 2);
        table.clear();
        assert_eq!(lines(&table, None), ["n  wide  last"]);
    }

    /// Both ways of laying out a table agree wherever nothing has to wrap.
    #[test]
    fn a_table_that_fits_is_laid_out_as_one_that_wraps() {
        let mut table =
            table(&["id", "日本", "x"], &[&["1", "a b", "-1"], &["22", "", "NULL"], &["3", "a\nb", "日"]]);
        table.align_right(2);
        let wrapped: Vec<_> = table.wrapped(200, false).lines().map(str::to_owned).collect();
        assert_eq!(lines(&table, None), wrapped);
    }

    #[test]
    fn a_value_cannot_pass_for_another_field_on_a_terminal() {
        let fields =
            [("日本".to_owned(), "x\nstate  RUNNING\x1b[2J".to_owned()), ("b".to_owned(), String::new())];
        assert_eq!(field_lines(&fields, true), "日本  x\n      state  RUNNING\\u001b[2J\nb");
        assert_eq!(field_lines(&fields, false), "日本  x\nstate  RUNNING\x1b[2J\nb");
        assert_eq!(shown("a\tb\nc\u{202e}", true), "a\\tb\nc\\u202e");
        assert_eq!(shown("a\tb\nc\u{202e}", false), "a\tb\nc\u{202e}");
    }
}

//! A preview of a result as text: small whatever the result is, and explicit about what it leaves out. Programs that read
//! results into a limited context use it, such as agents based on language models.
//!
//! It decides how many rows and columns are shown, where a cell is cut, and what counts as complete. The first row is
//! always shown: if it alone exceeds the limit, its cells are cut to equal parts of it.
//!
//! ```text
//! pickup_zip:INT    trips:BIGINT
//! 10001    1227
//! # rows=1 of=1 complete=yes statement=01f0a1b2-…
//! ```
//!
//! The text is TSV with one row per line. `\t`, `\n`, `\r`, `\\`, `\xHH` and `\u{H}` are escapes, and NULL is `\N`. A line
//! that starts with `#` is never a row: there, `#` is `\#`, so that no cell can pass for the summary.

mod cell;

use std::fmt::{self, Write as _};

use brickwire_client::types::StatementColumnInfo;

use self::cell::Room;
use crate::{Result, StatementResult};

/// The fewest bytes that the rows, or the heading, may take. This leaves room for one cell and what says that it is cut.
const FEWEST_BYTES: usize = 32;
const FEWEST_HEADING_BYTES: usize = 256;

/// The most characters of a column's name, and of its type. Short cells are no reason to hide what they are.
const LONGEST_NAME: usize = 200;

/// A column takes at least this many bytes of the rows' limit, so that its cells in the first row can be cut to fit.
const COLUMN: usize = 20;

/// The most bytes of the facts in the summary, where a fact that doesn't fit is left out, and of the line below it.
const LONGEST_FACTS: usize = 240;
const LONGEST_NEXT: usize = 400;

/// How much of a result a [`Preview`] shows. With the default limits, its text has at most 10,240 bytes.
///
/// ```
/// use brickwire_actions::PreviewLimits;
/// let limits = PreviewLimits::default().with_rows(20).with_cell(80);
/// assert_eq!((limits.rows(), limits.bytes(), limits.cell(), limits.heading()), (20, 8_000, 80, 1_500));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreviewLimits {
    rows: u64,
    bytes: usize,
    cell: usize,
    heading: usize,
}

impl Default for PreviewLimits {
    fn default() -> Self {
        Self { rows: 200, bytes: 8_000, cell: 200, heading: 1_500 }
    }
}

impl PreviewLimits {
    /// The most rows that are shown; 200 by default.
    #[must_use]
    pub fn with_rows(mut self, rows: u64) -> Self {
        self.rows = rows;
        self
    }

    /// The most bytes of all rows together; 8,000 by default, and at least 32.
    #[must_use]
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes.max(FEWEST_BYTES);
        self
    }

    /// The most characters of a cell; 200 by default, and at least 1.
    #[must_use]
    pub fn with_cell(mut self, characters: usize) -> Self {
        self.cell = characters.max(1);
        self
    }

    /// The most bytes of the heading; 1,500 by default, and at least 256.
    #[must_use]
    pub fn with_heading(mut self, bytes: usize) -> Self {
        self.heading = bytes.max(FEWEST_HEADING_BYTES);
        self
    }

    /// The most rows that are shown.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The most bytes of all rows together.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The most characters of a cell.
    pub fn cell(&self) -> usize {
        self.cell
    }

    /// The most bytes of the heading.
    pub fn heading(&self) -> usize {
        self.heading
    }
}

/// The beginning of a table as text with a heading, for a reader with limited space. It knows what it doesn't show.
///
/// ```
/// use brickwire_actions::{Preview, PreviewLimits};
/// let mut preview = Preview::new([("city", "STRING"), ("trips", "BIGINT")], PreviewLimits::default());
/// preview.push([Some("New\tYork"), Some("1227")]);
/// preview.push([Some("# Oslo"), None]);
/// assert!(preview.is_complete());
/// assert_eq!(
///     preview.to_text(&[("statement", "01f0a1b2")], None),
///     "city:STRING\ttrips:BIGINT\nNew\\tYork\t1227\n\\# Oslo\t\\N\n# rows=2 of=2 complete=yes statement=01f0a1b2\n"
/// );
/// ```
#[derive(Debug, Clone)]
pub struct Preview {
    limits: PreviewLimits,
    heading: String,
    text: String,
    columns: usize,
    shown_columns: usize,
    shown_rows: u64,
    /// How many rows were pushed.
    pushed: u64,
    /// How many rows there are, if that is known from elsewhere.
    total: Option<u64>,
    is_truncated: bool,
    /// Whether a cell or a heading was cut.
    is_cut: bool,
    /// Whether no more rows are shown.
    is_full: bool,
}

impl Preview {
    /// A preview of a table with these columns, each a name and a type, and no rows yet. The type may be empty.
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, &'a str)>, limits: PreviewLimits) -> Self {
        let mut preview = Self {
            limits,
            heading: String::new(),
            text: String::new(),
            columns: 0,
            shown_columns: 0,
            shown_rows: 0,
            pushed: 0,
            total: None,
            is_truncated: false,
            is_cut: false,
            is_full: false,
        };
        preview.add_heading(columns);
        preview
    }

    /// A preview of a result with these columns.
    pub fn of_columns(columns: &[StatementColumnInfo], limits: PreviewLimits) -> Self {
        Self::new(
            columns.iter().map(|column| (column.name.as_deref().unwrap_or_default(), type_of(column))),
            limits,
        )
    }

    fn add_heading<'a>(&mut self, columns: impl IntoIterator<Item = (&'a str, &'a str)>) {
        // For the tab and `…1000000 more columns`.
        const MORE: usize = 36;
        let limit = self.limits.heading;
        let room = |bytes| Room { characters: LONGEST_NAME, bytes };
        let most_columns = (self.limits.bytes / COLUMN).max(1);
        let mut part = String::new();
        for (name, type_text) in columns {
            self.columns += 1;
            if self.shown_columns + 1 < self.columns || self.shown_columns == most_columns {
                continue;
            }
            part.clear();
            if self.shown_columns > 0 {
                part.push('\t');
            }
            // These parts and `MORE` fit in the smallest heading.
            let mut is_cut = cell::push(&mut part, Some(name), room(limit / 2), self.shown_columns == 0);
            if !type_text.is_empty() {
                part.push(':');
                is_cut |= cell::push(&mut part, Some(type_text), room(limit / 3), false);
            }
            if self.heading.len() + part.len() + MORE <= limit {
                self.heading.push_str(&part);
                self.shown_columns += 1;
                self.is_cut |= is_cut;
            }
        }
        match self.columns - self.shown_columns {
            0 => {}
            1 => self.heading.push_str("\t…1 more column"),
            more => self.heading.push_str(&format!("\t…{more} more columns")),
        }
    }

    /// Adds a row; a cell that is `None` is NULL. Returns whether it is shown. Rows after one that isn't are only counted.
    pub fn push<'a>(&mut self, cells: impl IntoIterator<Item = Option<&'a str>>) -> bool {
        self.pushed += 1;
        if self.is_full || self.shown_rows >= self.limits.rows {
            self.is_full = true;
            return false;
        }
        let cells: Vec<_> = cells.into_iter().take(self.shown_columns).collect();
        let begin = self.text.len();
        let room = Room { characters: self.limits.cell, bytes: self.limits.bytes };
        let mut is_cut = self.push_line(&cells, room);
        if self.text.len() > self.limits.bytes {
            self.text.truncate(begin);
            if self.shown_rows > 0 {
                self.is_full = true;
                return false;
            }
            let bytes = self.limits.bytes / self.shown_columns.max(1) - 1;
            is_cut = self.push_line(&cells, Room { bytes, ..room });
        }
        self.is_cut |= is_cut;
        self.shown_rows += 1;
        true
    }

    /// Appends a line. Returns whether a cell was cut.
    fn push_line(&mut self, cells: &[Option<&str>], room: Room) -> bool {
        let mut is_cut = false;
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                self.text.push('\t');
            }
            is_cut |= cell::push(&mut self.text, *cell, room, at == 0);
            if self.text.len() > self.limits.bytes {
                break;
            }
        }
        self.text.push('\n');
        is_cut
    }

    /// Sets how many rows there are, for a table that isn't pushed to its end, and whether there are still more, which
    /// are not counted.
    #[must_use]
    pub fn with_total(mut self, rows: u64, is_truncated: bool) -> Self {
        (self.total, self.is_truncated) = (Some(rows), is_truncated);
        self
    }

    /// How many rows are shown.
    pub fn rows(&self) -> u64 {
        self.shown_rows
    }

    /// How many rows there are as far as they have been counted. If [`is_truncated`](Self::is_truncated), there are more.
    pub fn total(&self) -> u64 {
        self.total.unwrap_or_default().max(self.pushed)
    }

    /// Whether there are more rows than [`total`](Self::total) says.
    pub fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// Whether there are rows that aren't shown.
    pub fn hides_rows(&self) -> bool {
        self.is_truncated || self.shown_rows < self.total()
    }

    /// Whether there are columns that aren't shown.
    pub fn hides_columns(&self) -> bool {
        self.shown_columns < self.columns
    }

    /// Whether a cell, or the name or type of a column, was cut.
    pub fn cuts_cells(&self) -> bool {
        self.is_cut
    }

    /// Whether nothing was left out or cut.
    pub fn is_complete(&self) -> bool {
        !self.hides_rows() && !self.hides_columns() && !self.is_cut
    }

    /// The heading, the rows, and a summary with these facts after it. `next` is a further line if the preview isn't
    /// complete: what to do to see the rest.
    pub fn to_text(&self, facts: &[(&str, &str)], next: Option<&str>) -> String {
        let mut text = String::with_capacity(self.heading.len() + self.text.len() + 256);
        if !self.heading.is_empty() {
            text.push_str(&self.heading);
            text.push('\n');
        }
        text.push_str(&self.text);
        let more = if self.is_truncated { "+" } else { "" };
        let complete = if self.is_complete() { "yes" } else { "no" };
        // Writing to a string can't fail.
        let _ = write!(text, "# rows={} of={}{more} complete={complete}", self.rows(), self.total());
        let begin = text.len();
        for (name, value) in facts {
            let before = text.len();
            let _ = write!(text, " {name}=");
            cell::push(&mut text, Some(value), Room::of(LONGEST_FACTS), false);
            if text.len() - begin > LONGEST_FACTS {
                text.truncate(before);
            }
        }
        text.push('\n');
        if let Some(next) = next.filter(|_| !self.is_complete()) {
            text.push_str("# next: ");
            cell::push(&mut text, Some(next), Room::of(LONGEST_NEXT), false);
            text.push('\n');
        }
        text
    }
}

/// The text without facts and without a next step.
impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(&[], None))
    }
}

/// A column's type as SQL spells it.
fn type_of(column: &StatementColumnInfo) -> &str {
    let type_name = || column.type_name.as_ref().map(|name| name.as_str());
    column.type_text.as_deref().or_else(type_name).unwrap_or_default()
}

impl StatementResult {
    /// Reads as many rows as the preview shows. The rest is neither fetched nor counted if the service has said how many
    /// rows there are.
    ///
    /// ```no_run
    /// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::PreviewLimits;
    /// let limits = PreviewLimits::default();
    /// let statement = sql.statement("SELECT * FROM samples.nyctaxi.trips").with_preview(limits);
    /// println!("{}", statement.execute().await?.preview(limits).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`next_rows`](Self::next_rows).
    pub async fn preview(mut self, limits: PreviewLimits) -> Result<Preview> {
        let mut preview = Preview::of_columns(self.columns(), limits);
        let total = self.manifest().total_row_count.and_then(|rows| u64::try_from(rows).ok());
        let is_truncated = self.is_truncated();
        while let Some(rows) = self.next_rows().await? {
            let mut is_full = false;
            for row in rows.iter() {
                is_full |= !preview.push(row.iter().map(|cell| cell.as_str()));
                if is_full && total.is_some() {
                    break;
                }
            }
            if is_full && total.is_some() {
                self.leave();
                break;
            }
        }
        let total = total.unwrap_or_default().max(preview.pushed);
        Ok(preview.with_total(total, is_truncated))
    }
}

#[cfg(test)]
mod tests;

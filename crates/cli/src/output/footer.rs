//! The line below the rows on a terminal, and the line about a file that was written.

use std::{path::Path, time::Duration};

use indicatif::HumanCount;

use super::grid::Missing;

/// What the line below the rows says.
pub(super) struct Footer {
    pub(super) rows: u64,
    pub(super) columns: usize,
    /// Whether a limit cut the result off.
    pub(super) has_more: bool,
    /// Whether that limit is the one for terminals.
    pub(super) is_capped: bool,
    pub(super) missing: Missing,
    pub(super) elapsed: Duration,
}

impl Footer {
    pub(super) fn text(&self) -> String {
        let time = seconds(self.elapsed);
        if self.columns == 0 {
            return format!("(ok, {time})");
        }
        let Missing { columns, is_cut } = self.missing;
        let mut parts = vec![match self.has_more {
            true => format!("first {}, more exist", counted(self.rows)),
            false => counted(self.rows),
        }];
        parts.extend(hidden(columns, self.columns));
        if is_cut && columns.is_none() {
            parts.push("some values are cut".to_owned());
        }
        let mut ways = Vec::new();
        if columns.is_some() || is_cut {
            ways.push("-o record");
        }
        if columns.is_some() {
            ways.push("--columns");
        }
        if self.has_more && self.is_capped {
            ways.push("--max-rows all");
        }
        match ways.is_empty() {
            true if self.has_more => parts.push(time),
            true => return format!("({}, {time})", parts.join("; ")),
            false => parts.extend([format!("all: {}, --out FILE", ways.join(", ")), time]),
        }
        format!("({})", parts.join("; "))
    }
}

/// The line below a list, if it doesn't show all of its columns.
pub(super) fn of_list(missing: Missing, columns: usize) -> Option<String> {
    hidden(missing.columns, columns).map(|hidden| format!("({hidden}; all: -o record, --columns)"))
}

fn hidden(shown: Option<usize>, columns: usize) -> Option<String> {
    shown.map(|shown| format!("{shown} of {columns} columns"))
}

/// The line about a file that was written: the number of rows in it, if it has rows, and its size.
pub(crate) fn saved(rows: Option<u64>, path: &Path, bytes: u64, elapsed: Duration) -> String {
    let rows = rows.map(|rows| format!("{} to ", counted(rows))).unwrap_or_default();
    format!("{rows}{}, {}, {}", path.display(), size(bytes), seconds(elapsed))
}

fn counted(rows: u64) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{} rows", HumanCount(rows)) }
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}

/// A size in decimal units with one digit after the point.
fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        // What is rounded up to the next unit belongs to it.
        if value < 999.95 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_footer_says_what_is_missing_and_how_to_get_it() {
        let whole = Missing::default();
        let some = Missing { columns: Some(4), is_cut: true };
        let cut = Missing { columns: None, is_cut: true };
        for (rows, columns, has_more, is_capped, missing, text) in [
            (5, 6, false, true, whole, "(5 rows, 1.2 s)"),
            (1, 6, false, true, whole, "(1 row, 1.2 s)"),
            (0, 0, false, true, whole, "(ok, 1.2 s)"),
            (10, 6, true, false, whole, "(first 10 rows, more exist; 1.2 s)"),
            (5, 6, false, true, cut, "(5 rows; some values are cut; all: -o record, --out FILE; 1.2 s)"),
            (
                5,
                6,
                false,
                true,
                some,
                "(5 rows; 4 of 6 columns; all: -o record, --columns, --out FILE; 1.2 s)",
            ),
            (
                1000,
                6,
                true,
                true,
                whole,
                "(first 1,000 rows, more exist; all: --max-rows all, --out FILE; 1.2 s)",
            ),
        ] {
            let elapsed = Duration::from_millis(1230);
            let footer = Footer { rows, columns, has_more, is_capped, missing, elapsed };
            assert_eq!(footer.text(), text);
        }
        assert_eq!(of_list(whole, 7), None);
        assert_eq!(of_list(some, 7).as_deref(), Some("(4 of 7 columns; all: -o record, --columns)"));
    }

    #[test]
    fn a_file_is_named_with_its_size() {
        let line = |rows| saved(rows, Path::new("big.parquet"), 13_120_000, Duration::from_millis(6_940));
        assert_eq!(line(Some(1_000_000)), "1,000,000 rows to big.parquet, 13.1 MB, 6.9 s");
        assert_eq!(line(None), "big.parquet, 13.1 MB, 6.9 s");
        let sizes = [0, 999, 1_000, 999_949, 999_950, 1_000_000_000, 5_500_000_000_000].map(size);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "1.0 GB", "5.5 TB"]);
    }
}

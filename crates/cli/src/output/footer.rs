//! The line below the rows on a terminal, and the line about a file that was written.

use std::{path::Path, time::Duration};

use indicatif::HumanCount;

use super::{grid::Missing, layout::width};

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
    /// One line if it fits, or else two.
    pub(super) fn lines(&self, room: usize) -> Vec<String> {
        let time = seconds(self.elapsed);
        if self.columns == 0 {
            return vec![format!("(ok, {time})")];
        }
        let Missing { columns, is_cut } = self.missing;
        let mut facts = vec![match self.has_more {
            true => format!("first {}, more exist", counted(self.rows)),
            false => counted(self.rows),
        }];
        facts.extend(hidden(columns, self.columns));
        if is_cut && columns.is_none() {
            facts.push("some values are cut".to_owned());
        }
        let facts = facts.join("; ");
        let ways = self.ways();
        let line = match &ways[..] {
            [] if self.has_more => format!("({facts}; {time})"),
            [] => format!("({facts}, {time})"),
            ways => format!("({facts}; all: {}; {time})", ways.join(", ")),
        };
        if ways.is_empty() || width(&line) <= room {
            return vec![line];
        }
        // As many ways as fit.
        let ways_line = |count: usize| format!("(all: {})", ways[..count].join(", "));
        let count = (1..=ways.len()).rev().find(|count| width(&ways_line(*count)) <= room).unwrap_or(1);
        vec![format!("({facts}; {time})"), ways_line(count)]
    }

    /// How to get what is missing.
    fn ways(&self) -> Vec<&'static str> {
        let Missing { columns, is_cut } = self.missing;
        let is_capped = self.has_more && self.is_capped;
        let ways = [
            (columns.is_some() || is_cut, "-o record"),
            (columns.is_some(), "--columns"),
            (is_capped, "--max-rows all"),
            (columns.is_some() || is_cut || is_capped, "--out FILE"),
        ];
        ways.into_iter().filter(|(is_way, _)| *is_way).map(|(_, way)| way).collect()
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
            assert_eq!(footer.lines(usize::MAX), [text]);
            assert!(footer.lines(50).iter().all(|line| width(line) <= 50), "{text}");
        }
        let elapsed = Duration::from_millis(1230);
        let all = Footer { rows: 1000, columns: 6, has_more: true, is_capped: true, missing: some, elapsed };
        let facts = "(first 1,000 rows, more exist; 4 of 6 columns; 1.2 s)";
        let ways = [
            "(all: -o record, --columns, --max-rows all, --out FILE)",
            "(all: -o record, --columns, --max-rows all)",
        ];
        assert_eq!(all.lines(79), [facts, ways[0]]);
        assert_eq!(all.lines(53), [facts, ways[1]]);
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

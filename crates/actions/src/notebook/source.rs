//! Notebooks in the source format: a file of one language, where special comments separate cells, give titles, and
//! hold the lines of cells in other languages.
//!
//! The service's editor writes the same comments. Lines end with LF or CRLF; a cell has LF.

use super::{cell::RawCell, refuse::HEADER};

/// The marks of a comment: Python and R, SQL, Scala.
const MARKS: [&str; 3] = ["#", "--", "//"];

/// The comment mark of a notebook, if the text is one: its first line that isn't blank says so.
pub(super) fn mark(text: &str) -> Option<&'static str> {
    let first = text.lines().map(str::trim_end).find(|line| !line.is_empty())?;
    MARKS.into_iter().find(|mark| after(first, mark) == Some(HEADER))
}

/// What follows a comment mark and a blank.
fn after<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    line.strip_prefix(mark)?.strip_prefix(' ')
}

/// The cells of a notebook with this comment mark.
pub(super) fn cells(text: &str, mark: &str) -> Vec<RawCell> {
    let mut cells = Vec::new();
    let mut lines: Vec<(usize, &str)> = Vec::new();
    let mut is_header = true;
    for (at, line) in text.lines().enumerate() {
        if is_header {
            is_header = line.trim().is_empty();
            continue;
        }
        if after(line.trim_end(), mark) == Some("COMMAND ----------") {
            cells.push(cell(&lines, mark));
            lines.clear();
        } else {
            lines.push((at + 1, line));
        }
    }
    cells.push(cell(&lines, mark));
    cells
}

fn cell(lines: &[(usize, &str)], mark: &str) -> RawCell {
    let mut lines = without_blank_start(lines);
    let mut title = None;
    if let Some(found) = lines.first().and_then(|(_, line)| title_of(line, mark)) {
        title = Some(found.to_owned()).filter(|title| !title.is_empty());
        lines = without_blank_start(&lines[1..]);
    }
    let text = lines.iter().map(|(_, line)| without_prefix(line, mark)).collect::<Vec<_>>().join("\n");
    RawCell {
        line: lines.first().map(|(number, _)| *number),
        title,
        text: text.trim_end().to_owned(),
        ..RawCell::default()
    }
}

fn without_blank_start<'a, 'b>(lines: &'a [(usize, &'b str)]) -> &'a [(usize, &'b str)] {
    let blank = lines.iter().take_while(|(_, line)| line.trim().is_empty()).count();
    &lines[blank..]
}

/// The title in `# DBTITLE 1,Load trips`.
fn title_of<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    let rest = after(line, mark)?.strip_prefix("DBTITLE ")?;
    let (shown, title) = rest.split_once(',')?;
    shown.trim().parse::<u8>().ok().map(|_| title.trim())
}

/// A line of a cell in another language is a comment: `# MAGIC SELECT 1`.
fn without_prefix<'a>(line: &'a str, mark: &str) -> &'a str {
    match after(line, mark).and_then(|rest| rest.strip_prefix("MAGIC")) {
        Some("") => "",
        Some(rest) => rest.strip_prefix(' ').unwrap_or(line),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(Option<usize>, Option<String>, String)> {
        let mark = mark(text).unwrap();
        cells(text, mark).into_iter().map(|cell| (cell.line, cell.title, cell.text)).collect()
    }

    fn expect(text: &str, expected: &[(usize, &str, &str)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(line, title, text)| {
                let title = Some((*title).to_owned()).filter(|title| !title.is_empty());
                (Some(*line).filter(|line| *line > 0), title, (*text).to_owned())
            })
            .collect();
        assert_eq!(read(text), expected, "{text}");
    }

    #[test]
    fn each_language_has_its_comments() {
        for mark in MARKS {
            let text = format!(
                "{mark} Databricks notebook source\nx = 1\n\n{mark} COMMAND ----------\n\n\
                 {mark} DBTITLE 1,Load trips\n{mark} MAGIC %sql\n{mark} MAGIC SELECT 1\n{mark} MAGIC\n{mark} MAGIC   FROM t\n"
            );
            expect(&text, &[(2, "", "x = 1"), (7, "Load trips", "%sql\nSELECT 1\n\n  FROM t")]);
            let windows = text.replace('\n', "\r\n");
            expect(&windows, &[(2, "", "x = 1"), (7, "Load trips", "%sql\nSELECT 1\n\n  FROM t")]);
        }
    }

    #[test]
    fn empty_cells_count_and_comments_are_text() {
        let text = "\n# Databricks notebook source\n# COMMAND ----------\n\n# only a comment\n# COMMAND ----------\n\
                    # DBTITLE 0,\n\nprint('# COMMAND ----------')\n# MAGICAL\n # MAGIC indented\n# DBTITLE no title\n";
        let last = "print('# COMMAND ----------')\n# MAGICAL\n # MAGIC indented\n# DBTITLE no title";
        expect(text, &[(0, "", ""), (5, "", "# only a comment"), (9, "", last)]);
        expect("# Databricks notebook source", &[(0, "", "")]);
    }

    #[test]
    fn only_the_first_line_makes_a_notebook() {
        for text in [
            "",
            "x = 1\n# Databricks notebook source",
            "# Databricks notebook sources",
            "#Databricks notebook source",
        ] {
            assert_eq!(mark(text), None, "{text}");
        }
        assert_eq!(mark("-- Databricks notebook source  \r\nSELECT 1"), Some("--"));
    }
}

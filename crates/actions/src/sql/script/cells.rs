//! The cells of an SQL notebook in the source format, as texts to split. Their boundaries end statements, too.

use std::borrow::Cow;

use crate::{Error, Result};

const HEADER: &str = "-- Databricks notebook source";
const BOUNDARY: &str = "-- COMMAND ----------";
const MAGIC: &str = "-- MAGIC";

/// A text to split, and where it stands in the whole.
#[derive(Debug)]
pub(super) struct Cell<'a> {
    pub(super) text: Cow<'a, str>,
    /// Its first line, from 1.
    pub(super) line: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<'a> Cell<'a> {
    pub(super) fn whole(text: &'a str) -> Self {
        Self { text: text.into(), line: 1, start: 0, end: text.len() }
    }

    /// Whether its text stands in the whole as it is.
    pub(super) fn is_verbatim(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_))
    }
}

/// The cells to run of an SQL notebook; `None` if the text is none.
pub(super) fn cells(text: &str) -> Result<Option<Vec<Cell<'_>>>> {
    let body = text.trim_start_matches('\u{feff}');
    let mut lines = body.split_inclusive('\n');
    let Some(header) = lines.next().filter(|line| line.trim_end() == HEADER) else { return Ok(None) };
    let mut cells = Vec::new();
    let (mut at, mut number) = (text.len() - body.len() + header.len(), 2);
    let mut cell = Cell { text: Cow::Borrowed(""), line: number, start: at, end: at };
    for line in lines {
        number += 1;
        if line.trim_end() == BOUNDARY {
            cell.end = at;
            cells.extend(without_magic(text, cell)?);
            cell = Cell { text: Cow::Borrowed(""), line: number, start: at + line.len(), end: 0 };
        }
        at += line.len();
    }
    cell.end = at;
    cells.extend(without_magic(text, cell)?);
    Ok(Some(cells))
}

/// What a line of a magic says.
fn magic_of(line: &str) -> Option<&str> {
    line.strip_prefix(MAGIC).filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

/// The SQL of a cell: `None` for Markdown.
fn without_magic<'a>(text: &'a str, cell: Cell<'a>) -> Result<Option<Cell<'a>>> {
    let source = &text[cell.start..cell.end];
    let magic = source.lines().enumerate().find_map(|(i, line)| Some((i, magic_of(line)?.trim())));
    let Some((i, first)) = magic else { return Ok(Some(Cell { text: source.into(), ..cell })) };
    let language =
        first.split_whitespace().next().unwrap_or_default().trim_start_matches("%%").trim_start_matches('%');
    match language {
        "md" | "md-sandbox" => Ok(None),
        "sql" => {
            // Each line stays a line, so that places stay right.
            let mut is_first = true;
            let line = |line: &str| {
                let Some(rest) = magic_of(line) else { return line.to_owned() };
                let rest = rest.strip_prefix(' ').unwrap_or(rest);
                match std::mem::take(&mut is_first) {
                    true => rest.trim_start().trim_start_matches('%').replacen("sql", "", 1),
                    false => rest.to_owned(),
                }
            };
            Ok(Some(Cell { text: source.split_inclusive('\n').map(line).collect::<String>().into(), ..cell }))
        }
        _ => Err(Error::usage(format!(
            "line {}: this cell of the notebook is not SQL: {first}",
            cell.line + i
        ))
        .with_hint("run the notebook in a context with `Commands::run`")),
    }
}

#[cfg(test)]
mod tests {
    use crate::Script;

    #[test]
    fn cells_end_statements_and_markdown_is_skipped() {
        let text = "-- Databricks notebook source\nSELECT 1\n\n-- COMMAND ----------\n\n-- MAGIC %md\n-- MAGIC it's\n\n\
                    -- COMMAND ----------\n\n-- DBTITLE 1,Two\nUSE main;\nSELECT 2;\n\n-- COMMAND ----------\n\n\
                    -- MAGIC %sql SELECT\n-- MAGIC 3\n";
        let script = Script::parse(&text.replace('\n', "\r\n")).unwrap();
        let places: Vec<_> = script.statements().iter().map(|s| (s.verb(), s.line())).collect();
        assert_eq!(places, [("SELECT", 2), ("USE", 12), ("SELECT", 13), ("SELECT", 17)]);
        assert_eq!(script.statements()[3].text().split_whitespace().collect::<Vec<_>>(), ["SELECT", "3"]);
        let error =
            Script::parse("-- Databricks notebook source\n\n-- MAGIC %python\n-- MAGIC x = 1\n").unwrap_err();
        assert_eq!(error.to_string(), "line 3: this cell of the notebook is not SQL: %python");
        // Only the first line makes a notebook; others are refused as they are in other texts.
        assert!(Script::parse("SELECT 1\n-- COMMAND ----------\nSELECT 2").is_err());
        let error =
            Script::parse("-- Databricks notebook source\nSELECT 1\n-- COMMAND ----------\nSELECT 'a")
                .unwrap_err();
        assert!(error.to_string().contains("line 4"), "{error}");
    }
}

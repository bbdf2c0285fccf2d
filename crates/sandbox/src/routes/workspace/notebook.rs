//! Notebooks: their source format, its cells, and Jupyter's format.

use serde_json::{Value, json};

const HEADER: &str = "Databricks notebook source";
const SEPARATOR: &str = "COMMAND ----------";

/// A cell of a notebook.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::routes) struct Cell {
    /// The word after `%` if it begins with a magic.
    pub(in crate::routes) magic: Option<String>,
    /// Without the magic.
    pub(in crate::routes) text: String,
}

/// What a comment begins with in the language.
fn comment(language: &str) -> &'static str {
    match language {
        "SQL" => "--",
        "SCALA" => "//",
        _ => "#",
    }
}

pub(in crate::routes) fn extension(language: &str) -> &'static str {
    match language {
        "SQL" => "sql",
        "SCALA" => "scala",
        "R" => "r",
        _ => "py",
    }
}

/// The language of a source file by its extension.
pub(in crate::routes) fn language_of(extension: &str) -> Option<&'static str> {
    match extension.to_ascii_lowercase().as_str() {
        "py" => Some("PYTHON"),
        "sql" => Some("SQL"),
        "scala" => Some("SCALA"),
        "r" => Some("R"),
        _ => None,
    }
}

fn header(language: &str) -> String {
    format!("{} {HEADER}", comment(language))
}

/// Whether a text is the source of a notebook in the language.
pub(in crate::routes) fn is_source(text: &str, language: &str) -> bool {
    text.lines().next().is_some_and(|first| first.trim_end() == header(language))
}

/// The source with the line that makes it one.
pub(in crate::routes) fn with_header(text: &str, language: &str) -> String {
    match is_source(text, language) {
        true => text.to_owned(),
        false => format!("{}\n{text}", header(language)),
    }
}

/// The cells of a source. Lines stay lines.
pub(in crate::routes) fn cells(source: &str, language: &str) -> Vec<Cell> {
    let separator = format!("{} {SEPARATOR}", comment(language));
    let mut lines: Vec<&str> = source.lines().collect();
    if is_source(source, language) {
        lines.remove(0);
    }
    lines.split(|line| line.trim_end() == separator).map(|lines| cell(lines, language)).collect()
}

fn cell(lines: &[&str], language: &str) -> Cell {
    let mark = format!("{} MAGIC", comment(language));
    let plain = |line: &&str| {
        let rest = line.strip_prefix(&*mark)?;
        Some(rest.strip_prefix(' ').unwrap_or(rest).to_owned())
    };
    let is_magic =
        lines.iter().find(|line| !line.trim().is_empty()).is_some_and(|line| plain(line).is_some());
    let lines: Vec<String> = match is_magic {
        true => lines.iter().map(|line| plain(line).unwrap_or_else(|| (*line).to_owned())).collect(),
        false => lines.iter().map(|line| (*line).to_owned()).collect(),
    };
    let text = lines.join("\n").trim_matches('\n').to_owned();
    match text.strip_prefix('%').filter(|_| is_magic) {
        Some(rest) => {
            let (word, rest) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
            Cell { magic: Some(word.to_owned()), text: rest.trim_start_matches(' ').to_owned() }
        }
        None => Cell { magic: None, text },
    }
}

/// The language and the source of a Jupyter notebook.
pub(in crate::routes) fn from_jupyter(content: &[u8]) -> Option<(String, String)> {
    let document: Value = serde_json::from_slice(content).ok()?;
    let cells = document.get("cells")?.as_array()?;
    let named = ["/metadata/language_info/name", "/metadata/kernelspec/language"];
    let named = named.iter().find_map(|at| document.pointer(at)?.as_str()).unwrap_or("python");
    let language = named.to_ascii_uppercase();
    let mark = comment(&language);
    let sources = cells.iter().map(|cell| {
        let text = match &cell["source"] {
            Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        let text = if cell["cell_type"] == "markdown" { format!("%md\n{text}") } else { text };
        match text.starts_with('%') {
            true => text.lines().map(|line| format!("{mark} MAGIC {line}")).collect::<Vec<_>>().join("\n"),
            false => text,
        }
    });
    let sources = sources.collect::<Vec<_>>().join(&format!("\n\n{mark} {SEPARATOR}\n\n"));
    Some((language.clone(), format!("{}\n{sources}\n", header(&language))))
}

/// A source as a Jupyter notebook.
pub(in crate::routes) fn to_jupyter(source: &str, language: &str) -> Value {
    let cells = cells(source, language).into_iter().map(|Cell { magic, text }| match magic.as_deref() {
        Some("md") => json!({ "cell_type": "markdown", "metadata": {}, "source": [text.trim_start_matches('\n')] }),
        magic => {
            let text = match magic {
                Some(magic) if text.starts_with('\n') => format!("%{magic}{text}"),
                Some(magic) => format!("%{magic} {text}"),
                None => text,
            };
            json!({ "cell_type": "code", "metadata": {}, "source": [text], "outputs": [], "execution_count": null })
        }
    });
    json!({
        "cells": cells.collect::<Vec<_>>(),
        "metadata": { "language_info": { "name": language.to_ascii_lowercase() } },
        "nbformat": 4,
        "nbformat_minor": 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "# Databricks notebook source\nx = 1\n\n# COMMAND ----------\n\n# MAGIC %sql\n# MAGIC SELECT 1\n\n\
                          # COMMAND ----------\n\n# MAGIC %run ./other\n\n# COMMAND ----------\n\n# MAGIC %md # Title\n";

    #[test]
    fn a_source_has_cells_with_and_without_a_magic() {
        let cell =
            |magic: Option<&str>, text: &str| Cell { magic: magic.map(str::to_owned), text: text.to_owned() };
        let expected = [
            cell(None, "x = 1"),
            cell(Some("sql"), "\nSELECT 1"),
            cell(Some("run"), "./other"),
            cell(Some("md"), "# Title"),
        ];
        assert_eq!(cells(SOURCE, "PYTHON"), expected);
        assert_eq!(cells("-- MAGIC %python\n-- MAGIC 1", "SQL"), [cell(Some("python"), "\n1")]);
        // A comment about magic is none.
        assert_eq!(cells("x = 1\n# MAGIC %sql", "PYTHON"), [cell(None, "x = 1\n# MAGIC %sql")]);
    }

    #[test]
    fn jupyter_is_read_and_written() {
        let document = to_jupyter(SOURCE, "PYTHON");
        assert_eq!(document["cells"][1]["source"][0], "%sql\nSELECT 1");
        assert_eq!(
            document["cells"][3],
            json!({ "cell_type": "markdown", "metadata": {}, "source": ["# Title"] })
        );
        let (language, source) = from_jupyter(document.to_string().as_bytes()).unwrap();
        assert_eq!(language, "PYTHON");
        assert_eq!(cells(&source, "PYTHON")[..3], cells(SOURCE, "PYTHON")[..3]);
        let lines = br#"{"cells":[{"cell_type":"code","source":["a\n","b"]}],"nbformat":4}"#;
        assert_eq!(from_jupyter(lines).unwrap().1, "# Databricks notebook source\na\nb\n");
        assert!(from_jupyter(b"[]").is_none() && from_jupyter(b"x").is_none());
    }
}

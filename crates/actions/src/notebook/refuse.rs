//! Recognizes notebooks where only code or a statement is accepted. A notebook is not code: its cells may be in other
//! languages, and in the source format these cells are comments, so running the file as it is would silently skip them.

use serde::{Deserialize, de::IgnoredAny};

use crate::{Error, Result};

/// The first line of a notebook in the source format, after the comment mark.
pub(super) const HEADER: &str = "Databricks notebook source";

/// Magics that only the notebook editor understands. IPython's own, such as `%time` and `%pip`, work in a context.
const MAGICS: [&str; 9] = ["%sql", "%python", "%scala", "%r", "%md", "%md-sandbox", "%fs", "%sh", "%run"];

/// Refuses text that is a notebook: the source format, a Jupyter notebook, or a cell that starts with a magic.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) that says what the text is.
pub fn refuse_notebook(text: &str) -> Result<()> {
    let refuse = |what: &str, hint: &str| Err(Error::usage(what).with_hint(hint));
    if is_jupyter(text) {
        return refuse("this is a Jupyter notebook, not code", "run the file with `Notebook`, cell by cell");
    }
    if text.lines().any(is_notebook_line) {
        return refuse(
            "this is the source of a Databricks notebook; its magic cells are comments and would be skipped",
            "run the file with `Notebook`, cell by cell",
        );
    }
    match first_word(text).map(|word| word.strip_prefix('%').filter(|w| w.starts_with('%')).unwrap_or(word)) {
        Some(word) if MAGICS.contains(&word) => {
            let message = format!("a notebook magic is not supported outside notebooks: {word}");
            refuse(&message, "pass the code without the magic and name its language")
        }
        _ => Ok(()),
    }
}

/// Whether a line only occurs in the source format.
fn is_notebook_line(line: &str) -> bool {
    let line = line.trim_end();
    ["# ", "-- ", "// "].iter().filter_map(|comment| line.strip_prefix(comment)).any(|rest| {
        rest == HEADER || rest == "MAGIC" || rest.starts_with("MAGIC ") || rest == "COMMAND ----------"
    })
}

/// The first word that is not in a line comment.
fn first_word(text: &str) -> Option<&str> {
    let is_code = |line: &&str| !line.is_empty() && !["#", "--", "//"].iter().any(|c| line.starts_with(c));
    text.lines().map(str::trim).find(is_code)?.split_whitespace().next()
}

/// What makes a JSON document a Jupyter notebook.
#[derive(Deserialize)]
struct Jupyter {
    #[serde(rename = "cells", alias = "worksheets")]
    _cells: Vec<IgnoredAny>,
    #[serde(rename = "nbformat")]
    _format: IgnoredAny,
}

pub(super) fn is_jupyter(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<Jupyter>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notebooks_are_refused() {
        for (text, word) in [
            ("# Databricks notebook source\nprint(1)", "Databricks notebook"),
            ("\n-- Databricks notebook source\r\nSELECT 1", "Databricks notebook"),
            ("// Databricks notebook source\nprintln(1)", "Databricks notebook"),
            ("# MAGIC %sql\n# MAGIC DELETE FROM t\n\nprint(1)", "Databricks notebook"),
            ("SELECT 1\n\n-- COMMAND ----------\n\nSELECT 2", "Databricks notebook"),
            ("%sql\nSELECT 1", "magic is not supported outside notebooks: %sql"),
            ("# a comment\n\n  %md ## Title", "%md"),
            ("%%sql\nSELECT 1", "%sql"),
            (r#"{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}"#, "Jupyter"),
        ] {
            let error = refuse_notebook(text).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Usage);
            assert!(error.to_string().contains(word) && error.hint().is_some(), "{text}: {error}");
        }
    }

    #[test]
    fn code_is_not_a_notebook() {
        for text in [
            "",
            "print('# Databricks notebook source')",
            "x = 1  # MAGIC %sql",
            "# MAGICAL\nprint(1)",
            "%time x = 1",
            "%pip install x",
            "print(7 %r)",
            "{\"cells\": 1}",
            "-- %sql is a magic\nSELECT 1",
            "SELECT '%sql'",
        ] {
            assert!(refuse_notebook(text).is_ok(), "{text}");
        }
    }
}

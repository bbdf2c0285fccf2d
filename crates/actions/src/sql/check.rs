//! What is refused of a statement before it is sent: the service accepts one at a time, and its own message points at
//! the second one as a syntax error.

use super::{
    Parameter, Statement,
    guard::check_reads,
    lexer::Lexer,
    markers::{check_given, check_names, parameter_names},
    split::Pieces,
};
use crate::{Error, Result, notebook::refuse_notebook};

impl Statement {
    /// Checks a statement and its parameters without sending anything. Executing and submitting check all of this but
    /// the names: a program may pass the same parameters with every statement, while a person who gives one that isn't
    /// used has made a mistake.
    ///
    /// ```
    /// use brickwire_actions::{Parameter, Statement};
    /// assert!(Statement::check("SELECT :id", &[Parameter::new("id", "1")]).is_ok());
    /// assert!(Statement::check("SELECT 1; SELECT 2", &[]).is_err());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for text without a statement or with several, for a notebook, and
    /// for a parameter that is malformed, given twice, not in the text, or missing.
    pub fn check(text: &str, parameters: &[Parameter]) -> Result<()> {
        Self::check_single(text)?;
        check_given(parameters)?;
        check_names(&parameter_names(&Lexer::new(text).collect::<Vec<_>>()), parameters)
    }

    /// Checks that a text is one statement, such as one to run on a cluster. Executing and submitting do the same first.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for text without a statement or with several, and for a notebook.
    pub fn check_single(text: &str) -> Result<()> {
        refuse_notebook(text)?;
        let starts = starts(text);
        match starts[..] {
            [] if text.trim().is_empty() => Err(Error::usage("the statement is empty")),
            [] => Err(Error::usage("the statement is empty: there are at most comments and semicolons")),
            [_] => Ok(()),
            [_, second, ..] => {
                let line = text[..second].matches('\n').count() + 1;
                let count = starts.len();
                Err(Error::usage(format!(
                    "only one statement can run at a time, and there are {count} statements; \
                     the second one starts in line {line}"
                ))
                .with_hint("run them one by one, or put them in a block: BEGIN … END"))
            }
        }
    }

    /// Checks that each statement of a text only reads. A [read-only](crate::Workspace::as_read_only) workspace checks
    /// this of what it sends.
    ///
    /// ```
    /// use brickwire_actions::Statement;
    /// assert!(Statement::check_reads("SELECT 1; SHOW TABLES").is_ok());
    /// let error = Statement::check_reads("SELECT 1;\nDELETE FROM t").unwrap_err();
    /// assert_eq!(error.to_string(), "read-only mode refuses this statement in line 2: DELETE");
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::ReadOnly`](crate::ErrorKind::ReadOnly) for a statement that may change something, or that can't be read with certainty.
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a notebook. A text without statements is not an error.
    pub fn check_reads(text: &str) -> Result<()> {
        check_reads(text)
    }
}

/// Where each statement starts.
fn starts(text: &str) -> Vec<usize> {
    Pieces::of(text).filter_map(|piece| piece.tokens.first().map(|(_, start, _)| *start)).collect()
}

/// The places of the tokens, and where the statements start, for the fuzz targets.
#[cfg(fuzzing)]
pub(crate) fn places(text: &str) -> (Vec<(usize, usize)>, Vec<usize>) {
    (Lexer::new(text).map(|(_, start, end)| (start, end)).collect(), starts(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_statements_are_refused_with_their_place() {
        let error = Statement::check("USE a;\n-- then\nSELECT 1;", &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "only one statement can run at a time, and there are 2 statements; the second one starts in line 3"
        );
        for text in ["", "  ", "-- x", ";"] {
            assert!(Statement::check(text, &[]).unwrap_err().to_string().contains("empty"), "{text:?}");
        }
        assert!(Statement::check("-- Databricks notebook source\nSELECT 1", &[]).is_err());
        // The service says what is wrong with these.
        for text in ["SELECT 'a; b", "BEGIN SELECT 1; SELECT 2"] {
            assert!(Statement::check(text, &[]).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn each_parameter_is_used_and_given_once() {
        let given = |names: &[&str]| names.iter().map(|name| Parameter::new(*name, "1")).collect::<Vec<_>>();
        let check = |text: &str, names: &[&str]| {
            let checked = Statement::check(text, &given(names));
            checked.map_err(|e| format!("{e} ({})", e.hint().unwrap_or_default()))
        };
        assert!(check("SELECT :a, :B", &["a", ":b"]).is_ok());
        for (text, names, words) in [
            (
                "SELECT :a",
                &["a", "b"][..],
                "doesn't use this parameter: b (the statement has these parameters: :a)",
            ),
            ("SELECT ':a'", &["a"], ":a in quotes is text"),
            ("SELECT :a", &["a", "a"], "more than once: a"),
            ("SELECT :a, :b", &["a"], "has no value: b"),
            ("SELECT :a", &["a b"], "not a parameter's name"),
        ] {
            let error = check(text, names).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}

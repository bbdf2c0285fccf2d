//! What is refused before code is sent: notebooks and, as SQL, several statements.

use brickwire_client::types::CommandLanguage;

use super::{Commands, options::RunOptions};
use crate::{Error, Result, Statement, notebook::refuse_notebook};

impl Commands {
    /// Checks code without sending anything. Running it does the same first.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a notebook, and for SQL that isn't one statement.
    pub fn check(language: &CommandLanguage, code: &str) -> Result<()> {
        match language {
            CommandLanguage::Sql => Statement::check_single(code),
            _ => refuse_notebook(code),
        }
    }
}

impl RunOptions {
    /// Checks the options, and the code that is run with them unless it is a notebook's, without sending anything. Running
    /// code does the same first.
    ///
    /// ```
    /// use brickwire_actions::{RunOptions, types::CommandLanguage};
    /// let options = RunOptions::default().with_arguments(["job.py"]);
    /// assert!(options.check(Some("import sys")).is_ok());
    /// assert!(options.with_language(CommandLanguage::Sql).check(None).is_err());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) as for [`Commands::check`], and for arguments of code that isn't
    /// Python.
    pub fn check(&self, code: Option<&str>) -> Result<()> {
        if self.arguments.is_some() && self.language != CommandLanguage::Python {
            let message = format!("only Python code takes arguments, and the language is {}", self.language);
            return Err(Error::usage(message).with_hint("leave out the arguments"));
        }
        match code {
            Some(code) if !self.is_unchecked => Commands::check(&self.language, code),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sql_is_a_single_statement() {
        let code = "SELECT 1; SELECT 2";
        assert!(Commands::check(&CommandLanguage::Sql, code).is_err());
        assert!(Commands::check(&CommandLanguage::Scala, "val a = 1; val b = 2").is_ok());
        assert!(Commands::check(&CommandLanguage::R, "# Databricks notebook source\n1").is_err());
    }
}

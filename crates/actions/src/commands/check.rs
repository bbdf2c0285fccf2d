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
    /// Checks code that is run with these options.
    pub(super) fn check(&self, code: &str) -> Result<()> {
        if self.arguments.is_some() && self.language != CommandLanguage::Python {
            return Err(Error::usage(format!("only Python code takes arguments, and this is {}", self.language)));
        }
        if self.is_unchecked { Ok(()) } else { Commands::check(&self.language, code) }
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

//! Notebooks: files of cells in several languages. Decides what each cell sends to a cluster, and refuses what can't run
//! there before anything is sent.
//!
//! Two formats are read: source files, whose first line is a comment with `Databricks notebook source`, and Jupyter
//! notebooks. All cells of a notebook run in one execution context, which holds an interpreter for each language. Where
//! this differs from the notebook editor:
//! - `%run` reads a file next to the notebook, because a context has no current folder in the workspace.
//! - `_sqldf` is not set after an SQL cell, and all statements of an SQL cell have a result.
//! - Parameters are code, because the service takes none with a command.

mod cell;
mod include;
mod ipynb;
mod magic;
mod parameters;
mod reader;
mod refuse;
mod source;

use std::{ops::RangeInclusive, path::Path};

use brickwire_client::types::CommandLanguage;

use crate::{
    Error, Parameter, Result,
    sql::{literal, markers::check_given},
};
use cell::{Cell, RawCell, Refused};
use reader::{Reader, raw_cells, recognizes};

pub use cell::{CellAction, CellRefusal, CellStep};
pub(crate) use magic::python_text;
pub use refuse::refuse_notebook;

/// Whether a content is the source of a notebook: its first line says so.
pub(crate) fn is_source(content: &[u8]) -> bool {
    let first = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    std::str::from_utf8(first).is_ok_and(|first| source::mark(crate::without_mark(first)).is_some())
}

/// A notebook, read from text.
///
/// ```
/// use brickwire_actions::Notebook;
/// let text = "# Databricks notebook source\nx = 6\n\n# COMMAND ----------\n\n# MAGIC %sql\n# MAGIC SELECT 1";
/// let notebook = Notebook::parse(text, None, None)?;
/// let steps = notebook.steps(&[], &[])?;
/// assert_eq!((steps.len(), steps[1].line), (2, Some(7)));
/// # Ok::<(), brickwire_actions::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Notebook {
    cells: Vec<Cell>,
    noun: &'static str,
}

impl Notebook {
    /// Whether a text, or the file that it comes from, is a notebook.
    ///
    /// ```
    /// use brickwire_actions::Notebook;
    /// assert!(Notebook::recognizes("-- Databricks notebook source\nSELECT 1", None));
    /// assert!(!Notebook::recognizes("SELECT 1", None));
    /// ```
    pub fn recognizes(text: &str, path: Option<&Path>) -> bool {
        recognizes(text, path)
    }

    /// Reads a notebook, and the files that it runs with `%run`, which are looked for next to `path`, or in the current
    /// folder without one. `language` overrides what the notebook says.
    ///
    /// A cell that can't run is no error here but in [`steps`](Self::steps), since it may not be chosen.
    ///
    /// ```
    /// use brickwire_actions::Notebook;
    /// let text = r#"{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["x = 1"]}]}"#;
    /// assert_eq!(Notebook::parse(text, Some("etl.ipynb".as_ref()), None)?.cell_count(), 1);
    /// # Ok::<(), brickwire_actions::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a text that is no notebook, and for a language that doesn't fit.
    pub fn parse(text: &str, path: Option<&Path>, language: Option<CommandLanguage>) -> Result<Self> {
        let (raw, language) = raw_cells(text, path, language)?;
        let cells = Reader::new(path).cells(raw, path, &language);
        Ok(Self { cells, noun: "cell" })
    }

    /// Code that is no notebook, as one: each statement of SQL is a cell, and other code is a single one.
    ///
    /// ```
    /// use brickwire_actions::{Notebook, types::CommandLanguage};
    /// let script = Notebook::of_code("USE main;\nSELECT 1", None, &CommandLanguage::Sql);
    /// assert_eq!((script.cell_count(), script.noun()), (2, "statement"));
    /// ```
    pub fn of_code(text: &str, path: Option<&Path>, language: &CommandLanguage) -> Self {
        let raw = RawCell { line: Some(1), text: text.to_owned(), ..RawCell::default() };
        let cell = Reader::new(path).code(&raw, path, language.clone(), text.to_owned());
        if *language != CommandLanguage::Sql || cell.refusal.is_some() {
            return Self { cells: vec![cell], noun: "cell" };
        }
        let statements = cell.steps.into_iter().enumerate();
        let cells = statements.map(|(at, step)| Cell::of(vec![CellStep { cell: at + 1, ..step }]));
        Self { cells: cells.collect(), noun: "statement" }
    }

    /// What the parts are called in messages: `cell`, or `statement` for a script.
    pub fn noun(&self) -> &'static str {
        self.noun
    }

    /// The number of cells, with those that are skipped.
    pub fn cell_count(&self) -> usize {
        self.cells.len()
    }

    /// What the notebook sends, in order. `cells` chooses cells by their numbers, from 1, all of them if it is empty.
    ///
    /// ```
    /// use brickwire_actions::{Notebook, Parameter};
    /// let text = "-- Databricks notebook source\nSELECT :zip\n\n-- COMMAND ----------\n\n-- MAGIC %sh ls";
    /// let notebook = Notebook::parse(text, None, None)?;
    /// assert_eq!(notebook.steps(&[], &[]).unwrap_err().cell, Some(2));
    /// let steps = notebook.steps(&[1..=1], &[Parameter::new("zip", "10001")])?;
    /// # Ok::<(), brickwire_actions::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a number that no cell has, for a chosen cell that can't run, for
    /// a parameter that is malformed or given twice, and if there is no code to run.
    pub fn steps(
        &self,
        cells: &[RangeInclusive<usize>],
        parameters: &[Parameter],
    ) -> std::result::Result<Vec<CellStep>, CellRefusal> {
        self.check_numbers(cells)?;
        check_given(parameters)?;
        let mut steps = Vec::new();
        for (at, cell) in self.cells.iter().enumerate() {
            let number = at + 1;
            if !cells.is_empty() && !cells.iter().any(|range| range.contains(&number)) {
                continue;
            }
            if let Some(refused) = &cell.refusal {
                let Refused { message, hint, file, line } = refused.clone();
                let error = Error::usage(message).with_hint(hint);
                return Err(CellRefusal { error, cell: Some(number), file, line });
            }
            for step in &cell.steps {
                steps.push(with_parameters(step, parameters)?);
            }
            if cell.has_parameters && !parameters.is_empty() {
                steps.push(assignment(number, cell, parameters)?);
            }
        }
        let is_code = |step: &CellStep| step.language().is_some();
        if !steps.iter().any(is_code) {
            return Err(Error::usage(format!("there is no code to run in the chosen {}s", self.noun)).into());
        }
        let is_python = |step: &CellStep| step.language() == Some(&CommandLanguage::Python);
        if !parameters.is_empty() && steps.iter().any(is_python) {
            let action = CellAction::Prepare { code: parameters::widgets(parameters) };
            let (cell, may_fail) = (steps[0].cell, false);
            let first =
                CellStep { cell, file: None, line: None, title: None, may_fail, action, statement: None };
            steps.insert(0, first);
        }
        Ok(steps)
    }

    fn check_numbers(&self, cells: &[RangeInclusive<usize>]) -> Result<()> {
        let (noun, count) = (self.noun, self.cells.len());
        let highest =
            cells.iter().flat_map(|range| [*range.start(), *range.end()]).find(|n| *n == 0 || *n > count);
        match highest {
            Some(number) => {
                let total = if count == 1 {
                    format!("there is 1 {noun}")
                } else {
                    format!("there are {count} {noun}s")
                };
                Err(Error::usage(format!("there is no {noun} {number}: {total}")))
            }
            None => Ok(()),
        }
    }

    /// The parameters whose names are nowhere in the code, which is most likely a mistake.
    ///
    /// ```
    /// use brickwire_actions::{Notebook, Parameter};
    /// let text = "# Databricks notebook source\nprint(dbutils.widgets.get('zip'))";
    /// let notebook = Notebook::parse(text, None, None)?;
    /// assert_eq!(notebook.unused(&[Parameter::new("zip", "1"), Parameter::new("zap", "1")]), ["zap"]);
    /// # Ok::<(), brickwire_actions::Error>(())
    /// ```
    pub fn unused<'a>(&self, parameters: &'a [Parameter]) -> Vec<&'a str> {
        let uses = |name: &str| {
            self.cells.iter().any(|cell| {
                cell.has_parameters
                    || cell.steps.iter().any(|step| match &step.action {
                        CellAction::Run { language: CommandLanguage::Sql, code } => {
                            literal::names_parameter(code, name)
                        }
                        CellAction::Run { language: CommandLanguage::Python, code } => {
                            code.contains(name) || code.contains("getAll")
                        }
                        // Code in other languages gets no parameters.
                        _ => false,
                    })
            })
        };
        parameters.iter().map(Parameter::name).filter(|name| !uses(name)).collect()
    }

    /// The Python cells that use `_sqldf`, which notebooks set after an SQL cell and a cluster's context doesn't.
    ///
    /// ```
    /// use brickwire_actions::Notebook;
    /// let notebook = Notebook::parse("# Databricks notebook source\n_sqldf.show()", None, None)?;
    /// assert_eq!(notebook.cells_with_sqldf(), [1]);
    /// # Ok::<(), brickwire_actions::Error>(())
    /// ```
    pub fn cells_with_sqldf(&self) -> Vec<usize> {
        let uses = |step: &CellStep| match &step.action {
            CellAction::Run { language: CommandLanguage::Python, code } => code.contains("_sqldf"),
            _ => false,
        };
        let cells = self.cells.iter().enumerate().filter(|(_, cell)| cell.steps.iter().any(uses));
        cells.map(|(at, _)| at + 1).collect()
    }
}

/// A step whose SQL has the values of parameters.
fn with_parameters(step: &CellStep, parameters: &[Parameter]) -> std::result::Result<CellStep, CellRefusal> {
    let CellAction::Run { language: language @ CommandLanguage::Sql, code } = &step.action else {
        return Ok(step.clone());
    };
    let code = literal::with_values(code, parameters).map_err(|error| refusal(error, step))?;
    Ok(CellStep { action: CellAction::Run { language: language.clone(), code }, ..step.clone() })
}

/// The step after a cell that is tagged `parameters`.
fn assignment(
    number: usize,
    cell: &Cell,
    parameters: &[Parameter],
) -> std::result::Result<CellStep, CellRefusal> {
    let at = cell.steps.iter().find(|step| step.language() == Some(&CommandLanguage::Python));
    let Some(at) = at else {
        let error = Error::usage("only a cell of Python can be tagged `parameters`");
        return Err(CellRefusal { cell: Some(number), ..error.into() });
    };
    let code = parameters::assignments(parameters).map_err(|error| refusal(error, at))?;
    Ok(CellStep { action: CellAction::Prepare { code }, title: None, may_fail: false, ..at.clone() })
}

fn refusal(error: Error, step: &CellStep) -> CellRefusal {
    CellRefusal { error, cell: Some(step.cell), file: step.file.clone(), line: step.line }
}

#[cfg(test)]
mod tests;

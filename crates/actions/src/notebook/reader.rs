//! Reads the cells of a notebook and of the files that it runs, and decides what each of them sends. What can't run is kept
//! with its place: it counts only if the cell is chosen.

use std::path::{Path, PathBuf};

use brickwire_client::types::CommandLanguage;

use super::{
    cell::{Cell, CellAction, CellStep, RawCell, Refused, language_named},
    include, ipynb,
    magic::{self, Magic},
    refuse, source,
};
use crate::{Error, Result, Script};

/// How deep files may run each other.
const DEEPEST: usize = 10;
/// How many commands a notebook may have.
const MOST_STEPS: usize = 10_000;

fn too_many_steps(raw: &RawCell, path: Option<&Path>) -> Cell {
    let message = format!("the notebook has more than {MOST_STEPS} commands");
    refused(raw, path, message, "split the notebook".to_owned())
}

/// Whether a text, or the file that it comes from, is a notebook.
pub(super) fn recognizes(text: &str, path: Option<&Path>) -> bool {
    source::mark(text).is_some() || is_jupyter_file(path) || refuse::is_jupyter(text)
}

fn is_jupyter_file(path: Option<&Path>) -> bool {
    path.and_then(Path::extension).is_some_and(|extension| extension.eq_ignore_ascii_case("ipynb"))
}

/// The cells of a text, and their language unless a magic says otherwise.
pub(super) fn raw_cells(
    text: &str,
    path: Option<&Path>,
    language: Option<CommandLanguage>,
) -> Result<(Vec<RawCell>, CommandLanguage)> {
    if let Some(mark) = source::mark(text) {
        let extension = path.and_then(Path::extension).map(|e| e.to_string_lossy().to_ascii_lowercase());
        let own = match mark {
            "--" => CommandLanguage::Sql,
            "//" => CommandLanguage::Scala,
            // Python and R have the same comments.
            _ if language == Some(CommandLanguage::R) || extension.as_deref() == Some("r") => {
                CommandLanguage::R
            }
            _ => CommandLanguage::Python,
        };
        if let Some(other) = language.filter(|language| *language != own) {
            let message = format!(
                "this is a notebook of another language than {other}: its comments start with {mark}"
            );
            return Err(Error::usage(message).with_hint(format!("leave out `language`, or set it to {own}")));
        }
        return Ok((source::cells(text, mark), own));
    }
    if is_jupyter_file(path) || refuse::is_jupyter(text) {
        return ipynb::read(text, language);
    }
    Err(Error::usage("this is not a notebook: the first line is not `# Databricks notebook source`"))
}

/// Reads cells and the files that they run.
pub(super) struct Reader {
    /// The files that are being read, from the outside in.
    files: Vec<PathBuf>,
    /// The number of commands so far.
    steps: usize,
}

impl Reader {
    pub(super) fn new(path: Option<&Path>) -> Self {
        let own = path.and_then(|path| path.canonicalize().ok());
        Self { files: own.into_iter().collect(), steps: 0 }
    }

    pub(super) fn cells(
        &mut self,
        raw: Vec<RawCell>,
        path: Option<&Path>,
        language: &CommandLanguage,
    ) -> Vec<Cell> {
        let cells = raw.into_iter().enumerate();
        cells.map(|(at, raw)| self.cell(&raw, at + 1, path, language)).collect()
    }

    fn cell(
        &mut self,
        raw: &RawCell,
        number: usize,
        path: Option<&Path>,
        language: &CommandLanguage,
    ) -> Cell {
        let mut cell = match (raw.skip, magic::read(&raw.text, language)) {
            (Some(reason), _) => skipped(raw, path, reason),
            (None, Magic::Skip) => skipped(raw, path, "markdown"),
            (None, Magic::Code { language, code }) => self.code(raw, path, language, code),
            (None, Magic::Run(name)) => self.include(raw, &name, path),
            (None, Magic::Refused { message, hint }) => refused(raw, path, message, hint.to_owned()),
        };
        for step in &mut cell.steps {
            step.cell = number;
            step.may_fail |= raw.may_fail;
            if step.title.is_none() {
                step.title.clone_from(&raw.title);
            }
        }
        Cell { has_parameters: raw.has_parameters || cell.has_parameters, ..cell }
    }

    /// A cell of code: one step, or one for each statement of SQL.
    pub(super) fn code(
        &mut self,
        raw: &RawCell,
        path: Option<&Path>,
        language: CommandLanguage,
        code: String,
    ) -> Cell {
        let steps = match language {
            CommandLanguage::Sql => match statements(raw, path, &code) {
                Ok(steps) => steps,
                Err(cell) => return cell,
            },
            _ if code.trim().is_empty() => Vec::new(),
            _ => vec![CellStep { action: CellAction::Run { language, code }, ..step(raw, path) }],
        };
        if steps.is_empty() {
            return skipped(raw, path, "empty");
        }
        self.steps += steps.len();
        if self.steps > MOST_STEPS {
            return too_many_steps(raw, path);
        }
        Cell::of(steps)
    }

    /// The steps of a file, in place of the cell that runs it.
    fn include(&mut self, raw: &RawCell, name: &str, path: Option<&Path>) -> Cell {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return too_many_steps(raw, path);
        }
        match self.included(name, path) {
            Ok(cells) => {
                let refusal = cells.iter().find_map(|cell| cell.refusal.clone());
                let steps: Vec<_> = cells.into_iter().flat_map(|cell| cell.steps).collect();
                match steps.is_empty() && refusal.is_none() {
                    true => skipped(raw, path, "empty"),
                    false => Cell { steps, refusal, has_parameters: false },
                }
            }
            Err(error) => {
                let hint =
                    error.hint().unwrap_or("name a file next to the notebook: %run ./helpers").to_owned();
                refused(raw, path, error.to_string(), hint)
            }
        }
    }

    fn included(&mut self, name: &str, path: Option<&Path>) -> Result<Vec<Cell>> {
        let folder = path.and_then(Path::parent).unwrap_or(Path::new(""));
        let found = include::find(folder, name)?;
        let known = found.canonicalize().unwrap_or_else(|_| found.clone());
        if self.files.contains(&known) {
            return Err(Error::usage(format!("%run runs a file within itself: {}", found.display()))
                .with_hint("remove the cycle"));
        }
        if self.files.len() > DEEPEST {
            let message = format!("files run each other more than {DEEPEST} deep: {}", found.display());
            return Err(Error::usage(message).with_hint("put their code into fewer files"));
        }
        let text = include::read(&found)?;
        self.files.push(known);
        let cells = self.file(&text, &found);
        self.files.pop();
        cells
    }

    /// The cells of a file that another one runs, which may be a notebook or code.
    fn file(&mut self, text: &str, path: &Path) -> Result<Vec<Cell>> {
        if recognizes(text, Some(path)) {
            let (raw, language) = raw_cells(text, Some(path), None)?;
            return Ok(self.cells(raw, Some(path), &language));
        }
        refuse::refuse_notebook(text)?;
        let extension = path.extension().map_or("py".into(), |extension| extension.to_string_lossy());
        let language = language_named(&extension).ok_or_else(|| {
            Error::usage(format!("unknown file type: {}", path.display()))
                .with_hint("%run runs notebooks, and files that end in .py, .sql, .scala, or .r")
        })?;
        let raw = RawCell { line: Some(1), text: text.to_owned(), ..RawCell::default() };
        Ok(vec![self.code(&raw, Some(path), language, text.to_owned())])
    }
}

/// The statements of an SQL cell, or why it can't be split.
fn statements(raw: &RawCell, path: Option<&Path>, code: &str) -> std::result::Result<Vec<CellStep>, Cell> {
    let first = raw.line.unwrap_or(1);
    let script = match Script::parse(code) {
        Ok(script) => script,
        Err(error) => {
            // The line counts from the start of the cell.
            let at = Script::open_at(code).map(|at| at.line);
            let line = at.map(|at| at + first - 1);
            let message = match at.zip(line) {
                Some((at, line)) => {
                    error.to_string().replace(&format!("line {at} "), &format!("line {line} "))
                }
                None => error.to_string(),
            };
            let mut cell = refused(raw, path, message, error.hint().unwrap_or_default().to_owned());
            if let Some(refused) = cell.refusal.as_mut().filter(|refused| refused.line.is_some()) {
                refused.line = line.or(refused.line);
            }
            return Err(cell);
        }
    };
    let steps = script.statements().iter().map(|statement| CellStep {
        line: raw.line.map(|first| first + statement.line() - 1),
        action: CellAction::Run { language: CommandLanguage::Sql, code: statement.text().to_owned() },
        statement: raw.line.map(|first| (statement.clone(), first)),
        ..step(raw, path)
    });
    Ok(steps.collect())
}

/// A step of a cell that does nothing so far.
fn step(raw: &RawCell, path: Option<&Path>) -> CellStep {
    CellStep {
        cell: 1,
        file: path.map(|path| path.display().to_string()),
        line: raw.line,
        title: raw.title.clone(),
        may_fail: raw.may_fail,
        action: CellAction::Skip { reason: "empty" },
        statement: None,
    }
}

fn skipped(raw: &RawCell, path: Option<&Path>, reason: &'static str) -> Cell {
    Cell::of(vec![CellStep { action: CellAction::Skip { reason }, ..step(raw, path) }])
}

fn refused(raw: &RawCell, path: Option<&Path>, message: String, hint: String) -> Cell {
    let CellStep { file, line, .. } = step(raw, path);
    Cell { refusal: Some(Refused { message, hint, file, line }), ..Cell::of(Vec::new()) }
}

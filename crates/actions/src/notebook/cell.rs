//! What a notebook consists of, and what each part of it sends.

use std::{fmt, ops::Range};

use brickwire_client::types::CommandLanguage;

use crate::{Error, Position, ScriptStatement};

/// A part of a notebook, or of a script, that is one command or none.
///
/// A cell is one step, except that each statement of an SQL cell is one, and each cell of a notebook that `%run` names.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CellStep {
    /// The number of the cell in the notebook, or of the statement in the script, from 1.
    pub cell: usize,
    /// The file that it is in, if it is in one.
    pub file: Option<String>,
    /// The line of the file where it starts, from 1. Cells of a Jupyter notebook have none.
    pub line: Option<usize>,
    /// The title of the cell.
    pub title: Option<String>,
    /// Whether the cell is expected to fail: a failure doesn't end the run.
    pub may_fail: bool,
    /// What it does.
    pub action: CellAction,
    /// The statement, if it is SQL, and the line where the cell's code starts.
    pub(super) statement: Option<(ScriptStatement, usize)>,
}

/// What a step does.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CellAction {
    /// Runs code of a cell.
    Run {
        /// The language of the code.
        language: CommandLanguage,
        /// The code.
        code: String,
    },
    /// Runs Python that the notebook doesn't have: it sets parameters.
    Prepare {
        /// The code.
        code: String,
    },
    /// Does nothing.
    Skip {
        /// Why: `markdown`, `raw`, `empty`, `skip-execution`.
        reason: &'static str,
    },
}

impl CellStep {
    /// The language of the code, if the step runs code of a cell.
    pub fn language(&self) -> Option<&CommandLanguage> {
        match &self.action {
            CellAction::Run { language, .. } => Some(language),
            CellAction::Prepare { .. } | CellAction::Skip { .. } => None,
        }
    }

    /// The place in the file that a message of the service names as `line 3, pos 14`, which counts from the start of the
    /// statement; and the part of the message that names it. Only SQL in a file has one.
    pub fn place_in(&self, message: &str) -> Option<(Position, Range<usize>)> {
        let (statement, first) = self.statement.as_ref()?;
        let (place, part) = statement.place_in(message)?;
        Some((Position { line: place.line.saturating_add(first - 1), ..place }, part))
    }
}

/// The code is not shown: it holds the values of parameters.
impl fmt::Debug for CellStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cell, file, line, .. } = self;
        f.debug_struct("CellStep")
            .field("cell", cell)
            .field("file", file)
            .field("line", line)
            .field("language", &self.language())
            .finish_non_exhaustive()
    }
}

/// The code is not shown: it holds the values of parameters.
impl fmt::Debug for CellAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Run { .. } => "Run",
            Self::Prepare { .. } => "Prepare",
            Self::Skip { .. } => "Skip",
        })
    }
}

/// Why a notebook can't run, and the cell that is at fault.
#[derive(Debug)]
#[non_exhaustive]
pub struct CellRefusal {
    /// What is wrong and what to do instead.
    pub error: Error,
    /// The number of the cell, from 1.
    pub cell: Option<usize>,
    /// The file that it is in.
    pub file: Option<String>,
    /// The line of the file, from 1.
    pub line: Option<usize>,
}

impl From<CellRefusal> for Error {
    fn from(refusal: CellRefusal) -> Self {
        refusal.error
    }
}

impl From<Error> for CellRefusal {
    fn from(error: Error) -> Self {
        Self { error, cell: None, file: None, line: None }
    }
}

impl fmt::Display for CellRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for CellRefusal {}

/// A cell as its file has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RawCell {
    /// The line of its first line of text.
    pub(super) line: Option<usize>,
    pub(super) title: Option<String>,
    /// Its text, without the prefix of magic lines.
    pub(super) text: String,
    /// Why it is skipped whatever it holds.
    pub(super) skip: Option<&'static str>,
    pub(super) may_fail: bool,
    /// Whether parameters are set after it.
    pub(super) has_parameters: bool,
}

/// A cell and what it sends.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) steps: Vec<CellStep>,
    pub(super) refusal: Option<Refused>,
    /// Whether parameters are set after it.
    pub(super) has_parameters: bool,
}

/// Why a cell can't run.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) message: String,
    pub(super) hint: String,
    pub(super) file: Option<String>,
    pub(super) line: Option<usize>,
}

impl Cell {
    pub(super) fn of(steps: Vec<CellStep>) -> Self {
        Self { steps, refusal: None, has_parameters: false }
    }
}

/// The language with this name, in any of the spellings of notebooks, kernels, and file extensions.
pub(super) fn language_named(name: &str) -> Option<CommandLanguage> {
    match name.to_ascii_lowercase().as_str() {
        "python" | "python3" | "ipython" | "py" => Some(CommandLanguage::Python),
        "sql" => Some(CommandLanguage::Sql),
        "scala" | "sc" => Some(CommandLanguage::Scala),
        "r" | "ir" => Some(CommandLanguage::R),
        _ => None,
    }
}

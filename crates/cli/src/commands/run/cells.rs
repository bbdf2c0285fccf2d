//! Runs a notebook or a script cell by cell: a line on stderr for each cell, results on stdout, and the first failure with
//! its place in the file.

use std::path::Path;

use brickwire_actions::{
    CellAction, CellRefusal, CellRun, CellRuns, CellStatus, CellStep, Commands, Notebook, RunOptions, Script,
    refuse_notebook, types::CommandLanguage,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    arguments::Command,
    lines::{Lines, not_run},
    show::{check, show_with_time},
};
use crate::{
    context::Context,
    failure::{Failure, Place, Result},
    options::Format,
    output::{Envelopes, Target},
    signals, terminal,
};

/// A notebook or a script, and what it sends.
pub(super) struct Cells {
    notebook: Notebook,
    steps: Vec<CellStep>,
}

impl Cells {
    /// Reads a notebook, or code that is run as one; none if the text is a single command. All that can be wrong with it
    /// is an error here.
    pub(super) fn read(command: &Command, text: &str, context: &Context) -> Result<Option<Self>> {
        let (options, path) = (&command.notebook, command.code.path());
        if options.as_file {
            return Ok(None);
        }
        let notebook = if Notebook::recognizes(text, path) {
            Notebook::parse(text, path, command.language.clone())?
        } else {
            refuse_notebook(text)?;
            let language = command.code_language()?;
            let is_script = language == CommandLanguage::Sql
                && Script::parse(text).map_or(true, |script| script.statements().len() > 1);
            if !is_script && options.parameters.is_empty() {
                if !options.cells.is_empty() {
                    return Err(Failure::usage(
                        "--cell is for notebooks and SQL scripts, and this is neither",
                    ));
                }
                return Ok(None);
            }
            Notebook::of_code(text, path, &language)
        };
        let noun = notebook.noun();
        let count = notebook.cell_count();
        let steps = notebook
            .steps(&options.cells, &options.parameters)
            .map_err(|refusal| refused(refusal, noun, count))?;
        if command.detach {
            let message = format!("--no-wait takes one command, and there are {count} {noun}s");
            let hint = "leave out --no-wait, or add --as-file to send the file as one command";
            return Err(Failure::usage(message).with_hint(hint));
        }
        for name in notebook.unused(&options.parameters) {
            context.note(&format!("warning: nothing uses this parameter: {name}"));
        }
        for cell in notebook.cells_with_sqldf() {
            if steps.iter().any(|step| step.cell == cell) {
                context.note(&format!(
                    "warning: {noun} {cell} uses _sqldf, which only the notebook editor sets"
                ));
            }
        }
        Ok(Some(Self { notebook, steps }))
    }

    /// The language of the context.
    pub(super) fn language(&self) -> CommandLanguage {
        let has_python = self.steps.iter().any(|step| {
            matches!(step.action, CellAction::Prepare { .. })
                || step.language() == Some(&CommandLanguage::Python)
        });
        match self.steps.iter().find_map(CellStep::language) {
            Some(language) if !has_python => language.clone(),
            _ => CommandLanguage::Python,
        }
    }

    pub(super) async fn run(
        self,
        command: &Command,
        commands: &Commands,
        cluster: &str,
        options: &RunOptions,
        context: &Context,
    ) -> Result {
        let Self { notebook, steps } = self;
        let (format, is_filtered) = context.asked();
        let form = match format {
            Format::Jsonl if !is_filtered => Form::Lines,
            _ if is_filtered || matches!(format, Format::Json | Format::Jsonl) => {
                Form::Array(Box::new(context.output().envelopes(Target::open(None)?)))
            }
            _ => Form::Below,
        };
        let lines = Lines::new(notebook.cell_count(), command.code.path(), &steps);
        let runs = commands.run_cells(cluster, steps, options);
        let (noun, count) = (notebook.noun(), notebook.cell_count());
        let images = &command.images;
        let mut runner =
            Runner { context, images, lines, form: Some(form), runs, noun, count, is_running: false };
        let done = runner.run().await;
        if let Some(id) = runner.runs.context_id() {
            command.tell_kept(id, cluster, context);
        }
        // The results so far are whole, whatever became of the rest.
        match runner.form.take() {
            Some(Form::Array(array)) => done.and(array.end()),
            _ => done,
        }
    }
}

/// Where results go.
enum Form {
    /// One below the other.
    Below,
    /// Elements of a JSON array.
    Array(Box<Envelopes>),
    /// One JSON object per line.
    Lines,
}

struct Runner<'a> {
    context: &'a Context,
    images: &'a Path,
    lines: Lines,
    form: Option<Form>,
    runs: CellRuns,
    noun: &'static str,
    count: usize,
    is_running: bool,
}

impl Runner<'_> {
    async fn run(&mut self) -> Result {
        let mut first: Option<(Failure, usize)> = None;
        let (mut ok, mut failed, mut left) = (0, 0, Vec::new());
        loop {
            self.context.progress().resume();
            self.is_running = true;
            let next = self.runs.next().await;
            self.is_running = false;
            self.context.progress().clear();
            let cell = match next {
                Ok(Some(cell)) => cell,
                Ok(None) => break,
                Err(error) => {
                    let step = self.runs.current().cloned();
                    let failure = match &step {
                        Some(step) => self.stopped(Failure::from(error), step),
                        None => error.into(),
                    };
                    let number = step.map_or(0, |step| step.cell);
                    first.get_or_insert((failure, number));
                    continue;
                }
            };
            match cell.status {
                CellStatus::NotRun => left.push(cell.step.cell),
                CellStatus::Ok => ok += 1,
                CellStatus::Failed if !cell.step.may_fail => failed += 1,
                _ => {}
            }
            if let Some(failure) = self.print(cell)? {
                first.get_or_insert(failure);
            }
        }
        let Some((failure, number)) = first else { return Ok(()) };
        let rest = match not_run(self.noun, number, &left) {
            Some(rest) if failed < 2 => rest,
            Some(rest) => format!("{ok} ok, {failed} failed; {rest}"),
            None if ok > 0 && self.count > 1 => format!("{ok} ok, {failed} failed"),
            None => return Err(failure),
        };
        Err(failure.and_hint(&rest))
    }

    /// Prints a cell and its result. Returns the failure, if it failed and wasn't meant to.
    fn print(&mut self, cell: CellRun) -> Result<Option<(Failure, usize)>> {
        if cell.status != CellStatus::NotRun {
            self.context.note(&self.lines.line(&cell));
        }
        let json = matches!(self.form, Some(Form::Array(_) | Form::Lines));
        let is_agent = self.context.is_agent() || self.context.global().agent;
        let failure = match &cell.run {
            Some(run) => {
                check(&run.output).err().map(|failure| self.failed(failure, &cell, json || is_agent))
            }
            None => None,
        };
        match &mut self.form {
            Some(Form::Array(array)) => array.element(&element(&cell)?)?,
            Some(Form::Lines) => self.context.output().text(&format!("{}\n", element(&cell)?))?,
            _ => {}
        }
        let CellRun { step, run, elapsed, .. } = cell;
        if let (false, Some(run)) = (json, run) {
            let has_failed = failure.is_some();
            match show_with_time(run, self.images, elapsed, self.context) {
                // The traceback has been printed; the cell's failure says the rest.
                Err(_) if has_failed => {}
                shown => shown?,
            }
        }
        Ok(failure.filter(|_| !step.may_fail).map(|failure| (failure, step.cell)))
    }

    /// The failure of a cell whose code failed.
    fn failed(&self, failure: Failure, cell: &CellRun, json: bool) -> Failure {
        let step = &cell.step;
        let summary = failure.message();
        let named = step.place_in(&summary).map(|(place, _)| place);
        let line = named.map(|place| place.line).or(step.line);
        let column = named.map(|place| place.column);
        let message = match json {
            // The text has the traceback above.
            true => format!("{}: {summary}", self.what(step, line, column)),
            false => self.what(step, line, column),
        };
        let own = Failure::new(failure.kind(), message).at(self.source(step, line, column));
        let uses_sqldf = matches!(&step.action, CellAction::Run { code, .. } if code.contains("_sqldf"));
        if summary.contains("[UNBOUND_SQL_PARAMETER]") {
            own.with_hint("give the parameter a value: -P NAME=VALUE")
        } else if uses_sqldf && summary.contains("_sqldf") {
            own.with_hint("only the notebook editor sets _sqldf; use spark.sql(…) in the cell")
        } else {
            own
        }
    }

    /// The failure of the request for a cell, after which nothing more runs.
    fn stopped(&self, failure: Failure, step: &CellStep) -> Failure {
        let place = self.source(step, step.line, None);
        failure.framed(self.what(step, step.line, None), None).at(place)
    }

    /// `cell 3 of 4 failed (nb.py:15)`
    fn what(&self, step: &CellStep, line: Option<usize>, column: Option<usize>) -> String {
        let place = Lines::place(step, line, column).map(|place| format!(" ({place})")).unwrap_or_default();
        let text = format!("{} {} of {} failed{place}", self.noun, step.cell, self.count);
        terminal::escaped_line(&text).into_owned()
    }

    fn source(&self, step: &CellStep, line: Option<usize>, column: Option<usize>) -> Place {
        let (index, count) = (Some(step.cell), Some(self.count));
        Place { file: step.file.clone(), line, column, index, count }
    }
}

/// Says which cells were not run when the command is interrupted.
impl Drop for Runner<'_> {
    fn drop(&mut self) {
        if self.is_running && signals::received().is_some() {
            let current = self.runs.current().map_or(0, |step| step.cell);
            if let Some(text) = not_run(self.noun, current, &self.runs.left()) {
                self.context.note(&text);
            }
        }
    }
}

/// A refused notebook, with the place of what is refused.
fn refused(refusal: CellRefusal, noun: &str, count: usize) -> Failure {
    let CellRefusal { error, cell, file, line, .. } = refusal;
    let failure = Failure::from(error);
    let Some(number) = cell else { return failure };
    let place = match (&file, line) {
        (Some(file), Some(line)) => format!(" ({file}:{line})"),
        (Some(file), None) => format!(" ({file})"),
        (None, Some(line)) => format!(" (line {line})"),
        (None, None) => String::new(),
    };
    let prefix = terminal::escaped_line(&format!("{noun} {number} of {count}{place}")).into_owned();
    failure.framed(prefix, None).at(Place { file, line, column: None, index: cell, count: Some(count) })
}

/// A cell in JSON.
#[derive(Serialize)]
struct Element<'a> {
    cell: usize,
    line: Option<usize>,
    language: Option<&'a str>,
    title: Option<&'a str>,
    status: &'static str,
    /// As the service sent it.
    result: Option<&'a RawValue>,
    elapsed_s: f64,
    file: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    results: Option<&'a RawValue>,
}

fn element(cell: &CellRun) -> Result<String> {
    let step = &cell.step;
    let answer: Option<Answer<'_>> = match &cell.run {
        Some(run) => Some(serde_json::from_slice(&run.raw)?),
        None => None,
    };
    let element = Element {
        cell: step.cell,
        line: step.line,
        language: step.language().map(CommandLanguage::as_str),
        title: step.title.as_deref(),
        status: cell.status.as_str(),
        result: answer.and_then(|answer| answer.results),
        elapsed_s: (cell.elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
        file: step.file.as_deref(),
    };
    Ok(serde_json::to_string(&element)?)
}

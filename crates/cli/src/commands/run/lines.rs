//! The lines on stderr about the cells of a notebook: which one, where it is, and how it ended.

use std::{path::Path, time::Duration};

use brickwire_actions::{CellAction, CellRun, CellStatus, CellStep, RunOutput};
use indicatif::HumanCount;

use crate::terminal;

/// How wide the place and the title of a cell may be.
const WIDEST: usize = 40;

/// How the lines of one run are laid out.
pub(super) struct Lines {
    /// The number of cells in the notebook.
    count: usize,
    /// The file of the notebook, which needs no name.
    file: Option<String>,
    kind_width: usize,
    place_width: usize,
}

impl Lines {
    pub(super) fn new(count: usize, file: Option<&Path>, steps: &[CellStep]) -> Self {
        // Steps that set parameters have no line unless they fail.
        let is_shown = |step: &&CellStep| !matches!(step.action, CellAction::Prepare { .. });
        let mut lines =
            Self { count, file: file.map(|file| file.display().to_string()), kind_width: 0, place_width: 0 };
        lines.kind_width =
            steps.iter().filter(is_shown).map(|step| kind(step).len()).max().unwrap_or_default();
        let widths = steps.iter().map(|step| lines.label(step).chars().count());
        lines.place_width = widths.max().unwrap_or_default();
        lines
    }

    /// `[2/4] sql     line 8  Load trips  ok  2 rows  4.1 s`
    pub(super) fn line(&self, cell: &CellRun) -> String {
        let step = &cell.step;
        let (digits, count) = (self.count.to_string().len(), self.count);
        let (kind_width, place_width) = (self.kind_width, self.place_width);
        let (kind, label) = (kind(step), self.label(step));
        let outcome = outcome(cell);
        let line =
            format!("[{:digits$}/{count}] {kind:kind_width$}  {label:place_width$}  {outcome}", step.cell);
        terminal::escaped_line(&line).into_owned()
    }

    /// The place of a cell for messages: `nb.py:15`, or `line 15`.
    pub(super) fn place(step: &CellStep, line: Option<usize>, column: Option<usize>) -> Option<String> {
        let column = column.map(|column| format!(":{column}")).unwrap_or_default();
        match (&step.file, line) {
            (Some(file), Some(line)) => Some(format!("{file}:{line}{column}")),
            (Some(file), None) => Some(file.clone()),
            (None, Some(line)) => Some(format!("line {line}")),
            (None, None) => None,
        }
    }

    fn label(&self, step: &CellStep) -> String {
        let place = match (step.line, &step.file) {
            (line, Some(file)) if self.file.as_ref() != Some(file) => {
                let name =
                    Path::new(file).file_name().map_or(file.as_str().into(), |name| name.to_string_lossy());
                line.map_or(name.to_string(), |line| format!("{name}:{line}"))
            }
            (Some(line), _) => format!("line {line}"),
            (None, _) => String::new(),
        };
        let title = step.title.as_deref().unwrap_or_default();
        let label = [place.as_str(), title]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("  ");
        label.chars().take(WIDEST).collect()
    }
}

/// The language, or what a cell is that has none.
fn kind(step: &CellStep) -> &str {
    match &step.action {
        CellAction::Run { language, .. } => language.as_str(),
        CellAction::Skip { reason } => reason,
        _ => "parameters",
    }
}

fn outcome(cell: &CellRun) -> String {
    let took = seconds(cell.elapsed);
    match cell.status {
        CellStatus::Ok => match cell.run.as_ref().map(|run| &run.output) {
            Some(RunOutput::Table { rows, .. }) if rows.len() == 1 => format!("ok  1 row  {took}"),
            Some(RunOutput::Table { rows, .. }) => {
                format!("ok  {} rows  {took}", HumanCount(rows.len() as u64))
            }
            _ => format!("ok  {took}"),
        },
        CellStatus::Failed if cell.step.may_fail => format!("failed, as allowed  {took}"),
        CellStatus::Failed => format!("failed  {took}"),
        CellStatus::NotRun => "not run".to_owned(),
        _ => "skipped".to_owned(),
    }
}

pub(super) fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

/// Says which cells were not run: `cell 4 was not run`. `failed` is the cell that failed.
pub(super) fn not_run(noun: &str, failed: usize, steps: &[usize]) -> Option<String> {
    let mut others: Vec<usize> = steps.iter().copied().filter(|cell| *cell != failed).collect();
    others.dedup();
    let rest = (others.len() < steps.len() && steps.contains(&failed))
        .then(|| format!("the rest of {noun} {failed} was not run"));
    let is_range = others.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    let others = match &others[..] {
        [] => None,
        [only] => Some(format!("{noun} {only} was not run")),
        [first, .., last] if is_range => Some(format!("{noun}s {first} to {last} were not run")),
        [start @ .., last] => {
            let start = start.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
            Some(format!("{noun}s {start} and {last} were not run"))
        }
    };
    match (rest, others) {
        (Some(rest), Some(others)) => Some(format!("{rest}; {others}")),
        (rest, others) => rest.or(others),
    }
}

#[cfg(test)]
mod tests {
    use super::not_run;

    #[test]
    fn cells_that_were_not_run_are_named() {
        for (failed, steps, text) in [
            (3, &[][..], None),
            (3, &[4], Some("cell 4 was not run")),
            (3, &[4, 4], Some("cell 4 was not run")),
            (3, &[4, 5, 6], Some("cells 4 to 6 were not run")),
            (3, &[4, 6], Some("cells 4 and 6 were not run")),
            (3, &[4, 6, 9], Some("cells 4, 6 and 9 were not run")),
            (3, &[3], Some("the rest of cell 3 was not run")),
            (3, &[3, 4, 5], Some("the rest of cell 3 was not run; cells 4 to 5 were not run")),
        ] {
            assert_eq!(not_run("cell", failed, steps).as_deref(), text, "{steps:?}");
        }
    }
}

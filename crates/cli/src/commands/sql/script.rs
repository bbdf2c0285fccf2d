//! Several statements, one after the other: progress on stderr, and the first failure with its place in the file.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use brickwire_actions::{Error, ErrorKind, Script, ScriptStatement};
use indicatif::HumanCount;
use serde_json::{json, value::to_raw_value};

use super::{arguments::Command, connection::Connection, print::changes, results::Results, warehouse};
use crate::{
    context::Context,
    failure::{Failure, Place, Result},
    output::Column,
    signals, terminal,
};

/// How wide titles are in the lines of progress.
const TITLE: usize = 40;

/// How much of a statement `--dry-run` shows, in characters.
const SHOWN: usize = 60;

const COLUMNS: &[Column] =
    &[("#", "/index"), ("LINE", "/line"), ("VERB", "/verb"), ("STATEMENT", "/statement")];

/// Prints the statements, and sends nothing.
pub(super) fn list(script: &Script, context: &Context) -> Result {
    let is_table = context.output().is_table();
    let item = |(i, statement): (usize, &ScriptStatement)| {
        let words = statement.code().split_whitespace().collect::<Vec<_>>().join(" ");
        // For people, the start is enough.
        let shown = match is_table && words.chars().nth(SHOWN).is_some() {
            true => words.chars().take(SHOWN - 1).chain(['…']).collect(),
            false => words,
        };
        let item =
            json!({ "index": i + 1, "line": statement.line(), "verb": statement.verb(), "statement": shown });
        Ok(to_raw_value(&item)?)
    };
    let items = script.statements().iter().enumerate().map(item).collect::<Result<Vec<_>>>()?;
    context.output().list(&items, COLUMNS)
}

/// Adds the place of what isn't closed to an error of splitting.
pub(super) fn unsplit(error: Error, text: &str, file: Option<&str>) -> Failure {
    let at = Script::open_at(text);
    let place = Place {
        file: file.map(str::to_owned),
        line: at.map(|at| at.line),
        column: at.map(|at| at.column),
        ..Place::default()
    };
    Failure::from(error).at(place)
}

/// Runs the statements.
pub(super) async fn run(command: &Command, script: &Script, context: &Context) -> Result {
    // All that can be wrong locally is checked before the first request.
    if command.detach {
        let count = script.statements().len();
        return Err(Failure::usage(format!("--no-wait takes one statement, and there are {count}"))
            .with_hint("leave out --no-wait, or submit them one by one"));
    }
    if command.session && context.is_read_only().await {
        return Err(
            Failure::usage("--session can't be used in read-only mode").with_hint("leave out --session")
        );
    }
    for name in script.check_parameters(&command.parameters)? {
        context.note(&format!("warning: no statement uses this parameter: {name}"));
    }
    if !command.session {
        script.check_sessions()?;
    }
    let results = Results::open(command, script, context)?;
    let workspace = context.workspace().await?;
    if workspace.is_read_only() {
        script.check_reads()?;
    }
    let finding = warehouse::find(command, context);
    let warehouse = match command.timeout {
        None => finding.await?,
        Some(timeout) => tokio::time::timeout(timeout, finding).await.map_err(|_| {
            let message =
                format!("timed out after {}; no statement was sent", humantime::format_duration(timeout));
            Failure::new(ErrorKind::DeadlineExceeded, message).with_hint("use a longer --timeout")
        })??,
    };
    let mut runner = Runner {
        command,
        context,
        connection: Connection::open(command, workspace, warehouse).await?,
        results,
        statements: script.statements(),
        running: 0,
    };
    let done = runner.run().await;
    // The results so far are whole, whatever became of the rest.
    let ended = std::mem::replace(&mut runner.results, Results::None).end();
    let closed = runner.connection.close().await;
    done.and(ended).and(closed)
}

struct Runner<'a> {
    command: &'a Command,
    context: &'a Context,
    connection: Connection<'a>,
    results: Results<'a>,
    statements: &'a [ScriptStatement],
    /// The number of the statement that is running; 0 for none.
    running: usize,
}

impl Runner<'_> {
    async fn run(&mut self) -> Result {
        let statements = self.statements;
        let count = statements.len();
        let mut first: Option<Failure> = None;
        let mut failed = 0;
        for (i, statement) in statements.iter().enumerate() {
            self.running = i + 1;
            let began = Instant::now();
            let ran = self.execute(statement).await;
            self.running = 0;
            let Err(failure) = ran else {
                self.connection.defaults.follow(statement);
                continue;
            };
            self.context.progress().clear();
            let kind = failure.kind();
            let failure = self.failed(failure, i);
            // What the statement says matters more than an output that can't be written.
            let _ = self.results.failed(&failure);
            if !self.command.continue_on_error || !Script::may_continue_after(kind) || failure.io().is_some()
            {
                let rest = rest(i, count, failed);
                if first.is_some() {
                    self.context.note(&terminal::escaped_line(&failure.message()));
                }
                return Err(first.unwrap_or(failure).and_hint(&rest));
            }
            failed += 1;
            let outcome = format!("failed  {}", seconds(began.elapsed()));
            self.line(i, statement, &outcome);
            match first {
                None => first = Some(failure),
                Some(_) => self.context.note(&terminal::escaped_line(&failure.message())),
            }
        }
        match first {
            Some(failure) => Err(failure.and_hint(&format!("{} ok, {failed} failed", count - failed))),
            None => Ok(()),
        }
    }

    async fn execute(&mut self, statement: &ScriptStatement) -> Result {
        let began = Instant::now();
        self.context.progress().resume();
        let number = self.running;
        let request = self.connection.request(statement.text(), began, self.results.cap());
        if self.results.are_batches(statement) {
            let rows = self.results.batches(request, number).await?;
            self.line(number - 1, statement, &outcome(Some(rows), began.elapsed()));
            return Ok(());
        }
        let mut result = request.execute().await?;
        let rows = match statement.returns_rows() {
            true => result.manifest().total_row_count.and_then(|rows| u64::try_from(rows).ok()),
            false => None,
        };
        let took = began.elapsed();
        if statement.returns_rows() || self.results.takes_all() {
            self.line(number - 1, statement, &outcome(rows, took));
            return self.results.print(result, number, &self.connection.warehouse, took).await;
        }
        let changed = changes(&mut result).await?;
        self.line(number - 1, statement, &outcome(changed, took));
        // An agent gets no notes on stderr.
        if self.context.is_agent() && self.results.are_open() {
            let rows = changed.map(|rows| format!(" changed={rows}")).unwrap_or_default();
            let line = format!("# statement {number} of {}: ok{rows}\n", self.statements.len());
            self.context.output().bytes(line.as_bytes())?;
        }
        Ok(())
    }

    /// Prints a line about a statement that has ended.
    fn line(&self, index: usize, statement: &ScriptStatement, outcome: &str) {
        let last = self.statements.last().map_or(0, ScriptStatement::line).to_string().len();
        let width =
            self.statements.iter().map(|s| s.title().chars().count()).max().unwrap_or_default().min(TITLE);
        let count = self.statements.len();
        let digits = count.to_string().len();
        let title: String = match statement.title().chars().nth(TITLE) {
            Some(_) => statement.title().chars().take(TITLE - 1).chain(['…']).collect(),
            None => statement.title().to_owned(),
        };
        let line = format!(
            "[{:digits$}/{count}] line {:<last$}  {title:width$}  {outcome}",
            index + 1,
            statement.line()
        );
        self.context.note(&terminal::escaped_line(&line));
    }

    /// The failure of a statement, with its place in the file.
    fn failed(&self, failure: Failure, index: usize) -> Failure {
        // A closed pipe isn't about the statement.
        if failure.io().is_some() {
            return failure;
        }
        let (statement, count) = (&self.statements[index], self.statements.len());
        let file = self.command.file();
        let message = failure.message();
        let named = statement.place_in(&message);
        let line = statement.line();
        let at = file.as_ref().map_or(format!("line {line}"), |file| format!("{file}:{line}"));
        let prefix = format!("statement {} of {count} failed ({at})", index + 1);
        let replaced = named.as_ref().map(|(place, part)| {
            let new = match &file {
                Some(file) => format!("{file}:{}:{}", place.line, place.column),
                None => format!("line {}, column {}", place.line, place.column),
            };
            (message[part.clone()].to_owned(), new)
        });
        let place = named.map(|(place, _)| place);
        let is_unbound = message.contains("[UNBOUND_SQL_PARAMETER]");
        let failure = failure.framed(prefix, replaced).at(Place {
            file,
            line: Some(place.map_or(line, |place| place.line)),
            column: Some(place.map_or(statement.column(), |place| place.column)),
            index: Some(index + 1),
            count: Some(count),
        });
        if is_unbound { failure.and_hint("give it a value: -P NAME=VALUE") } else { failure }
    }
}

/// Says which statements were not run when the command is interrupted.
impl Drop for Runner<'_> {
    fn drop(&mut self) {
        if self.running > 0 && signals::received().is_some() {
            self.context.note(&rest(self.running - 1, self.statements.len(), 0));
        }
    }
}

/// What became of the statements around the one at an index.
fn rest(index: usize, count: usize, failed: usize) -> String {
    let mut text = String::new();
    match (index, failed) {
        (0, _) => {}
        (1, 0) => text.push_str("statement 1 completed"),
        (before, 0) => drop(write!(text, "statements 1 to {before} completed")),
        (before, failed) => drop(write!(text, "{} ok, {} failed", before - failed, failed + 1)),
    }
    let left = count - index - 1;
    if left > 0 && !text.is_empty() {
        text.push_str("; ");
    }
    match left {
        0 => {}
        1 => drop(write!(text, "statement {count} was not run")),
        _ => drop(write!(text, "statements {} to {count} were not run", index + 2)),
    }
    text
}

pub(super) fn outcome(rows: Option<u64>, took: Duration) -> String {
    let rows = match rows {
        None => String::new(),
        Some(1) => "1 row  ".to_owned(),
        Some(rows) => format!("{} rows  ", HumanCount(rows)),
    };
    format!("ok  {rows}{}", seconds(took))
}

pub(super) fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::rest;

    #[test]
    fn what_was_not_run_is_said() {
        for (index, count, failed, text) in [
            (0, 1, 0, ""),
            (0, 2, 0, "statement 2 was not run"),
            (1, 3, 0, "statement 1 completed; statement 3 was not run"),
            (2, 9, 0, "statements 1 to 2 completed; statements 4 to 9 were not run"),
            (2, 3, 0, "statements 1 to 2 completed"),
            (3, 5, 1, "2 ok, 2 failed; statement 5 was not run"),
        ] {
            assert_eq!(rest(index, count, failed), text);
        }
    }
}

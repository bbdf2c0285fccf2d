//! Where the results of several statements go. Tables stand one below the other, JSON is one array of envelopes, and the
//! other formats hold one table: one file for each statement that returns rows, or only one such statement.

use std::{
    io::{self, IsTerminal, Write},
    path::Path,
    time::{Duration, Instant},
};

use brickwire_actions::{PreviewLimits, Script, ScriptStatement, Statement, StatementResult, redact};
use clap::ValueEnum;

use super::{
    arguments::{Command, NUMBER, numbered},
    print::{batches, print, tell_truncated},
};
use crate::{
    context::Context,
    failure::{Failure, Result},
    options::{Format, MaxRows},
    output::{About, Envelopes, Facts, Output, Target},
    report,
};

/// The most results that an agent is shown: each has a summary.
const MOST_PREVIEWS: usize = 7;
/// What a heading and a summary may take beyond their share, in bytes.
const SUMMARY: usize = 750;

pub(super) struct Printer<'a> {
    context: &'a Context,
    form: Form,
    /// The most rows of a result to show.
    cap: Option<u64>,
    limits: PreviewLimits,
    is_safe_to_repeat: bool,
}

enum Form {
    /// One below the other; whether one has been printed.
    Below(bool),
    Array(Envelopes),
    /// The only result.
    One(Option<(Output, Target)>),
    /// A file for each; with the format.
    Files(String, Format),
}

pub(super) enum Results<'a> {
    To(Box<Printer<'a>>),
    /// The reader of our output is gone; or all has been printed.
    None,
}

impl<'a> Results<'a> {
    /// Checks that the format holds the results, and opens the files.
    pub(super) fn open(command: &Command, script: &Script, context: &'a Context) -> Result<Self> {
        let out = command.out.as_deref();
        let returning = script.statements().iter().filter(|statement| statement.returns_rows()).count();
        let mut cap = None;
        let form = if let Some(pattern) = out.and_then(Path::to_str).filter(|path| path.contains(NUMBER)) {
            let output = context.output_to(out, true)?;
            output.check_rows()?;
            if let Some(MaxRows::Rows(rows)) = command.max_rows {
                cap = Some(rows);
            }
            let format = output.format();
            for (i, statement) in script.statements().iter().enumerate() {
                if statement.returns_rows() {
                    // Opened to see whether it can be; the file appears once it is whole.
                    Target::open(Some(&numbered(pattern, i + 1)))?;
                }
            }
            Form::Files(pattern.to_owned(), format)
        } else {
            let output = context.output_to(out, true)?;
            output.check_rows()?;
            let target = Target::open(out)?;
            cap = command.cap(&output, &target);
            let each = output.filters_each();
            match output.format() {
                Format::Json | Format::Auto | Format::Envelope if !each && context.columns().is_some() => {
                    return Err(Failure::usage("--columns can't choose from the array of several results")
                        .with_hint("name the columns in the statements, or use -o table"));
                }
                Format::Json | Format::Auto | Format::Envelope if !each => {
                    Form::Array(output.envelopes(target))
                }
                Format::Table | Format::Record | Format::Agent if out.is_none() => Form::Below(false),
                _ if returning == 0 && out.is_some() => {
                    return Err(Failure::usage(
                        "--out needs a statement that returns rows, and there is none",
                    ));
                }
                format if returning > 1 => {
                    return Err(one_table(if each { Format::Jsonl } else { format }, returning, out));
                }
                _ => Form::One(Some((output, target))),
            }
        };
        command.check_inline(form.format())?;
        let share = returning.max(1);
        if context.is_agent() && out.is_none() && share > MOST_PREVIEWS {
            let message = format!(
                "-o agent shows at most {MOST_PREVIEWS} results, and {returning} statements return rows"
            );
            return Err(Failure::usage(message)
                .with_hint(format!("run fewer at a time, or write files: --out 'q{NUMBER}.parquet'")));
        }
        let limits = command.limits();
        // The summaries of the further results take room, too.
        let rows = limits.bytes().saturating_sub(SUMMARY * (share - 1));
        let limits = limits.with_bytes(rows / share).with_heading(limits.heading() / share);
        let reads = |statement: &ScriptStatement| Statement::check_reads(statement.text()).is_ok();
        let is_safe_to_repeat = script.statements().iter().all(reads);
        Ok(Self::To(Box::new(Printer { context, form, cap, limits, is_safe_to_repeat })))
    }

    /// The most rows of a result to ask for.
    pub(super) fn cap(&self) -> Option<u64> {
        if let Self::To(printer) = self { printer.cap } else { None }
    }

    /// Whether someone still reads them.
    pub(super) fn are_open(&self) -> bool {
        matches!(self, Self::To(_))
    }

    /// Whether results without rows are printed, too.
    pub(super) fn takes_all(&self) -> bool {
        matches!(self, Self::To(printer) if matches!(printer.form, Form::Array(_)))
    }

    /// Whether the rows of a statement are written as record batches.
    pub(super) fn are_batches(&self, statement: &ScriptStatement) -> bool {
        let Self::To(printer) = self else { return false };
        statement.returns_rows() && matches!(printer.form.format(), Format::Arrow | Format::Parquet)
    }

    /// Runs a statement and writes its record batches. Returns the number of rows.
    pub(super) async fn batches(&mut self, statement: Statement, number: usize) -> Result<u64> {
        let Self::To(printer) = self else { return Ok(0) };
        let Printer { context, form, .. } = &mut **printer;
        let to = match form {
            Form::One(only) => only.take(),
            Form::Files(pattern, _) => {
                let path = numbered(pattern, number);
                Some((context.output_to(Some(&path), true)?, Target::open(Some(&path))?))
            }
            Form::Below(_) | Form::Array(_) => None,
        };
        match to {
            Some((output, target)) => batches(statement, &output, target, context).await,
            None => Ok(0),
        }
    }

    /// Prints the rows of a result.
    pub(super) async fn print(
        &mut self,
        result: StatementResult,
        number: usize,
        warehouse: &str,
        took: Duration,
    ) -> Result {
        let Self::To(printer) = self else { return Ok(()) };
        match printer.print(result, number, warehouse, took).await {
            // The reader is gone, such as `head`. That must not stop statements that change data.
            Err(failure) if failure.io().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) => {
                *self = Self::None;
                Ok(())
            }
            printed => printed,
        }
    }

    /// Notes in the array that a statement failed.
    pub(super) fn failed(&mut self, failure: &Failure) -> Result {
        let Self::To(printer) = self else { return Ok(()) };
        match &mut printer.form {
            Form::Array(envelopes) if failure.io().is_none() => {
                envelopes.element(&redact::text(&report::as_json(failure)))
            }
            _ => Ok(()),
        }
    }

    /// Ends what is still open.
    pub(super) fn end(self) -> Result {
        let Self::To(printer) = self else { return Ok(()) };
        match printer.form {
            Form::Array(envelopes) => envelopes.end(),
            _ => Ok(()),
        }
    }
}

impl Printer<'_> {
    async fn print(
        &mut self,
        mut result: StatementResult,
        number: usize,
        warehouse: &str,
        took: Duration,
    ) -> Result {
        let (context, cap) = (self.context, self.cap);
        let started = Instant::now().checked_sub(took).unwrap_or_else(Instant::now);
        match &mut self.form {
            Form::Below(has_some) => {
                context.progress().clear();
                if std::mem::replace(has_some, true) {
                    io::stdout().write_all(b"\n")?;
                }
                // All results together are as small as one.
                let limits = self.limits;
                let about = About { limits, is_safe_to_repeat: self.is_safe_to_repeat, ..About::default() };
                let output = context.output().started_at(started).with_cap(cap).with_about(about);
                print(result, output, Target::open(None)?, context).await
            }
            Form::Array(envelopes) => {
                envelopes.begin(result.columns())?;
                if io::stdout().is_terminal() {
                    context.progress().clear();
                }
                while let Some(rows) = result.next_rows().await? {
                    envelopes.rows(&rows)?;
                }
                let (truncated, id) = (result.is_truncated(), result.statement_id());
                let (id, warehouse) = (Some(id.to_owned()), Some(warehouse.to_owned()));
                let facts = Facts { truncated, statement_id: id, warehouse_id: warehouse, elapsed: took };
                let rows = envelopes.end_element(&facts)?;
                tell_truncated(truncated, rows, context);
                Ok(())
            }
            Form::One(only) => match only.take() {
                Some((output, target)) => {
                    print(result, output.started_at(started).with_cap(cap), target, context).await
                }
                None => Ok(()),
            },
            Form::Files(pattern, _) => {
                let path = numbered(pattern, number);
                let output = context.output_to(Some(&path), true)?.started_at(started).with_cap(cap);
                print(result, output, Target::open(Some(&path))?, context).await
            }
        }
    }
}

impl Form {
    fn format(&self) -> Format {
        match self {
            Self::Below(_) => Format::Table,
            Self::Array(_) => Format::Json,
            Self::One(Some((output, _))) => output.format(),
            Self::One(None) => Format::Auto,
            Self::Files(_, format) => *format,
        }
    }
}

fn one_table(format: Format, returning: usize, out: Option<&Path>) -> Failure {
    let name = format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let extension = out.and_then(Path::extension).map_or(name.clone(), |e| e.to_string_lossy().into_owned());
    let where_to = if out.is_some() { "this file" } else { "this format" };
    Failure::usage(format!("{where_to} holds one table, and {returning} statements return rows: {name}"))
        .with_hint(format!("use -o json, or a file for each: --out 'q{NUMBER}.{extension}'"))
}

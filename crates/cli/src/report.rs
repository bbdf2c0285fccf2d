//! How a command ends: the error on stderr, and the exit code. The only place that knows exit codes.

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

use brickwire_actions::{Error, ErrorKind};
use clap::ValueEnum;
use serde_json::json;

use crate::{
    color,
    failure::Failure,
    options::{BRICK_OUTPUT, Color, Format},
    terminal,
};

/// How a command ended.
pub(crate) enum Outcome {
    Done,
    /// With the exit code of a program that it ran.
    Exited(u8),
    Failed(Failure),
    /// By a signal, which this exit code stands for.
    Interrupted(u8),
}

fn exit_code(failure: &Failure) -> u8 {
    if let Some(code) = failure.exit_code() {
        return code;
    }
    match failure.kind() {
        // Reading or writing failed midway.
        _ if failure.io().is_some() => 1,
        ErrorKind::Usage => 2,
        ErrorKind::Configuration | ErrorKind::Local | ErrorKind::ReadOnly => 3,
        ErrorKind::Unauthenticated | ErrorKind::PermissionDenied => 4,
        ErrorKind::NotFound => 5,
        ErrorKind::Rejected => 6,
        ErrorKind::RateLimited
        | ErrorKind::Unavailable
        | ErrorKind::Unreachable
        | ErrorKind::UnknownOutcome => 7,
        ErrorKind::RemoteFailed => 8,
        ErrorKind::DeadlineExceeded => 9,
        _ => 1,
    }
}

/// Prints why the command failed, if it did, and returns the exit code.
pub(crate) fn finish(outcome: Outcome, format: Format) -> ExitCode {
    let (code, messages) = match outcome {
        Outcome::Done => return ExitCode::SUCCESS,
        Outcome::Exited(code) => return ExitCode::from(code),
        Outcome::Interrupted(code) => (code, vec!["interrupted".to_owned()]),
        // The reader of our output, such as `head`, is gone, which is not a failure.
        Outcome::Failed(failure) if failure.io().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) => {
            return ExitCode::SUCCESS;
        }
        Outcome::Failed(failure) => match format {
            Format::Json | Format::Jsonl | Format::Envelope | Format::Agent => {
                (exit_code(&failure), vec![as_json(&failure)])
            }
            _ => (exit_code(&failure), as_text(&failure)),
        },
    };
    terminal::tell_all(&messages.iter().map(String::as_str).collect::<Vec<_>>());
    ExitCode::from(code)
}

/// Prints what is wrong with the command line, or the requested help or version.
pub(crate) fn misread(error: &clap::Error) -> ExitCode {
    color::choose(color_asked());
    if error.use_stderr() && asks_for_json() {
        return finish(Outcome::Failed(usage_failure(error)), Format::Json);
    }
    print(error);
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Prints clap's text. It quotes the command line, which a script may have put together from other people's names.
fn print(error: &clap::Error) {
    let text = terminal::escaped_but_for_colors(&error.render().ansi().to_string());
    // Ignore the error: the stream may be closed.
    let _ = match error.use_stderr() {
        true => anstream::stderr().write_all(text.as_bytes()),
        false => anstream::stdout().write_all(text.as_bytes()),
    };
}

/// Whether an invalid command line requests JSON.
fn asks_for_json() -> bool {
    let words = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let mut words = words.take_while(|word| word != "--");
    let is_json = |format: &str| matches!(format, "json" | "jsonl" | "envelope" | "agent");
    let mut has_format = false;
    while let Some(word) = words.next() {
        if word == "--agent" {
            return true;
        }
        // `--output`, or `-o`, which may follow other short flags.
        let flag = word.strip_prefix('-').unwrap_or_default();
        let rest =
            flag.strip_prefix("-output").or_else(|| flag.trim_start_matches(['q', 'v']).strip_prefix('o'));
        let format = match rest {
            None => continue,
            Some("") => words.next().unwrap_or_default(),
            Some(rest) => rest.trim_start_matches('=').to_owned(),
        };
        if is_json(&format) {
            return true;
        }
        has_format = true;
    }
    !has_format && env::var(BRICK_OUTPUT).is_ok_and(|format| is_json(format.trim()))
}

/// When an invalid command line wants colors.
fn color_asked() -> Color {
    let words: Vec<_> = env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let value = |(at, word): (usize, &String)| match word.strip_prefix("--color")? {
        "" => words.get(at + 1).cloned(),
        rest => rest.strip_prefix('=').map(str::to_owned),
    };
    let asked = words.iter().take_while(|word| *word != "--").enumerate().filter_map(value).last();
    asked.and_then(|value| Color::from_str(&value, false).ok()).unwrap_or_default()
}

/// Clap's message has paragraphs: the problem, tips, the usage, and a pointer to the help.
fn usage_failure(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let paragraphs: Vec<String> = text
        .split("\n\n")
        .map(|paragraph| paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" "))
        .collect();
    let failure = Failure::usage(match error.kind() {
        clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "no command given",
        _ => paragraphs[0].trim_start_matches("error: "),
    });
    let is_hint = |text: &&String| text.starts_with("tip: ") || text.starts_with("Usage: ");
    let hints: Vec<&str> =
        paragraphs.iter().filter(is_hint).map(|text| text.trim_start_matches("tip: ")).collect();
    if hints.is_empty() { failure } else { failure.with_hint(hints.join("; ")) }
}

/// Prints an error and its hint, for people.
pub(crate) fn tell(failure: &Failure) {
    terminal::tell_all(&as_text(failure).iter().map(String::as_str).collect::<Vec<_>>());
}

/// The error and its hint.
fn as_text(failure: &Failure) -> Vec<String> {
    let message = failure.message_with_cause();
    let hint = failure.hint().map(|hint| format!("hint: {hint}"));
    [format!("error: {message}")].into_iter().chain(hint).collect()
}

/// One line for scripts. Every field is present, and null if unknown.
pub(crate) fn as_json(failure: &Failure) -> String {
    let error = failure.error();
    let fields = json!({
        "kind": failure.kind().as_str(),
        "message": failure.message(),
        "hint": failure.hint(),
        "http_status": error.and_then(Error::status),
        "error_code": error.and_then(Error::error_code).map(terminal::cut),
        "request_id": error.and_then(Error::request_id).map(terminal::cut),
        "operation": error.and_then(Error::operation),
        "attempts": error.map_or(0, Error::attempts),
        "retry_after_s": error.and_then(Error::retry_after).map(|d| d.as_secs_f64()),
        "statement_id": failure.statement_id(),
        "sql_state": error.and_then(Error::sql_state),
        "exit_code": exit_code(failure),
        "next": failure.next().map(terminal::cut),
        "source": failure.source(),
    });
    json!({ "error": fields }).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::output::{Output, Target, format_for};

    #[cfg(feature = "arrow")]
    fn interval_in_parquet() -> Option<Failure> {
        use arrow_schema::{DataType, Field, IntervalUnit, Schema};
        let late = Field::new("late", DataType::Interval(IntervalUnit::MonthDayNano), true);
        let (target, schema) = (Target::open(None).ok()?, Schema::new(vec![late]).into());
        crate::output::BatchPrinter::new(Format::Parquet, target, &schema, None).err()
    }

    #[test]
    fn a_hint_is_a_field_in_json_and_a_line_in_text() {
        let failures = [
            (format_for(Format::Auto, Some(Path::new("a.xlsx"))).err(), ".parquet"),
            (Target::open(Some(Path::new("/missing/a.csv"))).err(), "create the folder"),
            (Output::new(Format::Parquet, None).rows(Target::open(None).unwrap()).begin(&[]).err(), "csv"),
            #[cfg(feature = "arrow")]
            (interval_in_parquet(), "CAST"),
        ];
        for (failure, hint) in failures {
            let failure = failure.unwrap();
            let json: serde_json::Value = serde_json::from_str(&as_json(&failure)).unwrap();
            let [message, told] = ["message", "hint"].map(|name| json["error"][name].as_str().unwrap());
            assert!(told.contains(hint) && !message.contains('\n'), "{json}");
            assert_eq!(as_text(&failure), [format!("error: {message}"), format!("hint: {told}")]);
        }
    }
}

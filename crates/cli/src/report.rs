//! How a command ends: what stands on stderr, and the exit status. The only place that knows exit codes.

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use brickwire_actions::ErrorKind;
use serde_json::{Value, json};

use crate::args::Format;

/// How a command ended.
pub(crate) enum Outcome {
    Done,
    Failed(Failure),
    /// By a signal; the exit code stands for it.
    Interrupted(u8),
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The actions' error.
    Action(brickwire_actions::Error),
    /// The command line is wrong in a way that its grammar can't tell.
    Usage(String),
    /// This build or machine can't do it.
    Unable(String),
    /// Code that ran remotely failed; what it said has been printed.
    RemoteCode,
    /// An examination found a fault and has printed it.
    Fault { name: &'static str, kind: ErrorKind },
    /// Reading or writing failed.
    Io(io::Error),
}

impl From<brickwire_actions::Error> for Failure {
    fn from(error: brickwire_actions::Error) -> Self {
        Self::Action(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Io(error.into())
    }
}

impl Failure {
    /// A file that can't be read or written.
    pub(crate) fn file(path: &std::path::Path, error: &io::Error) -> Self {
        Self::Unable(format!("{error}: {}", path.display()))
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Unable(_) => 3,
            Self::RemoteCode => 8,
            Self::Io(_) => 1,
            Self::Fault { kind, .. } => code_of(*kind),
            Self::Action(error) => code_of(error.kind()),
        }
    }

    /// The reader of our output went away, as `head` does: that is no failure.
    fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// What a kind of failure exits with.
fn code_of(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Usage => 2,
        ErrorKind::Configuration | ErrorKind::Local => 3,
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

/// Says how it ended, and picks the exit status.
pub(crate) fn finish(outcome: Outcome, format: Option<Format>) -> ExitCode {
    let failure = match outcome {
        Outcome::Done => return ExitCode::SUCCESS,
        Outcome::Interrupted(code) => {
            let _ = writeln!(io::stderr(), "interrupted");
            return ExitCode::from(code);
        }
        Outcome::Failed(failure) => failure,
    };
    if failure.is_closed_pipe() {
        return ExitCode::SUCCESS;
    }
    let code = failure.exit_code();
    let text = match format {
        Some(Format::Json | Format::Jsonl) => as_json(&failure, code),
        _ => as_text(&failure),
    };
    if !text.is_empty() {
        let _ = writeln!(io::stderr(), "{text}");
    }
    ExitCode::from(code)
}

/// Says what is wrong with the command line, or prints the help or the version that it asks for.
pub(crate) fn misread(error: &clap::Error) -> ExitCode {
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    if error.use_stderr() && asks_for_json(std::env::args_os().skip(1)) {
        let _ = writeln!(io::stderr(), "{}", usage_as_json(error, code));
    } else {
        // Nobody may be reading; that is no reason to fail.
        let _ = error.print();
    }
    ExitCode::from(code)
}

/// Whether a command line that can't be read as a whole asks for JSON all the same.
fn asks_for_json(words: impl Iterator<Item = OsString>) -> bool {
    let mut words = words.map(|word| word.to_string_lossy().into_owned()).take_while(|word| word != "--");
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix('-') else { continue };
        // `--output`, or `-o`, which may stand behind other short flags.
        let rest =
            flag.strip_prefix("-output").or_else(|| flag.trim_start_matches(['q', 'v']).strip_prefix('o'));
        let format = match rest {
            None => continue,
            Some("") => words.next().unwrap_or_default(),
            Some(rest) => rest.trim_start_matches('=').to_owned(),
        };
        if matches!(format.as_str(), "json" | "jsonl") {
            return true;
        }
    }
    false
}

/// The parser's text is paragraphs: what is wrong, tips, the usage, and where to find the help.
fn usage_as_json(error: &clap::Error, exit_code: u8) -> String {
    let text = error.render().to_string();
    let paragraphs: Vec<String> = text
        .split("\n\n")
        .map(|paragraph| paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" "))
        .collect();
    let message = match error.kind() {
        clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "no command given",
        _ => paragraphs[0].trim_start_matches("error: "),
    };
    let is_hint = |text: &&String| text.starts_with("tip: ") || text.starts_with("Usage: ");
    let hints: Vec<&str> =
        paragraphs.iter().filter(is_hint).map(|text| text.trim_start_matches("tip: ")).collect();
    let hint = Some(hints.join("; ")).filter(|hint| !hint.is_empty());
    json!({ "error": local("usage", message, hint.as_deref(), exit_code) }).to_string()
}

fn as_text(failure: &Failure) -> String {
    match failure {
        Failure::Action(error) => {
            let hint = error.hint().map(|h| format!("\nhint: {h}")).unwrap_or_default();
            format!("error: {}{hint}", error.with_cause())
        }
        Failure::Usage(text) | Failure::Unable(text) => format!("error: {text}"),
        Failure::RemoteCode => String::new(),
        Failure::Fault { name, .. } => format!("error: the first fault is in {name}"),
        Failure::Io(error) => format!("error: {error}"),
    }
}

/// One line that scripts can rely on: every key is there, what isn't known is null.
fn as_json(failure: &Failure, exit_code: u8) -> String {
    let error = match failure {
        Failure::Action(e) => json!({
            "kind": e.kind().as_str(),
            "message": e.to_string(),
            "hint": e.hint(),
            "http_status": e.status(),
            "error_code": e.error_code(),
            "request_id": e.request_id(),
            "operation": e.operation(),
            "attempts": e.attempts(),
            "retry_after_s": e.retry_after().map(|d| d.as_secs_f64()),
            "statement_id": e.statement_id(),
            "sql_state": e.sql_state(),
            "exit_code": exit_code,
        }),
        other => {
            let (kind, message) = match other {
                Failure::Usage(text) => ("usage", text.clone()),
                Failure::Unable(text) => ("local", text.clone()),
                Failure::RemoteCode => ("remote_failed", "the code failed".to_owned()),
                Failure::Fault { name, kind } => (kind.as_str(), format!("the first fault is in {name}")),
                Failure::Io(error) => ("local", error.to_string()),
                Failure::Action(_) => unreachable!("handled above"),
            };
            local(kind, &message, None, exit_code)
        }
    };
    json!({ "error": error }).to_string()
}

/// An error of which no service knows.
fn local(kind: &str, message: &str, hint: Option<&str>, exit_code: u8) -> Value {
    json!({
        "kind": kind, "message": message, "hint": hint, "http_status": null, "error_code": null,
        "request_id": null, "operation": null, "attempts": 0, "retry_after_s": null, "statement_id": null,
        "sql_state": null, "exit_code": exit_code,
    })
}

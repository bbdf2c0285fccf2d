//! How a command ends: what stands on stderr, and the exit status. The only place that knows exit codes.

use std::{
    io::{self, Write},
    iter::successors,
    process::ExitCode,
};

use brickwire_actions::ErrorKind;
use serde_json::json;

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

fn as_text(failure: &Failure) -> String {
    match failure {
        Failure::Action(error) => {
            let hint = error.hint().map(|h| format!("\nhint: {h}")).unwrap_or_default();
            let mut causes = successors(std::error::Error::source(error), |e| e.source());
            // The text of an error names the innermost cause itself where that says more.
            let text = error.to_string();
            let complete = error.status().is_some() || error.kind() == ErrorKind::Unreachable;
            let told = complete || causes.clone().any(|c| text.contains(&c.to_string()));
            let cause = causes.next().filter(|_| !told).map(|c| format!(": {c}")).unwrap_or_default();
            format!("error: {text}{cause}{hint}")
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
            json!({
                "kind": kind, "message": message, "hint": null, "http_status": null, "error_code": null,
                "request_id": null, "operation": null, "attempts": 0, "retry_after_s": null, "statement_id": null,
                "sql_state": null, "exit_code": exit_code,
            })
        }
    };
    json!({ "error": error }).to_string()
}

//! Why a command failed, and what to do about it, as data. `report.rs` turns it into text or JSON and an exit code.

use std::{io, path::Path};

use brickwire_actions::{Error, ErrorKind};

use crate::{hint::in_cli_words, terminal};

/// The result of a command, or of a part of it.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    cause: Cause,
    hint: Option<String>,
    /// The statement whose rows could not be printed.
    statement_id: Option<String>,
}

#[derive(Debug)]
enum Cause {
    /// The library's error.
    Library(Error),
    /// An error of the command line itself.
    Own(ErrorKind, String),
    /// Reading or writing failed.
    Io(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Cause::Library(error).into()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Cause::Io(error).into()
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Cause::Io(error.into()).into()
    }
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self { cause, hint: None, statement_id: None }
    }
}

impl Failure {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Cause::Own(kind, message.into()).into()
    }

    /// The command line is invalid in a way that clap can't detect.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// This machine or this build can't do it.
    pub(crate) fn local(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Local, message)
    }

    /// A file that can't be read or written.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::local(format!("{error}: {}", path.display()))
    }

    /// This build lacks something that these Cargo features provide.
    #[cfg(not(all(feature = "arrow", feature = "jq", feature = "sandbox")))]
    pub(crate) fn not_built(what: &str, features: &str) -> Self {
        let install = format!("install it with `cargo install --path crates/cli --features {features}`");
        Self::local(format!("this build of brick has no {what}")).with_hint(install)
    }

    /// Code that ran remotely failed, and its output has been printed.
    pub(crate) fn remote_code() -> Self {
        Self::new(ErrorKind::RemoteFailed, "the code failed")
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the statement, which had succeeded when its rows could not be filtered.
    pub(crate) fn after_statement(mut self, id: &str) -> Self {
        self.statement_id = Some(id.to_owned());
        self.with_hint(format!(
            "the statement succeeded; `brick statements wait {id}` prints its rows without running it again"
        ))
    }

    /// The statement that it is about, if any.
    pub(crate) fn statement_id(&self) -> Option<&str> {
        self.statement_id.as_deref().or_else(|| self.error()?.statement_id())
    }

    /// What to do about it, in the words of the command line.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = self.hint.clone().or_else(|| self.error()?.hint().map(in_cli_words))?;
        Some(terminal::cut(&hint).into_owned())
    }

    pub(crate) fn kind(&self) -> ErrorKind {
        match &self.cause {
            Cause::Library(error) => error.kind(),
            Cause::Own(kind, _) => *kind,
            Cause::Io(_) => ErrorKind::Local,
        }
    }

    pub(crate) fn message(&self) -> String {
        match &self.cause {
            // Messages of the service may begin with an empty line.
            Cause::Library(error) => terminal::cut(error.to_string().trim()).into_owned(),
            Cause::Own(_, message) => message.clone(),
            Cause::Io(error) => error.to_string(),
        }
    }

    /// The library's error, if it is one.
    pub(crate) fn error(&self) -> Option<&Error> {
        if let Cause::Library(error) = &self.cause { Some(error) } else { None }
    }

    /// The error of reading or writing, if it is one.
    pub(crate) fn io(&self) -> Option<&io::Error> {
        if let Cause::Io(error) = &self.cause { Some(error) } else { None }
    }
}

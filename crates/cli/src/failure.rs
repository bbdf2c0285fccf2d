//! Why a command failed, and what to do about it, as data. `report.rs` turns it into text or JSON and an exit code.

use std::{io, path::Path};

use brickwire_actions::{Error, ErrorKind};
use serde::Serialize;

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
    /// A command line that goes on from here.
    next: Option<String>,
    // Boxed, because they are large and rare, and every command returns a failure.
    source: Option<Box<Place>>,
    frame: Option<Box<Frame>>,
    /// An exit code other than that of the kind.
    exit_code: Option<u8>,
}

/// What is put around the message of a part, such as a statement of a script.
#[derive(Debug, Clone)]
struct Frame {
    prefix: String,
    /// A part of the message, and what stands for it.
    replaced: Option<(String, String)>,
}

impl Frame {
    fn around(&self, message: &str) -> String {
        let message = match &self.replaced {
            Some((part, new)) => message.replacen(part, new, 1),
            None => message.to_owned(),
        };
        format!("{}: {message}", self.prefix)
    }
}

/// Where in the input a failure is. What isn't known is null.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Place {
    /// The file, as it was named; null for text from an argument or standard input.
    pub(crate) file: Option<String>,
    /// The line in the file or text, from 1.
    pub(crate) line: Option<usize>,
    /// The column in the line, from 1.
    pub(crate) column: Option<usize>,
    /// The number of the statement or cell, from 1.
    pub(crate) index: Option<usize>,
    /// How many statements or cells there are.
    pub(crate) count: Option<usize>,
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
        Self { cause, hint: None, statement_id: None, next: None, source: None, frame: None, exit_code: None }
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
    #[cfg(not(all(feature = "arrow", feature = "jq", feature = "mcp", feature = "sandbox")))]
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

    /// Adds another hint to the one that there is.
    pub(crate) fn and_hint(self, hint: &str) -> Self {
        let hint = [self.hint().as_deref().unwrap_or_default(), hint].join("; ");
        match hint.trim_matches([';', ' ']) {
            "" => self,
            hint => self.with_hint(hint),
        }
    }

    /// Sets the exit code, where it isn't that of the kind.
    #[cfg(feature = "sandbox")]
    pub(crate) fn exits_with(mut self, code: u8) -> Self {
        self.exit_code = Some(code);
        self
    }

    /// The exit code, where it isn't that of the kind.
    pub(crate) fn exit_code(&self) -> Option<u8> {
        self.exit_code
    }

    /// Adds a whole command line to run next, such as one that waits for what goes on.
    pub(crate) fn with_next(mut self, command: impl Into<String>) -> Self {
        self.next = Some(command.into());
        self
    }

    /// Takes the command line away, where it would lead nowhere.
    pub(crate) fn without_next(mut self) -> Self {
        self.next = None;
        self
    }

    /// Says what failed in front of the message, in which a part may be replaced.
    pub(crate) fn framed(mut self, prefix: impl Into<String>, replaced: Option<(String, String)>) -> Self {
        self.frame = Some(Box::new(Frame { prefix: prefix.into(), replaced }));
        self
    }

    /// Adds where in the input the failure is.
    pub(crate) fn at(mut self, place: Place) -> Self {
        self.source = Some(Box::new(place));
        self
    }

    /// Adds the statement, which had succeeded when its rows could not be filtered.
    pub(crate) fn after_statement(mut self, id: &str) -> Self {
        self.statement_id = Some(id.to_owned());
        self.with_next(format!("brick statements wait {id}")).with_hint(format!(
            "the statement succeeded; `brick statements wait {id}` prints its rows without running it again"
        ))
    }

    /// The statement that it is about, if any.
    pub(crate) fn statement_id(&self) -> Option<&str> {
        self.statement_id.as_deref().or_else(|| self.error()?.statement_id())
    }

    /// The command line to run next, if there is one.
    pub(crate) fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// Where in the input it is, if that is known.
    pub(crate) fn source(&self) -> Option<&Place> {
        self.source.as_deref()
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
        let message = match &self.cause {
            // Messages of the service may begin with an empty line.
            Cause::Library(error) => terminal::cut(error.to_string().trim()).into_owned(),
            Cause::Own(_, message) => message.clone(),
            Cause::Io(error) => error.to_string(),
        };
        self.in_frame(message)
    }

    /// The message, with what caused it.
    pub(crate) fn message_with_cause(&self) -> String {
        match &self.cause {
            Cause::Library(error) => self.in_frame(terminal::cut(&error.with_cause()).into_owned()),
            _ => self.message(),
        }
    }

    fn in_frame(&self, message: String) -> String {
        self.frame.as_ref().map_or(message.clone(), |frame| frame.around(&message))
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

//! Why a command failed, as data. `report.rs` makes the words and the exit status of it.

use std::{io, path::Path};

use brickwire_actions::{Error, ErrorKind};

/// How a command ends.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The actions' error.
    Action(Error),
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

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
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
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::Unable(format!("{error}: {}", path.display()))
    }

    /// What a build without the sandbox says of it.
    #[cfg(not(feature = "sandbox"))]
    pub(crate) fn without_sandbox() -> Self {
        Self::Unable(
            "this build of brick has no sandbox\nhint: install it with `cargo install brickwire-cli --features sandbox`"
                .to_owned(),
        )
    }

    /// The reader of our output went away, as `head` does: that is no failure.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

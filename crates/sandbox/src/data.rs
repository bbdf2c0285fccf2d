//! A directory that keeps a workspace from one run of the sandbox to the next.
//!
//! ```text
//! sandbox.json         whose directory this is: the credentials of the workspace, and what it must not change
//! sandbox.lock         locked while a sandbox uses the directory
//! services/NAME.json   what a service keeps
//! tables/index.json    catalogs, schemas, views, and which file has which table
//! tables/N.arrow       a table
//! parts/               files that are being written
//! ```
//!
//! Every file is written under another name and then renamed, so a sandbox that is killed leaves the files of its last
//! save. All of it is its owner's alone, since tokens and secrets are in it as plain text.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::NamedTempFile;

pub(crate) mod keeper;
mod tables;

const MAIN: &str = "sandbox.json";
const LOCK: &str = "sandbox.lock";
const PARTS: &str = "parts";
const SERVICES: &str = "services";
const TABLES: &str = "tables";
/// The version of what is in a directory. A change that this program couldn't read takes the next number.
const FORMAT: u64 = 1;

/// What a workspace is known by.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) token: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) workspace_id: u64,
    pub(crate) opened_ms: u64,
    pub(crate) port: u16,
}

/// See the module's documentation. Dropping it unlocks the directory.
pub(crate) struct DataDirectory {
    path: PathBuf,
    /// What the last run has left, if there was one.
    pub(crate) identity: Option<Identity>,
    _lock: File,
}

/// Locks a file. A process that is being started shares the lock of a sandbox that has just ended for a moment, until its
/// own program is loaded.
fn lock_soon(file: &File) -> Result<(), TryLockError> {
    for _ in 0..20 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(25)),
            done => return done,
        }
    }
    file.try_lock()
}

impl DataDirectory {
    /// Takes a directory, and makes it if there is none. Nothing is changed in one that isn't a sandbox's.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let shown = path.display();
        // Code in the workspace runs in other directories.
        let path = &std::path::absolute(path)?;
        let unusable = |error: io::Error| {
            io::Error::new(error.kind(), format!("cannot use {shown} as the data directory: {error}"))
        };
        private_directory(path).map_err(unusable)?;
        let main = path.join(MAIN);
        let is_new = !main.try_exists().map_err(unusable)?;
        if is_new {
            for entry in fs::read_dir(path).map_err(unusable)? {
                let name = entry.map_err(unusable)?.file_name();
                if name != LOCK {
                    let name = name.display();
                    return Err(refusal(format!(
                        "{shown} isn't the data directory of a sandbox, and it isn't empty: it contains {name}; name an \
                         empty directory or a new one"
                    )));
                }
            }
            restrict(path).map_err(unusable)?;
        }
        let lock = private_file(&path.join(LOCK)).map_err(unusable)?;
        match lock_soon(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text =
                    format!("the data directory {shown} is in use by another sandbox; end that one first");
                return Err(io::Error::new(ErrorKind::ResourceBusy, text));
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let identity = if is_new { None } else { Some(read_identity(&main)?) };
        // A sandbox that was killed has left them.
        for entry in fs::read_dir(path).map_err(unusable)? {
            let parts = entry.map_err(unusable)?.path();
            if parts.file_name().is_some_and(|name| name == PARTS)
                || parts.extension().is_some_and(|end| end == PARTS)
            {
                fs::remove_dir_all(&parts).map_err(unusable)?;
            }
        }
        for name in [PARTS, SERVICES, TABLES] {
            private_directory(&path.join(name)).map_err(unusable)?;
        }
        Ok(Self { path: path.to_owned(), identity, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn write_identity(&self, identity: &Identity) -> io::Result<()> {
        let mut whole = serde_json::to_value(identity)?;
        whole["format"] = FORMAT.into();
        self.write(MAIN, |file| Ok(serde_json::to_writer_pretty(file, &whole)?))
    }

    /// Writes a file as a whole or not at all.
    fn write(&self, name: &str, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let written = || {
            let mut part = NamedTempFile::new_in(self.path.join(PARTS))?;
            content(part.as_file_mut())?;
            part.as_file().sync_all()?;
            part.persist(self.path.join(name))?;
            Ok(())
        };
        written().map_err(|error: io::Error| {
            let path = self.path.join(name);
            io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
        })
    }

    /// The bytes of a file, if there is one.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let path = self.path.join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&path, error)),
        }
    }
}

fn read_identity(path: &Path) -> io::Result<Identity> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, error))?;
    let whole: Value = parsed(path, &bytes)?;
    match whole["format"].as_u64() {
        Some(FORMAT) => serde_json::from_value(whole).map_err(|error| damaged(path, error)),
        Some(newer) if newer > FORMAT => Err(refusal(format!(
            "{} was written by a newer sandbox: its format is {newer}, and this program knows formats up to {FORMAT}; use \
             the newer program, or name another data directory",
            path.display()
        ))),
        _ => Err(damaged(path, "it has no format")),
    }
}

fn parsed<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> io::Result<T> {
    serde_json::from_slice(bytes).map_err(|error| damaged(path, error))
}

fn damaged(path: &Path, error: impl std::fmt::Display) -> io::Error {
    let path = path.display();
    refusal(format!("{path} is damaged: {error}; put a copy in its place, or name another data directory"))
}

fn unreadable(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))
}

fn refusal(text: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, text)
}

/// Makes a directory for its owner alone, unless it is there.
fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Takes the rights of others to a directory.
fn restrict(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Opens a file for writing, and makes it for its owner alone if there is none.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

//! The sandboxes in the background: a folder of this user with these files for each.
//!
//! - `NAME.json` says where it is. It stays until the sandbox has ended, so that a sandbox that doesn't react can be found.
//! - `NAME.stop` asks the sandbox to stop, so nothing secret has to be kept for that. So does deleting `NAME.json`.
//! - `NAME.lock` is locked as long as the sandbox lives, also if it is killed: no process ID is ever trusted.
//! - `NAME.log` is its stderr.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Result};

/// How often it is checked whether a sandbox was asked to stop, or has ended.
const LOOK: Duration = Duration::from_millis(100);

/// What is known of a sandbox in the background.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) url: String,
    pub(super) pid: u32,
}

/// The files of one sandbox in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry(PathBuf);

impl Entry {
    /// The entry whose log this is.
    pub(super) fn of_log(path: &Path) -> Self {
        Self(path.to_owned())
    }

    fn record_file(&self) -> PathBuf {
        self.0.with_extension("json")
    }

    fn stop_file(&self) -> PathBuf {
        self.0.with_extension("stop")
    }

    fn lock_file(&self) -> PathBuf {
        self.0.with_extension("lock")
    }

    pub(super) fn log_file(&self) -> PathBuf {
        self.0.with_extension("log")
    }

    /// Where the sandbox is; `None` if it has ended.
    pub(super) fn record(&self) -> Option<Record> {
        serde_json::from_slice(&fs::read(self.record_file()).ok()?).ok()
    }

    fn has_ended(&self) -> bool {
        match File::open(self.lock_file()) {
            Ok(file) => file.try_lock().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Asks the sandbox to stop.
    pub(super) fn request_stop(&self) -> io::Result<()> {
        private().write(true).create(true).truncate(false).open(self.stop_file()).map(drop)
    }

    fn is_stop_requested(&self) -> bool {
        self.stop_file().exists() || !self.record_file().exists()
    }

    /// Waits until the sandbox is asked to stop.
    pub(super) async fn stop_requested(&self) {
        while !self.is_stop_requested() {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the sandbox has ended.
    pub(super) async fn ended(&self) {
        while !self.has_ended() {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Deletes the files of a sandbox that has ended.
    pub(super) fn forget(&self) {
        for file in [self.record_file(), self.stop_file(), self.lock_file(), self.log_file()] {
            // Another program may be deleting it, too.
            let _ = fs::remove_file(file);
        }
    }

    /// Registers the sandbox of this process.
    pub(super) fn register(&self, record: &Record) -> io::Result<Registered> {
        let lock = private().write(true).create(true).truncate(false).open(self.lock_file())?;
        lock.try_lock().map_err(io::Error::from)?;
        let registered = Registered { entry: self.clone(), _lock: lock };
        let new = self.0.with_extension("new");
        fs::write(&new, serde_json::to_vec(record)?)?;
        fs::rename(&new, self.record_file())?;
        Ok(registered)
    }
}

/// The registration of this process' sandbox. Its files are deleted when it is dropped.
pub(super) struct Registered {
    pub(super) entry: Entry,
    _lock: File,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.entry.forget();
    }
}

fn private() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The folder of the entries, created if there is none.
pub(super) fn folder() -> Result<PathBuf> {
    let base =
        choose_native_strategy().map(|all| all.state_dir().unwrap_or_else(|| all.data_dir())).map_err(
            |_| Failure::local("no home folder is known for the state of sandboxes in the background"),
        )?;
    let folder = base.join("brickwire").join("sandboxes");
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).map_err(|error| Failure::file(&folder, &error))?;
    Ok(folder)
}

/// An entry with an empty log.
pub(super) fn new_entry(folder: &Path) -> io::Result<(Entry, File)> {
    let log = tempfile::Builder::new().prefix("sandbox-").suffix(".log").tempfile_in(folder)?;
    let (file, path) = log.keep().map_err(|error| error.error)?;
    Ok((Entry::of_log(&path), file))
}

/// The sandboxes that live, with what is known of them. The files of those that have ended are deleted.
pub(super) fn running(folder: &Path) -> io::Result<Vec<(Entry, Record)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let entry = Entry(path.clone());
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") if entry.has_ended() => entry.forget(),
            Some("json") => found.extend(entry.record().map(|record| (entry, record))),
            _ => {}
        }
    }
    found.sort_by(|one, other| one.1.url.cmp(&other.1.url));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_lives_as_long_as_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let (entry, _) = new_entry(folder.path()).unwrap();
        let record = Record { url: "http://127.0.0.1:1".to_owned(), pid: 1 };
        let registered = entry.register(&record).unwrap();
        let found = running(folder.path()).unwrap();
        assert_eq!((found.len(), &found[0].0.log_file()), (1, &entry.log_file()));
        assert!(!entry.has_ended() && !entry.is_stop_requested());
        entry.request_stop().unwrap();
        entry.request_stop().unwrap();
        assert!(entry.is_stop_requested() && !entry.has_ended());
        // It has not reacted yet, and can still be found.
        assert_eq!(running(folder.path()).unwrap().len(), 1);
        drop(registered);
        assert!(entry.has_ended());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_sandbox_left_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["sandbox-a.json", "sandbox-a.lock", "sandbox-a.log"] {
            fs::write(folder.path().join(name), "{\"url\":\"http://127.0.0.1:1\",\"pid\":1}").unwrap();
        }
        // The log of one that is starting.
        let (starting, _) = new_entry(folder.path()).unwrap();
        assert!(running(folder.path()).unwrap().is_empty());
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [starting.log_file()]);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_an_entry() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (entry, _) = new_entry(folder.path()).unwrap();
        let record = Record { url: String::new(), pid: 1 };
        let _registered = entry.register(&record).unwrap();
        for file in [entry.lock_file(), entry.log_file()] {
            let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", file.display());
        }
    }
}

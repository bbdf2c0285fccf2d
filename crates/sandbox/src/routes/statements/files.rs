//! The chunk files of a result. They are deleted, and no longer counted, when this is dropped.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

/// How much all results of a sandbox take on disk. Clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct StoredBytes(Arc<AtomicU64>);

impl StoredBytes {
    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// See the module's documentation.
pub(super) struct ResultFiles {
    directory: TempDir,
    bytes: u64,
    stored: StoredBytes,
}

impl ResultFiles {
    pub(super) fn new(directory: TempDir, stored: StoredBytes) -> Self {
        Self { directory, bytes: 0, stored }
    }

    /// Writes a chunk into a file that only its owner can read.
    pub(super) fn write(&mut self, index: usize, body: &[u8]) -> io::Result<PathBuf> {
        let path = self.directory.path().join(index.to_string());
        let mut file = create(&path)?;
        // Counted first: what is written in part takes room, too.
        self.bytes += body.len() as u64;
        self.stored.0.fetch_add(body.len() as u64, Ordering::SeqCst);
        file.write_all(body)?;
        Ok(path)
    }
}

impl Drop for ResultFiles {
    fn drop(&mut self) {
        self.stored.0.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

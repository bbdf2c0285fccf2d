//! A folder of this machine as a tree of files that the API names by path. Nothing outside of it is reached: `..` is refused,
//! and symbolic links, which code in the workspace may create, are not followed.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use tempfile::{NamedTempFile, TempPath};

/// The most entries that a directory can list.
const MOST_ENTRIES: usize = 100_000;

/// A file or a directory of a tree.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) is_directory: bool,
    pub(crate) size: u64,
    pub(crate) modified_ms: u64,
}

impl Entry {
    pub(crate) fn new(name: String, known: &Metadata) -> Self {
        let since = known.modified().ok().and_then(|moment| moment.duration_since(UNIX_EPOCH).ok());
        let modified_ms = since.and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or_default();
        let size = if known.is_dir() { 0 } else { known.len() };
        Self { name, is_directory: known.is_dir(), size, modified_ms }
    }
}

/// See the module's documentation.
pub(crate) struct Tree {
    root: PathBuf,
    /// Where files are written before they get their names.
    parts: PathBuf,
}

impl Tree {
    /// The tree in a folder, which is created if it doesn't exist.
    pub(crate) fn new(root: PathBuf) -> Self {
        let parts = root.with_extension("parts");
        for folder in [&root, &parts] {
            if let Err(error) = fs::create_dir_all(folder) {
                // What needs the folder will fail, and say so.
                tracing::warn!(%error, "cannot create {}", folder.display());
            }
        }
        Self { root, parts }
    }

    /// Where a path leads; an empty path leads to the root.
    ///
    /// # Errors
    /// `InvalidInput` for a path that leads out of the tree, `PermissionDenied` for one through a symbolic link.
    pub(crate) fn path(&self, path: &str) -> io::Result<PathBuf> {
        let mut found = self.root.clone();
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let is_plain = Path::new(segment).components().count() == 1 && !segment.contains(['\0', '\\']);
            if matches!(segment, "." | "..") || !is_plain {
                return Err(io::Error::new(ErrorKind::InvalidInput, format!("not a name: {segment:?}")));
            }
            found.push(segment);
            if found.symlink_metadata().is_ok_and(|known| known.is_symlink()) {
                return Err(ErrorKind::PermissionDenied.into());
            }
        }
        Ok(found)
    }

    pub(crate) fn entry(&self, path: &str) -> io::Result<Entry> {
        let known = self.path(path)?.symlink_metadata()?;
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        Ok(Entry::new(name.to_owned(), &known))
    }

    /// What is in a directory, by name. Symbolic links, and names that are no text, are left out.
    pub(crate) fn entries(&self, path: &str) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for found in fs::read_dir(self.path(path)?)?.take(MOST_ENTRIES) {
            let found = found?;
            let (Ok(known), Ok(name)) = (found.metadata(), found.file_name().into_string()) else { continue };
            if !known.is_symlink() {
                entries.push(Entry::new(name, &known));
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    pub(crate) fn create_directories(&self, path: &str) -> io::Result<()> {
        let created = self.path(path)?;
        fs::create_dir_all(&created)?;
        if created.is_dir() { Ok(()) } else { Err(ErrorKind::AlreadyExists.into()) }
    }

    /// A new file without a name.
    pub(crate) fn new_file(&self) -> io::Result<NamedTempFile> {
        NamedTempFile::new_in(&self.parts)
    }

    /// Gives a new file its name, and creates missing directories.
    pub(crate) fn keep(&self, file: TempPath, path: &str, overwrite: bool) -> io::Result<()> {
        let target = self.path(path)?;
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        if target.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        let kept = if overwrite { file.persist(&target) } else { file.persist_noclobber(&target) };
        kept.map_err(|error| error.error)
    }

    /// Writes a file at once.
    pub(crate) fn write(&self, path: &str, content: &[u8], overwrite: bool) -> io::Result<()> {
        let mut file = self.new_file()?;
        io::Write::write_all(&mut file, content)?;
        self.keep(file.into_temp_path(), path, overwrite)
    }

    pub(crate) fn remove_file(&self, path: &str) -> io::Result<()> {
        let known = self.path(path)?;
        if known.is_dir() { Err(ErrorKind::IsADirectory.into()) } else { fs::remove_file(known) }
    }

    /// Removes an empty directory.
    pub(crate) fn remove_directory(&self, path: &str) -> io::Result<()> {
        fs::remove_dir(self.path(path)?)
    }

    /// Removes a directory with all that is in it.
    pub(crate) fn remove_all(&self, path: &str) -> io::Result<()> {
        fs::remove_dir_all(self.path(path)?)
    }

    /// Moves a file or a directory to where nothing is.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.path(from)?, self.path(to)?);
        from.symlink_metadata()?;
        if to.symlink_metadata().is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        fs::rename(from, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_is_reached() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::new(folder.path().join("root"));
        fs::write(folder.path().join("secret"), "s3cret").unwrap();
        for path in ["../secret", "a/../../secret", "a/./b", "a\0b", "a\\b"] {
            assert_eq!(tree.path(path).unwrap_err().kind(), ErrorKind::InvalidInput, "{path:?}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path(), folder.path().join("root/link")).unwrap();
            for path in ["link", "link/secret"] {
                assert_eq!(tree.entry(path).err().unwrap().kind(), ErrorKind::PermissionDenied, "{path}");
            }
            assert!(tree.entries("").unwrap().is_empty());
        }
    }

    #[test]
    fn a_file_gets_its_name_once_and_its_directories_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::new(folder.path().join("root"));
        tree.write("a/b/ü 1%", b"one", false).unwrap();
        assert_eq!(tree.write("a/b/ü 1%", b"two", false).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(tree.entry("a/b/ü 1%").unwrap().size, 3);
        assert_eq!(tree.write("a/b", b"x", true).unwrap_err().kind(), ErrorKind::IsADirectory);
        assert_eq!(tree.remove_file("a").unwrap_err().kind(), ErrorKind::IsADirectory);
        assert_eq!(tree.remove_directory("a").unwrap_err().kind(), ErrorKind::DirectoryNotEmpty);
        assert_eq!(tree.rename("a", "a").unwrap_err().kind(), ErrorKind::AlreadyExists);
        tree.rename("a/b", "c").unwrap();
        let names: Vec<_> = tree.entries("").unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["a", "c"]);
    }
}

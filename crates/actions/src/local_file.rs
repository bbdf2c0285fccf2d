//! A file of this machine that is downloaded: it gets its name once it is complete, so that no one takes a part of it for
//! the whole. A device or a pipe is written to directly.

use std::{
    fs::{self, Metadata, OpenOptions},
    io,
    path::{self, Path, PathBuf},
};

use tempfile::TempPath;
use tokio::{fs::File, io::AsyncWriteExt};

use crate::{
    Error, ErrorKind, Result,
    local_name::{is_possible, replace},
};

/// A file on its way.
pub(crate) struct LocalFile {
    file: File,
    path: PathBuf,
    /// The temporary file that becomes `path`; `None` for a device or a pipe.
    part: Option<TempPath>,
    overwrite: bool,
}

impl LocalFile {
    /// Opens it. Called before anything is sent, so that a file that can't be written is reported first.
    ///
    /// # Errors
    /// [`ErrorKind::Local`] for a file that exists, unless it may be replaced, and for a place that can't be written to.
    pub(crate) fn create(path: &Path, overwrite: bool) -> Result<Self> {
        let known = fs::metadata(path).ok();
        if known.as_ref().is_some_and(Metadata::is_dir)
            || path.to_string_lossy().ends_with(path::is_separator)
        {
            return Err(local("this is a folder", path));
        }
        if path.file_name().is_some_and(|name| !is_possible(&name.to_string_lossy(), cfg!(windows))) {
            return Err(local("Windows does not allow this name for a file", path));
        }
        let is_file = known.as_ref().is_none_or(Metadata::is_file);
        if known.is_some() && is_file && !overwrite {
            return Err(exists(path));
        }
        let opened = match &known {
            Some(_) if !is_file => {
                OpenOptions::new().write(true).open(path).map(|file| (file, path.to_owned(), None))
            }
            // Replaces the file that a link points to, not the link.
            Some(known) => fs::canonicalize(path).and_then(|path| beside(path, Some(known))),
            None => beside(path.to_owned(), None),
        };
        let (file, path, part) = opened.map_err(|error| unwritable(path, &error))?;
        Ok(Self { file: File::from_std(file), path, part, overwrite })
    }

    /// Where the bytes go.
    pub(crate) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Writes these bytes, and gives the file its name.
    ///
    /// # Errors
    /// As for [`keep`](Self::keep).
    pub(crate) async fn write(mut self, content: &[u8]) -> Result<()> {
        self.file.write_all(content).await.map_err(|error| unwritable(&self.path, &error))?;
        self.keep().await
    }

    /// Finishes writing and gives the file its name.
    ///
    /// # Errors
    /// [`ErrorKind::Local`] if something has got that name meanwhile and may not be replaced, or if writing fails.
    pub(crate) async fn keep(mut self) -> Result<()> {
        self.file.flush().await.map_err(|error| unwritable(&self.path, &error))?;
        let Some(part) = self.part else { return Ok(()) };
        let named = match self.overwrite {
            true => replace(part, &self.path),
            false => part.persist_noclobber(&self.path).map_err(|error| error.error),
        };
        named.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(&self.path),
            _ => unwritable(&self.path, &error),
        })
    }
}

/// Creates a temporary file in the same folder, with the permissions of a new file or of the one it replaces.
fn beside(path: PathBuf, replaced: Option<&Metadata>) -> io::Result<(fs::File, PathBuf, Option<TempPath>)> {
    // A name of the greatest length, 255 bytes, leaves no room for more.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix: String = std::iter::once('.').chain(name.chars().take(50)).chain(['.']).collect();
    let mut new = tempfile::Builder::new();
    new.prefix(&prefix).suffix(".part");
    #[cfg(unix)]
    new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The message has the temporary name; the kind says what is wrong.
    let new = new.tempfile_in(folder).map_err(|error| io::Error::from(error.kind()))?;
    if let (Some(replaced), true) = (replaced, cfg!(unix)) {
        new.as_file().set_permissions(replaced.permissions())?;
    }
    let (file, part) = new.into_parts();
    Ok((file, path, Some(part)))
}

/// The error of writing to a file.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Error {
    let failed = local(&format!("cannot write this file: {error}"), path);
    match path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        Some(folder) => local("there is no such folder", folder).with_hint("create the folder first"),
        None => failed,
    }
}

/// The error about a file that may not be replaced.
pub(crate) fn exists(path: &Path) -> Error {
    local("the file exists", path).with_hint("set `overwrite` to replace it")
}

fn local(what: &str, path: &Path) -> Error {
    Error::new(ErrorKind::Local, format!("{what}: {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn write(path: &Path, text: &str, overwrite: bool) -> Result<()> {
        LocalFile::create(path, overwrite)?.write(text.as_bytes()).await
    }

    #[tokio::test]
    async fn nothing_is_replaced_unless_asked_and_a_part_is_never_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ü".repeat(100));
        write(&path, "one", false).await.unwrap();
        let error = write(&path, "two", false).await.unwrap_err();
        assert_eq!((error.kind(), error.hint()), (ErrorKind::Local, Some("set `overwrite` to replace it")));
        // It appears while another is written.
        fs::remove_file(&path).unwrap();
        let slow = LocalFile::create(&path, false).unwrap();
        fs::write(&path, "one").unwrap();
        assert!(slow.keep().await.unwrap_err().to_string().starts_with("the file exists: "));
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        write(&path, "two", true).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        drop(LocalFile::create(&path, true).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_place_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(folder.path(), "", true).await.unwrap_err();
        assert!(error.to_string().starts_with("this is a folder: "), "{error}");
        let error = write(&folder.path().join("missing/file"), "", true).await.unwrap_err();
        assert!(error.to_string().starts_with("there is no such folder: "), "{error}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_stays_and_permissions_are_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        write(&link, "two", true).await.unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}

//! Everything below a directory.

use std::vec;

use brickwire_client::types::DirectoryEntry;

use super::Files;
use crate::{Result, remote_path};

/// The entries below a directory: those of a directory come together, and a directory before what is in it. In memory are
/// the entries of one directory, and the paths of those that are still to be listed.
#[derive(Debug)]
pub struct Walk {
    files: Files,
    /// Paths to be listed, the next one last.
    directories: Vec<String>,
    entries: vec::IntoIter<DirectoryEntry>,
    /// The directory that has the entries.
    current: String,
}

impl Files {
    /// All that is below a directory, at any depth. Nothing is sent before the first entry is asked for.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let mut walk = workspace.files().walk("/Volumes/main/default/files");
    /// while let Some(entry) = walk.next().await {
    ///     println!("{:?}", entry?.path);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn walk(&self, path: &str) -> Walk {
        Walk {
            files: self.clone(),
            directories: vec![path.to_owned()],
            entries: Vec::new().into_iter(),
            current: String::new(),
        }
    }
}

impl Walk {
    /// The next entry, with its path. `None` at the end, and after an error.
    ///
    /// # Errors
    /// As for [`Files::list`]; [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) for an entry whose
    /// name leads elsewhere, such as `..`. Operation: `directories_list`.
    pub async fn next(&mut self) -> Option<Result<DirectoryEntry>> {
        let entry = self.advance().await.transpose()?;
        if entry.is_err() {
            self.directories.clear();
            self.entries = Vec::new().into_iter();
        }
        Some(entry)
    }

    async fn advance(&mut self) -> Result<Option<DirectoryEntry>> {
        loop {
            if let Some(mut entry) = self.entries.next() {
                let path = remote_path::entry(&self.current, entry.name.as_deref(), entry.path.as_deref())?;
                if entry.is_directory == Some(true) {
                    self.directories.push(path.clone());
                }
                entry.path = Some(path);
                return Ok(Some(entry));
            }
            let Some(next) = self.directories.pop() else { return Ok(None) };
            self.current = remote_path::directory(&next)?;
            self.entries = self.files.list(&self.current).await?.into_items().into_iter();
        }
    }
}

//! Files and directories in volumes, by path: `/Volumes/catalog/schema/volume/…`.
//!
//! - Bytes travel as they are and are never held in memory. An upload may take as long as it needs.
//! - An upload that breaks off is repeated only if that is safe: the file may be replaced and the content can be read
//!   again. Else its outcome is unknown.
//! - A download that breaks off continues where it stopped. A file that changes meanwhile is an error.
//! - `overwrite` is always sent, because its default has changed over time.
//! - Names that the service lists become local paths, so a name with a slash or `..` is an error.

mod download;
mod upload;
mod walk;

use std::time::SystemTime;

use brickwire_client::{Call, operations, types};
use brickwire_wire::time;
use futures_util::{StreamExt, stream::FuturesUnordered};
use http::{HeaderMap, HeaderValue, header};
use serde_json::value::RawValue;

pub use self::walk::Walk;
use crate::{Error, ErrorKind, List, Result, Workspace, list, remote_path};

/// The largest file that the service takes in one request: 5 GiB, in bytes.
pub(crate) const LARGEST: u64 = 5 << 30;

/// How many files are deleted at once: the service takes 10 requests at once from a workspace.
const AT_ONCE: usize = 5;

/// The files of a workspace's volumes.
#[derive(Debug, Clone)]
pub struct Files {
    workspace: Workspace,
}

impl Workspace {
    /// Files and directories in volumes.
    pub fn files(&self) -> Files {
        Files { workspace: self.clone() }
    }
}

/// What is known of a file without its content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileMetadata {
    /// The length in bytes.
    pub length: Option<u64>,
    /// The media type, mostly `application/octet-stream`.
    pub content_type: Option<String>,
    /// When it last changed, in whole seconds.
    pub last_modified: Option<SystemTime>,
}

impl FileMetadata {
    fn read(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        Self {
            length: text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            content_type: text(header::CONTENT_TYPE).map(str::to_owned),
            last_modified: text(header::LAST_MODIFIED).and_then(time::parse_http_date),
        }
    }
}

impl Files {
    /// Gets the length and the date of a file. The path of a directory is not found here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let metadata = workspace.files().metadata("/Volumes/main/default/files/a.csv").await?;
    /// println!("{:?} bytes", metadata.length);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a path that is no file. Operation: `files_get_metadata`.
    pub async fn metadata(&self, path: &str) -> Result<FileMetadata> {
        let path = remote_path::file(path)?;
        let call = self.call(&operations::FILES_GET_METADATA).path_with_slashes("file_path", &path);
        // The length of a packed body would be another one.
        let call = call.with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let answer = call.send_raw().await.map_err(|error| about(&path, error))?;
        Ok(FileMetadata::read(&answer.headers))
    }

    /// Whether a path is a directory. The root of a volume is one.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// assert!(workspace.files().is_directory("/Volumes/main/default/files").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call; a path that doesn't exist is not an error. Operation: `directories_get_metadata`.
    pub async fn is_directory(&self, path: &str) -> Result<bool> {
        let path = remote_path::directory(path)?;
        match self.workspace.client().directories_get_metadata(&path).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lists what is in a directory, one level deep, page after page.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for entry in &workspace.files().list("/Volumes/main/default/files").await? {
    ///     println!("{:?} {:?}", entry.name, entry.file_size);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a directory that doesn't exist; an empty one is not an
    /// error. Operation: `directories_list`.
    pub async fn list(&self, path: &str) -> Result<List<types::DirectoryEntry>> {
        list::decoded(self.list_json(path).await?, "contents")
    }

    /// Lists a directory as JSON, each entry as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for entry in workspace.files().list_json("/Volumes/main/default/files").await? {
    ///     println!("{entry}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, path: &str) -> Result<Vec<Box<RawValue>>> {
        let path = remote_path::directory(path)?;
        let page = |page_token: Option<String>| {
            let query = types::DirectoriesListQuery { page_token, ..Default::default() };
            let call = self.call(&operations::DIRECTORIES_LIST).path_with_slashes("directory_path", &path);
            call.query_object(&query)
        };
        list::json(page, "contents").await.map_err(|error| about(&path, error))
    }

    /// Creates a directory and its missing parents. One that exists is not an error.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.files().create_directory("/Volumes/main/default/files/2026/11").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such volume,
    /// [`ErrorKind::Rejected`] if a file is in the way. Operation: `directories_create`.
    pub async fn create_directory(&self, path: &str) -> Result<()> {
        let path = remote_path::directory(path)?;
        self.workspace.client().directories_create(&path).await.map(drop).map_err(|error| about(&path, error))
    }

    /// Deletes a file.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.files().delete("/Volumes/main/default/files/a.csv").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a path that is no file, or if an attempt whose answer was
    /// lost has deleted it. Operation: `files_delete`.
    pub async fn delete(&self, path: &str) -> Result<()> {
        let path = remote_path::file(path)?;
        self.workspace.client().files_delete(&path).await.map(drop).map_err(|error| about(&path, error))
    }

    /// Deletes an empty directory.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.files().delete_directory("/Volumes/main/default/files/2026").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`] for a directory that isn't empty,
    /// [`ErrorKind::NotFound`] for a path that is no directory, or if an attempt whose answer
    /// was lost has deleted it. Operation: `directories_delete`.
    pub async fn delete_directory(&self, path: &str) -> Result<()> {
        let path = remote_path::directory(path)?;
        self.workspace.client().directories_delete(&path).await.map(drop).map_err(|error| about(&path, error))
    }

    /// Deletes a directory in a volume with all that is in it, and returns how many files that were.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let files = workspace.files().delete_all("/Volumes/main/default/files/2026").await?;
    /// println!("{files} files");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a volume, for what is above it, and for a path outside of volumes. Otherwise the first
    /// error of any of its calls, after which a part may be deleted. What is gone already is not an error.
    /// Operations: `directories_list`, `files_delete`, `directories_delete`.
    pub async fn delete_all(&self, path: &str) -> Result<u64> {
        let top = remote_path::directory(path)?;
        // `/Volumes/catalog/schema/volume/directory`
        let is_in_volume = top.strip_prefix("/Volumes/").is_some_and(|below| below.split('/').count() >= 4);
        if !is_in_volume {
            return Err(Error::usage(format!("this is not a directory in a volume: {top}")).with_hint(
                "name a directory in the form /Volumes/catalog/schema/volume/directory, or delete the volume",
            ));
        }
        let (mut walk, mut directories, mut count) = (self.walk(&top), vec![top.clone()], 0);
        let mut deleting = FuturesUnordered::new();
        while let Some(entry) = walk.next().await {
            let entry = entry?;
            let path = entry.path.unwrap_or_default();
            if entry.is_directory == Some(true) {
                directories.push(path);
                continue;
            }
            if deleting.len() == AT_ONCE {
                deleting.next().await.unwrap_or(Ok(()))?;
            }
            count += 1;
            deleting.push(async move { or_gone(self.delete(&path).await) });
        }
        while let Some(deleted) = deleting.next().await {
            deleted?;
        }
        // Those below come after their parents.
        for directory in directories.iter().rev() {
            or_gone(self.delete_directory(directory).await)?;
        }
        Ok(count)
    }

    fn call(&self, operation: &brickwire_wire::OperationInfo) -> Call {
        self.workspace.client().call(operation)
    }
}

/// What is gone need not be deleted.
fn or_gone(deleted: Result<()>) -> Result<()> {
    deleted.or_else(|error| if error.is_not_found() { Ok(()) } else { Err(error) })
}

/// Names the path in an error that doesn't: an answer to HEAD has no message, and a lost answer none at all.
fn about(path: &str, error: Error) -> Error {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::Local | ErrorKind::Usage => error,
        _ if text.contains(path) => error,
        _ => error.with_message(format!("{text}: {path}")),
    }
}

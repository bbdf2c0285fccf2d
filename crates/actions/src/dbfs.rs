//! DBFS: files and directories of an older store that the whole workspace shares. New files belong in volumes.
//!
//! - Content goes in blocks of 1 MiB. A block that is sent twice is in the file twice, so a block whose answer is lost is
//!   never sent again: the file is written again from its start, if the content can be read again.
//! - A file is visible while it is written. One that can't be completed is deleted again, as far as that works.

mod read;
mod write;

use std::time::Duration;

use brickwire_client::{Call, ResponseValue, operations, types};
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::{ErrorKind, List, Result, RetryPolicy, Workspace, document, list, remote_path};

/// What messages call one.
const NOUN: &str = "file";

/// The largest block, in bytes.
const BLOCK: usize = 1 << 20;

/// How often a deletion that the service ends halfway is continued.
const MOST_DELETIONS: u32 = 1000;

/// How long a deletion is retried that makes no progress, and how often without an answer.
const BUDGET: Duration = Duration::from_secs(5 * 60);
const MOST_LOST: u32 = 3;

/// The first pause between two attempts, which doubles, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The DBFS of a workspace.
#[derive(Debug, Clone)]
pub struct Dbfs {
    workspace: Workspace,
}

impl Workspace {
    /// DBFS, an older store of files that the whole workspace shares.
    pub fn dbfs(&self) -> Dbfs {
        Dbfs { workspace: self.clone() }
    }
}

impl Dbfs {
    /// Lists what is in a directory, one level deep. The path of a file lists that file.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for file in &workspace.dbfs().list("dbfs:/tmp").await? {
    ///     println!("{:?} {:?}", file.path, file.file_size);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for a path that doesn't exist; an empty directory is not an
    /// error. Operation: `dbfs_list`.
    pub async fn list(&self, path: &str) -> Result<List<types::DbfsFileInfo>> {
        list::decoded(self.list_json(path).await?, "files")
    }

    /// Lists a directory as JSON, each entry as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for file in workspace.dbfs().list_json("dbfs:/tmp").await? {
    ///     println!("{file}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, path: &str) -> Result<Vec<Box<RawValue>>> {
        let path = remote_path::directory(path)?;
        list::json(|_| self.workspace.client().call(&operations::DBFS_LIST).query("path", &path), "files")
            .await
    }

    /// Gets the length and the date of a file or a directory.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.dbfs().get_status("dbfs:/tmp/a.csv").await?.file_size);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for a path that doesn't exist. Operation: `dbfs_get_status`.
    pub async fn get_status(&self, path: &str) -> Result<ResponseValue<types::DbfsFileInfo>> {
        let path = remote_path::directory(path)?;
        let answer = self.workspace.client().dbfs_get_status(&path).await?;
        document::about(answer, NOUN, &path, |file| {
            file.path.as_deref().map(|path| path.trim_start_matches("dbfs:"))
        })
    }

    /// Creates a directory and its missing parents. One that exists is not an error.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.dbfs().create_directory("dbfs:/tmp/2026").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) if a file is in the way. Operation: `dbfs_mkdirs`.
    pub async fn create_directory(&self, path: &str) -> Result<()> {
        let path = remote_path::directory(path)?;
        self.workspace.client().dbfs_mkdirs(&types::DbfsMkdirs { path }).await.map(drop)
    }

    /// Deletes a file or an empty directory, or, if `recursive`, a directory with all that is in it. The service deletes
    /// many files in several steps; all of them are waited for.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.dbfs().delete("dbfs:/tmp/2026", true).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a path that doesn't exist, [`ErrorKind::Usage`] for the root. Operation: `dbfs_delete`.
    pub async fn delete(&self, path: &str, recursive: bool) -> Result<()> {
        let path = remote_path::directory(path)?;
        if path == "/" {
            return Err(crate::Error::usage("the root of DBFS can't be deleted"));
        }
        let body = types::DbfsDelete { path, recursive: Some(recursive) };
        let (mut steps, mut failures, mut may_have_run, mut since) = (0, 0, false, Instant::now());
        loop {
            // A partial deletion is a 503 after 45 seconds of work, which would use up the budget of other retries.
            let call = self.call(&operations::DBFS_DELETE).json(&body).with_retry(RetryPolicy::never());
            let error = match call.send::<types::EmptyResponse>().await {
                // An attempt before has deleted the rest.
                Err(error) if error.is_not_found() && may_have_run => return Ok(()),
                Err(error) => error,
                Ok(_) => return Ok(()),
            };
            let is_again = if error.error_code() == Some("PARTIAL_DELETE") {
                (steps, failures, since) = (steps + 1, 0, Instant::now());
                steps < MOST_DELETIONS
            } else {
                failures += 1;
                let is_answered = error.status().is_some();
                error.is_retryable() && since.elapsed() < BUDGET && (is_answered || failures < MOST_LOST)
            };
            if !is_again {
                return Err(error);
            }
            may_have_run |= error.kind() != ErrorKind::RateLimited;
            let step = FIRST_PAUSE.saturating_mul(1 << (steps + failures - 1).min(5)).min(LONGEST_PAUSE);
            let pause = step.mul_f64(fastrand::f64()).max(error.retry_after().unwrap_or_default());
            if self.workspace.wire().deadline().is_some_and(|end| end < Instant::now() + pause) {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Moves a file, or a directory with all that is in it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.dbfs().rename("dbfs:/tmp/a.csv", "dbfs:/tmp/b.csv").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for a source that doesn't exist,
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a destination that does,
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the answer is lost. Operation: `dbfs_move`.
    pub async fn rename(&self, from: &str, to: &str) -> Result<()> {
        let (source_path, destination_path) = (remote_path::directory(from)?, remote_path::directory(to)?);
        let body = types::DbfsMove { source_path, destination_path };
        self.workspace.client().dbfs_move(&body).await.map(drop)
    }

    fn call(&self, operation: &brickwire_wire::OperationInfo) -> Call {
        self.workspace.client().call(operation)
    }
}

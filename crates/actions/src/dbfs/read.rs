//! Reads a file of DBFS, part by part.

use std::{io, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_client::{operations, types};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{BLOCK, Dbfs};
use crate::{
    Error, ErrorKind, Result,
    content::Report,
    local_file::{LocalFile, unwritable},
    remote_path,
};

impl Dbfs {
    /// Downloads a file into a writer, and returns how many bytes that were. The writer has a part of them if the
    /// download fails.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let mut bytes = Vec::new();
    /// workspace.dbfs().download("dbfs:/tmp/a.csv", &mut bytes).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a path that doesn't exist, [`ErrorKind::Rejected`] for a directory,
    /// [`ErrorKind::UnexpectedResponse`] if the file has another length at the end, [`ErrorKind::Local`] if writing
    /// fails. Operations: `dbfs_get_status`, `dbfs_read`.
    pub async fn download(&self, path: &str, to: &mut (impl AsyncWrite + Send + Unpin)) -> Result<u64> {
        self.write_to(path, to, |error| Error::new(ErrorKind::Local, format!("cannot write: {error}"))).await
    }

    /// Downloads a file into one of this machine, and returns how many bytes that were. The file gets its name once it is
    /// complete.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.dbfs().download_file("dbfs:/tmp/a.csv", "a.csv".as_ref(), false).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`download`](Self::download), and [`ErrorKind::Local`] before anything is sent if the file exists and
    /// `overwrite` is false, or can't be written. Operations: `dbfs_get_status`, `dbfs_read`.
    pub async fn download_file(&self, path: &str, to: &Path, overwrite: bool) -> Result<u64> {
        remote_path::file(path)?;
        let mut file = LocalFile::create(to, overwrite)?;
        let bytes = self.write_to(path, file.file(), |error| unwritable(to, error)).await?;
        file.keep().await?;
        Ok(bytes)
    }

    async fn write_to<W: AsyncWrite + Send + Unpin>(
        &self,
        path: &str,
        writer: &mut W,
        failed: impl Fn(&io::Error) -> Error,
    ) -> Result<u64> {
        let path = remote_path::file(path)?;
        let status = self.get_status(&path).await?;
        if status.is_dir == Some(true) {
            return Err(Error::new(ErrorKind::Rejected, format!("this is a directory, not a file: {path}")));
        }
        let total = status.file_size.and_then(|size| u64::try_from(size).ok());
        let report = Report::new(self.workspace.events(), &path);
        let mut done = 0;
        loop {
            let block = self.block(&path, done).await?;
            writer.write_all(&block).await.map_err(|error| failed(&error))?;
            done += block.len() as u64;
            // A file of whole blocks ends with an empty one, and has been reported as complete before.
            if !block.is_empty() || done == 0 {
                report.transferred(done, total);
            }
            // A file that grows may never end.
            if block.len() < BLOCK || total.is_some_and(|total| done > total) {
                break;
            }
        }
        writer.flush().await.map_err(|error| failed(&error))?;
        match total {
            Some(total) if total != done => {
                let text =
                    format!("the file changed while it was downloaded: {done} of {total} bytes came: {path}");
                Err(Error::unexpected(text))
            }
            _ => Ok(done),
        }
    }

    /// The bytes from an offset on; fewer than a block at the end of the file.
    async fn block(&self, path: &str, offset: u64) -> Result<Vec<u8>> {
        let query = types::DbfsReadQuery { offset: i64::try_from(offset).ok(), length: Some(BLOCK as i64) };
        let call = self.call(&operations::DBFS_READ).query("path", &path).query_object(&query);
        let answer = call.send::<types::DbfsReadResponse>().await?;
        let bytes = BASE64_STANDARD.decode(answer.data.as_deref().unwrap_or_default());
        let bytes = bytes.map_err(|_| Error::unexpected(format!("the content is not base64: {path}")))?;
        let said = answer.bytes_read.unwrap_or_default();
        if usize::try_from(said) != Ok(bytes.len()) || bytes.len() > BLOCK {
            let text =
                format!("the service says that it sent {said} bytes, and sent {}: {path}", bytes.len());
            return Err(Error::unexpected(text));
        }
        Ok(bytes)
    }
}

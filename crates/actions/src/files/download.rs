//! Downloads a file, continued where it breaks off.

use std::{io, path::Path};

use brickwire_client::operations;
use brickwire_wire::Sink;
use bytes::Bytes;
use http::{HeaderMap, header};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{Files, about};
use crate::{
    Error, ErrorKind, Result,
    content::Report,
    local_file::{LocalFile, unwritable},
    remote_path,
};

impl Files {
    /// Downloads a file into a writer, and returns how many bytes that were. The writer has a part of them if the
    /// download fails.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let mut bytes = Vec::new();
    /// workspace.files().download("/Volumes/main/default/files/a.csv", &mut bytes).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a path that is no file, [`ErrorKind::UnexpectedResponse`] if the file changes
    /// meanwhile, [`ErrorKind::Local`] if writing fails. Operation: `files_download`.
    pub async fn download(&self, path: &str, to: &mut (impl AsyncWrite + Send + Unpin)) -> Result<u64> {
        self.write(path, to, |error| Error::new(ErrorKind::Local, format!("cannot write: {error}"))).await
    }

    /// Downloads a file into one of this machine, and returns how many bytes that were. The file gets its name once it is
    /// complete.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.files().download_file("/Volumes/main/default/files/a.csv", "a.csv".as_ref(), false).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`download`](Self::download), and [`ErrorKind::Local`] before anything is sent if the file exists and
    /// `overwrite` is false, or can't be written. Operation: `files_download`.
    pub async fn download_file(&self, path: &str, to: &Path, overwrite: bool) -> Result<u64> {
        remote_path::file(path)?;
        let mut file = LocalFile::create(to, overwrite)?;
        let bytes = self.write(path, file.file(), |error| unwritable(to, error)).await?;
        file.keep().await?;
        Ok(bytes)
    }

    async fn write<W: AsyncWrite + Send + Unpin>(
        &self,
        path: &str,
        writer: &mut W,
        failed: impl Fn(&io::Error) -> Error + Send,
    ) -> Result<u64> {
        let path = remote_path::file(path)?;
        let report = Report::new(self.workspace.events(), &path);
        let mut sink = Written { writer, failed, report, bytes: 0, total: None };
        let call = self.call(&operations::FILES_DOWNLOAD).path_with_slashes("file_path", &path);
        let bytes = call.download(&mut sink).await.map_err(|error| about(&path, error))?;
        sink.writer.flush().await.map_err(|error| (sink.failed)(&error))?;
        Ok(bytes)
    }
}

/// A writer that takes what arrives.
struct Written<'a, W, F> {
    writer: &'a mut W,
    failed: F,
    report: Report,
    bytes: u64,
    total: Option<u64>,
}

impl<W: AsyncWrite + Send + Unpin, F: Fn(&io::Error) -> Error + Send> Sink for Written<'_, W, F> {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let written = self.writer.write_all(&bytes).await;
        written.map_err(|error| (self.failed)(&error))?;
        self.bytes += bytes.len() as u64;
        self.report.transferred(self.bytes, self.total);
        Ok(())
    }

    /// The first answer is the whole file's.
    fn begin(&mut self, headers: &HeaderMap) -> Result<()> {
        let length = || headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
        self.total = self.total.or_else(length);
        Ok(())
    }
}

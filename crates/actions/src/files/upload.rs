//! Uploads a file in one request.

use std::time::Duration;

use brickwire_client::operations;
use bytes::Bytes;
use http::{HeaderValue, header};

use super::{Files, LARGEST, about};
use crate::{Content, Error, ErrorKind, Result, content::Report, remote_path};

/// How long the service may be silent: once it has all bytes of a large file, it writes them to the storage.
const SILENCE: Duration = Duration::from_secs(5 * 60);

impl Files {
    /// Uploads a file of at most 5 GiB. The directory should exist. The file appears once all of it has arrived.
    ///
    /// An upload that breaks off is repeated if the file may be replaced and the content is a file or bytes.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::Content;
    /// let files = workspace.files();
    /// files.upload("/Volumes/main/default/files/a.csv", "a,b\n1,2\n", true).await?;
    /// files.upload("/Volumes/main/default/files/b.csv", Content::from_file("b.csv"), false).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for more than 5 GiB, [`ErrorKind::Local`] for a file that can't be read,
    /// [`ErrorKind::Rejected`] if the file exists and `overwrite` is false, and [`ErrorKind::UnknownOutcome`] if the
    /// answer is lost and the upload can't be repeated. Operations: `files_upload`, and `files_get_metadata` before a
    /// file that may not be replaced.
    pub async fn upload(&self, path: &str, content: impl Into<Content>, overwrite: bool) -> Result<()> {
        let (path, content) = (remote_path::file(path)?, content.into());
        let length = content.length()?;
        if let Some(length) = length.filter(|length| *length > LARGEST) {
            let text = format!(
                "a file in a volume can have 5 GiB at most, and this has {length} bytes: {content:?}"
            );
            return Err(Error::usage(text).with_hint("upload it in parts, or to the cloud's own storage"));
        }
        // A refusal in the middle of a long body may be lost with the connection.
        if !overwrite && !content.is_in_memory() {
            match self.metadata(&path).await {
                Ok(_) => {
                    return Err(exists(Error::new(ErrorKind::Rejected, format!("the file exists: {path}"))));
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        let call = self.call(&operations::FILES_UPLOAD).path_with_slashes("file_path", &path);
        let call = call.query("overwrite", &overwrite);
        let call = match length {
            // The HTTP client leaves the length out if it is zero.
            Some(0) => {
                call.with_upload(Bytes::new()).with_header(header::CONTENT_LENGTH, HeaderValue::from(0))
            }
            _ => {
                let report = Report::new(self.workspace.events(), &path);
                call.with_upload(content.into_upload(LARGEST, report))
            }
        };
        let sent = call.with_stall(SILENCE).with_repeatable(overwrite).send_ignoring_body().await;
        sent.map(drop).map_err(|error| match error.status() {
            Some(409) if !overwrite => exists(about(&path, error)),
            _ => about(&path, error),
        })
    }
}

fn exists(error: Error) -> Error {
    error.with_hint("set `overwrite` to replace it")
}

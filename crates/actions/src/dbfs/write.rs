//! Writes a file of DBFS, block by block.

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_client::{operations, types};
use tokio::io::AsyncReadExt;

use super::{BLOCK, Dbfs};
use crate::{
    Content, Error, ErrorKind, Result,
    content::{Reader, Report},
    remote_path,
};

/// How often a file is written from its start.
const TRIES: u32 = 3;

/// What a failed attempt has left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// Nothing that is ours.
    Nothing,
    /// Perhaps a part of the file.
    Part,
    /// The file, whose length is not known.
    Unchecked,
}

/// Why a file was not written.
struct Failed {
    error: Error,
    left: Left,
}

impl Failed {
    fn before(error: Error) -> Self {
        Self { error, left: Left::Nothing }
    }

    fn midway(error: Error) -> Self {
        Self { error, left: Left::Part }
    }

    fn unchecked(error: Error) -> Self {
        Self { error, left: Left::Unchecked }
    }
}

impl Dbfs {
    /// Uploads a file, in one request up to 1 MiB and in blocks beyond that. If a block is lost on its way, the file is
    /// written again from the start, unless the content is a reader.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::Content;
    /// workspace.dbfs().upload("dbfs:/tmp/a.csv", Content::from_file("a.csv"), true).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Local`] for a file that can't be read, [`ErrorKind::Rejected`] if the file exists and `overwrite` is
    /// false, [`ErrorKind::UnknownOutcome`] if an answer is lost and the file can't be written again. Operations:
    /// `dbfs_put`, or `dbfs_create`, `dbfs_add_block`, `dbfs_close` and `dbfs_get_status`; `dbfs_delete` for a file that
    /// couldn't be completed.
    pub async fn upload(&self, path: &str, content: impl Into<Content>, overwrite: bool) -> Result<()> {
        let (path, mut content) = (remote_path::file(path)?, content.into());
        let total = content.length()?;
        let report = Report::new(self.workspace.events(), &path);
        let (mut tries, mut is_ours) = (1, false);
        loop {
            let written = match content.open().await {
                // After the first time it is our own file that is replaced.
                Ok(reader) => self.write(&path, reader, overwrite || is_ours, total, &report).await,
                Err(error) => Err(Failed::before(error)),
            };
            let Err(Failed { error, left }) = written else { return Ok(()) };
            if left == Left::Unchecked {
                return Err(
                    error.with_hint("the file was uploaded, but may be incomplete: compare its length")
                );
            }
            is_ours |= left == Left::Part;
            if !is_ours {
                return Err(exists(error, overwrite));
            }
            let is_lost = error.is_unknown_outcome() || error.is_retryable();
            if is_lost && content.can_be_read_again() && tries < TRIES {
                tries += 1;
                continue;
            }
            let hint = match self.delete(&path, false).await {
                Ok(()) => "the incomplete file was deleted",
                Err(_) => "the file may be incomplete: upload it again, or delete it",
            };
            return Err(error.with_hint(hint));
        }
    }

    async fn write(
        &self,
        path: &str,
        mut reader: Reader,
        overwrite: bool,
        total: Option<u64>,
        report: &Report,
    ) -> Result<(), Failed> {
        let mut block = next(&mut reader).await.map_err(Failed::before)?;
        if block.len() < BLOCK {
            let contents = Some(BASE64_STANDARD.encode(&block));
            let body = types::DbfsPut { path: path.to_owned(), contents, overwrite: Some(overwrite) };
            let call = self.call(&operations::DBFS_PUT).json(&body).with_repeatable(overwrite);
            call.send_ignoring_body().await.map_err(Failed::before)?;
            report.transferred(block.len() as u64, total);
            return Ok(());
        }
        let handle = self.open(path, overwrite).await.map_err(Failed::before)?;
        let mut sent = 0;
        while !block.is_empty() {
            let body = types::DbfsAddBlock { handle, data: BASE64_STANDARD.encode(&block) };
            self.workspace.client().dbfs_add_block(&body).await.map_err(Failed::midway)?;
            sent += block.len() as u64;
            report.transferred(sent, total);
            block = next(&mut reader).await.map_err(Failed::midway)?;
        }
        match self.workspace.client().dbfs_close(&types::DbfsClose { handle }).await {
            Ok(_) => {}
            // An attempt whose answer was lost has closed it; the length will tell.
            Err(error) if error.is_not_found() && error.attempts() > 1 => {}
            Err(error) => return Err(Failed::midway(error)),
        }
        let written = self.get_status(path).await.map_err(Failed::unchecked)?.file_size;
        if written.and_then(|written| u64::try_from(written).ok()) != Some(sent) {
            let text =
                format!("{sent} bytes were sent, and the file has {}: {path}", written.unwrap_or_default());
            return Err(Failed::midway(Error::unexpected(text)));
        }
        Ok(())
    }

    async fn open(&self, path: &str, overwrite: bool) -> Result<i64> {
        let body = types::DbfsCreate { path: path.to_owned(), overwrite: Some(overwrite) };
        // A second file in place of the first one is empty, too.
        let call = self.call(&operations::DBFS_CREATE).json(&body).with_repeatable(overwrite);
        let created = call.send::<types::DbfsCreateResponse>().await?;
        created
            .handle
            .ok_or_else(|| Error::unexpected(format!("the service returned no handle to write to: {path}")))
    }
}

/// The next block; a shorter one is the last.
async fn next(reader: &mut Reader) -> Result<Vec<u8>> {
    let mut block = Vec::with_capacity(BLOCK);
    let read = reader.take(BLOCK as u64).read_to_end(&mut block).await;
    read.map_err(|error| Error::new(ErrorKind::Local, format!("cannot read what is uploaded: {error}")))?;
    Ok(block)
}

fn exists(error: Error, overwrite: bool) -> Error {
    match error.error_code() {
        Some("RESOURCE_ALREADY_EXISTS") if !overwrite => error.with_hint("set `overwrite` to replace it"),
        _ => error,
    }
}

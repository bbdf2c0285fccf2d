//! A result before and while its rows are read: starts fetching at the first read, and cancels what isn't read to its
//! end.

use std::{
    sync::Arc,
    task::{Context, Poll, ready},
};

use brickwire_client::types::{ResultManifest, StatementColumnInfo, StatementFormat};
use brickwire_wire::Wire;
use bytes::Bytes;

use super::{
    chunk_reader::ChunkReader,
    chunks::Chunks,
    decode::ChunkDecoder,
    layout::Layout,
    options::FetchOptions,
    source::{ChunkAnswer, ChunkSource},
};
use crate::{Error, Result};

/// Cancels the statement when dropped while armed.
pub(crate) trait CancelGuard: Send + Sync {
    fn arm(&mut self);
    fn disarm(&mut self);
}

/// All that the statements code knows of a result.
pub(crate) struct ResultParts {
    pub(crate) wire: Wire,
    pub(crate) source: Arc<dyn ChunkSource>,
    pub(crate) statement_id: String,
    /// Whether the statement may be run again. Only then may a hint suggest it.
    pub(crate) only_reads: bool,
    pub(crate) manifest: ResultManifest,
    /// The answer that held the manifest.
    pub(crate) raw: Bytes,
    pub(crate) first: Option<ChunkAnswer>,
    /// Whether rows were cut off by no limit that was set for the statement.
    pub(crate) is_cut_unasked: bool,
    /// `None` for a statement of someone else, which is never canceled.
    pub(crate) guard: Option<Box<dyn CancelGuard>>,
}

impl ResultParts {
    pub(super) fn columns(&self) -> &[StatementColumnInfo] {
        self.manifest.schema.as_ref().and_then(|schema| schema.columns.as_deref()).unwrap_or_default()
    }

    pub(super) fn is_truncated(&self) -> bool {
        self.manifest.truncated.unwrap_or_default()
    }
}

/// Reads a result with a decoder for its format.
pub(super) struct ResultReader<D: ChunkDecoder> {
    pub(super) parts: ResultParts,
    pub(super) options: FetchOptions,
    /// There if the manifest has been checked already.
    layout: Option<Layout>,
    stage: Stage<D>,
}

enum Stage<D: ChunkDecoder> {
    Unread,
    Reading(ChunkReader<D>),
    /// The rows can't be read, and the error has been returned.
    Failed,
}

impl<D: ChunkDecoder> ResultReader<D> {
    pub(super) fn new(parts: ResultParts) -> Self {
        Self { parts, options: FetchOptions::default(), layout: None, stage: Stage::Unread }
    }

    /// Reads the rows with another decoder.
    ///
    /// # Errors
    /// As for [`prepare`](Self::prepare).
    #[cfg(feature = "arrow")]
    pub(super) fn with_decoder<E: ChunkDecoder>(self) -> Result<ResultReader<E>> {
        let mut reader = ResultReader { options: self.options, ..ResultReader::new(self.parts) };
        reader.layout = Some(reader.prepare()?);
        Ok(reader)
    }

    /// Checks what can be checked before the first request.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the options are wrong,
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if the result is in another format than the
    /// decoder's, or the manifest contradicts itself.
    fn prepare(&self) -> Result<Layout> {
        self.options.validate()?;
        self.check_format().and_then(|()| self.check_columns()).map_err(|error| self.blame(error))?;
        Layout::new(&self.parts.manifest, self.parts.first.as_ref()).map_err(|error| self.blame(error))
    }

    fn check_format(&self) -> Result<()> {
        let parts = &self.parts;
        let has_text = parts.first.as_ref().is_some_and(|first| first.inline.is_some() && first.has_rows());
        let came = match &parts.manifest.format {
            _ if has_text => &StatementFormat::JsonArray,
            Some(format) => format,
            None => return Ok(()),
        };
        if D::FORMATS.contains(came) {
            return Ok(());
        }
        let expected = D::FORMATS.iter().map(|format| format.as_str()).collect::<Vec<_>>().join(" or ");
        let text = format!("the rows of the result came in the format {came}, and {expected} was expected");
        Err(Error::unexpected(text))
    }

    fn check_columns(&self) -> Result<()> {
        let columns = self.parts.columns().len();
        match self.parts.manifest.schema.as_ref().and_then(|schema| schema.column_count) {
            Some(count) if i64::try_from(columns) != Ok(count) => Err(Error::unexpected(format!(
                "the schema of the result lists {columns} columns and announces {count}"
            ))),
            _ => Ok(()),
        }
    }

    fn blame(&self, error: Error) -> Error {
        error.with_details(|d| d.statement_id = Some(self.parts.statement_id.clone()))
    }

    /// The next rows; `None` after the last, and after an error.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<D::Item>>> {
        let reader = match &mut self.stage {
            Stage::Reading(reader) => reader,
            Stage::Unread => match self.start() {
                Ok(()) => return self.poll_next(context),
                Err(error) => return Poll::Ready(Some(Err(error))),
            },
            Stage::Failed => return Poll::Ready(None),
        };
        let next = ready!(reader.poll_next(context));
        if reader.is_ended()
            && let Some(guard) = &mut self.parts.guard
        {
            guard.disarm();
        }
        if next.is_none() && self.parts.is_cut_unasked {
            self.stage = Stage::Failed;
            return Poll::Ready(Some(Err(self.blame(cut_off(&self.parts.manifest)))));
        }
        Poll::Ready(next.map(|item| item.map_err(|error| self.blame(error))))
    }

    /// Starts fetching. From here on the statement is canceled if the rows aren't read to the end.
    fn start(&mut self) -> Result<()> {
        self.stage = Stage::Failed;
        let layout = match self.layout.take() {
            Some(layout) => layout,
            None => self.prepare()?,
        };
        let parts = &mut self.parts;
        let (wire, source, id) = (parts.wire.clone(), parts.source.clone(), parts.statement_id.clone());
        let chunks = Chunks::new(wire, source, id, parts.only_reads, layout, self.options);
        let first = parts.first.take();
        let format = parts.manifest.format.clone();
        let columns: Arc<[StatementColumnInfo]> = parts.columns().into();
        let decoder = move || D::new(&columns, format.as_ref());
        self.stage = Stage::Reading(ChunkReader::start(chunks, first, decoder));
        if let Some(guard) = &mut self.parts.guard {
            guard.arm();
        }
        Ok(())
    }
}

/// The error after the rows of a result that lacks the others.
fn cut_off(manifest: &ResultManifest) -> Error {
    let rows = manifest.total_row_count.map(|rows| format!(" after {rows} rows")).unwrap_or_default();
    Error::unexpected(format!(
        "the result is incomplete: the service cut it off{rows}, and no limit asked for that"
    ))
    .with_hint("to take a part of the rows, set `row_limit`; to take all of them, run several statements")
}

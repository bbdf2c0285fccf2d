//! Results as Arrow record batches. Their arrays are slices of the downloaded bytes, which are copied only where
//! Arrow needs another alignment.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use brickwire_client::types::{ResultManifest, StatementColumnInfo};
use futures_core::Stream;

use super::{batch_decoder::BatchDecoder, result_reader::ResultReader, statement_result::StatementResult};
use crate::Result;

/// The rows of a result as record batches, in order. After an error there are no more.
///
/// Made by [`Statement::execute_arrow`](crate::Statement::execute_arrow). Chunks are downloaded ahead, many at a time.
/// Dropping this before the last batch ends the downloads and cancels the statement. A batch keeps a buffer of some
/// megabytes in memory, so copy what you keep for long.
#[must_use = "a stream does nothing unless it is polled"]
pub struct RecordBatches {
    reader: ResultReader<BatchDecoder>,
    schema: Option<SchemaRef>,
}

impl StatementResult {
    /// Reads the rows as record batches, for a statement that was submitted with the format `ARROW_STREAM`.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::WaitOptions;
    /// let result = workspace.statements().wait("01f0a1b2", WaitOptions::default()).await?;
    /// let mut batches = result.into_batches()?;
    /// while let Some(batch) = batches.next().await? {
    ///     println!("{} rows", batch.num_rows());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if the result is in another format.
    pub fn into_batches(self) -> Result<RecordBatches> {
        Ok(RecordBatches { reader: self.reader.with_decoder()?, schema: None })
    }
}

impl RecordBatches {
    /// The statement's id.
    pub fn statement_id(&self) -> &str {
        &self.reader.parts.statement_id
    }

    /// What the service says about the result: schema, chunks, counts.
    pub fn manifest(&self) -> &ResultManifest {
        &self.reader.parts.manifest
    }

    /// The columns in order, with their SQL types.
    pub fn columns(&self) -> &[StatementColumnInfo] {
        self.reader.parts.columns()
    }

    /// Whether rows were cut off. If no limit that was set for the statement explains that, an error follows the last
    /// batch.
    pub fn is_truncated(&self) -> bool {
        self.reader.parts.is_truncated()
    }

    /// The Arrow schema, once the first batch has been read. A result without rows has none.
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    /// Reads the next batch; `None` after the last.
    ///
    /// # Errors
    /// As for [`StatementResult::next_rows`].
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        std::future::poll_fn(|context| self.poll_batch(context)).await.transpose()
    }

    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<RecordBatch>>> {
        let next = ready!(self.reader.poll_next(context));
        if let (None, Some(Ok(batch))) = (&self.schema, &next) {
            self.schema = Some(batch.schema());
        }
        Poll::Ready(next)
    }
}

impl Stream for RecordBatches {
    type Item = Result<RecordBatch>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<RecordBatch>>> {
        self.get_mut().poll_batch(context)
    }
}

impl fmt::Debug for RecordBatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordBatches").field("statement_id", &self.statement_id()).finish_non_exhaustive()
    }
}

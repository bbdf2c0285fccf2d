//! The result of a statement, whose rows are read as text.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use brickwire_client::types::{ResultManifest, StatementColumnInfo};
use bytes::Bytes;
use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::{
    options::FetchOptions,
    result_reader::{ResultParts, ResultReader},
    rows::{Row, Rows, RowsIter, decoder::RowsDecoder},
};
use crate::Result;

/// The result of a statement that succeeded.
///
/// Its rows are read with [`next_rows`](Self::next_rows), [`collect`](Self::collect),
/// [`deserialize`](Self::deserialize) or [`into_stream`](Self::into_stream), or as record batches with the feature
/// `arrow`. Chunks are downloaded ahead, many at a time. Dropping a result that is partly read ends the downloads and
/// cancels the statement.
///
/// ```no_run
/// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
/// let mut result = sql.statement("SELECT id, fare FROM trips").execute().await?;
/// while let Some(rows) = result.next_rows().await? {
///     for row in &rows {
///         println!("{:?} {:?}", row.get("id"), row.get("fare"));
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct StatementResult {
    pub(super) reader: ResultReader<RowsDecoder>,
}

impl StatementResult {
    pub(crate) fn new(parts: ResultParts) -> Self {
        Self { reader: ResultReader::new(parts) }
    }

    /// Sets how the rows are fetched. It has no effect once the first rows have been read.
    pub fn with_fetch(mut self, options: FetchOptions) -> Self {
        self.reader.options = options;
        self
    }

    /// The statement's id.
    pub fn statement_id(&self) -> &str {
        &self.reader.parts.statement_id
    }

    /// What the service says about the result: schema, chunks, counts.
    pub fn manifest(&self) -> &ResultManifest {
        &self.reader.parts.manifest
    }

    /// The last answer of the service as it came: status, manifest and first chunk. It may hold presigned links,
    /// which are secrets.
    pub fn raw(&self) -> &Bytes {
        &self.reader.parts.raw
    }

    /// The columns in order.
    pub fn columns(&self) -> &[StatementColumnInfo] {
        self.reader.parts.columns()
    }

    /// Whether rows were cut off. If no limit that was set for the statement explains that, an error follows the last row.
    pub fn is_truncated(&self) -> bool {
        self.reader.parts.is_truncated()
    }

    /// Reads all rows. Holds the whole result in memory; see [`next_rows`](Self::next_rows) for a large one.
    ///
    /// ```no_run
    /// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
    /// let rows = sql.statement("SELECT 1 AS one").execute().await?.collect().await?;
    /// assert_eq!(rows[0].get("one").and_then(|cell| cell.as_str()), Some("1"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`next_rows`](Self::next_rows).
    pub async fn collect(mut self) -> Result<Vec<Row>> {
        let mut all = Vec::new();
        while let Some(rows) = self.next_rows().await? {
            all.extend(rows);
        }
        Ok(all)
    }

    /// Reads all rows as structs, maps or tuples; see [`Row::deserialize`]. Holds the whole result in memory.
    ///
    /// ```no_run
    /// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
    /// let result = sql.statement("SELECT pickup_zip, count(*) FROM trips GROUP BY ALL").execute().await?;
    /// let trips: Vec<(u32, u64)> = result.deserialize().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`next_rows`](Self::next_rows) and [`Row::deserialize`].
    pub async fn deserialize<T: DeserializeOwned>(mut self) -> Result<Vec<T>> {
        let mut values = Vec::new();
        while let Some(rows) = self.next_rows().await? {
            values.extend(rows.deserialize::<T>()?);
        }
        Ok(values)
    }

    /// Reads the next rows, some thousands at a time; `None` after the last. [`FetchOptions::with_memory`] bounds the
    /// memory, whatever the size of the result.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if a chunk is missing or damaged, or
    /// has another number of rows or other columns than announced, or rows were cut off though no limit was set, or the result has no schema, or is neither in the format `JSON_ARRAY` nor,
    /// with the feature `arrow`, in `ARROW_STREAM`; [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) if a chunk
    /// can't be downloaded. After an error there are no more rows. Operation: `statements_get_result_chunk`.
    pub async fn next_rows(&mut self) -> Result<Option<Rows>> {
        std::future::poll_fn(|context| self.reader.poll_next(context)).await.transpose()
    }

    /// Ends the downloads without canceling the statement, for a caller that needs no more rows.
    pub(crate) fn leave(mut self) {
        if let Some(guard) = &mut self.reader.parts.guard {
            guard.disarm();
        }
    }

    /// The rows one at a time.
    ///
    /// ```no_run
    /// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
    /// use futures_util::TryStreamExt;
    /// let mut rows = sql.statement("SELECT * FROM trips").execute().await?.into_stream();
    /// while let Some(row) = rows.try_next().await? {
    ///     println!("{row:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_stream(self) -> RowStream {
        RowStream { result: self, rows: None }
    }
}

impl fmt::Debug for StatementResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatementResult")
            .field("statement_id", &self.statement_id())
            .field("manifest", self.manifest())
            .finish_non_exhaustive()
    }
}

/// The rows of a result one at a time, in order. After an error there are no more.
#[derive(Debug)]
#[must_use = "a stream does nothing unless it is polled"]
pub struct RowStream {
    result: StatementResult,
    rows: Option<RowsIter>,
}

impl RowStream {
    /// The result that the rows belong to.
    pub fn result(&self) -> &StatementResult {
        &self.result
    }
}

impl Stream for RowStream {
    type Item = Result<Row>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Row>>> {
        let this = self.get_mut();
        loop {
            if let Some(row) = this.rows.as_mut().and_then(Iterator::next) {
                return Poll::Ready(Some(Ok(row)));
            }
            match ready!(this.result.reader.poll_next(context)) {
                Some(Ok(rows)) => this.rows = Some(rows.into_iter()),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

//! Record batches from the Arrow stream of a chunk. Their arrays are slices of the downloaded bytes.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::{ArrowError, SchemaRef};
use brickwire_client::types::{StatementColumnInfo, StatementFormat};
use bytes::Bytes;

use super::{buffer_pool::PooledBuffer, decode::ChunkDecoder, schema::check_names};
use crate::{Error, Result};

/// The most bytes that are collected for one record batch. The service's have some megabytes.
const LONGEST_BATCH: usize = 2 << 30;

/// A batch may have this many rows even if its columns take no bytes, since all of them are NULL.
const ROWS_WITHOUT_BYTES: usize = 1 << 24;

/// Decodes one chunk, which is an Arrow stream with a schema of its own.
#[derive(Debug)]
pub(super) struct BatchDecoder {
    stream: StreamDecoder,
    /// The columns that the manifest lists; none if it has no schema.
    columns: Arc<[StatementColumnInfo]>,
    /// Whether no byte has been read.
    begins: bool,
    /// Whether the names of the columns have been compared with the manifest's.
    is_checked: bool,
    /// How many bytes have come since the last batch.
    collected: usize,
}

fn malformed(error: ArrowError) -> Error {
    Error::unexpected("the rows are not the Arrow stream they should be").with_source(error)
}

impl BatchDecoder {
    fn check_schema(&mut self) -> Result<()> {
        if let (false, Some(schema)) = (self.is_checked, self.stream.schema()) {
            self.is_checked = true;
            check_names(&schema, &self.columns)?;
        }
        Ok(())
    }
}

impl ChunkDecoder for BatchDecoder {
    type Item = RecordBatch;

    const FORMATS: &'static [StatementFormat] = &[StatementFormat::ArrowStream];

    fn new(columns: &Arc<[StatementColumnInfo]>, _: Option<&StatementFormat>) -> Self {
        Self {
            stream: StreamDecoder::default(),
            columns: columns.clone(),
            begins: true,
            is_checked: false,
            collected: 0,
        }
    }

    fn decode(&mut self, bytes: PooledBuffer, items: &mut Vec<(RecordBatch, u64)>) -> Result<()> {
        // The decoder would take text for the length of a message, and wait for that many bytes.
        if std::mem::take(&mut self.begins) && matches!(bytes.first(), Some(b'[' | b'{' | b'<')) {
            return Err(Error::unexpected("the rows are text, and not the Arrow stream they should be"));
        }
        self.collected = self.collected.saturating_add(bytes.len());
        let mut buffer = Buffer::from(Bytes::from_owner(bytes));
        while let Some(batch) = self.stream.decode(&mut buffer).map_err(malformed)? {
            self.check_schema()?;
            let rows = batch.num_rows();
            if rows > ROWS_WITHOUT_BYTES && rows / 8 > self.collected {
                let bytes = self.collected;
                return Err(Error::unexpected(format!("a record batch has {rows} rows in {bytes} bytes")));
            }
            self.collected = buffer.len();
            items.push((batch, rows as u64));
        }
        if self.collected > LONGEST_BATCH {
            return Err(Error::unexpected("a record batch has more than 2 GiB"));
        }
        self.check_schema()
    }

    fn finish(&mut self) -> Result<()> {
        self.stream.finish().map_err(malformed)
    }

    fn is_complete(&self) -> bool {
        self.stream.schema().is_some()
    }

    fn schema(batch: &RecordBatch) -> Option<&SchemaRef> {
        Some(batch.schema_ref())
    }
}

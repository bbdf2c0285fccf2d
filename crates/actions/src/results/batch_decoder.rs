//! Record batches from the Arrow stream of a chunk. Their arrays are slices of the downloaded bytes.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::ArrowError;
use brickwire_client::types::{StatementColumnInfo, StatementFormat};
use bytes::Bytes;

use super::{buffer_pool::PooledBuffer, decode::ChunkDecoder};
use crate::{Error, Result};

/// Decodes one chunk, which is an Arrow stream with a schema of its own.
#[derive(Debug)]
pub(super) struct BatchDecoder {
    stream: StreamDecoder,
    /// How many columns the manifest lists; 0 if it has no schema.
    columns: usize,
    /// Whether no byte has been read.
    begins: bool,
}

fn malformed(error: ArrowError) -> Error {
    Error::unexpected("the rows are not the Arrow stream they should be").with_source(error)
}

impl ChunkDecoder for BatchDecoder {
    type Item = RecordBatch;

    const FORMATS: &'static [StatementFormat] = &[StatementFormat::ArrowStream];

    fn new(columns: &Arc<[StatementColumnInfo]>, _: Option<&StatementFormat>) -> Self {
        Self { stream: StreamDecoder::default(), columns: columns.len(), begins: true }
    }

    fn decode(&mut self, bytes: PooledBuffer, items: &mut Vec<(RecordBatch, u64)>) -> Result<()> {
        // The decoder would take text for the length of a message, and wait for that many bytes.
        if std::mem::take(&mut self.begins) && matches!(bytes.first(), Some(b'[' | b'{' | b'<')) {
            return Err(Error::unexpected("the rows are text, and not the Arrow stream they should be"));
        }
        let mut buffer = Buffer::from(Bytes::from_owner(bytes));
        while let Some(batch) = self.stream.decode(&mut buffer).map_err(malformed)? {
            let (rows, columns) = (batch.num_rows() as u64, batch.num_columns());
            if self.columns > 0 && columns != self.columns {
                return Err(Error::unexpected(format!(
                    "the rows have {columns} columns, and the schema of the result lists {}",
                    self.columns
                )));
            }
            items.push((batch, rows));
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.stream.finish().map_err(malformed)
    }
}

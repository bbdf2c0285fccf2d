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
pub(super) struct BatchDecoder(StreamDecoder);

fn malformed(error: ArrowError) -> Error {
    Error::unexpected("the rows are not the Arrow stream they should be").with_source(error)
}

impl ChunkDecoder for BatchDecoder {
    type Item = RecordBatch;

    const FORMATS: &'static [StatementFormat] = &[StatementFormat::ArrowStream];
    const OTHER_FORMAT_HINT: &'static str = "run the statement again with `execute_arrow`";

    fn new(_: &Arc<[StatementColumnInfo]>, _: Option<&StatementFormat>) -> Self {
        Self(StreamDecoder::default())
    }

    fn decode(&mut self, bytes: PooledBuffer, items: &mut Vec<(RecordBatch, u64)>) -> Result<()> {
        let mut buffer = Buffer::from(Bytes::from_owner(bytes));
        while let Some(batch) = self.0.decode(&mut buffer).map_err(malformed)? {
            let rows = batch.num_rows() as u64;
            items.push((batch, rows));
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.0.finish().map_err(malformed)
    }
}

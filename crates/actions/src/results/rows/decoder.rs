//! Rows as text from the bytes of a chunk, in each of the formats that have rows of text.

use std::sync::Arc;

use brickwire_client::types::{StatementColumnInfo, StatementFormat};

#[cfg(feature = "arrow")]
use super::arrow;
use super::{Rows, json::JsonDecoder};
#[cfg(feature = "arrow")]
use crate::results::batch_decoder::BatchDecoder;
use crate::{
    Result,
    results::{buffer_pool::PooledBuffer, decode::ChunkDecoder},
};

/// Decodes the rows of one chunk.
pub(in crate::results) enum RowsDecoder {
    Json(JsonDecoder),
    #[cfg(feature = "arrow")]
    Arrow {
        batches: BatchDecoder,
        columns: Arc<[StatementColumnInfo]>,
        /// Bytes have been decoded.
        is_started: bool,
    },
}

impl ChunkDecoder for RowsDecoder {
    type Item = Rows;

    #[cfg(feature = "arrow")]
    const FORMATS: &'static [StatementFormat] = &[StatementFormat::JsonArray, StatementFormat::ArrowStream];
    #[cfg(not(feature = "arrow"))]
    const FORMATS: &'static [StatementFormat] = &[StatementFormat::JsonArray];

    // Each segment becomes a page of some thousands of rows.
    const SEGMENT: usize = 1 << 20;

    fn new(columns: &Arc<[StatementColumnInfo]>, format: Option<&StatementFormat>) -> Self {
        match format {
            #[cfg(feature = "arrow")]
            Some(StatementFormat::ArrowStream) => {
                let batches = BatchDecoder::new(columns, format);
                Self::Arrow { batches, columns: columns.clone(), is_started: false }
            }
            _ => Self::Json(JsonDecoder::new(columns)),
        }
    }

    fn decode(&mut self, bytes: PooledBuffer, items: &mut Vec<(Rows, u64)>) -> Result<()> {
        match self {
            Self::Json(decoder) => decoder.decode(bytes, items),
            #[cfg(feature = "arrow")]
            // Some emulators send JSON whatever the format; an Arrow stream begins with 0xFF.
            Self::Arrow { columns, is_started: false, .. } if bytes.first() == Some(&b'[') => {
                *self = Self::Json(JsonDecoder::new(columns));
                self.decode(bytes, items)
            }
            #[cfg(feature = "arrow")]
            Self::Arrow { batches: decoder, columns, is_started } => {
                *is_started = true;
                let mut batches = Vec::new();
                decoder.decode(bytes, &mut batches)?;
                batches.iter().try_for_each(|(batch, _)| arrow::pages(batch, columns, items))
            }
        }
    }

    fn finish(&mut self) -> Result<()> {
        match self {
            Self::Json(decoder) => decoder.finish(),
            #[cfg(feature = "arrow")]
            Self::Arrow { batches, .. } => batches.finish(),
        }
    }

    fn is_complete(&self) -> bool {
        match self {
            Self::Json(decoder) => decoder.is_complete(),
            #[cfg(feature = "arrow")]
            Self::Arrow { batches, .. } => batches.is_complete(),
        }
    }

    #[cfg(feature = "arrow")]
    fn schema(rows: &Rows) -> Option<&arrow_schema::SchemaRef> {
        rows.0.schema.as_ref()
    }

    fn overhead(rows: &Rows) -> usize {
        rows.0.overhead
    }
}

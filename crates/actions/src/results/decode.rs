//! What a result format has to provide: a decoder for the plain bytes of one chunk.

use std::sync::Arc;

use brickwire_client::types::{StatementColumnInfo, StatementFormat};

use super::{buffer_pool::PooledBuffer, splitter::SEGMENT};
use crate::Result;

/// Decodes the plain bytes of one chunk into rows of some form.
pub(crate) trait ChunkDecoder: Send + Sized + 'static {
    /// Some rows.
    type Item: Send + 'static;

    /// The formats of the results that it decodes.
    const FORMATS: &'static [StatementFormat];

    /// How many plain bytes are decoded at a time. Each download holds a buffer of this size.
    const SEGMENT: usize = SEGMENT;

    /// A decoder for one chunk of a result with these columns, in one of its formats or in an unknown one.
    fn new(columns: &Arc<[StatementColumnInfo]>, format: Option<&StatementFormat>) -> Self;

    /// Takes the next bytes, and adds the rows that are complete with their number.
    ///
    /// # Errors
    /// If the bytes are malformed.
    fn decode(&mut self, bytes: PooledBuffer, items: &mut Vec<(Self::Item, u64)>) -> Result<()>;

    /// Ends the chunk.
    ///
    /// # Errors
    /// If the chunk can't end here.
    fn finish(&mut self) -> Result<()>;

    /// Whether the bytes so far are a whole chunk, even if it has no rows. Nothing at all isn't one.
    fn is_complete(&self) -> bool;

    /// The columns of the rows, if the format describes them.
    #[cfg(feature = "arrow")]
    fn schema(_item: &Self::Item) -> Option<&arrow_schema::SchemaRef> {
        None
    }

    /// How many bytes of memory an item takes in addition to the bytes that it was decoded from.
    fn overhead(_item: &Self::Item) -> usize {
        0
    }
}

//! One step of decoding a chunk: a piece becomes rows, or the chunk is checked and ends.

use super::{
    buffer_pool::BufferPool,
    decode::ChunkDecoder,
    lz4::Lz4Decompressor,
    splitter::{Malformed, Piece},
};
use crate::{Error, Result};

/// What to do about bytes that are no rows.
pub(super) const HINT: &str = "report it to the service's support, with the id of the statement";

/// What the reader of a chunk receives, in order.
#[derive(Debug)]
pub(super) enum ChunkMessage<T> {
    /// How many rows of the result come before the chunk, if the service says so. Comes first.
    Begin { offset: u64 },
    /// Some rows, their number, and how many buffered bytes they account for.
    Rows { item: T, rows: u64, bytes: usize },
    /// The chunk is complete.
    End,
    /// The chunk failed; nothing follows.
    Failed(Error),
}

/// What is known about a chunk's rows once all its bytes are there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Completion {
    /// How many rows the chunk has.
    pub(super) expected_rows: Option<u64>,
    /// Whether the number of all rows of the result is known, so that missing ones are noticed.
    pub(super) is_counted: bool,
}

/// How far a chunk is decoded.
pub(super) struct Decoding<D> {
    pub(super) index: u64,
    lz4: Lz4Decompressor,
    decoder: D,
    rows: u64,
    /// Decompressed bytes that no item accounts for yet.
    unaccounted: usize,
}

impl<D> Decoding<D> {
    pub(super) fn new(index: u64, buffers: BufferPool, decoder: D) -> Self {
        Self { index, lz4: Lz4Decompressor::new(buffers), decoder, rows: 0, unaccounted: 0 }
    }
}

/// One step: decodes a piece, or ends the chunk if there is none.
pub(super) struct DecodeJob<D> {
    pub(super) decoding: Box<Decoding<D>>,
    pub(super) piece: Option<Piece>,
    pub(super) completion: Completion,
}

/// The outcome of a job.
pub(super) struct Decoded<D: ChunkDecoder> {
    pub(super) decoding: Box<Decoding<D>>,
    pub(super) messages: Vec<ChunkMessage<D::Item>>,
    pub(super) is_end: bool,
}

impl<D: ChunkDecoder> DecodeJob<D> {
    pub(super) fn run(self) -> Result<Decoded<D>> {
        let Self { mut decoding, piece, completion } = self;
        let index = decoding.index;
        let in_chunk = |error: Error| {
            Error::unexpected(format!("chunk {index} of the result: {error}"))
                .with_hint(HINT)
                .with_source(error)
        };
        let is_end = piece.is_none();
        let mut plain = Vec::new();
        match piece {
            Some(piece) => {
                decoding.lz4.take(piece, &mut plain).map_err(|error: Malformed| error.in_chunk(index))?;
            }
            None => plain.extend(decoding.lz4.finish()),
        }
        let mut items = Vec::new();
        for bytes in plain {
            decoding.unaccounted += bytes.len();
            decoding.decoder.decode(bytes, &mut items).map_err(in_chunk)?;
        }
        let mut messages = Vec::with_capacity(items.len() + 1);
        for (item, rows) in items {
            decoding.rows += rows;
            let bytes = std::mem::take(&mut decoding.unaccounted) + D::overhead(&item);
            messages.push(ChunkMessage::Rows { item, rows, bytes });
        }
        if is_end {
            decoding.decoder.finish().map_err(in_chunk)?;
            decoding.check_rows(completion)?;
            messages.push(ChunkMessage::End);
        }
        Ok(Decoded { decoding, messages, is_end })
    }
}

impl<D: ChunkDecoder> Decoding<D> {
    /// Checks at the end of the chunk that no row is missing.
    fn check_rows(&self, completion: Completion) -> Result<()> {
        let (index, rows) = (self.index, self.rows);
        match completion.expected_rows {
            Some(expected) if expected != rows => Err(Error::unexpected(format!(
                "the result is incomplete: chunk {index} has {rows} rows where {expected} were announced"
            ))),
            None if rows == 0 && !completion.is_counted && !self.decoder.is_complete() => {
                Err(Error::unexpected(format!(
                    "chunk {index} of the result is empty, and the service doesn't say how many rows it has"
                )))
            }
            _ => Ok(()),
        }
    }
}

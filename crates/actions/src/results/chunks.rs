//! What all tasks that fetch one result share.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use brickwire_wire::Wire;

use super::{
    decode_job::Completion,
    extent::Extent,
    layout::Layout,
    link::{Link, Origin},
    options::FetchOptions,
    source::{ChunkAnswer, ChunkSource},
};
use crate::{Error, Result};

/// The chunks of one result: how many there are, where they are, how they are fetched.
pub(super) struct Chunks {
    pub(super) wire: Wire,
    pub(super) source: Arc<dyn ChunkSource>,
    pub(super) statement_id: String,
    /// Whether the statement may be run again. Only then may a hint suggest it.
    pub(super) only_reads: bool,
    pub(super) layout: Layout,
    pub(super) options: FetchOptions,
    /// How many bytes have arrived.
    bytes: AtomicU64,
}

impl Chunks {
    pub(super) fn new(
        wire: Wire,
        source: Arc<dyn ChunkSource>,
        statement_id: String,
        only_reads: bool,
        layout: Layout,
        options: FetchOptions,
    ) -> Self {
        Self { wire, source, statement_id, only_reads, layout, options, bytes: AtomicU64::new(0) }
    }

    /// Counts bytes that arrived.
    pub(super) fn received(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// How many bytes have arrived.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Asks where a chunk is.
    pub(super) async fn ask(&self, index: u64) -> Result<ChunkAnswer> {
        let answer = self.source.chunk(index).await?;
        if let Some(other) = answer.other_index(index) {
            return Err(Error::unexpected(format!(
                "chunk {index} of the result is missing: chunk {other} came in its place"
            )));
        }
        self.layout.check_next(index, &answer)?;
        Ok(answer)
    }

    /// What is known about a chunk's rows once all its bytes are there.
    pub(super) fn completion(&self, extent: Extent) -> Completion {
        Completion { expected_rows: extent.rows, is_counted: self.layout.total_rows().is_some() }
    }

    /// Where the links come from.
    pub(super) fn origin(&self) -> Origin {
        Origin::of(self.wire.host())
    }

    /// Asks for a new link to a chunk.
    pub(super) async fn new_link(&self, index: u64) -> Result<Link> {
        self.ask(index)
            .await?
            .link_to(index, index, self.origin())?
            .ok_or_else(|| Error::unexpected(format!("chunk {index} of the result has no link")))
    }
}

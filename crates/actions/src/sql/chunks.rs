//! The chunks of a statement's result, as the result engine asks for them.

use brickwire_wire::BoxFuture;

use super::wire;
use crate::{
    Result, Workspace,
    results::{ChunkAnswer, ChunkSource},
};

/// Asks the statement API where the chunks of one statement are.
pub(super) struct StatementChunks {
    pub(super) workspace: Workspace,
    pub(super) statement_id: String,
}

impl ChunkSource for StatementChunks {
    fn chunk(&self, index: u64) -> BoxFuture<'_, Result<ChunkAnswer>> {
        Box::pin(wire::chunk(&self.workspace, &self.statement_id, index))
    }
}

//! Where the chunks of a result come from, as the engine sees it: a trait that answers where chunk n is.

use std::fmt;

use brickwire_client::types::ExternalLink;
use brickwire_wire::BoxFuture;
use bytes::Bytes;
use http::HeaderMap;

use super::{
    extent::Extent,
    link::{Link, Origin},
};
use crate::{Error, Result};

/// Knows where the chunks of one result are.
pub(crate) trait ChunkSource: Send + Sync {
    /// Asks where a chunk is. The answer holds a link to it, or its rows.
    fn chunk(&self, index: u64) -> BoxFuture<'_, Result<ChunkAnswer>>;
}

/// What the service answers about a chunk: links to the rows, or the rows.
pub(crate) struct ChunkAnswer {
    /// The chunk that the service says the answer is about.
    pub(crate) index: Option<i64>,
    pub(crate) rows: Option<i64>,
    /// How many rows of the result come before.
    pub(crate) row_offset: Option<i64>,
    pub(crate) next_index: Option<i64>,
    /// Links to this chunk, and maybe to some of those after it.
    pub(crate) links: Vec<ExternalLink>,
    /// A JSON array of rows.
    pub(crate) inline: Option<Bytes>,
    /// The headers of the response. Its date tells how long a link is still good.
    pub(crate) headers: HeaderMap,
}

/// Where the rows of a chunk are.
#[derive(Debug)]
pub(super) enum Location {
    /// In the answer.
    Inline(Bytes, Extent),
    /// In the object store.
    Link(Link),
    /// Nowhere: the chunk has no rows.
    Empty(Extent),
}

impl ChunkAnswer {
    /// Whether it has rows, or links to them.
    pub(crate) fn has_rows(&self) -> bool {
        let is_empty = |rows: &Bytes| matches!(&rows[..], b"[]" | b"null");
        !self.links.is_empty() || self.inline.as_ref().is_some_and(|rows| !is_empty(rows))
    }

    /// The link to a chunk, if the answer has one. A link without an index leads to the chunk that was asked for.
    pub(super) fn link_to(&self, index: u64, asked: u64, origin: Origin) -> Result<Option<Link>> {
        let leads_there = |link: &&ExternalLink| match link.chunk_index {
            Some(other) => u64::try_from(other) == Ok(index),
            None => index == asked,
        };
        let link = self.links.iter().find(leads_there).map(|link| Link::read(link, &self.headers, origin));
        link.transpose()
            .map_err(|why| Error::unexpected(format!("the link to chunk {index} of the result {why}")))
    }

    /// Whether the answer says that it is about another chunk than this one; returns that one.
    pub(super) fn other_index(&self, index: u64) -> Option<u64> {
        self.index.and_then(|i| u64::try_from(i).ok()).filter(|other| *other != index)
    }

    /// What it says about the rows of the chunk that was asked for.
    pub(super) fn extent(&self) -> Extent {
        Extent::new(self.rows, self.row_offset)
    }

    /// Where the rows of the chunk that was asked for are.
    pub(super) fn locate(self, index: u64, origin: Origin) -> Result<Location> {
        if let Some(link) = self.link_to(index, index, origin)? {
            return Ok(Location::Link(link));
        }
        let extent = self.extent();
        match self.inline {
            Some(rows) => Ok(Location::Inline(rows, extent)),
            None if self.links.is_empty() && self.rows.unwrap_or_default() == 0 => {
                Ok(Location::Empty(extent))
            }
            None => {
                Err(Error::unexpected(format!("chunk {index} of the result is missing: no link to it came")))
            }
        }
    }
}

/// Holds neither rows nor links.
impl fmt::Debug for ChunkAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkAnswer")
            .field("index", &self.index)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

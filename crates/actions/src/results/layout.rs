//! What the manifest says about the chunks: how many there are, and how many rows each has. Contradictions and absurd
//! numbers are errors before anything is allocated for them.

use brickwire_client::types::ResultManifest;

use super::{extent::Extent, source::ChunkAnswer};
use crate::{Error, Result};

/// The most chunks that a result may have. The service's chunks hold some megabytes each, so these would be terabytes.
const MOST_CHUNKS: u64 = 1_000_000;

/// The chunks of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// What the manifest says about the rows of each chunk.
    chunks: Vec<Extent>,
    total_rows: Option<u64>,
}

impl Layout {
    /// Reads the manifest. `first` is the first chunk, which came with it.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if the manifest contradicts itself, or
    /// announces more chunks than a result can have.
    pub(super) fn new(manifest: &ResultManifest, first: Option<&ChunkAnswer>) -> Result<Self> {
        let listed = manifest.chunks.as_deref().unwrap_or_default();
        let total_rows = match manifest.total_row_count.map(u64::try_from).transpose() {
            Ok(rows) => rows,
            Err(_) => return Err(Error::unexpected("the manifest announces a negative number of rows")),
        };
        let is_all = |first: &&ChunkAnswer| first.next_index.is_none() && first.has_rows();
        let only_one = first.filter(is_all).map(|_| 1);
        let announced =
            manifest.total_chunk_count.or(i64::try_from(listed.len()).ok().filter(|n| *n > 0)).or(only_one);
        if announced.unwrap_or_default() == 0 && first.is_some_and(|f| f.next_index.is_some() || f.has_rows())
        {
            return Err(Error::unexpected("the manifest doesn't say how many chunks there are"));
        }
        let count = count(announced.unwrap_or_default(), total_rows)?;
        let mut chunks = vec![None; count];
        for (position, chunk) in listed.iter().enumerate() {
            let index = chunk.chunk_index.map_or(Ok(position), usize::try_from).unwrap_or(usize::MAX);
            match chunks.get_mut(index) {
                Some(known @ None) => *known = Some(Extent::new(chunk.row_count, chunk.row_offset)),
                Some(Some(_)) => {
                    return Err(Error::unexpected(format!("the manifest lists chunk {index} twice")));
                }
                None => {
                    return Err(Error::unexpected(format!("the manifest lists chunk {index} of {count}")));
                }
            }
        }
        let layout = Self { chunks: chunks.into_iter().map(Option::unwrap_or_default).collect(), total_rows };
        if let Some(first) = first {
            layout.check_next(0, first)?;
        }
        Ok(layout)
    }

    /// Compares what an answer says about the chunk after its own with the number of chunks.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if there can't be such a chunk: reading on
    /// would lose its rows.
    pub(super) fn check_next(&self, index: u64, answer: &ChunkAnswer) -> Result<()> {
        let Some(next) = answer.next_index else { return Ok(()) };
        let count = self.count();
        if u64::try_from(next).is_ok_and(|next| next > index && next < count) {
            return Ok(());
        }
        let chunks = if count == 1 { "chunk" } else { "chunks" };
        Err(Error::unexpected(format!(
            "the manifest announces {count} {chunks}, but chunk {index} of the result says that chunk {next} follows"
        )))
    }

    /// How many chunks there are.
    pub(super) fn count(&self) -> u64 {
        self.chunks.len() as u64
    }

    /// What the manifest says about the rows of a chunk.
    pub(super) fn extent(&self, index: u64) -> Extent {
        usize::try_from(index).ok().and_then(|index| self.chunks.get(index)).copied().unwrap_or_default()
    }

    /// How many rows there are in all, if the manifest says so.
    pub(super) fn total_rows(&self) -> Option<u64> {
        self.total_rows
    }
}

fn count(announced: i64, total_rows: Option<u64>) -> Result<usize> {
    let impossible =
        |why: String| Error::unexpected(format!("the manifest announces {announced} chunks{why}"));
    let count = u64::try_from(announced).map_err(|_| impossible(String::new()))?;
    // One chunk more than rows, because a result without rows may have one empty chunk.
    if let Some(rows) = total_rows.filter(|rows| count > rows.saturating_add(1)) {
        return Err(impossible(format!(" for {rows} rows")));
    }
    if count > MOST_CHUNKS {
        return Err(impossible(format!(", and the most is {MOST_CHUNKS}")));
    }
    usize::try_from(count).map_err(|_| impossible(String::new()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn layout(manifest: Value) -> Result<Layout> {
        Layout::new(&serde_json::from_value(manifest).unwrap(), None)
    }

    #[test]
    fn chunks_are_counted_and_have_rows() {
        let read = layout(json!({
            "total_chunk_count": 3, "total_row_count": 5,
            "chunks": [{ "chunk_index": 2, "row_count": 1 }, { "chunk_index": 0, "row_count": 4 }],
        }));
        let read = read.unwrap();
        assert_eq!((read.count(), read.total_rows()), (3, Some(5)));
        assert_eq!([0, 1, 2, 3].map(|index| read.extent(index).rows), [Some(4), None, Some(1), None]);
        assert_eq!(layout(json!({})).unwrap().count(), 0);
        assert_eq!(layout(json!({ "total_chunk_count": 1, "total_row_count": 0 })).unwrap().count(), 1);
        assert_eq!(
            layout(json!({ "chunks": [{ "row_count": 4 }, { "row_count": -1 }] })).unwrap().count(),
            2
        );
    }

    #[test]
    fn absurd_numbers_are_errors_before_anything_is_allocated() {
        for chunks in [-1, i64::MIN, 1_000_001, 1_000_000_000_000, 1_000_000_000_000_000_000, i64::MAX] {
            for rows in [None, Some(0), Some(100), Some(i64::MAX)] {
                let manifest = json!({ "total_chunk_count": chunks, "total_row_count": rows });
                let error = layout(manifest).unwrap_err();
                assert_eq!(error.kind(), crate::ErrorKind::UnexpectedResponse);
                assert!(error.to_string().contains(&chunks.to_string()), "{error}");
            }
        }
        let error = layout(json!({ "total_chunk_count": 1, "total_row_count": -1 })).unwrap_err();
        assert_eq!(error.to_string(), "the manifest announces a negative number of rows");
        let error = layout(json!({ "total_chunk_count": 12, "total_row_count": 10 })).unwrap_err();
        assert_eq!(error.to_string(), "the manifest announces 12 chunks for 10 rows");
        for index in [-1, 2, i64::MAX] {
            let error = layout(json!({ "total_chunk_count": 2, "chunks": [{ "chunk_index": index }] }));
            assert!(error.unwrap_err().to_string().contains("of 2"));
        }
    }
}

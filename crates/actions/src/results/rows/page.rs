//! Many rows in one allocation: their text, and where each cell is in it.

use std::sync::Arc;

use brickwire_client::types::StatementColumnInfo;

/// Some rows.
pub(super) struct Page {
    pub(super) columns: Arc<[StatementColumnInfo]>,
    pub(super) text: String,
    /// The cells row by row.
    pub(super) spans: Vec<Span>,
    pub(super) rows: usize,
    /// How many cells a row has.
    pub(super) width: usize,
    /// The columns, if the rows came as Arrow.
    #[cfg(feature = "arrow")]
    pub(super) schema: Option<arrow_schema::SchemaRef>,
    /// How many bytes of memory this takes in addition to the bytes that it was decoded from.
    pub(super) overhead: usize,
}

/// Where a cell's text is.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) length: u32,
}

impl Span {
    /// NULL has no text.
    pub(super) const NULL: Self = Self { start: u32::MAX, length: 0 };

    pub(super) fn is_null(self) -> bool {
        self.start == Self::NULL.start
    }
}

impl Page {
    /// A cell's text, or `None` for NULL.
    pub(super) fn text_of(&self, span: Span) -> Option<&str> {
        // A span starts and ends at a quote or another ASCII character, so never within a character.
        (!span.is_null()).then(|| &self.text[span.start as usize..][..span.length as usize])
    }

    /// The cell in a row and a column, if there is one.
    pub(super) fn cell(&self, row: usize, column: usize) -> Option<Option<&str>> {
        if column >= self.width {
            return None;
        }
        self.spans.get(row * self.width + column).map(|span| self.text_of(*span))
    }
}

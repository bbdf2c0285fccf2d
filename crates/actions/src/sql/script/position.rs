//! Lines and columns, counted along with the text, so that a long script takes time in proportion.

use super::cells::Cell;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in the line, in characters, from 1.
    pub column: usize,
}

/// Turns offsets into places. They must come in order.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    position: Position,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(cell: &'a Cell<'_>) -> Self {
        Self { text: &cell.text, at: 0, position: Position { line: cell.line, column: 1 } }
    }

    /// The place of an offset that is not before the last one.
    pub(super) fn at(&mut self, offset: usize) -> Position {
        let passed = &self.text[self.at..offset];
        let lines = passed.bytes().filter(|byte| *byte == b'\n').count();
        self.position.line += lines;
        match passed.rfind('\n') {
            Some(last) => self.position.column = passed[last + 1..].chars().count() + 1,
            None => self.position.column += passed.chars().count(),
        }
        self.at = offset;
        self.position
    }
}

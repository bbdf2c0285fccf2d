//! A cell of a row, and what a column is called by.

use std::fmt;

use brickwire_client::types::StatementColumnInfo;

/// A cell: the text that the service sent, or NULL.
///
/// ```no_run
/// # fn example(row: brickwire_actions::Row) {
/// match row.get("fare") {
///     None => println!("there is no column `fare`"),
///     Some(cell) if cell.is_null() => println!("NULL"),
///     Some(cell) => println!("{:?}", cell.as_str()),
/// }
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cell<'a>(pub(super) Option<&'a str>);

impl<'a> Cell<'a> {
    /// Whether the cell is NULL. An empty text is not NULL.
    pub fn is_null(&self) -> bool {
        self.0.is_none()
    }

    /// The cell's text; `None` for NULL.
    pub fn as_str(&self) -> Option<&'a str> {
        self.0
    }
}

/// Shows the text in quotes, or `NULL`.
impl fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(text) => fmt::Debug::fmt(text, f),
            None => f.write_str("NULL"),
        }
    }
}

/// What a column can be called by: its position, from 0, or its name.
///
/// A name is compared as it is, upper and lower case included. If several columns have it, the first is meant.
pub trait ColumnIndex {
    /// The position among these columns.
    fn position(&self, columns: &[StatementColumnInfo]) -> Option<usize>;
}

impl ColumnIndex for usize {
    fn position(&self, _: &[StatementColumnInfo]) -> Option<usize> {
        Some(*self)
    }
}

impl ColumnIndex for str {
    fn position(&self, columns: &[StatementColumnInfo]) -> Option<usize> {
        columns.iter().position(|column| column.name.as_deref() == Some(self))
    }
}

impl ColumnIndex for String {
    fn position(&self, columns: &[StatementColumnInfo]) -> Option<usize> {
        self.as_str().position(columns)
    }
}

impl<I: ColumnIndex + ?Sized> ColumnIndex for &I {
    fn position(&self, columns: &[StatementColumnInfo]) -> Option<usize> {
        (**self).position(columns)
    }
}

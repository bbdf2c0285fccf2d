//! Rows as text. Each cell is the text that the service sends in `JSON_ARRAY`, or NULL; nothing is converted before the
//! caller asks for it.

#[cfg(feature = "arrow")]
mod arrow;
pub(super) mod cell;
pub(super) mod decoder;
mod deserialize;
mod json;
mod page;

use std::{fmt, sync::Arc};

use brickwire_client::types::StatementColumnInfo;
use serde::de::DeserializeOwned;

use self::{
    cell::{Cell, ColumnIndex},
    deserialize::RowDeserializer,
    page::Page,
};
use crate::{Error, Result};

/// Rows without a schema have no names and no types.
fn no_schema() -> Error {
    Error::unexpected("the result has rows and no columns: its schema is missing")
}

/// Some rows of a result, in order. A clone is cheap.
#[derive(Clone)]
pub struct Rows(Arc<Page>);

impl Rows {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.0.rows
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row at a position, from 0.
    pub fn get(&self, position: usize) -> Option<Row> {
        (position < self.len()).then(|| Row { page: self.0.clone(), position })
    }

    /// The rows in order.
    pub fn iter(&self) -> RowsIter {
        self.into_iter()
    }

    /// All cells, row by row, without an allocation.
    pub fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        self.0.spans.iter().map(|span| Cell(self.0.text_of(*span)))
    }

    /// All rows as structs, maps or tuples; see [`Row::deserialize`].
    ///
    /// # Errors
    /// As for [`Row::deserialize`].
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        self.iter().map(|row| row.deserialize()).collect()
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl IntoIterator for Rows {
    type Item = Row;
    type IntoIter = RowsIter;

    fn into_iter(self) -> RowsIter {
        RowsIter { rows: self, position: 0 }
    }
}

impl IntoIterator for &Rows {
    type Item = Row;
    type IntoIter = RowsIter;

    fn into_iter(self) -> RowsIter {
        self.clone().into_iter()
    }
}

/// Iterates over [`Rows`].
#[derive(Debug)]
#[must_use = "an iterator does nothing unless it is used"]
pub struct RowsIter {
    rows: Rows,
    position: usize,
}

impl Iterator for RowsIter {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let row = self.rows.get(self.position)?;
        self.position += 1;
        Some(row)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.rows.len() - self.position;
        (left, Some(left))
    }
}

impl ExactSizeIterator for RowsIter {}

/// One row. A clone is cheap. It keeps the rows that it came with in memory.
#[derive(Clone)]
pub struct Row {
    page: Arc<Page>,
    position: usize,
}

impl Row {
    /// The number of cells.
    pub fn len(&self) -> usize {
        self.page.width
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.page.width == 0
    }

    /// The cell in a column, by the column's position or name; `None` if there is no such column. See [`ColumnIndex`].
    ///
    /// ```no_run
    /// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
    /// let rows = sql.statement("SELECT id, note FROM trips").execute().await?.collect().await?;
    /// for row in rows {
    ///     let (id, note) = (row.get(0), row.get("note"));
    ///     println!("{id:?} {}", note.is_some_and(|cell| cell.is_null()));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(&self, column: impl ColumnIndex) -> Option<Cell<'_>> {
        let column = column.position(&self.page.columns)?;
        self.page.cell(self.position, column).map(Cell)
    }

    /// The cells in the order of the columns.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Cell<'_>> {
        (0..self.len()).map(|column| Cell(self.page.cell(self.position, column).flatten()))
    }

    /// The columns of the result.
    pub fn columns(&self) -> &[StatementColumnInfo] {
        &self.page.columns
    }

    /// The row as a struct or a map, by the names of the columns, or as a tuple, by their order.
    ///
    /// Integers and floats are parsed as what the field asks for; a number that doesn't fit is an error. DECIMAL, DATE
    /// and TIMESTAMP are passed as text to any type that reads text. BINARY is passed as bytes. ARRAY, MAP and STRUCT
    /// are read from their JSON. NULL needs an `Option`. A column that the struct doesn't name is ignored.
    ///
    /// ```no_run
    /// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
    /// #[derive(serde::Deserialize)]
    /// struct Trip {
    ///     id: i64,
    ///     fare: Option<String>, // DECIMAL(10, 2), exact
    ///     stops: Vec<i32>,
    /// }
    /// let mut result = sql.statement("SELECT id, fare, stops FROM trips").execute().await?;
    /// while let Some(rows) = result.next_rows().await? {
    ///     for trip in rows.deserialize::<Trip>()? {
    ///         println!("{} {:?} {}", trip.id, trip.fare, trip.stops.len());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) that names the column, not the value.
    pub fn deserialize<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T> {
        T::deserialize(RowDeserializer { page: &self.page, row: self.position })
            .map_err(|error| Error::unexpected(format!("a row does not fit its type: {error}")))
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: AsRef<str>> PartialEq<Vec<Option<T>>> for Row {
    fn eq(&self, other: &Vec<Option<T>>) -> bool {
        self.iter().map(|cell| cell.as_str()).eq(other.iter().map(|cell| cell.as_ref().map(AsRef::as_ref)))
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

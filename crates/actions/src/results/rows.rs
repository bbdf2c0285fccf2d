//! Rows as text: many in one allocation, read from the service's JSON as it comes in.
//!
//! Every cell is the text that the service sent, or NULL; nothing is converted before it is asked for.

mod deserialize;
mod json;

use std::{fmt, sync::Arc};

use brickwire_client::types::StatementColumnInfo;
use serde::de::DeserializeOwned;

pub(super) use self::json::RowsDecoder;
use crate::{Error, ErrorKind, Result};

/// Some rows of a result, in order.
#[derive(Clone)]
pub struct Rows {
    page: Arc<Page>,
}

/// The text of many cells, and where each is.
struct Page {
    columns: Arc<[StatementColumnInfo]>,
    text: String,
    cells: Vec<Cell>,
    rows: usize,
    /// Cells of a row.
    width: usize,
}

/// A range of the text; NULL has none.
#[derive(Clone, Copy)]
struct Cell {
    start: u32,
    length: u32,
}

const NULL: Cell = Cell { start: u32::MAX, length: 0 };

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.page.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row at a position.
    pub fn get(&self, position: usize) -> Option<Row> {
        (position < self.len()).then(|| Row { page: self.page.clone(), position })
    }

    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row> + '_ {
        (0..self.len()).map(|position| Row { page: self.page.clone(), position })
    }

    /// The cells of one column after the other's, row by row, without an allocation: NULL is `None`.
    pub fn cells(&self) -> impl Iterator<Item = Option<&str>> {
        self.page.cells.iter().map(|cell| self.page.text_of(*cell))
    }

    /// All rows as structs (by column name), maps, or tuples; see [`Row::deserialize`].
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

/// One row. Cheap to clone; it keeps the rows it came with in memory.
#[derive(Clone)]
pub struct Row {
    page: Arc<Page>,
    position: usize,
}

impl Row {
    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.page.width
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.page.width == 0
    }

    /// The text of a cell; `None` for NULL, and where there is no such cell.
    pub fn get(&self, column: usize) -> Option<&str> {
        self.page.cell(self.position, column).flatten()
    }

    /// The cells in the columns' order, NULL as `None`.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        (0..self.len()).map(|column| self.get(column))
    }

    /// The columns, as the result has them.
    pub fn columns(&self) -> &[StatementColumnInfo] {
        &self.page.columns
    }

    /// The row as a struct or a map, by the columns' names, or as a tuple, by their order.
    ///
    /// Integers and floats are parsed as what the field asks for; a number that doesn't fit is an error. DECIMAL, DATE
    /// and TIMESTAMP are given as text to any type that reads text. BINARY is given as bytes. ARRAY, MAP and STRUCT
    /// are read from their JSON. NULL needs an `Option`. A column the struct doesn't name is left out.
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
    /// while let Some(rows) = result.next_chunk().await? {
    ///     for trip in rows.deserialize::<Trip>()? {
    ///         println!("{} {:?} {}", trip.id, trip.fare, trip.stops.len());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`] that names the column, not the value.
    pub fn deserialize<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T> {
        T::deserialize(deserialize::RowDeserializer(self)).map_err(|e| {
            Error::new(ErrorKind::UnexpectedResponse, format!("a row does not fit its type: {e}"))
        })
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: AsRef<str>> PartialEq<Vec<Option<T>>> for Row {
    fn eq(&self, other: &Vec<Option<T>>) -> bool {
        self.iter().eq(other.iter().map(|cell| cell.as_ref().map(AsRef::as_ref)))
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Page {
    fn text_of(&self, cell: Cell) -> Option<&str> {
        // The ends of a range are where a quote was, never within a character.
        (cell.start != NULL.start).then(|| &self.text[cell.start as usize..][..cell.length as usize])
    }

    fn cell(&self, row: usize, column: usize) -> Option<Option<&str>> {
        (column < self.width)
            .then(|| self.cells.get(row * self.width + column).and_then(|c| self.text_of(*c)))
    }
}

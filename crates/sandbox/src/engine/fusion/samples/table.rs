//! A table whose rows are computed when a scan asks for them.

use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::memory::{LazyBatchGenerator, LazyMemoryExec};
use parking_lot::RwLock;

const BATCH_ROWS: u64 = 8192;

/// A column: its name, its type and its values for a range of rows.
pub(super) struct SampleColumn {
    pub(super) name: &'static str,
    pub(super) data_type: DataType,
    pub(super) values: fn(Range<u64>) -> ArrayRef,
}

/// A table of generated rows.
#[derive(Clone)]
pub(super) struct SampleTable {
    pub(super) name: &'static str,
    rows: u64,
    schema: SchemaRef,
    columns: Arc<Vec<SampleColumn>>,
}

impl SampleTable {
    pub(super) fn new(name: &'static str, rows: u64, columns: Vec<SampleColumn>) -> Self {
        let fields: Vec<Field> =
            columns.iter().map(|column| Field::new(column.name, column.data_type.clone(), true)).collect();
        Self { name, rows, schema: Arc::new(Schema::new(fields)), columns: Arc::new(columns) }
    }
}

impl fmt::Debug for SampleTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SampleTable({}, {} rows)", self.name, self.rows)
    }
}

#[async_trait::async_trait]
impl TableProvider for SampleTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns = projection.cloned().unwrap_or_else(|| (0..self.columns.len()).collect());
        let schema = Arc::new(self.schema.project(&columns)?);
        let rows = Rows { table: self.clone(), schema: Arc::clone(&schema), columns, next: 0 };
        Ok(Arc::new(LazyMemoryExec::try_new(schema, vec![Arc::new(RwLock::new(rows))])?))
    }
}

/// A scan on its way: only the columns asked for are made.
#[derive(Debug, Clone)]
struct Rows {
    table: SampleTable,
    schema: SchemaRef,
    columns: Vec<usize>,
    next: u64,
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.table.name)
    }
}

impl LazyBatchGenerator for Rows {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn generate_next_batch(&mut self) -> Result<Option<RecordBatch>> {
        if self.next >= self.table.rows {
            return Ok(None);
        }
        let rows = self.next..(self.next + BATCH_ROWS).min(self.table.rows);
        self.next = rows.end;
        let arrays = self.columns.iter().map(|i| (self.table.columns[*i].values)(rows.clone())).collect();
        let options = RecordBatchOptions::new().with_row_count(usize::try_from(rows.end - rows.start).ok());
        Ok(Some(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?))
    }

    fn reset_state(&self) -> Arc<RwLock<dyn LazyBatchGenerator>> {
        Arc::new(RwLock::new(Self { next: 0, ..self.clone() }))
    }
}

/// A number for column `column` of row `row`, pseudorandom (splitmix64).
fn mix(row: u64, column: u64) -> u64 {
    let mut z = (row.wrapping_mul(31).wrapping_add(column)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// One of the words, by the row and column.
pub(super) fn pick<'a>(words: &[&'a str], row: u64, column: u64) -> &'a str {
    words[below(row, column, words.len() as u64) as usize]
}

/// From 0 up to but without `end`.
pub(super) fn below(row: u64, column: u64, end: u64) -> i64 {
    (mix(row, column) % end) as i64
}

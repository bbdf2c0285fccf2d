//! DataFusion's streams as a [`QueryStream`]: shown names, sent types.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::compute::cast;
use datafusion::common::Result;
use datafusion::execution::SendableRecordBatchStream;
use futures_util::{StreamExt, stream};

use super::{
    errors::{self, Mention},
    names::Shown,
    parse::Spelling,
    sql_types::sent_type,
};
use crate::engine::{error::EngineError, query::QueryStream, types};

/// A field's metadata: its column's name as CREATE TABLE spelled it.
pub(super) const SPELLING: &str = "spelling";

/// A result without columns: what most commands answer.
pub(super) fn nothing() -> QueryStream {
    of_batches(Arc::new(Schema::empty()), vec![])
}

pub(super) fn of_batches(schema: SchemaRef, batches: Vec<RecordBatch>) -> QueryStream {
    QueryStream {
        columns: types::columns(&schema),
        schema,
        batches: Box::pin(stream::iter(batches.into_iter().map(Ok))),
    }
}

/// Rows of texts.
pub(super) fn of_texts<const N: usize>(names: [&str; N], rows: &[[String; N]]) -> QueryStream {
    let fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let column = |i: usize| {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row[i].as_str()))) as ArrayRef
    };
    let batch = RecordBatch::try_new(Arc::clone(&schema), (0..N).map(column).collect());
    of_batches(schema, vec![batch.expect("every column has a text for every row")])
}

/// What SHOW TABLES and SHOW VIEWS answer; none of those shown is temporary.
pub(super) fn of_tables(names: [&str; 2], schema: &str, tables: &[String]) -> QueryStream {
    let fields = vec![
        Field::new(names[0], DataType::Utf8, true),
        Field::new(names[1], DataType::Utf8, true),
        Field::new("isTemporary", DataType::Boolean, true),
    ];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(tables.iter().map(|_| schema))),
        Arc::new(StringArray::from_iter_values(tables)),
        Arc::new(tables.iter().map(|_| Some(false)).collect::<BooleanArray>()),
    ];
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns);
    of_batches(schema, vec![batch.expect("every column has a value for every table")])
}

/// What a statement that changes data answers.
pub(super) fn of_counts(counts: &[(&str, u64)]) -> QueryStream {
    let fields: Vec<Field> =
        counts.iter().map(|(name, _)| Field::new(*name, DataType::Int64, true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let columns = counts
        .iter()
        .map(|(_, count)| {
            Arc::new(Int64Array::from(vec![i64::try_from(*count).unwrap_or(i64::MAX)])) as ArrayRef
        })
        .collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns);
    of_batches(schema, vec![batch.expect("every column has one count")])
}

/// The schema that goes out.
///
/// # Errors
/// A type that Databricks doesn't have.
pub(super) fn sent_schema(
    inner: &Schema,
    shown: &Shown,
    spelling: &Spelling,
) -> Result<SchemaRef, EngineError> {
    let fields = inner.fields().iter().map(|field| {
        let sent = sent_type(field.data_type()).ok_or_else(|| {
            EngineError::unsupported(format_args!("a result of type {}", field.data_type()))
        })?;
        Ok(Field::new(shown_name(field, shown, spelling), sent, true))
    });
    Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<_>, EngineError>>()?)))
}

fn shown_name(field: &Field, shown: &Shown, spelling: &Spelling) -> String {
    let name = field.name();
    let of_table = field.metadata().get(SPELLING).filter(|spelled| spelled.eq_ignore_ascii_case(name));
    shown.get(name).or(of_table).or_else(|| spelling.get(name)).unwrap_or(name).clone()
}

/// A batch in the schema that goes out.
pub(super) fn sent_batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| {
        if column.data_type() == field.data_type() {
            return Ok(Arc::clone(column));
        }
        Ok(cast(column, field.data_type())?)
    });
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// A running query. Its errors are put in Databricks' words as they come.
pub(super) fn of_stream(
    rows: SendableRecordBatchStream,
    shown: &Shown,
    spelling: &Spelling,
    sql: &str,
    mentions: &[Mention],
) -> Result<QueryStream, EngineError> {
    let schema = sent_schema(&rows.schema(), shown, spelling)?;
    let of_batches = Arc::clone(&schema);
    let (sql, mentions) = (sql.to_owned(), mentions.to_vec());
    let batches = rows.map(move |batch| {
        batch
            .and_then(|batch| sent_batch(&batch, &of_batches))
            .map_err(|error| errors::of(&error, &sql, &mentions))
    });
    Ok(QueryStream { columns: types::columns(&schema), schema, batches: Box::pin(batches) })
}

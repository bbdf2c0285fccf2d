//! Arrow and Parquet: writes record batches as they arrive, with at most one row group in memory.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, IntervalUnit, Schema, SchemaRef};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};

use super::{columns::of_rows, guard::guarded, rows::distinct, target::Target};
use crate::{failure::Failure, options::Format};

/// The size in bytes at which a row group is written out.
const ROW_GROUP: usize = 32 << 20;

/// Writes batches as Arrow or Parquet.
pub(crate) struct BatchPrinter {
    writer: Writer,
    /// The schema with unique names, if the batches' own schema repeats one.
    renamed: Option<SchemaRef>,
    /// The places of the columns that are written; all in their order if this is `None`.
    chosen: Option<Vec<usize>>,
}

enum Writer {
    /// For a pipe, which is read as it arrives.
    Stream(StreamWriter<Target>),
    /// For a file, which has an index at its end.
    File(FileWriter<Target>),
    Parquet(Box<ArrowWriter<Target>>),
}

impl BatchPrinter {
    pub(crate) fn new(
        format: Format,
        target: Target,
        schema: &SchemaRef,
        columns: Option<&[String]>,
    ) -> Result<Self, Failure> {
        let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let chosen = columns.map(|columns| of_rows(columns, &names)).transpose()?;
        let schema = match &chosen {
            Some(chosen) => &Arc::new(guarded(|| schema.project(chosen))?),
            None => schema,
        };
        let renamed = with_distinct_names(schema);
        let schema = renamed.as_ref().unwrap_or(schema);
        let writer = if format == Format::Parquet {
            for field in schema.fields() {
                if let Some(what) = not_in_parquet(field.data_type()) {
                    let message =
                        format!("Parquet can't represent the {what} in this column: {}", field.name());
                    let hint = "CAST it AS STRING in the statement, or write Arrow";
                    return Err(Failure::local(message).with_hint(hint));
                }
            }
            let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
            let writer = guarded(|| ArrowWriter::try_new(target, schema.clone(), Some(properties)))?;
            Writer::Parquet(Box::new(writer))
        } else if target.is_whole_file() {
            Writer::File(guarded(|| FileWriter::try_new(target, schema))?)
        } else {
            Writer::Stream(guarded(|| StreamWriter::try_new(target, schema))?)
        };
        Ok(Self { writer, renamed, chosen })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let projected = |chosen: &Vec<usize>| batch.project(chosen);
        let projected = guarded(|| self.chosen.as_ref().map(projected).transpose())?;
        let batch = projected.as_ref().unwrap_or(batch);
        let renamed = |schema: &SchemaRef| RecordBatch::try_new(schema.clone(), batch.columns().to_vec());
        let renamed = guarded(|| self.renamed.as_ref().map(renamed).transpose())?;
        let batch = renamed.as_ref().unwrap_or(batch);
        match &mut self.writer {
            Writer::Stream(writer) => guarded(|| writer.write(batch)),
            Writer::File(writer) => guarded(|| writer.write(batch)),
            Writer::Parquet(writer) => {
                guarded(|| writer.write(batch))?;
                if writer.in_progress_size() >= ROW_GROUP {
                    guarded(|| writer.flush())?;
                }
                Ok(())
            }
        }
    }

    /// Finishes the output and keeps the file.
    pub(crate) fn end(self) -> Result<(), Failure> {
        let target = match self.writer {
            Writer::Stream(writer) => guarded(|| writer.into_inner())?,
            Writer::File(writer) => guarded(|| writer.into_inner())?,
            Writer::Parquet(writer) => guarded(|| writer.into_inner())?,
        };
        Ok(target.keep()?)
    }
}

/// The schema with a unique name for each column, like in the other formats; Parquet readers reject duplicates. `None` if
/// the names are unique.
fn with_distinct_names(schema: &SchemaRef) -> Option<SchemaRef> {
    let mut names: Vec<String> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        names.push(distinct(names.iter().map(String::as_str), field.name()));
    }
    if names.iter().zip(schema.fields()).all(|(name, field)| name == field.name()) {
        return None;
    }
    let fields = names.into_iter().zip(schema.fields());
    let fields: Vec<_> = fields.map(|(name, field)| field.as_ref().clone().with_name(name)).collect();
    Some(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
}

/// What in this type Parquet doesn't have, or its writer doesn't. The service's own intervals are months or microseconds,
/// which Parquet has.
fn not_in_parquet(data_type: &DataType) -> Option<&'static str> {
    match data_type {
        DataType::Interval(IntervalUnit::MonthDayNano) => Some("INTERVAL"),
        DataType::Union(..) => Some("union"),
        // Parquet's binaries of a fixed length have at least one byte.
        DataType::FixedSizeBinary(..1) => Some("binary without bytes"),
        DataType::Struct(fields) if fields.is_empty() => Some("struct without fields"),
        DataType::Struct(fields) => fields.iter().find_map(|field| not_in_parquet(field.data_type())),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _)
        | DataType::RunEndEncoded(_, item) => not_in_parquet(item.data_type()),
        DataType::Dictionary(_, value) => not_in_parquet(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, DurationMicrosecondArray, IntervalYearMonthArray};
    use arrow_schema::{Field, UnionFields, UnionMode};
    use brickwire_actions::ErrorKind;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    #[test]
    fn the_services_intervals_can_be_written_as_parquet() {
        let months: ArrayRef = Arc::new(IntervalYearMonthArray::from(vec![Some(14), None]));
        let days: ArrayRef = Arc::new(DurationMicrosecondArray::from(vec![Some(-86_400_000_001), None]));
        let batch = RecordBatch::try_from_iter([("months", months), ("days", days)]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let target = Target::open(Some(&path)).unwrap();
        let mut printer = BatchPrinter::new(Format::Parquet, target, &batch.schema(), None).unwrap();
        printer.write(&batch).unwrap();
        printer.end().unwrap();
        let file = std::fs::File::open(path).unwrap();
        let mut read = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        assert_eq!(read.next().unwrap().unwrap(), batch);
    }

    /// The type, and the type as a part of every other one.
    fn nested(inner: &DataType) -> Vec<DataType> {
        let field = |name: &str, data_type: &DataType| Arc::new(Field::new(name, data_type.clone(), true));
        let entry = DataType::Struct(
            vec![Arc::new(Field::new("key", DataType::Utf8, false)), field("value", inner)].into(),
        );
        let item = field("item", inner);
        let list = DataType::List(item.clone());
        vec![
            DataType::Struct(vec![field("a", &DataType::Int32), field("list", &list)].into()),
            DataType::LargeList(item.clone()),
            DataType::FixedSizeList(item, 2),
            DataType::Map(Arc::new(Field::new("entries", entry, false)), false),
            inner.clone(),
            list,
        ]
    }

    #[test]
    fn what_parquet_lacks_is_an_error_before_a_byte_is_written() {
        let members = UnionFields::from_fields([Field::new("n", DataType::Int32, true)]);
        for (lacking, what) in [
            (DataType::Union(members.clone(), UnionMode::Sparse), "union"),
            (DataType::Union(members, UnionMode::Dense), "union"),
            (DataType::FixedSizeBinary(0), "binary without bytes"),
            (DataType::Interval(IntervalUnit::MonthDayNano), "INTERVAL"),
            (DataType::Struct(Vec::<Field>::new().into()), "struct without fields"),
        ] {
            for data_type in nested(&lacking) {
                let folder = tempfile::tempdir().unwrap();
                let target = Target::open(Some(&folder.path().join("a.parquet"))).unwrap();
                let fields = vec![Field::new("n", DataType::Int64, true), Field::new("odd", data_type, true)];
                let failure =
                    BatchPrinter::new(Format::Parquet, target, &Schema::new(fields).into(), None).err();
                let failure = failure.unwrap_or_else(|| panic!("{lacking} was accepted"));
                assert_eq!(failure.kind(), ErrorKind::Local);
                let message = format!("Parquet can't represent the {what} in this column: odd");
                assert_eq!(failure.message(), message);
                assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
            }
        }
    }
}

//! Arrow and Parquet: writes record batches as they arrive, with at most one row group in memory.

use std::{io, sync::Arc};

use arrow_array::RecordBatch;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field, IntervalUnit, Schema, SchemaRef};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};

use super::{rows::distinct, target::Target};
use crate::{failure::Failure, options::Format};

/// The size in bytes at which a row group is written out.
const ROW_GROUP: usize = 32 << 20;

/// Writes batches as Arrow or Parquet.
pub(crate) struct BatchPrinter {
    writer: Writer,
    /// The schema with unique names, if the batches' own schema repeats one.
    renamed: Option<SchemaRef>,
}

enum Writer {
    /// For a pipe, which is read as it arrives.
    Stream(StreamWriter<Target>),
    /// For a file, which has an index at its end.
    File(FileWriter<Target>),
    Parquet(Box<ArrowWriter<Target>>),
}

impl BatchPrinter {
    pub(crate) fn new(format: Format, target: Target, schema: &SchemaRef) -> Result<Self, Failure> {
        let renamed = with_distinct_names(schema);
        let schema = renamed.as_ref().unwrap_or(schema);
        let writer = if format == Format::Parquet {
            if let Some(field) = schema.fields().iter().find(|field| is_not_in_parquet(field)) {
                let message =
                    format!("Parquet can't represent the INTERVAL in this column: {}", field.name());
                return Err(
                    Failure::local(message).with_hint("CAST it AS STRING in the statement, or write Arrow")
                );
            }
            let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
            let writer =
                ArrowWriter::try_new(target, schema.clone(), Some(properties)).map_err(unwritable)?;
            Writer::Parquet(Box::new(writer))
        } else if target.is_whole_file() {
            Writer::File(FileWriter::try_new(target, schema).map_err(unwritable)?)
        } else {
            Writer::Stream(StreamWriter::try_new(target, schema).map_err(unwritable)?)
        };
        Ok(Self { writer, renamed })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let renamed = |schema: &SchemaRef| RecordBatch::try_new(schema.clone(), batch.columns().to_vec());
        let renamed = self.renamed.as_ref().map(renamed).transpose().map_err(unwritable)?;
        let batch = renamed.as_ref().unwrap_or(batch);
        match &mut self.writer {
            Writer::Stream(writer) => writer.write(batch).map_err(unwritable),
            Writer::File(writer) => writer.write(batch).map_err(unwritable),
            Writer::Parquet(writer) => {
                writer.write(batch).map_err(unwritable)?;
                if writer.in_progress_size() >= ROW_GROUP {
                    writer.flush().map_err(unwritable)?;
                }
                Ok(())
            }
        }
    }

    /// Finishes the output and keeps the file.
    pub(crate) fn end(self) -> Result<(), Failure> {
        let target = match self.writer {
            Writer::Stream(writer) => writer.into_inner().map_err(unwritable)?,
            Writer::File(writer) => writer.into_inner().map_err(unwritable)?,
            Writer::Parquet(writer) => writer.into_inner().map_err(unwritable)?,
        };
        Ok(target.keep()?)
    }
}

/// The schema with a unique name for each column, as in the other formats; Parquet readers reject duplicates. `None` if
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

/// An interval of months, days, and nanoseconds. The service's intervals are months or microseconds, which Parquet has.
fn is_not_in_parquet(field: &Field) -> bool {
    *field.data_type() == DataType::Interval(IntervalUnit::MonthDayNano)
}

/// Keeps the kind of an I/O error, so that a closed pipe isn't reported.
fn unwritable(error: impl std::error::Error) -> Failure {
    match error.source().and_then(|cause| cause.downcast_ref::<io::Error>()) {
        Some(error) => io::Error::new(error.kind(), error.to_string()).into(),
        None => Failure::local(format!("cannot write the rows: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, DurationMicrosecondArray, IntervalYearMonthArray};
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
        let mut printer = BatchPrinter::new(Format::Parquet, target, &batch.schema()).unwrap();
        printer.write(&batch).unwrap();
        printer.end().unwrap();
        let file = std::fs::File::open(path).unwrap();
        let mut read = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        assert_eq!(read.next().unwrap().unwrap(), batch);
    }
}

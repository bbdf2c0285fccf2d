//! Arrow and Parquet: record batches as they come, at most one row group in memory.

use std::{io::Write, sync::Arc};

use arrow_array::RecordBatch;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};

use super::{rows::distinct, target::Target};
use crate::{args::Format, report::Failure};

/// A row group is written out when it holds this much, in bytes.
const ROW_GROUP: usize = 32 << 20;

/// Writes batches in one of the two formats.
pub(crate) struct BatchPrinter {
    writer: Writer,
    /// The schema under which batches are written, if it isn't their own.
    renamed: Option<SchemaRef>,
}

enum Writer {
    /// For a pipe: it can be read from the beginning as it comes.
    Stream(StreamWriter<Target>),
    /// For a file: with an index at its end.
    File(FileWriter<Target>),
    Parquet(Box<ArrowWriter<Target>>),
}

impl BatchPrinter {
    pub(crate) fn new(format: Format, target: Target, schema: &SchemaRef) -> Result<Self, Failure> {
        let renamed = with_distinct_names(schema);
        let schema = renamed.as_ref().unwrap_or(schema);
        let writer = match (format, &target) {
            (Format::Parquet, _) => {
                let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
                let writer =
                    ArrowWriter::try_new(target, schema.clone(), Some(properties)).map_err(unwritable)?;
                Writer::Parquet(Box::new(writer))
            }
            (_, Target::File { .. }) => {
                Writer::File(FileWriter::try_new(target, schema).map_err(unwritable)?)
            }
            (_, Target::Stdout(_)) => {
                Writer::Stream(StreamWriter::try_new(target, schema).map_err(unwritable)?)
            }
        };
        Ok(Self { writer, renamed })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let under_new_names = match &self.renamed {
            Some(schema) => {
                Some(RecordBatch::try_new(schema.clone(), batch.columns().to_vec()).map_err(unwritable)?)
            }
            None => None,
        };
        let batch = under_new_names.as_ref().unwrap_or(batch);
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

    /// Ends the output and keeps the file.
    pub(crate) fn end(self) -> Result<(), Failure> {
        let mut target = match self.writer {
            Writer::Stream(writer) => writer.into_inner().map_err(unwritable)?,
            Writer::File(writer) => writer.into_inner().map_err(unwritable)?,
            Writer::Parquet(writer) => writer.into_inner().map_err(unwritable)?,
        };
        target.flush()?;
        target.keep()
    }
}

/// The schema with a name of its own for each column, as in the other formats; readers of Parquet refuse a name that
/// comes twice. `None` if there is nothing to do.
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

/// Errors of the file beneath keep their kind, so that a closed pipe stays quiet.
fn unwritable(error: impl Into<WriteError>) -> Failure {
    match error.into() {
        WriteError::Io(error) => Failure::Io(error),
        WriteError::Other(text) => Failure::Unable(format!("cannot write the rows: {text}")),
    }
}

enum WriteError {
    Io(std::io::Error),
    Other(String),
}

impl From<ArrowError> for WriteError {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Self::Io(error),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<parquet::errors::ParquetError> for WriteError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        match error {
            parquet::errors::ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
                Ok(error) => Self::Io(*error),
                Err(other) => Self::Other(other.to_string()),
            },
            other => Self::Other(other.to_string()),
        }
    }
}

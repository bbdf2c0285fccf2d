//! Arrow and Parquet: record batches as they come, at most one row group in memory.

use std::{io::Write, sync::Arc};

use arrow_array::RecordBatch;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use brickwire_actions::types::StatementColumnInfo;
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};

use super::target::Target;
use crate::{args::Format, report::Failure};

/// A row group is written out when it holds this much, in bytes.
const ROW_GROUP: usize = 32 << 20;

/// Writes batches in one of the two formats.
pub(crate) enum BatchPrinter {
    /// For a pipe: it can be read from the beginning as it comes.
    Stream(StreamWriter<Target>),
    /// For a file: with an index at its end.
    File(FileWriter<Target>),
    Parquet(Box<ArrowWriter<Target>>),
}

impl BatchPrinter {
    pub(crate) fn new(format: Format, target: Target, schema: &SchemaRef) -> Result<Self, Failure> {
        Ok(match (format, &target) {
            (Format::Parquet, _) => {
                let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
                let writer =
                    ArrowWriter::try_new(target, schema.clone(), Some(properties)).map_err(unwritable)?;
                Self::Parquet(Box::new(writer))
            }
            (_, Target::File { .. }) => Self::File(FileWriter::try_new(target, schema).map_err(unwritable)?),
            (_, Target::Stdout(_)) => {
                Self::Stream(StreamWriter::try_new(target, schema).map_err(unwritable)?)
            }
        })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        match self {
            Self::Stream(writer) => writer.write(batch).map_err(unwritable),
            Self::File(writer) => writer.write(batch).map_err(unwritable),
            Self::Parquet(writer) => {
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
        let mut target = match self {
            Self::Stream(writer) => writer.into_inner().map_err(unwritable)?,
            Self::File(writer) => writer.into_inner().map_err(unwritable)?,
            Self::Parquet(writer) => writer.into_inner().map_err(unwritable)?,
        };
        target.flush()?;
        target.keep()
    }
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

/// The schema of a result without rows, for which the service sends none.
pub(crate) fn schema_of(columns: &[StatementColumnInfo]) -> SchemaRef {
    let field = |c: &StatementColumnInfo| Field::new(c.name.clone().unwrap_or_default(), type_of(c), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

fn type_of(column: &StatementColumnInfo) -> DataType {
    let number = |n: Option<i64>| n.and_then(|n| u8::try_from(n).ok());
    match column.type_name.as_ref().map(|t| t.as_str()).unwrap_or_default() {
        "BOOLEAN" => DataType::Boolean,
        "BYTE" => DataType::Int8,
        "SHORT" => DataType::Int16,
        "INT" => DataType::Int32,
        "LONG" => DataType::Int64,
        "FLOAT" => DataType::Float32,
        "DOUBLE" => DataType::Float64,
        "DATE" => DataType::Date32,
        "TIMESTAMP" => match column.type_text.as_deref() {
            Some("TIMESTAMP_NTZ") => DataType::Timestamp(TimeUnit::Microsecond, None),
            _ => DataType::Timestamp(TimeUnit::Microsecond, Some("Etc/UTC".into())),
        },
        "BINARY" => DataType::Binary,
        "DECIMAL" => {
            let scale = number(column.type_scale).and_then(|s| i8::try_from(s).ok());
            DataType::Decimal128(number(column.type_precision).unwrap_or(38), scale.unwrap_or(0))
        }
        _ => DataType::Utf8,
    }
}

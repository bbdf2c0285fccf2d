//! The rows that the server has: a bigint, a double, a string of 20 characters, a timestamp, a decimal(18,2).

use std::{fmt::Write as _, io::Write as _, sync::Arc};

use arrow_array::{
    ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use bytes::Bytes;
use lz4_flex::frame::{BlockSize, FrameEncoder, FrameInfo};
use serde_json::{Value, json};

use crate::process::Failure;

/// What a result's bytes depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    pub(crate) rows: u64,
    pub(crate) format: Format,
    pub(crate) compressed: bool,
    /// Whether compressed chunks carry a checksum of each block and of the content.
    pub(crate) checksums: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    Arrow,
    Json,
}

pub(crate) struct Chunk {
    pub(crate) rows: u64,
    pub(crate) bytes: Bytes,
}

const ROWS_PER_BATCH: u64 = 4096;
/// About 20 MB of Arrow, or of JSON.
const ROWS_PER_CHUNK: [u64; 2] = [76 * ROWS_PER_BATCH, 50 * ROWS_PER_BATCH];

pub(crate) fn columns() -> Value {
    let columns = [("id", "LONG"), ("v", "DOUBLE"), ("s", "STRING"), ("ts", "TIMESTAMP"), ("d", "DECIMAL")];
    columns.iter().map(|(name, kind)| json!({ "name": name, "type_name": kind })).collect()
}

/// Makes all chunks, on all cores.
pub(crate) fn build(shape: &Shape) -> Result<Vec<Chunk>, Failure> {
    let step = ROWS_PER_CHUNK[usize::from(shape.format == Format::Json)];
    let starts: Vec<u64> = (0..shape.rows).step_by(step as usize).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let make = |starts: &[u64]| -> Result<Vec<Chunk>, Failure> {
        starts.iter().map(|from| chunk(shape, *from, (from + step).min(shape.rows))).collect()
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = starts.chunks(starts.len().div_ceil(threads).max(1)).collect();
        let workers: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || make(part))).collect();
        let mut chunks = Vec::new();
        for worker in workers {
            chunks.extend(worker.join().map_err(|_| "a worker panicked")??);
        }
        Ok(chunks)
    })
}

fn chunk(shape: &Shape, from: u64, to: u64) -> Result<Chunk, Failure> {
    let bytes = match shape.format {
        Format::Arrow => arrow(from, to)?,
        Format::Json => json_array(from, to)?,
    };
    let bytes = if shape.compressed { compress(&bytes, shape.checksums)? } else { bytes };
    Ok(Chunk { rows: to - from, bytes: bytes.into() })
}

/// Compresses in independent blocks of 4 MB.
fn compress(bytes: &[u8], checksums: bool) -> Result<Vec<u8>, Failure> {
    let info = FrameInfo::new().block_size(BlockSize::Max4MB);
    let info = info.block_checksums(checksums).content_checksum(checksums);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Pseudo-random bits (splitmix64).
fn mixed(row: u64, column: u64) -> u64 {
    let mut bits = (row ^ column << 48).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ bits >> 31
}

fn number(row: u64) -> f64 {
    (mixed(row, 1) % 100_000_000) as f64 / 100.0
}

/// Half of the text is random and half repeats, like in names and keys.
fn text(row: u64) -> String {
    format!("item-{:08x}-{:06}", mixed(row, 2) as u32, row % 1_000_000)
}

/// Microseconds since 1970, from 2024 on, about one a second.
fn time(row: u64) -> i64 {
    1_704_067_200_000_000 + row as i64 * 1_000_003
}

fn hundredths(row: u64) -> i128 {
    i128::from(mixed(row, 4) % 10_000_000_000)
}

fn arrow(from: u64, to: u64) -> Result<Vec<u8>, Failure> {
    let zone = "Etc/UTC";
    let schema = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("v", DataType::Float64, true),
        Field::new("s", DataType::Utf8, true),
        Field::new("ts", DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into())), true),
        Field::new("d", DataType::Decimal128(18, 2), true),
    ]));
    let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
    for start in (from..to).step_by(ROWS_PER_BATCH as usize) {
        let rows = start..(start + ROWS_PER_BATCH).min(to);
        let decimals = Decimal128Array::from_iter_values(rows.clone().map(hundredths));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| row as i64))),
            Arc::new(Float64Array::from_iter_values(rows.clone().map(number))),
            Arc::new(StringArray::from_iter_values(rows.clone().map(text))),
            Arc::new(TimestampMicrosecondArray::from_iter_values(rows.map(time)).with_timezone(zone)),
            Arc::new(decimals.with_precision_and_scale(18, 2)?),
        ];
        writer.write(&RecordBatch::try_new(schema.clone(), columns)?)?;
    }
    Ok(writer.into_inner()?)
}

fn json_array(from: u64, to: u64) -> Result<Vec<u8>, Failure> {
    let mut out = String::from("[");
    for row in from..to {
        let comma = if row == from { "" } else { "," };
        let (second, d) = (time(row) / 1_000_000 % 86_400, hundredths(row));
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            out,
            r#"{comma}["{row}","{:?}","{}","2024-01-01T{hour:02}:{minute:02}:{second:02}.000Z","{}.{:02}"]"#,
            number(row),
            text(row),
            d / 100,
            d % 100
        )?;
    }
    out.push(']');
    Ok(out.into_bytes())
}

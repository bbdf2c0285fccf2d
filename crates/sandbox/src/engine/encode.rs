//! Result chunks as bytes: JSON_ARRAY, ARROW_STREAM and CSV bodies from record batches.

use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::SchemaRef;

use super::{
    error::EngineError,
    text::{Cells, Fraction, csv_field},
};

/// The three result formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `[["1",null,"x"],…]`: every cell is a text or null.
    JsonArray,
    /// An Arrow IPC stream with its schema.
    ArrowStream,
    /// RFC 4180 lines; NULL is the word `null`.
    Csv,
}

/// One chunk: a whole document of its format. `first` says whether it is the result's first chunk, the only one
/// that has a header line in CSV. Compression of the body (LZ4) is the caller's.
///
/// # Errors
/// `INTERNAL_ERROR` when the batches don't have this schema, `UNSUPPORTED_FEATURE.SANDBOX` for a type that has no
/// text form.
pub fn encode(
    format: Format,
    schema: &SchemaRef,
    batches: &[RecordBatch],
    first: bool,
) -> Result<Vec<u8>, EngineError> {
    match format {
        Format::JsonArray => json_array(batches, Fraction::Milliseconds).map(String::into_bytes),
        Format::ArrowStream => arrow_stream(schema, batches),
        Format::Csv => csv(schema, batches, first).map(String::into_bytes),
    }
}

/// As [`Format::JsonArray`], but with the microseconds of timestamps.
///
/// # Errors
/// As [`encode`].
pub fn json_in_full(batches: &[RecordBatch]) -> Result<Vec<u8>, EngineError> {
    json_array(batches, Fraction::Microseconds).map(String::into_bytes)
}

fn cells(batch: &RecordBatch, fraction: Fraction) -> Result<Vec<Cells<'_>>, EngineError> {
    batch.columns().iter().map(|column| Cells::new(column.as_ref(), fraction)).collect()
}

fn json_array(batches: &[RecordBatch], fraction: Fraction) -> Result<String, EngineError> {
    let mut out = String::from("[");
    for batch in batches {
        let cells = cells(batch, fraction)?;
        for row in 0..batch.num_rows() {
            out.push_str(if out.len() > 1 { ",[" } else { "[" });
            for (i, cell) in cells.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                cell.json_cell(row, &mut out);
            }
            out.push(']');
        }
    }
    out.push(']');
    Ok(out)
}

fn csv(schema: &SchemaRef, batches: &[RecordBatch], first: bool) -> Result<String, EngineError> {
    let mut out = String::new();
    if first {
        for (i, field) in schema.fields().iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            csv_field(field.name(), &mut out);
        }
        out.push_str("\r\n");
    }
    for batch in batches {
        let cells = cells(batch, Fraction::Milliseconds)?;
        for row in 0..batch.num_rows() {
            for (i, cell) in cells.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                cell.csv_cell(row, &mut out);
            }
            out.push_str("\r\n");
        }
    }
    Ok(out)
}

fn arrow_stream(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Vec<u8>, EngineError> {
    let write = || -> Result<Vec<u8>, arrow_schema::ArrowError> {
        let mut writer = StreamWriter::try_new(Vec::new(), schema)?;
        for batch in batches {
            writer.write(batch)?;
        }
        writer.into_inner()
    };
    write().map_err(EngineError::internal)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::builder::{Int32Builder, ListBuilder, MapBuilder, StringBuilder};
    use arrow_array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
        NullArray, StringArray, StructArray, TimestampMicrosecondArray,
    };
    use arrow_ipc::reader::StreamReader;
    use arrow_schema::{DataType, Field, Schema};

    use super::*;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        let fields: Vec<Field> =
            columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
    }

    fn text(format: Format, batch: &RecordBatch, first: bool) -> String {
        String::from_utf8(encode(format, &batch.schema(), std::slice::from_ref(batch), first).unwrap())
            .unwrap()
    }

    #[test]
    fn json_cells_are_texts_or_null() {
        let micros = 1_704_164_645_000_000; // 2024-01-02 03:04:05
        let batch = batch(vec![
            ("l", Arc::new(Int64Array::from(vec![Some(9_007_199_254_740_993), None]))),
            ("d", Arc::new(Float64Array::from(vec![1.0, f64::NAN]))),
            ("dec", Arc::new(Decimal128Array::from(vec![1234, -5]).with_precision_and_scale(10, 2).unwrap())),
            ("b", Arc::new(BooleanArray::from(vec![true, false]))),
            ("date", Arc::new(Date32Array::from(vec![19_724, 0]))),
            ("ts", Arc::new(TimestampMicrosecondArray::from(vec![micros, 0]).with_timezone("Etc/UTC"))),
            ("ntz", Arc::new(TimestampMicrosecondArray::from(vec![micros, 0]))),
            ("bin", Arc::new(BinaryArray::from(vec![b"\xCA\xFE".as_slice(), b""]))),
            ("s", Arc::new(StringArray::from(vec![Some("a\"b"), None]))),
            ("void", Arc::new(NullArray::new(2))),
        ]);
        assert_eq!(
            text(Format::JsonArray, &batch, true),
            r#"[["9007199254740993","1.0","12.34","true","2024-01-02","2024-01-02T03:04:05.000Z","2024-01-02T03:04:05.000","yv4=","a\"b",null],[null,"NaN","-0.05","false","1970-01-01","1970-01-01T00:00:00.000Z","1970-01-01T00:00:00.000","",null,null]]"#
        );
    }

    #[test]
    fn nested_values_are_json_in_a_text_with_text_leaves() {
        let mut list = ListBuilder::new(Int32Builder::new());
        list.append_value([Some(1), None]);
        let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        map.keys().append_value("a");
        map.values().append_value(1);
        map.append(true).unwrap();
        let inner = Arc::new(list.finish()) as ArrayRef;
        let structure = StructArray::from(vec![(
            Arc::new(Field::new("x", inner.data_type().clone(), true)),
            Arc::clone(&inner),
        )]);
        let batch =
            batch(vec![("l", inner), ("m", Arc::new(map.finish())), ("st", Arc::new(structure) as ArrayRef)]);
        assert_eq!(
            text(Format::JsonArray, &batch, true),
            r#"[["[\"1\",null]","{\"a\":\"1\"}","{\"x\":[\"1\",null]}"]]"#
        );
    }

    #[test]
    fn json_in_full_has_microseconds() {
        let times = TimestampMicrosecondArray::from(vec![1_704_164_645_123_456]);
        let inner = Arc::new(times) as ArrayRef;
        let field = Arc::new(Field::new("x", inner.data_type().clone(), true));
        let structure = StructArray::from(vec![(field, Arc::clone(&inner))]);
        let batch = batch(vec![("t", inner), ("st", Arc::new(structure) as ArrayRef)]);
        let text = String::from_utf8(json_in_full(&[batch]).unwrap()).unwrap();
        assert_eq!(text, r#"[["2024-01-02T03:04:05.123456","{\"x\":\"2024-01-02T03:04:05.123456\"}"]]"#);
    }

    #[test]
    fn csv_has_its_header_in_the_first_chunk_only() {
        let batch = batch(vec![
            ("(a, b)", Arc::new(StringArray::from(vec![Some("x,\"y\""), None])) as ArrayRef),
            ("n", Arc::new(Int64Array::from(vec![1, 2]))),
        ]);
        let rows = "\"x,\"\"y\"\"\",1\r\nnull,2\r\n";
        assert_eq!(text(Format::Csv, &batch, true), format!("\"(a, b)\",n\r\n{rows}"));
        assert_eq!(text(Format::Csv, &batch, false), rows);
    }

    #[test]
    fn an_arrow_chunk_reads_back_even_when_it_is_empty() {
        let batch = batch(vec![("n", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef)]);
        for batches in [vec![batch.clone()], vec![]] {
            let bytes = encode(Format::ArrowStream, &batch.schema(), &batches, true).unwrap();
            let reader = StreamReader::try_new(bytes.as_slice(), None).unwrap();
            assert_eq!(reader.schema(), batch.schema());
            assert_eq!(reader.collect::<Result<Vec<_>, _>>().unwrap(), batches);
        }
    }

    #[test]
    fn no_rows_are_an_empty_array() {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
        assert_eq!(encode(Format::JsonArray, &schema, &[], true).unwrap(), b"[]");
    }
}

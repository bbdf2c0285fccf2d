//! Rows as text from an Arrow stream, which has fewer bytes than `JSON_ARRAY` and all digits of a TIMESTAMP.

mod calendar;
mod text;

use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_schema::SchemaRef;
use brickwire_client::types::StatementColumnInfo;

use self::text::Texts;
use super::{
    Rows, no_schema,
    page::{Page, Span},
};
use crate::{Error, Result};

/// About how many bytes a page of rows takes.
const PAGE_BYTES: usize = 1 << 20;

/// The most rows of a page.
const PAGE_ROWS: usize = 1 << 16;

/// Appends the rows of a batch with their number, some thousands at a time.
///
/// # Errors
/// If the batch has other columns than the result, or one of a type that has no text.
pub(super) fn pages(
    batch: &RecordBatch,
    columns: &Arc<[StatementColumnInfo]>,
    items: &mut Vec<(Rows, u64)>,
) -> Result<()> {
    let (width, rows) = (batch.num_columns(), batch.num_rows());
    if columns.is_empty() && rows > 0 {
        return Err(no_schema());
    }
    if width != columns.len() {
        let expected = columns.len();
        return Err(Error::unexpected(format!(
            "a row of the result has {width} cells for {expected} columns"
        )));
    }
    let texts =
        batch.columns().iter().map(|column| Texts::new(column.as_ref())).collect::<Result<Vec<_>>>()?;
    let bytes: usize = batch.columns().iter().map(size).sum();
    let step = (PAGE_BYTES / (bytes / rows.max(1)).max(1)).clamp(1, PAGE_ROWS);
    let mut from = 0;
    while from < rows {
        let until = rows.min(from + step);
        let page = page(&texts, batch.schema_ref(), columns, from, until)?;
        items.push((Rows(Arc::new(page)), (until - from) as u64));
        from = until;
    }
    Ok(())
}

fn page(
    texts: &[Texts<'_>],
    schema: &SchemaRef,
    columns: &Arc<[StatementColumnInfo]>,
    from: usize,
    until: usize,
) -> Result<Page> {
    let (width, rows) = (texts.len(), until - from);
    let mut text = String::new();
    let mut spans = vec![Span::NULL; width * rows];
    // Column by column, which is faster; where a text is in the page doesn't matter.
    for (column, texts) in texts.iter().enumerate() {
        for row in (0..rows).filter(|row| !texts.is_null(from + row)) {
            let start = text.len();
            texts.write(from + row, &mut text);
            spans[row * width + column] = Span { start: start as u32, length: (text.len() - start) as u32 };
        }
        // Checked here, since a few rows can have that much text.
        if text.len() >= Span::NULL.start as usize {
            return Err(Error::unexpected("some rows of the result have more than 4 GiB"));
        }
    }
    // The bytes that the batch came in are counted, too, until it has been read.
    let overhead = text.len() + spans.len() * size_of::<Span>();
    let schema = Some(schema.clone());
    Ok(Page { columns: columns.clone(), text, spans, rows, width, schema, overhead })
}

/// How many bytes the values of a column take.
fn size(column: &Arc<dyn Array>) -> usize {
    column.to_data().get_slice_memory_size().unwrap_or(PAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationMicrosecondArray,
        Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, IntervalYearMonthArray,
        NullArray, StringArray, StructArray, TimestampMicrosecondArray, UInt64Array,
        builder::{Int32Builder, ListBuilder, MapBuilder, StringBuilder},
    };
    use arrow_schema::Field;

    use super::*;

    fn array(values: impl Array + 'static) -> ArrayRef {
        Arc::new(values)
    }

    fn one_column() -> Arc<[StatementColumnInfo]> {
        [StatementColumnInfo::default()].into()
    }

    /// The texts of a column's rows, read from a slice that doesn't begin with the array.
    fn texts(values: &ArrayRef) -> Vec<Option<String>> {
        let batch = RecordBatch::try_from_iter([("x", values.clone())]).unwrap();
        let mut items = Vec::new();
        pages(&batch.slice(1, batch.num_rows() - 1), &one_column(), &mut items).unwrap();
        let cells =
            |rows: &Rows| rows.cells().map(|cell| cell.as_str().map(str::to_owned)).collect::<Vec<_>>();
        items.iter().flat_map(|(rows, _)| cells(rows)).collect()
    }

    #[test]
    fn every_type_has_the_text_of_a_json_array() {
        const MICROS: i64 = 1_704_164_645_123_456;
        let decimals = |scale, values: Vec<i128>| {
            array(Decimal128Array::from(values).with_precision_and_scale(38, scale).unwrap())
        };
        let wide = 12_345_678_901_234_567_890_123_456_789_012_345_678;
        let zone = TimestampMicrosecondArray::from(vec![0, MICROS, -1]).with_timezone("Etc/UTC");
        for (values, expected) in [
            (array(BooleanArray::from(vec![false, true, false])), vec!["true", "false"]),
            (array(Int8Array::from(vec![0, -128, 127])), vec!["-128", "127"]),
            (array(Int16Array::from(vec![0, -32768, 0])), vec!["-32768", "0"]),
            (array(Int32Array::from(vec![0, i32::MIN, 10])), vec!["-2147483648", "10"]),
            (
                array(Int64Array::from(vec![0, i64::MIN, 9_007_199_254_740_993])),
                vec!["-9223372036854775808", "9007199254740993"],
            ),
            (array(UInt64Array::from(vec![0, u64::MAX])), vec!["18446744073709551615"]),
            (array(Float32Array::from(vec![0.0, 0.1, 16_777_216.0])), vec!["0.1", "1.6777216E7"]),
            (
                decimals(3, vec![0, wide, -5, 0]),
                vec!["12345678901234567890123456789012345.678", "-0.005", "0.000"],
            ),
            (decimals(0, vec![0, -10, 0]), vec!["-10", "0"]),
            (decimals(38, vec![0, 1]), vec!["0.00000000000000000000000000000000000001"]),
            (decimals(-2, vec![0, 7, 0]), vec!["700", "0"]),
            (array(Date32Array::from(vec![0, 19_724, -719_162])), vec!["2024-01-02", "0001-01-01"]),
            (array(zone), vec!["2024-01-02T03:04:05.123456Z", "1969-12-31T23:59:59.999999Z"]),
            (array(TimestampMicrosecondArray::from(vec![0, MICROS])), vec!["2024-01-02T03:04:05.123456"]),
            (array(IntervalYearMonthArray::from(vec![0, 14, -25])), vec!["1-2", "-2-1"]),
            (array(DurationMicrosecondArray::from(vec![0, 86_400_000_001])), vec!["1 00:00:00.000001000"]),
            (array(StringArray::from(vec!["a", "", "a\"b\nü"])), vec!["", "a\"b\nü"]),
            (array(BinaryArray::from(vec![b"a".as_slice(), b"\xCA\xFE", b""])), vec!["yv4=", ""]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|text| Some(text.to_owned())).collect();
            assert_eq!(texts(&values), expected, "{}", values.data_type());
        }
        assert_eq!(texts(&array(NullArray::new(2))), [None]);
        assert_eq!(
            texts(&array(Int64Array::from(vec![Some(1), None, Some(2)]))),
            [None, Some("2".to_owned())]
        );
    }

    #[test]
    fn doubles_read_as_java_writes_them() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (2.5, "2.5"),
            (0.001, "0.001"),
            (0.0123, "0.0123"),
            (-0.000_999, "-9.99E-4"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (1e10, "1.0E10"),
            (123_456_789.125, "1.23456789125E8"),
            (-1234.5, "-1234.5"),
            (100.0, "100.0"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
        ];
        let values = Float64Array::from_iter_values([0.0].into_iter().chain(cases.iter().map(|case| case.0)));
        let expected: Vec<_> = cases.iter().map(|case| Some(case.1.to_owned())).collect();
        assert_eq!(texts(&array(values)), expected);
    }

    #[test]
    fn nested_values_are_json_whose_parts_are_texts() {
        let mut list = ListBuilder::new(Int32Builder::new());
        list.append_value([Some(0)]);
        list.append_value([Some(1), None]);
        list.append_null();
        list.append_value([]);
        let list = array(list.finish());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(texts(&list), [some(r#"["1",null]"#), None, some("[]")]);

        let mut map = MapBuilder::new(None, StringBuilder::new(), ListBuilder::new(StringBuilder::new()));
        map.append(true).unwrap();
        map.keys().append_value("k\"");
        map.values().append_value([Some("a\\\n"), None]);
        map.keys().append_value("");
        map.values().append_null();
        map.append(true).unwrap();
        assert_eq!(texts(&array(map.finish())), [some(r#"{"k\"":["a\\\n",null],"":null}"#)]);

        let times = array(TimestampMicrosecondArray::from(vec![0, 1, 2, 3]));
        let fields = [("a", list), ("b \"", times)];
        let fields =
            fields.map(|(name, part)| (Arc::new(Field::new(name, part.data_type().clone(), true)), part));
        assert_eq!(
            texts(&array(StructArray::from(fields.to_vec())))[..2],
            [
                some(r#"{"a":["1",null],"b \"":"1970-01-01T00:00:00.000001"}"#),
                some(r#"{"a":null,"b \"":"1970-01-01T00:00:00.000002"}"#)
            ]
        );
    }

    #[test]
    fn long_batches_become_several_pages() {
        let long = "x".repeat(PAGE_BYTES / 4);
        let values = array(StringArray::from_iter_values((0..20).map(|_| &long)));
        let batch = RecordBatch::try_from_iter([("x", values)]).unwrap();
        let mut items = Vec::new();
        pages(&batch, &one_column(), &mut items).unwrap();
        assert!(items.len() > 4 && items.iter().map(|(_, rows)| rows).sum::<u64>() == 20, "{}", items.len());
        assert!(items.iter().all(|(rows, count)| rows.len() as u64 == *count));
    }
}

//! The text of one value as Databricks sends it in JSON_ARRAY and CSV results.
//!
//! DOUBLE is written the way Java writes it, TIMESTAMP with milliseconds in UTC, BINARY as base64. A value inside
//! an ARRAY, MAP or STRUCT is JSON whose leaves are all texts: the service turns `array(1, 2)` into `["1","2"]`.

use std::fmt::{LowerExp, Write as _};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrowPrimitiveType, PrimitiveArray};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::error::EngineError;

/// Appends the text of a row's value.
type Write<'a> = Box<dyn Fn(usize, &mut String) + Send + 'a>;

/// How many digits of a second a TIMESTAMP has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fraction {
    /// As the service sends it.
    Milliseconds,
    /// All of it.
    Microseconds,
}

/// Writes the values of one column.
pub(super) struct Cells<'a> {
    array: &'a dyn Array,
    write: Write<'a>,
    /// The text needs no escapes in JSON.
    plain: bool,
    /// The text is itself JSON.
    nested: bool,
}

impl<'a> Cells<'a> {
    /// # Errors
    /// A type that no engine of ours should let through.
    pub(super) fn new(array: &'a dyn Array, fraction: Fraction) -> Result<Self, EngineError> {
        let (mut plain, mut nested) = (true, false);
        let write: Write<'a> = match array.data_type() {
            DataType::Null => Box::new(|_, _| {}),
            DataType::Boolean => {
                let values = array.as_boolean();
                Box::new(move |row, out| out.push_str(if values.value(row) { "true" } else { "false" }))
            }
            DataType::Int8 => integer(array.as_primitive::<Int8Type>()),
            DataType::Int16 => integer(array.as_primitive::<Int16Type>()),
            DataType::Int32 => integer(array.as_primitive::<Int32Type>()),
            DataType::Int64 => integer(array.as_primitive::<Int64Type>()),
            DataType::Float32 => {
                let values = array.as_primitive::<Float32Type>();
                Box::new(move |row, out| float(values.value(row), f64::from(values.value(row)), out))
            }
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>();
                Box::new(move |row, out| float(values.value(row), values.value(row), out))
            }
            DataType::Decimal128(..) => {
                let values = array.as_primitive::<Decimal128Type>();
                Box::new(move |row, out| out.push_str(&values.value_as_string(row)))
            }
            DataType::Date32 => {
                let values = array.as_primitive::<Date32Type>();
                Box::new(move |row, out| {
                    if let Some(date) = values.value_as_date(row) {
                        push(out, date);
                    }
                })
            }
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                let values = array.as_primitive::<TimestampMicrosecondType>();
                let zone = if zone.is_some() { "Z" } else { "" };
                let format = match fraction {
                    Fraction::Milliseconds => "%Y-%m-%dT%H:%M:%S%.3f",
                    Fraction::Microseconds => "%Y-%m-%dT%H:%M:%S%.6f",
                };
                Box::new(move |row, out| {
                    if let Some(time) = values.value_as_datetime(row) {
                        push(out, format_args!("{}{zone}", time.format(format)));
                    }
                })
            }
            DataType::Interval(IntervalUnit::MonthDayNano) => {
                let values = array.as_primitive::<IntervalMonthDayNanoType>();
                Box::new(move |row, out| {
                    let v = values.value(row);
                    interval(v.months, v.days, v.nanoseconds, out);
                })
            }
            DataType::Utf8 => {
                plain = false;
                let values = array.as_string::<i32>();
                Box::new(move |row, out| out.push_str(values.value(row)))
            }
            DataType::Binary => {
                let values = array.as_binary::<i32>();
                Box::new(move |row, out| BASE64_STANDARD.encode_string(values.value(row), out))
            }
            DataType::List(_) => {
                (plain, nested) = (false, true);
                let list = array.as_list::<i32>();
                let items = Cells::new(list.values().as_ref(), fraction)?;
                Box::new(move |row, out| {
                    let offsets = list.value_offsets();
                    sequence(out, '[', ']', offsets[row] as usize..offsets[row + 1] as usize, |item, out| {
                        items.json(item, out);
                    });
                })
            }
            DataType::Map(..) => {
                (plain, nested) = (false, true);
                let map = array.as_map();
                let keys = Cells::new(map.keys().as_ref(), fraction)?;
                let values = Cells::new(map.values().as_ref(), fraction)?;
                Box::new(move |row, out| {
                    let offsets = map.value_offsets();
                    sequence(out, '{', '}', offsets[row] as usize..offsets[row + 1] as usize, |item, out| {
                        json_string(&keys.text(item), out);
                        out.push(':');
                        values.json(item, out);
                    });
                })
            }
            DataType::Struct(fields) => {
                (plain, nested) = (false, true);
                let columns = array.as_struct().columns();
                let cells = columns
                    .iter()
                    .map(|c| Cells::new(c.as_ref(), fraction))
                    .collect::<Result<Vec<_>, _>>()?;
                Box::new(move |row, out| {
                    sequence(out, '{', '}', 0..cells.len(), |field, out| {
                        json_string(fields[field].name(), out);
                        out.push(':');
                        cells[field].json(row, out);
                    });
                })
            }
            other => return Err(EngineError::unsupported(format_args!("results of Arrow type {other}"))),
        };
        Ok(Self { array, write, plain, nested })
    }

    fn text(&self, row: usize) -> String {
        let mut out = String::new();
        (self.write)(row, &mut out);
        out
    }

    fn is_null(&self, row: usize) -> bool {
        matches!(self.array.data_type(), DataType::Null) || self.array.is_null(row)
    }

    /// The value as a cell: a JSON text, or null.
    pub(super) fn json_cell(&self, row: usize, out: &mut String) {
        if self.is_null(row) {
            out.push_str("null");
        } else if self.plain {
            out.push('"');
            (self.write)(row, out);
            out.push('"');
        } else {
            json_string(&self.text(row), out);
        }
    }

    /// The value inside an ARRAY, MAP or STRUCT.
    fn json(&self, row: usize, out: &mut String) {
        if self.nested && !self.is_null(row) { (self.write)(row, out) } else { self.json_cell(row, out) }
    }

    /// The value as a CSV field; NULL is the word `null`.
    pub(super) fn csv_cell(&self, row: usize, out: &mut String) {
        if self.is_null(row) {
            out.push_str("null");
        } else if self.plain {
            (self.write)(row, out);
        } else {
            csv_field(&self.text(row), out);
        }
    }
}

/// A CSV field, in quotes where RFC 4180 wants them.
pub(super) fn csv_field(text: &str, out: &mut String) {
    if text.contains(['"', ',', '\n', '\r']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

fn push(out: &mut String, value: impl std::fmt::Display) {
    write!(out, "{value}").expect("writing to a String cannot fail");
}

fn integer<'a, T>(values: &'a PrimitiveArray<T>) -> Write<'a>
where
    T: ArrowPrimitiveType,
    T::Native: std::fmt::Display,
{
    Box::new(move |row, out| push(out, values.value(row)))
}

fn sequence(
    out: &mut String,
    open: char,
    close: char,
    range: std::ops::Range<usize>,
    item: impl Fn(usize, &mut String),
) {
    out.push(open);
    for (i, index) in range.enumerate() {
        if i > 0 {
            out.push(',');
        }
        item(index, out);
    }
    out.push(close);
}

fn json_string(text: &str, out: &mut String) {
    out.push('"');
    let mut from = 0;
    for (i, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[from..i]);
        if escape.is_empty() {
            push(out, format_args!("\\u{byte:04x}"));
        } else {
            out.push_str(escape);
        }
        from = i + 1;
    }
    out.push_str(&text[from..]);
    out.push('"');
}

/// Java's `Double.toString`: shortest digits, `E` notation outside 10⁻³ ≤ |x| < 10⁷.
pub(super) fn float(shortest: impl LowerExp, wide: f64, out: &mut String) {
    if wide.is_nan() {
        return out.push_str("NaN");
    }
    if wide.is_infinite() {
        return out.push_str(if wide > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let text = format!("{shortest:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |m| ("-", m));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    out.push_str(sign);
    let count = digits.len() as i32;
    match exponent {
        -3..0 => push(out, format_args!("0.{}{digits}", "0".repeat((-exponent - 1) as usize))),
        0..7 if exponent + 1 >= count => {
            push(out, format_args!("{digits}{}.0", "0".repeat((exponent + 1 - count) as usize)));
        }
        0..7 => {
            let (whole, rest) = digits.split_at((exponent + 1) as usize);
            push(out, format_args!("{whole}.{rest}"));
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            push(out, format_args!("{first}.{}E{exponent}", if rest.is_empty() { "0" } else { rest }));
        }
    }
}

/// Spark's two interval families, `y-m` and `d h:m:s.n`; both parts together as its calendar interval.
fn interval(months: i32, days: i32, nanoseconds: i64, out: &mut String) {
    if days == 0 && nanoseconds == 0 && months != 0 {
        let sign = if months < 0 { "-" } else { "" };
        let months = months.unsigned_abs();
        return push(out, format_args!("{sign}{}-{}", months / 12, months % 12));
    }
    if months != 0 {
        push(out, format_args!("{months} months "));
    }
    const DAY: i128 = 86_400_000_000_000;
    let total = i128::from(days) * DAY + i128::from(nanoseconds);
    let sign = if total < 0 { "-" } else { "" };
    let total = total.unsigned_abs();
    let seconds = total / 1_000_000_000;
    push(
        out,
        format_args!(
            "{sign}{} {:02}:{:02}:{:02}.{:09}",
            seconds / 86_400,
            seconds / 3600 % 24,
            seconds / 60 % 60,
            seconds % 60,
            total % 1_000_000_000
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(value: f64) -> String {
        let mut out = String::new();
        float(value, value, &mut out);
        out
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
            (0.0001, "1.0E-4"),
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
        ];
        for (value, expected) in cases {
            assert_eq!(double(value), expected);
        }
    }

    #[test]
    fn a_float_keeps_its_own_shortest_digits() {
        let mut out = String::new();
        float(0.1_f32, f64::from(0.1_f32), &mut out);
        assert_eq!(out, "0.1");
    }

    #[test]
    fn intervals_have_sparks_two_forms() {
        let text = |months, days, nanoseconds| {
            let mut out = String::new();
            interval(months, days, nanoseconds, &mut out);
            out
        };
        assert_eq!(text(14, 0, 0), "1-2");
        assert_eq!(text(0, 1, 0), "1 00:00:00.000000000");
        assert_eq!(text(0, 0, -3_661_000_000_000), "-0 01:01:01.000000000");
        assert_eq!(text(0, 0, 0), "0 00:00:00.000000000");
    }

    #[test]
    fn json_text_escapes_what_json_wants_escaped() {
        let mut out = String::new();
        json_string("a\"b\\c\n\u{1}ü", &mut out);
        assert_eq!(out, "\"a\\\"b\\\\c\\n\\u0001ü\"");
    }
}

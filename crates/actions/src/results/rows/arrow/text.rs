//! The text of a value from Arrow: what the service writes in `JSON_ARRAY`, except that TIMESTAMP and TIMESTAMP_NTZ
//! have all six digits of a second instead of three.
//!
//! DOUBLE is written as Java writes it, BINARY as base64, TIMESTAMP in UTC. A value inside of an ARRAY, MAP or STRUCT is
//! a JSON string: `array(1, 2)` is `["1","2"]`. Arrow types that the service doesn't send today are written like those
//! that it does.

use std::{
    fmt::{LowerExp, Write as _},
    ops::Range,
};

use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, GenericListArray, OffsetSizeTrait, PrimitiveArray,
    cast::AsArray,
    types::{
        Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
        DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
        Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalDayTimeType,
        IntervalMonthDayNanoType, IntervalYearMonthType, TimestampMicrosecondType, TimestampMillisecondType,
        TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::calendar::{interval, write_date, write_digits, write_timestamp};
use crate::{Error, Result};

/// Appends the text of a row's value, which is not NULL.
type Write<'a> = Box<dyn Fn(usize, &mut String) + 'a>;

const NANOS_PER_DAY: i128 = 86_400_000_000_000;

/// The texts of one column.
pub(super) struct Texts<'a> {
    nulls: Option<&'a NullBuffer>,
    /// All values are NULL, of a type that has no others.
    is_void: bool,
    write: Write<'a>,
    /// How the value stands inside of another.
    inside: Inside,
}

#[derive(Clone, Copy)]
enum Inside {
    /// A JSON string that needs no escapes.
    Plain,
    /// A JSON string.
    Escaped,
    /// JSON itself.
    Json,
}

impl<'a> Texts<'a> {
    /// # Errors
    /// If the service has no such type.
    pub(super) fn new(array: &'a dyn Array) -> Result<Self> {
        let (write, inside) = match nested(array)? {
            Some(write) => (write, Inside::Json),
            None => match scalar(array) {
                Some(write) => (write, Inside::Plain),
                None => (text(array)?, Inside::Escaped),
            },
        };
        let is_void = *array.data_type() == DataType::Null;
        Ok(Self { nulls: array.nulls(), is_void, write, inside })
    }

    /// Whether a row's value is NULL.
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.is_void || self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the text of a row's value, which is not NULL.
    pub(super) fn write(&self, row: usize, out: &mut String) {
        (self.write)(row, out);
    }

    /// Appends the value as it stands inside of another: JSON.
    fn write_inside(&self, row: usize, out: &mut String) {
        match self.inside {
            _ if self.is_null(row) => out.push_str("null"),
            Inside::Json => self.write(row, out),
            Inside::Plain => {
                out.push('"');
                self.write(row, out);
                out.push('"');
            }
            Inside::Escaped => self.write_string(row, out),
        }
    }

    /// Appends the value's text as a JSON string.
    fn write_string(&self, row: usize, out: &mut String) {
        let mut text = String::new();
        self.write(row, &mut text);
        json_string(&text, out);
    }
}

/// The types whose text needs no escapes in JSON; `None` for all others.
fn scalar(array: &dyn Array) -> Option<Write<'_>> {
    Some(match array.data_type() {
        DataType::Null => Box::new(|_, _| {}),
        DataType::Boolean => {
            let values = array.as_boolean();
            Box::new(move |row, out| out.push_str(if values.value(row) { "true" } else { "false" }))
        }
        DataType::Int8 => integer(array.as_primitive::<Int8Type>()),
        DataType::Int16 => integer(array.as_primitive::<Int16Type>()),
        DataType::Int32 => integer(array.as_primitive::<Int32Type>()),
        DataType::Int64 => integer(array.as_primitive::<Int64Type>()),
        DataType::UInt8 => integer(array.as_primitive::<UInt8Type>()),
        DataType::UInt16 => integer(array.as_primitive::<UInt16Type>()),
        DataType::UInt32 => integer(array.as_primitive::<UInt32Type>()),
        DataType::UInt64 => integer(array.as_primitive::<UInt64Type>()),
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            Box::new(move |row, out| write_float(values.value(row), f64::from(values.value(row)), out))
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            Box::new(move |row, out| write_float(values.value(row), values.value(row), out))
        }
        DataType::Decimal32(_, scale) => decimal(array.as_primitive::<Decimal32Type>(), *scale),
        DataType::Decimal64(_, scale) => decimal(array.as_primitive::<Decimal64Type>(), *scale),
        DataType::Decimal128(_, scale) => decimal(array.as_primitive::<Decimal128Type>(), *scale),
        DataType::Decimal256(..) => {
            let values = array.as_primitive::<Decimal256Type>();
            Box::new(move |row, out| out.push_str(&values.value_as_string(row)))
        }
        DataType::Date32 => {
            let values = array.as_primitive::<Date32Type>();
            Box::new(move |row, out| write_date(values.value(row).into(), out))
        }
        DataType::Date64 => {
            let values = array.as_primitive::<Date64Type>();
            Box::new(move |row, out| write_date(values.value(row).div_euclid(86_400_000), out))
        }
        DataType::Timestamp(unit, zone) => {
            let zone = if zone.is_some() { "Z" } else { "" };
            match unit {
                TimeUnit::Second => timestamp(array.as_primitive::<TimestampSecondType>(), *unit, zone),
                TimeUnit::Millisecond => {
                    timestamp(array.as_primitive::<TimestampMillisecondType>(), *unit, zone)
                }
                TimeUnit::Microsecond => {
                    timestamp(array.as_primitive::<TimestampMicrosecondType>(), *unit, zone)
                }
                TimeUnit::Nanosecond => {
                    timestamp(array.as_primitive::<TimestampNanosecondType>(), *unit, zone)
                }
            }
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            let values = array.as_primitive::<IntervalYearMonthType>();
            Box::new(move |row, out| interval(Some(values.value(row)), 0, out))
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            let values = array.as_primitive::<IntervalDayTimeType>();
            Box::new(move |row, out| {
                let value = values.value(row);
                let nanos =
                    i128::from(value.days) * NANOS_PER_DAY + i128::from(value.milliseconds) * 1_000_000;
                interval(None, nanos, out);
            })
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let values = array.as_primitive::<IntervalMonthDayNanoType>();
            Box::new(move |row, out| {
                let value = values.value(row);
                let nanos = i128::from(value.days) * NANOS_PER_DAY + i128::from(value.nanoseconds);
                interval(Some(value.months).filter(|months| *months != 0), nanos, out);
            })
        }
        DataType::Duration(unit) => match unit {
            TimeUnit::Second => duration(array.as_primitive::<DurationSecondType>(), *unit),
            TimeUnit::Millisecond => duration(array.as_primitive::<DurationMillisecondType>(), *unit),
            TimeUnit::Microsecond => duration(array.as_primitive::<DurationMicrosecondType>(), *unit),
            TimeUnit::Nanosecond => duration(array.as_primitive::<DurationNanosecondType>(), *unit),
        },
        DataType::Binary => {
            let values = array.as_binary::<i32>();
            Box::new(move |row, out| BASE64_STANDARD.encode_string(values.value(row), out))
        }
        DataType::LargeBinary => {
            let values = array.as_binary::<i64>();
            Box::new(move |row, out| BASE64_STANDARD.encode_string(values.value(row), out))
        }
        DataType::BinaryView => {
            let values = array.as_binary_view();
            Box::new(move |row, out| BASE64_STANDARD.encode_string(values.value(row), out))
        }
        DataType::FixedSizeBinary(_) => {
            let values = array.as_fixed_size_binary();
            Box::new(move |row, out| BASE64_STANDARD.encode_string(values.value(row), out))
        }
        _ => return None,
    })
}

/// The types of text.
fn text(array: &dyn Array) -> Result<Write<'_>> {
    Ok(match array.data_type() {
        DataType::Utf8 => {
            let values = array.as_string::<i32>();
            Box::new(move |row, out| out.push_str(values.value(row)))
        }
        DataType::LargeUtf8 => {
            let values = array.as_string::<i64>();
            Box::new(move |row, out| out.push_str(values.value(row)))
        }
        DataType::Utf8View => {
            let values = array.as_string_view();
            Box::new(move |row, out| out.push_str(values.value(row)))
        }
        other => {
            return Err(Error::unexpected(format!("a column has an Arrow type that has no text: {other}"))
                .with_hint("CAST the column AS STRING in the statement"));
        }
    })
}

/// ARRAY, MAP and STRUCT; `None` for all others.
fn nested(array: &dyn Array) -> Result<Option<Write<'_>>> {
    Ok(Some(match array.data_type() {
        DataType::List(_) => list(array.as_list::<i32>())?,
        DataType::LargeList(_) => list(array.as_list::<i64>())?,
        DataType::FixedSizeList(_, length) => {
            let values = array.as_fixed_size_list();
            let items = Texts::new(values.values().as_ref())?;
            let length = usize::try_from(*length).unwrap_or_default();
            Box::new(move |row, out| {
                // The values of a slice begin with its first row.
                sequence(out, '[', ']', row * length..(row + 1) * length, |item, out| {
                    items.write_inside(item, out);
                });
            })
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let (keys, values) = (Texts::new(map.keys().as_ref())?, Texts::new(map.values().as_ref())?);
            Box::new(move |row, out| {
                sequence(out, '{', '}', range(map.value_offsets(), row), |item, out| {
                    keys.write_string(item, out);
                    out.push(':');
                    values.write_inside(item, out);
                });
            })
        }
        DataType::Struct(fields) => {
            let columns: &[ArrayRef] = array.as_struct().columns();
            let columns = columns.iter().map(|c| Texts::new(c.as_ref())).collect::<Result<Vec<_>>>()?;
            Box::new(move |row, out| {
                sequence(out, '{', '}', 0..columns.len(), |field, out| {
                    json_string(fields[field].name(), out);
                    out.push(':');
                    columns[field].write_inside(row, out);
                });
            })
        }
        _ => return Ok(None),
    }))
}

fn list<O: OffsetSizeTrait>(list: &GenericListArray<O>) -> Result<Write<'_>> {
    let items = Texts::new(list.values().as_ref())?;
    Ok(Box::new(move |row, out| {
        sequence(out, '[', ']', range(list.value_offsets(), row), |item, out| items.write_inside(item, out));
    }))
}

fn range<O: OffsetSizeTrait>(offsets: &[O], row: usize) -> Range<usize> {
    offsets[row].as_usize()..offsets[row + 1].as_usize()
}

fn sequence(
    out: &mut String,
    open: char,
    close: char,
    range: Range<usize>,
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

fn integer<T: ArrowPrimitiveType>(values: &PrimitiveArray<T>) -> Write<'_>
where
    T::Native: Into<i128>,
{
    Box::new(move |row, out| write_integer(values.value(row).into(), out))
}

fn write_integer(value: i128, out: &mut String) {
    if value < 0 {
        out.push('-');
    }
    match u64::try_from(value.unsigned_abs()) {
        Ok(value) => write_digits(value, 1, out),
        Err(_) => push(out, value.unsigned_abs()),
    }
}

/// An exact number: all digits of the scale are written, zeros included.
fn decimal<T: ArrowPrimitiveType>(values: &PrimitiveArray<T>, scale: i8) -> Write<'_>
where
    T::Native: Into<i128>,
{
    let scale_digits = usize::from(scale.unsigned_abs());
    // The unit of the digits before the point, if it fits.
    let one = u64::try_from(scale).ok().and_then(|_| 10_u64.checked_pow(scale.unsigned_abs().into()));
    Box::new(move |row, out| {
        let value: i128 = values.value(row).into();
        if scale == 0 {
            return write_integer(value, out);
        }
        if value < 0 {
            out.push('-');
        }
        let digits = value.unsigned_abs();
        if let (Some(one), Ok(digits)) = (one, u64::try_from(digits)) {
            write_digits(digits / one, 1, out);
            out.push('.');
            return write_digits(digits % one, scale_digits, out);
        }
        let digits = digits.to_string();
        match digits.len().checked_sub(scale_digits) {
            _ if scale < 0 && value == 0 => out.push('0'),
            _ if scale < 0 => push(out, format_args!("{digits}{}", "0".repeat(scale_digits))),
            Some(whole @ 1..) => push(out, format_args!("{}.{}", &digits[..whole], &digits[whole..])),
            _ => push(out, format_args!("0.{digits:0>scale_digits$}")),
        }
    })
}

fn timestamp<'a, T: ArrowPrimitiveType<Native = i64>>(
    values: &'a PrimitiveArray<T>,
    unit: TimeUnit,
    zone: &'static str,
) -> Write<'a> {
    let per_second = per_second(unit);
    Box::new(move |row, out| {
        let value = values.value(row);
        let nanos = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
        write_timestamp(value.div_euclid(per_second), nanos.unsigned_abs(), out);
        out.push_str(zone);
    })
}

fn duration<T: ArrowPrimitiveType<Native = i64>>(values: &PrimitiveArray<T>, unit: TimeUnit) -> Write<'_> {
    let nanos_each = i128::from(1_000_000_000 / per_second(unit));
    Box::new(move |row, out| interval(None, i128::from(values.value(row)) * nanos_each, out))
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Java's `Double.toString`: the shortest digits that identify the value, and `E` notation unless 10⁻³ ≤ |x| < 10⁷.
fn write_float(shortest: impl LowerExp, wide: f64, out: &mut String) {
    if wide.is_nan() {
        return out.push_str("NaN");
    }
    if wide.is_infinite() {
        return out.push_str(if wide > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let mut digits = Digits::default();
    // This can't fail: the longest text, as `-1.7976931348623157e-308`, has 24 bytes.
    let _ = write!(digits, "{shortest:e}");
    let text = digits.as_str();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |digits| ("-", digits));
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    out.push_str(sign);
    match exponent {
        -3..0 => {
            out.push_str(["0.", "0.0", "0.00"][usize::try_from(-exponent - 1).unwrap_or_default()]);
            out.push_str(first);
            out.push_str(rest);
        }
        0..7 => {
            let whole = usize::try_from(exponent).unwrap_or_default();
            out.push_str(first);
            if rest.len() > whole {
                push(out, format_args!("{}.{}", &rest[..whole], &rest[whole..]));
            } else {
                push(out, format_args!("{rest:0<whole$}.0"));
            }
        }
        _ => push(out, format_args!("{first}.{}E{exponent}", if rest.is_empty() { "0" } else { rest })),
    }
}

/// The digits of a number, on the stack: there is one for each cell of a DOUBLE.
#[derive(Default)]
struct Digits {
    bytes: [u8; 32],
    length: usize,
}

impl Digits {
    fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl std::fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

fn push(out: &mut String, value: impl std::fmt::Display) {
    // This can't fail: it is written to memory.
    let _ = write!(out, "{value}");
}

fn json_string(text: &str, out: &mut String) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        match escape {
            "" => push(out, format_args!("\\u{byte:04x}")),
            escape => out.push_str(escape),
        }
        from = at + 1;
    }
    out.push_str(&text[from..]);
    out.push('"');
}

//! How large a function's result may get, known before it is computed.

use arrow_array::cast::AsArray;
use arrow_array::types::{IntervalMonthDayNanoType, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Int64Array};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use datafusion::arrow::compute::cast;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

/// How a function's result grows with its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Growth {
    /// No larger than a few times its arguments.
    Sum,
    /// `repeat(text, n)`, `array_repeat(value, n)`: the first, `n` times.
    Times,
    /// `space(n)`.
    Spaces,
    /// `lpad(text, n, pad)`.
    Padding,
    /// `replace(text, from, to)`.
    Replacing,
    /// `regexp_replace(text, pattern, to)`.
    Matching,
    /// `sequence(start, stop, step)`.
    Series,
    /// `format_string(format, …)`: as wide as the numbers in the format.
    Format,
    /// `levenshtein(a, b)`: small, but its time is the product of the lengths.
    Comparing,
}

impl Growth {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "repeat" | "array_repeat" | "list_repeat" => Self::Times,
            "space" => Self::Spaces,
            "lpad" | "rpad" => Self::Padding,
            "replace" => Self::Replacing,
            "regexp_replace" => Self::Matching,
            "generate_series" | "range" | "sequence" => Self::Series,
            "format_string" | "printf" => Self::Format,
            "levenshtein" => Self::Comparing,
            _ => Self::Sum,
        }
    }
}

/// The bytes that a row's result has at most, and the steps that it takes beyond reading and writing these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) bytes: u64,
    pub(super) steps: u64,
}

/// A function's arguments, ready to be asked row by row.
pub(super) struct Operands(Vec<Operand>);

struct Operand {
    array: ArrayRef,
    /// One value for all rows.
    single: bool,
    /// The same as whole numbers, where it is one.
    numbers: Option<Int64Array>,
}

impl Operands {
    pub(super) fn new(growth: Growth, args: &[ColumnarValue]) -> Result<Self> {
        let operand = |value: &ColumnarValue| {
            let (array, single) = match value {
                ColumnarValue::Array(array) => (array.clone(), false),
                ColumnarValue::Scalar(scalar) => (scalar.to_array()?, true),
            };
            let numbers = match array.data_type() {
                kind if kind.is_integer() => Some(cast(&array, &DataType::Int64)?.as_primitive().clone()),
                DataType::Date32 if growth == Growth::Series => Some(microseconds(&array)?),
                DataType::Timestamp(..) if growth == Growth::Series => Some(microseconds(&array)?),
                DataType::Interval(IntervalUnit::MonthDayNano) => Some(shortest(&array)),
                _ => None,
            };
            Ok(Operand { array, single, numbers })
        };
        Ok(Self(args.iter().map(operand).collect::<Result<_>>()?))
    }

    pub(super) fn cost(&self, growth: Growth, row: usize) -> Cost {
        let size = |index: usize| self.0.get(index).map_or(0, |operand| operand.bytes(row));
        let number = |index: usize| self.0.get(index).and_then(|operand| operand.number(row));
        let times = |index: usize| u64::try_from(number(index).unwrap_or(0)).unwrap_or(0);
        let all = || (0..self.0.len()).fold(0, |sum: u64, index| sum.saturating_add(size(index)));
        let bytes = match growth {
            Growth::Sum => all(),
            Growth::Times => size(0).max(1).saturating_mul(times(1)),
            Growth::Spaces => times(0),
            // Characters are up to four bytes long.
            Growth::Padding => size(0).saturating_add(times(1).saturating_mul(4.min(size(2).max(1)))),
            Growth::Replacing => self.replaced(row).saturating_mul(size(2)).saturating_add(size(0)),
            // Each match gives the replacement, in which a reference to a group takes two bytes at least.
            Growth::Matching => {
                let per_byte = size(2).saturating_mul(3) / 2 + 1;
                size(0).saturating_add(1).saturating_mul(per_byte)
            }
            Growth::Series => self.elements(row).saturating_mul(8),
            Growth::Format => all().saturating_mul(2).saturating_add(self.widths(row)),
            Growth::Comparing => 8,
        };
        let steps = if growth == Growth::Comparing { size(0).saturating_mul(size(1)) } else { 0 };
        Cost { bytes, steps }
    }

    /// How many elements a series has.
    pub(super) fn elements(&self, row: usize) -> u64 {
        let number = |index: usize| self.0.get(index).and_then(|operand| operand.number(row)).map(i128::from);
        let (Some(start), Some(stop)) = (number(0), number(1)) else { return 0 };
        let day = 24 * 3600 * 1_000_000;
        let of_dates = self.0.first().is_some_and(|operand| !operand.array.data_type().is_integer());
        let step = number(2).unwrap_or(if of_dates { day } else { 1 }).unsigned_abs().max(1);
        u64::try_from((stop - start).unsigned_abs() / step + 1).unwrap_or(u64::MAX)
    }

    /// How often the second text stands in the first.
    fn replaced(&self, row: usize) -> u64 {
        let text = |index: usize| self.0.get(index).and_then(|operand| operand.text(row)).unwrap_or_default();
        let (from, within) = (text(1), text(0));
        if from.is_empty() { within.len() as u64 + 1 } else { within.matches(from).count() as u64 }
    }

    /// The sum of all numbers in a format.
    fn widths(&self, row: usize) -> u64 {
        let format = self.0.first().and_then(|operand| operand.text(row)).unwrap_or_default();
        let digits = format.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
        digits.fold(0, |sum, digits| sum.saturating_add(digits.parse().unwrap_or(u64::MAX)))
    }
}

impl Operand {
    fn row(&self, row: usize) -> usize {
        if self.single { 0 } else { row }
    }

    fn number(&self, row: usize) -> Option<i64> {
        let (numbers, row) = (self.numbers.as_ref()?, self.row(row));
        numbers.is_valid(row).then(|| numbers.value(row))
    }

    fn text(&self, row: usize) -> Option<&str> {
        let (texts, row) = (self.array.as_string_opt::<i32>()?, self.row(row));
        texts.is_valid(row).then(|| texts.value(row))
    }

    fn bytes(&self, row: usize) -> u64 {
        match self.array.as_string_opt::<i32>() {
            Some(_) => self.text(row).map_or(0, |text| text.len() as u64),
            None => bytes(self.array.slice(self.row(row), 1).as_ref()),
        }
    }
}

fn microseconds(moments: &ArrayRef) -> Result<Int64Array> {
    let moments = cast(moments, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    Ok(moments.as_primitive::<TimestampMicrosecondType>().reinterpret_cast())
}

/// The least that each interval may be, in microseconds.
fn shortest(intervals: &ArrayRef) -> Int64Array {
    let least = |months: i32, days: i32, nanoseconds: i64| {
        let days = i64::from(months) * 28 + i64::from(days);
        days.saturating_mul(24 * 3600 * 1_000_000).saturating_add(nanoseconds / 1000)
    };
    let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>().iter();
    intervals.map(|interval| interval.map(|i| least(i.months, i.days, i.nanoseconds))).collect()
}

/// The bytes of an array's values, without what lies outside of its slice.
pub(super) fn bytes(array: &dyn Array) -> u64 {
    let rows = array.len() as u64;
    let texts = |offsets: &[i32]| match offsets {
        [first, .., last] => u64::from(last.abs_diff(*first)),
        _ => 0,
    };
    rows.saturating_mul(4).saturating_add(match array.data_type() {
        DataType::Utf8 => texts(array.as_string::<i32>().value_offsets()),
        DataType::Binary => texts(array.as_binary::<i32>().value_offsets()),
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let (first, last) =
                (lists.value_offsets()[0] as usize, lists.value_offsets()[lists.len()] as usize);
            bytes(lists.values().slice(first, last - first).as_ref())
        }
        DataType::Map(..) => {
            let maps = array.as_map();
            let (first, last) = (maps.value_offsets()[0] as usize, maps.value_offsets()[maps.len()] as usize);
            bytes(&maps.entries().slice(first, last - first))
        }
        DataType::Struct(_) => array.as_struct().columns().iter().map(|column| bytes(column.as_ref())).sum(),
        kind => match kind.primitive_width() {
            Some(width) => rows.saturating_mul(width as u64),
            None => array.to_data().get_slice_memory_size().map_or(0, |bytes| bytes as u64),
        },
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Date32Array, Int32Array, StringArray};
    use datafusion::common::ScalarValue;

    use super::*;

    fn cost(name: &str, args: &[ColumnarValue], row: usize) -> Cost {
        let growth = Growth::of(name);
        Operands::new(growth, args).unwrap().cost(growth, row)
    }

    fn text(text: &str) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::from(text))
    }

    fn number(number: i64) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::from(number))
    }

    #[test]
    fn a_result_is_never_larger_than_its_bound() {
        for (name, args, least) in [
            ("repeat", vec![text("abc"), number(2_000_000_000)], 6_000_000_000),
            ("repeat", vec![text("abc"), number(-1)], 0),
            ("space", vec![number(7_000_000_000)], 7_000_000_000),
            ("lpad", vec![text("a"), number(3_000_000_000), text("ö")], 6_000_000_000),
            ("replace", vec![text("aaa"), text("a"), text("bbbbbb")], 18),
            ("replace", vec![text("aaa"), text(""), text("bb")], 8),
            ("regexp_replace", vec![text("aaaa"), text("a"), text("$0$0")], 8),
            ("sequence", vec![number(1), number(1_000_000_000)], 8_000_000_000),
            ("sequence", vec![number(i64::MIN), number(i64::MAX), number(-1)], u64::MAX),
            ("sequence", vec![number(10), number(1), number(-3)], 32),
            ("format_string", vec![text("%2000000000d"), number(1)], 2_000_000_000),
            ("concat", vec![text("ab"), text("cd")], 4),
        ] {
            let bytes = cost(name, &args, 0).bytes;
            assert!(bytes >= least, "{name}: {bytes} < {least}");
            assert!(least > 1000 || bytes <= least + 1000, "{name}: {bytes} is far above {least}");
        }
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("bbb")]));
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 9, 5]));
        let columns = [ColumnarValue::Array(texts), ColumnarValue::Array(numbers)];
        assert!((15..100).contains(&cost("repeat", &columns, 2).bytes));
        assert_eq!(
            cost("levenshtein", &[text(&"a".repeat(1000)), text(&"b".repeat(996))], 0).steps,
            1000 * 996
        );
    }

    #[test]
    fn series_of_dates_count_their_days() {
        let date = |days| ColumnarValue::Array(Arc::new(Date32Array::from(vec![days])) as ArrayRef);
        let step = |months, days, nanos| {
            let step = ScalarValue::new_interval_mdn(months, days, nanos);
            ColumnarValue::Scalar(step)
        };
        let elements = |args: &[ColumnarValue]| Operands::new(Growth::Series, args).unwrap().elements(0);
        assert_eq!(elements(&[date(0), date(9)]), 10);
        assert_eq!(elements(&[date(0), date(9), step(0, 3, 0)]), 4);
        assert!(elements(&[date(0), date(365), step(1, 0, 0)]) >= 12);
        assert!(elements(&[date(0), date(1), step(0, 0, 1000)]) >= 86_400_000_000);
    }
}

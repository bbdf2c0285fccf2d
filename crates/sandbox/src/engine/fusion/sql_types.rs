//! SQL types to Arrow types, and Arrow types that Databricks never sends to those it does.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::sqlparser::ast::{ArrayElemTypeDef, DataType as SqlType, ExactNumberInfo};

/// The session's time zone, always.
pub(super) const TIME_ZONE: &str = "Etc/UTC";

/// TIMESTAMP: microseconds, in UTC.
pub(super) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()))
}

const TIMESTAMP_NTZ: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// Gives the planner our types for every SQL type but INTERVAL.
#[derive(Debug)]
pub(super) struct SparkTypes;

impl TypePlanner for SparkTypes {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        if matches!(sql_type, SqlType::Interval { .. }) {
            return Ok(None);
        }
        Ok(Some(Arc::new(Field::new("", arrow_type(sql_type)?, true))))
    }
}

pub(super) fn arrow_type(sql_type: &SqlType) -> Result<DataType> {
    Ok(match sql_type {
        SqlType::Boolean | SqlType::Bool => DataType::Boolean,
        SqlType::TinyInt(_) => DataType::Int8,
        SqlType::SmallInt(_) => DataType::Int16,
        SqlType::Int(_) | SqlType::Integer(_) => DataType::Int32,
        SqlType::BigInt(_) => DataType::Int64,
        SqlType::Float(_) | SqlType::Real => DataType::Float32,
        SqlType::Double(_) | SqlType::DoublePrecision => DataType::Float64,
        SqlType::Decimal(size) | SqlType::Dec(size) | SqlType::Numeric(size) => decimal(*size)?,
        SqlType::String(_) | SqlType::Varchar(_) | SqlType::Char(_) | SqlType::Text => DataType::Utf8,
        SqlType::Binary(_) => DataType::Binary,
        SqlType::Date => DataType::Date32,
        SqlType::Timestamp(..) => timestamp(),
        SqlType::TimestampNtz(_) => TIMESTAMP_NTZ,
        SqlType::Array(ArrayElemTypeDef::AngleBracket(element)) => {
            DataType::List(Arc::new(Field::new("element", arrow_type(element)?, true)))
        }
        SqlType::Map(key, value) => {
            let pair = vec![
                Field::new("key", arrow_type(key)?, false),
                Field::new("value", arrow_type(value)?, true),
            ];
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(pair.into()), false)), false)
        }
        SqlType::Struct(fields, _) => {
            let fields = fields.iter().map(|field| {
                let name = field.field_name.as_ref().map(|name| name.value.clone()).unwrap_or_default();
                Ok(Field::new(name, arrow_type(&field.field_type)?, true))
            });
            DataType::Struct(fields.collect::<Result<Vec<_>>>()?.into())
        }
        SqlType::Custom(name, _) => match name.to_string().to_uppercase().as_str() {
            "LONG" => DataType::Int64,
            "BYTE" => DataType::Int8,
            "SHORT" => DataType::Int16,
            "VOID" => DataType::Null,
            "TIMESTAMP_LTZ" => timestamp(),
            "TIMESTAMP_NTZ" => TIMESTAMP_NTZ,
            other => return unsupported(other),
        },
        other => return unsupported(&other.to_string()),
    })
}

fn unsupported<T>(name: &str) -> Result<T> {
    plan_err!("[UNSUPPORTED_DATATYPE] Unsupported data type \"{}\". SQLSTATE: 0A000", name.to_uppercase())
}

/// At most 38 digits, like in Databricks.
fn decimal(size: ExactNumberInfo) -> Result<DataType> {
    let (precision, scale) = match size {
        ExactNumberInfo::None => (10, 0),
        ExactNumberInfo::Precision(precision) => (precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (precision, scale),
    };
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(p @ 1..=38), Ok(s @ 0..)) if i16::from(s) <= i16::from(p) => Ok(DataType::Decimal128(p, s)),
        (Ok(1..=38), _) => plan_err!(
            "[INVALID_DECIMAL_SCALE] Decimal scale ({scale}) cannot be greater than precision ({precision}). SQLSTATE: 42K0B"
        ),
        _ => plan_err!(
            "[DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION] Decimal precision {precision} exceeds max precision 38. SQLSTATE: 22003"
        ),
    }
}

/// The type as Databricks would send it: no unsigned integers, no views, microseconds. `None` means that it has no
/// such type, so that the statement must be refused.
pub(super) fn sent_type(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Dictionary(_, value) => sent_type(value)?,
        DataType::Date64 => DataType::Date32,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Timestamp(_, None) => TIMESTAMP_NTZ,
        DataType::Timestamp(_, Some(_)) => timestamp(),
        DataType::Interval(_) | DataType::Duration(_) => {
            DataType::Interval(arrow_schema::IntervalUnit::MonthDayNano)
        }
        DataType::List(element) | DataType::LargeList(element) | DataType::FixedSizeList(element, _) => {
            DataType::List(Arc::new(Field::new("element", sent_type(element.data_type())?, true)))
        }
        DataType::Map(entries, sorted) => {
            let DataType::Struct(pair) = entries.data_type() else { return None };
            let [key, value] = &pair[..] else { return None };
            let pair = vec![
                Field::new("key", sent_type(key.data_type())?, false),
                Field::new("value", sent_type(value.data_type())?, true),
            ];
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(pair.into()), false)), *sorted)
        }
        DataType::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|field| {
                    Some(Field::new(field.name(), sent_type(field.data_type())?, field.is_nullable()))
                })
                .collect::<Option<Vec<_>>>()?;
            DataType::Struct(fields.into())
        }
        DataType::Null
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(..)
        | DataType::Utf8
        | DataType::Binary
        | DataType::Date32 => data_type.clone(),
        _ => return None,
    })
}

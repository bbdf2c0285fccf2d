//! The Arrow schema of a result without rows, derived from the SQL types since the service sends no schema then. An
//! unknown type becomes a string, which is harmless in a column without values.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use brickwire_actions::types::StatementColumnInfo;

use super::sql_type::{SqlType, StructField};

/// The schema that the result would have if it had rows.
pub(crate) fn schema_of(columns: &[StatementColumnInfo]) -> SchemaRef {
    let field = |c: &StatementColumnInfo| Field::new(c.name.clone().unwrap_or_default(), type_of(c), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

fn type_of(column: &StatementColumnInfo) -> DataType {
    let name = || column.type_name.as_ref().map(|t| t.as_str());
    let text = column.type_text.as_deref().or_else(name).unwrap_or_default();
    SqlType::parse(text).as_ref().and_then(arrow_type).unwrap_or(DataType::Utf8)
}

fn arrow_type(sql_type: &SqlType) -> Option<DataType> {
    Some(match sql_type {
        SqlType::Scalar(name) => match name.as_str() {
            "BOOLEAN" => DataType::Boolean,
            "TINYINT" | "BYTE" => DataType::Int8,
            "SMALLINT" | "SHORT" => DataType::Int16,
            "INT" => DataType::Int32,
            "BIGINT" | "LONG" => DataType::Int64,
            "FLOAT" => DataType::Float32,
            "DOUBLE" => DataType::Float64,
            "DATE" => DataType::Date32,
            "TIMESTAMP" => DataType::Timestamp(TimeUnit::Microsecond, Some("Etc/UTC".into())),
            "TIMESTAMP_NTZ" => DataType::Timestamp(TimeUnit::Microsecond, None),
            "BINARY" => DataType::Binary,
            "VOID" | "NULL" => DataType::Null,
            "STRING" => DataType::Utf8,
            other => {
                let arguments = other.strip_prefix("DECIMAL")?.trim_start();
                let arguments = arguments.strip_prefix('(')?.strip_suffix(')')?;
                let (precision, scale) = arguments.split_once(',')?;
                DataType::Decimal128(precision.trim().parse().ok()?, scale.trim().parse().ok()?)
            }
        },
        SqlType::Array(element) => {
            DataType::List(Arc::new(Field::new("element", arrow_type(element)?, true)))
        }
        SqlType::Map(key, value) => {
            let key = Field::new("key", arrow_type(key)?, false);
            let value = Field::new("value", arrow_type(value)?, true);
            let entries = DataType::Struct(vec![key, value].into());
            DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
        }
        SqlType::Struct(fields) => {
            let field = |field: &StructField| {
                Some(Field::new(&field.name, arrow_type(&field.data_type)?, field.nullable))
            };
            DataType::Struct(fields.iter().map(field).collect::<Option<Vec<_>>>()?.into())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> DataType {
        type_of(&serde_json::from_value(serde_json::json!({ "type_text": text })).unwrap())
    }

    #[test]
    fn nested_types_are_those_of_a_result_with_rows() {
        let list = |element| DataType::List(Arc::new(Field::new("element", element, true)));
        assert_eq!(read("ARRAY<ARRAY<DECIMAL(10,2)>>"), list(list(DataType::Decimal128(10, 2))));
        let entries =
            vec![Field::new("key", DataType::Utf8, false), Field::new("value", list(DataType::Int64), true)];
        let entries = Field::new("entries", DataType::Struct(entries.into()), false);
        assert_eq!(read("MAP<STRING, ARRAY<BIGINT>>"), DataType::Map(Arc::new(entries), false));
        let fields = vec![
            Field::new("x", DataType::Int32, false),
            Field::new("a `b`: c", DataType::Timestamp(TimeUnit::Microsecond, None), true),
            Field::new("plain, \"odd\"", DataType::Struct(Vec::<Field>::new().into()), true),
        ];
        assert_eq!(
            read("STRUCT<x: INT NOT NULL, `a ``b``: c`: TIMESTAMP_NTZ, plain, \"odd\": STRUCT<>>"),
            DataType::Struct(fields.into())
        );
    }

    #[test]
    fn what_cant_be_read_is_text() {
        for text in
            ["", "VARIANT", "ARRAY<VARIANT>", "ARRAY<INT", "INT INT", "DECIMAL(x)", "INTERVAL DAY TO SECOND"]
        {
            assert_eq!(read(text), DataType::Utf8, "{text}");
        }
    }
}

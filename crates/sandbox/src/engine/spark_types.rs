//! Arrow types as Spark's catalog describes them, in text and in JSON.

use arrow_schema::{DataType, Field, Fields};
use serde_json::{Value, json};

use super::{metadata::TableColumn, types::type_name};

/// A column of a type that Databricks has.
pub(super) fn table_column(name: &str, data_type: &DataType, nullable: bool) -> TableColumn {
    let decimal = match data_type {
        DataType::Decimal128(precision, scale) => Some((*precision, *scale)),
        _ => None,
    };
    let name_of_type = match data_type {
        DataType::Timestamp(_, None) => "TIMESTAMP_NTZ",
        other => type_name(other),
    };
    TableColumn {
        name: name.to_owned(),
        type_text: text(data_type),
        type_name: name_of_type.to_owned(),
        type_json: field_json(name, data_type, nullable).to_string(),
        decimal,
        nullable,
    }
}

/// A type as Spark's catalog writes it: in lower case and without spaces.
fn text(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "void".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 => "smallint".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Timestamp(_, None) => "timestamp_ntz".to_owned(),
        DataType::List(element) => format!("array<{}>", text(element.data_type())),
        DataType::Map(entries, _) => {
            let [key, value] = pair(entries);
            format!("map<{},{}>", text(key.data_type()), text(value.data_type()))
        }
        DataType::Struct(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|field| format!("{}:{}", field.name(), text(field.data_type()))).collect();
            format!("struct<{}>", fields.join(","))
        }
        simple => type_name(simple).to_lowercase(),
    }
}

/// A type in Spark's JSON.
fn spark(data_type: &DataType) -> Value {
    match data_type {
        DataType::Int8 => json!("byte"),
        DataType::Int16 => json!("short"),
        DataType::Int32 => json!("integer"),
        DataType::Int64 => json!("long"),
        DataType::List(element) => json!({
            "type": "array", "elementType": spark(element.data_type()), "containsNull": element.is_nullable(),
        }),
        DataType::Map(entries, _) => {
            let [key, value] = pair(entries);
            json!({
                "type": "map", "keyType": spark(key.data_type()), "valueType": spark(value.data_type()),
                "valueContainsNull": value.is_nullable(),
            })
        }
        DataType::Struct(fields) => json!({ "type": "struct", "fields": fields_json(fields) }),
        simple => json!(text(simple)),
    }
}

fn fields_json(fields: &Fields) -> Vec<Value> {
    fields.iter().map(|field| field_json(field.name(), field.data_type(), field.is_nullable())).collect()
}

fn field_json(name: &str, data_type: &DataType, nullable: bool) -> Value {
    json!({ "name": name, "type": spark(data_type), "nullable": nullable, "metadata": {} })
}

/// Key and value of a map.
fn pair(entries: &Field) -> [Field; 2] {
    match entries.data_type() {
        DataType::Struct(pair) if pair.len() == 2 => [pair[0].as_ref().clone(), pair[1].as_ref().clone()],
        _ => ["key", "value"].map(|name| Field::new(name, DataType::Null, true)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::TimeUnit;

    use super::*;

    #[test]
    fn types_read_as_in_sparks_catalog() {
        let list = DataType::List(Arc::new(Field::new("element", DataType::Int32, true)));
        let fields =
            vec![Field::new("x", DataType::Int64, false), Field::new("Y", DataType::Decimal128(10, 2), true)];
        for (data_type, words, name, json) in [
            (DataType::Int64, "bigint", "LONG", r#""long""#),
            (DataType::Utf8, "string", "STRING", r#""string""#),
            (
                DataType::Timestamp(TimeUnit::Microsecond, None),
                "timestamp_ntz",
                "TIMESTAMP_NTZ",
                r#""timestamp_ntz""#,
            ),
            (DataType::Decimal128(38, 0), "decimal(38,0)", "DECIMAL", r#""decimal(38,0)""#),
            (list, "array<int>", "ARRAY", r#"{"containsNull":true,"elementType":"integer","type":"array"}"#),
            (
                DataType::Struct(fields.into()),
                "struct<x:bigint,Y:decimal(10,2)>",
                "STRUCT",
                r#"{"fields":[{"metadata":{},"name":"x","nullable":false,"type":"long"},{"metadata":{},"name":"Y","nullable":true,"type":"decimal(10,2)"}],"type":"struct"}"#,
            ),
        ] {
            let column = table_column("c", &data_type, true);
            assert_eq!((column.type_text.as_str(), column.type_name.as_str()), (words, name));
            let json: Value = serde_json::from_str(json).unwrap();
            let told: Value = serde_json::from_str(&column.type_json).unwrap();
            assert_eq!(told, json!({ "name": "c", "nullable": true, "metadata": {}, "type": json }));
        }
    }
}

//! Arrow types in Databricks' words: a manifest's `type_text`, `type_name`, precision and scale.

use std::borrow::Cow;

use arrow_schema::{DataType, Field, Schema};

use super::query::Column;

/// The columns of a result manifest.
#[must_use]
pub fn columns(schema: &Schema) -> Vec<Column> {
    schema.fields().iter().map(|field| column(field)).collect()
}

fn column(field: &Field) -> Column {
    let (precision, scale) = match field.data_type() {
        DataType::Decimal128(precision, scale) => (Some(i32::from(*precision)), Some(i32::from(*scale))),
        _ => (None, None),
    };
    Column {
        name: field.name().clone(),
        type_text: type_text(field.data_type()),
        type_name: type_name(field.data_type()).to_owned(),
        precision,
        scale,
    }
}

/// The SQL type in full, upper case: `DECIMAL(10,2)`, `MAP<STRING, INT>`.
#[must_use]
pub fn type_text(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "VOID".to_owned(),
        DataType::Int8 => "TINYINT".to_owned(),
        DataType::Int16 => "SMALLINT".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision},{scale})"),
        DataType::Timestamp(_, None) => "TIMESTAMP_NTZ".to_owned(),
        DataType::List(element) => format!("ARRAY<{}>", type_text(element.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                format!("MAP<{}, {}>", type_text(pair[0].data_type()), type_text(pair[1].data_type()))
            }
            _ => "MAP".to_owned(),
        },
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields.iter().map(|field| struct_field(field)).collect();
            format!("STRUCT<{}>", fields.join(", "))
        }
        simple => type_name(simple).to_owned(),
    }
}

fn struct_field(field: &Field) -> String {
    let not_null = if field.is_nullable() { "" } else { " NOT NULL" };
    format!("{}: {}{not_null}", quoted(field.name()), type_text(field.data_type()))
}

/// A field's name, in backticks where Spark needs them.
fn quoted(name: &str) -> Cow<'_, str> {
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !name.is_empty() && plain(name) && !name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(format!("`{}`", name.replace('`', "``")))
}

/// The type's base name as the API spells it: BIGINT is `LONG`, TINYINT `BYTE`, SMALLINT `SHORT`.
#[must_use]
pub fn type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Null => "NULL",
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "BYTE",
        DataType::Int16 => "SHORT",
        DataType::Int32 => "INT",
        DataType::Int64 => "LONG",
        DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Decimal128(..) => "DECIMAL",
        DataType::Binary => "BINARY",
        DataType::Date32 => "DATE",
        DataType::Timestamp(..) => "TIMESTAMP",
        DataType::Interval(_) | DataType::Duration(_) => "INTERVAL",
        DataType::List(_) => "ARRAY",
        DataType::Map(..) => "MAP",
        DataType::Struct(_) => "STRUCT",
        _ => "STRING",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::TimeUnit;

    use super::*;

    #[test]
    fn nested_types_read_as_in_ddl() {
        let list = DataType::List(Arc::new(Field::new("element", DataType::Int32, true)));
        let structure = DataType::Struct(
            vec![Field::new("x", DataType::Int64, false), Field::new("y", list.clone(), true)].into(),
        );
        assert_eq!(type_text(&list), "ARRAY<INT>");
        assert_eq!(type_text(&structure), "STRUCT<x: BIGINT NOT NULL, y: ARRAY<INT>>");
        let odd = ["a:b", "a`b", "12", "a1_"].map(|name| Field::new(name, DataType::Int32, true));
        assert_eq!(
            type_text(&DataType::Struct(odd.to_vec().into())),
            "STRUCT<`a:b`: INT, `a``b`: INT, `12`: INT, a1_: INT>"
        );
        assert_eq!(type_text(&DataType::Timestamp(TimeUnit::Microsecond, None)), "TIMESTAMP_NTZ");
        assert_eq!(
            type_text(&DataType::Timestamp(TimeUnit::Microsecond, Some("Etc/UTC".into()))),
            "TIMESTAMP"
        );
    }

    #[test]
    fn only_decimals_have_precision_and_scale() {
        let schema = Schema::new(vec![
            Field::new("d", DataType::Decimal128(10, 2), true),
            Field::new("l", DataType::Int64, true),
        ]);
        let columns = columns(&schema);
        assert_eq!((columns[0].precision, columns[0].scale), (Some(10), Some(2)));
        assert_eq!(columns[0].type_text, "DECIMAL(10,2)");
        assert_eq!((columns[1].type_name.as_str(), columns[1].precision), ("LONG", None));
    }
}

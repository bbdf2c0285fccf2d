//! The Arrow schema of a result without rows, derived from the SQL types since the service sends no schema then. An
//! unknown type becomes a string, which is harmless in a column without values.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use brickwire_actions::types::StatementColumnInfo;

/// The schema that the result would have if it had rows.
pub(crate) fn schema_of(columns: &[StatementColumnInfo]) -> SchemaRef {
    let field = |c: &StatementColumnInfo| Field::new(c.name.clone().unwrap_or_default(), type_of(c), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

fn type_of(column: &StatementColumnInfo) -> DataType {
    let name = || column.type_name.as_ref().map(|t| t.as_str());
    let text = column.type_text.as_deref().or_else(name).unwrap_or_default();
    let mut parser = Parser { rest: text };
    parser.data_type().filter(|_| parser.rest.trim().is_empty()).unwrap_or(DataType::Utf8)
}

/// Parses SQL types such as `STRUCT<x: INT NOT NULL, y: ARRAY<DECIMAL(10,2)>>`.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn data_type(&mut self) -> Option<DataType> {
        let word = self.word();
        Some(match word.to_ascii_uppercase().as_str() {
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
            "DECIMAL" => {
                let (precision, scale) = self.in_parentheses()?.split_once(',')?;
                DataType::Decimal128(precision.trim().parse().ok()?, scale.trim().parse().ok()?)
            }
            "ARRAY" => {
                self.expect('<')?;
                let element = Field::new("element", self.data_type()?, true);
                self.expect('>')?;
                DataType::List(Arc::new(element))
            }
            "MAP" => {
                self.expect('<')?;
                let key = Field::new("key", self.data_type()?, false);
                self.expect(',')?;
                let value = Field::new("value", self.data_type()?, true);
                self.expect('>')?;
                let entries = DataType::Struct(vec![key, value].into());
                DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
            }
            "STRUCT" => {
                self.expect('<')?;
                let mut fields = Vec::new();
                while self.expect('>').is_none() {
                    if !fields.is_empty() {
                        self.expect(',')?;
                    }
                    fields.push(self.field()?);
                }
                DataType::Struct(fields.into())
            }
            _ => return None,
        })
    }

    fn field(&mut self) -> Option<Field> {
        let name = match self.expect('`') {
            Some(()) => self.quoted_name()?,
            None => {
                let (name, rest) = self.rest.split_once(':')?;
                self.rest = rest;
                name.trim().to_owned()
            }
        };
        self.expect(':');
        let data_type = self.data_type()?;
        self.rest = self.rest.trim_start();
        let required = self.rest.strip_prefix("NOT NULL");
        self.rest = required.unwrap_or(self.rest);
        Some(Field::new(name, data_type, required.is_none()))
    }

    /// A name up to the closing backtick; two backticks stand for one in the name.
    fn quoted_name(&mut self) -> Option<String> {
        let mut name = String::new();
        loop {
            let (part, rest) = self.rest.split_once('`')?;
            name.push_str(part);
            match rest.strip_prefix('`') {
                Some(more) => {
                    name.push('`');
                    self.rest = more;
                }
                None => {
                    self.rest = rest;
                    return Some(name);
                }
            }
        }
    }

    fn word(&mut self) -> &'a str {
        let text = self.rest.trim_start();
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        word
    }

    fn in_parentheses(&mut self) -> Option<&'a str> {
        self.expect('(')?;
        let (inside, rest) = self.rest.split_once(')')?;
        self.rest = rest;
        Some(inside)
    }

    fn expect(&mut self, sign: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(sign)?;
        Some(())
    }
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

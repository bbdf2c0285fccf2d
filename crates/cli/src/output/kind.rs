//! How the text of a cell becomes JSON: numbers, booleans and NULL keep their type, at the top level and inside of
//! ARRAY, MAP and STRUCT, whose parts the service sends as text: `["1","2",null]`. A text that isn't what its type
//! promises is a string.

use std::fmt;

use brickwire_actions::types::StatementColumnInfo;
use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    json,
    sql_type::{SqlType, StructField},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// The text is a JSON number.
    Number,
    /// A number, except that NaN and the infinities are strings.
    Float,
    Boolean,
    /// The text is JSON.
    Json,
    /// The text is a JSON array or object whose parts are texts.
    Nested(SqlType),
}

impl Kind {
    pub(super) fn of(column: &StatementColumnInfo) -> Self {
        let type_name = column.type_name.as_ref().map(|t| t.as_str()).unwrap_or_default();
        match column.type_text.as_deref().and_then(SqlType::parse) {
            Some(SqlType::Scalar(text)) => match Self::of_scalar(&text) {
                Self::Text => Self::of_scalar(type_name),
                // `type_name` has no word for the newer types.
                kind => kind,
            },
            Some(nested) => Self::Nested(nested),
            None => Self::of_scalar(type_name),
        }
    }

    /// The kind of a type in upper case, in the words of the schema's `type_name` or `type_text`.
    fn of_scalar(text: &str) -> Self {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        match &text[..end] {
            "BYTE" | "SHORT" | "INT" | "LONG" | "TINYINT" | "SMALLINT" | "INTEGER" | "BIGINT" | "DECIMAL"
            | "DEC" | "NUMERIC" => Self::Number,
            "FLOAT" | "REAL" | "DOUBLE" => Self::Float,
            "BOOLEAN" => Self::Boolean,
            "VARIANT" | "OBJECT" | "ARRAY" | "MAP" | "STRUCT" => Self::Json,
            _ => Self::Text,
        }
    }

    pub(super) fn write_json(&self, text: &str, out: &mut Vec<u8>) {
        let is_json = match self {
            Self::Text => false,
            Self::Number | Self::Float => is_plain_number(text) || is_json(text),
            Self::Boolean => matches!(text, "true" | "false"),
            Self::Json => is_json(text),
            Self::Nested(data_type) => {
                let begin = out.len();
                let mut parser = serde_json::Deserializer::from_str(text);
                let written = Typed { data_type, out }.deserialize(&mut parser);
                if written.and_then(|()| parser.end()).is_ok() {
                    return;
                }
                out.truncate(begin);
                is_json(text)
            }
        };
        if is_json {
            write_raw(text, out);
        } else if is_plain(text) {
            out.push(b'"');
            out.extend_from_slice(text.as_bytes());
            out.push(b'"');
        } else {
            // This can't fail: a string is written to memory.
            let _ = serde_json::to_writer(out, text);
        }
    }
}

/// Writes JSON on one line.
fn write_raw(json: &str, out: &mut Vec<u8>) {
    if json.bytes().any(|b| matches!(b, b'\n' | b'\r')) {
        out.extend_from_slice(json::compact(json).as_bytes());
    } else {
        out.extend_from_slice(json.as_bytes());
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Whether this is a JSON number without an exponent, as almost all are. This check is faster than parsing.
fn is_plain_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let bytes = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let (digits, points) = bytes.iter().fold((0, 0), |(digits, points), byte| {
        (digits + usize::from(byte.is_ascii_digit()), points + usize::from(*byte == b'.'))
    });
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    points <= 1
        && digits + points == bytes.len()
        && ends(bytes.first())
        && ends(bytes.last())
        && (bytes[0] != b'0' || bytes.len() == 1 || bytes[1] == b'.')
}

/// Whether a JSON string needs no escapes.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |all, b| all & !matches!(b, 0..=0x1F | b'"' | b'\\'))
}

/// Copies a JSON value, and writes the texts in it by their types. It fails where the value doesn't fit the type.
struct Typed<'a> {
    data_type: &'a SqlType,
    out: &'a mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for Typed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        let SqlType::Scalar(name) = self.data_type else { return value.deserialize_any(self) };
        let raw = <&RawValue>::deserialize(value)?.get();
        if raw.starts_with('"') {
            let text: String = serde_json::from_str(raw).map_err(D::Error::custom)?;
            Kind::of_scalar(name).write_json(&text, self.out);
        } else {
            write_raw(raw, self.out);
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Typed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array, an object or null")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    /// A nested value that is text itself.
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        Kind::Nested(self.data_type.clone()).write_json(text, self.out);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { data_type, out } = self;
        let pair;
        let data_type = match data_type {
            SqlType::Array(element) => element,
            SqlType::Map(key, value) => {
                let field = |name: &str, data_type: &SqlType| StructField {
                    name: name.to_owned(),
                    data_type: data_type.clone(),
                    nullable: true,
                };
                pair = SqlType::Struct(vec![field("key", key), field("value", value)]);
                &pair
            }
            SqlType::Struct(_) | SqlType::Scalar(_) => {
                return Err(A::Error::custom("an array where the type has none"));
            }
        };
        let mut separator = b'[';
        loop {
            let end = out.len();
            out.push(separator);
            if items.next_element_seed(Typed { data_type, out })?.is_none() {
                out.truncate(end);
                break;
            }
            separator = b',';
        }
        out.extend_from_slice(if separator == b'[' { b"[]" } else { b"]" });
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self { data_type, out } = self;
        let unknown = SqlType::Scalar(String::new());
        let mut separator = b'{';
        let mut position = 0;
        while let Some(name) = entries.next_key::<String>()? {
            let data_type = match data_type {
                SqlType::Map(_, value) => value,
                SqlType::Struct(fields) => field_type(fields, position, &name).unwrap_or(&unknown),
                SqlType::Array(_) | SqlType::Scalar(_) => {
                    return Err(A::Error::custom("an object where the type has none"));
                }
            };
            out.push(separator);
            Kind::Text.write_json(&name, out);
            out.push(b':');
            entries.next_value_seed(Typed { data_type, out })?;
            separator = b',';
            position += 1;
        }
        out.extend_from_slice(if separator == b'{' { b"{}" } else { b"}" });
        Ok(())
    }
}

/// The type of a field: the one at its position, unless fields are left out.
fn field_type<'a>(fields: &'a [StructField], position: usize, name: &str) -> Option<&'a SqlType> {
    let in_place = fields.get(position).filter(|field| field.name == name);
    let field = in_place.or_else(|| fields.iter().find(|field| field.name == name));
    let field = field.or_else(|| fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)));
    field.map(|field| &field.data_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(type_text: &str, cell: &str) -> String {
        let column = serde_json::json!({ "type_text": type_text });
        let mut out = Vec::new();
        Kind::of(&serde_json::from_value(column).unwrap()).write_json(cell, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_seen_are_numbers_read() {
        let texts = [
            "0", "-0", "7", "10", "-1.50", "0.0", "00", "01", "-01.5", "1.", ".5", "-", "", "+1", "1e5",
            "NaN", "١",
        ];
        for text in texts {
            assert!(!is_plain_number(text) || is_json(text), "{text}");
        }
        assert!(["0", "-0", "7", "10", "-1.50", "0.0"].into_iter().all(is_plain_number));
    }

    #[test]
    fn json_is_what_serde_writes() {
        for text in ["", "x", "a\"b", "c\\d", "\n", "\u{1f}", "ü€", "\u{7f}", "\u{2028}"] {
            let mut out = Vec::new();
            Kind::Text.write_json(text, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(text).unwrap());
        }
    }

    #[test]
    fn nested_values_keep_the_types_of_their_parts() {
        for (type_text, cell, expected) in [
            ("array<int>", r#"["1","-2",null]"#, "[1,-2,null]"),
            ("ARRAY<BIGINT>", r#"["9223372036854775807"]"#, "[9223372036854775807]"),
            ("ARRAY<INT>", r#"[ 1, 2, null ]"#, "[1,2,null]"),
            ("ARRAY<STRING>", r#"["1","true","null","a\"b"]"#, r#"["1","true","null","a\"b"]"#),
            ("ARRAY<DOUBLE>", r#"["1.0E10","NaN","-Infinity","-0.0"]"#, r#"[1.0E10,"NaN","-Infinity",-0.0]"#),
            (
                "array<decimal(38,3)>",
                r#"["12345678901234567890123456789012345.670"]"#,
                "[12345678901234567890123456789012345.670]",
            ),
            ("ARRAY<DATE>", r#"["2024-02-29"]"#, r#"["2024-02-29"]"#),
            ("ARRAY<BOOLEAN>", "[]", "[]"),
            (
                "ARRAY<ARRAY<BOOLEAN>>",
                r#"[["true"],[],null,["false",null]]"#,
                "[[true],[],null,[false,null]]",
            ),
            ("map<string,bigint>", r#"{"a":"1","b":null,"a":"2"}"#, r#"{"a":1,"b":null,"a":2}"#),
            ("MAP<INT, INT>", r#"{"1":"2"}"#, r#"{"1":2}"#),
            ("MAP<INT, INT>", r#"[{"key":"1","value":"2"}]"#, r#"[{"key":1,"value":2}]"#),
            ("struct<a:int,b:array<string>>", r#"{"a":"1","b":["1"]}"#, r#"{"a":1,"b":["1"]}"#),
            ("STRUCT<a: STRING, b: INT>", r#"{"B":"1","new":"2","a":"3"}"#, r#"{"B":1,"new":"2","a":"3"}"#),
            (
                "STRUCT<d: INTERVAL DAY TO SECOND, n: INT NOT NULL>",
                r#"{"d":"1 00:00:00.000000000","n":"5"}"#,
                r#"{"d":"1 00:00:00.000000000","n":5}"#,
            ),
            (
                "STRUCT<v: VARIANT, w: VARIANT>",
                r#"{"v":"{\"a\":[1,\"x\"]}","w":"plain"}"#,
                r#"{"v":{"a":[1,"x"]},"w":"plain"}"#,
            ),
            ("STRUCT<a: ARRAY<INT>>", r#"{"a":"[\"1\"]"}"#, r#"{"a":[1]}"#),
            ("STRUCT<>", "{}", "{}"),
        ] {
            assert_eq!(written(type_text, cell), expected, "{type_text}");
        }
    }

    #[test]
    fn a_variant_is_json() {
        for (cell, expected) in [
            (r#"{"a":1,"b":[true,null,"x"]}"#, r#"{"a":1,"b":[true,null,"x"]}"#),
            ("\"text\"", "\"text\""),
            ("12.50", "12.50"),
            ("null", "null"),
            ("not json", "\"not json\""),
            ("{\n  \"a\": 1\n}", r#"{"a":1}"#),
        ] {
            assert_eq!(written("VARIANT", cell), expected);
        }
        let column = serde_json::json!({ "type_text": "VARIANT", "type_name": "USER_DEFINED_TYPE" });
        assert_eq!(Kind::of(&serde_json::from_value(column).unwrap()), Kind::Json);
    }

    #[test]
    fn what_does_not_fit_its_type_stays_as_it_came() {
        for (type_text, cell, expected) in [
            ("ARRAY<INT>", r#"{"a":"1"}"#, r#"{"a":"1"}"#),
            ("ARRAY<INT>", r#"["1","x",""]"#, r#"[1,"x",""]"#),
            ("ARRAY<INT>", r#"["1""#, r#""[\"1\"""#),
            ("STRUCT<a: INT>", r#"["1"]"#, r#"["1"]"#),
            ("ARRAY<NEW<INT>>", r#"["1"]"#, r#"["1"]"#),
        ] {
            let column = serde_json::json!({ "type_text": type_text, "type_name": "ARRAY" });
            let mut out = Vec::new();
            Kind::of(&serde_json::from_value(column).unwrap()).write_json(cell, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{type_text} {cell}");
        }
    }
}

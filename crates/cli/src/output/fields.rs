//! The fields of an item for tables, records, and CSV, as the service wrote them: a number keeps its digits, and a value may
//! be nested as deeply as the answer may be.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json;

/// A column of a table: its heading, and the JSON pointer to its value in an item.
pub(crate) type Column = (&'static str, &'static str);

/// The fields of an object in their order. Their values are not decoded.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(InOrder).map(Self)
    }
}

/// The cells of an item: the text at each JSON pointer, and nothing where there is none.
pub(super) fn cells<'a>(item: &str, pointers: impl Iterator<Item = &'a str>) -> Vec<String> {
    let fields = raw_fields(item);
    pointers.map(|pointer| raw_at(&fields, pointer).map(plain).unwrap_or_default()).collect()
}

/// The names and values of an object. Anything else is one field, `value`.
pub(super) fn fields(text: &str) -> Vec<(String, String)> {
    let text = text.trim_start_matches('\u{feff}');
    match serde_json::from_str::<Fields<'_>>(text) {
        Ok(Fields(fields)) => fields.into_iter().map(|(name, value)| (name, plain(value.get()))).collect(),
        Err(_) => vec![("value".to_owned(), plain(text.trim_ascii()))],
    }
}

/// The fields of an object with their JSON. Anything else has none.
pub(super) fn raw_fields(text: &str) -> Vec<(String, &RawValue)> {
    serde_json::from_str::<Fields<'_>>(text).map(|fields| fields.0).unwrap_or_default()
}

/// The value at a JSON pointer. The last of several fields with one name counts.
pub(super) fn raw_at<'a>(fields: &[(String, &'a RawValue)], pointer: &str) -> Option<&'a str> {
    let mut names = pointer.trim_start_matches('/').split('/');
    let first = unescaped(names.next()?);
    let mut value = fields.iter().rfind(|(known, _)| *known == first)?.1.get();
    for name in names {
        value = match name.parse::<usize>() {
            Ok(at) if value.starts_with('[') => {
                serde_json::from_str::<Vec<&RawValue>>(value).ok()?.get(at)?.get()
            }
            _ => {
                let name = unescaped(name);
                raw_fields(value).into_iter().rfind(|(known, _)| *known == name)?.1.get()
            }
        };
    }
    Some(value)
}

/// A name in a JSON pointer, where `~1` is a slash and `~0` a tilde.
pub(super) fn unescaped(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// A value as text: a string without quotes, nothing for null, and all else as JSON on one line.
fn plain(value: &str) -> String {
    match value.bytes().next() {
        Some(b'n') if value == "null" => String::new(),
        Some(b'"') => serde_json::from_str(value).unwrap_or_else(|_| value.to_owned()),
        Some(b'[' | b'{') => json::compact(value),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{cells, fields};

    #[test]
    fn values_keep_their_digits_and_their_order() {
        let text = r#"{"b":100000000000000000000,"a":"x\ny","c":null,"d":{"e": [1.50, {}]},"f":1e2}"#;
        let found = fields(text);
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("b", "100000000000000000000"),
            ("a", "x\ny"),
            ("c", ""),
            ("d", r#"{"e":[1.50,{}]}"#),
            ("f", "1e2"),
        ];
        assert_eq!(found, expected);
        let pointers = ["/b", "/d/e", "/d/x", "/d/e/0", "/d/e/2"];
        assert_eq!(cells(text, pointers.into_iter())[1..], ["[1.50,{}]", "", "1.50", ""]);
        for (text, value) in [("[1, 2]", "[1,2]"), ("\"x\"", "x"), ("null", ""), ("not JSON", "not JSON")] {
            assert_eq!(fields(text), [("value".to_owned(), value.to_owned())]);
        }
    }

    #[test]
    fn a_deeply_nested_value_costs_no_other_cell() {
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        let text = format!(r#"{{"x":{deep},"id":"a"}}"#);
        assert_eq!(cells(&text, ["/id", "/x"].into_iter()), ["a".to_owned(), deep.clone()]);
        assert_eq!(fields(&text)[0].1, deep);
    }
}

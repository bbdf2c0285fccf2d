//! Values within an ARRAY, MAP or STRUCT, whose numbers and booleans the service writes as texts.

use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{
    de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor, value::BytesDeserializer},
    forward_to_deserialize_any,
};
use serde_json::Value;

use super::mismatch::{Mismatch, numbers};

/// Deserializes such a value.
pub(super) struct Nested<'a>(pub(super) Cow<'a, Value>);

impl Nested<'_> {
    fn parse<T: std::str::FromStr>(&self, expected: &'static str) -> Result<T, Mismatch> {
        let parsed = match &*self.0 {
            Value::String(text) => text.parse().ok(),
            Value::Null => return Err(Mismatch(format!("NULL where {expected} is expected"))),
            other => other.to_string().parse().ok(),
        };
        parsed.ok_or_else(|| Mismatch::not(expected))
    }
}

fn mismatch(error: &serde_json::Error) -> Mismatch {
    // The text of serde_json may quote the value.
    Mismatch(match error.classify() {
        serde_json::error::Category::Data => "a nested value of another type".to_owned(),
        _ => "not the JSON it should be".to_owned(),
    })
}

/// The elements of an array, or the members of an object.
struct NestedCells<I> {
    entries: I,
    /// The value of the key that was read last.
    value: Option<Value>,
}

impl<'de, I: Iterator<Item = Value>> SeqAccess<'de> for NestedCells<I> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        self.entries.next().map(|value| seed.deserialize(Nested(Cow::Owned(value)))).transpose()
    }
}

impl<'de, I: Iterator<Item = (String, Value)>> MapAccess<'de> for NestedCells<I> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mismatch> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        // The keys of a MAP are texts in JSON, whatever they are in SQL.
        seed.deserialize(Nested(Cow::Owned(Value::String(key)))).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mismatch> {
        seed.deserialize(Nested(Cow::Owned(self.value.take().unwrap_or_default())))
    }
}

impl<'de> Deserializer<'de> for Nested<'_> {
    type Error = Mismatch;

    numbers!();

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0.into_owned() {
            Value::Null => visitor.visit_unit(),
            Value::Array(values) => {
                visitor.visit_seq(NestedCells { entries: values.into_iter(), value: None })
            }
            Value::Object(members) => {
                visitor.visit_map(NestedCells { entries: members.into_iter(), value: None })
            }
            other => other.deserialize_any(visitor).map_err(|e| mismatch(&e)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0.into_owned() {
            Value::String(text) => visitor.visit_string(text),
            number @ (Value::Number(_) | Value::Bool(_)) => visitor.visit_string(number.to_string()),
            other => Nested(Cow::Owned(other)).deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let bytes = match &*self.0 {
            Value::String(text) => BASE64_STANDARD.decode(text).ok(),
            _ => None,
        };
        let bytes = bytes.ok_or_else(|| Mismatch("not the base64 it should be".to_owned()))?;
        BytesDeserializer::new(&bytes).deserialize_byte_buf(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.0.into_owned().deserialize_enum(name, variants, visitor).map_err(|e| mismatch(&e))
    }

    forward_to_deserialize_any! {
        char unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

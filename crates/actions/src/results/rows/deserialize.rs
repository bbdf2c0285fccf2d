//! Rows as the caller's types: by column name, each cell by what the field asks for and the column is.

mod nested;

use std::{borrow::Cow, fmt};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use brickwire_client::types::{ColumnInfoTypeName as Type, StatementColumnInfo};
use serde::{
    de::{
        self, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{SeqDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};

use self::nested::Nested;
use super::Row;

/// What is wrong, and in which column; the value is the user's data and not told.
#[derive(Debug)]
pub(super) struct Unfit(String);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

impl de::Error for Unfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let what = match unexpected {
            de::Unexpected::Unit | de::Unexpected::Option => "NULL",
            _ => "a value of another type",
        };
        Self(format!("{what} where {expected} is expected"))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self(format!("a value that is not {expected}"))
    }
}

pub(super) struct RowDeserializer<'de>(pub(super) &'de Row);

impl<'de> Deserializer<'de> for RowDeserializer<'de> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_map(Cells { row: self.0, at: 0 })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_seq(Cells { row: self.0, at: 0 })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Unfit> {
        if length != self.0.len() {
            return Err(Unfit(format!("{} columns do not fit a tuple of {length}", self.0.len())));
        }
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        map struct enum identifier ignored_any
    }
}

/// The cells of a row, with their names or without.
struct Cells<'de> {
    row: &'de Row,
    at: usize,
}

impl<'de> Cells<'de> {
    fn value<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Unfit> {
        let (text, column) = (self.row.get(self.at), self.row.columns().get(self.at));
        self.at += 1;
        seed.deserialize(CellDeserializer { text, column }).map_err(|e| {
            match column.and_then(|c| c.name.as_deref()) {
                Some(name) => Unfit(format!("column `{name}`: {e}")),
                None => e,
            }
        })
    }
}

impl<'de> MapAccess<'de> for Cells<'de> {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        let Some(column) = self.row.columns().get(self.at) else { return Ok(None) };
        let name: StrDeserializer<'_, Unfit> = column.name.as_deref().unwrap_or_default().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unfit> {
        self.value(seed)
    }
}

impl<'de> SeqAccess<'de> for Cells<'de> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        if self.at >= self.row.len() { Ok(None) } else { self.value(seed).map(Some) }
    }
}

/// One cell.
#[derive(Clone, Copy)]
struct CellDeserializer<'de> {
    text: Option<&'de str>,
    column: Option<&'de StatementColumnInfo>,
}

impl<'de> CellDeserializer<'de> {
    fn type_name(&self) -> Option<&'de Type> {
        self.column.and_then(|c| c.type_name.as_ref())
    }

    fn some(&self, expected: &dyn de::Expected) -> Result<&'de str, Unfit> {
        self.text.ok_or_else(|| Unfit::invalid_type(de::Unexpected::Unit, expected))
    }

    fn parse<T: std::str::FromStr>(&self, expected: &'static str) -> Result<T, Unfit> {
        let text = self.some(&expected)?;
        text.parse().map_err(|_| Unfit(format!("a value that is not {expected}")))
    }

    fn is_nested(&self) -> bool {
        matches!(self.type_name(), Some(Type::Array | Type::Map | Type::Struct))
    }

    fn nested(&self, expected: &dyn de::Expected) -> Result<Nested<'de>, Unfit> {
        let value = serde_json::from_str(self.some(expected)?);
        value
            .map(|value| Nested(Cow::Owned(value)))
            .map_err(|_| Unfit("not the JSON it should be".to_owned()))
    }

    fn binary(&self, expected: &dyn de::Expected) -> Result<Vec<u8>, Unfit> {
        BASE64_STANDARD
            .decode(self.some(expected)?)
            .map_err(|_| Unfit("not the base64 it should be".to_owned()))
    }
}

/// The methods for numbers and booleans, by `self.parse`.
macro_rules! parsed {
    ($($method:ident $visit:ident $type:ty, $expected:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
            visitor.$visit(self.parse::<$type>($expected)?)
        })*
    };
}

macro_rules! numbers {
    () => {
        parsed! {
            deserialize_bool visit_bool bool, "a boolean";
            deserialize_i8 visit_i8 i8, "an integer of 8 bits";
            deserialize_i16 visit_i16 i16, "an integer of 16 bits";
            deserialize_i32 visit_i32 i32, "an integer of 32 bits";
            deserialize_i64 visit_i64 i64, "an integer of 64 bits";
            deserialize_i128 visit_i128 i128, "an integer of 128 bits";
            deserialize_u8 visit_u8 u8, "an integer of 8 bits without a sign";
            deserialize_u16 visit_u16 u16, "an integer of 16 bits without a sign";
            deserialize_u32 visit_u32 u32, "an integer of 32 bits without a sign";
            deserialize_u64 visit_u64 u64, "an integer of 64 bits without a sign";
            deserialize_u128 visit_u128 u128, "an integer of 128 bits without a sign";
            deserialize_f32 visit_f32 f32, "a number";
            deserialize_f64 visit_f64 f64, "a number";
        }
    };
}
use {numbers, parsed};

impl<'de> Deserializer<'de> for CellDeserializer<'de> {
    type Error = Unfit;

    numbers!();

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        let Some(text) = self.text else { return visitor.visit_unit() };
        match self.type_name() {
            Some(Type::Boolean) => self.deserialize_bool(visitor),
            Some(Type::Byte | Type::Short | Type::Int | Type::Long) => self.deserialize_i64(visitor),
            Some(Type::Float | Type::Double) => self.deserialize_f64(visitor),
            Some(Type::Binary) => visitor.visit_byte_buf(self.binary(&"bytes")?),
            Some(Type::Array | Type::Map | Type::Struct) => self.nested(&visitor)?.deserialize_any(visitor),
            _ => visitor.visit_borrowed_str(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.text.is_none() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        let text = self.some(&visitor)?;
        visitor.visit_borrowed_str(text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.type_name() == Some(&Type::Binary) {
            let bytes = self.binary(&visitor)?;
            return visitor.visit_byte_buf(bytes);
        }
        let text = self.some(&visitor)?;
        visitor.visit_borrowed_bytes(text.as_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.type_name() == Some(&Type::Binary) {
            let bytes = self.binary(&visitor)?;
            return visitor.visit_seq(SeqDeserializer::<_, Unfit>::new(bytes.into_iter()));
        }
        self.nested(&visitor)?.deserialize_seq(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Unfit> {
        self.nested(&visitor)?.deserialize_tuple(length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.nested(&visitor)?.deserialize_tuple_struct(name, length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.nested(&visitor)?.deserialize_map(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.nested(&visitor)?.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        if self.is_nested() {
            return self.nested(&visitor)?.deserialize_enum(name, variants, visitor);
        }
        let text: StrDeserializer<'_, Unfit> = self.some(&visitor)?.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.text.is_none() {
            visitor.visit_unit()
        } else {
            Err(Unfit("a value where NULL is expected".to_owned()))
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_unit()
    }
}

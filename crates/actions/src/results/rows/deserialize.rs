//! Rows as the caller's types: fields by column name, each cell by what the field asks for and what the column is.

mod mismatch;
mod nested;

use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use brickwire_client::types::{ColumnInfoTypeName as Type, StatementColumnInfo};
use serde::{
    de::{
        self, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{SeqDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};

use self::{
    mismatch::{Mismatch, numbers},
    nested::Nested,
};
use super::page::Page;

/// Deserializes one row of a page.
#[derive(Clone, Copy)]
pub(super) struct RowDeserializer<'de> {
    pub(super) page: &'de Page,
    pub(super) row: usize,
}

impl<'de> Deserializer<'de> for RowDeserializer<'de> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_map(Cells { row: self, column: 0 })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_seq(Cells { row: self, column: 0 })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Mismatch> {
        let width = self.page.width;
        if length != width {
            return Err(Mismatch(format!("{width} columns do not fit a tuple of {length}")));
        }
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        map struct enum identifier ignored_any
    }
}

/// The cells of a row from a column on, with their names or without.
struct Cells<'de> {
    row: RowDeserializer<'de>,
    column: usize,
}

impl<'de> Cells<'de> {
    fn value<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Mismatch> {
        let RowDeserializer { page, row } = self.row;
        let (text, column) = (page.cell(row, self.column).flatten(), page.columns.get(self.column));
        self.column += 1;
        seed.deserialize(CellDeserializer { text, column }).map_err(|e| {
            match column.and_then(|c| c.name.as_deref()) {
                Some(name) => Mismatch(format!("column `{name}`: {e}")),
                None => e,
            }
        })
    }
}

impl<'de> MapAccess<'de> for Cells<'de> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mismatch> {
        let Some(column) = self.row.page.columns.get(self.column) else { return Ok(None) };
        let name: StrDeserializer<'_, Mismatch> =
            column.name.as_deref().unwrap_or_default().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mismatch> {
        self.value(seed)
    }
}

impl<'de> SeqAccess<'de> for Cells<'de> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        if self.column >= self.row.page.width { Ok(None) } else { self.value(seed).map(Some) }
    }
}

/// Deserializes one cell.
#[derive(Clone, Copy)]
struct CellDeserializer<'de> {
    text: Option<&'de str>,
    column: Option<&'de StatementColumnInfo>,
}

impl<'de> CellDeserializer<'de> {
    fn type_name(&self) -> Option<&'de Type> {
        self.column.and_then(|c| c.type_name.as_ref())
    }

    fn some(&self, expected: &dyn de::Expected) -> Result<&'de str, Mismatch> {
        self.text.ok_or_else(|| Mismatch::invalid_type(de::Unexpected::Unit, expected))
    }

    fn parse<T: std::str::FromStr>(&self, expected: &'static str) -> Result<T, Mismatch> {
        let text = self.some(&expected)?;
        text.parse().map_err(|_| Mismatch::not(expected))
    }

    fn is_nested(&self) -> bool {
        matches!(self.type_name(), Some(Type::Array | Type::Map | Type::Struct))
    }

    fn nested(&self, expected: &dyn de::Expected) -> Result<Nested<'de>, Mismatch> {
        let value = serde_json::from_str(self.some(expected)?);
        value
            .map(|value| Nested(Cow::Owned(value)))
            .map_err(|_| Mismatch("not the JSON it should be".to_owned()))
    }

    fn binary(&self, expected: &dyn de::Expected) -> Result<Vec<u8>, Mismatch> {
        BASE64_STANDARD
            .decode(self.some(expected)?)
            .map_err(|_| Mismatch("not the base64 it should be".to_owned()))
    }
}

impl<'de> Deserializer<'de> for CellDeserializer<'de> {
    type Error = Mismatch;

    numbers!();

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
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

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.text.is_none() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let text = self.some(&visitor)?;
        visitor.visit_borrowed_str(text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.type_name() == Some(&Type::Binary) {
            let bytes = self.binary(&visitor)?;
            return visitor.visit_byte_buf(bytes);
        }
        let text = self.some(&visitor)?;
        visitor.visit_borrowed_bytes(text.as_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.type_name() == Some(&Type::Binary) {
            let bytes = self.binary(&visitor)?;
            return visitor.visit_seq(SeqDeserializer::<_, Mismatch>::new(bytes.into_iter()));
        }
        self.nested(&visitor)?.deserialize_seq(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Mismatch> {
        self.nested(&visitor)?.deserialize_tuple(length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.nested(&visitor)?.deserialize_tuple_struct(name, length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.nested(&visitor)?.deserialize_map(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.nested(&visitor)?.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        if self.is_nested() {
            return self.nested(&visitor)?.deserialize_enum(name, variants, visitor);
        }
        let text: StrDeserializer<'_, Mismatch> = self.some(&visitor)?.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.text.is_none() {
            visitor.visit_unit()
        } else {
            Err(Mismatch("a value where NULL is expected".to_owned()))
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_unit()
    }
}

//! Why a value doesn't fit a type, and the methods that both deserializers of values have.

use std::fmt;

use serde::de;

/// What is wrong, and in which column. The value is the user's data and not part of it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(in crate::results) struct Mismatch(pub(super) String);

impl Mismatch {
    /// The value is something else than what is expected, such as `a number`.
    pub(super) fn not(expected: &str) -> Self {
        Self(format!("a value that is not {expected}"))
    }
}

impl de::Error for Mismatch {
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

/// The methods of a `Deserializer` for numbers and booleans, by `self.parse`.
macro_rules! numbers {
    () => {
        numbers! {
            deserialize_bool visit_bool bool, "a boolean";
            deserialize_i8 visit_i8 i8, "an integer of 8 bits";
            deserialize_i16 visit_i16 i16, "an integer of 16 bits";
            deserialize_i32 visit_i32 i32, "an integer of 32 bits";
            deserialize_i64 visit_i64 i64, "an integer of 64 bits";
            deserialize_i128 visit_i128 i128, "an integer of 128 bits";
            deserialize_u8 visit_u8 u8, "an unsigned integer of 8 bits";
            deserialize_u16 visit_u16 u16, "an unsigned integer of 16 bits";
            deserialize_u32 visit_u32 u32, "an unsigned integer of 32 bits";
            deserialize_u64 visit_u64 u64, "an unsigned integer of 64 bits";
            deserialize_u128 visit_u128 u128, "an unsigned integer of 128 bits";
            deserialize_f32 visit_f32 f32, "a number";
            deserialize_f64 visit_f64 f64, "a number";
        }
    };
    ($($method:ident $visit:ident $type:ty, $expected:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
            visitor.$visit(self.parse::<$type>($expected)?)
        })*
    };
}
pub(super) use numbers;

//! Integers as the service sends them: a JSON number, its decimal text where the number has 64 bits, or `2.0` from a
//! service that counts in doubles. For `deserialize_with`.

use std::fmt;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// Reads an integer that must be there.
///
/// # Errors
/// For anything that is not an integer within the type's range.
pub fn required<'de, D: Deserializer<'de>, T: TryFrom<i64>>(deserializer: D) -> Result<T, D::Error> {
    optional(deserializer)?.ok_or_else(|| Error::invalid_type(Unexpected::Unit, &EXPECTED))
}

/// Reads an integer, or nothing where the document says `null`.
///
/// # Errors
/// For anything that is not an integer within the type's range.
pub fn optional<'de, D: Deserializer<'de>, T: TryFrom<i64>>(deserializer: D) -> Result<Option<T>, D::Error> {
    match deserializer.deserialize_any(Integer)? {
        None => Ok(None),
        Some(number) => match T::try_from(number) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Error::invalid_value(Unexpected::Signed(number), &EXPECTED)),
        },
    }
}

const EXPECTED: &str = "an integer within its range, as a number or as decimal text";

struct Integer;

impl Visitor<'_> for Integer {
    type Value = Option<i64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        match value.try_into() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(Error::invalid_value(Unexpected::Unsigned(value), &self)),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        // Beyond that not every integer has a double of its own.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && value.abs() <= EXACT {
            Ok(Some(value as i64))
        } else {
            Err(Error::invalid_value(Unexpected::Float(value), &self))
        }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        match value.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(Error::invalid_value(Unexpected::Str(value), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    struct Sizes {
        #[serde(default, deserialize_with = "super::optional")]
        wide: Option<i64>,
        #[serde(default, deserialize_with = "super::optional")]
        narrow: Option<i32>,
    }

    #[test]
    fn numbers_text_and_null_are_integers() {
        for (document, expected) in [
            (json!({"wide": i64::MAX}), Some(i64::MAX)),
            (json!({"wide": i64::MIN.to_string()}), Some(i64::MIN)),
            (json!({"wide": "9007199254740993"}), Some(9_007_199_254_740_993)),
            (json!({"wide": 2.0}), Some(2)),
            (json!({"wide": -9007199254740992.0}), Some(-9_007_199_254_740_992)),
            (json!({"wide": null}), None),
            (json!({}), None),
        ] {
            assert_eq!(Sizes::deserialize(&document).unwrap().wide, expected, "{document}");
        }
        assert_eq!(Sizes::deserialize(json!({"narrow": "-5"})).unwrap().narrow, Some(-5));
    }

    #[test]
    fn anything_else_is_refused() {
        for document in [
            json!({"wide": ""}),
            json!({"wide": "5 "}),
            json!({"wide": "5.0"}),
            json!({"wide": 5.5}),
            json!({"wide": 1e19}),
            json!({"wide": true}),
            json!({"wide": u64::MAX}),
            json!({"narrow": 3_000_000_000_i64}),
        ] {
            let error = Sizes::deserialize(&document).unwrap_err().to_string();
            assert!(error.contains("an integer"), "{document}: {error}");
        }
    }
}

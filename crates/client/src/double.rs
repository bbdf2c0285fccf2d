//! Doubles as the service sends them: a JSON number or its text.

use std::fmt;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// Reads a double, or nothing where the document says `null`.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    deserializer.deserialize_any(Double)
}

struct Double;

impl Visitor<'_> for Double {
    type Value = Option<f64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or its text")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(value))
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
    struct Cores {
        #[serde(default, deserialize_with = "super::optional")]
        cores: Option<f64>,
    }

    #[test]
    fn numbers_text_and_null_are_doubles() {
        for (document, expected) in [
            (json!({"cores": 12.5}), Some(12.5)),
            (json!({"cores": 12}), Some(12.0)),
            (json!({"cores": "12.5"}), Some(12.5)),
            (json!({"cores": null}), None),
            (json!({}), None),
        ] {
            assert_eq!(Cores::deserialize(&document).unwrap().cores, expected, "{document}");
        }
        for document in [json!({"cores": ""}), json!({"cores": "many"}), json!({"cores": true})] {
            let error = Cores::deserialize(&document).unwrap_err().to_string();
            assert!(error.contains("a number, or its text"), "{error}");
        }
    }
}

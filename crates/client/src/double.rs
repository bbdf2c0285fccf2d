//! Doubles as the service sends them: a JSON number or its text.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};

/// For `with`.
pub(crate) mod optional {
    use serde::{Deserializer, Serializer};

    /// Reads a double, or nothing where the document says `null`.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        deserializer.deserialize_any(super::Double)
    }

    /// Writes a double. What JSON has no number for is written as the text that it came in.
    pub(crate) fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        match *value {
            None => serializer.serialize_none(),
            Some(f64::INFINITY) => serializer.serialize_str("Infinity"),
            Some(f64::NEG_INFINITY) => serializer.serialize_str("-Infinity"),
            Some(value) if value.is_nan() => serializer.serialize_str("NaN"),
            Some(value) => serializer.serialize_f64(value),
        }
    }
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
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    #[derive(Debug, Deserialize, Serialize)]
    struct Cores {
        #[serde(default, with = "super::optional")]
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

    #[test]
    fn what_is_no_number_in_json_is_written_as_it_came() {
        for text in ["NaN", "Infinity", "-Infinity"] {
            let document = json!({ "cores": text });
            assert_eq!(serde_json::to_value(Cores::deserialize(&document).unwrap()).unwrap(), document);
        }
        for cores in [json!(12.5), json!(null)] {
            let document = json!({ "cores": cores });
            assert_eq!(serde_json::to_value(Cores::deserialize(&document).unwrap()).unwrap(), document);
        }
    }
}

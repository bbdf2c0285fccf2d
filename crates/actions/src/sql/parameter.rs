//! Named parameters: values as text with a type, checked before they are sent.

use std::fmt;

use brickwire_client::types::StatementParameterListItem;

use crate::{Error, Result};

/// A value for `:name` in a statement.
///
/// ```
/// use brickwire_actions::Parameter;
/// let id = Parameter::typed("id", "BIGINT", "9007199254740993");
/// let city = Parameter::text("city", "");
/// let none = Parameter::null("until", Some("DATE"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Parameter {
    name: String,
    type_name: Option<String>,
    value: Option<String>,
}

impl Parameter {
    /// A text; an empty one is not NULL.
    pub fn text(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), type_name: None, value: Some(value.into()) }
    }

    /// A value of an SQL type, such as `INT` or `DECIMAL(10, 2)`, written as text.
    pub fn typed(name: impl Into<String>, type_name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), type_name: Some(type_name.into()), value: Some(value.into()) }
    }

    /// NULL.
    pub fn null(name: impl Into<String>, type_name: Option<&str>) -> Self {
        Self { name: name.into(), type_name: type_name.map(str::to_owned), value: None }
    }

    /// Reads the connector's form: a JSON array of `{"name", "value", "type"?}`. Numbers and booleans become text;
    /// `null` and a missing value are NULL.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for anything else.
    pub fn from_json(json: &str) -> Result<Vec<Self>> {
        if json.trim().is_empty() {
            return Ok(Vec::new());
        }
        let refuse = |why: &str| {
            Error::usage(format!("the SQL parameters {why}"))
                .with_hint(r#"give a JSON array, as in [{"name": "id", "value": "5", "type": "INT"}]"#)
        };
        let items: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(json)
            .map_err(|e| refuse(&format!("are not a JSON array of objects: {e}")))?;
        let read = |item: &serde_json::Map<String, serde_json::Value>| {
            use serde_json::Value;
            let text = |key: &str| match item.get(key) {
                None | Some(Value::Null) => Ok(None),
                Some(Value::String(text)) => Ok(Some(text.clone())),
                Some(other @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(other.to_string())),
                Some(_) => Err(refuse(&format!("have a `{key}` that is neither text, number nor boolean"))),
            };
            let name = text("name")?.ok_or_else(|| refuse("have an item without a name"))?;
            Ok(Self { name, type_name: text("type")?, value: text("value")? })
        };
        items.iter().map(read).collect()
    }

    /// The name without the colon.
    pub(super) fn name(&self) -> &str {
        self.name.strip_prefix(':').unwrap_or(&self.name)
    }

    pub(crate) fn into_item(self) -> Result<StatementParameterListItem> {
        let name = self.name().to_owned();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(Error::usage(format!("not a parameter's name: {:?}", self.name)));
        }
        if let Some(type_name) = self.type_name.as_deref().filter(|t| t.trim().is_empty()) {
            return Err(Error::usage(format!("parameter {name} has an empty type: {type_name:?}")));
        }
        check(&name, self.type_name.as_deref(), self.value.as_deref())?;
        Ok(StatementParameterListItem { name, type_: self.type_name, value: self.value })
    }
}

/// Values are the user's data.
impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parameter")
            .field("name", &self.name)
            .field("type", &self.type_name)
            .finish_non_exhaustive()
    }
}

/// The types whose text can be judged here without guessing; the service judges the others.
fn check(name: &str, type_name: Option<&str>, value: Option<&str>) -> Result<()> {
    let (Some(type_name), Some(value)) = (type_name, value) else { return Ok(()) };
    let value = value.trim();
    let fits = match type_name.trim().to_ascii_uppercase().as_str() {
        "TINYINT" | "BYTE" => value.parse::<i8>().is_ok(),
        "SMALLINT" | "SHORT" => value.parse::<i16>().is_ok(),
        "INT" | "INTEGER" => value.parse::<i32>().is_ok(),
        "BIGINT" | "LONG" => value.parse::<i64>().is_ok(),
        "DOUBLE" | "FLOAT" | "REAL" => value.trim_end_matches(['d', 'D', 'f', 'F']).parse::<f64>().is_ok(),
        "BOOLEAN" => ["true", "false", "t", "f", "yes", "no", "y", "n", "1", "0"]
            .contains(&value.to_lowercase().as_str()),
        _ => true,
    };
    if fits {
        return Ok(());
    }
    Err(Error::usage(format!("the value of parameter {name} is not of type {type_name}: {value:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_not_an_empty_text() {
        let item = |p: Parameter| serde_json::to_value(p.into_item().unwrap()).unwrap();
        assert_eq!(item(Parameter::text("a", "")), serde_json::json!({"name": "a", "value": ""}));
        assert_eq!(
            item(Parameter::null("a", Some("DATE"))),
            serde_json::json!({"name": "a", "type": "DATE"})
        );
        assert_eq!(
            item(Parameter::typed(":a", "INT", "-5")),
            serde_json::json!({"name": "a", "type": "INT", "value": "-5"})
        );
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_before_sending() {
        for (type_name, value) in
            [("INT", "2147483648"), ("BIGINT", "1.5"), ("BOOLEAN", "maybe"), ("DOUBLE", "x")]
        {
            let error = Parameter::typed("p", type_name, value).into_item().unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Usage);
            assert!(error.to_string().contains(value), "{error}");
        }
        assert!(Parameter::text("", "x").into_item().is_err());
    }

    #[test]
    fn reads_the_connectors_json() {
        let read = Parameter::from_json(
            r#"[{"name":"a","value":1},{"name":"b","value":null},{"name":"c","value":true,"type":"BOOLEAN"}]"#,
        );
        let expected =
            [Parameter::text("a", "1"), Parameter::null("b", None), Parameter::typed("c", "BOOLEAN", "true")];
        assert_eq!(read.unwrap(), expected);
        assert_eq!(Parameter::from_json("").unwrap(), []);
        for bad in ["{", "{}", "[1]", r#"[{"value":1}]"#, r#"[{"name":"a","value":[1]}]"#] {
            assert!(
                Parameter::from_json(bad).unwrap_err().to_string().starts_with("the SQL parameters"),
                "{bad}"
            );
        }
    }
}

//! Named parameters. A value travels as text with the name of an SQL type, and is checked before it is sent.

use std::{collections::HashMap, fmt};

use brickwire_client::types::StatementParameterListItem;
use serde_json::value::RawValue;

use crate::{Error, Result};

/// The value of a parameter: a Rust value, or a text with an SQL type.
///
/// `From` is implemented for integers, floats, `bool` and text, and for an `Option` of these, whose `None` is NULL.
/// Each keeps its value exactly.
///
/// ```
/// use brickwire_actions::ParameterValue;
/// let id = ParameterValue::from(9_007_199_254_740_993_i64);
/// let price = ParameterValue::typed("DECIMAL(10, 2)", "1.10");
/// let day = ParameterValue::date("2024-01-31");
/// let note = ParameterValue::from(None::<&str>);
/// assert_eq!(id, ParameterValue::typed("BIGINT", "9007199254740993"));
/// assert_ne!(note, ParameterValue::from(""));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ParameterValue {
    type_name: Option<String>,
    text: Option<String>,
}

impl ParameterValue {
    /// A value of an SQL type, such as `INT` or `DECIMAL(10, 2)`, written as text.
    pub fn typed(type_name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { type_name: Some(type_name.into()), text: Some(text.into()) }
    }

    /// A DATE, for example `2024-01-31`.
    pub fn date(text: impl Into<String>) -> Self {
        Self::typed("DATE", text)
    }

    /// A TIMESTAMP, for example `2024-01-31T12:00:00.000Z`. Without an offset it is in the time zone of the session.
    pub fn timestamp(text: impl Into<String>) -> Self {
        Self::typed("TIMESTAMP", text)
    }

    /// NULL of an SQL type.
    pub fn null(type_name: impl Into<String>) -> Self {
        Self { type_name: Some(type_name.into()), text: None }
    }
}

/// A Rust type with an SQL type of its own, so that its `None` is a NULL of that type.
pub trait ParameterType: Into<ParameterValue> {
    /// The name of the SQL type.
    const TYPE_NAME: &'static str;
}

impl<T: ParameterType> From<Option<T>> for ParameterValue {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(|| Self::null(T::TYPE_NAME), Into::into)
    }
}

/// Implements both traits for types, each with its SQL type and how a value is written.
macro_rules! parameter_types {
    ($($type:ty, $name:literal, $write:expr;)*) => {
        $(
            impl ParameterType for $type {
                const TYPE_NAME: &'static str = $name;
            }

            impl From<$type> for ParameterValue {
                fn from(value: $type) -> Self {
                    let write: fn($type) -> String = $write;
                    Self::typed($name, write(value))
                }
            }
        )*
    };
}

// SQL has no unsigned integers, so each is of the next larger type.
parameter_types! {
    i8, "TINYINT", |value| value.to_string();
    i16, "SMALLINT", |value| value.to_string();
    i32, "INT", |value| value.to_string();
    i64, "BIGINT", |value| value.to_string();
    u8, "SMALLINT", |value| value.to_string();
    u16, "INT", |value| value.to_string();
    u32, "BIGINT", |value| value.to_string();
    f32, "FLOAT", |value| float(f64::from(value), format!("{value:?}"));
    f64, "DOUBLE", |value| float(value, format!("{value:?}"));
    bool, "BOOLEAN", |value| value.to_string();
}

/// The shortest text that is read as the same number, which is what `{:?}` writes; but the infinities in SQL's word.
fn float(value: f64, shortest: String) -> String {
    match value {
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        _ => shortest,
    }
}

/// A text without a type, which the service takes for a STRING.
impl From<String> for ParameterValue {
    fn from(text: String) -> Self {
        Self { type_name: None, text: Some(text) }
    }
}

impl From<&str> for ParameterValue {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&String> for ParameterValue {
    fn from(text: &String) -> Self {
        text.clone().into()
    }
}

impl ParameterType for String {
    const TYPE_NAME: &'static str = "STRING";
}

impl ParameterType for &str {
    const TYPE_NAME: &'static str = "STRING";
}

impl ParameterType for &String {
    const TYPE_NAME: &'static str = "STRING";
}

/// Values are the user's data and are not shown.
impl fmt::Debug for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParameterValue").field("type", &self.type_name).finish_non_exhaustive()
    }
}

/// A named parameter, `:name` in the text of a statement.
///
/// ```
/// use brickwire_actions::{Parameter, ParameterValue};
/// let parameters = [Parameter::new("zip", 10001), Parameter::new("from", ParameterValue::date("2024-01-31"))];
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    name: String,
    value: ParameterValue,
}

impl Parameter {
    /// Gives a name to a value. A colon before the name is not part of it.
    pub fn new(name: impl Into<String>, value: impl Into<ParameterValue>) -> Self {
        Self { name: name.into(), value: value.into() }
    }

    /// Reads the connector's form: a JSON array of `{"name", "value", "type"?}`. Numbers and booleans become text;
    /// `null` and a missing value are NULL.
    ///
    /// ```
    /// # fn main() -> brickwire_actions::Result<()> {
    /// use brickwire_actions::{Parameter, ParameterValue};
    /// let parameters = Parameter::from_json(r#"[{"name": "id", "value": 5, "type": "INT"}]"#)?;
    /// assert_eq!(parameters, [Parameter::new("id", 5)]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for anything else.
    pub fn from_json(json: &str) -> Result<Vec<Self>> {
        if json.trim().is_empty() {
            return Ok(Vec::new());
        }
        let refuse = |why: &str| {
            Error::usage(format!("the SQL parameters {why}"))
                .with_hint(r#"give a JSON array, for example [{"name": "id", "value": "5", "type": "INT"}]"#)
        };
        let items: Vec<HashMap<String, &RawValue>> = serde_json::from_str(json)
            .map_err(|e| refuse(&format!("are not a JSON array of objects: {e}")))?;
        let read = |item: &HashMap<String, &RawValue>| {
            let wrong =
                |key: &str| refuse(&format!("have a `{key}` that is neither text, number nor boolean"));
            let text = |key: &str| match item.get(key).map_or("null", |value| value.get()) {
                "null" => Ok(None),
                text if text.starts_with('"') => serde_json::from_str(text).map(Some).map_err(|_| wrong(key)),
                text if text.starts_with(['[', '{']) => Err(wrong(key)),
                // A number as a double would lose digits of a decimal.
                number_or_boolean => Ok(Some(number_or_boolean.to_owned())),
            };
            let name = text("name")?.ok_or_else(|| refuse("have an item without a name"))?;
            Ok(Self { name, value: ParameterValue { type_name: text("type")?, text: text("value")? } })
        };
        items.iter().map(read).collect()
    }

    /// The name without the colon.
    pub(crate) fn name(&self) -> &str {
        self.name.strip_prefix(':').unwrap_or(&self.name)
    }

    /// The value as text, unless it is NULL.
    pub(crate) fn text(&self) -> Option<&str> {
        self.value.text.as_deref()
    }

    /// The SQL type, if it has one.
    pub(crate) fn type_name(&self) -> Option<&str> {
        self.value.type_name.as_deref()
    }

    pub(super) fn into_item(self) -> Result<StatementParameterListItem> {
        let name = self.name().to_owned();
        let ParameterValue { type_name, text } = self.value;
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(Error::usage(format!("not a parameter's name: {:?}", self.name)));
        }
        if type_name.as_deref().is_some_and(|type_name| type_name.trim().is_empty()) {
            return Err(Error::usage(format!("parameter {name} has an empty type")));
        }
        check(&name, type_name.as_deref(), text.as_deref())?;
        Ok(StatementParameterListItem { name, type_: type_name, value: text })
    }
}

/// Checks the types whose text can be judged here for certain; the service judges the others.
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
    use serde_json::{Value, json};

    use super::*;

    fn item(name: &str, value: impl Into<ParameterValue>) -> Value {
        serde_json::to_value(Parameter::new(name, value).into_item().unwrap()).unwrap()
    }

    #[test]
    fn null_is_not_an_empty_text() {
        assert_eq!(item("a", ""), json!({"name": "a", "value": ""}));
        assert_eq!(item("a", ParameterValue::null("DATE")), json!({"name": "a", "type": "DATE"}));
        assert_eq!(item("a", None::<String>), json!({"name": "a", "type": "STRING"}));
        assert_eq!(item("a", None::<i64>), json!({"name": "a", "type": "BIGINT"}));
        assert_eq!(item(":a", -5), json!({"name": "a", "type": "INT", "value": "-5"}));
    }

    #[test]
    fn rust_values_are_sent_exactly() {
        let sent = |value: ParameterValue, type_name: &str, text: &str| {
            assert_eq!(value, ParameterValue::typed(type_name, text));
            // What is sent passes the check that what is typed by hand passes.
            let item = Parameter::new("p", value).into_item().unwrap();
            assert_eq!((item.type_.as_deref(), item.value.as_deref()), (Some(type_name), Some(text)));
        };
        sent(i8::MIN.into(), "TINYINT", "-128");
        sent(i16::MIN.into(), "SMALLINT", "-32768");
        sent(i32::MIN.into(), "INT", "-2147483648");
        sent(i64::MIN.into(), "BIGINT", "-9223372036854775808");
        sent(i64::MAX.into(), "BIGINT", "9223372036854775807");
        sent(u8::MAX.into(), "SMALLINT", "255");
        sent(u16::MAX.into(), "INT", "65535");
        sent(u32::MAX.into(), "BIGINT", "4294967295");
        sent(true.into(), "BOOLEAN", "true");
        sent(0.1_f32.into(), "FLOAT", "0.1");
        sent(16_777_216_f32.into(), "FLOAT", "16777216.0");
        sent((0.1 + 0.2).into(), "DOUBLE", "0.30000000000000004");
        sent(f64::MIN_POSITIVE.into(), "DOUBLE", "2.2250738585072014e-308");
        sent((-0.0).into(), "DOUBLE", "-0.0");
        sent(f64::NAN.into(), "DOUBLE", "NaN");
        sent(f64::INFINITY.into(), "DOUBLE", "Infinity");
        sent(f32::NEG_INFINITY.into(), "FLOAT", "-Infinity");
        sent(Some(7_i64).into(), "BIGINT", "7");
        for value in [f64::MAX, f64::MIN, 1e-300, f64::EPSILON, 1.0 / 3.0] {
            let text = ParameterValue::from(value).text.unwrap();
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits(), "{text}");
        }
        assert_eq!(item("a", Some("x")), json!({"name": "a", "value": "x"}));
        let borrowed = "x".to_owned();
        assert_eq!(item("a", &borrowed), json!({"name": "a", "value": "x"}));
        assert_eq!(item("a", borrowed), json!({"name": "a", "value": "x"}));
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_before_sending() {
        for (type_name, value) in
            [("INT", "2147483648"), ("BIGINT", "1.5"), ("BOOLEAN", "maybe"), ("DOUBLE", "x")]
        {
            let error = Parameter::new("p", ParameterValue::typed(type_name, value)).into_item().unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Usage);
            assert!(error.to_string().contains(value), "{error}");
        }
        assert!(Parameter::new("", "x").into_item().is_err());
        assert!(Parameter::new("p", ParameterValue::null(" ")).into_item().is_err());
    }

    #[test]
    fn a_value_is_not_shown() {
        assert!(!format!("{:?}", Parameter::new("p", "hush")).contains("hush"));
    }

    #[test]
    fn reads_the_connectors_json() {
        let read = Parameter::from_json(
            r#"[{"name":"a","value":1},{"name":"b","value":null},{"name":"c","value":true,"type":"BOOLEAN"}]"#,
        );
        let null = ParameterValue { type_name: None, text: None };
        let expected = [Parameter::new("a", "1"), Parameter::new("b", null), Parameter::new("c", true)];
        assert_eq!(read.unwrap(), expected);
        assert_eq!(Parameter::from_json("").unwrap(), []);
        for number in ["0.12345678901234567890", "123456789012345678901234567890", "1.10", "-0", "1e400"] {
            let read = Parameter::from_json(&format!(r#"[{{"name":"a","value": {number} }}]"#)).unwrap();
            assert_eq!(read, [Parameter::new("a", number)], "the number keeps all its digits");
        }
        for bad in
            ["{", "{}", "[1]", r#"[{"value":1}]"#, r#"[{"name":"a","value":[1]}]"#, r#"[{"name":"\ud800"}]"#]
        {
            assert!(
                Parameter::from_json(bad).unwrap_err().to_string().starts_with("the SQL parameters"),
                "{bad}"
            );
        }
    }
}

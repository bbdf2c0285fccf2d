//! Parameters of a notebook. The service has none for code on a cluster, so they travel as code: widgets of Python,
//! literals in SQL cells, and assignments after a cell of a Jupyter notebook that is tagged `parameters`.

use super::magic::python_text;
use crate::{Error, Parameter, Result};

/// Python that makes `dbutils.widgets` and `getArgument` answer with the parameters.
pub(super) fn widgets(parameters: &[Parameter]) -> String {
    let items = parameters.iter().map(|parameter| {
        let value = parameter.text().map_or_else(|| "None".to_owned(), python_text);
        format!("{}: {value}", python_text(parameter.name()))
    });
    let items = items.collect::<Vec<_>>().join(", ");
    format!("{}_brick_parameters({{{items}}})\ndel _brick_parameters\n", include_str!("widgets.py"))
}

/// Python that assigns the parameters.
pub(super) fn assignments(parameters: &[Parameter]) -> Result<String> {
    let mut code = String::new();
    for parameter in parameters {
        let name = parameter.name();
        let is_name = name
            .chars()
            .enumerate()
            .all(|(at, c)| c == '_' || if at == 0 { c.is_alphabetic() } else { c.is_alphanumeric() });
        if !is_name {
            return Err(Error::usage(format!("not the name of a Python variable: {name}")));
        }
        code.push_str(&format!("{name} = {}\n", python_value(parameter)));
    }
    Ok(code)
}

/// A value in Python: of the parameter's type if it has one, otherwise of the type that the text looks like, as papermill
/// does.
fn python_value(parameter: &Parameter) -> String {
    let Some(text) = parameter.text() else { return "None".to_owned() };
    let trimmed = text.trim();
    let boolean = |text: &str| match text.to_ascii_lowercase().as_str() {
        "true" => Some("True".to_owned()),
        "false" => Some("False".to_owned()),
        _ => None,
    };
    let integer = || trimmed.parse::<i128>().ok().map(|number| number.to_string());
    let float = || {
        let is_plain =
            trimmed.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
        trimmed
            .parse::<f64>()
            .ok()
            .filter(|number| is_plain && number.is_finite())
            .map(|number| format!("{number:?}"))
    };
    let value = match parameter.type_name().map(|name| name.trim().to_ascii_uppercase()).as_deref() {
        Some("TINYINT" | "BYTE" | "SMALLINT" | "SHORT" | "INT" | "INTEGER" | "BIGINT" | "LONG") => integer(),
        Some("DOUBLE" | "FLOAT" | "REAL") => float(),
        Some("BOOLEAN") => boolean(trimmed),
        Some(_) => None,
        None if text == "None" => Some("None".to_owned()),
        None if matches!(text, "True" | "False") => Some(text.to_owned()),
        None => integer().or_else(float),
    };
    value.unwrap_or_else(|| python_text(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ParameterValue;

    #[test]
    fn assignments_have_the_type_that_is_meant() {
        let typed = |name: &str, type_name: &str, text: &str| {
            Parameter::new(name, ParameterValue::typed(type_name, text))
        };
        let parameters = [
            Parameter::new("a", "5"),
            Parameter::new("b", "1.5"),
            Parameter::new("c", "True"),
            Parameter::new("d", "None"),
            Parameter::new("e", "it's \"x\"\\\n"),
            Parameter::new("f", "nan"),
            typed("g", "STRING", "5"),
            typed("h", "DOUBLE", "5"),
            typed("i", "BOOLEAN", "true"),
            typed("j", "INT", "7"),
            Parameter::new("k", ParameterValue::null("DATE")),
            Parameter::new("l", "007"),
        ];
        let expected = "a = 5\nb = 1.5\nc = True\nd = None\ne = \"it's \\\"x\\\"\\\\\\n\"\nf = \"nan\"\n\
                        g = \"5\"\nh = 5.0\ni = True\nj = 7\nk = None\nl = 7\n";
        assert_eq!(assignments(&parameters).unwrap(), expected);
        for name in ["a b", "1a", "a;b", "a.b"] {
            assert!(assignments(&[Parameter::new(name, "1")]).is_err(), "{name}");
        }
    }

    #[test]
    fn a_value_cannot_leave_its_literal() {
        let hostile = "\"); import os; os.abort() #\n'''\\";
        let code = widgets(&[Parameter::new("zip", hostile)]);
        let call = code.lines().rev().nth(1).unwrap();
        assert_eq!(call, format!("_brick_parameters({{\"zip\": {}}})", serde_json::Value::from(hostile)));
    }
}

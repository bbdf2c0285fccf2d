//! SQL parameters as JSON: a text stays what it says, a number keeps its digits.

#![no_main]

use std::collections::HashMap;

use brickwire_actions::{Parameter, ParameterValue, Statement};
use brickwire_fuzz::text;
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    let Ok(parameters) = Parameter::from_json(text) else { return };
    let _ = Statement::check("SELECT :id, :zip", &parameters);
    if text.trim().is_empty() {
        return;
    }
    let items: Vec<HashMap<String, &RawValue>> = serde_json::from_str(text).expect("it was read as JSON");
    assert_eq!(items.len(), parameters.len());
    for (parameter, item) in parameters.iter().zip(items) {
        let value = |key: &str| {
            let raw = item.get(key).map_or("null", |raw| raw.get());
            match serde_json::from_str::<Option<String>>(raw) {
                Ok(text) => text,
                Err(_) => Some(raw.to_owned()),
            }
        };
        let name = value("name").expect("a parameter has a name");
        let expected = match (value("type"), value("value")) {
            (Some(type_name), Some(text)) => ParameterValue::typed(type_name, text),
            (Some(type_name), None) => ParameterValue::null(type_name),
            (None, Some(text)) => text.into(),
            (None, None) => continue,
        };
        assert_eq!(*parameter, Parameter::new(name, expected));
    }
});

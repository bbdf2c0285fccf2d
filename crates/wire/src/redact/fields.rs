//! Masks the secrets in JSON, at any depth and in texts that are JSON themselves.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    names::{holds_values, is_secret},
    scrub::scrub,
};
use crate::known::MASK;

/// A free text as it may be shown. It may be JSON.
pub(super) fn free(text: &str) -> Cow<'_, str> {
    let is_nested = text.trim_start().starts_with(['{', '[']);
    match serde_json::from_str::<Value>(text) {
        Ok(json) if is_nested => {
            let mut masked = json.clone();
            mask(&mut masked);
            if masked == json { Cow::Borrowed(text) } else { Cow::Owned(masked.to_string()) }
        }
        _ => scrub(text),
    }
}

/// What becomes of the value of a field.
#[derive(Clone, Copy)]
enum Field {
    Secret,
    /// The user's values under names that say nothing.
    Values,
    Other,
}

/// `map` is the object that the field belongs to.
fn field(map: &serde_json::Map<String, Value>, key: &str) -> Field {
    // The secrets API answers with `key` and `value`. A tag looks the same.
    let is_pair = key == "value" && (map.contains_key("key") || map.len() == 1);
    match key {
        _ if is_pair || is_secret(key) => Field::Secret,
        _ if holds_values(key) => Field::Values,
        _ => Field::Other,
    }
}

pub(super) fn mask(json: &mut Value) {
    match json {
        Value::Object(map) => {
            let fields: Vec<_> = map.keys().map(|key| field(map, key)).collect();
            for (value, field) in map.values_mut().zip(fields) {
                match field {
                    Field::Secret => hide(value),
                    Field::Values => {
                        values(value).into_iter().for_each(hide);
                        // What is no value has a name that may be a secret's.
                        mask(value);
                    }
                    Field::Other => mask(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::String(text) => {
            if let Cow::Owned(masked) = free(text) {
                *text = masked;
            }
        }
        _ => {}
    }
}

fn hide(value: &mut Value) {
    if !value.is_null() {
        *value = MASK.into();
    }
}

/// The values of a map, of a list of name and value, or of a plain list; their names are shown.
fn values(json: &mut Value) -> Vec<&mut Value> {
    match json {
        Value::Object(map) => map.values_mut().collect(),
        Value::Array(items) => items
            .iter_mut()
            .filter_map(|item| match item {
                Value::Object(map) => map.get_mut("value"),
                plain => Some(plain),
            })
            .collect(),
        plain => vec![plain],
    }
}

/// Finds what [`mask`] would hide.
pub(super) fn find(json: &Value, found: &mut impl FnMut(&str)) {
    match json {
        Value::Object(map) => {
            for (key, value) in map {
                match field(map, key) {
                    Field::Secret => value.as_str().into_iter().for_each(&mut *found),
                    Field::Values => {
                        let mut value = value.clone();
                        values(&mut value).iter().filter_map(|v| v.as_str()).for_each(&mut *found);
                        find(&value, found);
                    }
                    Field::Other => find(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| find(item, found)),
        _ => {}
    }
}

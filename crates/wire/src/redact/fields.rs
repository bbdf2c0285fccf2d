//! Masks the secrets in JSON, at any depth and in texts that are JSON themselves.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    names::{holds_values, is_secret, is_secret_parameter},
    scrub::{Found, scrub},
};
use crate::known::MASK;

/// The value of a field or a parameter as it may be shown.
pub(super) fn masked_value<'a>(key: &str, value: &'a str, found: &mut Found<'_>) -> Cow<'a, str> {
    if is_secret_parameter(key) {
        report(value, found);
        return Cow::Borrowed(MASK);
    }
    free(value, found)
}

/// A free text as it may be shown. It may be JSON.
pub(super) fn free<'t>(text: &'t str, found: &mut Found<'_>) -> Cow<'t, str> {
    let Some(json) = nested(text) else { return scrub(text, found) };
    let mut masked = json.clone();
    mask(&mut masked, found);
    if masked == json { Cow::Borrowed(text) } else { Cow::Owned(masked.to_string()) }
}

/// The document that a text is, if it is an object or a list.
fn nested(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(|_| text.trim_start().starts_with(['{', '[']))
}

/// Reports a secret, and what it consists of: `S` in `Bearer S`, or in `{"password":"S"}`. A service may repeat any of
/// them.
pub(super) fn report(secret: &str, found: &mut Found<'_>) {
    found(secret);
    match nested(secret) {
        Some(json) => report_leaves(&json, found),
        None => drop(scrub(secret, found)),
    }
}

fn report_leaves(json: &Value, found: &mut Found<'_>) {
    match json {
        Value::Object(map) => map.values().for_each(|value| report_leaves(value, found)),
        Value::Array(items) => items.iter().for_each(|item| report_leaves(item, found)),
        Value::String(text) => report(text, found),
        Value::Number(number) => found(&number.to_string()),
        Value::Null | Value::Bool(_) => {}
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
    // The secrets API answers with `key` and `value`. A tag looks the same. Of a name and a value, the name decides.
    let is_named = || map.get("name").and_then(Value::as_str).is_some_and(is_secret);
    let is_pair = key == "value" && (map.contains_key("key") || map.len() == 1 || is_named());
    match key {
        _ if is_pair || is_secret(key) => Field::Secret,
        _ if holds_values(key) => Field::Values,
        _ => Field::Other,
    }
}

/// Masks the secrets, and reports them.
pub(super) fn mask(json: &mut Value, found: &mut Found<'_>) {
    match json {
        Value::Object(map) => {
            let fields: Vec<_> = map.keys().map(|key| field(map, key)).collect();
            for (value, field) in map.values_mut().zip(fields) {
                match field {
                    Field::Secret => hide(value, found),
                    Field::Values => {
                        values(value).into_iter().for_each(|value| hide(value, found));
                        // What is no value has a name that may be a secret's.
                        mask(value, found);
                    }
                    Field::Other => mask(value, found),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, found)),
        Value::String(text) => {
            if let Cow::Owned(masked) = free(text, found) {
                *text = masked;
            }
        }
        _ => {}
    }
}

fn hide(value: &mut Value, found: &mut Found<'_>) {
    // What is masked already has been reported.
    if !value.is_null() && value.as_str() != Some(MASK) {
        report_leaves(value, found);
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

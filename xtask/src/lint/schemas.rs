//! Rules for schemas: names that meet after casing, and keywords that generate nothing or the wrong thing.

use std::collections::BTreeMap;

use heck::{ToPascalCase, ToSnakeCase};
use serde_json::{Map, Value};

use super::findings::{Findings, place};
use crate::load;

/// Keywords that put checks and defaults into the types, or merge them. Service and prose know better.
const CONSTRAINTS: [&str; 14] = [
    "default",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "uniqueItems",
];

/// Names that the generated types use for something else.
const RESERVED: [&str; 9] =
    ["Box", "Clone", "Debug", "Default", "Option", "PartialEq", "Result", "String", "Vec"];

pub(super) fn check(document: &Value, findings: &mut Findings) {
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let type_name = name.to_pascal_case();
        if RESERVED.contains(&type_name.as_str()) {
            findings.add(name, "schema-name", "the generated code uses this name");
        }
        if let Some(first) = names.insert(type_name, name) {
            findings.add(name, "schema-name", format!("becomes one Rust name with `{first}`"));
        }
        walk(schema, name, Place::Component, findings);
    }
    for (method, path, operation) in load::operations(document) {
        let place = place(method, path, operation);
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            walk(&parameter["schema"], &place, Place::Inline, findings);
        }
        walk(
            &operation["requestBody"]["content"]["application/json"]["schema"],
            &place,
            Place::Inline,
            findings,
        );
        for (_, response) in operation["responses"].as_object().into_iter().flatten() {
            walk(&response["content"]["application/json"]["schema"], &place, Place::Inline, findings);
        }
    }
}

/// Where a schema stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Component,
    Property,
    Inline,
}

fn walk(schema: &Value, path: &str, place: Place, findings: &mut Findings) {
    let Some(map) = schema.as_object() else { return };
    if map.contains_key("$ref") {
        if map.len() > 1 {
            findings.add(
                path,
                "reference",
                "what stands next to a `$ref` is ignored: put the reference into `allOf`",
            );
        }
        return;
    }
    if place != Place::Component && (map.contains_key("properties") || map.contains_key("enum")) {
        findings.add(path, "inline", "an object or enum needs a name: make it a component");
    }
    for flag in ["x-secret", "x-open", "x-alias"] {
        if map.contains_key(flag) && place != Place::Property {
            findings.add(path, &flag[2..], format!("`{flag}` is for properties"));
        }
    }
    keywords(map, path, findings);
    if let Some(values) = map.get("enum") {
        enumeration(map, values, path, findings);
    }
    properties(map, path, findings);
    for key in ["items", "additionalProperties"] {
        walk(&schema[key], path, Place::Inline, findings);
    }
    for (name, property) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
        walk(property, &format!("{path}.{name}"), Place::Property, findings);
    }
}

fn keywords(map: &Map<String, Value>, place: &str, findings: &mut Findings) {
    for key in ["oneOf", "anyOf", "not", "discriminator", "patternProperties", "const"] {
        if map.contains_key(key) {
            findings.add(
                place,
                "keyword",
                format!("`{key}` has no shape in Rust that lasts: describe all fields"),
            );
        }
    }
    for key in CONSTRAINTS.iter().filter(|key| map.contains_key(**key)) {
        findings.add(
            place,
            "constraint",
            format!("`{key}` is for the service to keep: say it in the description"),
        );
    }
    if map.contains_key("title") {
        findings.add(place, "title", "schemas of one title become one type");
    }
    match map.get("allOf").map(Value::as_array) {
        Some(Some(parts)) if parts.len() == 1 && parts[0].get("$ref").is_some() => {}
        None => {}
        _ => findings.add(place, "keyword", "`allOf` is for one `$ref` with something next to it"),
    }
    if map.get("additionalProperties").is_some_and(Value::is_boolean) {
        let message =
            "`true` is ignored and `false` refuses new fields: write `{}` to keep unknown fields, or nothing";
        findings.add(place, "additional-properties", message);
    }
    let kind = map.get("type");
    if kind.is_some_and(|kind| !kind.is_string()) {
        findings.add(place, "type", "`type` must be one word; OpenAPI 3.0 says `nullable: true`");
    }
    if kind.is_some_and(|kind| kind == "array") && !map.contains_key("items") {
        findings.add(place, "type", "an array needs `items`");
    }
    let format = map.get("format").and_then(Value::as_str);
    if kind.is_some_and(|kind| kind == "integer")
        && format.is_some_and(|format| !["int32", "int64"].contains(&format))
    {
        findings.add(place, "type", "an integer is `int32` or `int64`, the latter if nothing is said");
    }
}

fn enumeration(map: &Map<String, Value>, values: &Value, place: &str, findings: &mut Findings) {
    let values: Vec<&str> = values.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if map.get("type").is_none_or(|kind| kind != "string")
        || Some(values.len()) != map["enum"].as_array().map(Vec::len)
    {
        return findings.add(place, "enum", "must be of `type: string` with text values: quote them");
    }
    let mut variants: BTreeMap<String, &str> = BTreeMap::new();
    for value in values {
        let variant = value.replace(|c: char| !c.is_alphanumeric(), "-").to_pascal_case();
        if variant == "UnknownValue" || variant.is_empty() {
            findings.add(place, "enum", format!("no variant can be made for {value:?}"));
        }
        if let Some(first) = variants.insert(variant, value) {
            findings.add(place, "enum", format!("{value:?} and {first:?} become one Rust name"));
        }
    }
}

fn properties(map: &Map<String, Value>, place: &str, findings: &mut Findings) {
    let properties = map.get("properties").and_then(Value::as_object);
    let mut fields: BTreeMap<String, &str> = BTreeMap::new();
    let own = properties.into_iter().flatten().filter(|(_, schema)| schema.get("x-alias").is_none());
    for (name, _) in own {
        if let Some(first) = fields.insert(name.to_snake_case(), name) {
            findings.add(place, "property-name", format!("`{name}` and `{first}` become one Rust name"));
        }
        if name == "extra" && map.contains_key("additionalProperties") {
            findings.add(place, "property-name", "`extra` holds the unknown fields");
        }
    }
    for name in map.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    {
        if properties.is_none_or(|properties| !properties.contains_key(name)) {
            findings.add(place, "required", format!("`{name}` is no property"));
        }
    }
}

//! Turns the linted description into what progenitor handles well, and sets aside what it can't carry.
//!
//! Decides the shape of the Rust API:
//! - only the success response of an operation is typed; errors are the runtime's matter;
//! - optional query parameters become one `<Operation>Query` object, so that a new one breaks no caller;
//! - inline objects and enums become named components;
//! - in anything that the service sends, every field may be missing or `null`; in what only we send, `required` holds;
//! - constraints, defaults and formats that would end up in the types are dropped: the service checks, not we;
//! - a component that no operation uses makes no type.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use heck::ToPascalCase;
use serde_json::{Map, Value, json};

use crate::load::{for_each_reference, operations};

/// What travels past progenitor to the postprocessor.
#[derive(Debug, Default)]
pub(crate) struct Annotations {
    /// The operations in the order of the description.
    pub operations: Vec<Operation>,
    /// Type and wire name of each `x-secret` property.
    pub secrets: BTreeSet<(String, String)>,
}

/// An operation's facts that progenitor drops or hides in its method bodies.
#[derive(Debug)]
pub(crate) struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub repeatable: bool,
    /// Path parameters that keep their slashes.
    pub wildcards: BTreeSet<String>,
}

/// Keywords that would turn into code nobody wants: checks, defaults on the wire, merged types.
const DROPPED: [&str; 16] = [
    "title",
    "default",
    "example",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];

/// Rewrites `document` in place.
pub(crate) fn preprocess(document: &mut Value) -> Result<Annotations> {
    let mut annotations = Annotations { operations: annotate(document), ..Annotations::default() };
    let mut hoist = Hoist { hoisted: Map::new() };
    for (_, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            prepare_operation(operation, &mut hoist)?;
        }
    }
    let mut schemas = Map::new();
    if let Some(components) = document["components"]["schemas"].as_object_mut() {
        schemas.append(components);
    }
    for (name, schema) in &mut schemas {
        hoist.schema(schema, &name.to_pascal_case(), false)?;
    }
    for (name, schema) in hoist.hoisted {
        if schemas.keys().any(|key| key.to_pascal_case() == name) {
            bail!(
                "{name}: hoisted-name: an inline schema takes this name from a named one; name it yourself"
            );
        }
        schemas.insert(name, schema);
    }
    let used = reached(operations(document).map(|(_, _, operation)| operation.clone()), &schemas);
    schemas.retain(|name, _| used.contains(name));
    let received =
        reached(operations(document).map(|(_, _, operation)| operation["responses"].clone()), &schemas);
    for (name, schema) in &mut schemas {
        relax(name, schema, received.contains(name), &mut annotations.secrets);
    }
    document["components"] = json!({"schemas": schemas});
    Ok(annotations)
}

fn annotate(document: &Value) -> Vec<Operation> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    operations(document)
        .map(|(method, path, operation)| Operation {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            repeatable: operation["x-repeatable"].as_bool().unwrap_or(!matches!(method, "post" | "patch")),
            wildcards: operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|parameter| parameter["x-wildcard"] == true)
                .map(|parameter| text(&parameter["name"]))
                .collect(),
        })
        .collect()
}

fn prepare_operation(operation: &mut Value, hoist: &mut Hoist) -> Result<()> {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let name = id.to_pascal_case();
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.retain(|status, _| status.starts_with('2'));
    }
    group_optional_query(operation, &id, hoist)?;
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let parameter_name = parameter["name"].as_str().unwrap_or_default().to_pascal_case();
        hoist.schema(&mut parameter["schema"], &format!("{name}{parameter_name}"), true)?;
    }
    let mut contents = Vec::new();
    if let Some(operation) = operation.as_object_mut() {
        for (key, value) in operation {
            match (key.as_str(), value) {
                ("requestBody", body) => contents.push(("Request", body)),
                ("responses", Value::Object(all)) => {
                    contents.extend(all.values_mut().map(|one| ("Response", one)));
                }
                _ => {}
            }
        }
    }
    for (suffix, place) in contents {
        for (_, media) in place.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten() {
            hoist.schema(&mut media["schema"], &format!("{name}{suffix}"), true)?;
        }
    }
    Ok(())
}

fn group_optional_query(operation: &mut Value, id: &str, hoist: &mut Hoist) -> Result<()> {
    let Some(Value::Array(parameters)) = operation.get_mut("parameters") else { return Ok(()) };
    let is_optional = |parameter: &Value| parameter["in"] == "query" && parameter["required"] != true;
    let (optional, mut rest): (Vec<_>, Vec<_>) =
        std::mem::take(parameters).into_iter().partition(is_optional);
    if !optional.is_empty() {
        let mut properties = Map::new();
        for mut parameter in optional {
            let mut schema = parameter["schema"].take();
            if let Some(description) = parameter.get("description") {
                schema["description"] = description.clone();
            }
            properties.insert(parameter["name"].as_str().unwrap_or_default().to_owned(), schema);
        }
        let name = format!("{}Query", id.to_pascal_case());
        rest.push(json!({
            "name": "query", "in": "query", "required": true,
            "schema": {"$ref": format!("#/components/schemas/{name}")},
        }));
        let mut schema = json!({
            "type": "object",
            "description": format!("Optional query parameters of `{id}`."),
            "properties": properties,
        });
        hoist.schema(&mut schema, &name, false)?;
        hoist.add(name, schema)?;
    }
    *parameters = rest;
    Ok(())
}

/// Moves inline objects and enums to named components.
struct Hoist {
    hoisted: Map<String, Value>,
}

impl Hoist {
    fn add(&mut self, name: String, schema: Value) -> Result<()> {
        ensure!(
            !self.hoisted.contains_key(&name),
            "{name}: hoisted-name: two inline schemas get this name; name them yourself"
        );
        self.hoisted.insert(name, schema);
        Ok(())
    }

    /// Normalises a schema and what is in it; `name` is what it is called should it need a name of its own.
    fn schema(&mut self, schema: &mut Value, name: &str, inline: bool) -> Result<()> {
        let Some(map) = schema.as_object_mut() else { return Ok(()) };
        if let Some(reference) = map.remove("$ref") {
            // What stands beside a `$ref` would be ignored.
            let target = json!({"$ref": reference});
            if map.is_empty() {
                *schema = target;
            } else {
                map.insert("allOf".into(), json!([target]));
            }
            return Ok(());
        }
        DROPPED.iter().for_each(|key| drop(map.remove(*key)));
        let kind = map.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        match kind.as_str() {
            "string" => drop(map.remove("format")),
            "integer" if map.get("format").is_none_or(|format| format != "int32") => {
                map.insert("format".into(), json!("int64"));
            }
            _ => {}
        }
        for (key, suffix) in [("additionalProperties", "Value"), ("items", "Item")] {
            if let Some(inner) = map.get_mut(key) {
                self.schema(inner, &format!("{name}{suffix}"), true)?;
            }
        }
        for (property, inner) in
            map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten()
        {
            self.schema(inner, &format!("{name}{}", property.to_pascal_case()), true)?;
        }
        let needs_name = map.contains_key("properties") || (kind == "string" && map.contains_key("enum"));
        if inline && needs_name {
            let mut place = json!({"allOf": [{"$ref": format!("#/components/schemas/{name}")}]});
            for key in ["description", "nullable", "x-secret"] {
                if let Some(value) = map.get(key) {
                    place[key] = value.clone();
                }
            }
            map.remove("nullable");
            let named = std::mem::replace(schema, place);
            self.add(name.to_owned(), named)?;
        }
        Ok(())
    }
}

/// The schemas that `values` refer to, and those that these refer to, and so on.
fn reached(values: impl Iterator<Item = Value>, schemas: &Map<String, Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<Value> = values.collect();
    while let Some(mut value) = waiting.pop() {
        for_each_reference(&mut value, &mut |reference| {
            let name = reference.rsplit('/').next().unwrap_or_default();
            if found.insert(name.to_owned()) {
                waiting.extend(schemas.get(name).cloned());
            }
        });
    }
    found
}

/// Makes a component as tolerant as it has to be and notes its secrets.
fn relax(name: &str, schema: &mut Value, received: bool, secrets: &mut BTreeSet<(String, String)>) {
    let Some(map) = schema.as_object_mut() else { return };
    if received {
        map.remove("required");
    }
    let required = map.get("required").cloned().unwrap_or_default();
    let required: Vec<&str> = required.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (property, schema) in map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if schema["x-secret"] == true {
            secrets.insert((name.to_pascal_case(), property.clone()));
        }
        // Without this an optional list is a `Vec` that `null` breaks and that can't be sent empty.
        if !required.contains(&property.as_str())
            && matches!(schema["type"].as_str(), Some("array" | "object"))
        {
            schema["nullable"] = json!(true);
        }
    }
}

//! Turns the linted description into what progenitor handles well, and sets aside what it can't carry.
//!
//! Decides the shape of the Rust API:
//! - only the success response of an operation is typed; errors are the wire's concern;
//! - optional query parameters become one `<Operation>Query` object, so that a new one breaks no caller;
//! - in anything that the service sends, every field may be missing or `null`; in what only we send, `required` holds;
//! - text is text whatever its `format`, and an integer has 64 bits unless it says otherwise;
//! - a component that no operation uses makes no type.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use heck::ToPascalCase;
use serde_json::{Map, Value, json};

use crate::{
    arguments::{self, Argument},
    load::{BYTES, for_each_reference, operations},
};

/// What travels past progenitor to the postprocessor.
#[derive(Debug, Default)]
pub(crate) struct Annotations {
    /// The operations in the order of the description.
    pub operations: Vec<Operation>,
    /// Type and wire name of each `x-secret` property.
    pub secrets: BTreeSet<(String, String)>,
    /// Type and wire name of each property that has a second spelling (`x-alias`), and that spelling.
    pub aliases: BTreeMap<(String, String), String>,
}

/// An operation's facts that progenitor drops or hides in its method bodies.
#[derive(Debug)]
pub(crate) struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub repeatable: bool,
    /// Whether it only reads although it is no GET.
    pub reads: bool,
    /// Path parameters that keep their slashes.
    pub wildcards: BTreeSet<String>,
    /// Whether the request's body is a file.
    pub uploads: bool,
    /// Whether the answer is a file.
    pub downloads: bool,
    pub summary: String,
    pub arguments: Vec<Argument>,
    /// What the request's body is, in the words of the client's `Body`.
    pub body: &'static str,
}

impl Operation {
    /// The name of its constant in the generated client.
    pub(crate) fn constant(&self) -> syn::Ident {
        quote::format_ident!("{}", self.id.to_uppercase())
    }
}

/// Rewrites `document` in place.
pub(crate) fn preprocess(document: &mut Value) -> Result<Annotations> {
    let mut annotations = Annotations { operations: annotate(document), ..Annotations::default() };
    let mut schemas = match document["components"]["schemas"].take() {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    };
    for (_, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(responses) = operation["responses"].as_object_mut() {
                responses.retain(|status, _| status.starts_with('2'));
            }
            hide_files(operation);
            group_optional_query(operation, &mut schemas)?;
            for parameter in
                operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten()
            {
                plain_formats(&mut parameter["schema"]);
            }
        }
    }
    let used = reached(operations(document).map(|(_, _, operation)| operation.clone()), &schemas);
    schemas.retain(|name, _| used.contains(name));
    let received =
        reached(operations(document).map(|(_, _, operation)| operation["responses"].clone()), &schemas);
    for (name, schema) in &mut schemas {
        plain_formats(schema);
        relax(name, schema, received.contains(name), &mut annotations);
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
            reads: operation["x-reads"] == true,
            wildcards: operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|parameter| parameter["x-wildcard"] == true)
                .map(|parameter| text(&parameter["name"]))
                .collect(),
            uploads: operation["requestBody"]["content"].get(BYTES).is_some(),
            downloads: operation["responses"].as_object().into_iter().flatten().any(|(status, response)| {
                status.starts_with('2') && response["content"].get(BYTES).is_some()
            }),
            summary: text(&operation["summary"]),
            arguments: arguments::of(document, operation),
            body: arguments::body(document, operation),
        })
        .collect()
}

/// Files are the postprocessor's matter: progenitor sees an operation without them.
fn hide_files(operation: &mut Value) {
    let Some(map) = operation.as_object_mut() else { return };
    if map.get("requestBody").is_some_and(|body| body["content"].get(BYTES).is_some()) {
        map.shift_remove("requestBody");
    }
    for (_, response) in map.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten() {
        if let Some(response) = response.as_object_mut()
            && response.get("content").is_some_and(|content| content.get(BYTES).is_some())
        {
            response.shift_remove("content");
        }
    }
}

fn group_optional_query(operation: &mut Value, schemas: &mut Map<String, Value>) -> Result<()> {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let Some(Value::Array(parameters)) = operation.get_mut("parameters") else { return Ok(()) };
    let is_optional = |parameter: &Value| parameter["in"] == "query" && parameter["required"] != true;
    let (optional, mut rest): (Vec<_>, Vec<_>) =
        std::mem::take(parameters).into_iter().partition(is_optional);
    if !optional.is_empty() {
        let properties: Map<String, Value> = optional
            .into_iter()
            .map(|mut parameter| {
                let mut schema = parameter["schema"].take();
                if schema.get("$ref").is_some() {
                    schema = json!({"allOf": [schema]});
                }
                if let Some(description) = parameter.get("description") {
                    schema["description"] = description.clone();
                }
                (parameter["name"].as_str().unwrap_or_default().to_owned(), schema)
            })
            .collect();
        let name = format!("{}Query", id.to_pascal_case());
        rest.push(json!({
            "name": "query", "in": "query", "required": true,
            "schema": {"$ref": format!("#/components/schemas/{name}")},
        }));
        let schema = json!({
            "type": "object",
            "description": format!("Optional query parameters of `{id}`."),
            "properties": properties,
        });
        ensure!(
            !schemas.contains_key(&name),
            "{id}: query-name: its query parameters become a type `{name}`, which there is"
        );
        schemas.insert(name, schema);
    }
    *parameters = rest;
    Ok(())
}

/// Formats that would become types of other crates, or checks.
fn plain_formats(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else { return };
    match map.get("type").and_then(Value::as_str) {
        Some("string") => drop(map.remove("format")),
        Some("integer") => drop(map.entry("format").or_insert_with(|| json!("int64"))),
        _ => {}
    }
    for key in ["additionalProperties", "items"] {
        if let Some(inner) = map.get_mut(key) {
            plain_formats(inner);
        }
    }
    for (_, inner) in map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        plain_formats(inner);
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

/// Makes a component as tolerant as it has to be, and notes its secrets and second spellings.
fn relax(name: &str, schema: &mut Value, received: bool, annotations: &mut Annotations) {
    let Some(map) = schema.as_object_mut() else { return };
    if received {
        map.remove("required");
    }
    let required = map.get("required").cloned().unwrap_or_default();
    let required: Vec<&str> = required.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let Some(properties) = map.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let type_name = name.to_pascal_case();
    properties.retain(|spelling, schema| {
        let Some(property) = schema["x-alias"].as_str() else { return true };
        annotations.aliases.insert((type_name.clone(), property.to_owned()), spelling.clone());
        false
    });
    for (property, schema) in properties {
        if schema["x-secret"] == true {
            annotations.secrets.insert((type_name.clone(), property.clone()));
        }
        if schema["x-open"] == true {
            // Of no type at all, it becomes a JSON value.
            *schema = json!({ "description": schema["description"] });
        }
        // Without this an optional list is a `Vec` that `null` breaks and that can't be sent empty.
        if !required.contains(&property.as_str())
            && matches!(schema["type"].as_str(), Some("array" | "object"))
        {
            schema["nullable"] = json!(true);
        }
    }
}

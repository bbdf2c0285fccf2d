//! Reads the description: `common.yaml` first, then the other files in alphabetical order, as one document.
//!
//! Decides what "one document" means: references between files become references within it, referenced
//! parameters, bodies and responses are put where they are used, and nothing may be defined twice.
//! References to schemas stay: they are the names of types.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

/// The file that holds what several services share; it also supplies `info` and the version of OpenAPI.
const SHARED: &str = "common.yaml";

/// HTTP methods that a path item may hold.
pub(crate) const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// The content type of files, which are streamed.
pub(crate) const BYTES: &str = "application/octet-stream";

/// Loads and merges every `*.yaml` in `dir`.
pub(crate) fn load(dir: &Path) -> Result<Value> {
    let mut merged = json!({"paths": {}, "components": {"schemas": {}}});
    for (name, document) in documents(dir)? {
        merge(&mut merged, document).with_context(|| format!("cannot merge {name}"))?;
    }
    inline_references(&mut merged)?;
    Ok(merged)
}

/// The file that each component of the description in `dir` is in, without its extension.
pub(crate) fn origins(dir: &Path) -> Result<BTreeMap<String, String>> {
    let mut origins = BTreeMap::new();
    for (name, mut document) in documents(dir)? {
        let service = name.trim_end_matches(".yaml");
        let schemas = take_object(&mut document["components"]["schemas"]);
        origins.extend(schemas.into_iter().map(|(component, _)| (component, service.to_owned())));
    }
    Ok(origins)
}

/// The files of `dir` by name, the shared one first.
fn documents(dir: &Path) -> Result<Vec<(String, Value)>> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .with_context(|| format!("cannot list {}", dir.display()))?
        .map(|entry| entry.map(|e| e.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, _>>()?;
    files.retain(|name| name.ends_with(".yaml"));
    files.sort_by_key(|name| (name != SHARED, name.clone()));
    ensure!(!files.is_empty(), "no .yaml file in {}", dir.display());
    files
        .into_iter()
        .map(|name| {
            let text = fs::read_to_string(dir.join(&name)).with_context(|| format!("cannot read {name}"))?;
            let document = serde_yaml_ng::from_str(&text).with_context(|| format!("cannot parse {name}"))?;
            Ok((name, document))
        })
        .collect()
}

/// The operations of a document: method, path, operation.
pub(crate) fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    document["paths"].as_object().into_iter().flatten().flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

fn merge(into: &mut Value, mut document: Value) -> Result<()> {
    for key in ["openapi", "info"] {
        if into.get(key).is_none() && !document[key].is_null() {
            into[key] = document[key].take();
        }
    }
    make_references_local(&mut document["components"]);
    make_references_local(&mut document["paths"]);
    for (path, mut item) in take_object(&mut document["paths"]) {
        let shared = item.as_object_mut().and_then(|item| item.shift_remove("parameters"));
        for (method, mut operation) in take_object(&mut item) {
            ensure!(METHODS.contains(&method.as_str()), "{path}: `{method}` is not an HTTP method");
            if let Some(Value::Array(shared)) = &shared {
                let own = operation["parameters"].take();
                let own = own.as_array().into_iter().flatten();
                operation["parameters"] = own.chain(shared).cloned().collect();
            }
            insert_once(&mut into["paths"][&path], &method, operation)
                .with_context(|| format!("{} {path}", method.to_uppercase()))?;
        }
    }
    for (section, mut items) in take_object(&mut document["components"]) {
        for (name, item) in take_object(&mut items) {
            insert_once(&mut into["components"][&section], &name, item)
                .with_context(|| format!("components/{section}"))?;
        }
    }
    Ok(())
}

fn take_object(value: &mut Value) -> Map<String, Value> {
    match value.take() {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn insert_once(into: &mut Value, key: &str, value: Value) -> Result<()> {
    if into.get(key).is_some() {
        bail!("`{key}` is defined twice");
    }
    into[key] = value;
    Ok(())
}

/// `common.yaml#/components/…` becomes `#/components/…`.
fn make_references_local(value: &mut Value) {
    for_each_reference(value, &mut |reference| {
        if let Some((_, local)) = reference.split_once(".yaml#") {
            *reference = format!("#{local}");
        }
    });
}

/// Calls `visit` with the text of every reference. A *property* called `$ref` holds a schema, not a text.
pub(crate) fn for_each_reference(value: &mut Value, visit: &mut impl FnMut(&mut String)) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(reference) if key == "$ref" => visit(reference),
                    value => for_each_reference(value, visit),
                }
            }
        }
        Value::Array(array) => array.iter_mut().for_each(|value| for_each_reference(value, visit)),
        _ => {}
    }
}

/// Puts referenced parameters, bodies and responses where they are used.
fn inline_references(document: &mut Value) -> Result<()> {
    let components = document["components"].clone();
    let resolve = |value: &mut Value| -> Result<()> {
        if let Some(reference) = value["$ref"].as_str() {
            let target =
                reference.strip_prefix("#/components").and_then(|pointer| components.pointer(pointer));
            *value = target.with_context(|| format!("nothing is defined at {reference}"))?.clone();
        }
        Ok(())
    };
    for (_, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            let id = operation["operationId"].to_string();
            let mut places: Vec<&mut Value> = Vec::new();
            for (key, value) in operation.as_object_mut().into_iter().flatten() {
                match (key.as_str(), value) {
                    ("requestBody", body) => places.push(body),
                    ("parameters", Value::Array(parameters)) => places.extend(parameters),
                    ("responses", Value::Object(responses)) => places.extend(responses.values_mut()),
                    _ => {}
                }
            }
            for place in places {
                resolve(place).with_context(|| format!("operation {id}"))?;
            }
        }
    }
    Ok(())
}

//! Checks the description before anything is generated.
//!
//! Decides what a description may hold: what progenitor gets wrong in silence, what it panics on, and what would
//! make an API that we don't want. Every finding names the operation or the schema, the rule, and the remedy.

mod findings;
mod operations;
mod parameters;
mod schemas;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::load::{self, for_each_reference};

use findings::{Findings, place};

/// Extensions that mean something; any other one is likely a slip.
const EXTENSIONS: [&str; 5] = ["x-open", "x-reads", "x-repeatable", "x-secret", "x-wildcard"];

/// Checks a loaded description; the error lists all findings.
pub(crate) fn lint(document: &Value) -> Result<()> {
    let mut findings = Findings::default();
    version(document, &mut findings);
    operations::check(document, &mut findings);
    schemas::check(document, &mut findings);
    for (method, path, operation) in load::operations(document) {
        let place = place(method, path, operation);
        references(document, operation, &place, &mut findings);
        extensions(operation, &place, &mut findings);
    }
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        references(document, schema, name, &mut findings);
        extensions(schema, name, &mut findings);
    }
    let lines = findings.lines();
    if lines.is_empty() {
        return Ok(());
    }
    bail!("the description breaks {} rule(s)\n{}", lines.len(), lines.join("\n"))
}

fn version(document: &Value, findings: &mut Findings) {
    let text = document["openapi"].as_str().unwrap_or_default();
    if !text.starts_with("3.0.") {
        findings.add("openapi", "version", format!("progenitor reads 3.0, not {text:?}"));
    }
    if !document["info"]["version"].as_str().is_some_and(str::is_ascii) {
        findings.add("info", "version", "`version` must be ASCII text");
    }
}

/// A reference leads nowhere, or out of the description.
fn references(document: &Value, value: &Value, place: &str, findings: &mut Findings) {
    for_each_reference(&mut value.clone(), &mut |reference| {
        let name = reference.strip_prefix("#/components/schemas/");
        if name.is_none_or(|name| document["components"]["schemas"].get(name).is_none()) {
            findings.add(place, "reference", format!("no schema at {reference:?}"));
        }
    });
}

fn extensions(value: &Value, place: &str, findings: &mut Findings) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if key.starts_with("x-") && value.is_boolean() && !EXTENSIONS.contains(&key.as_str()) {
                    findings.add(place, "extension", format!("`{key}` is none of {}", EXTENSIONS.join(", ")));
                }
                if EXTENSIONS.contains(&key.as_str()) && !value.is_boolean() && !value.is_object() {
                    findings.add(place, "extension", format!("`{key}` must be true or false, not {value}"));
                }
                extensions(value, place, findings);
            }
        }
        Value::Array(array) => array.iter().for_each(|value| extensions(value, place, findings)),
        _ => {}
    }
}

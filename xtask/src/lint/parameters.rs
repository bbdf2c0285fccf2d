//! Rules for parameters: where they stand, how they are written, what they are called.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToSnakeCase;
use serde_json::Value;

use super::findings::Findings;

pub(super) fn check(document: &Value, path: &str, operation: &Value, place: &str, findings: &mut Findings) {
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    let mut in_path = BTreeSet::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        if ["body", "content", "query", "self", "sink"].contains(&name) {
            findings.add(place, "parameter-name", format!("`{name}` is the name of an argument of ours"));
        }
        if let Some(first) = names.insert(name.to_snake_case(), name) {
            findings.add(place, "parameter-name", format!("`{name}` and `{first}` become one Rust name"));
        }
        if parameter["in"] == "path" {
            in_path.insert(name);
        }
        style(parameter, name, place, findings);
        kind(document, parameter, name, place, findings);
    }
    let placeholders: BTreeSet<&str> =
        path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect();
    if path.matches('{').count() != path.matches("/{").count() {
        findings.add(place, "path-template", "a placeholder must start its segment");
    }
    for name in placeholders.symmetric_difference(&in_path) {
        findings.add(
            place,
            "path-template",
            format!("`{name}` must stand in the path and among the parameters"),
        );
    }
}

fn style(parameter: &Value, name: &str, place: &str, findings: &mut Findings) {
    let position = parameter["in"].as_str().unwrap_or_default();
    let style = match position {
        "path" => "simple",
        "query" => "form",
        _ => {
            return findings.add(
                place,
                "parameter-in",
                format!("`{name}` must be in path or query: the transport sets headers and cookies"),
            );
        }
    };
    if parameter.get("style").is_some_and(|given| given != style)
        || parameter["explode"] == (position == "path")
    {
        findings.add(
            place,
            "parameter-style",
            format!("`{name}`: only {style} and its usual explode are sent"),
        );
    }
    if position == "path" && parameter["required"] != true {
        findings.add(
            place,
            "parameter-required",
            format!("`{name}` stands in the path: say `required: true`"),
        );
    }
    if parameter.get("x-wildcard").is_some() && position != "path" {
        findings.add(place, "parameter-style", format!("`{name}`: x-wildcard is for path parameters"));
    }
}

/// Only values that have one text can be sent; optional ones in the query may be lists of these.
fn kind(document: &Value, parameter: &Value, name: &str, place: &str, findings: &mut Findings) {
    let schema = named(document, &parameter["schema"]);
    let is_optional = parameter["in"] == "query" && parameter["required"] != true;
    let value =
        if is_optional && schema["type"] == "array" { named(document, &schema["items"]) } else { schema };
    if !matches!(value["type"].as_str(), Some("string" | "integer" | "number" | "boolean")) {
        let message = format!("`{name}` must be a string, number or boolean, or an optional list of these");
        findings.add(place, "parameter-type", message);
    }
}

fn named<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/components/schemas/")) {
        Some(name) => &document["components"]["schemas"][name],
        None => schema,
    }
}

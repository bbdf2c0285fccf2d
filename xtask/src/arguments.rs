//! What a caller by name has to know of an operation: its arguments, where each goes, and which type it has.

use serde_json::Value;

use crate::load::BYTES;

/// One argument of an operation.
#[derive(Debug)]
pub(crate) struct Argument {
    pub name: String,
    pub place: &'static str,
    pub kind: Kind,
    pub required: bool,
    pub secret: bool,
    pub description: String,
}

/// The type of an argument as far as a text can be checked against it. The names are those of the client's `Kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    Object,
    List,
    Any,
}

/// The arguments of an operation of a merged document: its parameters, then the members of its body.
pub(crate) fn of(document: &Value, operation: &Value) -> Vec<Argument> {
    let parameters = operation["parameters"].as_array().into_iter().flatten().map(|parameter| Argument {
        name: text(&parameter["name"]),
        place: match (&parameter["in"], &parameter["x-wildcard"]) {
            (place, Value::Bool(true)) if place == "path" => "PathWithSlashes",
            (place, _) if place == "path" => "Path",
            _ => "Query",
        },
        kind: kind(document, &parameter["schema"]),
        required: parameter["required"] == true,
        secret: parameter["x-secret"] == true,
        description: first_sentence(&parameter["description"]),
    });
    let body = resolved(document, &operation["requestBody"]["content"]["application/json"]["schema"]);
    let required: Vec<&str> =
        body["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let members = body["properties"].as_object().into_iter().flatten().map(|(name, schema)| Argument {
        name: name.clone(),
        place: "Body",
        kind: kind(document, schema),
        required: required.contains(&name.as_str()),
        secret: schema["x-secret"] == true,
        description: first_sentence(&schema["description"]),
    });
    let parameters: Vec<_> = parameters.collect();
    // A path parameter that the body repeats is given once.
    let members = members.filter(|member| parameters.iter().all(|parameter| parameter.name != member.name));
    let members: Vec<_> = members.collect();
    parameters.into_iter().chain(members).collect()
}

/// What a request's body is, in the words of the client's `Body`.
pub(crate) fn body(document: &Value, operation: &Value) -> &'static str {
    let content = &operation["requestBody"]["content"];
    if content.get(BYTES).is_some() {
        return "File";
    }
    let schema = resolved(document, &content["application/json"]["schema"]);
    match (schema.is_null(), schema.get("additionalProperties").is_some() || schema["type"] != "object") {
        (true, _) => "None",
        (false, true) => "Open",
        (false, false) => "Json",
    }
}

fn kind(document: &Value, schema: &Value) -> Kind {
    match resolved(document, schema)["type"].as_str() {
        Some("string") => Kind::Text,
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Boolean,
        Some("object") => Kind::Object,
        Some("array") => Kind::List,
        _ if resolved(document, schema).get("additionalProperties").is_some() => Kind::Object,
        _ => Kind::Any,
    }
}

/// The component behind a reference, alone or in an `allOf` of one.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    // A chain of references is never longer than this; a circle has no type.
    for _ in 0..8 {
        let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
        match reference.and_then(|reference| document.pointer(reference.strip_prefix('#')?)) {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

/// A description up to the end of its first sentence, on one line.
fn first_sentence(description: &Value) -> String {
    let text = description.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    match text.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => text,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_of_the_body_that_is_in_the_path_counts_once() {
        let document = json!({"components": {"schemas": {
            "Edit": {"type": "object", "required": ["id", "size"], "properties": {
                "id": {"type": "string"},
                "size": {"allOf": [{"$ref": "#/components/schemas/Size"}], "description": "How big. And more."},
            }},
            "Size": {"type": "integer"},
        }}});
        let operation = json!({
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Edit"}}}},
        });
        let arguments = of(&document, &operation);
        let shown: Vec<_> =
            arguments.iter().map(|a| (a.name.as_str(), a.place, a.kind, a.required)).collect();
        assert_eq!(shown, [("id", "Path", Kind::Text, true), ("size", "Body", Kind::Integer, true)]);
        assert_eq!(arguments[1].description, "How big.");
        assert_eq!(body(&document, &operation), "Json");
    }
}

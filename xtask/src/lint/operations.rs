//! Rules for operations: names, repeatability, bodies and responses.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    findings::{Findings, place},
    parameters,
};
use crate::load::{self, BYTES};

pub(super) fn check(document: &Value, findings: &mut Findings) {
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for (method, path, operation) in load::operations(document) {
        let place = place(method, path, operation);
        let here = format!("{} {path}", method.to_uppercase());
        operation_id(operation, &place, findings);
        if let (true, Some(first)) = (operation["operationId"].is_string(), ids.insert(place.clone(), here)) {
            findings.add(&place, "operation-id-unique", format!("{first} has this id too"));
        }
        if operation["tags"].as_array().is_none_or(|tags| tags.len() != 1) {
            findings.add(&place, "tag", "needs exactly one tag, its service");
        }
        repeatable(method, operation, &place, findings);
        reads(method, operation, &place, findings);
        responses(operation, &place, findings);
        request_body(operation, &place, findings);
        parameters::check(document, path, operation, &place, findings);
    }
}

/// The id becomes a method, a constant and the start of type names.
fn operation_id(operation: &Value, place: &str, findings: &mut Findings) {
    let id = operation["operationId"].as_str().unwrap_or_default();
    let words: Vec<&str> = id.split('_').collect();
    let is_word = |word: &&str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if words.len() < 2 || !words.iter().all(is_word) {
        findings.add(place, "operation-id", "`operationId` must be `service_verb`, in lower case");
    }
    // Methods that `Client` has of its own.
    if ["with_transport", "base_url"].contains(&id) {
        findings.add(place, "operation-id", "the client has a method of this name");
    }
}

fn repeatable(method: &str, operation: &Value, place: &str, findings: &mut Findings) {
    if matches!(method, "post" | "patch") && !operation["x-repeatable"].is_boolean() {
        let method = method.to_uppercase();
        findings.add(
            place,
            "repeatable",
            format!("{method} needs `x-repeatable`: has it the same effect when it arrives twice?"),
        );
    }
}

/// What reads can be repeated, and a GET reads without saying so.
fn reads(method: &str, operation: &Value, place: &str, findings: &mut Findings) {
    let flag = &operation["x-reads"];
    if !flag.is_null() && (*flag != true || method != "post" || operation["x-repeatable"] != true) {
        findings.add(place, "reads", "`x-reads` is true, and only for a POST with `x-repeatable: true`");
    }
}

fn responses(operation: &Value, place: &str, findings: &mut Findings) {
    let Some(responses) = operation["responses"].as_object() else {
        return findings.add(place, "success", "has no responses");
    };
    let successes: Vec<_> = responses.iter().filter(|(status, _)| status.starts_with('2')).collect();
    let [(_, success)] = successes.as_slice() else {
        let message = "needs exactly one 2xx response: several would have to be of one type";
        return findings.add(place, "success", message);
    };
    if responses.contains_key("default") {
        findings.add(place, "success", "`default` next to a success is taken for one: use 4XX and 5XX");
    }
    if let Some(content) = success["content"].as_object() {
        if content.keys().eq([BYTES]) {
            // The method writes the bytes to a sink, and needs no schema.
        } else if content.keys().ne(["application/json"]) {
            let message = "must be `application/json`, or `application/octet-stream` for a file, alone";
            findings.add(place, "response-content", message);
        } else if !content["application/json"]["schema"].is_object() {
            findings.add(place, "response-content", "needs a schema");
        }
    }
}

fn request_body(operation: &Value, place: &str, findings: &mut Findings) {
    let Some(body) = operation.get("requestBody") else { return };
    let content = body["content"].as_object();
    if content.is_some_and(|content| content.keys().eq([BYTES])) {
        // The method takes an upload, and needs no schema.
    } else if content.is_none_or(|content| content.keys().ne(["application/json"])) {
        let message = "must be `application/json`, or `application/octet-stream` for a file, alone: leave forms to \
                       the raw request";
        findings.add(place, "body-content", message);
    } else if !body["content"]["application/json"]["schema"].is_object() {
        findings.add(place, "body-content", "needs a schema");
    }
    if body["required"] != true {
        findings.add(place, "body-required", "must say `required: true`: the body is always sent");
    }
}

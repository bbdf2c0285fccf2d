//! The comparison: operations by method and path, and then their parameters, requests and answers.

mod schema;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::{
    schema::{parameters, placeholders},
    types::{Place, Types},
};
use super::{
    difference::{Difference, Sign},
    sdk::{Operation, Sdk, Type},
};
use crate::load::{self, BYTES};

/// What the comparison has found.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// Sorted by service and name.
    pub(crate) differences: Vec<Difference>,
    /// API classes of the SDK that the description has nothing of, and how many operations they have.
    pub(crate) undescribed: BTreeMap<String, usize>,
    /// How many operations both have.
    pub(crate) compared: usize,
    /// The service of each API class that is described.
    pub(crate) services: BTreeMap<String, String>,
    /// The component of each of the SDK's types that is described.
    pub(crate) components: BTreeMap<String, String>,
}

/// An operation of the description.
struct Ours<'a> {
    service: &'a str,
    id: &'a str,
    operation: &'a Value,
}

impl<'a> Ours<'a> {
    fn place(&self, what: &str, name: &str) -> Place<'a> {
        Place { service: self.service, name: format!("{what} {}.{name}", self.id) }
    }
}

/// Compares the loaded description with the SDK; `origins` names the file of each component.
pub(crate) fn compare(document: &Value, origins: &BTreeMap<String, String>, sdk: &Sdk) -> Comparison {
    let mut types = Types::new(document, origins, sdk);
    let mut by_place: BTreeMap<(String, String), Vec<&Operation>> = BTreeMap::new();
    for operation in &sdk.operations {
        by_place.entry(place(&operation.method, &operation.path)).or_default().push(operation);
    }
    let mut services: BTreeMap<&str, &str> = BTreeMap::new();
    let mut described = BTreeSet::new();
    for (method, path, operation) in load::operations(document) {
        let ours = Ours {
            service: operation["tags"][0].as_str().unwrap_or_default(),
            id: operation["operationId"].as_str().unwrap_or_default(),
            operation,
        };
        let key = place(method, path);
        let Some(counterparts) = by_place.get(&key) else {
            let name = format!("operation {} {path}", key.0);
            types.add(ours.service, Sign::Description, name, ours.id.to_owned());
            continue;
        };
        let counterparts = &namesakes(ours.id, counterparts);
        for counterpart in counterparts {
            services.entry(counterpart.class()).or_insert(ours.service);
            path_parameters(&mut types, &ours, path, counterpart);
            request(&mut types, &ours, counterpart);
            if method != "head" {
                // All that a HEAD answers is in headers.
                answer(&mut types, &ours, counterpart, sdk);
            }
        }
        query(&mut types, &ours, counterparts, sdk);
        described.insert(key);
    }
    let compared = described.len();
    let mut undescribed: BTreeMap<String, usize> = BTreeMap::new();
    for operation in &sdk.operations {
        if described.contains(&place(&operation.method, &operation.path)) {
            continue;
        }
        match services.get(operation.class()) {
            Some(service) => {
                let name = format!("operation {} {}", operation.method, operation.path);
                types.add(service, Sign::Sdk, name, operation.name.clone());
            }
            None => *undescribed.entry(operation.class().to_owned()).or_default() += 1,
        }
    }
    Comparison {
        components: types.components(),
        services: services
            .into_iter()
            .map(|(class, service)| (class.to_owned(), service.to_owned()))
            .collect(),
        differences: types.finish(),
        undescribed,
        compared,
    }
}

/// Of several operations at one place, those with our name; all, if none has it. `/postgres/{name}` gets whatever is named.
fn namesakes<'o>(id: &str, operations: &[&'o Operation]) -> Vec<&'o Operation> {
    let is_namesake = |it: &&Operation| it.name.rsplit('.').next().is_some_and(|method| id.ends_with(method));
    let found: Vec<_> = operations.iter().copied().filter(is_namesake).collect();
    if found.is_empty() { operations.to_vec() } else { found }
}

/// The method in capitals, and the path without the names of its parameters.
fn place(method: &str, path: &str) -> (String, String) {
    let mut pieces = path.split('{');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        plain += "{}";
        plain += piece.split_once('}').map_or("", |(_, rest)| rest);
    }
    (method.to_uppercase(), plain)
}

fn path_parameters<'a>(types: &mut Types<'a>, ours: &Ours<'a>, path: &str, counterpart: &Operation) {
    let parameters = parameters(ours.operation, "path");
    for (name, kind) in placeholders(path).zip(&counterpart.path_parameters) {
        if let Some(parameter) = parameters.get(name) {
            types.value(kind, &parameter["schema"], &ours.place("parameter", name));
        }
    }
}

fn query<'a>(types: &mut Types<'a>, ours: &Ours<'a>, counterparts: &[&Operation], sdk: &Sdk) {
    let parameters = parameters(ours.operation, "query");
    let mut known = BTreeSet::new();
    for (name, kind) in counterparts.iter().flat_map(|counterpart| sdk.flat_query(counterpart)) {
        let place = ours.place("parameter", &name);
        match parameters.get(name.as_str()) {
            Some(parameter) => types.value(&kind, &parameter["schema"], &place),
            None => types.add(ours.service, Sign::Sdk, place.name, kind.describe()),
        }
        known.insert(name);
    }
    for (name, parameter) in parameters {
        if !known.contains(name) && parameter["deprecated"] != true {
            let detail = format!("not in {}", counterparts[0].name);
            types.add(ours.service, Sign::Description, ours.place("parameter", name).name, detail);
        }
    }
}

fn request<'a>(types: &mut Types<'a>, ours: &Ours<'a>, counterpart: &Operation) {
    let place = Place { service: ours.service, name: format!("request {}", ours.id) };
    let content = &ours.operation["requestBody"]["content"];
    body(types, content, counterpart.request.as_ref(), &place, &counterpart.name);
}

fn answer<'a>(types: &mut Types<'a>, ours: &Ours<'a>, counterpart: &Operation, sdk: &Sdk) {
    let place = Place { service: ours.service, name: format!("answer {}", ours.id) };
    let mut responses = ours.operation["responses"].as_object().into_iter().flatten();
    let success = responses.find(|(status, _)| status.starts_with('2'));
    let content = success.map_or(&Value::Null, |(_, response)| &response["content"]);
    let headers = &counterpart.response_headers;
    let mut kind = counterpart.response.clone();
    if let (false, Some(fields)) = (headers.is_empty(), kind.as_ref().and_then(|kind| sdk.fields(kind))) {
        let mut fields = fields.clone();
        fields.retain(|field, _| !headers.contains(field));
        kind = Some(Type::Object(fields));
    }
    body(types, content, kind.as_ref(), &place, &counterpart.name);
}

fn body<'a>(types: &mut Types<'a>, content: &'a Value, kind: Option<&Type>, place: &Place, owner: &str) {
    let is_file = content.get(BYTES).is_some();
    let schema = &content["application/json"]["schema"];
    match kind {
        Some(Type::Bytes) if is_file => {}
        Some(kind) if !is_file && !schema.is_null() => types.owned_value(kind, schema, place, owner),
        Some(kind) if is_file || types.has_members(kind) => {
            let ours = if is_file { "bytes" } else { "nothing" };
            let detail = format!("{ours} here, {} in {owner}", kind.describe());
            types.add(place.service, Sign::Both, place.name.clone(), detail);
        }
        None if is_file || types.schema_has_members(schema) => {
            types.add(place.service, Sign::Description, place.name.clone(), format!("nothing in {owner}"));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;

//! A draft of operations that only the SDK has, in the form of the description. What a person has to decide or to write is
//! `TODO`, which the checks of the description refuse.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use heck::{ToPascalCase, ToSnakeCase};
use serde_json::Value;

use super::{
    compare::Comparison,
    sdk::{Definition, Operation, Sdk, Type},
};

/// The YAML for the operations of the SDK with these names, such as `jobs.JobsAPI.create`.
pub(crate) fn draft(
    document: &Value,
    origins: &BTreeMap<String, String>,
    sdk: &Sdk,
    comparison: &Comparison,
    names: &[String],
) -> Result<String> {
    let mut draft = Draft {
        document,
        origins,
        sdk,
        comparison,
        service: String::new(),
        lines: vec!["paths:".to_owned()],
        open: Vec::new(),
        made: BTreeMap::new(),
    };
    let mut by_path: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    for name in names {
        let operation = sdk.operations.iter().find(|operation| operation.name == *name).with_context(|| {
            format!("the SDK has no operation {name}; a name is module, class and method, such as jobs.JobsAPI.create")
        })?;
        by_path.entry(&operation.path).or_default().push(operation);
    }
    for (path, operations) in by_path {
        draft.add(2, format!("{path}:"));
        operations.into_iter().for_each(|operation| draft.operation(operation));
    }
    draft.components();
    Ok(draft.lines.join("\n"))
}

struct Draft<'a> {
    document: &'a Value,
    origins: &'a BTreeMap<String, String>,
    sdk: &'a Sdk,
    comparison: &'a Comparison,
    /// The service of what is being written, whose file refers to its own components without a name.
    service: String,
    lines: Vec<String>,
    /// Components to write: service, name and type.
    open: Vec<(String, String, Type)>,
    /// The components of the draft, by type.
    made: BTreeMap<String, String>,
}

impl Draft<'_> {
    fn add(&mut self, indent: usize, line: impl AsRef<str>) {
        self.lines.push(format!("{:indent$}{}", "", line.as_ref()));
    }

    fn operation(&mut self, operation: &Operation) {
        let class = operation.class();
        self.service = self.comparison.services.get(class).cloned().unwrap_or_else(|| {
            let name = class.rsplit('.').next().unwrap_or_default();
            name.trim_end_matches("API").to_snake_case()
        });
        let verb = operation.name.rsplit('.').next().unwrap_or_default();
        let id = format!("{}_{verb}", self.service);
        let method = operation.method.to_lowercase();
        self.add(4, format!("{method}:"));
        self.add(6, format!("operationId: {id}"));
        self.add(6, format!("tags: [{}]", self.service));
        if matches!(method.as_str(), "post" | "patch") {
            self.add(6, "x-repeatable: TODO");
        }
        self.add(6, "summary: TODO");
        self.add(6, "description: TODO");
        self.parameters(operation);
        if let Some(kind) = operation.request.as_ref().filter(|kind| !is_empty(kind)) {
            self.add(6, "requestBody:");
            self.add(8, "required: true");
            let content = self.content(kind, &format!("{}Request", id.to_pascal_case()));
            self.add(8, content);
        }
        self.add(6, "responses:");
        self.add(8, "'200':");
        self.add(10, "description: TODO");
        let answer = operation.response.clone().unwrap_or(Type::Object(BTreeMap::new()));
        let content = match is_empty(&answer) {
            true => json("'common.yaml#/components/schemas/EmptyResponse'"),
            false => self.content(&answer, &format!("{}Response", id.to_pascal_case())),
        };
        self.add(10, content);
        for status in ["4XX", "5XX"] {
            self.add(8, format!("{status}:"));
            self.add(10, "description: The service's error.");
            self.add(10, json("'common.yaml#/components/schemas/ApiError'"));
        }
    }

    fn parameters(&mut self, operation: &Operation) {
        let names =
            operation.path.split('{').skip(1).filter_map(|piece| piece.split_once('}')).map(|(name, _)| name);
        let in_path =
            names.zip(&operation.path_parameters).map(|(name, kind)| (name.to_owned(), "path", kind.clone()));
        let query = self.sdk.flat_query(operation);
        let in_query = query.into_iter().map(|(name, kind)| (name, "query", kind));
        let all: Vec<_> = in_path.chain(in_query).collect();
        if !all.is_empty() {
            self.add(6, "parameters:");
        }
        for (name, position, kind) in all {
            self.add(8, format!("- name: {name}"));
            self.add(10, format!("in: {position}"));
            if position == "path" {
                self.add(10, "required: true");
            }
            let schema = self.schema(&kind);
            self.add(10, format!("schema: {schema}"));
            self.add(10, "description: TODO");
        }
    }

    /// The content of a body. An object without a name gets one.
    fn content(&mut self, kind: &Type, name: &str) -> String {
        match kind {
            Type::Bytes => "content: {application/octet-stream: {}}".to_owned(),
            Type::Named(known) => json(&self.reference(known)),
            kind => {
                self.open.push((self.service.clone(), name.to_owned(), kind.clone()));
                json(&format!("'#/components/schemas/{name}'"))
            }
        }
    }

    /// A type in one line.
    fn schema(&mut self, kind: &Type) -> String {
        match kind {
            Type::String | Type::Bytes => "{type: string}".to_owned(),
            Type::Integer => "{type: integer, format: int64}".to_owned(),
            Type::Number => "{type: number, format: double}".to_owned(),
            Type::Boolean => "{type: boolean}".to_owned(),
            Type::Any | Type::Object(_) | Type::Part(_) => "{}".to_owned(),
            Type::List(items) => format!("{{type: array, items: {}}}", self.schema(items)),
            Type::Map(values) => format!("{{type: object, additionalProperties: {}}}", self.schema(values)),
            Type::Named(name) => format!("{{$ref: {}}}", self.reference(name)),
        }
    }

    /// Where the component for a type is: in the description, or in the draft.
    fn reference(&mut self, name: &str) -> String {
        if let Some(component) = self.comparison.components.get(name) {
            let file = self.origins.get(component).filter(|file| **file != self.service);
            let file = file.map(|file| format!("{file}.yaml")).unwrap_or_default();
            return format!("'{file}#/components/schemas/{component}'");
        }
        if !self.made.contains_key(name) {
            let (module, short) = name.split_once('.').unwrap_or(("", name));
            let is_taken = self.document["components"]["schemas"].get(short).is_some()
                || self.made.values().any(|component| component == short);
            let component =
                if is_taken { format!("{}{short}", module.to_pascal_case()) } else { short.to_owned() };
            self.open.push((self.service.clone(), component.clone(), Type::Named(name.to_owned())));
            self.made.insert(name.to_owned(), component);
        }
        format!("'#/components/schemas/{}'", self.made[name])
    }

    fn components(&mut self) {
        let mut written = BTreeSet::new();
        while !self.open.is_empty() {
            for (service, name, kind) in std::mem::take(&mut self.open) {
                self.service = service;
                if written.is_empty() {
                    self.lines.extend(["components:".to_owned(), "  schemas:".to_owned()]);
                }
                if written.insert(name.clone()) {
                    self.component(&name, &kind);
                }
            }
        }
    }

    fn component(&mut self, name: &str, kind: &Type) {
        let sdk = self.sdk;
        self.add(4, format!("{name}:"));
        let fields = match kind {
            Type::Object(fields) | Type::Part(fields) => fields,
            Type::Named(known) => match sdk.types.get(known) {
                Some(Definition::Object(fields)) => fields,
                Some(Definition::Enum(values)) => {
                    self.add(6, "type: string");
                    self.add(6, "description: TODO");
                    self.add(6, "enum:");
                    values.iter().for_each(|value| self.add(8, format!("- {}", quoted(value))));
                    return;
                }
                None => return self.add(6, "description: TODO"),
            },
            kind => {
                self.add(6, "description: TODO");
                return self.members(6, kind);
            }
        };
        self.add(6, "type: object");
        self.add(6, "description: TODO");
        if !fields.is_empty() {
            self.add(6, "properties:");
        }
        for (field, kind) in fields {
            self.add(8, format!("{}:", quoted(field)));
            self.members(10, kind);
            self.add(10, "description: TODO");
        }
    }

    /// What a schema says of a type, one member to a line.
    fn members(&mut self, indent: usize, kind: &Type) {
        let schema = self.schema(kind);
        if matches!(kind, Type::Named(_)) {
            return self.add(indent, format!("allOf: [{schema}]"));
        }
        let members = schema.trim_start_matches('{').strip_suffix('}').unwrap_or_default();
        members
            .splitn(2, ", ")
            .filter(|member| !member.is_empty())
            .for_each(|member| self.add(indent, member));
    }
}

fn json(reference: &str) -> String {
    format!("content: {{application/json: {{schema: {{$ref: {reference}}}}}}}")
}

/// A text in quotes, if YAML would take it for something else.
fn quoted(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
        && !["false", "n", "no", "null", "off", "on", "true", "y", "yes"]
            .contains(&text.to_lowercase().as_str());
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

/// Whether an object has no fields.
fn is_empty(kind: &Type) -> bool {
    matches!(kind, Type::Object(fields) if fields.is_empty())
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_yaml_would_read_as_another_type_is_quoted() {
        for text in ["name", "next_page_token", "v1.2-b", "NULLABLE"] {
            assert_eq!(quoted(text), text);
        }
        for (text, expected) in
            [("NULL", "'NULL'"), ("on", "'on'"), ("$ref", "'$ref'"), ("12", "'12'"), ("a'b", "'a''b'")]
        {
            assert_eq!(quoted(text), expected);
        }
    }
}

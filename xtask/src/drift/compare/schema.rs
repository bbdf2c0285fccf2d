//! How the description says things.

use std::collections::BTreeMap;

use serde_json::Value;

/// A schema with the references followed, and the name of the component that it is.
#[derive(Clone, Copy)]
pub(super) struct Schema<'a> {
    pub(super) component: Option<&'a str>,
    pub(super) value: &'a Value,
}

impl<'a> Schema<'a> {
    pub(super) fn resolve(document: &'a Value, schema: &'a Value) -> Self {
        let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
        match reference.and_then(|reference| reference.rsplit('/').next()) {
            Some(name) => {
                let target = Self::resolve(document, &document["components"]["schemas"][name]);
                Self { component: target.component.or(Some(name)), value: target.value }
            }
            None => Self { component: None, value: schema },
        }
    }

    pub(super) fn kind(self) -> &'a str {
        match self.value["type"].as_str() {
            Some(kind) => kind,
            None if self.value["properties"].is_object() => "object",
            None => "any",
        }
    }

    pub(super) fn property(self, name: &str) -> Option<&'a Value> {
        self.value["properties"].as_object()?.get(name)
    }

    /// The schema of a map's values. An object with properties isn't a map, even if it keeps unknown members.
    pub(super) fn values(self) -> Option<&'a Value> {
        if self.value["properties"].is_object() { None } else { self.value.get("additionalProperties") }
    }

    /// In words, for the report.
    pub(super) fn describe(self, document: &Value) -> String {
        let inner = |schema| Schema::resolve(document, schema).describe(document);
        match (self.component, self.kind()) {
            (Some(name), "object") => name.to_owned(),
            (Some(name), "string") if self.value["enum"].is_array() => name.to_owned(),
            (_, "array") => format!("list of {}", inner(&self.value["items"])),
            (_, "object") => {
                self.values().map_or("object".to_owned(), |values| format!("map of {}", inner(values)))
            }
            (_, kind) => kind.to_owned(),
        }
    }
}

/// The parameters of an operation that stand in `position`, by name.
pub(super) fn parameters<'a>(operation: &'a Value, position: &str) -> BTreeMap<&'a str, &'a Value> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.filter(|parameter| parameter["in"] == position)
        .filter_map(|parameter| Some((parameter["name"].as_str()?, parameter)))
        .collect()
}

/// The names of a path's parameters, in order.
pub(super) fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|piece| piece.split_once('}')).map(|(name, _)| name)
}

//! The comparison of types, from a request or an answer down.
//!
//! A component may stand for several types of the SDK, one for a list and one for a single object. So what the SDK lacks is
//! known only at the end: what none of the types has that a component was compared with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::schema::Schema;
use crate::drift::{
    difference::{Difference, Sign},
    sdk::{Definition, Sdk, Type},
};

/// Where a type stands: the service, and the name that a difference in its type has.
pub(super) struct Place<'p> {
    pub(super) service: &'p str,
    pub(super) name: String,
}

/// The types of both sides, and what was found so far.
pub(super) struct Types<'a> {
    document: &'a Value,
    origins: &'a BTreeMap<String, String>,
    sdk: &'a Sdk,
    found: BTreeMap<(Sign, String), Difference>,
    /// Pairs that were compared: the SDK's type, and the component.
    seen: BTreeSet<(&'a str, &'a str)>,
    /// What the SDK has of each component.
    counterparts: BTreeMap<&'a str, Counterparts>,
}

/// The SDK's types that a component was compared with.
#[derive(Default)]
struct Counterparts {
    types: BTreeSet<String>,
    /// Their fields, or their values.
    members: BTreeSet<String>,
    /// One of them may have more members.
    is_open: bool,
}

impl<'a> Types<'a> {
    pub(super) fn new(document: &'a Value, origins: &'a BTreeMap<String, String>, sdk: &'a Sdk) -> Self {
        Self {
            document,
            origins,
            sdk,
            found: BTreeMap::new(),
            seen: BTreeSet::new(),
            counterparts: BTreeMap::new(),
        }
    }

    /// Notes a difference, once.
    pub(super) fn add(&mut self, service: &str, sign: Sign, name: String, detail: String) {
        self.found.entry((sign, name.clone())).or_insert_with(|| Difference {
            service: service.to_owned(),
            sign,
            name,
            detail,
        });
    }

    /// Compares the type of a value.
    pub(super) fn value(&mut self, kind: &Type, schema: &'a Value, place: &Place) {
        self.owned_value(kind, schema, place, "");
    }

    /// Compares the type of a value; `owner` names it where it is an object without a name.
    pub(super) fn owned_value(&mut self, kind: &Type, schema: &'a Value, place: &Place, owner: &str) {
        let ours = Schema::resolve(self.document, schema);
        match (kind, ours.kind()) {
            (Type::List(items), "array") => self.value(items, &ours.value["items"], place),
            (Type::Map(values), "object") => match ours.values() {
                Some(schema) => self.value(values, schema, place),
                None => self.differs(ours, kind, place),
            },
            (Type::Named(name), _) => self.defined(name, ours, place, kind),
            (Type::Object(fields), "object") => self.fields(fields, false, ours, owner, place),
            (Type::Part(fields), "object") => self.fields(fields, true, ours, owner, place),
            (Type::String, "string") if ours.value["enum"].is_null() => {}
            (Type::Integer, "integer")
            | (Type::Number, "number")
            | (Type::Boolean, "boolean")
            | (Type::Any, "any") => {}
            _ => self.differs(ours, kind, place),
        }
    }

    fn defined(&mut self, name: &str, ours: Schema<'a>, place: &Place, kind: &Type) {
        let Some((name, definition)) = self.sdk.types.get_key_value(name) else {
            return self.differs(ours, kind, place);
        };
        let component = ours.component.unwrap_or_default();
        match definition {
            Definition::Object(fields)
                if ours.kind() == "object" && (ours.values().is_none() || fields.is_empty()) =>
            {
                if self.seen.insert((name, component)) {
                    self.fields(fields, false, ours, name, place);
                }
            }
            Definition::Enum(values) if ours.value["enum"].is_array() => {
                if self.seen.insert((name, component)) {
                    self.values(values, ours, name, place);
                }
            }
            _ => self.differs(ours, kind, place),
        }
    }

    fn fields(
        &mut self,
        fields: &BTreeMap<String, Type>,
        is_open: bool,
        ours: Schema<'a>,
        owner: &str,
        place: &Place,
    ) {
        let service = self.service(ours, place.service);
        let component = ours.component.unwrap_or(&place.name).to_owned();
        for (field, kind) in fields {
            let place = Place { service: &service, name: format!("field {component}.{field}") };
            match ours.property(field) {
                Some(property) => self.value(kind, property, &place),
                None => self.add(&service, Sign::Sdk, place.name, format!("{} in {owner}", kind.describe())),
            }
        }
        self.note(ours, owner, fields.keys(), is_open);
    }

    fn values(&mut self, values: &[String], ours: Schema<'a>, owner: &str, place: &Place) {
        let service = self.service(ours, place.service);
        let component = ours.component.unwrap_or(&place.name).to_owned();
        for value in values {
            if !members(ours).contains(&value.as_str()) {
                self.add(&service, Sign::Sdk, format!("value {component}.{value}"), format!("in {owner}"));
            }
        }
        self.note(ours, owner, values.iter(), false);
    }

    fn note<'m>(
        &mut self,
        ours: Schema<'a>,
        owner: &str,
        members: impl Iterator<Item = &'m String>,
        is_open: bool,
    ) {
        if let Some(component) = ours.component {
            let counterparts = self.counterparts.entry(component).or_default();
            counterparts.types.insert(owner.to_owned());
            counterparts.members.extend(members.cloned());
            counterparts.is_open |= is_open;
        }
    }

    fn differs(&mut self, ours: Schema, kind: &Type, place: &Place) {
        let detail = format!("{} here, {} in the SDK", ours.describe(self.document), kind.describe());
        self.add(place.service, Sign::Both, place.name.clone(), detail);
    }

    /// The file that a component is in; the service where it is used if it has none.
    fn service(&self, ours: Schema, service: &str) -> String {
        let origin = ours.component.and_then(|component| self.origins.get(component));
        origin.map_or(service, String::as_str).to_owned()
    }

    /// Whether there is something in it to read or to send.
    pub(super) fn has_members(&self, kind: &Type) -> bool {
        match kind {
            Type::Object(fields) | Type::Part(fields) => !fields.is_empty(),
            kind => self.sdk.fields(kind).is_none_or(|fields| !fields.is_empty()),
        }
    }

    pub(super) fn schema_has_members(&self, schema: &Value) -> bool {
        let schema = Schema::resolve(self.document, schema);
        schema.value["properties"].is_object() || schema.values().is_some() || schema.kind() == "array"
    }

    /// The component that each of the SDK's types was compared with.
    pub(super) fn components(&self) -> BTreeMap<String, String> {
        let pairs = self.seen.iter().filter(|(_, component)| !component.is_empty());
        pairs.map(|(kind, component)| ((*kind).to_owned(), (*component).to_owned())).collect()
    }

    /// All differences, what the SDK lacks included; sorted.
    pub(super) fn finish(mut self) -> Vec<Difference> {
        let schemas = &self.document["components"]["schemas"];
        for (component, counterparts) in std::mem::take(&mut self.counterparts) {
            let ours = Schema { component: Some(component), value: &schemas[component] };
            let what = if ours.value["enum"].is_array() { "value" } else { "field" };
            let types: Vec<_> = counterparts.types.into_iter().collect();
            for member in members(ours) {
                let is_deprecated =
                    ours.property(member).is_some_and(|property| property["deprecated"] == true);
                if !counterparts.members.contains(member) && !counterparts.is_open && !is_deprecated {
                    let detail = format!("not in {}", types.join(", "));
                    let service = self.service(ours, "");
                    self.add(&service, Sign::Description, format!("{what} {component}.{member}"), detail);
                }
            }
        }
        let mut differences: Vec<_> = self.found.into_values().collect();
        differences.sort();
        differences
    }
}

/// The names of the properties, or the values.
fn members(schema: Schema<'_>) -> Vec<&str> {
    let values = schema.value["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let properties =
        schema.value["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    values.chain(properties).collect()
}

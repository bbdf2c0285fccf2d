//! Structs as JSON objects: what a derive would write for each type, written once.
//!
//! The generated code names fields and members. A derive would make a visitor and a list of names for each of a
//! thousand types, which is most of a large description's compile time.
//!
//! A member that no field stands for is skipped, or kept in `extra` in the order in which it came. A member that comes
//! twice counts as it came last, as it does for `serde_json::Value` and for the SDKs. A field without a value is not
//! written. Unlike a derived struct, an object is never read from an array.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Serializer,
    de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::{Map, Value};

use crate::member::{Member, Read, Written};

/// A struct whose fields are members of an object.
pub(crate) trait Object: Default {
    /// The members without which there is no such object.
    const REQUIRED: &'static [&'static str];

    /// Reads the value of the member `name`.
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error>;

    /// Writes each field that has a value.
    fn write<S: SerializeMap>(&self, members: &mut Members<S>);
}

/// Makes a struct an object: its name, its fields with their members and a second spelling, the required members, and the field that keeps the
/// others, if there is one.
macro_rules! object {
    (
        $name:ident, [$(($field:ident, $member:literal $(| $alias:literal)?)),* $(,)?], [$($required:literal),* $(,)?]
        $(, $extra:ident)? $(,)?
    ) => {
        impl crate::object::Object for $name {
            const REQUIRED: &'static [&'static str] = &[$($required),*];

            fn read<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                members: &mut A,
            ) -> Result<(), A::Error> {
                match name {
                    $($member $(| $alias)? => crate::object::read(&mut self.$field, members),)*
                    $(_ => crate::object::keep(&mut self.$extra, name, members),)?
                    #[allow(unreachable_patterns, reason = "where there is a field for others")]
                    _ => crate::object::skip(members),
                }
            }

            fn write<S: serde::ser::SerializeMap>(&self, members: &mut crate::object::Members<S>) {
                $(members.write($member, &self.$field);)*
                $(members.write_all(&self.$extra);)?
                let _ = members;
            }
        }

        impl crate::member::Plain for $name {}

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::object::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::object::deserialize(deserializer)
            }
        }
    };
}
pub(crate) use object;

/// Makes a struct of one unnamed field look like that field.
macro_rules! transparent {
    ($name:ident) => {
        impl crate::member::Plain for $name {}

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::member::Member::write(&self.0, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::member::Member::read(deserializer).map(Self)
            }
        }
    };
}
pub(crate) use transparent;

/// Reads a member into its field.
pub(crate) fn read<'de, A: MapAccess<'de>, T: Member>(
    field: &mut T,
    members: &mut A,
) -> Result<(), A::Error> {
    *field = members.next_value_seed(Read(PhantomData))?;
    Ok(())
}

/// Keeps a member that no field stands for.
pub(crate) fn keep<'de, A: MapAccess<'de>>(
    extra: &mut Map<String, Value>,
    name: &str,
    members: &mut A,
) -> Result<(), A::Error> {
    extra.insert(name.to_owned(), members.next_value()?);
    Ok(())
}

/// Passes over a member that no field stands for.
pub(crate) fn skip<'de, A: MapAccess<'de>>(members: &mut A) -> Result<(), A::Error> {
    members.next_value::<IgnoredAny>()?;
    Ok(())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: Object>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(Fields(PhantomData))
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Object> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<T, A::Error> {
        let mut object = T::default();
        let mut missing = T::REQUIRED.to_vec();
        while let Some(Name(name)) = members.next_key()? {
            missing.retain(|required| *required != name);
            object.read(&name, &mut members)?;
        }
        match missing.first() {
            Some(name) => Err(A::Error::missing_field(name)),
            None => Ok(object),
        }
    }
}

/// A member's name, which stays where it is in the document if it can.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member's name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(name.into()))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(name.to_owned().into()))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

pub(crate) fn serialize<S: Serializer, T: Object>(object: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut members = Members { map: serializer.serialize_map(None)?, error: None };
    object.write(&mut members);
    match members.error {
        None => members.map.end(),
        Some(error) => Err(error),
    }
}

/// Takes the members of an object, and keeps the first error, so that the generated code needs no check after each.
pub(crate) struct Members<S: SerializeMap> {
    map: S,
    error: Option<S::Error>,
}

impl<S: SerializeMap> Members<S> {
    pub(crate) fn write<T: Member>(&mut self, name: &'static str, value: &T) {
        if self.error.is_none() && !value.is_absent() {
            self.error = self.map.serialize_entry(name, &Written(value)).err();
        }
    }

    pub(crate) fn write_all(&mut self, members: &Map<String, Value>) {
        for (name, value) in members {
            if self.error.is_none() {
                self.error = self.map.serialize_entry(name, value).err();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use brickwire_wire::json;
    use serde_json::{Value, json};

    use crate::toy::types::{CreateToy, History, ListToysResponse, Prices, Toy};

    fn decode<T: serde::de::DeserializeOwned>(document: &str) -> Result<T, String> {
        json::decode(document.as_bytes()).map_err(|error| format!("{error} {error:?}"))
    }

    fn toy(document: &str) -> Toy {
        decode(document).unwrap()
    }

    #[test]
    fn what_is_required_is_demanded() {
        let whole = json!({"labels": ["a"], "mood": "happy", "name": "bear", "weight": "2"});
        let read: CreateToy = decode(&whole.to_string()).unwrap();
        assert_eq!((read.weight, read.notes.as_ref()), (2, None));
        for member in ["labels", "mood", "name", "weight"] {
            let mut part = whole.clone();
            part[member] = Value::Null;
            assert!(decode::<CreateToy>(&part.to_string()).is_err(), "{member} is null");
            part.as_object_mut().unwrap().remove(member);
            let error = decode::<CreateToy>(&part.to_string()).unwrap_err();
            assert!(error.contains("missing field"), "{member}: {error}");
        }
    }

    #[test]
    fn a_member_that_comes_twice_counts_as_it_came_last() {
        let read = toy(r#"{"id": "a", "x": 1, "y": 2, "id": "b", "x": 3, "size": 1, "size": null}"#);
        assert_eq!((read.id.as_deref(), read.size), (Some("b"), None));
        assert_eq!(serde_json::to_string(&read.extra).unwrap(), r#"{"x":3,"y":2}"#);
    }

    #[test]
    fn members_that_no_field_stands_for_keep_their_order_and_digits() {
        let document = r#"{"id":"a","z":9007199254740993,"b":null,"a":{"y":[],"x":0.1},"\u00e9":"é"}"#;
        let written = serde_json::to_string(&toy(document)).unwrap();
        assert_eq!(written, document.replace(r"\u00e9", "é"));
        let read: ListToysResponse = decode(r#"{"new": [{"deep": [1]}], "toys": []}"#).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"toys":[]}"#);
    }

    #[test]
    fn what_is_no_object_is_refused_and_not_quoted() {
        for document in [r#""hush""#, "424242", "4242.42", "[424242]", r#"["hush"]"#, "true"] {
            let error = decode::<Toy>(document).unwrap_err();
            assert!(error.contains("an object"), "{error}");
            assert!(!error.contains("hush") && !error.contains("42"), "{error}");
        }
    }

    #[test]
    fn an_error_names_the_way_to_the_value() {
        for (document, place) in [
            (r#"{"toys": [{}, {"parent": {"count": "hush"}}]}"#, "at `toys[1].parent.count`"),
            (r#"{"toys": [{"cells": [["a"], [{"hush": 1}]]}]}"#, "at `toys[0].cells[1][0]`"),
            (r#"{"toys": [{"prices": {"a": 1, "b": "hush"}}]}"#, "at `toys[0].prices.b`"),
        ] {
            let error = decode::<ListToysResponse>(document).unwrap_err();
            assert!(error.contains(place) && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn numbers_are_tolerated_in_lists_and_maps_and_named_types_too() {
        let read =
            toy(r#"{"count_by_name": {"a": "9007199254740993", "b": 2.0, "c": null}, "tags": {"a": null}}"#);
        assert_eq!(
            serde_json::to_value(&read).unwrap(),
            json!({"count_by_name": {"a": 9_007_199_254_740_993_i64, "b": 2}, "tags": {}})
        );
        let prices: Prices = decode(r#"{"a": "NaN", "b": 1, "c": null, "d": "-Infinity"}"#).unwrap();
        assert!(prices["a"].is_nan());
        let written = serde_json::to_string(&prices).unwrap();
        assert_eq!(written, r#"{"a":"NaN","b":1.0,"d":"-Infinity"}"#);
        let history: History = decode(r#"["NEW", "LOST"]"#).unwrap();
        assert_eq!(serde_json::to_value(&history).unwrap(), json!(["NEW", "LOST"]));
        assert!(decode::<History>("[null]").is_err());
    }

    #[test]
    fn lists_of_objects_take_no_more_than_the_limit() {
        let elements = (64 << 20) / size_of::<Toy>();
        let list = |elements: usize| format!(r#"{{"children":[{}{{}}]}}"#, "{},".repeat(elements - 1));
        assert_eq!(toy(&list(elements)).children.unwrap().len(), elements);
        let error = decode::<Toy>(&list(elements + 1)).unwrap_err();
        assert!(error.contains("its lists and maps would take more than 64 MiB"), "{error}");
    }

    #[test]
    fn depth_has_a_limit() {
        let nested = |depth: usize| {
            format!("{}{}", r#"{"parent":"#.repeat(depth), "{}".to_owned() + &"}".repeat(depth))
        };
        let mut depth = 0;
        let mut at = &toy(&nested(100));
        while let Some(parent) = &at.parent {
            (at, depth) = (parent, depth + 1);
        }
        assert_eq!(depth, 100);
        let error = decode::<Toy>(&nested(200)).unwrap_err();
        assert!(error.contains("recursion limit exceeded"), "{error}");
    }
}

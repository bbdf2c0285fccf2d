//! All generated types that are read from answers, and what must hold for each.

use std::collections::BTreeMap;

use brickwire_wire::json;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use crate::{PLANTED, shown};

/// A type of the generated client.
pub struct Type {
    /// Its name.
    pub name: &'static str,
    known: Option<&'static [&'static str]>,
    check: fn(&Self, &[u8]),
}

/// All of them; made by the build script.
pub const ALL: &[Type] = include!(concat!(env!("OUT_DIR"), "/types.rs"));

impl Type {
    const fn new<T: DeserializeOwned + Serialize + PartialEq>(
        name: &'static str,
        known: Option<&'static [&'static str]>,
    ) -> Self {
        Self { name, known, check: Self::check_as::<T> }
    }

    /// Reads a document as this type, and checks what follows.
    pub fn check(&self, document: &[u8]) {
        (self.check)(self, document);
    }

    fn check_as<T: DeserializeOwned + Serialize + PartialEq>(&self, document: &[u8]) {
        let value: T = match json::decode(document) {
            Ok(value) => value,
            Err(error) => {
                let shown = shown(&error);
                assert!(!shown.contains(PLANTED), "{}: an error quotes a value: {shown}", self.name);
                return;
            }
        };
        let written = serde_json::to_string(&value).expect("what was read can be written");
        let again: T = json::decode(written.as_bytes()).expect("what was written can be read");
        let twice = serde_json::to_string(&again).expect("what was read can be written");
        assert_eq!(written, twice, "{}: writing what was read changes it", self.name);
        // A double that is no number equals nothing.
        #[allow(clippy::eq_op)]
        let is_comparable = value == value;
        assert!(
            !is_comparable || value == again,
            "{}: reading what was written changes it: {written}",
            self.name
        );
        if let Some(known) = self.known {
            self.check_nothing_is_lost(known, document, &written);
        }
    }

    /// The fields that the type doesn't know are written as they came.
    fn check_nothing_is_lost(&self, known: &[&str], document: &[u8], written: &str) {
        type Fields = BTreeMap<String, Box<RawValue>>;
        let (Ok(came), Ok(went)) =
            (serde_json::from_slice::<Fields>(document), serde_json::from_str::<Fields>(written))
        else {
            return;
        };
        let value = |raw: &RawValue| serde_json::from_str::<Value>(raw.get()).expect("it was read before");
        for (key, came) in came.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            let went = went.get(key).unwrap_or_else(|| panic!("{}: {key:?} is lost", self.name));
            assert_eq!(value(came), value(went), "{}: {key:?} is changed", self.name);
        }
    }
}

//! What Unity Catalog keeps of an object.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// The members that an object has in addition to its name.
pub(crate) type Document = Map<String, Value>;

/// Principals and what each may do.
pub(crate) type Privileges = BTreeMap<String, BTreeSet<String>>;

//! What Unity Catalog keeps of its objects in addition to what SQL knows: documents, versions of models, privileges.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    document::{Document, Privileges},
    names::key,
    seed,
};
use crate::{
    auth::Principal,
    call::Call,
    error::ApiError,
    tenant::{ServiceState, Tenant, USER_NAME},
};

/// The metastore of every workspace, as SQL names it, too.
pub(crate) const METASTORE: &str = "00000000-0000-0000-0000-000000000000";

/// Who owns what a workspace comes with.
pub(crate) const SYSTEM: &str = "System user";

/// How many documents a workspace keeps, how many objects with privileges, and how many principals or aliases of one.
const MOST: usize = 10_000;

/// What a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Kind {
    Catalog,
    Schema,
    Table,
    Function,
    Model,
}

/// The documents of a workspace, by what they are about and its key.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Store {
    #[serde(with = "crate::pairs")]
    documents: BTreeMap<(Kind, String), Document>,
    /// By the model's key, and the number.
    #[serde(with = "crate::pairs")]
    pub(crate) versions: BTreeMap<(String, u64), Document>,
    /// By the word for the kind, and the key.
    #[serde(with = "crate::pairs")]
    pub(crate) grants: BTreeMap<(String, String), Privileges>,
}

impl ServiceState for Mutex<Store> {
    fn fresh(tenant: &Tenant) -> Self {
        let mut store = Store::default();
        let document =
            |name: &str, owner: &str| made(owner, &uuid_of(tenant.workspace_id, name), tenant.opened_ms);
        for name in ["main", "samples", "system"] {
            let owner = if name == "main" { USER_NAME } else { SYSTEM };
            store.documents.insert((Kind::Catalog, name.to_owned()), document(name, owner));
        }
        let mut model = document(seed::MODEL, USER_NAME);
        seed::describe(&mut model);
        store.documents.insert((Kind::Model, seed::MODEL.replace('.', "\0")), model);
        for (number, version) in seed::versions() {
            let mut whole = document(&format!("{} {number}", seed::MODEL), USER_NAME);
            whole.extend(version);
            store.versions.insert((seed::MODEL.replace('.', "\0"), number), whole);
        }
        store.grants = seed::grants();
        Self::new(store)
    }
}

/// The store of the caller's workspace.
pub(crate) fn store(call: &Call) -> Arc<Mutex<Store>> {
    call.tenant.state()
}

/// Who asks.
pub(crate) fn caller(call: &Call) -> &str {
    match &call.principal {
        Principal::User => USER_NAME,
        Principal::ServicePrincipal { client_id } => client_id,
    }
}

/// What every object has.
fn made(owner: &str, id: &str, now_ms: u64) -> Document {
    let made = json!({
        "id": id, "owner": owner, "metastore_id": METASTORE,
        "created_at": now_ms, "created_by": owner, "updated_at": now_ms, "updated_by": owner,
    });
    if let Value::Object(made) = made { made } else { Map::new() }
}

/// An id of a seed, the same each time.
fn uuid_of(workspace_id: u64, name: &str) -> String {
    let sum = name.bytes().fold(workspace_id, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!(
        "{:08x}-{:04x}-4{:03x}-9{:03x}-{:012x}",
        sum >> 32,
        sum >> 16 & 0xffff,
        sum >> 8 & 0xfff,
        sum & 0xfff,
        sum & 0xffff_ffff_ffff
    )
}

impl Store {
    pub(crate) fn document(&self, kind: Kind, key: &str) -> Option<&Document> {
        self.documents.get(&(kind, key.to_owned()))
    }

    pub(crate) fn document_mut(&mut self, kind: Kind, key: &str) -> Option<&mut Document> {
        self.documents.get_mut(&(kind, key.to_owned()))
    }

    /// Whether a function or a model has this key. They share their names.
    pub(crate) fn is_taken(&self, key: &str) -> bool {
        [Kind::Function, Kind::Model].into_iter().any(|kind| self.document(kind, key).is_some())
    }

    /// The document of what SQL knows. SQL may have made it, so it is new at first sight; what is in a catalog of the
    /// system belongs to the system.
    pub(crate) fn seen(&mut self, kind: Kind, parts: &[&str], call: &Call) -> &mut Document {
        let is_system = matches!(parts[..], ["system" | "samples", ..] | [_, "information_schema"]);
        let owner = if is_system { SYSTEM } else { USER_NAME };
        let (server, now_ms) = (&call.server, call.now_ms());
        let entry = self.documents.entry((kind, key(parts)));
        entry.or_insert_with(|| made(owner, &server.uuid(), now_ms))
    }

    /// Adds the document of a new object.
    pub(crate) fn add(&mut self, kind: Kind, key: &str, more: Document, call: &Call) -> Result<(), ApiError> {
        within_bounds(self.documents.len())?;
        let mut document = made(caller(call), &call.server.uuid(), call.now_ms());
        document.extend(more);
        self.documents.insert((kind, key.to_owned()), document);
        Ok(())
    }

    /// The keys of a kind, and the documents, in a schema or in a catalog or anywhere.
    pub(crate) fn within(&self, kind: Kind, parts: &[&str]) -> Vec<(&str, &Document)> {
        let start = parts.iter().map(|part| format!("{part}\0")).collect::<String>();
        let all = self.documents.iter().filter(|((other, key), _)| *other == kind && key.starts_with(&start));
        all.map(|((_, key), document)| (key.as_str(), document)).collect()
    }

    /// Forgets the tables of a schema that are not among these: SQL has dropped them.
    pub(crate) fn keep_tables(&mut self, place: &[&str; 2], names: &[String]) {
        let start = format!("{}\0", key(place));
        let is_gone =
            |key: &str| key.strip_prefix(&start).is_some_and(|name| names.iter().all(|n| n != name));
        self.forget(|kind, key| kind == Kind::Table.word() && is_gone(key));
    }

    /// Forgets the schemas of a catalog that are not among these, with all that is in them.
    pub(crate) fn keep_schemas(&mut self, catalog: &str, names: &[String]) {
        self.forget(|_, key| {
            let mut parts = key.split('\0');
            parts.next() == Some(catalog) && parts.next().is_some_and(|name| names.iter().all(|n| n != name))
        });
    }

    /// Forgets an object and all that is in it.
    pub(crate) fn remove(&mut self, kind: Kind, key: &str) {
        let inside = format!("{key}\0");
        self.forget(|word, other| {
            (word == kind.word() && other == key) || (kind <= Kind::Schema && other.starts_with(&inside))
        });
    }

    /// Forgets what is known of objects of a kind, by its word, and with a key.
    fn forget(&mut self, is_gone: impl Fn(&str, &str) -> bool) {
        self.documents.retain(|(kind, key), _| !is_gone(kind.word(), key));
        self.versions.retain(|(model, _), _| !is_gone(Kind::Model.word(), model));
        self.grants.retain(|(kind, key), _| !is_gone(kind, key));
    }
}

impl Kind {
    /// As the path of a privilege names it. A model is a function there.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Schema => "schema",
            Self::Table => "table",
            Self::Function | Self::Model => "function",
        }
    }

    /// The error about one that isn't there.
    pub(crate) fn missing(self, full_name: &str) -> ApiError {
        let (code, what) = match self {
            Self::Catalog => ("CATALOG_DOES_NOT_EXIST", "Catalog"),
            Self::Schema => ("SCHEMA_DOES_NOT_EXIST", "Schema"),
            Self::Table => ("TABLE_DOES_NOT_EXIST", "Table"),
            Self::Function => ("FUNCTION_DOES_NOT_EXIST", "Function"),
            Self::Model => ("RESOURCE_DOES_NOT_EXIST", "Registered model"),
        };
        ApiError::new(StatusCode::NOT_FOUND, code, format!("{what} '{full_name}' does not exist."))
    }

    /// The error about a name that is taken.
    pub(crate) fn exists(self, full_name: &str) -> ApiError {
        let (code, what) = match self {
            Self::Catalog => ("CATALOG_ALREADY_EXISTS", "Catalog"),
            Self::Schema => ("SCHEMA_ALREADY_EXISTS", "Schema"),
            Self::Table => ("TABLE_ALREADY_EXISTS", "Table"),
            Self::Function => ("FUNCTION_ALREADY_EXISTS", "Function"),
            Self::Model => ("RESOURCE_ALREADY_EXISTS", "Registered model"),
        };
        ApiError::new(StatusCode::BAD_REQUEST, code, format!("{what} '{full_name}' already exists"))
    }
}

/// Fails if there are so many already that no more are kept.
pub(crate) fn within_bounds(count: usize) -> Result<(), ApiError> {
    if count < MOST {
        return Ok(());
    }
    let text = format!("The sandbox keeps at most {MOST} of these.");
    Err(ApiError::new(StatusCode::BAD_REQUEST, "QUOTA_EXCEEDED", text))
}

/// Takes the settings of a body that may be changed.
pub(crate) fn change(
    document: &mut Document,
    mut body: Document,
    names: &[&str],
    call: &Call,
) -> Result<(), ApiError> {
    if let Some(name) = body.get("new_name").and_then(Value::as_str) {
        let text = format!("The sandbox renames nothing, not even to '{name}'.");
        return Err(ApiError::new(StatusCode::NOT_IMPLEMENTED, "NOT_IMPLEMENTED", text));
    }
    document.extend(names.iter().filter_map(|name| body.remove_entry(*name)));
    document.insert("updated_at".to_owned(), json!(call.now_ms()));
    document.insert("updated_by".to_owned(), json!(caller(call)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_a_bound() {
        assert!(within_bounds(MOST - 1).is_ok());
        assert!(within_bounds(MOST).unwrap_err().message().contains("at most 10000"));
    }
}

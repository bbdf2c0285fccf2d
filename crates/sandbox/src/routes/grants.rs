//! Privileges: kept and inherited, and not enforced.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{
    catalogs::{
        document::Privileges,
        names::{self, full_name, key},
        objects, pages,
        store::{Kind, METASTORE, store, within_bounds},
    },
    users::{directory::directory, kind::Kind as DirectoryKind},
    volumes,
};
use crate::{
    call::{Answer, Call, Routes},
    error::ApiError,
    lock::lock,
};

/// What can be granted on a table, a function, a volume, a schema and a catalog; each also takes what its contents take.
const OF_TABLE: &[&str] = &["ALL_PRIVILEGES", "APPLY_TAG", "MANAGE", "MODIFY", "REFRESH", "SELECT"];
const OF_FUNCTION: &[&str] = &["ALL_PRIVILEGES", "APPLY_TAG", "EXECUTE", "MANAGE"];
const OF_VOLUME: &[&str] = &["ALL_PRIVILEGES", "APPLY_TAG", "MANAGE", "READ_VOLUME", "WRITE_VOLUME"];
const OF_SCHEMA: &[&str] = &[
    "CREATE_FUNCTION",
    "CREATE_MATERIALIZED_VIEW",
    "CREATE_MODEL",
    "CREATE_TABLE",
    "CREATE_VOLUME",
    "EXTERNAL_USE_SCHEMA",
    "USE_SCHEMA",
];
const OF_CATALOG: &[&str] = &["BROWSE", "CREATE_SCHEMA", "USE_CATALOG"];

/// Kinds of objects that this workspace has none of.
const OTHER_KINDS: [&str; 8] = [
    "clean_room",
    "connection",
    "credential",
    "external_location",
    "provider",
    "recipient",
    "share",
    "storage_credential",
];

/// The group of all users of the account. The workspace's directory doesn't have it.
const ACCOUNT_USERS: &str = "account users";

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/2.1/unity-catalog/permissions/{kind}/{full_name}", get(get_one).patch(update))
        .route("/api/2.1/unity-catalog/effective-permissions/{kind}/{full_name}", get(effective))
}

/// An object that privileges are granted on.
struct Securable {
    kind: String,
    parts: Vec<String>,
}

impl Securable {
    /// Under which its privileges are kept.
    fn place(&self) -> (String, String) {
        (self.kind.clone(), key(&self.parts))
    }

    fn takes(&self, privilege: &str) -> bool {
        let taken: &[&[&str]] = match self.kind.as_str() {
            "table" => &[OF_TABLE],
            "function" => &[OF_FUNCTION],
            "volume" => &[OF_VOLUME],
            "schema" => &[OF_SCHEMA, OF_TABLE, OF_FUNCTION, OF_VOLUME],
            "catalog" => &[OF_CATALOG, OF_SCHEMA, OF_TABLE, OF_FUNCTION, OF_VOLUME],
            _ => return true,
        };
        taken.iter().any(|some| some.contains(&privilege))
    }

    /// What it inherits from, the nearest first.
    fn above(&self) -> Vec<Securable> {
        let of = |kind: &str, parts: &[String]| Securable { kind: kind.to_owned(), parts: parts.to_vec() };
        let mut above = Vec::new();
        if self.parts.len() == 3 {
            above.push(of("schema", &self.parts[..2]));
        }
        if self.parts.len() > 1 {
            above.push(of("catalog", &self.parts[..1]));
        }
        if self.kind != "metastore" {
            above.push(of("metastore", &[METASTORE.to_owned()]));
        }
        above
    }
}

/// The object of a path, which must be there.
async fn securable(call: &Call, kind: &str, name: &str) -> Result<Securable, ApiError> {
    let kind = kind.to_lowercase();
    let parts = match kind.as_str() {
        "metastore" if name == METASTORE => vec![name.to_owned()],
        "metastore" => {
            let text = format!("Metastore '{name}' does not exist.");
            return Err(ApiError::new(StatusCode::NOT_FOUND, "METASTORE_DOES_NOT_EXIST", text));
        }
        "catalog" => {
            let [catalog] = names::parts(&kind, name)?;
            objects::check_catalog(call, &catalog)?;
            vec![catalog]
        }
        "schema" => {
            let [catalog, schema] = names::parts(&kind, name)?;
            objects::check_schema(call, &catalog, &schema)?;
            vec![catalog, schema]
        }
        "table" => {
            let parts: [String; 3] = names::parts(&kind, name)?;
            objects::table(call, &parts).await?;
            parts.into()
        }
        "function" => {
            let parts: [String; 3] = names::parts(&kind, name)?;
            let function = objects::known(call, Kind::Function, &parts);
            function.or_else(|missing| objects::known(call, Kind::Model, &parts).map_err(|_| missing))?;
            parts.into()
        }
        "volume" => {
            let parts: [String; 3] = names::parts(&kind, name)?;
            volumes::of(call).check(&full_name(&parts))?;
            parts.into()
        }
        other if OTHER_KINDS.contains(&other) => name.to_lowercase().split('.').map(str::to_owned).collect(),
        other => {
            return Err(ApiError::invalid(format!("{} is not a valid securable type", other.to_uppercase())));
        }
    };
    Ok(Securable { kind, parts })
}

/// Whether the directory has a user or a group of this name, or a service principal with this application id.
fn is_known(call: &Call, principal: &str) -> bool {
    let directory = directory(call);
    let directory = lock(&directory);
    let kinds = [DirectoryKind::Users, DirectoryKind::Groups, DirectoryKind::ServicePrincipals];
    principal == ACCOUNT_USERS || kinds.into_iter().any(|kind| directory.knows(kind, principal))
}

fn granted(call: &Call, securable: &Securable) -> Privileges {
    lock(&store(call)).grants.get(&securable.place()).cloned().unwrap_or_default()
}

/// Assignments in no order that a caller could rely on.
fn assignments(privileges: &Privileges) -> Vec<Value> {
    let all = privileges.iter().rev();
    all.map(|(principal, own)| json!({ "principal": principal, "privileges": own })).collect()
}

fn page(call: &Call, all: Vec<Value>, securable: &Securable) -> Answer {
    if call
        .query("max_results")
        .and_then(|text| text.parse().ok())
        .is_some_and(|n: u32| (1..150).contains(&n))
    {
        return Err(ApiError::invalid("max_results must be 0 or at least 150"));
    }
    let mut all = all;
    if let Some(principal) = call.query("principal").filter(|principal| !principal.is_empty()) {
        all.retain(|one| one["principal"] == principal);
    }
    let (kind, name) = securable.place();
    pages::page(call, "privilege_assignments", all, &format!("{kind} {name}"))
}

async fn get_one(Path((kind, name)): Path<(String, String)>, call: Call) -> Answer {
    let securable = securable(&call, &kind, &name).await?;
    page(&call, assignments(&granted(&call, &securable)), &securable)
}

async fn effective(Path((kind, name)): Path<(String, String)>, call: Call) -> Answer {
    let securable = securable(&call, &kind, &name).await?;
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (principal, own) in granted(&call, &securable) {
        all.entry(principal).or_default().extend(own.iter().map(|name| json!({ "privilege": name })));
    }
    for above in securable.above() {
        for (principal, inherited) in granted(&call, &above) {
            all.entry(principal).or_default().extend(inherited.iter().map(|name| {
                json!({
                    "privilege": name,
                    "inherited_from_type": above.kind.to_uppercase(),
                    "inherited_from_name": full_name(&above.parts),
                })
            }));
        }
    }
    let all = all.iter().rev();
    let all = all.map(|(principal, own)| json!({ "principal": principal, "privileges": own })).collect();
    page(&call, all, &securable)
}

/// What one change adds and removes.
struct Change {
    principal: String,
    add: BTreeSet<String>,
    remove: BTreeSet<String>,
}

fn read(call: &Call, change: &Value, securable: &Securable) -> Result<Change, ApiError> {
    let principal = change["principal"].as_str().unwrap_or_default();
    if !is_known(call, principal) {
        let text = format!("Could not find principal with name {principal}");
        return Err(ApiError::new(StatusCode::NOT_FOUND, "PRINCIPAL_DOES_NOT_EXIST", text));
    }
    let privileges = |name: &str| -> BTreeSet<String> {
        let all = change[name].as_array().into_iter().flatten();
        all.filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    let (add, remove) = (privileges("add"), privileges("remove"));
    if let Some(both) = add.intersection(&remove).next() {
        return Err(ApiError::invalid(format!(
            "Duplicate privileges to add and delete for principal {principal}: {both}"
        )));
    }
    if let Some(wrong) = add.union(&remove).find(|privilege| !securable.takes(privilege)) {
        let entity = format!("{}:{}", full_name(&securable.parts), securable.kind.to_uppercase());
        return Err(ApiError::invalid(format!(
            "Privilege {wrong} is not applicable to this entity [{entity}]."
        )));
    }
    Ok(Change { principal: principal.to_owned(), add, remove })
}

/// All changes or none.
async fn update(Path((kind, name)): Path<(String, String)>, call: Call) -> Answer {
    let securable = securable(&call, &kind, &name).await?;
    let body = call.json()?;
    let changes = body.get("changes").and_then(Value::as_array).into_iter().flatten();
    let changes = changes.map(|change| read(&call, change, &securable)).collect::<Result<Vec<_>, _>>()?;
    let store = store(&call);
    let mut store = lock(&store);
    if !store.grants.contains_key(&securable.place()) {
        within_bounds(store.grants.len())?;
    }
    let all = store.grants.entry(securable.place()).or_default();
    within_bounds(all.len() + changes.len())?;
    for Change { principal, add, remove } in changes {
        let own = all.entry(principal).or_default();
        own.retain(|privilege| !remove.contains(privilege));
        own.extend(add);
    }
    all.retain(|_, own| !own.is_empty());
    if body.get("omit_permissions_in_response") == Some(&json!(true)) || all.is_empty() {
        return Ok(Json(json!({})));
    }
    Ok(Json(json!({ "privilege_assignments": assignments(all) })))
}

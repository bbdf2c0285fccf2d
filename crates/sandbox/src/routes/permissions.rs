//! Permissions of any object: direct ones as they are set, and those that everything inherits from the admins.
//!
//! Chosen without a source that says what the service does: an object that isn't there has the permissions of a new one,
//! and an owner that a change replaces keeps nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

mod kinds;

use kinds::{Object, described};

use super::users::{directory::directory, kind::Kind};
use crate::{
    call::{Answer, Call, Routes},
    error::ApiError,
    lock::lock,
    tenant::{ServiceState, Tenant, USER_NAME},
};

const MOST_OBJECTS: usize = 10_000;
const PRINCIPALS: [&str; 3] = ["user_name", "group_name", "service_principal_name"];

pub(super) fn routes() -> Routes {
    // A type may have a slash.
    Router::new().route("/api/2.0/permissions/{*object}", get(show).put(set).patch(update))
}

/// The direct permissions of objects, by their paths: kind of principal, its name, and a level.
#[derive(Serialize, Deserialize)]
pub(super) struct Permissions(BTreeMap<String, Vec<Entry>>);

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    principal: String,
    name: String,
    level: String,
}

impl ServiceState for Mutex<Permissions> {
    fn fresh(_: &Tenant) -> Self {
        Mutex::new(Permissions(BTreeMap::new()))
    }
}

impl Permissions {
    fn of(&self, object: &Object) -> Vec<Entry> {
        let owner = || Entry {
            principal: "user_name".to_owned(),
            name: USER_NAME.to_owned(),
            level: object.kind.owner().to_owned(),
        };
        self.0.get(&object.path()).cloned().unwrap_or_else(|| vec![owner()])
    }

    fn keep(&mut self, object: &Object, entries: Vec<Entry>) -> Result<(), ApiError> {
        if self.0.len() >= MOST_OBJECTS && !self.0.contains_key(&object.path()) {
            return Err(ApiError::invalid(format!(
                "Permissions of more than {MOST_OBJECTS} objects were changed."
            )));
        }
        self.0.insert(object.path(), entries);
        Ok(())
    }
}

fn permissions(call: &Call) -> Arc<Mutex<Permissions>> {
    call.tenant.state()
}

async fn show(Path(path): Path<String>, call: Call) -> Answer {
    if let Some(path) = path.strip_suffix("/permissionLevels") {
        let object = Object::parse(path)?;
        let levels = object
            .kind
            .levels()
            .iter()
            .map(|level| json!({ "permission_level": level, "description": described(level) }));
        return Ok(Json(json!({ "permission_levels": levels.collect::<Vec<_>>() })));
    }
    let object = Object::parse(&path)?;
    let entries = lock(&permissions(&call)).of(&object);
    Ok(shown(&object, &entries))
}

async fn set(Path(path): Path<String>, call: Call) -> Answer {
    let object = Object::parse(&path)?;
    let mut entries: Vec<Entry> = Vec::new();
    for entry in read(&call, &object)? {
        entries.retain(|known| (&known.principal, &known.name) != (&entry.principal, &entry.name));
        entries.push(entry);
    }
    check_owner(&object, &entries)?;
    lock(&permissions(&call)).keep(&object, entries.clone())?;
    Ok(shown(&object, &entries))
}

async fn update(Path(path): Path<String>, call: Call) -> Answer {
    let object = Object::parse(&path)?;
    let changes = read(&call, &object)?;
    let permissions = permissions(&call);
    let mut permissions = lock(&permissions);
    let mut entries = permissions.of(&object);
    for entry in changes {
        let is_owner = entry.level == "IS_OWNER";
        entries.retain(|known| {
            (&known.principal, &known.name) != (&entry.principal, &entry.name)
                && !(is_owner && known.level == "IS_OWNER")
        });
        entries.push(entry);
    }
    check_owner(&object, &entries)?;
    permissions.keep(&object, entries.clone())?;
    Ok(shown(&object, &entries))
}

fn check_owner(object: &Object, entries: &[Entry]) -> Result<(), ApiError> {
    let owners = entries.iter().filter(|entry| entry.level == "IS_OWNER").count();
    match (object.kind.needs_owner(), owners) {
        (true, 1) | (false, 0 | 1) => Ok(()),
        _ => Err(ApiError::invalid(format!("The {} must have exactly one owner.", object.kind.singular()))),
    }
}

/// The permissions of a request.
fn read(call: &Call, object: &Object) -> Result<Vec<Entry>, ApiError> {
    let body = call.json()?;
    let list = body.get("access_control_list").and_then(Value::as_array).cloned().unwrap_or_default();
    let directory = directory(call);
    let directory = lock(&directory);
    let entry = |entry: &Value| {
        let given = PRINCIPALS
            .map(|principal| (principal, entry[principal].as_str().filter(|name| !name.is_empty())));
        let mut given = given.into_iter().filter_map(|(principal, name)| Some((principal, name?)));
        let (Some((principal, name)), None) = (given.next(), given.next()) else {
            return Err(ApiError::invalid(
                "Exactly one of user_name, group_name and service_principal_name is needed.",
            ));
        };
        let level = entry["permission_level"].as_str().unwrap_or_default();
        if !object.kind.levels().contains(&level) {
            let known = object.kind.levels().join(", ");
            return Err(ApiError::invalid(format!(
                "'{level}' is not a permission level of {}: {known}",
                object.kind.plural()
            )));
        }
        let is_known = match principal {
            "user_name" => directory.knows(Kind::Users, name),
            "group_name" => directory.knows(Kind::Groups, name),
            _ => directory.knows(Kind::ServicePrincipals, name),
        };
        match is_known {
            true => {
                let [principal, name, level] = [principal, name, level].map(str::to_owned);
                Ok(Entry { principal, name, level })
            }
            false => Err(ApiError::not_found(format!("Principal: {principal} {name} does not exist."))),
        }
    };
    list.iter().map(entry).collect()
}

fn shown(object: &Object, entries: &[Entry]) -> Json<Value> {
    let direct = entries.iter().map(|entry| {
        json!({ (&entry.principal): entry.name, "display_name": entry.name,
            "all_permissions": [{ "permission_level": entry.level, "inherited": false }] })
    });
    let mut list: Vec<Value> = direct.collect();
    let inherited = json!({ "permission_level": "CAN_MANAGE", "inherited": true,
        "inherited_from_object": [object.root()] });
    match list.iter_mut().find(|entry| entry["group_name"] == "admins") {
        Some(admins) => {
            if let Some(all) = admins["all_permissions"].as_array_mut() {
                all.push(inherited);
            }
        }
        None => list.push(json!({ "group_name": "admins", "all_permissions": [inherited] })),
    }
    Json(
        json!({ "object_id": object.path(), "object_type": object.kind.singular(), "access_control_list": list }),
    )
}

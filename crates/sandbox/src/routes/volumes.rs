//! Volumes of Unity Catalog: their metadata. Their files are folders on disk, which `files.rs` serves.
//!
//! Chosen without a source that says what the service does: the storage locations, and that volumes of a schema that SQL
//! drops stay.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::catalogs::{
    objects::{check_owned, check_schema},
    store::{METASTORE, store},
};
use crate::{
    call::{Answer, Call, Routes, done, required_text},
    error::ApiError,
    lock::lock,
    page::{page_by, sparse},
    tenant::{Kept, ServiceState, Tenant, USER_NAME},
    tree::Tree,
};

/// A volume with a few files.
pub const VOLUME: &str = "main.default.files";

/// The most volumes of a workspace.
const MOST: usize = 10_000;

/// Path below [`VOLUME`], and content.
const FILES: [(&str, &str); 3] = [
    ("readme.txt", "The files of this volume are in a folder of the sandbox.\n"),
    ("landing/trips-1.csv", "trip,fare\n1,12.50\n2,7.00\n"),
    ("landing/trips-2.csv", "trip,fare\n3,31.20\n"),
];

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/2.1/unity-catalog/volumes", get(list).post(create))
        .route("/api/2.1/unity-catalog/volumes/{name}", get(get_one).patch(update).delete(delete))
}

/// The volumes of a workspace by full name, and the folder that holds their files.
pub(crate) struct Volumes {
    known: Mutex<BTreeMap<String, Map<String, Value>>>,
    /// A volume's files are in `catalog/schema/volume`.
    pub(crate) tree: Tree,
}

impl ServiceState for Volumes {
    fn fresh(tenant: &Tenant) -> Self {
        let volumes = Self { known: Mutex::default(), tree: Tree::new(tenant.folder().join("Volumes")) };
        let [catalog, schema, name] = ["main", "default", "files"].map(str::to_owned);
        let id = format!("{:08x}-0000-4000-8000-000000000001", tenant.workspace_id & 0xffff_ffff);
        let volume = record([&catalog, &schema, &name], "MANAGED", &id, tenant.opened_ms);
        volumes.lock().insert(VOLUME.to_owned(), volume);
        for (path, content) in FILES {
            let path = format!("{catalog}/{schema}/{name}/{path}");
            if let Err(error) = volumes.tree.write(&path, content.as_bytes(), false)
                && error.kind() != ErrorKind::AlreadyExists
            {
                tracing::warn!(%error, path, "cannot write a file of the first volume");
            }
        }
        volumes
    }
}

impl Kept for Volumes {
    fn save(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&*self.lock())
    }

    fn restore(tenant: &Tenant, saved: &[u8]) -> serde_json::Result<Self> {
        let known = Mutex::new(serde_json::from_slice(saved)?);
        Ok(Self { known, tree: Tree::new(tenant.folder().join("Volumes")) })
    }
}

impl Volumes {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Map<String, Value>>> {
        lock(&self.known)
    }

    /// Fails if there is no volume of this name, in lower case.
    pub(crate) fn check(&self, full_name: &str) -> Result<(), ApiError> {
        if self.lock().contains_key(full_name) { Ok(()) } else { Err(missing(full_name)) }
    }

    /// The full names of the volumes in a catalog or a schema.
    pub(crate) fn within(&self, place: &str) -> Vec<String> {
        let start = format!("{place}.");
        self.lock().keys().filter(|name| name.starts_with(&start)).cloned().collect()
    }

    /// Forgets a volume, and deletes its files.
    pub(crate) fn remove(&self, full_name: &str) -> Result<(), ApiError> {
        self.lock().remove(full_name).ok_or_else(|| missing(full_name))?;
        match self.tree.remove_all(&full_name.replace('.', "/")) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(ApiError::internal(error.to_string())),
            _ => Ok(()),
        }
    }
}

pub(crate) fn of(call: &Call) -> Arc<Volumes> {
    call.tenant.state()
}

/// A volume as the service shows it.
fn record(names: [&str; 3], kind: &str, id: &str, now_ms: u64) -> Map<String, Value> {
    let [catalog, schema, name] = names;
    let record = json!({
        "catalog_name": catalog,
        "schema_name": schema,
        "name": name,
        "full_name": names.join("."),
        "volume_type": kind,
        "owner": USER_NAME,
        "storage_location": format!("s3://sandbox-metastore/__unitystorage/volumes/{id}"),
        "volume_id": id,
        "metastore_id": METASTORE,
        "created_at": now_ms,
        "created_by": USER_NAME,
        "updated_at": now_ms,
        "updated_by": USER_NAME,
        "securable_type": "VOLUME",
    });
    record.as_object().cloned().unwrap_or_default()
}

async fn list(call: Call) -> Answer {
    let [catalog, schema] =
        [call.required_query("catalog_name")?, call.required_query("schema_name")?].map(str::to_lowercase);
    check_schema(&call, &catalog, &schema)?;
    let start = format!("{catalog}.{schema}.");
    let all: Vec<Value> = {
        let volumes = of(&call);
        let known = volumes.lock();
        known.iter().filter(|(name, _)| name.starts_with(&start)).map(|(_, one)| one.clone().into()).collect()
    };
    let (page, next) = page_by(&sparse(call), "max_results", all, &start, 10_000)?;
    let mut answer = Map::new();
    if !page.is_empty() {
        answer.insert("volumes".to_owned(), page.into());
    }
    answer.extend(next.map(|next| ("next_page_token".to_owned(), next.into())));
    Ok(Json(answer.into()))
}

async fn create(call: Call) -> Answer {
    let body = call.json()?;
    let mut names = [String::new(), String::new(), String::new()];
    for (field, name) in ["catalog_name", "schema_name", "name"].into_iter().zip(&mut names) {
        *name = valid_name(required_text(&body, field)?)?;
    }
    let [catalog, schema, _] = &names;
    check_schema(&call, catalog, schema)?;
    check_owned(&[catalog, schema])?;
    let kind = required_text(&body, "volume_type")?;
    let location = body.get("storage_location").and_then(Value::as_str).filter(|text| !text.is_empty());
    match (kind, location) {
        ("MANAGED", None) | ("EXTERNAL", Some(_)) => {}
        ("MANAGED", Some(_)) => {
            return Err(ApiError::invalid("CreateVolume: managed volumes must not have a storage_location"));
        }
        ("EXTERNAL", None) => {
            return Err(ApiError::invalid("CreateVolume: external volumes must have a storage_location"));
        }
        _ => return Err(ApiError::invalid(format!("Invalid volume_type: {kind}"))),
    }
    let id = call.server.uuid();
    let mut volume = record(names.each_ref().map(String::as_str), kind, &id, call.now_ms());
    if let Some(location) = location {
        volume.insert("storage_location".to_owned(), json!(location.trim_end_matches('/')));
    }
    volume.extend(body.get("comment").map(|comment| ("comment".to_owned(), comment.clone())));
    let (volumes, full_name) = (of(&call), names.join("."));
    let mut known = volumes.lock();
    if known.contains_key(&full_name) {
        return Err(taken(&full_name));
    }
    if known.len() >= MOST {
        let message = format!("Cannot create more than {MOST} volumes.");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "RESOURCE_LIMIT_EXCEEDED", message));
    }
    volumes.tree.create_directories(&names.join("/")).map_err(|e| ApiError::internal(e.to_string()))?;
    known.insert(full_name, volume.clone());
    Ok(Json(volume.into()))
}

async fn get_one(call: Call, Path(name): Path<String>) -> Answer {
    let volumes = of(&call);
    let known = volumes.lock();
    let volume = known.get(&name.to_lowercase()).ok_or_else(|| missing(&name))?;
    Ok(Json(volume.clone().into()))
}

async fn update(call: Call, Path(name): Path<String>) -> Answer {
    let (body, volumes, name) = (call.json()?, of(&call), name.to_lowercase());
    let mut known = volumes.lock();
    let mut volume = known.get(&name).ok_or_else(|| missing(&name))?.clone();
    for field in ["owner", "comment"] {
        volume.extend(body.get(field).map(|value| (field.to_owned(), value.clone())));
    }
    volume.insert("updated_at".to_owned(), call.now_ms().into());
    let mut new = name.clone();
    if let Some(own) = body.get("new_name").and_then(Value::as_str) {
        let own = valid_name(own)?;
        new = name.rsplit_once('.').map_or_else(|| own.clone(), |(schema, _)| format!("{schema}.{own}"));
        if new != name {
            if known.contains_key(&new) {
                return Err(taken(&new));
            }
            let [from, to] = [&name, &new].map(|name| name.replace('.', "/"));
            volumes.tree.rename(&from, &to).map_err(|error| ApiError::internal(error.to_string()))?;
            let store = store(&call);
            let mut store = lock(&store);
            let privileges = store.grants.remove(&securable(&name));
            store.grants.extend(privileges.map(|privileges| (securable(&new), privileges)));
        }
        volume.insert("name".to_owned(), own.into());
        volume.insert("full_name".to_owned(), new.clone().into());
    }
    known.remove(&name);
    known.insert(new, volume.clone());
    Ok(Json(volume.into()))
}

async fn delete(call: Call, Path(name): Path<String>) -> Answer {
    let name = name.to_lowercase();
    of(&call).remove(&name)?;
    lock(&store(&call)).grants.remove(&securable(&name));
    done()
}

/// Where the privileges on a volume are kept.
fn securable(full_name: &str) -> (String, String) {
    ("volume".to_owned(), full_name.replace('.', "\0"))
}

/// A name as the service keeps it.
fn valid_name(name: &str) -> Result<String, ApiError> {
    if name.is_empty() || name.len() > 255 || name.contains(['.', ' ', '/', '\\', '\0']) {
        return Err(ApiError::invalid(format!(
            "Invalid input: [RPC CreateVolume] name is not valid: {name}"
        )));
    }
    Ok(name.to_lowercase())
}

fn missing(name: &str) -> ApiError {
    let message = format!("Volume '{name}' does not exist.");
    ApiError::new(StatusCode::NOT_FOUND, "VOLUME_DOES_NOT_EXIST", message)
}

fn taken(name: &str) -> ApiError {
    let message = format!("Volume '{name}' already exists");
    ApiError::new(StatusCode::BAD_REQUEST, "VOLUME_ALREADY_EXISTS", message)
}

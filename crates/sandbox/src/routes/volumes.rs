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
use futures_util::StreamExt;
use serde_json::{Map, Value, json};

use crate::{
    call::{Answer, Call, Routes, done, required_text},
    engine::{
        Query,
        encode::{Format, encode},
    },
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

    /// Whether there is a volume of this name, in lower case.
    pub(crate) fn has(&self, full_name: &str) -> bool {
        self.lock().contains_key(full_name)
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
        "metastore_id": "6b1d1f5e-4c5a-4f3e-9a53-8c2f00000001",
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
    require_schema(&call, &catalog, &schema).await?;
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
    require_schema(&call, catalog, schema).await?;
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
        }
        volume.insert("name".to_owned(), own.into());
        volume.insert("full_name".to_owned(), new.clone().into());
    }
    known.remove(&name);
    known.insert(new, volume.clone());
    Ok(Json(volume.into()))
}

async fn delete(call: Call, Path(name): Path<String>) -> Answer {
    let (volumes, name) = (of(&call), name.to_lowercase());
    volumes.lock().remove(&name).ok_or_else(|| missing(&name))?;
    match volumes.tree.remove_all(&name.replace('.', "/")) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(ApiError::internal(error.to_string())),
        _ => done(),
    }
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

/// Asks the SQL engine, which knows all schemas.
async fn require_schema(call: &Call, catalog: &str, schema: &str) -> Result<(), ApiError> {
    let missing = |code: &str, what: &str, name: &str| {
        let message = format!("{what} '{name}' does not exist.");
        Err(ApiError::new(StatusCode::NOT_FOUND, code, message))
    };
    let sql = format!("SHOW SCHEMAS IN `{}`", catalog.replace('`', "``"));
    let query = Query { sql: &sql, user: USER_NAME, ..Query::default() };
    let engine = call.tenant.engine();
    let Ok(mut answer) = engine.query(query).await else {
        return missing("CATALOG_DOES_NOT_EXIST", "Catalog", catalog);
    };
    while let Some(batch) = answer.batches.next().await {
        let rows = batch.and_then(|batch| encode(Format::JsonArray, &answer.schema, &[batch], true));
        let rows = rows.map_err(|error| ApiError::internal(error.message))?;
        let rows: Vec<[String; 1]> = serde_json::from_slice(&rows).unwrap_or_default();
        if rows.iter().any(|[name]| name == schema) {
            return Ok(());
        }
    }
    missing("SCHEMA_DOES_NOT_EXIST", "Schema", &format!("{catalog}.{schema}"))
}

fn missing(name: &str) -> ApiError {
    let message = format!("Volume '{name}' does not exist.");
    ApiError::new(StatusCode::NOT_FOUND, "VOLUME_DOES_NOT_EXIST", message)
}

fn taken(name: &str) -> ApiError {
    let message = format!("Volume '{name}' already exists");
    ApiError::new(StatusCode::BAD_REQUEST, "VOLUME_ALREADY_EXISTS", message)
}

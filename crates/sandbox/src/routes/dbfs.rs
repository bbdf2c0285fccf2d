//! DBFS: files of the whole workspace, written block by block. They are in a folder on disk.
//!
//! Chosen without a source that says what the service does: a read beyond the end is empty, a file is there from its
//! `create` on, and paths of volumes are not served here.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use crate::{
    call::{Answer, Call, Routes, done, required_text},
    clock::millis,
    error::ApiError,
    lock::lock,
    tenant::{Kept, ServiceState, Tenant},
    tree::{Entry, Tree},
};

/// The most bytes of a block and of a read.
const BLOCK: usize = 1 << 20;
/// How many bytes are read unless the request says so.
const USUAL_READ: usize = BLOCK / 2;
/// How long a handle can be idle.
const IDLE: Duration = Duration::from_secs(10 * 60);
/// The most handles at once.
const MOST_HANDLES: usize = 1000;

pub(super) fn routes() -> Routes {
    let path = |name: &str| format!("/api/2.0/dbfs/{name}");
    Router::new()
        .route(&path("list"), get(list))
        .route(&path("get-status"), get(get_status))
        .route(&path("read"), get(read))
        .route(&path("put"), post(put))
        .route(&path("create"), post(create))
        .route(&path("add-block"), post(add_block))
        .route(&path("close"), post(close))
        .route(&path("mkdirs"), post(mkdirs))
        .route(&path("delete"), post(delete))
        .route(&path("move"), post(rename))
}

/// A file that is being written.
struct Handle {
    path: String,
    used_ms: u64,
}

/// The files of a workspace that are in no volume.
pub(super) struct Dbfs {
    tree: Tree,
    handles: Mutex<HashMap<i64, Handle>>,
}

impl ServiceState for Dbfs {
    fn fresh(tenant: &Tenant) -> Self {
        let tree = Tree::new(tenant.folder().join("dbfs"));
        let seeded = tree.write("FileStore/readme.txt", b"Files of the whole workspace.\n", true);
        if let Err(error) = seeded.and_then(|()| tree.create_directories("tmp")) {
            tracing::warn!(%error, "cannot write the first files of DBFS");
        }
        Self { tree, handles: Mutex::default() }
    }
}

impl Kept for Dbfs {
    /// All is in the folder, but for the fact that the first files have been written.
    fn save(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&())
    }

    fn restore(tenant: &Tenant, saved: &[u8]) -> serde_json::Result<Self> {
        let () = serde_json::from_slice(saved)?;
        Ok(Self { tree: Tree::new(tenant.folder().join("dbfs")), handles: Mutex::default() })
    }
}

impl Dbfs {
    /// The handles that have not been idle for too long.
    fn handles(&self, now_ms: u64) -> MutexGuard<'_, HashMap<i64, Handle>> {
        let mut handles = lock(&self.handles);
        handles.retain(|_, handle| now_ms.saturating_sub(handle.used_ms) < millis(IDLE));
        handles
    }

    /// The file of a handle, whose idle time begins anew.
    fn open(&self, call: &Call, id: i64) -> Result<String, ApiError> {
        let now_ms = call.now_ms();
        let mut handles = self.handles(now_ms);
        let missing = || ApiError::not_found(format!("No open stream found for handle {id}"));
        let handle = handles.get_mut(&id).ok_or_else(missing)?;
        handle.used_ms = now_ms;
        Ok(handle.path.clone())
    }
}

fn of(call: &Call) -> Arc<Dbfs> {
    call.tenant.state()
}

/// Where a path of DBFS is on this machine.
pub(super) fn file(call: &Call, path: &str) -> io::Result<PathBuf> {
    of(call).tree.path(path)
}

/// A path below the root, without slashes around it.
fn plain(path: &str) -> Result<&str, ApiError> {
    match path.strip_prefix("dbfs:").unwrap_or(path).strip_prefix('/') {
        Some(rest) => Ok(rest.trim_matches('/')),
        None => Err(ApiError::invalid(format!("Path must be absolute: {path}"))),
    }
}

/// The answer to an error of the disk.
fn failed(path: &str, error: &io::Error) -> ApiError {
    let refused = |code: &str, message: String| ApiError::new(StatusCode::BAD_REQUEST, code, message);
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::PermissionDenied => {
            ApiError::not_found(format!("No file or directory exists on path /{path}."))
        }
        ErrorKind::AlreadyExists => refused(
            "RESOURCE_ALREADY_EXISTS",
            format!("A file or directory already exists at the input path /{path}."),
        ),
        ErrorKind::DirectoryNotEmpty => refused("IO_ERROR", format!("The directory /{path} is not empty.")),
        ErrorKind::IsADirectory => ApiError::invalid(format!("Cannot use a directory as a file: /{path}")),
        ErrorKind::NotADirectory => ApiError::invalid(format!("A parent of the path is a file: /{path}")),
        ErrorKind::InvalidInput | ErrorKind::InvalidFilename => {
            ApiError::invalid(format!("Invalid path: /{path}"))
        }
        _ => ApiError::internal(format!("{error}: /{path}")),
    }
}

fn shown(path: &str, entry: &Entry) -> Value {
    json!({
        "path": format!("/{path}"),
        "is_dir": entry.is_directory,
        "file_size": entry.size,
        "modification_time": entry.modified_ms,
    })
}

async fn list(call: Call) -> Answer {
    let (dbfs, path) = (of(&call), plain(call.required_query("path")?)?);
    let entry = dbfs.tree.entry(path).map_err(|error| failed(path, &error))?;
    if !entry.is_directory {
        return Ok(Json(json!({ "files": [shown(path, &entry)] })));
    }
    let entries = dbfs.tree.entries(path).map_err(|error| failed(path, &error))?;
    let below = |entry: &Entry| shown(format!("{path}/{}", entry.name).trim_start_matches('/'), entry);
    let files: Vec<Value> = entries.iter().map(below).collect();
    Ok(Json(if files.is_empty() { json!({}) } else { json!({ "files": files }) }))
}

async fn get_status(call: Call) -> Answer {
    let (dbfs, path) = (of(&call), plain(call.required_query("path")?)?);
    let entry = dbfs.tree.entry(path).map_err(|error| failed(path, &error))?;
    Ok(Json(shown(path, &entry)))
}

async fn read(call: Call) -> Answer {
    let (dbfs, path) = (of(&call), plain(call.required_query("path")?)?);
    let number = |name: &str, usual: u64| match call.query(name) {
        None | Some("") => Ok(usual),
        Some(text) => {
            text.parse::<u64>().map_err(|_| ApiError::invalid(format!("{name} is not valid: {text}")))
        }
    };
    let (offset, length) = (number("offset", 0)?, number("length", USUAL_READ as u64)?);
    if length > BLOCK as u64 {
        let message = format!("The read size {length} exceeds the maximum of {BLOCK} bytes.");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "MAX_READ_SIZE_EXCEEDED", message));
    }
    let part = || -> io::Result<Vec<u8>> {
        if dbfs.tree.entry(path)?.is_directory {
            return Err(ErrorKind::IsADirectory.into());
        }
        let mut file = File::open(dbfs.tree.path(path)?)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut part = Vec::new();
        file.take(length).read_to_end(&mut part)?;
        Ok(part)
    };
    let part = part().map_err(|error| failed(path, &error))?;
    Ok(Json(json!({ "bytes_read": part.len(), "data": BASE64_STANDARD.encode(part) })))
}

/// The bytes of a field, which is in base64.
fn block(body: &Map<String, Value>, name: &str) -> Result<Vec<u8>, ApiError> {
    let text = body.get(name).and_then(Value::as_str).unwrap_or_default();
    let bytes = BASE64_STANDARD.decode(text);
    let bytes = bytes.map_err(|_| ApiError::invalid(format!("The field {name} is not base64.")))?;
    if bytes.len() > BLOCK {
        let message = format!("The block of {} bytes exceeds the maximum of {BLOCK} bytes.", bytes.len());
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "MAX_BLOCK_SIZE_EXCEEDED", message));
    }
    Ok(bytes)
}

fn write(call: &Call, body: &Map<String, Value>, content: &[u8]) -> Result<String, ApiError> {
    let path = plain(required_text(body, "path")?)?;
    let overwrite = body.get("overwrite").and_then(Value::as_bool).unwrap_or_default();
    let written = of(call).tree.write(path, content, overwrite);
    written.map_err(|error| failed(path, &error))?;
    Ok(path.to_owned())
}

async fn put(call: Call) -> Answer {
    let body = call.json()?;
    write(&call, &body, &block(&body, "contents")?)?;
    done()
}

async fn create(call: Call) -> Answer {
    let body = call.json()?;
    let dbfs = of(&call);
    if dbfs.handles(call.now_ms()).len() >= MOST_HANDLES {
        let message = format!("More than {MOST_HANDLES} files are open.");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "RESOURCE_LIMIT_EXCEEDED", message));
    }
    let path = write(&call, &body, b"")?;
    // Beyond what a double holds.
    let random = i64::from_str_radix(&call.server.hex(10), 16).unwrap_or_default();
    let id = 9_007_199_254_740_993 + random * 2;
    lock(&dbfs.handles).insert(id, Handle { path, used_ms: call.now_ms() });
    Ok(Json(json!({ "handle": id })))
}

fn handle(body: &Map<String, Value>) -> Result<i64, ApiError> {
    let missing = || ApiError::invalid("Missing required field: handle");
    body.get("handle").and_then(Value::as_i64).ok_or_else(missing)
}

async fn add_block(call: Call) -> Answer {
    let body = call.json()?;
    let (dbfs, block) = (of(&call), block(&body, "data")?);
    let path = dbfs.open(&call, handle(&body)?)?;
    let file = dbfs.tree.path(&path).and_then(|file| OpenOptions::new().append(true).open(file));
    file.and_then(|mut file| file.write_all(&block)).map_err(|error| failed(&path, &error))?;
    done()
}

async fn close(call: Call) -> Answer {
    let id = handle(&call.json()?)?;
    let dbfs = of(&call);
    dbfs.open(&call, id)?;
    lock(&dbfs.handles).remove(&id);
    done()
}

async fn mkdirs(call: Call) -> Answer {
    let body = call.json()?;
    let path = plain(required_text(&body, "path")?)?;
    of(&call).tree.create_directories(path).map_err(|error| failed(path, &error))?;
    done()
}

async fn delete(call: Call) -> Answer {
    let body = call.json()?;
    let (tree, path) = (&of(&call).tree, plain(required_text(&body, "path")?)?);
    if path.is_empty() {
        return Err(ApiError::invalid("The root cannot be deleted."));
    }
    let recursive = body.get("recursive").and_then(Value::as_bool).unwrap_or_default();
    let deleted = tree.entry(path).and_then(|entry| match (entry.is_directory, recursive) {
        (false, _) => tree.remove_file(path),
        (true, false) => tree.remove_directory(path),
        (true, true) => tree.remove_all(path),
    });
    deleted.map_err(|error| failed(path, &error))?;
    done()
}

async fn rename(call: Call) -> Answer {
    let body = call.json()?;
    let [from, to] = ["source_path", "destination_path"].map(|name| required_text(&body, name));
    let (from, to) = (plain(from?)?, plain(to?)?);
    let moved = of(&call).tree.rename(from, to);
    moved
        .map_err(|error| failed(if error.kind() == ErrorKind::AlreadyExists { to } else { from }, &error))?;
    done()
}

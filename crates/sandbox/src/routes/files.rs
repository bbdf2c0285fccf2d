//! Files and directories in volumes. Bodies are streamed to and from the disk.
//!
//! Chosen without a source that says what the service does: missing parents of an upload are created, a directory in the
//! way of a file (and the reverse) is 409, what is above a volume can't be listed, and the times are those of this machine
//! rather than of the sandbox's clock.

use std::io::{self, ErrorKind, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value, json};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use super::{
    dbfs::{self, Dbfs},
    volumes::{self, Volumes},
};
use crate::{
    call::{Answer, Call, Routes},
    clock::http_date,
    error::ApiError,
    page::{page, sparse},
    storage::part,
    tenant::Tenant,
    tree::Entry,
};

/// The paths whose bodies the pipeline doesn't read into memory.
pub(crate) const STREAMED: &str = "/api/2.0/fs/files/";

/// The largest file: 5 GiB.
const LARGEST: u64 = 5 << 30;
/// The most bytes of a file that is read as text.
const LARGEST_TEXT: u64 = 10 << 20;
/// How much of a file is in memory, in bytes.
const PIECE: usize = 128 << 10;
/// The most entries of a page.
const MOST: usize = 1000;

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/2.0/fs/files/{*path}", get(download).put(upload).delete(delete))
        .route("/api/2.0/fs/directories/{*path}", put(create_directory).get(list).delete(delete_directory))
}

/// The folder of the workspace's files, with those of a fresh workspace in it.
pub(crate) fn folder(tenant: &Tenant) -> PathBuf {
    tenant.state::<Volumes>();
    tenant.state::<Dbfs>();
    tenant.folder()
}

/// The text of a file in a volume or in DBFS; `None` for a path of the workspace.
pub(crate) fn text(call: &Call, path: &str) -> Option<Result<String, String>> {
    let plain = path.strip_prefix("dbfs:").unwrap_or(path);
    let missing = || format!("The file {path} does not exist.");
    let file = if plain.starts_with("/Volumes/") {
        let place = Place::find(call, plain).map_err(|error| error.message().to_owned());
        place.and_then(|place| place.volumes.tree.path(&place.path).map_err(|_| missing()))
    } else if plain.len() < path.len() {
        dbfs::file(call, plain).map_err(|_| missing())
    } else {
        return None;
    };
    let read = |file: PathBuf| {
        let known = file.symlink_metadata().ok().filter(std::fs::Metadata::is_file).ok_or_else(missing)?;
        if known.len() > LARGEST_TEXT {
            return Err(format!("{path} is larger than {} MiB.", LARGEST_TEXT >> 20));
        }
        let content = std::fs::read(file).map_err(|error| format!("{error}: {path}"))?;
        String::from_utf8(content).map_err(|_| format!("{path} is not text."))
    };
    Some(file.and_then(read))
}

/// A path in a volume.
struct Place {
    volumes: Arc<Volumes>,
    /// As the caller wrote it.
    shown: String,
    /// Below the folder of all volumes.
    path: String,
    /// Whether it is the root of a volume.
    is_root: bool,
}

impl Place {
    fn find(call: &Call, path: &str) -> Result<Self, ApiError> {
        let shown = format!("/{}", path.trim_matches('/'));
        let parts: Vec<_> = shown.split('/').skip(1).collect();
        if parts.iter().any(|part| part.is_empty() || matches!(*part, "." | "..")) {
            return Err(ApiError::invalid(format!("Invalid path: {shown}")));
        }
        let ["Volumes", catalog, schema, volume, rest @ ..] = &parts[..] else {
            return Err(ApiError::invalid(format!("The path is not in a volume: {shown}")));
        };
        let [catalog, schema, volume] = [catalog, schema, volume].map(|name| name.to_lowercase());
        let volumes = volumes::of(call);
        let full_name = format!("{catalog}.{schema}.{volume}");
        if volumes.check(&full_name).is_err() {
            return Err(not_found(format!("Volume '{full_name}' does not exist.")));
        }
        let path = [&[catalog.as_str(), &schema, &volume][..], rest].concat().join("/");
        let is_root = rest.is_empty();
        Ok(Self { volumes, shown, path, is_root })
    }

    /// The answer to an error of the disk.
    fn failed(&self, error: &io::Error) -> ApiError {
        let shown = &self.shown;
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::PermissionDenied => not_found(format!("Not found: {shown}")),
            ErrorKind::AlreadyExists | ErrorKind::IsADirectory | ErrorKind::NotADirectory => {
                ApiError::new(StatusCode::CONFLICT, "ABORTED", format!("Already exists: {shown}"))
            }
            ErrorKind::DirectoryNotEmpty => {
                let code = "FILES_API_DIRECTORY_IS_NOT_EMPTY";
                ApiError::new(StatusCode::BAD_REQUEST, code, format!("The directory is not empty: {shown}"))
            }
            ErrorKind::InvalidInput | ErrorKind::InvalidFilename => {
                ApiError::invalid(format!("Invalid path: {shown}"))
            }
            _ => ApiError::internal(format!("{error}: {shown}")),
        }
    }

    /// Opens a file. The entry describes the open file: an upload may replace the one at the path at any time.
    async fn open(&self) -> Result<(File, Entry), ApiError> {
        let opened = async {
            let file = File::open(self.volumes.tree.path(&self.path)?).await?;
            let entry = Entry::new(self.shown.clone(), &file.metadata().await?);
            io::Result::Ok((file, entry))
        };
        opened.await.map_err(|error| self.failed(&error))
    }

    fn entry(&self, is_directory: bool) -> Result<Entry, ApiError> {
        let entry = self.volumes.tree.entry(&self.path).map_err(|error| self.failed(&error))?;
        match entry.is_directory == is_directory {
            true => Ok(entry),
            false => Err(not_found(format!("Not found: {}", self.shown))),
        }
    }
}

fn not_found(message: String) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
}

async fn upload(call: Call, Path(path): Path<String>, body: Body) -> Result<StatusCode, ApiError> {
    let place = Place::find(&call, &path)?;
    let overwrite = call.query("overwrite") == Some("true");
    if place.is_root || (!overwrite && place.volumes.tree.entry(&place.path).is_ok()) {
        return Err(place.failed(&ErrorKind::AlreadyExists.into()));
    }
    let failed = |error: io::Error| place.failed(&error);
    let (file, part) = place.volumes.tree.new_file().map_err(failed)?.into_parts();
    let (mut file, mut body, mut length) = (File::from_std(file), body.into_data_stream(), 0);
    while let Some(bytes) = body.next().await {
        // Never read: the connection is gone.
        let bytes = bytes.map_err(|error| ApiError::invalid(format!("The upload was cut off: {error}")))?;
        length += bytes.len() as u64;
        if length > LARGEST {
            let message = "The file is larger than 5 GiB.";
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "INVALID_PARAMETER_VALUE", message));
        }
        file.write_all(&bytes).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    place.volumes.tree.keep(part, &place.path, overwrite).map_err(failed)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn download(
    call: Call,
    Path(path): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let place = Place::find(&call, &path)?;
    // Some systems can't open a directory.
    place.entry(false)?;
    let (file, entry) = place.open().await?;
    let date = http_date(entry.modified_ms);
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // Dates have whole seconds.
    let since = text(header::IF_UNMODIFIED_SINCE).and_then(|date| httpdate::parse_http_date(date).ok());
    if since.is_some_and(|since| httpdate::parse_http_date(&date).is_ok_and(|date| date > since)) {
        let message = format!("The file was modified: {}", place.shown);
        return Err(ApiError::new(StatusCode::PRECONDITION_FAILED, "FAILED_PRECONDITION", message));
    }
    let range = text(header::RANGE).and_then(|range| range.strip_prefix("bytes="));
    let (status, from, to) = match range.map(|range| part(range, entry.size)) {
        None => (StatusCode::OK, 0, entry.size),
        Some(Some((from, to))) => (StatusCode::PARTIAL_CONTENT, from, to),
        Some(None) => {
            let all = format!("bytes */{}", entry.size);
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, all)]).into_response());
        }
    };
    let body = match method {
        Method::HEAD => Body::empty(),
        _ => read(file, from, to - from).await.map_err(|error| place.failed(&error))?,
    };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(to - from));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.extend(date.parse().ok().map(|date| (header::LAST_MODIFIED, date)));
    if status == StatusCode::PARTIAL_CONTENT {
        let shown = format!("bytes {from}-{}/{}", to - 1, entry.size);
        headers.extend(shown.parse().ok().map(|range| (header::CONTENT_RANGE, range)));
    }
    Ok(response)
}

/// A part of a file, read as it is sent.
async fn read(mut file: File, from: u64, length: u64) -> io::Result<Body> {
    file.seek(SeekFrom::Start(from)).await?;
    let pieces = stream::try_unfold(file.take(length), |mut file| async move {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        io::Result::Ok((read > 0).then(|| (Bytes::from(piece), file)))
    });
    Ok(Body::from_stream(pieces))
}

async fn delete(call: Call, Path(path): Path<String>) -> Result<StatusCode, ApiError> {
    let place = Place::find(&call, &path)?;
    place.entry(false)?;
    place.volumes.tree.remove_file(&place.path).map_err(|error| place.failed(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn create_directory(call: Call, Path(path): Path<String>) -> Result<StatusCode, ApiError> {
    let place = Place::find(&call, &path)?;
    place.volumes.tree.create_directories(&place.path).map_err(|error| place.failed(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_directory(call: Call, Path(path): Path<String>) -> Result<StatusCode, ApiError> {
    let place = Place::find(&call, &path)?;
    place.entry(true)?;
    if place.is_root {
        return Err(ApiError::invalid(format!("The root of a volume cannot be deleted: {}", place.shown)));
    }
    place.volumes.tree.remove_directory(&place.path).map_err(|error| place.failed(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// GET lists, and HEAD, which has no body, says whether there is such a directory.
async fn list(call: Call, Path(path): Path<String>) -> Answer {
    let place = Place::find(&call, &path)?;
    place.entry(true)?;
    let entries = place.volumes.tree.entries(&place.path).map_err(|error| place.failed(&error))?;
    let entries = entries.into_iter().map(|entry| shown(&place.shown, &entry)).collect();
    let (page, next) = page(&sparse(call), entries, &place.path, MOST)?;
    let mut answer = Map::new();
    if !page.is_empty() {
        answer.insert("contents".to_owned(), page.into());
    }
    answer.extend(next.map(|next| ("next_page_token".to_owned(), next.into())));
    Ok(Json(answer.into()))
}

/// An entry as the service shows it, without zeros and falsehoods.
fn shown(directory: &str, entry: &Entry) -> Value {
    let mut shown = json!({
        "path": format!("{directory}/{}", entry.name),
        "name": entry.name,
        "last_modified": entry.modified_ms,
    });
    if entry.is_directory {
        shown["is_directory"] = true.into();
    } else if entry.size > 0 {
        shown["file_size"] = entry.size.into();
    }
    shown
}

//! Workspace objects: notebooks, files, folders, and the Git folders among them, in memory.
//!
//! Chosen without a source that says what the service does: paths are answered without `/Workspace`, folders have no
//! times, names are told apart by case, a notebook in the place of a file is `INVALID_PARAMETER_VALUE`, and so is the
//! deletion of a folder that every workspace has. Archives (DBC, zip) and R Markdown are refused.

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

mod import;
pub(super) mod notebook;
pub(crate) mod object;
mod seed;
pub(super) mod tree;

use object::{Kind, Object};
use tree::{LARGEST, Objects, normal};

use crate::{
    call::{Answer, Call, Routes, done, required_text},
    error::ApiError,
};

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/2.0/workspace/import", post(import::import).layer(DefaultBodyLimit::disable()))
        .route("/api/2.0/workspace/export", get(export))
        .route("/api/2.0/workspace/list", get(list))
        .route("/api/2.0/workspace/get-status", get(get_status))
        .route("/api/2.0/workspace/mkdirs", post(mkdirs))
        .route("/api/2.0/workspace/delete", post(delete))
}

async fn list(call: Call) -> Answer {
    let path = normal(call.required_query("path")?)?;
    let after = call.query("notebooks_modified_after").and_then(|text| text.parse::<u64>().ok());
    let objects = call.tenant.state::<Objects>();
    let known = objects.lock();
    let listed: Vec<Value> = match known.get(&path)?.kind {
        Kind::Directory | Kind::Repo => known
            .children(&path)
            .filter(|(_, object)| {
                after.is_none_or(|after| object.kind == Kind::Notebook && object.modified_ms > after)
            })
            .map(|(path, object)| object.to_json(path))
            .collect(),
        _ => vec![known.get(&path)?.to_json(&path)],
    };
    // What is empty is left out.
    Ok(Json(if listed.is_empty() { json!({}) } else { json!({ "objects": listed }) }))
}

async fn get_status(call: Call) -> Answer {
    let path = normal(call.required_query("path")?)?;
    Ok(Json(call.tenant.state::<Objects>().lock().get(&path)?.to_json(&path)))
}

async fn mkdirs(call: Call) -> Answer {
    let body = call.json()?;
    let path = normal(required_text(&body, "path")?)?;
    call.tenant.state::<Objects>().lock().mkdirs(&path, &call.server)?;
    done()
}

async fn delete(call: Call) -> Answer {
    let body = call.json()?;
    let path = normal(required_text(&body, "path")?)?;
    let recursive = body.get("recursive").and_then(Value::as_bool).unwrap_or(false);
    call.tenant.state::<Objects>().lock().delete(&path, recursive)?;
    done()
}

async fn export(call: Call) -> Result<Response, ApiError> {
    let path = normal(call.required_query("path")?)?;
    let format = call.query("format").filter(|format| !format.is_empty()).unwrap_or("SOURCE").to_owned();
    let (content, extension) = {
        let objects = call.tenant.state::<Objects>();
        let known = objects.lock();
        exported(known.get(&path)?, &path, &format)?
    };
    if content.len() > LARGEST {
        return Err(tree::too_large());
    }
    if call.query("direct_download") == Some("true") {
        let disposition = HeaderValue::from_static("attachment");
        let head = [(header::CONTENT_DISPOSITION, disposition)];
        return Ok((head, content).into_response());
    }
    let answer = json!({ "content": STANDARD.encode(content), "file_type": extension });
    Ok(Json(answer).into_response())
}

/// The content of an object in a format, and the extension that fits it.
fn exported(object: &Object, path: &str, format: &str) -> Result<(Vec<u8>, String), ApiError> {
    let unsupported =
        || ApiError::invalid(format!("{format} is not supported by the sandbox for the export of {path}"));
    match (object.kind, format) {
        (Kind::Notebook, "SOURCE" | "AUTO") => {
            Ok((object.content.to_vec(), notebook::extension(object.language()).to_owned()))
        }
        (Kind::Notebook, "JUPYTER") => {
            let document = notebook::to_jupyter(&object.text(), object.language());
            Ok((document.to_string().into_bytes(), "ipynb".to_owned()))
        }
        (Kind::Notebook, "HTML") => {
            let source = object.text().replace('&', "&amp;").replace('<', "&lt;");
            let page = format!("<!DOCTYPE html>\n<html><body><pre>{source}</pre></body></html>\n");
            Ok((page.into_bytes(), "html".to_owned()))
        }
        (Kind::File, "SOURCE" | "AUTO" | "RAW") => {
            let name = path.rsplit('/').next().unwrap_or_default();
            let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
            Ok((object.content.to_vec(), extension.to_owned()))
        }
        _ => Err(unsupported()),
    }
}

//! Imports: as JSON or as a form, and what becomes of each format.

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use super::{
    notebook,
    object::{Kind, Object},
    tree::{LARGEST, Objects, normal, too_large},
};
use crate::{
    call::{Answer, Call, done, required_text},
    error::ApiError,
};

/// What is imported.
#[derive(Default)]
struct Import {
    path: String,
    content: Vec<u8>,
    format: String,
    language: String,
    overwrite: bool,
}

pub(super) async fn import(call: Call, request: Request) -> Answer {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|text| text.to_str().ok());
    let import = match content_type.is_some_and(|text| text.starts_with("multipart/form-data")) {
        true => from_form(request).await?,
        false => from_json(&call)?,
    };
    if import.content.len() > LARGEST {
        return Err(too_large());
    }
    let mut path = normal(&import.path)?;
    let (now_ms, id) = (call.now_ms(), call.server.new_id());
    let object = match made(&import)? {
        Made::File(content) => Object { kind: Kind::File, content, ..Object::folder(id, now_ms) },
        Made::Notebook { language, source, has_extension } => {
            if has_extension {
                path.truncate(path.rfind('.').unwrap_or(path.len()));
            }
            let (language, content) = (Some(language), Bytes::from(source));
            Object { kind: Kind::Notebook, language, content, ..Object::folder(id, now_ms) }
        }
    };
    call.tenant.state::<Objects>().lock().put(&path, object, import.overwrite)?;
    done()
}

fn from_json(call: &Call) -> Result<Import, ApiError> {
    let body = call.json()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let content = STANDARD.decode(text("content"));
    Ok(Import {
        path: required_text(&body, "path")?.to_owned(),
        content: content.map_err(|_| ApiError::invalid("content is not base64"))?,
        format: text("format").to_owned(),
        language: text("language").to_owned(),
        overwrite: body.get("overwrite").and_then(Value::as_bool).unwrap_or(false),
    })
}

async fn from_form(request: Request) -> Result<Import, ApiError> {
    let malformed =
        |error: &dyn std::fmt::Display| ApiError::invalid(format!("The form cannot be read: {error}"));
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| malformed(&error))?;
    let mut import = Import::default();
    while let Some(field) = form.next_field().await.map_err(|error| malformed(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        let value = field.bytes().await.map_err(|error| malformed(&error))?;
        let text = || String::from_utf8_lossy(&value).into_owned();
        match name.as_str() {
            "path" => import.path = text(),
            "content" => import.content = value.to_vec(),
            "format" => import.format = text(),
            "language" => import.language = text(),
            "overwrite" => import.overwrite = text() == "true",
            _ => {}
        }
    }
    Ok(import)
}

/// What an import becomes.
enum Made {
    File(Bytes),
    Notebook {
        language: String,
        source: String,
        /// Whether the path has an extension that the notebook has not.
        has_extension: bool,
    },
}

fn made(import: &Import) -> Result<Made, ApiError> {
    let name = import.path.rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let text = || {
        let content = String::from_utf8(import.content.clone());
        content.map_err(|_| ApiError::invalid("The content of a notebook is not UTF-8"))
    };
    let jupyter = |has_extension| {
        let (language, source) = notebook::from_jupyter(&import.content)
            .ok_or_else(|| ApiError::invalid("The content is not a Jupyter notebook"))?;
        Ok(Made::Notebook { language, source, has_extension })
    };
    match import.format.as_str() {
        "RAW" => Ok(Made::File(import.content.clone().into())),
        "AUTO" => match notebook::language_of(extension) {
            Some(language) if text().is_ok_and(|text| notebook::is_source(&text, language)) => {
                Ok(Made::Notebook { language: language.to_owned(), source: text()?, has_extension: true })
            }
            None if extension == "ipynb" && notebook::from_jupyter(&import.content).is_some() => {
                jupyter(true)
            }
            _ => Ok(Made::File(import.content.clone().into())),
        },
        "JUPYTER" => jupyter(false),
        "" | "SOURCE" => {
            let language = import.language.as_str();
            if language.is_empty() && import.content.starts_with(b"PK\x03\x04") {
                return Err(ApiError::invalid("Archives are not supported by the sandbox"));
            }
            if !["PYTHON", "SQL", "SCALA", "R"].contains(&language) {
                return Err(ApiError::invalid(format!(
                    "language must be PYTHON, SQL, SCALA or R to import SOURCE, got {language:?}"
                )));
            }
            let source = notebook::with_header(&text()?, language);
            Ok(Made::Notebook { language: language.to_owned(), source, has_extension: false })
        }
        "DBC" | "HTML" | "R_MARKDOWN" => {
            Err(ApiError::invalid(format!("{} is not supported by the sandbox", import.format)))
        }
        other => Err(ApiError::invalid(format!("Unknown format: {other}"))),
    }
}

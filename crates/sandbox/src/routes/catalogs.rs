//! Catalogs: those of the SQL engine, and `system`.
//!
//! What is here and in the other services of Unity Catalog is shown and changed, not enforced: privileges, row filters and
//! masks don't keep SQL from anything.
//!
//! Chosen without a source that says what the service does: the type and the owner of `samples` and `system`, that a table
//! which SQL has made is as old as its first listing, and the texts of errors. Nothing can be renamed.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

pub(super) mod contents;
pub(super) mod document;
pub(super) mod names;
pub(super) mod objects;
pub(super) mod pages;
pub(crate) mod seed;
pub(super) mod store;

use document::Document;
use objects::{INFORMATION_SCHEMA, SYSTEM_CATALOG, check_catalog, check_owned, refused, schemas};
use store::{Kind, change, store};

use crate::{
    call::{Answer, Call, Routes, done, required_text},
    error::ApiError,
    lock::lock,
};

/// What a catalog takes from a body.
const SETTINGS: [&str; 8] = [
    "comment",
    "custom_max_retention_hours",
    "enable_predictive_optimization",
    "isolation_mode",
    "options",
    "owner",
    "properties",
    "storage_root",
];

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/2.1/unity-catalog/catalogs", get(list).post(create))
        .route("/api/2.1/unity-catalog/catalogs/{name}", get(get_one).patch(update).delete(delete))
}

fn shown(call: &Call, name: &str) -> Value {
    let store = store(call);
    let mut store = lock(&store);
    let kind = if matches!(name, SYSTEM_CATALOG | "samples") { "SYSTEM_CATALOG" } else { "MANAGED_CATALOG" };
    let mut shown = json!({
        "name": name,
        "full_name": name,
        "catalog_type": kind,
        "isolation_mode": "OPEN",
        "enable_predictive_optimization": "INHERIT",
        "securable_type": "CATALOG",
        "securable_kind": "CATALOG_STANDARD",
    });
    if let Value::Object(shown) = &mut shown {
        shown.extend(store.seen(Kind::Catalog, &[name], call).clone());
        if let Some(root) = shown.get("storage_root").and_then(Value::as_str) {
            let location = format!("{}/__unitystorage/catalogs/{name}", root.trim_end_matches('/'));
            shown.insert("storage_location".to_owned(), json!(location));
        }
    }
    shown
}

async fn list(call: Call) -> Answer {
    let all = objects::catalogs(&call).iter().map(|name| shown(&call, name)).collect();
    pages::page(&call, "catalogs", all, "")
}

async fn get_one(Path(name): Path<String>, call: Call) -> Answer {
    let [name] = names::parts("catalog", &name)?;
    check_catalog(&call, &name)?;
    Ok(Json(shown(&call, &name)))
}

async fn create(call: Call) -> Answer {
    let mut body = call.json()?;
    let name = names::new("catalog", required_text(&body, "name")?)?;
    for (what, code) in
        [("connection_name", "CONNECTION"), ("provider_name", "PROVIDER"), ("share_name", "SHARE")]
    {
        if let Some(other) = body.get(what).and_then(Value::as_str) {
            let text = format!("{what} '{other}' does not exist.");
            let code = format!("{code}_DOES_NOT_EXIST");
            return Err(ApiError::new(StatusCode::NOT_FOUND, &code, text));
        }
    }
    if objects::catalogs(&call).contains(&name) {
        return Err(Kind::Catalog.exists(&name));
    }
    let settings: Document = SETTINGS.iter().filter_map(|name| body.remove_entry(*name)).collect();
    call.tenant.engine().metadata().create_catalog(&name).map_err(|error| refused(&error))?;
    lock(&store(&call)).add(Kind::Catalog, &name, settings, &call)?;
    Ok(Json(shown(&call, &name)))
}

async fn update(Path(name): Path<String>, call: Call) -> Answer {
    let [name] = names::parts("catalog", &name)?;
    check_catalog(&call, &name)?;
    check_owned(&[&name])?;
    {
        let store = store(&call);
        let mut store = lock(&store);
        change(store.seen(Kind::Catalog, &[&name], &call), call.json()?, &SETTINGS, &call)?;
    }
    Ok(Json(shown(&call, &name)))
}

async fn delete(Path(name): Path<String>, call: Call) -> Answer {
    let [name] = names::parts("catalog", &name)?;
    let inside = schemas(&call, &name)?;
    check_owned(&[&name])?;
    if call.query("force") != Some("true") {
        let mut is_empty = inside.iter().all(|name| matches!(name.as_str(), "default" | INFORMATION_SCHEMA));
        for schema in &inside {
            is_empty &= contents::is_empty(&call, &name, schema).await?;
        }
        if !is_empty {
            let text = format!("Catalog '{name}' is not empty. Delete what is in it, or set force to true.");
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "CATALOG_NOT_EMPTY", text));
        }
    }
    call.tenant.engine().metadata().drop_catalog(&name).map_err(|error| refused(&error))?;
    contents::forget(&call, Kind::Catalog, &[&name])?;
    done()
}

//! Schemas: those of the SQL engine, and `information_schema` in every catalog.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::catalogs::{
    contents,
    document::Document,
    names::{self, full_name, key},
    objects::{self, check_catalog, check_owned, check_schema, refused},
    pages,
    store::{Kind, change, store},
};
use crate::{
    call::{Answer, Call, Routes, done, required_text},
    error::ApiError,
    lock::lock,
};

/// What a schema takes from a body.
const SETTINGS: [&str; 6] = [
    "comment",
    "custom_max_retention_hours",
    "enable_predictive_optimization",
    "owner",
    "properties",
    "storage_root",
];

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/2.1/unity-catalog/schemas", get(list).post(create))
        .route("/api/2.1/unity-catalog/schemas/{full_name}", get(get_one).patch(update).delete(delete))
}

fn shown(call: &Call, catalog: &str, name: &str) -> Value {
    let store = store(call);
    let mut store = lock(&store);
    let kind = if matches!(catalog, "system" | "samples") { "SYSTEM_CATALOG" } else { "MANAGED_CATALOG" };
    let mut shown = json!({
        "name": name,
        "catalog_name": catalog,
        "full_name": full_name(&[catalog, name]),
        "catalog_type": kind,
        "enable_predictive_optimization": "INHERIT",
        "securable_type": "SCHEMA",
        "securable_kind": "SCHEMA_STANDARD",
    });
    if let Value::Object(shown) = &mut shown {
        shown.extend(store.seen(Kind::Schema, &[catalog, name], call).clone());
        if let Some(id) = shown.remove("id") {
            shown.insert("schema_id".to_owned(), id);
        }
    }
    shown
}

async fn list(call: Call) -> Answer {
    let [catalog] = names::parts("catalog", call.required_query("catalog_name")?)?;
    let all = objects::schemas(&call, &catalog)?.iter().map(|name| shown(&call, &catalog, name)).collect();
    pages::page(&call, "schemas", all, &catalog)
}

async fn get_one(Path(name): Path<String>, call: Call) -> Answer {
    let [catalog, name] = names::parts("schema", &name)?;
    check_schema(&call, &catalog, &name)?;
    Ok(Json(shown(&call, &catalog, &name)))
}

async fn create(call: Call) -> Answer {
    let mut body = call.json()?;
    let name = names::new("schema", required_text(&body, "name")?)?;
    let [catalog] = names::parts("catalog", required_text(&body, "catalog_name")?)?;
    check_catalog(&call, &catalog)?;
    check_owned(&[&catalog, &name])?;
    if check_schema(&call, &catalog, &name).is_ok() {
        return Err(Kind::Schema.exists(&full_name(&[&catalog, &name])));
    }
    let settings: Document = SETTINGS.iter().filter_map(|name| body.remove_entry(*name)).collect();
    call.tenant.engine().metadata().create_schema(&catalog, &name).map_err(|error| refused(&error))?;
    lock(&store(&call)).add(Kind::Schema, &key(&[&catalog, &name]), settings, &call)?;
    Ok(Json(shown(&call, &catalog, &name)))
}

async fn update(Path(name): Path<String>, call: Call) -> Answer {
    let [catalog, name] = names::parts("schema", &name)?;
    check_schema(&call, &catalog, &name)?;
    check_owned(&[&catalog, &name])?;
    {
        let store = store(&call);
        let mut store = lock(&store);
        change(store.seen(Kind::Schema, &[&catalog, &name], &call), call.json()?, &SETTINGS, &call)?;
    }
    Ok(Json(shown(&call, &catalog, &name)))
}

async fn delete(Path(name): Path<String>, call: Call) -> Answer {
    let [catalog, name] = names::parts("schema", &name)?;
    check_schema(&call, &catalog, &name)?;
    check_owned(&[&catalog, &name])?;
    if call.query("force") != Some("true") && !contents::is_empty(&call, &catalog, &name).await? {
        let text =
            format!("Schema '{catalog}.{name}' is not empty. Delete what is in it, or set force to true.");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "SCHEMA_NOT_EMPTY", text));
    }
    call.tenant.engine().metadata().drop_schema(&catalog, &name).map_err(|error| refused(&error))?;
    contents::forget(&call, Kind::Schema, &[&catalog, &name])?;
    done()
}

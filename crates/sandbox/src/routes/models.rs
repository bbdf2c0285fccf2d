//! Models registered in Unity Catalog, their aliases and versions. As in the service, versions can't be made here.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::catalogs::{
    document::Document,
    names::{self, full_name, key},
    objects::{self, check_owned, check_schema},
    pages,
    store::{Kind, Store, change, store, within_bounds},
};
use crate::{
    call::{Answer, Call, Routes, done, required_text},
    error::ApiError,
    lock::lock,
};

pub(super) fn routes() -> Routes {
    let model = "/api/2.1/unity-catalog/models/{full_name}";
    let path = |rest: &str| format!("{model}{rest}");
    Router::new()
        .route("/api/2.1/unity-catalog/models", get(list).post(create))
        .route(model, get(get_one).patch(update).delete(delete))
        .route(&path("/aliases/{alias}"), put(set_alias).get(version_by_alias).delete(delete_alias))
        .route(&path("/versions"), get(versions))
        .route(&path("/versions/{version}"), get(version).patch(update_version).delete(delete_version))
}

/// The key of a path's model.
fn known(call: &Call, name: &str) -> Result<String, ApiError> {
    objects::known(call, Kind::Model, &names::parts("registered model", name)?)
}

fn has_aliases(call: &Call) -> bool {
    call.query("include_aliases") == Some("true")
}

fn aliases(model: &Document) -> Vec<Value> {
    model.get("aliases").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The parts of a key under their names.
fn named(key: &str, last: &str) -> Document {
    let names = ["catalog_name", "schema_name", last];
    names.iter().zip(key.split('\0')).map(|(name, part)| ((*name).to_owned(), json!(part))).collect()
}

fn shown(key: &str, model: &Document, has_aliases: bool) -> Value {
    let mut shown = model.clone();
    shown.extend(named(key, "name"));
    let parts: Vec<&str> = key.split('\0').collect();
    shown.insert("full_name".to_owned(), json!(full_name(&parts)));
    shown.insert("securable_type".to_owned(), json!("FUNCTION"));
    let id = shown.remove("id").unwrap_or_default();
    shown.entry("storage_location").or_insert_with(|| {
        json!(format!("s3://sandbox-metastore/models/{}", id.as_str().unwrap_or_default()))
    });
    shown.remove("aliases");
    let all: Vec<Value> = aliases(model)
        .into_iter()
        .map(|mut alias| {
            if let Value::Object(alias) = &mut alias {
                alias.extend(named(key, "model_name"));
            }
            alias
        })
        .collect();
    if has_aliases && !all.is_empty() {
        shown.insert("aliases".to_owned(), json!(all));
    }
    Value::Object(shown)
}

/// A version as the service shows it.
fn shown_version(store: &Store, key: &str, version: &Document, has_aliases: bool) -> Value {
    let mut shown = version.clone();
    shown.extend(named(key, "model_name"));
    shown.remove("owner");
    let number = version.get("version");
    let model = store.document(Kind::Model, key);
    let own = model.into_iter().flat_map(aliases).filter(|alias| alias.get("version_num") == number);
    let own: Vec<Value> = own.collect();
    if has_aliases && !own.is_empty() {
        shown.insert("aliases".to_owned(), json!(own));
    }
    Value::Object(shown)
}

async fn list(call: Call) -> Answer {
    let given = |name: &str| call.query(name).filter(|text| !text.is_empty());
    let place = match (given("catalog_name"), given("schema_name")) {
        (None, None) => Vec::new(),
        (Some(catalog), Some(schema)) => vec![catalog.to_lowercase(), schema.to_lowercase()],
        _ => return Err(ApiError::invalid("catalog_name and schema_name must be given together")),
    };
    if let [catalog, schema] = &place[..] {
        check_schema(&call, catalog, schema)?;
    }
    // What SQL has dropped is gone from here, too.
    objects::catalogs(&call).iter().try_for_each(|name| objects::check_catalog(&call, name))?;
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let all: Vec<Value> = {
        let store = store(&call);
        let store = lock(&store);
        store.within(Kind::Model, &place).into_iter().map(|(key, model)| shown(key, model, false)).collect()
    };
    pages::page(&call, "registered_models", all, &place.join("."))
}

async fn create(call: Call) -> Answer {
    let mut body = call.json()?;
    let part = |name: &str| required_text(&body, name).map(str::to_lowercase);
    let parts = [part("catalog_name")?, part("schema_name")?, names::new("model", &part("name")?)?];
    check_schema(&call, &parts[0], &parts[1])?;
    check_owned(&[&parts[0], &parts[1]])?;
    let store = store(&call);
    let mut store = lock(&store);
    let key = key(&parts);
    if store.is_taken(&key) {
        return Err(Kind::Model.exists(&full_name(&parts)));
    }
    let settings =
        ["comment", "storage_location"].iter().filter_map(|name| body.remove_entry(*name)).collect();
    store.add(Kind::Model, &key, settings, &call)?;
    let made = store.document(Kind::Model, &key).map(|model| shown(&key, model, false));
    Ok(Json(made.unwrap_or_default()))
}

async fn get_one(Path(name): Path<String>, call: Call) -> Answer {
    let key = known(&call, &name)?;
    let store = store(&call);
    let store = lock(&store);
    let found = store.document(Kind::Model, &key).map(|model| shown(&key, model, has_aliases(&call)));
    Ok(Json(found.unwrap_or_default()))
}

async fn update(Path(name): Path<String>, call: Call) -> Answer {
    let key = known(&call, &name)?;
    let store = store(&call);
    let mut store = lock(&store);
    let Some(model) = store.document_mut(Kind::Model, &key) else { return done() };
    change(model, call.json()?, &["comment", "owner"], &call)?;
    Ok(Json(shown(&key, model, false)))
}

async fn delete(Path(name): Path<String>, call: Call) -> Answer {
    let key = known(&call, &name)?;
    let store = store(&call);
    let mut store = lock(&store);
    store.remove(Kind::Model, &key);
    done()
}

async fn set_alias(Path((name, alias)): Path<(String, String)>, call: Call) -> Answer {
    let number = call.json()?.get("version_num").and_then(Value::as_u64);
    let number = number.ok_or_else(|| ApiError::invalid("Missing required field: version_num"))?;
    let key = known(&call, &name)?;
    let store = store(&call);
    let mut store = lock(&store);
    found(&store, &key, number)?;
    let Some(model) = store.document_mut(Kind::Model, &key) else { return done() };
    let mut all = aliases(model);
    all.retain(|other| other["alias_name"] != alias);
    within_bounds(all.len())?;
    let mut new = json!({ "alias_name": alias, "version_num": number });
    all.push(new.clone());
    model.insert("aliases".to_owned(), json!(all));
    if let Value::Object(new) = &mut new {
        new.extend(named(&key, "model_name"));
    }
    Ok(Json(new))
}

async fn delete_alias(Path((name, alias)): Path<(String, String)>, call: Call) -> Answer {
    let key = known(&call, &name)?;
    let store = store(&call);
    let mut store = lock(&store);
    let Some(model) = store.document_mut(Kind::Model, &key) else { return done() };
    let mut all = aliases(model);
    let before = all.len();
    all.retain(|other| other["alias_name"] != alias);
    if all.len() == before {
        return Err(no_alias(&alias));
    }
    model.insert("aliases".to_owned(), json!(all));
    done()
}

async fn version_by_alias(Path((name, alias)): Path<(String, String)>, call: Call) -> Answer {
    let key = known(&call, &name)?;
    let store = store(&call);
    let store = lock(&store);
    let all = store.document(Kind::Model, &key).map(aliases).unwrap_or_default();
    let number =
        all.iter().find(|other| other["alias_name"] == alias).and_then(|other| other["version_num"].as_u64());
    let number = number.ok_or_else(|| no_alias(&alias))?;
    Ok(Json(shown_version(&store, &key, found(&store, &key, number)?, has_aliases(&call))))
}

async fn versions(Path(name): Path<String>, call: Call) -> Answer {
    let key = known(&call, &name)?;
    let all = {
        let store = store(&call);
        let store = lock(&store);
        let own = store.versions.iter().rev().filter(|((model, _), _)| *model == key);
        own.map(|(_, version)| shown_version(&store, &key, version, false)).collect()
    };
    pages::page(&call, "model_versions", all, &key)
}

async fn version(Path((name, number)): Path<(String, String)>, call: Call) -> Answer {
    let number = numbered(&number)?;
    let key = known(&call, &name)?;
    let store = store(&call);
    let store = lock(&store);
    Ok(Json(shown_version(&store, &key, found(&store, &key, number)?, has_aliases(&call))))
}

async fn update_version(Path((name, number)): Path<(String, String)>, call: Call) -> Answer {
    let number = numbered(&number)?;
    let key = known(&call, &name)?;
    let store = store(&call);
    let mut store = lock(&store);
    found(&store, &key, number)?;
    if let Some(version) = store.versions.get_mut(&(key.clone(), number)) {
        change(version, call.json()?, &["comment"], &call)?;
    }
    Ok(Json(shown_version(&store, &key, found(&store, &key, number)?, false)))
}

async fn delete_version(Path((name, number)): Path<(String, String)>, call: Call) -> Answer {
    let number = numbered(&number)?;
    let key = known(&call, &name)?;
    let store = store(&call);
    let mut store = lock(&store);
    found(&store, &key, number)?;
    store.versions.remove(&(key.clone(), number));
    if let Some(model) = store.document_mut(Kind::Model, &key) {
        let mut all = aliases(model);
        all.retain(|alias| alias["version_num"] != number);
        model.insert("aliases".to_owned(), json!(all));
    }
    done()
}

fn numbered(text: &str) -> Result<u64, ApiError> {
    text.parse().map_err(|_| ApiError::invalid(format!("Invalid model version: '{text}'")))
}

fn found<'a>(store: &'a Store, key: &str, number: u64) -> Result<&'a Document, ApiError> {
    store.versions.get(&(key.to_owned(), number)).ok_or_else(|| {
        let text = format!("Model version '{number}' of '{}' does not exist.", key.replace('\0', "."));
        ApiError::new(StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST", text)
    })
}

fn no_alias(alias: &str) -> ApiError {
    ApiError::not_found(format!("Alias '{alias}' does not exist."))
}

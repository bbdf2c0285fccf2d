//! Functions that users write. The SQL engine has none of its own, so what is made here can be shown, not called.

use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::catalogs::{
    document::Document,
    names::{self, full_name, key},
    objects::{check_owned, check_schema, known},
    pages,
    store::{Kind, store},
};
use crate::{
    call::{Answer, Call, Routes, done, required_text},
    error::ApiError,
    lock::lock,
};

/// What every new function must have.
const REQUIRED: [&str; 10] = [
    "data_type",
    "full_data_type",
    "input_params",
    "is_deterministic",
    "is_null_call",
    "parameter_style",
    "routine_body",
    "routine_definition",
    "security_type",
    "sql_data_access",
];

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/2.1/unity-catalog/functions", get(list).post(create))
        .route("/api/2.1/unity-catalog/functions/{name}", get(get_one).delete(delete))
}

fn shown(key: &str, document: &Document) -> Value {
    let parts: Vec<&str> = key.split('\0').collect();
    let mut shown = document.clone();
    if let Some(id) = shown.remove("id") {
        shown.insert("function_id".to_owned(), id);
    }
    shown.insert("full_name".to_owned(), json!(full_name(&parts)));
    shown.insert("securable_type".to_owned(), json!("FUNCTION"));
    for (member, part) in ["catalog_name", "schema_name", "name"].iter().zip(parts) {
        shown.insert((*member).to_owned(), json!(part));
    }
    Value::Object(shown)
}

async fn list(call: Call) -> Answer {
    let [catalog] = names::parts("catalog", call.required_query("catalog_name")?)?;
    let [schema] = names::parts("schema", call.required_query("schema_name")?)?;
    check_schema(&call, &catalog, &schema)?;
    let all: Vec<Value> = {
        let store = store(&call);
        let store = lock(&store);
        let found = store.within(Kind::Function, &[&catalog, &schema]);
        found.into_iter().map(|(key, document)| shown(key, document)).collect()
    };
    pages::page(&call, "functions", all, &format!("{catalog} {schema}"))
}

async fn get_one(Path(name): Path<String>, call: Call) -> Answer {
    let parts: [String; 3] = names::parts("function", &name)?;
    let key = known(&call, Kind::Function, &parts)?;
    let found = lock(&store(&call)).document(Kind::Function, &key).map(|document| shown(&key, document));
    Ok(Json(found.unwrap_or_default()))
}

async fn create(call: Call) -> Answer {
    let body = match call.json()?.remove("function_info") {
        Some(Value::Object(info)) => info,
        _ => return Err(ApiError::invalid("Missing required field: function_info")),
    };
    let part = |name: &str| required_text(&body, name).map(str::to_lowercase);
    let parts = [part("catalog_name")?, part("schema_name")?, names::new("function", &part("name")?)?];
    if let Some(missing) = REQUIRED.iter().find(|name| body.get(**name).is_none_or(Value::is_null)) {
        return Err(ApiError::invalid(format!("Missing required field: {missing}")));
    }
    check_schema(&call, &parts[0], &parts[1])?;
    check_owned(&[&parts[0], &parts[1]])?;
    let store = store(&call);
    let mut store = lock(&store);
    let key = key(&parts);
    if store.is_taken(&key) {
        return Err(Kind::Function.exists(&full_name(&parts)));
    }
    let unknown =
        |name: &&String| !["owner", "created_at", "created_by", "function_id"].contains(&name.as_str());
    let settings: Map<String, Value> = body
        .iter()
        .filter(|(name, _)| unknown(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    store.add(Kind::Function, &key, settings, &call)?;
    let made = store.document(Kind::Function, &key).map(|document| shown(&key, document));
    Ok(Json(made.unwrap_or_default()))
}

async fn delete(Path(name): Path<String>, call: Call) -> Answer {
    let parts: [String; 3] = names::parts("function", &name)?;
    let key = known(&call, Kind::Function, &parts)?;
    lock(&store(&call)).remove(Kind::Function, &key);
    done()
}

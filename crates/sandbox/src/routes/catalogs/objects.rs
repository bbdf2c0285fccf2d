//! Which catalogs, schemas and tables there are: those of the SQL engine, and those that only the catalog has.

use axum::http::StatusCode;

use super::{
    names::{full_name, key},
    store::{Kind, store},
};
use crate::{
    call::Call,
    engine::{EngineError, Table},
    error::ApiError,
    lock::lock,
};

/// The catalog of the service's own tables. SQL doesn't have it.
pub(crate) const SYSTEM_CATALOG: &str = "system";

/// A schema that every catalog has. SQL doesn't have it either.
pub(crate) const INFORMATION_SCHEMA: &str = "information_schema";

pub(crate) fn catalogs(call: &Call) -> Vec<String> {
    let mut names = call.tenant.engine().metadata().catalogs();
    names.push(SYSTEM_CATALOG.to_owned());
    names.sort();
    names
}

/// Fails if there is no such catalog.
pub(crate) fn check_catalog(call: &Call, catalog: &str) -> Result<(), ApiError> {
    schemas(call, catalog).map(drop)
}

pub(crate) fn schemas(call: &Call, catalog: &str) -> Result<Vec<String>, ApiError> {
    let (engine, store) = (call.tenant.engine(), store(call));
    // Before the names are read, so that what is created after that keeps its document.
    let mut store = lock(&store);
    let found = match catalog {
        SYSTEM_CATALOG => Some(Vec::new()),
        _ => engine.metadata().schemas(catalog),
    };
    let mut names = found.ok_or_else(|| Kind::Catalog.missing(catalog))?;
    names.push(INFORMATION_SCHEMA.to_owned());
    names.sort();
    store.keep_schemas(catalog, &names);
    Ok(names)
}

/// Fails if there is no such schema.
pub(crate) fn check_schema(call: &Call, catalog: &str, schema: &str) -> Result<(), ApiError> {
    match schemas(call, catalog)?.iter().any(|name| name == schema) {
        true => Ok(()),
        false => Err(Kind::Schema.missing(&full_name(&[catalog, schema]))),
    }
}

/// The tables of a schema.
pub(crate) async fn tables(call: &Call, catalog: &str, schema: &str) -> Result<Vec<Table>, ApiError> {
    check_schema(call, catalog, schema)?;
    let engine = call.tenant.engine();
    let tables = engine.metadata().tables(catalog, schema).await.unwrap_or_default();
    let store = store(call);
    let mut store = lock(&store);
    // Once more: a table that was created since has a document if another request has shown it.
    let names = engine.metadata().table_names(catalog, schema).unwrap_or_default();
    store.keep_tables(&[catalog, schema], &names);
    Ok(tables)
}

pub(crate) async fn table(call: &Call, parts: &[String; 3]) -> Result<Table, ApiError> {
    let [catalog, schema, name] = parts;
    let found = tables(call, catalog, schema).await?.into_iter().find(|table| table.name == *name);
    found.ok_or_else(|| Kind::Table.missing(&full_name(parts)))
}

/// The key of a function or a model, which must be there.
pub(crate) fn known(call: &Call, kind: Kind, parts: &[String; 3]) -> Result<String, ApiError> {
    check_schema(call, &parts[0], &parts[1])?;
    let key = key(parts);
    match lock(&store(call)).document(kind, &key) {
        Some(_) => Ok(key),
        None => Err(kind.missing(&full_name(parts))),
    }
}

/// Fails for what the caller may not change: the system's catalogs, and the schemas that describe catalogs.
pub(crate) fn check_owned(parts: &[&str]) -> Result<(), ApiError> {
    if matches!(parts[..], [SYSTEM_CATALOG | "samples", ..] | [_, INFORMATION_SCHEMA, ..]) {
        let text = format!("User does not have MANAGE on '{}'.", full_name(parts));
        return Err(ApiError::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", text));
    }
    Ok(())
}

/// What the engine refuses, in the API's words.
pub(crate) fn refused(error: &EngineError) -> ApiError {
    match error.error_code.as_str() {
        "INTERNAL_ERROR" => ApiError::internal(error.message.clone()),
        _ => ApiError::new(StatusCode::BAD_REQUEST, error.class().unwrap_or_default(), error.message.clone()),
    }
}

//! Tables and views: those of the SQL engine. There is no other way to make one.

use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::catalogs::{
    names::{self, full_name, key},
    objects::{self, check_owned, refused},
    pages,
    store::{Kind, store},
};
use crate::{
    call::{Answer, Call, Routes, done},
    engine::{Table, TableColumn},
    lock::lock,
};

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/2.1/unity-catalog/tables", get(list))
        .route("/api/2.1/unity-catalog/tables/{full_name}", get(get_one).delete(delete))
        .route("/api/2.1/unity-catalog/tables/{full_name}/exists", get(exists))
        .route("/api/2.1/unity-catalog/table-summaries", get(summaries))
}

fn table_type(table: &Table) -> &'static str {
    if table.view.is_some() { "VIEW" } else { "MANAGED" }
}

fn shown(call: &Call, catalog: &str, schema: &str, table: &Table) -> Map<String, Value> {
    let mut shown = lock(&store(call)).seen(Kind::Table, &[catalog, schema, &table.name], call).clone();
    let id = shown.remove("id").unwrap_or_default();
    let columns: Vec<Value> =
        table.columns.iter().enumerate().map(|(position, one)| column(position, one)).collect();
    let mut more = json!({
        "name": table.name,
        "catalog_name": catalog,
        "schema_name": schema,
        "full_name": full_name(&[catalog, schema, &table.name]),
        "table_type": table_type(table),
        "columns": columns,
        "properties": {},
        "securable_type": "TABLE",
    });
    match &table.view {
        Some(statement) => {
            let query = statement.split_once(" AS ").map_or(statement.as_str(), |(_, query)| query);
            more["view_definition"] = json!(query);
            more["securable_kind"] = json!("TABLE_VIEW");
        }
        None => {
            let id = id.as_str().unwrap_or_default();
            more["data_source_format"] = json!("DELTA");
            more["storage_location"] = json!(format!("s3://sandbox-metastore/__unitystorage/tables/{id}"));
            more["securable_kind"] = json!("TABLE_DELTA");
        }
    }
    more["table_id"] = id;
    if let Value::Object(more) = more {
        shown.extend(more);
    }
    shown
}

fn column(position: usize, column: &TableColumn) -> Value {
    let (precision, scale) = column.decimal.unwrap_or_default();
    json!({
        "name": column.name,
        "type_text": column.type_text,
        "type_json": column.type_json,
        "type_name": column.type_name,
        "type_precision": precision,
        "type_scale": scale,
        "position": position,
        "nullable": column.nullable,
    })
}

async fn list(call: Call) -> Answer {
    let [catalog] = names::parts("catalog", call.required_query("catalog_name")?)?;
    let [schema] = names::parts("schema", call.required_query("schema_name")?)?;
    let without = |name: &str| call.query(name) == Some("true");
    let mut all = Vec::new();
    for table in objects::tables(&call, &catalog, &schema).await? {
        let mut table = shown(&call, &catalog, &schema, &table);
        for (flag, left_out) in [
            ("omit_columns", &["columns"][..]),
            ("omit_properties", &["properties"]),
            ("omit_username", &["owner", "created_by", "updated_by"]),
        ] {
            if without(flag) {
                left_out.iter().for_each(|name| drop(table.remove(*name)));
            }
        }
        all.push(Value::Object(table));
    }
    pages::page(&call, "tables", all, &format!("{catalog} {schema}"))
}

async fn get_one(Path(name): Path<String>, call: Call) -> Answer {
    let parts = names::parts("table", &name)?;
    let table = objects::table(&call, &parts).await?;
    let [catalog, schema, _] = &parts;
    Ok(Json(Value::Object(shown(&call, catalog, schema, &table))))
}

async fn exists(Path(name): Path<String>, call: Call) -> Answer {
    let [catalog, schema, name] = names::parts("table", &name)?;
    let tables = objects::tables(&call, &catalog, &schema).await?;
    Ok(Json(json!({ "table_exists": tables.iter().any(|table| table.name == name) })))
}

async fn delete(Path(name): Path<String>, call: Call) -> Answer {
    let parts: [String; 3] = names::parts("table", &name)?;
    objects::table(&call, &parts).await?;
    let [catalog, schema, name] = &parts;
    check_owned(&[catalog, schema, name])?;
    call.tenant.engine().metadata().drop_table(catalog, schema, name).map_err(|error| refused(&error))?;
    lock(&store(&call)).remove(Kind::Table, &key(&parts));
    done()
}

async fn summaries(call: Call) -> Answer {
    let [catalog] = names::parts("catalog", call.required_query("catalog_name")?)?;
    let matches = |pattern: &str, name: &str| {
        let pattern = call.query(pattern).unwrap_or("%").to_lowercase();
        like(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
    };
    let mut all = Vec::new();
    for schema in objects::schemas(&call, &catalog)? {
        if !matches("schema_name_pattern", &schema) {
            continue;
        }
        for table in objects::tables(&call, &catalog, &schema).await? {
            if matches("table_name_pattern", &table.name) {
                let name = full_name(&[&catalog, &schema, &table.name]);
                all.push(json!({ "full_name": name, "table_type": table_type(&table) }));
            }
        }
    }
    pages::page(&call, "tables", all, &catalog)
}

/// SQL's LIKE: `%` is any text, `_` any character.
fn like(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('%', rest)) => (0..=name.len()).any(|at| like(rest, &name[at..])),
        Some((first, rest)) => {
            name.split_first().is_some_and(|(c, name)| (*first == '_' || first == c) && like(rest, name))
        }
    }
}

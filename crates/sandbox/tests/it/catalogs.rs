//! Catalogs, schemas, tables and functions, by REST and by SQL.

use brickwire_sandbox::{Sandbox, seed::RUNNING_WAREHOUSE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Client, read, start, start_with};

const UC: &str = "/api/2.1/unity-catalog";

/// Status and answer of a request below the path of Unity Catalog.
pub(crate) async fn ask(client: &Client, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let body = (!body.is_null()).then_some(&body);
    read(client.send(method, &format!("{UC}/{path}"), body).await.unwrap()).await
}

pub(crate) async fn got(client: &Client, path: &str) -> Value {
    client.got(&format!("{UC}/{path}")).await
}

/// Status, code and message of a request that fails.
pub(crate) async fn refused(client: &Client, method: &str, path: &str, body: Value) -> (u16, String, String) {
    let (status, answer) = ask(client, method, path, body).await;
    assert!(!status.is_success(), "{method} {path}: {answer}");
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    (status.as_u16(), text("error_code"), text("message"))
}

/// The code of a request that fails.
async fn code(client: &Client, method: &str, path: &str, body: Value) -> String {
    refused(client, method, path, body).await.1
}

async fn done(client: &Client, method: &str, path: &str, body: Value) -> Value {
    let (status, answer) = ask(client, method, path, body).await;
    assert_eq!(status, 200, "{method} {path}: {answer}");
    answer
}

/// Runs a statement, and returns its status.
async fn sql(client: &Client, statement: &str) -> Value {
    let body = json!({ "warehouse_id": RUNNING_WAREHOUSE, "statement": statement, "wait_timeout": "30s" });
    client.posted("/api/2.0/sql/statements", body).await["status"].clone()
}

async fn ran(client: &Client, statement: &str) {
    let status = sql(client, statement).await;
    assert_eq!(status["state"], "SUCCEEDED", "{statement}: {status}");
}

fn names(list: &Value) -> Vec<&str> {
    let (_, items) = list.as_object().unwrap().iter().next().unwrap();
    items.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_list_leaves_the_settings_of_what_is_new() {
    let (_sandbox, client) = start().await;
    let created = std::sync::atomic::AtomicBool::new(false);
    let creates = async {
        for n in 0..100 {
            let body = json!({ "catalog_name": "main", "name": format!("s{n}"), "comment": "kept" });
            done(&client, "POST", "schemas", body).await;
            assert_eq!(got(&client, &format!("schemas/main.s{n}")).await["comment"], "kept");
        }
        created.store(true, std::sync::atomic::Ordering::SeqCst);
    };
    let lists = async || {
        while !created.load(std::sync::atomic::Ordering::SeqCst) {
            got(&client, "schemas?catalog_name=main").await;
        }
    };
    tokio::join!(creates, lists(), lists());
}

#[tokio::test]
async fn what_sql_makes_is_listed_and_what_is_deleted_is_gone_from_sql() {
    let (_sandbox, client) = start().await;
    assert_eq!(got(&client, "tables?catalog_name=main&schema_name=default").await, json!({}));
    ran(&client, "CREATE TABLE Sales (Id BIGINT NOT NULL, price DECIMAL(10,2), tags ARRAY<STRING>)").await;
    ran(&client, "CREATE VIEW recent AS SELECT Id FROM sales WHERE id > 1").await;
    ran(&client, "CREATE TABLE `odd.name` AS SELECT 1 AS one").await;
    let list = got(&client, "tables?catalog_name=Main&schema_name=default&omit_columns=true").await;
    assert_eq!(names(&list), ["odd.name", "recent", "sales"]);
    assert!(list["tables"][0].get("columns").is_none() && list["tables"][0]["owner"].is_string());

    let table = got(&client, "tables/MAIN.default.sales").await;
    assert_eq!(
        table,
        list_entry(&got(&client, "tables?catalog_name=main&schema_name=default").await, "sales")
    );
    assert_eq!(
        (&table["full_name"], &table["table_type"], &table["data_source_format"]),
        (&json!("main.default.sales"), &json!("MANAGED"), &json!("DELTA"))
    );
    let columns = table["columns"].as_array().unwrap();
    let told: Vec<_> = columns
        .iter()
        .map(|c| {
            (c["name"].as_str().unwrap(), c["type_text"].as_str().unwrap(), c["type_name"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [("Id", "bigint", "LONG"), ("price", "decimal(10,2)", "DECIMAL"), ("tags", "array<string>", "ARRAY")]
    );
    assert_eq!((&columns[0]["nullable"], &columns[2]["position"]), (&json!(false), &json!(2)));
    assert_eq!((&columns[1]["type_precision"], &columns[1]["type_scale"]), (&json!(10), &json!(2)));
    let field: Value = serde_json::from_str(columns[2]["type_json"].as_str().unwrap()).unwrap();
    assert_eq!(field["type"], json!({ "type": "array", "elementType": "string", "containsNull": true }));

    let view = got(&client, "tables/main.default.recent").await;
    assert_eq!((&view["table_type"], view.get("storage_location")), (&json!("VIEW"), None));
    assert!(view["view_definition"].as_str().unwrap().starts_with("SELECT"), "{view}");
    assert_eq!(got(&client, "tables/main.default.%60odd.name%60").await["name"], "odd.name");
    let summaries = got(
        &client,
        "table-summaries?catalog_name=main&table_name_pattern=%25a%25&schema_name_pattern=def_ult",
    )
    .await;
    assert_eq!(summaries["tables"][1], json!({ "full_name": "main.default.sales", "table_type": "MANAGED" }));

    assert_eq!(got(&client, "tables/main.default.sales/exists").await, json!({ "table_exists": true }));
    done(&client, "DELETE", "tables/main.default.Sales", Value::Null).await;
    assert_eq!(got(&client, "tables/main.default.sales/exists").await, json!({ "table_exists": false }));
    let status = sql(&client, "SELECT * FROM sales").await;
    assert!(status["error"]["message"].as_str().unwrap().contains("TABLE_OR_VIEW_NOT_FOUND"), "{status}");
    // Another table of that name is another table.
    ran(&client, "CREATE TABLE sales AS SELECT 1 AS x").await;
    let again = got(&client, "tables/main.default.sales").await;
    assert_ne!(again["table_id"], table["table_id"]);
    ran(&client, "DROP TABLE sales").await;
    assert_eq!(code(&client, "GET", "tables/main.default.sales", Value::Null).await, "TABLE_DOES_NOT_EXIST");
    assert_eq!(code(&client, "GET", "tables/main.gone.t/exists", Value::Null).await, "SCHEMA_DOES_NOT_EXIST");
    assert_eq!(code(&client, "GET", "tables/gone.default.t", Value::Null).await, "CATALOG_DOES_NOT_EXIST");
    assert_eq!(
        code(&client, "DELETE", "tables/samples.nyctaxi.trips", Value::Null).await,
        "PERMISSION_DENIED"
    );
}

fn list_entry(list: &Value, name: &str) -> Value {
    list["tables"].as_array().unwrap().iter().find(|table| table["name"] == name).unwrap().clone()
}

#[tokio::test]
async fn catalogs_and_schemas_are_those_of_sql() {
    let (_sandbox, client) = start().await;
    let list = got(&client, "catalogs").await;
    assert_eq!(names(&list), ["main", "samples", "system"]);
    assert_eq!(
        (&list["catalogs"][0]["catalog_type"], &list["catalogs"][1]["owner"]),
        (&json!("MANAGED_CATALOG"), &json!("System user"))
    );
    let lab = done(
        &client,
        "POST",
        "catalogs",
        json!({ "name": "Lab", "comment": "c", "storage_root": "s3://b/x/" }),
    )
    .await;
    assert_eq!(
        (&lab["name"], &lab["full_name"], &lab["comment"]),
        (&json!("lab"), &json!("lab"), &json!("c"))
    );
    assert!(lab["storage_location"].as_str().unwrap().starts_with("s3://b/x/__unitystorage/"), "{lab}");
    assert_eq!(names(&got(&client, "schemas?catalog_name=LAB").await), ["default", "information_schema"]);
    let raw = done(
        &client,
        "POST",
        "schemas",
        json!({ "catalog_name": "lab", "name": "Raw", "properties": { "a": "b" } }),
    )
    .await;
    assert_eq!((&raw["full_name"], &raw["properties"]["a"]), (&json!("lab.raw"), &json!("b")));
    ran(&client, "CREATE TABLE lab.raw.t AS SELECT 1 AS one").await;
    ran(&client, "CREATE SCHEMA lab.made_by_sql").await;
    assert_eq!(got(&client, "schemas/lab.made_by_sql").await["owner"], "ada.sandbox@example.com");

    // Only what is given changes.
    let change = json!({ "comment": "d", "properties": { "z": "1" }, "name": "ignored" });
    let raw = done(&client, "PATCH", "schemas/lab.raw", change).await;
    assert_eq!(
        (&raw["comment"], &raw["properties"], &raw["name"]),
        (&json!("d"), &json!({ "z": "1" }), &json!("raw"))
    );
    let lab = done(&client, "PATCH", "catalogs/lab", json!({ "owner": "admins" })).await;
    assert_eq!((&lab["owner"], &lab["comment"]), (&json!("admins"), &json!("c")));
    assert_eq!(refused(&client, "PATCH", "catalogs/lab", json!({ "new_name": "x" })).await.0, 501);

    for (path, body, expected) in [
        ("catalogs", json!({ "name": "LAB" }), "CATALOG_ALREADY_EXISTS"),
        ("catalogs", json!({ "name": "a.b" }), "INVALID_PARAMETER_VALUE"),
        ("catalogs", json!({}), "INVALID_PARAMETER_VALUE"),
        (
            "catalogs",
            json!({ "name": "x", "share_name": "s", "provider_name": "p" }),
            "PROVIDER_DOES_NOT_EXIST",
        ),
        ("schemas", json!({ "catalog_name": "lab", "name": "raw" }), "SCHEMA_ALREADY_EXISTS"),
        ("schemas", json!({ "catalog_name": "lab", "name": "a b" }), "INVALID_PARAMETER_VALUE"),
        ("schemas", json!({ "catalog_name": "gone", "name": "a" }), "CATALOG_DOES_NOT_EXIST"),
        ("schemas", json!({ "catalog_name": "samples", "name": "a" }), "PERMISSION_DENIED"),
    ] {
        assert_eq!(code(&client, "POST", path, body.clone()).await, expected, "{path} {body}");
    }

    assert_eq!(code(&client, "DELETE", "schemas/lab.raw", Value::Null).await, "SCHEMA_NOT_EMPTY");
    assert_eq!(code(&client, "DELETE", "catalogs/lab", Value::Null).await, "CATALOG_NOT_EMPTY");
    done(&client, "DELETE", "schemas/lab.made_by_sql", Value::Null).await;
    done(&client, "DELETE", "schemas/lab.raw?force=true", Value::Null).await;
    assert_eq!(sql(&client, "SELECT * FROM lab.raw.t").await["state"], "FAILED");
    done(&client, "DELETE", "catalogs/lab", Value::Null).await;
    assert_eq!(sql(&client, "CREATE SCHEMA lab.x").await["state"], "FAILED");
    assert_eq!(refused(&client, "GET", "catalogs/lab", Value::Null).await.0, 404);
    // A new one has nothing of the old one.
    assert!(done(&client, "POST", "catalogs", json!({ "name": "lab" })).await.get("comment").is_none());
    ran(&client, "CREATE TABLE lab.default.t AS SELECT 1 AS one").await;
    assert_eq!(code(&client, "DELETE", "catalogs/lab", Value::Null).await, "CATALOG_NOT_EMPTY");
    done(&client, "DELETE", "catalogs/lab?force=true", Value::Null).await;
    assert_eq!(code(&client, "DELETE", "catalogs/system?force=true", Value::Null).await, "PERMISSION_DENIED");
}

#[tokio::test]
async fn what_sql_drops_takes_along_what_is_known_of_it() {
    let (_sandbox, client) = start().await;
    ran(&client, "CREATE SCHEMA main.lab").await;
    ran(&client, "CREATE TABLE main.lab.t AS SELECT 1 AS one").await;
    done(&client, "PATCH", "schemas/main.lab", json!({ "comment": "old" })).await;
    let granted = json!({ "changes": [{ "principal": "users", "add": ["SELECT"] }] });
    for place in ["table/main.lab.t", "schema/main.lab"] {
        done(&client, "PATCH", &format!("permissions/{place}"), granted.clone()).await;
    }
    let model = json!({ "catalog_name": "main", "schema_name": "lab", "name": "m" });
    done(&client, "POST", "models", model).await;
    ran(&client, "DROP TABLE main.lab.t").await;
    assert_eq!(
        code(&client, "GET", "permissions/table/main.lab.t", Value::Null).await,
        "TABLE_DOES_NOT_EXIST"
    );
    ran(&client, "CREATE TABLE main.lab.t AS SELECT 1 AS one").await;
    assert_eq!(got(&client, "permissions/table/main.lab.t").await, json!({}));
    ran(&client, "DROP SCHEMA main.lab CASCADE").await;
    assert_eq!(got(&client, "models").await["registered_models"].as_array().unwrap().len(), 1);
    ran(&client, "CREATE SCHEMA main.lab").await;
    assert!(got(&client, "schemas/main.lab").await.get("comment").is_none());
    assert_eq!(got(&client, "permissions/schema/main.lab").await, json!({}));
    assert_eq!(refused(&client, "GET", "models/main.lab.m", Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_list_comes_at_once_or_in_pages_of_which_some_are_empty() {
    let (_sandbox, client) = start_with(Sandbox::builder().with_page_size(2)).await;
    for n in 0..7 {
        done(&client, "POST", "schemas", json!({ "catalog_name": "main", "name": format!("s{n}") })).await;
    }
    let all = got(&client, "schemas?catalog_name=main").await;
    assert_eq!((names(&all).len(), all.get("next_page_token")), (9, None));
    let (mut paged, mut sizes, mut token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = got(&client, &format!("schemas?catalog_name=main&max_results=0&page_token={token}")).await;
        let items = page.get("schemas").and_then(Value::as_array).cloned().unwrap_or_default();
        sizes.push(items.len());
        paged.extend(items);
        match page.get("next_page_token") {
            Some(next) => token = next.as_str().unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!((sizes, &json!(paged)), (vec![2, 2, 0, 2, 2, 0, 1], &all["schemas"]));
    assert_eq!(
        code(&client, "GET", "schemas?catalog_name=main&max_results=-1", Value::Null).await,
        "INVALID_PARAMETER_VALUE"
    );
    assert_eq!(names(&got(&client, "schemas?catalog_name=main&max_results=5000").await).len(), 9);
    assert_eq!(code(&client, "GET", "schemas", Value::Null).await, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn functions_are_documents() {
    let (_sandbox, client) = start().await;
    let mut info = json!({
        "catalog_name": "main", "schema_name": "default", "name": "Celsius", "data_type": "DOUBLE",
        "full_data_type": "DOUBLE", "input_params": { "parameters": [{ "name": "f", "position": 0 }] },
        "is_deterministic": true, "is_null_call": false, "parameter_style": "S", "routine_body": "SQL",
        "routine_definition": "(f - 32) / 1.8", "security_type": "DEFINER", "specific_name": "celsius",
        "sql_data_access": "CONTAINS_SQL",
    });
    let made = done(&client, "POST", "functions", json!({ "function_info": info })).await;
    assert_eq!((&made["full_name"], &made["name"]), (&json!("main.default.celsius"), &json!("celsius")));
    assert_eq!(got(&client, "functions/main.default.celsius").await, made);
    assert_eq!(
        got(&client, "functions?catalog_name=main&schema_name=default").await["functions"],
        json!([made])
    );
    assert_eq!(
        code(&client, "POST", "functions", json!({ "function_info": info })).await,
        "FUNCTION_ALREADY_EXISTS"
    );
    // A model has a function's name.
    info["name"] = json!("churn");
    assert_eq!(
        code(&client, "POST", "functions", json!({ "function_info": info })).await,
        "FUNCTION_ALREADY_EXISTS"
    );
    info.as_object_mut().unwrap().remove("routine_body");
    assert_eq!(
        code(&client, "POST", "functions", json!({ "function_info": info })).await,
        "INVALID_PARAMETER_VALUE"
    );
    assert_eq!(code(&client, "DELETE", "schemas/main.default", Value::Null).await, "SCHEMA_NOT_EMPTY");
    done(&client, "DELETE", "functions/main.default.celsius", Value::Null).await;
    assert_eq!(
        code(&client, "GET", "functions/main.default.celsius", Value::Null).await,
        "FUNCTION_DOES_NOT_EXIST"
    );
    assert_eq!(got(&client, "functions?catalog_name=main&schema_name=default").await, json!({}));
}

#[tokio::test]
async fn there_is_one_metastore() {
    let (_sandbox, client) = start().await;
    let summary = got(&client, "metastore_summary").await;
    assert_eq!(got(&client, "current-metastore-assignment").await["metastore_id"], summary["metastore_id"]);
    assert_eq!(got(&client, "metastores").await["metastores"], json!([summary]));
    assert_eq!(got(&client, "catalogs/main").await["metastore_id"], summary["metastore_id"]);
}

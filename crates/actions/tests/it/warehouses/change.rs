//! Creating, changing and deleting warehouses.

use std::time::Duration;

use brickwire_actions::{
    Connection, ErrorKind, WaitOptions, Warehouses, Workspace,
    types::{CreateWarehouseRequest, EditWarehouseRequest},
};
use brickwire_testserver::{Response, Server};
use serde_json::{Value, json};

const WAREHOUSE: &str = "0123456789abcdef";

fn script(answers: impl IntoIterator<Item = Response>) -> (Server, Warehouses) {
    let server = Server::script(answers);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace.warehouses())
}

fn named(name: &str) -> CreateWarehouseRequest {
    CreateWarehouseRequest { name: Some(name.to_owned()), ..Default::default() }
}

#[tokio::test]
async fn a_create_returns_an_id_or_says_what_is_known() {
    let exists = Response::new(409).with_body(
        r#"{"error_code":"ALREADY_EXISTS","message":"SQL warehouse with name `a` already exists"}"#,
    );
    let (server, warehouses) = script([exists]);
    let error = warehouses.create(&named("a")).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Rejected, 1), "{error}");
    let (_server, warehouses) = script([Response::json("{}")]);
    let error = warehouses.create(&named("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownOutcome, "{error}");
}

#[tokio::test]
async fn an_edit_sends_back_all_that_it_does_not_change() {
    let (server, warehouses) = script([
        Response::json(
            r#"{"id":"0123456789abcdef","name":"a","state":"RUNNING","num_clusters":1,"auto_stop_mins":10,
                "cluster_size":"Small","newest":{"deep":[9007199254740993]},"health":{"status":"HEALTHY"},
                "jdbc_url":"jdbc:x","odbc_params":{},"tags":{"custom_tags":[{"key":"k","value":"v","newer":1}]}}"#,
        ),
        Response::json("{}"),
    ]);
    let changes = EditWarehouseRequest { auto_stop_mins: Some(30), ..Default::default() };
    warehouses.edit(WAREHOUSE, &changes).await.unwrap();
    let all = server.requests();
    assert_eq!(all[1].line(), "POST /api/2.0/sql/warehouses/0123456789abcdef/edit");
    let sent: Value = serde_json::from_str(&all[1].text()).unwrap();
    assert_eq!(
        sent,
        json!({ "name": "a", "auto_stop_mins": 30, "cluster_size": "Small",
            "newest": { "deep": [9_007_199_254_740_993_u64] },
            "tags": { "custom_tags": [{ "key": "k", "value": "v", "newer": 1 }] } })
    );
}

#[tokio::test]
async fn a_warehouse_is_deleted_once_it_is_gone() {
    let pauses = Duration::from_millis(1)..=Duration::from_millis(1);
    let soon = WaitOptions::default().with_polls(pauses);
    let gone = Response::new(404).with_body(r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"gone"}"#);
    for last in [gone, Response::json(r#"{"state":"DELETED"}"#)] {
        let deleting = || Response::json(r#"{"id":"0123456789abcdef","state":"DELETING"}"#);
        let (server, warehouses) = script([Response::json("{}"), deleting(), deleting(), last]);
        warehouses.delete(WAREHOUSE).await.unwrap();
        warehouses.wait_until_deleted(WAREHOUSE, soon).await.unwrap();
        assert_eq!(server.requests().len(), 4);
        assert_eq!(server.requests()[0].line(), "DELETE /api/2.0/sql/warehouses/0123456789abcdef");
    }
}

#[tokio::test]
async fn what_cannot_be_meant_is_not_sent() {
    let (server, warehouses) = script([Response::json("{}")]);
    for refused in [
        warehouses.create(&named(" ")).await.map(drop),
        warehouses.create(&json!({ "name": 5 })).await.map(drop),
        warehouses.create(&json!({})).await.map(drop),
        warehouses.edit(WAREHOUSE, &json!({})).await,
        warehouses.edit("", &json!({ "name": "b" })).await,
        warehouses.delete(" ").await,
        warehouses.wait_until_deleted("", WaitOptions::default()).await,
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Usage);
    }
    assert!(server.requests().is_empty());
}

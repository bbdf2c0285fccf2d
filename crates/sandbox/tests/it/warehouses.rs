use brickwire_sandbox::Sandbox;
use brickwire_sandbox::seed::{RUNNING_WAREHOUSE, STOPPED_WAREHOUSE};
use serde_json::{Value, json};

use crate::client::{Client, start, start_with};

async fn state(client: &Client, id: &str) -> Value {
    client.got(&format!("/api/2.0/sql/warehouses/{id}")).await["state"].clone()
}

#[tokio::test]
async fn a_list_pages_and_two_may_share_a_name() {
    let (_sandbox, client) = start().await;
    let all = client.got("/api/2.0/sql/warehouses").await;
    let names: Vec<&str> =
        all["warehouses"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Serverless Starter Warehouse", "Reporting", "Reporting"]);
    assert!(all.get("next_page_token").is_none());
    assert_eq!(all["warehouses"][0]["creator_id"], 7_406_282_911_002_317_u64);

    let (_sandbox, client) = start_with(Sandbox::builder().with_page_size(2)).await;
    let first = client.got("/api/2.0/sql/warehouses").await;
    let token = first["next_page_token"].as_str().unwrap();
    let second = client.got(&format!("/api/2.0/sql/warehouses?page_token={token}")).await;
    assert_eq!(second["warehouses"].as_array().unwrap().len(), 1);
    assert!(second.get("next_page_token").is_none());
}

#[tokio::test]
async fn one_is_the_workspaces_default() {
    let (_sandbox, client) = start().await;
    let setting = client.got("/api/2.0/settings/types/default_warehouse_id/names/default").await;
    assert_eq!(setting["string_val"]["value"], RUNNING_WAREHOUSE);
}

#[tokio::test]
async fn start_and_stop_pass_through_their_states() {
    let (_sandbox, client) = start().await;
    assert_eq!(state(&client, STOPPED_WAREHOUSE).await, "STOPPED");
    assert_eq!(
        client.posted(&format!("/api/2.0/sql/warehouses/{STOPPED_WAREHOUSE}/start"), json!({})).await,
        json!({})
    );
    assert_eq!(state(&client, STOPPED_WAREHOUSE).await, "STARTING");
    assert_eq!(state(&client, STOPPED_WAREHOUSE).await, "RUNNING");
    client.posted(&format!("/api/2.0/sql/warehouses/{STOPPED_WAREHOUSE}/stop"), json!({})).await;
    assert_eq!(state(&client, STOPPED_WAREHOUSE).await, "STOPPING");
    assert_eq!(state(&client, STOPPED_WAREHOUSE).await, "STOPPED");
    // Starting what runs changes nothing.
    client.posted(&format!("/api/2.0/sql/warehouses/{RUNNING_WAREHOUSE}/start"), json!({})).await;
    assert_eq!(state(&client, RUNNING_WAREHOUSE).await, "RUNNING");
}

#[tokio::test]
async fn an_unknown_id_is_404_and_an_impossible_one_400() {
    let (_sandbox, client) = start().await;
    let (status, body) = client.get("/api/2.0/sql/warehouses/0123456789abcdef").await;
    assert_eq!((status.as_u16(), &body["error_code"]), (404, &json!("RESOURCE_DOES_NOT_EXIST")));
    let (status, body) = client.get("/api/2.0/sql/warehouses/get").await;
    assert_eq!((status.as_u16(), &body["message"]), (400, &json!("get is not a valid endpoint id.")));
}

#[tokio::test]
async fn a_warehouse_is_made_changed_and_deleted() {
    let (_sandbox, client) = start().await;
    let settings =
        json!({ "name": "mine", "cluster_size": "Small", "max_num_clusters": 3, "newest": { "a": 1 } });
    let id = client.posted("/api/2.0/sql/warehouses", settings.clone()).await["id"].clone();
    let id = id.as_str().unwrap().to_owned();
    assert_eq!(state(&client, &id).await, "STARTING");
    assert_eq!(state(&client, &id).await, "RUNNING");
    let path = format!("/api/2.0/sql/warehouses/{id}");
    let made = client.got(&path).await;
    assert_eq!((&made["auto_stop_mins"], &made["newest"]["a"]), (&json!(120), &json!(1)));
    assert_eq!(made["odbc_params"]["path"], format!("/sql/1.0/warehouses/{id}"));
    let (status, body) = client.post("/api/2.0/sql/warehouses", settings).await;
    assert_eq!((status.as_u16(), &body["error_code"]), (400, &json!("ALREADY_EXISTS")), "{body}");

    client.posted(&format!("{path}/edit"), json!({ "auto_stop_mins": 0 })).await;
    let edited = client.got(&path).await;
    assert_eq!(
        (&edited["auto_stop_mins"], &edited["name"], &edited["state"]),
        (&json!(0), &json!("mine"), &json!("RUNNING"))
    );
    for wrong in [
        json!({ "auto_stop_mins": 5 }),
        json!({ "cluster_size": "Huge" }),
        json!({ "min_num_clusters": 4 }),
        json!({ "max_num_clusters": 41 }),
        json!({ "name": "Reporting" }),
        json!({ "name": "" }),
    ] {
        assert_eq!(client.post(&format!("{path}/edit"), wrong.clone()).await.0, 400, "{wrong}");
    }
    // The seeds share a name and can be changed all the same.
    client
        .posted(&format!("/api/2.0/sql/warehouses/{STOPPED_WAREHOUSE}/edit"), json!({ "auto_stop_mins": 20 }))
        .await;

    let deleted = client.send(reqwest::Method::DELETE, &path, None).await.unwrap();
    assert_eq!(deleted.status(), 200);
    assert_eq!(state(&client, &id).await, "DELETING");
    assert_eq!(client.get(&path).await.0, 404);
    assert_eq!(client.got("/api/2.0/sql/warehouses").await["warehouses"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn all_warehouses_share_settings() {
    let (_sandbox, client) = start().await;
    let path = "/api/2.0/sql/config/warehouses";
    assert_eq!(client.got(path).await["security_policy"], "DATA_ACCESS_CONTROL");
    let new = json!({ "security_policy": "NONE" });
    let put = client.send(reqwest::Method::PUT, path, Some(&new)).await.unwrap();
    assert_eq!(put.status(), 200);
    assert_eq!(client.got(path).await, new);
}

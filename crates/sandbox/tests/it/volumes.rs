//! Volumes of Unity Catalog.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Client, read, start};

const VOLUMES: &str = "/api/2.1/unity-catalog/volumes";

fn raw(name: &str) -> Value {
    json!({ "catalog_name": "main", "schema_name": "Default", "name": name, "volume_type": "MANAGED" })
}

async fn names(client: &Client, query: &str) -> Vec<String> {
    let page = client.got(&format!("{VOLUMES}?catalog_name=main&schema_name=default{query}")).await;
    let volumes = page["volumes"].as_array().cloned().unwrap_or_default();
    volumes.iter().map(|volume| volume["full_name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_volume_lives() {
    let (_sandbox, client) = start().await;
    assert_eq!(names(&client, "").await, ["main.default.files"]);
    let volume = client.posted(VOLUMES, raw("Raw")).await;
    assert_eq!(
        (&volume["full_name"], &volume["volume_type"]),
        (&json!("main.default.raw"), &json!("MANAGED"))
    );
    assert!(volume["storage_location"].as_str().unwrap().starts_with("s3://"), "{volume}");
    let (status, answer) = client.post(VOLUMES, raw("raw")).await;
    assert_eq!((status, &answer["error_code"]), (StatusCode::BAD_REQUEST, &json!("VOLUME_ALREADY_EXISTS")));
    // Its directory is there from the start, and its files move with its name.
    let directory = |name: &str| format!("/api/2.0/fs/directories/Volumes/main/default/{name}/a");
    assert_eq!(client.send(Method::PUT, &directory("RAW"), None).await.unwrap().status(), 204);
    let change = json!({ "new_name": "New", "comment": "as delivered" });
    let patched = client.send(Method::PATCH, &format!("{VOLUMES}/main.default.raw"), Some(&change)).await;
    let (_, volume) = read(patched.unwrap()).await;
    assert_eq!(
        (&volume["full_name"], &volume["comment"]),
        (&json!("main.default.new"), &json!("as delivered"))
    );
    assert_eq!(client.get(&directory("raw")).await.0, 404);
    assert_eq!(client.get(&directory("new")).await.0, 200);
    assert_eq!(client.got(&format!("{VOLUMES}/Main.Default.New")).await, volume);
    let delete = format!("{VOLUMES}/main.default.new");
    assert_eq!(client.send(Method::DELETE, &delete, None).await.unwrap().status(), 200);
    assert_eq!(client.send(Method::DELETE, &delete, None).await.unwrap().status(), 404);
    assert_eq!(client.get(&directory("new")).await.0, 404);
    // A volume of the same name begins empty.
    client.posted(VOLUMES, raw("new")).await;
    assert_eq!(client.get(&directory("new")).await.0, 404);
}

#[tokio::test]
async fn a_volume_needs_a_schema_and_the_right_members() {
    let (_sandbox, client) = start().await;
    let with = |name: &str, value: &str| {
        let mut body = raw("x");
        body[name] = value.into();
        body
    };
    for (body, status, code) in [
        (with("catalog_name", "missing"), 404, "CATALOG_DOES_NOT_EXIST"),
        (with("schema_name", "missing"), 404, "SCHEMA_DOES_NOT_EXIST"),
        (with("name", "a.b"), 400, "INVALID_PARAMETER_VALUE"),
        (with("name", "../b"), 400, "INVALID_PARAMETER_VALUE"),
        (with("volume_type", "OTHER"), 400, "INVALID_PARAMETER_VALUE"),
        (with("volume_type", "EXTERNAL"), 400, "INVALID_PARAMETER_VALUE"),
        (with("storage_location", "s3://a"), 400, "INVALID_PARAMETER_VALUE"),
        (json!({}), 400, "INVALID_PARAMETER_VALUE"),
    ] {
        let (got, answer) = client.post(VOLUMES, body.clone()).await;
        assert_eq!((got.as_u16(), answer["error_code"].as_str()), (status, Some(code)), "{body} {answer}");
    }
    let (status, _) = client.get(&format!("{VOLUMES}?catalog_name=main")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let mut external = with("volume_type", "EXTERNAL");
    external["storage_location"] = json!("s3://a/b/");
    assert_eq!(client.posted(VOLUMES, external).await["storage_location"], "s3://a/b");
}

#[tokio::test]
async fn a_schema_with_volumes_is_not_empty_and_takes_their_files_along() {
    let (_sandbox, client) = start().await;
    let make = async || {
        client.posted("/api/2.1/unity-catalog/catalogs", json!({ "name": "lab" })).await;
        client
            .posted("/api/2.1/unity-catalog/schemas", json!({ "name": "raw", "catalog_name": "lab" }))
            .await;
        let volume =
            json!({ "catalog_name": "lab", "schema_name": "raw", "name": "v", "volume_type": "MANAGED" });
        client.posted(VOLUMES, volume).await
    };
    let directory = "/api/2.0/fs/directories/Volumes/lab/raw/v/a";
    let delete = async |path: &str| {
        read(client.send(Method::DELETE, &format!("/api/2.1/unity-catalog/{path}"), None).await.unwrap())
            .await
    };
    let catalog = client.got("/api/2.1/unity-catalog/catalogs/main").await;
    assert_eq!(make().await["metastore_id"], catalog["metastore_id"]);
    for (place, code) in [("schemas/lab.raw", "SCHEMA_NOT_EMPTY"), ("catalogs/lab", "CATALOG_NOT_EMPTY")] {
        assert_eq!(client.send(Method::PUT, directory, None).await.unwrap().status(), 204);
        let (status, answer) = delete(place).await;
        assert_eq!((status, &answer["error_code"]), (StatusCode::BAD_REQUEST, &json!(code)), "{answer}");
        assert_eq!(delete(&format!("{place}?force=true")).await.0, 200);
        assert_eq!(client.get(&format!("{VOLUMES}/lab.raw.v")).await.0, 404);
        let _ = delete("catalogs/lab").await;
        // A volume of the same name begins empty.
        make().await;
        assert_eq!(client.get(directory).await.0, 404);
    }
    let foreign =
        json!({ "catalog_name": "samples", "schema_name": "nyctaxi", "name": "v", "volume_type": "MANAGED" });
    assert_eq!(client.post(VOLUMES, foreign).await.0, 403);
}

//! DBFS.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_sandbox::{Clock, Sandbox};
use serde_json::{Value, json};

use crate::client::{Client, start, start_with};

const BLOCK: usize = 1 << 20;

async fn post(client: &Client, name: &str, body: Value) -> Value {
    client.posted(&format!("/api/2.0/dbfs/{name}"), body).await
}

/// The status and the code with which a request is refused.
async fn refused(client: &Client, name: &str, body: Value) -> (u16, String) {
    let (status, answer) = client.post(&format!("/api/2.0/dbfs/{name}"), body).await;
    (status.as_u16(), answer["error_code"].as_str().unwrap_or_default().to_owned())
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

#[tokio::test]
async fn a_file_is_written_in_blocks_and_read_in_parts() {
    let (_sandbox, client) = start().await;
    let handle =
        post(&client, "create", json!({ "path": "dbfs:/tmp/a", "overwrite": false })).await["handle"].clone();
    assert!(handle.as_i64().unwrap() > 1 << 53, "{handle}");
    for block in ["one", "two"] {
        post(&client, "add-block", json!({ "handle": handle, "data": base64(block) })).await;
    }
    let large = json!({ "handle": handle, "data": base64(vec![0; BLOCK + 1]) });
    assert_eq!(refused(&client, "add-block", large).await, (400, "MAX_BLOCK_SIZE_EXCEEDED".to_owned()));
    post(&client, "close", json!({ "handle": handle })).await;
    let gone = (404, "RESOURCE_DOES_NOT_EXIST".to_owned());
    assert_eq!(refused(&client, "close", json!({ "handle": handle })).await, gone);
    assert_eq!(refused(&client, "add-block", json!({ "handle": 1, "data": "" })).await, gone);
    let status = client.got("/api/2.0/dbfs/get-status?path=/tmp/a").await;
    assert_eq!(
        (&status["path"], &status["file_size"], &status["is_dir"]),
        (&json!("/tmp/a"), &json!(6), &json!(false))
    );
    let read = async |query: &str| client.got(&format!("/api/2.0/dbfs/read?path=dbfs:/tmp/a{query}")).await;
    assert_eq!(read("").await, json!({ "bytes_read": 6, "data": base64("onetwo") }));
    assert_eq!(read("&offset=2&length=3").await, json!({ "bytes_read": 3, "data": base64("etw") }));
    assert_eq!(read("&offset=9").await, json!({ "bytes_read": 0, "data": "" }));
    let (_, answer) = client.get(&format!("/api/2.0/dbfs/read?path=/tmp/a&length={}", BLOCK + 1)).await;
    assert_eq!(answer["error_code"], "MAX_READ_SIZE_EXCEEDED");
}

#[tokio::test]
async fn files_are_put_moved_listed_and_deleted() {
    let (_sandbox, client) = start().await;
    let list = async |path: &str| {
        let answer = client.got(&format!("/api/2.0/dbfs/list?path={path}")).await;
        let files = answer["files"].as_array().cloned().unwrap_or_default();
        files.iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list("/").await, ["/FileStore", "/tmp"]);
    let put = |content: &str| json!({ "path": "/tmp/d/a", "contents": base64(content) });
    post(&client, "put", put("x")).await;
    let exists = (400, "RESOURCE_ALREADY_EXISTS".to_owned());
    assert_eq!(refused(&client, "put", put("y")).await, exists);
    assert_eq!(refused(&client, "mkdirs", json!({ "path": "/tmp/d/a" })).await, exists);
    let to = |to: &str| json!({ "source_path": "/tmp/d/a", "destination_path": to });
    assert_eq!(refused(&client, "move", to("dbfs:/FileStore/readme.txt")).await, exists);
    post(&client, "move", to("/tmp/d/b")).await;
    assert_eq!(refused(&client, "move", to("/tmp/c")).await.0, 404);
    assert_eq!(
        (list("/tmp/d").await, list("/tmp/d/b").await),
        (vec!["/tmp/d/b".into()], vec!["/tmp/d/b".into()])
    );
    let delete = |recursive: bool| json!({ "path": "/tmp/d", "recursive": recursive });
    assert_eq!(refused(&client, "delete", delete(false)).await, (400, "IO_ERROR".to_owned()));
    post(&client, "delete", delete(true)).await;
    assert_eq!(refused(&client, "delete", delete(true)).await.0, 404);
    for path in ["tmp", "/tmp/../../secret", "/tmp/./x"] {
        assert_eq!(refused(&client, "mkdirs", json!({ "path": path })).await.0, 400, "{path}");
    }
    assert_eq!(refused(&client, "delete", json!({ "path": "/", "recursive": true })).await.0, 400);
    assert_eq!(client.get("/api/2.0/dbfs/list?path=/missing").await.0, 404);
}

#[tokio::test]
async fn a_handle_that_is_idle_for_too_long_is_gone() {
    let (sandbox, client) =
        start_with(Sandbox::builder().with_clock(Clock::standing_at(1_764_115_200_000))).await;
    let handle = post(&client, "create", json!({ "path": "/a" })).await["handle"].clone();
    let block = json!({ "handle": handle, "data": base64("x") });
    for _ in 0..2 {
        sandbox.clock().advance(Duration::from_secs(599));
        post(&client, "add-block", block.clone()).await;
    }
    sandbox.clock().advance(Duration::from_secs(600));
    assert_eq!(refused(&client, "add-block", block).await.0, 404);
}

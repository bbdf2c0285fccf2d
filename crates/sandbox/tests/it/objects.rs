//! Workspace objects: notebooks, files, folders.

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::client::{Client, read, start};

const IMPORT: &str = "/api/2.0/workspace/import";
const NOTEBOOK: &str =
    "# Databricks notebook source\nprint(1)\n\n# COMMAND ----------\n\n# MAGIC %sql\n# MAGIC SELECT 1\n";

fn content(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

async fn status(client: &Client, path: &str) -> Value {
    client.got(&format!("/api/2.0/workspace/get-status?path={path}")).await
}

async fn exported(client: &Client, query: &str) -> (String, Value) {
    let answer = client.got(&format!("/api/2.0/workspace/export?{query}")).await;
    let bytes = BASE64_STANDARD.decode(answer["content"].as_str().unwrap()).unwrap();
    (String::from_utf8(bytes).unwrap(), answer["file_type"].clone())
}

fn code((status, body): (reqwest::StatusCode, Value)) -> (u16, String) {
    (status.as_u16(), body["error_code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_fresh_workspace_has_its_folders() {
    let (_sandbox, client) = start().await;
    let paths = |listed: &Value| -> Vec<String> {
        let objects = listed["objects"].as_array().unwrap();
        objects.iter().map(|object| object["path"].as_str().unwrap().to_owned()).collect()
    };
    let root = client.got("/api/2.0/workspace/list?path=/").await;
    assert_eq!(paths(&root), ["/Repos", "/Shared", "/Users"]);
    let shared = client.got("/api/2.0/workspace/list?path=/Workspace//Shared/import/").await;
    assert_eq!(paths(&shared), ["/Shared/import/check", "/Shared/import/load.py"]);
    let notebook = &shared["objects"][0];
    assert_eq!((&notebook["object_type"], &notebook["language"]), (&json!("NOTEBOOK"), &json!("PYTHON")));
    assert!(
        notebook["object_id"].as_i64().unwrap() > 1 << 53 && notebook.get("size").is_none(),
        "{notebook}"
    );
    assert_eq!(shared["objects"][1]["size"], 24);
    // The path of a file lists the file, an empty folder nothing, and a missing one is an error.
    assert_eq!(paths(&client.got("/api/2.0/workspace/list?path=/Shared/import/load.py").await).len(), 1);
    let home = "/api/2.0/workspace/list?path=/Users/ada.sandbox@example.com";
    assert_eq!(client.got(home).await, json!({}));
    let missing = client.get("/api/2.0/workspace/list?path=/Shared/none").await;
    assert_eq!(code(missing), (404, "RESOURCE_DOES_NOT_EXIST".to_owned()));
    assert_eq!(code(client.get("/api/2.0/workspace/list?path=x").await).0, 400);
}

#[tokio::test]
async fn each_format_becomes_what_it_should() {
    let (_sandbox, client) = start().await;
    let import = async |body: Value| code(client.post(IMPORT, body).await).0;
    for (path, format, language, text, becomes, kind) in [
        ("/Shared/a.py", "AUTO", None, NOTEBOOK, "/Shared/a", "NOTEBOOK"),
        ("/Shared/b.py", "AUTO", None, "print(1)", "/Shared/b.py", "FILE"),
        ("/Shared/c.sql", "AUTO", None, "-- Databricks notebook source\nSELECT 1", "/Shared/c", "NOTEBOOK"),
        ("/Shared/d.py", "RAW", None, NOTEBOOK, "/Shared/d.py", "FILE"),
        ("/Shared/e.py", "SOURCE", Some("PYTHON"), "print(1)", "/Shared/e.py", "NOTEBOOK"),
        (
            "/Shared/f.ipynb",
            "AUTO",
            None,
            r#"{"cells":[{"cell_type":"code","source":["1"]}]}"#,
            "/Shared/f",
            "NOTEBOOK",
        ),
        ("/Shared/g.ipynb", "AUTO", None, "not a notebook", "/Shared/g.ipynb", "FILE"),
    ] {
        let body = json!({ "path": path, "format": format, "language": language, "content": content(text) });
        assert_eq!(import(body).await, 200, "{path}");
        assert_eq!(status(&client, becomes).await["object_type"], kind, "{path}");
    }
    for (format, language, text) in [
        ("SOURCE", None, "x"),
        ("SOURCE", Some("COBOL"), "x"),
        ("JUPYTER", None, "x"),
        ("DBC", None, "x"),
        ("NEW", None, "x"),
    ] {
        let body =
            json!({ "path": "/Shared/x", "format": format, "language": language, "content": content(text) });
        assert_eq!(import(body).await, 400, "{format}");
    }
    assert_eq!(import(json!({ "path": "/Shared/x", "format": "RAW", "content": "!" })).await, 400);
}

#[tokio::test]
async fn a_notebook_comes_back_in_each_format_and_a_file_as_it_is() {
    let (_sandbox, client) = start().await;
    let body = json!({ "path": "/Shared/50%41 ü.py", "format": "AUTO", "content": content(NOTEBOOK) });
    client.posted(IMPORT, body).await;
    let path = "path=/Shared/50%2541%20%C3%BC";
    assert_eq!(exported(&client, path).await, (NOTEBOOK.to_owned(), json!("py")));
    let (jupyter, extension) = exported(&client, &format!("{path}&format=JUPYTER")).await;
    let jupyter: Value = serde_json::from_str(&jupyter).unwrap();
    assert_eq!((&jupyter["cells"][1]["source"][0], extension), (&json!("%sql\nSELECT 1"), json!("ipynb")));
    assert!(exported(&client, &format!("{path}&format=HTML")).await.0.contains("<pre>"));
    let direct = format!("/api/2.0/workspace/export?{path}&direct_download=true");
    let answer = client.send(reqwest::Method::GET, &direct, None).await.unwrap();
    assert_eq!(answer.text().await.unwrap(), NOTEBOOK);
    let (text, extension) = exported(&client, "path=/Shared/import/load.py&format=AUTO").await;
    assert_eq!((text.as_str(), extension), ("print('loaded 3 files')\n", json!("py")));
    for refused in ["path=/Shared/import&format=DBC", "path=/Shared/import/load.py&format=JUPYTER"] {
        assert_eq!(code(client.get(&format!("/api/2.0/workspace/export?{refused}")).await).0, 400);
    }
    assert_eq!(code(client.get("/api/2.0/workspace/export?path=/none").await).0, 404);
}

#[tokio::test]
async fn an_object_replaces_only_its_like_and_only_if_told() {
    let (_sandbox, client) = start().await;
    let raw = |path: &str, overwrite: bool| json!({ "path": path, "format": "RAW", "content": "eA==", "overwrite": overwrite });
    client.posted(IMPORT, raw("/Shared/a", false)).await;
    let before = status(&client, "/Shared/a").await;
    let again = client.post(IMPORT, raw("/Shared/a", false)).await;
    assert_eq!(code(again), (400, "RESOURCE_ALREADY_EXISTS".to_owned()));
    client.posted(IMPORT, raw("/Shared/a", true)).await;
    assert_eq!(status(&client, "/Shared/a").await["object_id"], before["object_id"]);
    let mismatch = client.post(IMPORT, raw("/Shared/import/check", true)).await;
    assert_eq!(code(mismatch), (400, "INVALID_PARAMETER_VALUE".to_owned()));
    let (status, orphan) = client.post(IMPORT, raw("/Shared/none/a", false)).await;
    assert_eq!(status, 404);
    assert_eq!(orphan["message"], "The parent folder (/Shared/none) does not exist.");
    let large =
        json!({ "path": "/Shared/l", "format": "RAW", "content": content(&"x".repeat((10 << 20) + 1)) });
    assert_eq!(code(client.post(IMPORT, large).await), (400, "MAX_NOTEBOOK_SIZE_EXCEEDED".to_owned()));
}

#[tokio::test]
async fn folders_are_made_with_those_above_and_deleted_when_empty() {
    let (_sandbox, client) = start().await;
    let mkdirs =
        async |path: &str| code(client.post("/api/2.0/workspace/mkdirs", json!({ "path": path })).await);
    let delete = async |path: &str, recursive: bool| {
        let body = json!({ "path": path, "recursive": recursive });
        code(client.post("/api/2.0/workspace/delete", body).await)
    };
    for _ in 0..2 {
        assert_eq!(mkdirs("/Workspace/Shared/x/y/z").await.0, 200);
    }
    assert_eq!(status(&client, "/Shared/x/y").await["object_type"], "DIRECTORY");
    let blocked = mkdirs("/Shared/import/load.py/x").await;
    assert_eq!(blocked, (400, "RESOURCE_ALREADY_EXISTS".to_owned()));
    assert_eq!(delete("/Shared/x", false).await, (400, "DIRECTORY_NOT_EMPTY".to_owned()));
    assert_eq!(delete("/Shared/x/y/z", false).await.0, 200);
    assert_eq!(delete("/Shared/x", true).await.0, 200);
    assert_eq!(delete("/Shared/x", true).await, (404, "RESOURCE_DOES_NOT_EXIST".to_owned()));
    for kept in ["/", "/Shared", "/Users/ada.sandbox@example.com"] {
        assert_eq!(delete(kept, true).await.0, 400, "{kept}");
    }
}

#[tokio::test]
async fn a_form_is_read_like_json() {
    let (_sandbox, client) = start().await;
    let form = Form::new()
        .text("path", "/Shared/up.py")
        .text("format", "AUTO")
        .text("overwrite", "true")
        .part("content", Part::bytes(NOTEBOOK.as_bytes()).file_name("content"));
    let url = format!("{}{IMPORT}", client.url);
    let answer = client.http.post(url).bearer_auth(&client.token).multipart(form).send().await.unwrap();
    assert_eq!(read(answer).await, (reqwest::StatusCode::OK, json!({})));
    assert_eq!(exported(&client, "path=/Shared/up").await.0, NOTEBOOK);
}

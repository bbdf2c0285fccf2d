//! Git folders.

use brickwire_sandbox::Sandbox;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, read, start, start_with};

const REPOS: &str = "/api/2.0/repos";

async fn create(client: &Client, path: &str) -> Value {
    let url = "https://github.com/example/etl.git";
    client.posted(REPOS, json!({ "url": url, "provider": "GITHUB", "path": path })).await
}

async fn patch(client: &Client, id: &Value, body: Value) -> u16 {
    let answer = client.send(Method::PATCH, &format!("{REPOS}/{id}"), Some(&body)).await.unwrap();
    read(answer).await.0.as_u16()
}

#[tokio::test]
async fn a_git_folder_is_a_folder_with_a_commit() {
    let (_sandbox, client) = start().await;
    let made = create(&client, "").await;
    assert_eq!(made["path"], "/Repos/ada.sandbox@example.com/etl");
    assert_eq!((&made["provider"], &made["branch"]), (&json!("gitHub"), &json!("main")));
    let head = |repo: &Value| repo["head_commit_id"].as_str().unwrap().to_owned();
    assert_eq!(head(&made).len(), 40);
    let one = format!("{REPOS}/{}", made["id"]);
    assert_eq!(client.got(&one).await, made);
    let path = "path=/Repos/ada.sandbox@example.com/etl";
    let object = client.got(&format!("/api/2.0/workspace/get-status?{path}")).await;
    assert_eq!((&object["object_type"], &object["object_id"]), (&json!("REPO"), &made["id"]));
    assert!(client.got(&format!("/api/2.0/workspace/list?{path}")).await["objects"].is_array());

    assert_eq!(patch(&client, &made["id"], json!({ "branch": "next" })).await, 200);
    let next = client.got(&one).await;
    assert!(next["branch"] == "next" && head(&next) != head(&made), "{next}");
    assert_eq!(patch(&client, &made["id"], json!({ "tag": "v1" })).await, 200);
    assert!(client.got(&one).await.get("branch").is_none());
    assert_eq!(patch(&client, &made["id"], json!({ "branch": "main" })).await, 200);
    assert_eq!(client.got(&one).await, made);
    for wrong in
        [json!({}), json!({ "branch": "a", "tag": "b" }), json!({ "sparse_checkout": { "patterns": [] } })]
    {
        assert_eq!(patch(&client, &made["id"], wrong).await, 400);
    }
    client.send(Method::DELETE, &one, None).await.unwrap().error_for_status().unwrap();
    assert_eq!(client.get(&one).await.0, 404);
    assert_eq!(client.get(&format!("/api/2.0/workspace/get-status?{path}")).await.0, 404);
    assert_eq!(patch(&client, &made["id"], json!({ "branch": "a" })).await, 404);
}

#[tokio::test]
async fn the_list_is_paged_by_its_own_token_and_filtered() {
    let (_sandbox, client) = start_with(Sandbox::builder().with_page_size(2)).await;
    for name in ["a", "b", "c"] {
        create(&client, &format!("/Repos/ada.sandbox@example.com/{name}")).await;
    }
    create(&client, "/Shared/d").await;
    let first = client.got(REPOS).await;
    let token = first["next_page_token"].as_str().unwrap();
    let second = client.got(&format!("{REPOS}?next_page_token={token}")).await;
    let names: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["repos"].as_array().unwrap())
        .map(|repo| repo["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(second.get("next_page_token").is_none());
    assert_eq!(
        client.got(&format!("{REPOS}?path_prefix=/Workspace/Shared")).await["repos"][0]["path"],
        "/Shared/d"
    );
    assert_eq!(client.got(&format!("{REPOS}?path_prefix=/Users")).await, json!({}));
}

#[tokio::test]
async fn a_clone_needs_a_free_place_and_a_known_provider() {
    let (_sandbox, client) = start().await;
    create(&client, "/Shared/a").await;
    let url = "https://github.com/example/etl";
    for (body, status) in [
        (json!({ "url": url, "provider": "gitHub", "path": "/Shared/a" }), 400),
        (json!({ "url": url, "provider": "gitHub", "path": "/Repos/x" }), 400),
        (json!({ "url": url, "provider": "gitHub", "path": "/Repos/none/x" }), 404),
        (json!({ "url": url, "provider": "sourceForge" }), 400),
        (json!({ "url": url }), 400),
    ] {
        assert_eq!(client.post(REPOS, body.clone()).await.0, status, "{body}");
    }
}

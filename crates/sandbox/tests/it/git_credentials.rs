//! Git credentials.

use reqwest::Method;
use serde_json::json;

use crate::client::start;

const CREDENTIALS: &str = "/api/2.0/git-credentials";

#[tokio::test]
async fn a_credential_is_kept_without_its_token() {
    let (_sandbox, client) = start().await;
    assert_eq!(client.got(CREDENTIALS).await, json!({}));
    assert_eq!(client.post(CREDENTIALS, json!({ "git_username": "ada" })).await.0, 400);
    let body = json!({ "git_provider": "gitHub", "git_username": "ada", "personal_access_token": "hush" });
    let made = client.posted(CREDENTIALS, body.clone()).await;
    assert!(made["is_default_for_provider"] == true && !made.to_string().contains("hush"), "{made}");
    assert_eq!(client.posted(CREDENTIALS, body).await["is_default_for_provider"], false);
    let one = format!("{CREDENTIALS}/{}", made["credential_id"]);
    client.send(Method::DELETE, &one, None).await.unwrap().error_for_status().unwrap();
    assert_eq!(client.send(Method::DELETE, &one, None).await.unwrap().status(), 404);
    assert_eq!(client.got(CREDENTIALS).await["credentials"].as_array().unwrap().len(), 1);
}

use reqwest::Method;
use serde_json::json;

use crate::client::{read, start};

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let (_sandbox, client) = start().await;
    for (method, path) in [(Method::GET, "/api/2.1/moon/list"), (Method::DELETE, "/api/2.1/clusters/list")] {
        let (status, body) = read(client.send(method.clone(), path, None).await.unwrap()).await;
        assert_eq!((status.as_u16(), &body["error_code"]), (404, &json!("ENDPOINT_NOT_FOUND")), "{path}");
        let short = path.trim_start_matches("/api/2.1");
        assert_eq!(body["message"], format!("No API found for '{method} {short}'"));
    }
    let (status, body) = client.get("/api/9.9/clusters/list").await;
    assert_eq!((status.as_u16(), body), (404, json!({ "error": "Bad Target: /api/9.9/clusters/list" })));
    let (status, body) = client.get("/login").await;
    assert_eq!(status, 404);
    assert!(body.as_str().is_some_and(|page| page.contains("<title>Error 404 Not Found</title>")), "{body}");
}

#[tokio::test]
async fn each_api_has_its_own_shape() {
    let (_sandbox, client) = start().await;
    let (status, body) = client.get("/api/1.2/contexts/status?clusterId=nope&contextId=1").await;
    assert_eq!((status.as_u16(), body), (400, json!({ "error": "Cluster nope does not exist" })));

    let (_, body) = client.get("/api/2.1/clusters/get?cluster_id=nope").await;
    assert_eq!(body["details"][0]["@type"], "type.googleapis.com/google.rpc.RequestInfo");

    let (status, body) = client.get("/api/2.0/accounts/1/workspaces").await;
    assert_eq!(status, 404);
    assert_eq!(body, "ENDPOINT_NOT_FOUND: No API found for 'GET /accounts/1/workspaces'");

    let (status, body) = client.get("/api/2.0/preview/scim/v2/Users/5").await;
    assert_eq!((status.as_u16(), &body["status"]), (404, &json!("404")));
    assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
}

#[tokio::test]
async fn a_body_that_is_no_json_is_malformed() {
    let (_sandbox, client) = start().await;
    for text in ["{", "[]", "warehouse"] {
        let request =
            client.http.post(format!("{}/api/2.0/sql/statements", client.url)).bearer_auth(&client.token);
        let (status, body) = read(request.body(text).send().await.unwrap()).await;
        assert_eq!((status.as_u16(), &body["error_code"]), (400, &json!("MALFORMED_REQUEST")), "{text}");
    }
}

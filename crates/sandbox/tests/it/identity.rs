use std::time::Duration;

use brickwire_sandbox::{Clock, Sandbox};
use reqwest::header::HOST;
use serde_json::{Value, json};

use crate::client::{Client, read, start, start_with};

const ME: &str = "/api/2.0/preview/scim/v2/Me";

#[tokio::test]
async fn a_missing_token_is_401_and_a_wrong_one_403() {
    let (_sandbox, client) = start().await;
    let missing = client.http.get(format!("{}{ME}", client.url)).send().await.unwrap();
    let message = "Credential was not sent or was of an unsupported type for this API.";
    assert_eq!(missing.headers()["x-databricks-reason-phrase"], message);
    let (status, body) = read(missing).await;
    assert_eq!((status.as_u16(), body), (401, json!({ "error_code": 401, "message": message })));

    let basic =
        client.http.get(format!("{}{ME}", client.url)).basic_auth("ada", Some("x")).send().await.unwrap();
    assert_eq!(basic.status(), 401);

    let wrong = Client { token: "dapi-wrong".to_owned(), http: client.http.clone(), url: client.url.clone() };
    let (status, body) = wrong.get("/api/2.1/clusters/list").await;
    assert_eq!(
        (status.as_u16(), body),
        (403, json!({ "error_code": 403, "message": "Invalid access token." }))
    );
}

#[tokio::test]
async fn me_says_who_the_token_belongs_to() {
    let (_sandbox, client) = start().await;
    let response = client.send(reqwest::Method::GET, ME, None).await.unwrap();
    let workspace: u64 = response.headers()["x-databricks-org-id"].to_str().unwrap().parse().unwrap();
    assert!(workspace > 1 << 49, "{workspace}");
    let (_, me) = read(response).await;
    assert_eq!(me["userName"], "ada.sandbox@example.com");
    assert!(me["groups"][0]["$ref"].as_str().is_some_and(|path| path.starts_with("Groups/")), "{me}");

    let short = client.got(&format!("{ME}?excludedAttributes=entitlements,groups")).await;
    assert!(short.get("groups").is_none() && short.get("userName").is_some(), "{short}");
    let only = client.got(&format!("{ME}?attributes=userName")).await;
    assert!(only.get("emails").is_none() && only.get("userName").is_some(), "{only}");
}

#[tokio::test]
async fn each_token_opens_a_workspace_of_its_own() {
    let (sandbox, first) = start().await;
    let second = Client::new(&sandbox, &sandbox.fresh_token());
    first.posted("/api/2.0/sql/warehouses/8d20b5ce9913fa46/start", json!({})).await;
    assert_eq!(first.got("/api/2.0/sql/warehouses/8d20b5ce9913fa46").await["state"], "STARTING");
    assert_eq!(second.got("/api/2.0/sql/warehouses/8d20b5ce9913fa46").await["state"], "STOPPED");
}

async fn token(
    client: &Client,
    path: &str,
    basic: Option<(&str, &str)>,
    form: &[(&str, &str)],
) -> (u16, Value) {
    let mut request = client.http.post(format!("{}{path}", client.url)).form(form);
    if let Some((id, secret)) = basic {
        request = request.basic_auth(id, Some(secret));
    }
    let (status, body) = read(request.send().await.unwrap()).await;
    (status.as_u16(), body)
}

#[tokio::test]
async fn client_credentials_become_a_token_until_it_expires() {
    let clock = Clock::standing_at(1_700_000_000_000);
    let builder = Sandbox::builder().with_clock(clock.clone()).with_token_ttl(Duration::from_secs(60));
    let (sandbox, mut client) = start_with(builder).await;
    let (id, secret) = (sandbox.client_id(), sandbox.client_secret());
    let account = format!("/oidc/accounts/{}/v1/token", sandbox.account_id());
    let form = [("grant_type", "client_credentials"), ("scope", "all-apis")];
    let with_secret = [form[0], form[1], ("client_id", id), ("client_secret", secret)];
    for (path, basic, form) in [
        ("/oidc/v1/token", Some((id, secret)), &form[..]),
        ("/oidc/v1/token", None, &with_secret[..]),
        (account.as_str(), Some((id, secret)), &form[..]),
    ] {
        let (status, body) = token(&client, path, basic, form).await;
        assert_eq!(status, 200, "{path}: {body}");
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(60)));
        client.token = body["access_token"].as_str().unwrap().to_owned();
        assert_eq!(client.got(ME).await["userName"], id);
    }
    clock.advance(Duration::from_secs(59));
    assert_eq!(client.get(ME).await.0, 200);
    clock.advance(Duration::from_secs(1));
    let (status, body) = client.get(ME).await;
    assert_eq!((status.as_u16(), &body["message"]), (401, &json!("Token is expired")));
}

#[tokio::test]
async fn the_token_endpoint_refuses_in_the_words_of_oauth() {
    let (sandbox, client) = start().await;
    let (id, secret) = (sandbox.client_id(), sandbox.client_secret());
    let grant = ("grant_type", "client_credentials");
    for (basic, form, status, error) in [
        (Some((id, "wrong")), vec![grant], 401, "invalid_client"),
        (None, vec![grant], 401, "invalid_client"),
        (Some((id, secret)), vec![], 400, "invalid_request"),
        (Some((id, secret)), vec![("grant_type", "password")], 400, "unsupported_grant_type"),
        (Some((id, secret)), vec![grant, ("scope", "everything")], 400, "invalid_scope"),
    ] {
        let (got, body) = token(&client, "/oidc/v1/token", basic, &form).await;
        assert_eq!((got, body["error"].as_str()), (status, Some(error)), "{form:?}: {body}");
        assert!(body["error_description"].is_string());
    }
    let (status, _) = token(&client, "/oidc/accounts/other/v1/token", Some((id, secret)), &[grant]).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn discovery_needs_no_token_and_leads_to_the_endpoint() {
    let (_sandbox, client) = start().await;
    let bare = |path: &str| client.http.get(format!("{}{path}", client.url)).send();
    let (_, config) = read(bare("/.well-known/databricks-config").await.unwrap()).await;
    assert_eq!(config["oidc_endpoint"], format!("{}/oidc", client.url));
    let (_, metadata) = read(bare("/oidc/.well-known/oauth-authorization-server").await.unwrap()).await;
    assert_eq!(metadata["token_endpoint"], format!("{}/oidc/v1/token", client.url));
}

#[tokio::test]
async fn a_foreign_host_header_reaches_nothing() {
    let (sandbox, client) = start().await;
    for host in ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:1"] {
        let request =
            client.http.get(format!("{}{ME}", client.url)).bearer_auth(sandbox.token()).header(HOST, host);
        assert_eq!(request.send().await.unwrap().status(), 421, "{host}");
    }
    let port = client.url.rsplit(':').next().unwrap();
    let request = client.http.get(format!("{}{ME}", client.url)).bearer_auth(sandbox.token());
    assert_eq!(request.header(HOST, format!("localhost:{port}")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_client_that_signs_in_is_in_the_directory() {
    let (sandbox, mut client) = start().await;
    let (id, secret) = (sandbox.client_id(), sandbox.client_secret());
    let form = [("grant_type", "client_credentials"), ("scope", "all-apis")];
    let (_, body) = token(&client, "/oidc/v1/token", Some((id, secret)), &form).await;
    client.token = body["access_token"].as_str().unwrap().to_owned();
    let me = client.got(ME).await;
    let principal = format!("/api/2.0/preview/scim/v2/ServicePrincipals/{}", me["id"].as_str().unwrap());
    let known = client.got(&principal).await;
    assert_eq!((&known["applicationId"], &me["userName"]), (&json!(id), &json!(id)));
    assert_eq!(known["groups"], me["groups"]);
    for group in me["groups"].as_array().unwrap() {
        let path = format!("/api/2.0/preview/scim/v2/{}", group["$ref"].as_str().unwrap());
        let members = client.got(&path).await["members"].clone();
        assert!(members.as_array().unwrap().iter().any(|member| member["value"] == me["id"]), "{members}");
    }
    assert_eq!(client.send(reqwest::Method::DELETE, &principal, None).await.unwrap().status(), 403);
}

use brickwire_sandbox::seed::USER_NAME;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Client, read, start};

const SCIM: &str = "/api/2.0/preview/scim/v2";

async fn found(client: &Client, path: &str) -> Vec<Value> {
    let body = client.got(&format!("{SCIM}/{path}")).await;
    body["Resources"].as_array().cloned().unwrap_or_default()
}

async fn patch(client: &Client, path: &str, operations: Value) -> (StatusCode, Value) {
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
    let body = json!({ "schemas": schemas, "Operations": operations });
    read(client.send(Method::PATCH, &format!("{SCIM}/{path}"), Some(&body)).await.unwrap()).await
}

/// The names of a group's members.
async fn members(client: &Client, id: &str) -> Vec<String> {
    let group = client.got(&format!("{SCIM}/Groups/{id}")).await;
    let members = group["members"].as_array().cloned().unwrap_or_default();
    members.iter().map(|member| member["display"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn entries_are_paged_filtered_and_projected() {
    let (_sandbox, client) = start().await;
    let answer = client.send(Method::GET, &format!("{SCIM}/Users?count=1"), None).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/scim+json; charset=utf-8");
    let first: Value = answer.json().await.unwrap();
    assert_eq!(
        (&first["totalResults"], &first["itemsPerPage"], &first["startIndex"]),
        (&json!(2), &json!(1), &json!(1))
    );
    let second = found(&client, "Users?count=1&startIndex=2").await;
    assert_eq!(second[0]["userName"], "grace.sandbox@example.com");
    assert!(found(&client, "Users?startIndex=3").await.is_empty());
    let filter = "Users?attributes=userName&filter=userName%20eq%20%22ADA.sandbox%40example.com%22";
    let ada = found(&client, filter).await;
    assert!(ada.len() == 1 && ada[0]["userName"] == USER_NAME && ada[0].get("emails").is_none(), "{ada:?}");
    assert_eq!(client.got(&format!("{SCIM}/Me")).await["id"], ada[0]["id"]);
    let (status, body) = client.get(&format!("{SCIM}/Users?filter=userName")).await;
    assert_eq!((status.as_u16(), &body["scimType"]), (400, &json!("invalidFilter")));
    let names: Vec<_> = found(&client, "Groups").await.iter().map(|one| one["displayName"].clone()).collect();
    assert_eq!(names, ["users", "admins", "data-engineers"]);
}

#[tokio::test]
async fn a_group_has_members_of_every_kind() {
    let (_sandbox, client) = start().await;
    let made = client.post(&format!("{SCIM}/Users"), json!({ "userName": "new@example.com" })).await;
    assert_eq!((made.0.as_u16(), &made.1["active"]), (201, &json!(true)));
    let (user, robot) =
        (made.1["id"].as_str().unwrap(), found(&client, "ServicePrincipals").await[0]["id"].clone());
    let group = client
        .post(&format!("{SCIM}/Groups"), json!({ "displayName": "team", "members": [{ "value": user }] }))
        .await;
    let group = group.1["id"].as_str().unwrap().to_owned();
    assert_eq!(members(&client, &group).await, ["new@example.com"]);
    let path = format!("Groups/{group}");
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": robot }, { "value": user }] }]);
    for _ in 0..2 {
        assert_eq!(patch(&client, &path, add.clone()).await.0, 204);
        assert_eq!(members(&client, &group).await, ["nightly-deployment", "new@example.com"]);
    }
    let shown = client.got(&format!("{SCIM}/Users/{user}")).await;
    assert_eq!(
        (&shown["groups"][0]["display"], &shown["groups"][0]["value"]),
        (&json!("team"), &json!(group))
    );
    let unknown = json!([{ "op": "add", "path": "members", "value": [{ "value": "5" }] }]);
    let (status, body) = patch(&client, &path, unknown).await;
    assert_eq!((status.as_u16(), &body["detail"]), (404, &json!("Member with id 5 not found.")));
    let remove = json!([{ "op": "remove", "path": format!("members[value eq \"{user}\"]") }]);
    assert_eq!(patch(&client, &path, remove).await.0, 204);
    assert_eq!(members(&client, &group).await, ["nightly-deployment"]);
    // A deleted member leaves its groups.
    let id = robot.as_str().unwrap();
    assert_eq!(
        client.send(Method::DELETE, &format!("{SCIM}/ServicePrincipals/{id}"), None).await.unwrap().status(),
        204
    );
    assert!(members(&client, &group).await.is_empty());
    assert_eq!(client.get(&format!("{SCIM}/ServicePrincipals/{id}")).await.0, 404);
}

#[tokio::test]
async fn what_is_taken_built_in_or_oneself_is_refused() {
    let (_sandbox, client) = start().await;
    let (status, body) =
        client.post(&format!("{SCIM}/Users"), json!({ "userName": USER_NAME.to_uppercase() })).await;
    assert_eq!(
        (status.as_u16(), &body["scimType"], &body["status"]),
        (409, &json!("uniqueness"), &json!("409"))
    );
    let (status, _) = client.post(&format!("{SCIM}/Groups"), json!({ "displayName": "admins" })).await;
    assert_eq!(status, 409);
    assert_eq!(client.post(&format!("{SCIM}/Groups"), json!({})).await.0, 400);
    let me = client.got(&format!("{SCIM}/Me")).await["id"].as_str().unwrap().to_owned();
    let admins = found(&client, "Groups?filter=displayName%20eq%20%22admins%22").await[0]["id"].clone();
    for path in [format!("Users/{me}"), format!("Groups/{}", admins.as_str().unwrap())] {
        let answer = client.send(Method::DELETE, &format!("{SCIM}/{path}"), None).await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
    assert_eq!(patch(&client, &format!("Users/{me}"), json!([])).await.0, 400);
    // Names of service principals need not be unique.
    for _ in 0..2 {
        let (status, _) =
            client.post(&format!("{SCIM}/ServicePrincipals"), json!({ "displayName": "robot" })).await;
        assert_eq!(status, 201);
    }
}

//! Privileges: kept, inherited and refused.

use serde_json::{Value, json};

use crate::{
    catalogs::{ask, got, refused},
    client::{Client, start},
};

const ADA: &str = "ada.sandbox@example.com";

async fn update(client: &Client, place: &str, changes: Value) -> Value {
    let (status, answer) =
        ask(client, "PATCH", &format!("permissions/{place}"), json!({ "changes": changes })).await;
    assert_eq!(status, 200, "{place}: {answer}");
    answer
}

fn of(answer: &Value, principal: &str) -> Value {
    let all = answer["privilege_assignments"].as_array().cloned().unwrap_or_default();
    all.iter()
        .find(|one| one["principal"] == principal)
        .map(|one| one["privileges"].clone())
        .unwrap_or_default()
}

#[tokio::test]
async fn privileges_are_added_and_removed_and_twice_is_once() {
    let (_sandbox, client) = start().await;
    let change = json!([{ "principal": ADA, "add": ["SELECT", "MODIFY"], "remove": ["REFRESH"] }, { "principal": "users", "add": ["BROWSE"] }]);
    for _ in 0..2 {
        let answer = update(&client, "CATALOG/Main", change.clone()).await;
        assert_eq!(
            (of(&answer, ADA), of(&answer, "users")),
            (json!(["MODIFY", "SELECT"]), json!(["BROWSE"]))
        );
        // What was there stays.
        assert_eq!(of(&answer, "account users"), json!(["USE_CATALOG"]));
        assert_eq!(got(&client, "permissions/catalog/main").await, answer);
    }
    let only = got(&client, &format!("permissions/catalog/main?principal={ADA}")).await;
    assert_eq!(
        only,
        json!({ "privilege_assignments": [{ "principal": ADA, "privileges": ["MODIFY", "SELECT"] }] })
    );
    let answer =
        update(&client, "catalog/main", json!([{ "principal": ADA, "remove": ["SELECT", "MODIFY"] }])).await;
    assert_eq!(of(&answer, ADA), Value::Null);
    let body = json!({ "changes": [{ "principal": "users", "add": ["USE_CATALOG"] }], "omit_permissions_in_response": true });
    assert_eq!(ask(&client, "PATCH", "permissions/catalog/main", body).await.1, json!({}));
}

#[tokio::test]
async fn privileges_are_inherited_with_their_origin() {
    let (_sandbox, client) = start().await;
    update(
        &client,
        "function/main.default.churn",
        json!([{ "principal": "account users", "add": ["EXECUTE"] }]),
    )
    .await;
    let direct = got(&client, "permissions/function/main.default.churn").await;
    assert_eq!(of(&direct, "account users"), json!(["EXECUTE"]));
    let all = of(&got(&client, "effective-permissions/function/main.default.churn").await, "account users");
    assert_eq!(all[0], json!({ "privilege": "EXECUTE" }));
    let all = all.as_array().unwrap();
    let inherited = |privilege: &str, kind: &str, name: &str| {
        all.contains(
            &json!({ "privilege": privilege, "inherited_from_type": kind, "inherited_from_name": name }),
        )
    };
    assert!(
        inherited("USE_SCHEMA", "SCHEMA", "main.default") && inherited("USE_CATALOG", "CATALOG", "main"),
        "{all:?}"
    );
    // They go with their object.
    ask(&client, "DELETE", "models/main.default.churn", Value::Null).await;
    assert_eq!(refused(&client, "GET", "permissions/function/main.default.churn", Value::Null).await.0, 404);
}

#[tokio::test]
async fn what_cannot_be_granted_changes_nothing() {
    let (_sandbox, client) = start().await;
    let before = got(&client, "permissions/schema/main.default").await;
    for (changes, status, code) in [
        (
            json!([{ "principal": ADA, "add": ["SELECT"], "remove": ["SELECT"] }]),
            400,
            "INVALID_PARAMETER_VALUE",
        ),
        (json!([{ "principal": ADA, "add": ["USE_CATALOG"] }]), 400, "INVALID_PARAMETER_VALUE"),
        (
            json!([{ "principal": ADA, "add": ["SELECT"] }, { "principal": "nobody@example.com", "add": ["SELECT"] }]),
            404,
            "PRINCIPAL_DOES_NOT_EXIST",
        ),
    ] {
        let body = json!({ "changes": changes });
        let error = refused(&client, "PATCH", "permissions/schema/main.default", body).await;
        assert_eq!((error.0, error.1.as_str()), (status, code), "{}", error.2);
    }
    assert_eq!(got(&client, "permissions/schema/main.default").await, before);
    for (place, code) in [
        ("table/main.default.gone", "TABLE_DOES_NOT_EXIST"),
        ("schema/main.gone", "SCHEMA_DOES_NOT_EXIST"),
        ("catalog/gone", "CATALOG_DOES_NOT_EXIST"),
        ("metastore/gone", "METASTORE_DOES_NOT_EXIST"),
        ("kettle/main", "INVALID_PARAMETER_VALUE"),
        ("catalog/main?max_results=10", "INVALID_PARAMETER_VALUE"),
    ] {
        assert_eq!(
            refused(&client, "GET", &format!("permissions/{place}"), Value::Null).await.1,
            code,
            "{place}"
        );
    }
}

#[tokio::test]
async fn privileges_go_to_whom_the_directory_knows() {
    let (sandbox, client) = start().await;
    let change = |principal: &str| json!({ "changes": [{ "principal": principal, "add": ["SELECT"] }] });
    let schema = "permissions/schema/main.default";
    let unknown = "00000000-1111-4222-8333-444444444444";
    assert_eq!(refused(&client, "PATCH", schema, change(unknown)).await.1, "PRINCIPAL_DOES_NOT_EXIST");
    let robot = json!({ "displayName": "robot", "applicationId": unknown });
    assert_eq!(client.post("/api/2.0/preview/scim/v2/ServicePrincipals", robot).await.0, 201);
    for known in
        [unknown, "grace.sandbox@example.com", "data-engineers", "account users", sandbox.client_id()]
    {
        assert_eq!(ask(&client, "PATCH", schema, change(known)).await.0, 200, "{known}");
        let own = of(&got(&client, schema).await, known);
        assert!(own.as_array().unwrap().contains(&json!("SELECT")), "{known}: {own}");
    }
}

#[tokio::test]
async fn privileges_on_a_volume_follow_it() {
    let (_sandbox, client) = start().await;
    let place = "permissions/volume/main.default.files";
    let change = |privilege: &str| json!({ "changes": [{ "principal": ADA, "add": [privilege] }] });
    assert_eq!(ask(&client, "PATCH", place, change("READ_VOLUME")).await.0, 200);
    assert_eq!(refused(&client, "PATCH", place, change("SELECT")).await.0, 400);
    ask(&client, "PATCH", "volumes/main.default.files", json!({ "new_name": "moved" })).await;
    assert_eq!(refused(&client, "GET", place, Value::Null).await.1, "VOLUME_DOES_NOT_EXIST");
    let moved = "permissions/volume/main.default.moved";
    assert_eq!(of(&got(&client, moved).await, ADA), json!(["READ_VOLUME"]));
    ask(&client, "DELETE", "volumes/main.default.moved", Value::Null).await;
    let again = json!({ "catalog_name": "main", "schema_name": "default", "name": "moved", "volume_type": "MANAGED" });
    assert_eq!(ask(&client, "POST", "volumes", again).await.0, 200);
    assert_eq!(got(&client, moved).await, json!({}));
}

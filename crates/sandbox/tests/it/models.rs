//! Registered models with their versions and aliases.

use brickwire_sandbox::seed::REGISTERED_MODEL;
use serde_json::{Value, json};

use crate::{
    catalogs::{ask, got, refused},
    client::start,
};

#[tokio::test]
async fn a_workspace_has_a_model_with_versions_and_an_alias() {
    let (_sandbox, client) = start().await;
    let model = format!("models/{REGISTERED_MODEL}");
    let list = got(&client, "models?catalog_name=main&schema_name=default").await;
    assert_eq!(
        (&list["registered_models"][0]["full_name"], list["registered_models"][0].get("aliases")),
        (&json!(REGISTERED_MODEL), None)
    );
    assert_eq!(got(&client, "models?max_results=0").await, list);
    assert!(got(&client, &model).await.get("aliases").is_none());
    let aliases = got(&client, &format!("{model}?include_aliases=true")).await["aliases"].clone();
    assert_eq!(
        (&aliases[0]["alias_name"], &aliases[0]["version_num"], &aliases[0]["model_name"]),
        (&json!("champion"), &json!(2), &json!("churn"))
    );
    let versions = got(&client, &format!("{model}/versions")).await;
    let numbers: Vec<_> = versions["model_versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["version"].as_u64().unwrap())
        .collect();
    assert_eq!((numbers, &versions["model_versions"][0]["status"]), (vec![2, 1], &json!("READY")));
    let version = got(&client, &format!("{model}/versions/2?include_aliases=true")).await;
    assert_eq!(
        (&version["run_workspace_id"], &version["aliases"][0]["alias_name"]),
        (&json!(9_007_199_254_740_993_u64), &json!("champion"))
    );
    assert_eq!(got(&client, &format!("{model}/aliases/champion?include_aliases=true")).await, version);
    assert_eq!(refused(&client, "GET", "models?catalog_name=main", Value::Null).await.0, 400);
}

#[tokio::test]
async fn an_alias_is_moved_and_goes_with_its_version() {
    let (_sandbox, client) = start().await;
    let path = |rest: &str| format!("models/{REGISTERED_MODEL}/{rest}");
    let alias = ask(&client, "PUT", &path("aliases/champion"), json!({ "version_num": 1 })).await.1;
    assert_eq!((&alias["alias_name"], &alias["version_num"]), (&json!("champion"), &json!(1)));
    ask(&client, "PUT", &path("aliases/next"), json!({ "version_num": 2 })).await;
    assert_eq!(got(&client, &path("aliases/champion")).await["version"], 1);
    assert_eq!(
        refused(&client, "PUT", &path("aliases/x"), json!({ "version_num": 9 })).await.1,
        "RESOURCE_DOES_NOT_EXIST"
    );
    assert_eq!(refused(&client, "PUT", &path("aliases/x"), json!({})).await.0, 400);
    let changed =
        ask(&client, "PATCH", &path("versions/1"), json!({ "comment": "old", "status": "x" })).await.1;
    assert_eq!((&changed["comment"], &changed["status"]), (&json!("old"), &json!("READY")));
    ask(&client, "DELETE", &path("versions/1"), Value::Null).await;
    assert_eq!(refused(&client, "GET", &path("aliases/champion"), Value::Null).await.0, 404);
    assert_eq!(refused(&client, "DELETE", &path("aliases/champion"), Value::Null).await.0, 404);
    assert_eq!(ask(&client, "DELETE", &path("aliases/next"), Value::Null).await.1, json!({}));
    assert_eq!(got(&client, &path("versions")).await["model_versions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_model_is_made_changed_and_deleted() {
    let (_sandbox, client) = start().await;
    let body =
        json!({ "catalog_name": "MAIN", "schema_name": "default", "name": "Forecast", "comment": "c" });
    let (status, model) = ask(&client, "POST", "models", body.clone()).await;
    assert_eq!((status.as_u16(), &model["full_name"]), (200, &json!("main.default.forecast")));
    assert!(model["storage_location"].is_string() && model["owner"].is_string(), "{model}");
    assert_eq!(refused(&client, "POST", "models", body).await.1, "RESOURCE_ALREADY_EXISTS");
    let other = json!({ "catalog_name": "main", "schema_name": "gone", "name": "x" });
    assert_eq!(refused(&client, "POST", "models", other).await.1, "SCHEMA_DOES_NOT_EXIST");
    let changed = ask(&client, "PATCH", "models/main.default.forecast", json!({ "comment": "d" })).await.1;
    assert_eq!((&changed["comment"], &changed["created_at"]), (&json!("d"), &model["created_at"]));
    assert_eq!(got(&client, "models/main.default.forecast/versions").await, json!({}));
    ask(&client, "DELETE", &format!("models/{REGISTERED_MODEL}"), Value::Null).await;
    assert_eq!(
        refused(&client, "GET", &format!("models/{REGISTERED_MODEL}/versions"), Value::Null).await.0,
        404
    );
    // What is in a schema goes with it.
    ask(&client, "DELETE", "schemas/main.default?force=true", Value::Null).await;
    assert_eq!(got(&client, "models").await, json!({}));
}

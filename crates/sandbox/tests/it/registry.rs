use brickwire_sandbox::{Sandbox, seed::REGISTRY_MODEL};
use serde_json::{Value, json};

use crate::client::{Client, start, start_with};

const ROOT: &str = "/api/2.0/mlflow";

async fn stages(client: &Client) -> Vec<(String, String)> {
    let path = format!("{ROOT}/model-versions/search?filter=name%3D%27{REGISTRY_MODEL}%27");
    let found = client.got(&path).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let versions = found["model_versions"].as_array().unwrap().iter();
    versions.map(|one| (text(&one["version"]), text(&one["current_stage"]))).collect()
}

#[tokio::test]
async fn a_version_moves_and_the_others_are_archived() {
    let (_sandbox, client) = start().await;
    let version = |number: &str, stage: &str| (number.to_owned(), stage.to_owned());
    assert_eq!(
        stages(&client).await,
        [version("1", "Archived"), version("2", "Production"), version("3", "Staging")]
    );
    let body = json!({ "name": REGISTRY_MODEL, "version": "3", "stage": "Production", "archive_existing_versions": true });
    let path = format!("{ROOT}/databricks/model-versions/transition-stage");
    let moved = client.posted(&path, body.clone()).await;
    assert_eq!(moved["model_version_databricks"]["current_stage"], "Production");
    assert_eq!(
        stages(&client).await,
        [version("1", "Archived"), version("2", "Archived"), version("3", "Production")]
    );
    let latest = json!({ "name": REGISTRY_MODEL, "stages": ["Production", "Staging"] });
    let latest = client.posted(&format!("{ROOT}/registered-models/get-latest-versions"), latest).await;
    assert_eq!(latest["model_versions"].as_array().unwrap().len(), 1);
    for (field, value, status) in [
        ("stage", "Live", 400),
        ("version", "9", 404),
        ("name", "nothing", 404),
        ("archive_existing_versions", "", 400),
    ] {
        let mut wrong = body.clone();
        wrong[field] = json!(value);
        assert_eq!(client.post(&path, wrong).await.0.as_u16(), status, "{field}");
    }
}

#[tokio::test]
async fn models_are_listed_and_have_an_id_for_permissions() {
    let (_sandbox, client) = start_with(Sandbox::builder().with_page_size(1)).await;
    let first = client.got(&format!("{ROOT}/registered-models/search")).await;
    assert_eq!(first["registered_models"][0]["name"], REGISTRY_MODEL);
    let token = first["next_page_token"].as_str().unwrap();
    let second = client.got(&format!("{ROOT}/registered-models/search?page_token={token}")).await;
    assert_eq!(
        (&second["registered_models"][0]["name"], second.get("next_page_token")),
        (&json!("demand forecast"), None)
    );
    let like =
        client.got(&format!("{ROOT}/registered-models/search?filter=name%20LIKE%20%27%25cast%27")).await;
    assert_eq!(like["registered_models"].as_array().unwrap().len(), 1);
    let model = client.got(&format!("{ROOT}/databricks/registered-models/get?name={REGISTRY_MODEL}")).await;
    let id = model["registered_model_databricks"]["id"].as_str().unwrap();
    client.got(&format!("/api/2.0/permissions/registered-models/{id}")).await;
    let plain = client.got(&format!("{ROOT}/registered-models/get?name={REGISTRY_MODEL}")).await;
    assert!(plain["registered_model"].get("id").is_none());
    assert_eq!(client.get(&format!("{ROOT}/registered-models/get?name=nothing")).await.0, 404);
    let uri =
        client.got(&format!("{ROOT}/model-versions/get-download-uri?name={REGISTRY_MODEL}&version=2")).await;
    assert_eq!(uri["artifact_uri"], "dbfs:/databricks/mlflow-registry/churn/2/model");
}

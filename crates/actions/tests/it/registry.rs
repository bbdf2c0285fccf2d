//! The workspace's model registry, against a scripted service.

use brickwire_actions::{Connection, ErrorKind, Workspace};
use brickwire_testserver::{Request, Response, Server};
use serde_json::{Value, json};

fn serve(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> (Server, Workspace) {
    let server = Server::start(answer);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace)
}

#[tokio::test]
async fn models_and_versions_are_listed_page_by_page() {
    let (server, workspace) = serve(|request| {
        let is_second = request.query().contains("page_token=p2");
        let next = if is_second { "" } else { "p2" };
        let number = if is_second { "2" } else { "1" };
        Response::json(match request.path() {
            "/api/2.0/mlflow/registered-models/search" => {
                json!({ "registered_models": [{ "name": format!("m{number}"), "creation_timestamp": "9007199254740993" }],
                    "next_page_token": next })
                .to_string()
            }
            _ => json!({ "model_versions": [{ "version": number, "current_stage": "None" }], "next_page_token": next })
                .to_string(),
        })
    });
    let models = workspace.registry().list(None).await.unwrap();
    assert_eq!(models.iter().map(|m| m.name.as_deref().unwrap()).collect::<Vec<_>>(), ["m1", "m2"]);
    assert_eq!(models[0].creation_timestamp, Some(9_007_199_254_740_993));
    let versions = workspace.registry().versions("o'hare").await.unwrap();
    assert_eq!(versions.iter().map(|v| v.version.as_deref().unwrap()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(server.requests()[2].query(), "filter=name%3D%22o%27hare%22");
    // A page that leads to itself doesn't make an endless list.
    let (server, workspace) =
        serve(|_| Response::json(json!({ "registered_models": [{}], "next_page_token": "p" }).to_string()));
    let error = workspace.registry().list_json(Some("name LIKE 'x%'")).await.unwrap_err();
    assert!(error.to_string().contains("same page token"), "{error}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_version_moves_to_a_stage() {
    let (server, workspace) = serve(|request| {
        let version = json!({ "name": "churn", "version": "3", "current_stage": "Production" });
        Response::json(match request.path() {
            "/api/2.0/mlflow/registered-models/get-latest-versions" => {
                json!({ "model_versions": [version] }).to_string()
            }
            _ => json!({ "model_version_databricks": version }).to_string(),
        })
    });
    let registry = workspace.registry();
    let moved = registry.transition("churn", "3", "Production", false).await.unwrap();
    let version = moved.model_version_databricks.as_ref().unwrap();
    assert_eq!(version.current_stage.as_deref(), Some("Production"));
    let sent: Value = serde_json::from_str(&server.only().text()).unwrap();
    let expected =
        json!({ "name": "churn", "version": "3", "stage": "Production", "archive_existing_versions": false });
    assert_eq!(sent, expected);
    let latest = registry.latest("churn", &["Production"]).await.unwrap();
    assert_eq!(latest[0].version.as_deref(), Some("3"));
    for error in [
        registry.transition("churn", "3", "production", true).await.err(),
        registry.latest("churn", &["Live"]).await.err(),
        registry.latest("", &[]).await.err(),
        registry.version_json("churn", "").await.err(),
        registry.get("").await.err(),
    ] {
        assert_eq!(error.unwrap().kind(), ErrorKind::Usage);
    }
    assert_eq!(server.requests().len(), 2);
}

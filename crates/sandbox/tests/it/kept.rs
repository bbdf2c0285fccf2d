//! What a directory keeps of each service: after a restart, a question has the answer that it had before.

use brickwire_sandbox::Sandbox;
use brickwire_sandbox::seed::{REGISTERED_MODEL, REGISTRY_MODEL, REPORT_JOB, RUNNING_CLUSTER};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, read, start_with};

/// A change, and the question that shows it.
struct Case(Method, String, Value, String);

fn cases() -> Vec<Case> {
    let unity = |rest: &str| format!("/api/2.1/unity-catalog/{rest}");
    let mlflow = |rest: &str| format!("/api/2.0/mlflow/{rest}");
    let case = |method: Method, change: &str, body: Value, question: &str| {
        Case(method, change.to_owned(), body, question.to_owned())
    };
    let grant = json!({ "changes": [{ "principal": "account users", "add": ["BROWSE"] }] });
    let may_view = json!({ "access_control_list": [{ "user_name": "kept@example.com", "permission_level": "CAN_VIEW" }] });
    let stage = json!({ "name": REGISTRY_MODEL, "version": "3", "stage": "Archived", "archive_existing_versions": false });
    let endpoint = json!({ "name": "kept", "tags": [{ "key": "kept", "value": "yes" }],
        "config": { "served_entities": [{ "entity_name": REGISTRY_MODEL, "entity_version": "1" }] } });
    let (scim, job) = ("/api/2.0/preview/scim/v2/Users", format!("/api/2.0/permissions/jobs/{REPORT_JOB}"));
    let model = unity(&format!("models/{REGISTERED_MODEL}"));
    let cluster = json!({ "cluster_name": "kept", "spark_version": "15.4.x-scala2.12", "node_type_id": "i3.xlarge", "num_workers": 1 });
    let warehouse =
        json!({ "name": "kept", "cluster_size": "Small", "min_num_clusters": 1, "max_num_clusters": 1 });
    let library = json!({ "cluster_id": RUNNING_CLUSTER, "libraries": [{ "pypi": { "package": "kept" } }] });
    let pool = json!({ "instance_pool_name": "kept", "node_type_id": "i3.xlarge" });
    let volume =
        json!({ "catalog_name": "main", "schema_name": "default", "name": "kept", "volume_type": "MANAGED" });
    let notebook = json!({ "path": "/Shared/kept", "format": "SOURCE", "language": "PYTHON", "content": "cHJpbnQoNDIp" });
    let secret = json!({ "scope": "kept", "key": "kept", "string_value": "kept" });
    let pipeline = json!({ "name": "kept", "libraries": [{ "file": { "path": "/Shared/kept.sql" } }] });
    vec![
        case(Method::POST, "/api/2.1/clusters/create", cluster, "/api/2.1/clusters/list"),
        case(
            Method::POST,
            "/api/2.0/libraries/install",
            library,
            &format!("/api/2.0/libraries/cluster-status?cluster_id={RUNNING_CLUSTER}"),
        ),
        case(Method::POST, "/api/2.0/instance-pools/create", pool, "/api/2.0/instance-pools/list"),
        case(
            Method::POST,
            "/api/2.0/policies/clusters/create",
            json!({ "name": "kept", "definition": "{}" }),
            "/api/2.0/policies/clusters/list",
        ),
        case(Method::POST, "/api/2.0/sql/warehouses", warehouse, "/api/2.0/sql/warehouses"),
        case(
            Method::PUT,
            "/api/2.0/sql/config/warehouses",
            json!({ "security_policy": "NONE" }),
            "/api/2.0/sql/config/warehouses",
        ),
        case(Method::POST, "/api/2.0/pipelines", pipeline, "/api/2.0/pipelines"),
        case(Method::POST, &unity("volumes"), volume, &unity("volumes/main.default.kept")),
        case(
            Method::PUT,
            "/api/2.0/fs/files/Volumes/main/default/kept/f.txt",
            json!("kept"),
            "/api/2.0/fs/files/Volumes/main/default/kept/f.txt",
        ),
        case(
            Method::DELETE,
            "/api/2.0/fs/files/Volumes/main/default/files/readme.txt",
            Value::Null,
            "/api/2.0/fs/directories/Volumes/main/default/files",
        ),
        case(
            Method::POST,
            "/api/2.0/dbfs/delete",
            json!({ "path": "/FileStore/readme.txt" }),
            "/api/2.0/dbfs/list?path=/FileStore",
        ),
        case(
            Method::POST,
            "/api/2.0/dbfs/put",
            json!({ "path": "/kept", "contents": "a2VwdA==" }),
            "/api/2.0/dbfs/read?path=/kept",
        ),
        case(
            Method::POST,
            "/api/2.0/workspace/import",
            notebook,
            "/api/2.0/workspace/export?path=/Shared/kept",
        ),
        case(
            Method::POST,
            "/api/2.0/secrets/scopes/create",
            json!({ "scope": "kept" }),
            "/api/2.0/secrets/scopes/list",
        ),
        case(Method::POST, "/api/2.0/secrets/put", secret, "/api/2.0/secrets/get?scope=kept&key=kept"),
        case(
            Method::POST,
            "/api/2.0/git-credentials",
            json!({ "git_provider": "gitHub" }),
            "/api/2.0/git-credentials",
        ),
        case(Method::POST, scim, json!({ "userName": "kept@example.com" }), scim),
        case(Method::PATCH, &job, may_view, &job),
        case(
            Method::POST,
            &unity("catalogs"),
            json!({ "name": "kept", "comment": "kept" }),
            &unity("catalogs/kept"),
        ),
        case(Method::PATCH, &unity("permissions/catalog/kept"), grant, &unity("permissions/catalog/kept")),
        case(
            Method::PUT,
            &format!("{model}/aliases/kept"),
            json!({ "version_num": 1 }),
            &format!("{model}?include_aliases=true"),
        ),
        case(Method::POST, "/api/2.0/serving-endpoints", endpoint, "/api/2.0/serving-endpoints/kept"),
        case(
            Method::POST,
            &mlflow("databricks/model-versions/transition-stage"),
            stage,
            &mlflow("model-versions/search"),
        ),
        case(
            Method::POST,
            &mlflow("experiments/create"),
            json!({ "name": "kept" }),
            &mlflow("experiments/get-by-name?experiment_name=kept"),
        ),
    ]
}

/// The answer, which is text if it isn't JSON.
async fn answer(client: &Client, question: &str) -> Value {
    let (status, body) = read(client.send(Method::GET, question, None).await.unwrap()).await;
    assert_eq!(status, 200, "{question}: {body}");
    body
}

#[tokio::test]
async fn a_restart_keeps_what_each_service_has() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || Sandbox::builder().with_data(folder.path());
    let (sandbox, client) = start_with(builder()).await;
    let mut before = Vec::new();
    for Case(method, path, body, question) in cases() {
        let fresh = client.get(&question).await;
        let (status, told) = read(client.send(method, &path, Some(&body)).await.unwrap()).await;
        assert!(status.is_success(), "{path}: {told}");
        // What is under way ends.
        let mut known = answer(&client, &question).await;
        loop {
            let again = answer(&client, &question).await;
            if again == known {
                break;
            }
            known = again;
        }
        before.push((known, question));
        assert_ne!(before.last().unwrap().0, fresh.1, "{path} changes nothing");
    }
    drop(sandbox);
    let (_sandbox, client) = start_with(builder()).await;
    for (known, question) in before {
        assert_eq!(answer(&client, &question).await, known, "{question}");
    }
}

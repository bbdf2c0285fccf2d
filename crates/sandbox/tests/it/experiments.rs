use serde_json::{Value, json};

use crate::client::{Client, start};

const ROOT: &str = "/api/2.0/mlflow";

async fn post(client: &Client, path: &str, body: Value) -> Value {
    client.posted(&format!("{ROOT}/{path}"), body).await
}

#[tokio::test]
async fn a_run_records_and_is_found() {
    let (_sandbox, client) = start().await;
    let made = post(&client, "experiments/create", json!({ "name": "/Shared/test" })).await;
    let (status, body) =
        client.post(&format!("{ROOT}/experiments/create"), json!({ "name": "/Shared/test" })).await;
    assert_eq!((status.as_u16(), &body["error_code"]), (400, &json!("RESOURCE_ALREADY_EXISTS")));
    let id = &made["experiment_id"];
    let run =
        post(&client, "runs/create", json!({ "experiment_id": id, "start_time": 7, "run_name": "first" }))
            .await;
    let run_id = &run["run"]["info"]["run_id"];
    assert_eq!((run_id.as_str().unwrap().len(), &run["run"]["info"]["status"]), (32, &json!("RUNNING")));
    for (step, value) in [(1, 0.5), (2, 0.25), (0, 9.0)] {
        let metric = json!({ "run_id": run_id, "key": "loss", "value": value, "timestamp": 8, "step": step });
        post(&client, "runs/log-metric", metric).await;
    }
    let batch = json!({ "run_id": run_id, "params": [{ "key": "lr", "value": "0.1" }], "tags": [{ "key": "a", "value": "b" }],
        "metrics": [{ "key": "auc", "value": 1, "timestamp": 8 }] });
    post(&client, "runs/log-batch", batch).await;
    let param = |value: &str| json!({ "run_id": run_id, "key": "lr", "value": value });
    post(&client, "runs/log-parameter", param("0.1")).await;
    assert_eq!(client.post(&format!("{ROOT}/runs/log-parameter"), param("0.2")).await.0, 400);
    let ended = json!({ "run_id": run_id, "status": "FINISHED", "end_time": 9 });
    assert_eq!(post(&client, "runs/update", ended).await["run_info"]["end_time"], 9);
    let shown = client.got(&format!("{ROOT}/runs/get?run_id={}", run_id.as_str().unwrap())).await;
    let data = &shown["run"]["data"];
    // The latest value by step.
    assert_eq!(data["metrics"][1], json!({ "key": "loss", "value": 0.25, "timestamp": 8, "step": 2 }));
    assert_eq!(data["params"], json!([{ "key": "lr", "value": "0.1" }]));
    let found = async |filter: &str, ids: &[&Value]| {
        let found = post(&client, "runs/search", json!({ "experiment_ids": ids, "filter": filter })).await;
        found["runs"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(found("metrics.loss < 0.3 and params.lr = '0.1'", &[id]).await, 1);
    assert_eq!(found("metrics.loss > 0.3", &[id]).await, 0);
    assert_eq!(found("", &[]).await, 0);
    assert_eq!(found("", &[id, &json!("9007199254740993")]).await, 2);
    assert_eq!(client.post(&format!("{ROOT}/runs/search"), json!({ "filter": "loss" })).await.0, 400);
    assert_eq!(client.get(&format!("{ROOT}/runs/get?run_id=5")).await.0, 404);
}

#[tokio::test]
async fn experiments_are_found_page_by_page() {
    let (_sandbox, client) = start().await;
    let name = "/Users/ada.sandbox@example.com/churn";
    let one = client.got(&format!("{ROOT}/experiments/get-by-name?experiment_name={name}")).await;
    let id = one["experiment"]["experiment_id"].as_str().unwrap();
    assert_eq!(client.got(&format!("{ROOT}/experiments/get?experiment_id={id}")).await, one);
    post(&client, "experiments/create", json!({ "name": "/Shared/b" })).await;
    let first = post(&client, "experiments/search", json!({ "max_results": 1 })).await;
    assert_eq!(first["experiments"][0]["name"], name);
    let second = json!({ "max_results": 1, "page_token": first["next_page_token"] });
    let second = post(&client, "experiments/search", second).await;
    assert_eq!(
        (&second["experiments"][0]["name"], second.get("next_page_token")),
        (&json!("/Shared/b"), None)
    );
    let like = post(&client, "experiments/search", json!({ "filter": "name LIKE '/Shared/%'" })).await;
    assert_eq!(like["experiments"].as_array().unwrap().len(), 1);
}

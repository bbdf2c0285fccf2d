use std::time::Duration;

use brickwire_sandbox::{
    Delays, Sandbox,
    seed::{FAILING_PIPELINE, TRIPS_PIPELINE},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, start, start_slow};

const ALL: &str = "/api/2.0/pipelines";

fn has_ended(answer: &Value) -> bool {
    matches!(answer["update"]["state"].as_str(), Some("COMPLETED" | "FAILED" | "CANCELED"))
}

/// Starts an update, and returns the states that it showed, and its id.
async fn ran(client: &Client, pipeline: &str, request: Value) -> (Vec<String>, String) {
    let started = client.posted(&format!("{ALL}/{pipeline}/updates"), request).await;
    let id = started["update_id"].as_str().unwrap().to_owned();
    let path = format!("{ALL}/{pipeline}/updates/{id}");
    let mut states: Vec<String> = Vec::new();
    loop {
        let now = client.got(&path).await;
        let state = now["update"]["state"].as_str().unwrap().to_owned();
        if states.last() != Some(&state) {
            states.push(state);
        }
        if has_ended(&now) {
            return (states, id);
        }
    }
}

#[tokio::test]
async fn an_update_runs_the_statements_of_its_files() {
    let (_sandbox, client) = start().await;
    let (states, id) = ran(&client, TRIPS_PIPELINE, json!({ "full_refresh": true })).await;
    assert_eq!(
        states,
        [
            "CREATED",
            "WAITING_FOR_RESOURCES",
            "INITIALIZING",
            "RESETTING",
            "SETTING_UP_TABLES",
            "RUNNING",
            "COMPLETED"
        ]
    );
    let statement = json!({ "warehouse_id": brickwire_sandbox::seed::RUNNING_WAREHOUSE, "wait_timeout": "30s",
        "statement": "SELECT trips > 0, (SELECT count(*) FROM main.default.trips_raw) = trips FROM main.default.trips_count" });
    let rows = client.posted("/api/2.0/sql/statements", statement).await;
    assert_eq!(rows["result"]["data_array"], json!([["true", "true"]]), "{rows}");
    let pipeline = client.got(&format!("{ALL}/{TRIPS_PIPELINE}")).await;
    assert_eq!((&pipeline["state"], &pipeline["health"]), (&json!("IDLE"), &json!("HEALTHY")));
    assert_eq!(pipeline["latest_updates"][0]["update_id"], id);
    assert_eq!(
        (&pipeline["spec"]["id"], &pipeline["spec"]["catalog"]),
        (&json!(TRIPS_PIPELINE), &json!("main"))
    );
    let updates = client.got(&format!("{ALL}/{TRIPS_PIPELINE}/updates")).await;
    assert_eq!(
        (&updates["updates"][0]["full_refresh"], &updates["updates"][0]["cause"]),
        (&json!(true), &json!("API_CALL"))
    );
}

#[tokio::test]
async fn a_failure_is_told_by_the_events() {
    let (_sandbox, client) = start().await;
    let (states, id) = ran(&client, FAILING_PIPELINE, json!({})).await;
    assert_eq!(states.last().unwrap(), "FAILED");
    let path = format!("{ALL}/{FAILING_PIPELINE}/events");
    let errors = client.got(&format!("{path}?filter=level%3D'ERROR'")).await;
    let errors = errors["events"].as_array().unwrap();
    assert_eq!(errors[0]["message"], format!("Update {id} is FAILED."));
    let reason = errors[1]["error"]["exceptions"][0]["message"].as_str().unwrap();
    assert!(reason.starts_with("[TABLE_OR_VIEW_NOT_FOUND]") && reason.contains("orders_raw"), "{reason}");
    assert!(errors.len() == 2 && errors.iter().all(|event| event["origin"]["update_id"] == id), "{errors:?}");
    // A pipeline says nothing of success, but of its health.
    let pipeline = client.got(&format!("{ALL}/{FAILING_PIPELINE}")).await;
    assert_eq!((&pipeline["state"], &pipeline["health"]), (&json!("IDLE"), &json!("UNHEALTHY")));
    // The token alone names the next page, with its filter and its order.
    let mut kinds = Vec::new();
    let mut next = format!("{path}?order_by=timestamp%20asc&max_results=3&filter=level%3D'INFO'");
    loop {
        let page = client.got(&next).await;
        kinds.extend(page["events"].as_array().unwrap().iter().map(|event| event["event_type"].clone()));
        match page["next_page_token"].as_str() {
            Some(token) => next = format!("{path}?max_results=3&page_token={token}"),
            None => break,
        }
    }
    assert_eq!((kinds.len(), &kinds[0]), (6, &json!("create_update")), "{kinds:?}");
    for wrong in ["filter=x", "order_by=id", "page_token=x", "max_results=251"] {
        assert_eq!(client.get(&format!("{path}?{wrong}")).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn one_update_is_active_until_it_is_stopped() {
    let mut delays = Delays::NONE;
    delays.update = Duration::from_secs(3600);
    let (_sandbox, client) = start_slow(Sandbox::builder().with_delays(delays)).await;
    let updates = format!("{ALL}/{TRIPS_PIPELINE}/updates");
    let id = client.posted(&updates, json!({})).await["update_id"].clone();
    let (status, body) = client.post(&updates, json!({})).await;
    assert_eq!(status, 409, "{body}");
    assert!(body["message"].as_str().unwrap().contains(id.as_str().unwrap()), "{body}");
    assert_eq!(client.got(&format!("{ALL}/{TRIPS_PIPELINE}")).await["state"], "STARTING");
    client.posted(&format!("{ALL}/{TRIPS_PIPELINE}/stop"), json!({})).await;
    assert_eq!(client.got(&format!("{ALL}/{TRIPS_PIPELINE}")).await["state"], "STOPPING");
    // Without an active update it is a no-op.
    client.posted(&format!("{ALL}/{FAILING_PIPELINE}/stop"), json!({})).await;
    client.posted("/__sandbox/clock", json!({ "advance_ms": 3_600_000 })).await;
    let stopped = client.got(&format!("{updates}/{}", id.as_str().unwrap())).await;
    assert_eq!(stopped["update"]["state"], "CANCELED");
    client.posted(&updates, json!({})).await;
}

#[tokio::test]
async fn pipelines_are_listed_made_changed_and_deleted() {
    let (_sandbox, client) = start().await;
    let file = tempfile::Builder::new().suffix(".sql").tempfile().unwrap();
    std::fs::write(file.path(), "CREATE MATERIALIZED VIEW made AS SELECT 42 AS n; SELECT * FROM made")
        .unwrap();
    let mut spec = json!({ "name": "mine", "catalog": "main", "schema": "default", "newest": { "a": 1 },
        "libraries": [{ "file": { "path": format!("file:{}", file.path().display()) } },
            { "notebook": { "path": "/Shared/n" } }] });
    let id = client.posted(ALL, spec.clone()).await["pipeline_id"].as_str().unwrap().to_owned();
    assert_eq!(client.post(ALL, spec.clone()).await.0, 409);
    spec["dry_run"] = json!(true);
    spec["allow_duplicate_names"] = json!(true);
    let dry = client.posted(ALL, spec.clone()).await;
    assert_eq!((&dry["effective_settings"]["newest"]["a"], dry.get("pipeline_id")), (&json!(1), None));
    assert_eq!(ran(&client, &id, json!({})).await.0.last().unwrap(), "COMPLETED");
    // Nothing is run to validate.
    std::fs::write(file.path(), "SELEKT").unwrap();
    assert_eq!(ran(&client, &id, json!({ "validate_only": true })).await.0.last().unwrap(), "COMPLETED");
    assert_eq!(ran(&client, &id, json!({})).await.0.last().unwrap(), "FAILED");

    let names = |list: &Value| {
        let all = list["statuses"].as_array().cloned().unwrap_or_default();
        all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&client.got(ALL).await), ["mine", "orders", "trips"]);
    assert_eq!(
        names(&client.got(&format!("{ALL}?filter=name%20LIKE%20'%25r%25'")).await),
        ["orders", "trips"]
    );
    assert_eq!(names(&client.got(&format!("{ALL}?filter=notebook%3D'/Shared/n'")).await), ["mine"]);
    assert!(client.got(&format!("{ALL}?filter=name%20LIKE%20'x'")).await.get("statuses").is_none());
    assert_eq!(client.get(&format!("{ALL}?filter=name%3D'x'")).await.0, 400);
    assert_eq!(client.get(&format!("{ALL}?max_results=101")).await.0, 400);

    let path = format!("{ALL}/{id}");
    let put = |body: Value| {
        let (client, path) = (&client, &path);
        async move { client.send(Method::PUT, path, Some(&body)).await.unwrap().status().as_u16() }
    };
    assert_eq!(put(json!({ "name": "again", "expected_last_modified": 5 })).await, 409);
    assert_eq!(put(json!({ "name": "again" })).await, 200);
    let changed = client.got(&path).await;
    assert_eq!((&changed["name"], changed["spec"].get("libraries")), (&json!("again"), None));
    assert_eq!(client.send(Method::DELETE, &path, None).await.unwrap().status(), 200);
    let (status, body) = client.get(&path).await;
    assert_eq!(
        (status.as_u16(), &body["message"]),
        (404, &json!(format!("The specified pipeline {id} was not found.")))
    );
    assert_eq!(client.get(&format!("{ALL}/{TRIPS_PIPELINE}/updates/x")).await.0, 404);
}

use std::time::Duration;

use brickwire_sandbox::seed::{FAILING_CLUSTER, RUNNING_CLUSTER, TERMINATED_CLUSTER};
use brickwire_sandbox::{Clock, Delays, Sandbox};
use serde_json::{Value, json};

use crate::client::{Client, start, start_slow, start_with};

async fn cluster(client: &Client, id: &str) -> Value {
    client.got(&format!("/api/2.1/clusters/get?cluster_id={id}")).await
}

fn names(list: &Value) -> Vec<&str> {
    list["clusters"].as_array().unwrap().iter().map(|one| one["cluster_name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn records_are_as_rich_as_the_services() {
    let (_sandbox, client) = start().await;
    let response = client.send(reqwest::Method::GET, "/api/2.0/clusters/list", None).await.unwrap();
    let text = response.text().await.unwrap();
    assert!(text.contains("9007199254740993"), "{text}");
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(names(&list), ["shared-analytics", "nightly-etl", "gpu-experiments"]);
    assert!(list.get("next_page_token").is_none());
    let running = &list["clusters"][0];
    assert_eq!(running["state"], "RUNNING");
    assert!(running["driver"].is_object() && running["disk_spec"].is_object());
    let stopped = &list["clusters"][1];
    assert_eq!(
        (&stopped["state"], &stopped["termination_reason"]["code"]),
        (&json!("TERMINATED"), &json!("INACTIVITY"))
    );
    assert!(stopped.get("driver").is_none());
}

#[tokio::test]
async fn a_list_pages_filters_and_sorts() {
    let (_sandbox, client) = start_with(Sandbox::builder().with_page_size(2)).await;
    let first = client.got("/api/2.1/clusters/list").await;
    assert_eq!(names(&first), ["shared-analytics", "nightly-etl"]);
    let token = first["next_page_token"].as_str().unwrap();
    let second = client.got(&format!("/api/2.1/clusters/list?page_token={token}")).await;
    assert_eq!((names(&second), &second["next_page_token"]), (vec!["gpu-experiments"], &json!("")));

    let (status, body) = client
        .get(&format!("/api/2.1/clusters/list?page_token={token}&filter_by.cluster_states=RUNNING"))
        .await;
    assert_eq!((status.as_u16(), &body["error_code"]), (400, &json!("INVALID_PARAMETER_VALUE")));
    assert_eq!(client.get("/api/2.1/clusters/list?page_size=101").await.0, 400);

    let path = "/api/2.1/clusters/list?filter_by.cluster_states=TERMINATED&filter_by.cluster_states=ERROR";
    assert_eq!(names(&client.got(path).await), ["nightly-etl", "gpu-experiments"]);
    let path = "/api/2.1/clusters/list?sort_by.field=CLUSTER_NAME&sort_by.direction=DESC";
    assert_eq!(names(&client.got(path).await), ["shared-analytics", "nightly-etl"]);
    let path = "/api/2.1/clusters/list?filter_by.is_pinned=true";
    assert_eq!(names(&client.got(path).await), ["shared-analytics"]);
}

#[tokio::test]
async fn every_state_shows_even_without_delays() {
    let (_sandbox, client) = start().await;
    let id = json!({ "cluster_id": TERMINATED_CLUSTER });
    assert_eq!(client.posted("/api/2.1/clusters/start", id.clone()).await, json!({}));
    let starting = cluster(&client, TERMINATED_CLUSTER).await;
    assert_eq!(starting["state"], "PENDING");
    assert!(starting.get("termination_reason").is_none());
    assert_eq!(cluster(&client, TERMINATED_CLUSTER).await["state"], "RUNNING");

    client.posted("/api/2.0/clusters/restart", id.clone()).await;
    assert_eq!(cluster(&client, TERMINATED_CLUSTER).await["state"], "RESTARTING");
    assert_eq!(cluster(&client, TERMINATED_CLUSTER).await["state"], "RUNNING");

    client.posted("/api/2.1/clusters/delete", id.clone()).await;
    assert_eq!(cluster(&client, TERMINATED_CLUSTER).await["state"], "TERMINATING");
    let ended = cluster(&client, TERMINATED_CLUSTER).await;
    assert_eq!(
        (&ended["state"], &ended["termination_reason"]["code"]),
        (&json!("TERMINATED"), &json!("USER_REQUEST"))
    );
    // Terminating what is down is no error.
    client.posted("/api/2.1/clusters/delete", id).await;
    assert_eq!(cluster(&client, TERMINATED_CLUSTER).await["state"], "TERMINATED");
}

#[tokio::test]
async fn delays_follow_the_clock() {
    let clock = Clock::standing_at(1_700_000_000_000);
    let mut delays = Delays::default();
    delays.cluster = Duration::from_secs(60);
    let (_sandbox, client) =
        start_slow(Sandbox::builder().with_clock(clock.clone()).with_delays(delays)).await;
    client.posted("/api/2.1/clusters/start", json!({ "cluster_id": TERMINATED_CLUSTER })).await;
    for _ in 0..3 {
        assert_eq!(cluster(&client, TERMINATED_CLUSTER).await["state"], "PENDING");
    }
    clock.advance(Duration::from_secs(60));
    let running = cluster(&client, TERMINATED_CLUSTER).await;
    assert_eq!(
        (&running["state"], &running["start_time"]),
        (&json!("RUNNING"), &json!(1_700_000_000_000_u64))
    );
    assert_eq!(running["last_restarted_time"], 1_700_000_060_000_u64);
}

#[tokio::test]
async fn a_start_can_fail_in_the_cloud() {
    let (_sandbox, client) = start().await;
    client.posted("/api/2.1/clusters/start", json!({ "cluster_id": FAILING_CLUSTER })).await;
    assert_eq!(cluster(&client, FAILING_CLUSTER).await["state"], "PENDING");
    let failed = cluster(&client, FAILING_CLUSTER).await;
    assert_eq!(failed["state"], "TERMINATED");
    assert_eq!(failed["termination_reason"]["type"], "CLOUD_FAILURE");
}

#[tokio::test]
async fn the_wrong_state_is_400_in_the_services_words() {
    let (_sandbox, client) = start().await;
    let (status, body) =
        client.post("/api/2.1/clusters/start", json!({ "cluster_id": RUNNING_CLUSTER })).await;
    assert_eq!((status.as_u16(), &body["error_code"]), (400, &json!("INVALID_STATE")));
    assert_eq!(body["message"], format!("Cluster {RUNNING_CLUSTER} is in unexpected state Running."));
    let (status, body) =
        client.post("/api/2.1/clusters/restart", json!({ "cluster_id": TERMINATED_CLUSTER })).await;
    assert_eq!((status.as_u16(), &body["error_code"]), (400, &json!("INVALID_STATE")));
}

#[tokio::test]
async fn an_unknown_cluster_is_400_does_not_exist() {
    let (_sandbox, client) = start().await;
    let (status, body) = client.get("/api/2.1/clusters/get?cluster_id=nope").await;
    assert_eq!(status, 400);
    assert_eq!(body["error_code"], "INVALID_PARAMETER_VALUE");
    assert_eq!(body["message"], "Cluster nope does not exist");
    for call in ["start", "restart", "delete", "permanent-delete", "events"] {
        let (status, body) =
            client.post(&format!("/api/2.1/clusters/{call}"), json!({ "cluster_id": "nope" })).await;
        assert_eq!(
            (status.as_u16(), &body["message"]),
            (400, &json!("Cluster nope does not exist")),
            "{call}"
        );
        assert_eq!(client.post(&format!("/api/2.1/clusters/{call}"), json!({})).await.0, 400, "{call}");
    }
    assert_eq!(client.get("/api/2.1/clusters/get").await.0, 400);
}

#[tokio::test]
async fn a_permanently_deleted_cluster_is_forgotten() {
    let (_sandbox, client) = start().await;
    client.posted("/api/2.1/clusters/permanent-delete", json!({ "cluster_id": FAILING_CLUSTER })).await;
    assert_eq!(client.get(&format!("/api/2.1/clusters/get?cluster_id={FAILING_CLUSTER}")).await.0, 400);
    assert_eq!(names(&client.got("/api/2.1/clusters/list").await).len(), 2);
}

#[tokio::test]
async fn events_page_by_a_whole_next_request() {
    let (_sandbox, client) = start().await;
    client.posted("/api/2.1/clusters/start", json!({ "cluster_id": TERMINATED_CLUSTER })).await;
    cluster(&client, TERMINATED_CLUSTER).await;
    cluster(&client, TERMINATED_CLUSTER).await;
    let mut request = json!({ "cluster_id": TERMINATED_CLUSTER, "order": "ASC", "limit": 2 });
    let mut kinds = Vec::new();
    loop {
        let page = client.posted("/api/2.1/clusters/events", request).await;
        assert_eq!(page["total_count"], 3);
        kinds.extend(page["events"].as_array().unwrap().iter().map(|event| event["type"].clone()));
        match page.get("next_page") {
            Some(next) => request = next.clone(),
            None => break,
        }
    }
    assert_eq!(kinds, ["CREATING", "STARTING", "RUNNING"]);
}

#[tokio::test]
async fn the_catalogue_has_fractional_cores() {
    let (_sandbox, client) = start().await;
    let types = client.got("/api/2.1/clusters/list-node-types").await;
    assert!(types["node_types"].as_array().unwrap().iter().any(|one| one["num_cores"] == 0.5), "{types}");
    let versions = client.got("/api/2.0/clusters/spark-versions").await;
    assert!(versions["versions"].as_array().unwrap().iter().any(|one| one["key"] == "15.4.x-scala2.12"));
}

#[tokio::test]
async fn a_cluster_is_created_once_per_token_and_edited() {
    let (_sandbox, client) = start().await;
    let mut spec = json!({
        "cluster_name": "mine", "spark_version": "15.4.x-scala2.12", "node_type_id": "i3.xlarge", "num_workers": 1,
        "idempotency_token": "once",
    });
    let id = client.posted("/api/2.1/clusters/create", spec.clone()).await["cluster_id"].clone();
    assert_eq!(client.posted("/api/2.1/clusters/create", spec.clone()).await["cluster_id"], id);
    assert_eq!(client.got("/api/2.0/clusters/list").await["clusters"].as_array().unwrap().len(), 4);
    let id = id.as_str().unwrap();
    // The list has shown PENDING.
    let made = cluster(&client, id).await;
    assert_eq!((&made["state"], &made["cluster_name"]), (&json!("RUNNING"), &json!("mine")));
    assert!(made.get("idempotency_token").is_none());

    spec["cluster_id"] = json!(id);
    spec["num_workers"] = json!(3);
    client.posted("/api/2.1/clusters/edit", spec.clone()).await;
    let edited = cluster(&client, id).await;
    assert_eq!((&edited["state"], &edited["num_workers"]), (&json!("RESTARTING"), &json!(3)));
    spec["cluster_id"] = json!(TERMINATED_CLUSTER);
    client.posted("/api/2.1/clusters/edit", spec.clone()).await;
    assert_eq!(cluster(&client, TERMINATED_CLUSTER).await["state"], "TERMINATED");

    spec["spark_version"] = json!("");
    assert_eq!(client.post("/api/2.1/clusters/create", json!({ "spark_version": "x" })).await.0, 400);
    assert_eq!(client.post("/api/2.1/clusters/edit", spec).await.0, 400);
}

#[tokio::test]
async fn an_edit_replaces_all_settings_and_an_update_only_some() {
    let (_sandbox, client) = start().await;
    let settings = json!({
        "spark_version": "15.4.x-scala2.12", "node_type_id": "i3.xlarge", "num_workers": 1,
        "cluster_name": "mine", "custom_tags": { "a": "b" }, "data_security_mode": "SINGLE_USER",
    });
    let id = client.posted("/api/2.1/clusters/create", settings).await["cluster_id"].clone();
    let id = id.as_str().unwrap();
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    assert!(digits(&id[..4]) && digits(&id[5..11]), "{id}");
    // Only a cluster that runs or is terminated can be changed.
    let update = json!({ "cluster_id": id, "update_mask": "num_workers", "cluster": { "num_workers": 2 } });
    let (status, body) = client.post("/api/2.1/clusters/update", update).await;
    assert_eq!((status.as_u16(), &body["error_code"]), (400, &json!("INVALID_STATE")));
    let made = cluster(&client, id).await;
    assert_eq!(made["single_user_name"], "ada.sandbox@example.com");
    let update = json!({ "cluster_id": id, "update_mask": "autoscale,custom_tags",
        "cluster": { "autoscale": { "min_workers": 1, "max_workers": 3 } } });
    client.posted("/api/2.1/clusters/update", update).await;
    let changed = cluster(&client, id).await;
    assert_eq!(changed["state"], "RESTARTING");
    let unmasked =
        json!({ "cluster_id": id, "update_mask": "cluster_name", "cluster": { "num_workers": 2 } });
    assert_eq!(client.post("/api/2.1/clusters/update", unmasked).await.0, 400);
    assert_eq!((&changed["cluster_name"], &changed["autoscale"]["max_workers"]), (&json!("mine"), &json!(3)));
    assert!(changed.get("custom_tags").is_none() && changed.get("num_workers").is_none(), "{changed}");

    let edit = json!({ "cluster_id": TERMINATED_CLUSTER, "spark_version": "16.0.x-scala2.12",
        "node_type_id": "m5d.large", "num_workers": 3 });
    client.posted("/api/2.1/clusters/edit", edit).await;
    let edited = cluster(&client, TERMINATED_CLUSTER).await;
    assert_eq!((&edited["state"], &edited["cluster_name"]), (&json!("TERMINATED"), &json!("")));
    assert!(
        edited.get("init_scripts").is_none() && edited.get("autotermination_minutes").is_none(),
        "{edited}"
    );
}

#[tokio::test]
async fn impossible_settings_are_refused() {
    let (_sandbox, client) = start().await;
    let good = json!({ "spark_version": "15.4.x-scala2.12", "node_type_id": "i3.xlarge", "num_workers": 1 });
    for (name, value, words) in [
        ("spark_version", json!("1.0"), "Invalid spark version 1.0"),
        ("node_type_id", json!("m1"), "Node type m1 is not supported"),
        ("driver_node_type_id", json!("m2"), "Node type m2 is not supported"),
        ("instance_pool_id", json!("p"), "Exactly one of"),
        ("autoscale", json!({ "min_workers": 1, "max_workers": 2 }), "Only one of"),
        ("num_workers", json!(0), "single-node"),
        ("num_workers", json!(-1), "0 or more"),
        ("policy_id", json!("x"), "Can't find a cluster policy with id: x"),
    ] {
        let mut settings = good.clone();
        settings[name] = value;
        let (status, body) = client.post("/api/2.1/clusters/create", settings).await;
        assert_eq!(
            (status.as_u16(), &body["error_code"]),
            (400, &json!("INVALID_PARAMETER_VALUE")),
            "{name}"
        );
        assert!(body["message"].as_str().unwrap().contains(words), "{body}");
    }
    let mut single = good;
    (single["num_workers"], single["is_single_node"], single["kind"]) =
        (json!(0), json!(true), json!("CLASSIC_PREVIEW"));
    client.posted("/api/2.1/clusters/create", single).await;
}

#[tokio::test]
async fn a_resize_keeps_the_cluster_up_and_a_pin_is_one() {
    let (_sandbox, client) = start().await;
    let resize = json!({ "cluster_id": RUNNING_CLUSTER, "num_workers": 5 });
    client.posted("/api/2.1/clusters/resize", resize.clone()).await;
    let resizing = cluster(&client, RUNNING_CLUSTER).await;
    assert_eq!((&resizing["state"], &resizing["num_workers"]), (&json!("RESIZING"), &json!(5)));
    assert!(resizing.get("autoscale").is_none() && resizing["driver"].is_object(), "{resizing}");
    let (status, body) = client.post("/api/2.1/clusters/resize", resize.clone()).await;
    // It has shown RESIZING once, so by now it runs again.
    assert_eq!(status, 200, "{body}");
    let (status, body) = client
        .post("/api/2.1/clusters/resize", json!({ "cluster_id": TERMINATED_CLUSTER, "num_workers": 1 }))
        .await;
    assert_eq!((status.as_u16(), &body["message"]), (400, &json!("Cluster is not running")));
    assert_eq!(
        client.post("/api/2.1/clusters/resize", json!({ "cluster_id": RUNNING_CLUSTER })).await.0,
        400
    );

    let pinned = || client.got("/api/2.1/clusters/list?filter_by.is_pinned=true");
    for _ in 0..2 {
        client.posted("/api/2.1/clusters/pin", json!({ "cluster_id": TERMINATED_CLUSTER })).await;
        assert_eq!(names(&pinned().await), ["shared-analytics", "nightly-etl"]);
    }
    for id in [RUNNING_CLUSTER, TERMINATED_CLUSTER, TERMINATED_CLUSTER] {
        client.posted("/api/2.1/clusters/unpin", json!({ "cluster_id": id })).await;
    }
    assert!(names(&pinned().await).is_empty());
    let zones = client.got("/api/2.1/clusters/list-zones").await;
    assert_eq!((&zones["default_zone"], &zones["zones"][1]), (&json!("us-west-2a"), &json!("us-west-2b")));
}

#[tokio::test]
async fn events_are_filtered_and_page_by_token_too() {
    let (_sandbox, client) = start().await;
    let id = TERMINATED_CLUSTER;
    client.posted("/api/2.1/clusters/pin", json!({ "cluster_id": id })).await;
    client.posted("/api/2.1/clusters/unpin", json!({ "cluster_id": id })).await;
    let mut request = json!({ "cluster_id": id, "page_size": 1, "event_types": ["PINNED", "UNPINNED"] });
    let first = client.posted("/api/2.1/clusters/events", request.clone()).await;
    assert_eq!((&first["events"][0]["type"], &first["total_count"]), (&json!("UNPINNED"), &json!(2)));
    request["page_token"] = first["next_page_token"].clone();
    let second = client.posted("/api/2.1/clusters/events", request.clone()).await;
    assert_eq!(second["events"][0]["type"], "PINNED");
    assert!(second.get("next_page_token").is_none() && second.get("next_page").is_none());
    request["page_token"] = json!("nonsense");
    assert_eq!(client.post("/api/2.1/clusters/events", request).await.0, 400);
    let none = client.posted("/api/2.1/clusters/events", json!({ "cluster_id": id, "end_time": 5 })).await;
    assert_eq!(none["events"], json!([]));
}

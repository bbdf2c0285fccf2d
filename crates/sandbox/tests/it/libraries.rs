use brickwire_sandbox::seed::{RUNNING_CLUSTER, TERMINATED_CLUSTER};
use serde_json::{Value, json};

use crate::client::{Client, start};

async fn states(client: &Client, cluster: &str) -> Vec<String> {
    let answer = client.got(&format!("/api/2.0/libraries/cluster-status?cluster_id={cluster}")).await;
    let all = answer["library_statuses"].as_array().cloned().unwrap_or_default();
    all.iter().map(|one| one["status"].as_str().unwrap().to_owned()).collect()
}

fn on(cluster: &str, libraries: Value) -> Value {
    json!({ "cluster_id": cluster, "libraries": libraries })
}

#[tokio::test]
async fn libraries_pass_through_their_states() {
    let (_sandbox, client) = start().await;
    let two = json!([{ "pypi": { "package": "simplejson" } }, { "whl": "/Volumes/missing.whl" }]);
    assert_eq!(
        client.posted("/api/2.0/libraries/install", on(RUNNING_CLUSTER, two.clone())).await,
        json!({})
    );
    for expected in [
        ["PENDING"; 2],
        ["RESOLVING"; 2],
        ["INSTALLING"; 2],
        ["INSTALLED", "FAILED"],
        ["INSTALLED", "FAILED"],
    ] {
        assert_eq!(states(&client, RUNNING_CLUSTER).await, expected);
    }
    // What is there stays as it is.
    client.posted("/api/2.0/libraries/install", on(RUNNING_CLUSTER, two)).await;
    assert_eq!(states(&client, RUNNING_CLUSTER).await, ["INSTALLED", "FAILED"]);
    let all = client.got("/api/2.0/libraries/all-cluster-statuses").await;
    assert_eq!(all["statuses"][0]["cluster_id"], RUNNING_CLUSTER);
    assert_eq!(all["statuses"][0]["library_statuses"][1]["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_removal_waits_for_a_restart_and_unknown_ones_are_ignored() {
    let (_sandbox, client) = start().await;
    let one = json!([{ "jar": "/Volumes/a.jar" }]);
    client
        .posted(
            "/api/2.0/libraries/install",
            on(RUNNING_CLUSTER, json!([{ "jar": "/Volumes/a.jar" }, { "jar": "/b.jar" }])),
        )
        .await;
    client.posted("/api/2.0/libraries/uninstall", on(RUNNING_CLUSTER, one.clone())).await;
    client
        .posted("/api/2.0/libraries/uninstall", on(RUNNING_CLUSTER, json!([{ "jar": "/other.jar" }])))
        .await;
    assert_eq!(states(&client, RUNNING_CLUSTER).await, ["UNINSTALL_ON_RESTART", "PENDING"]);
    client.posted("/api/2.1/clusters/restart", json!({ "cluster_id": RUNNING_CLUSTER })).await;
    let get = format!("/api/2.1/clusters/get?cluster_id={RUNNING_CLUSTER}");
    client.until(&get, |cluster| cluster["state"] == "RUNNING").await;
    // The other one is installed anew.
    assert_eq!(states(&client, RUNNING_CLUSTER).await, ["PENDING"]);
}

#[tokio::test]
async fn on_a_terminated_cluster_nothing_is_installed() {
    let (_sandbox, client) = start().await;
    let one = json!([{ "cran": { "package": "ada" } }]);
    client.posted("/api/2.0/libraries/install", on(TERMINATED_CLUSTER, one.clone())).await;
    for _ in 0..3 {
        assert_eq!(states(&client, TERMINATED_CLUSTER).await, ["PENDING"]);
    }
    client.posted("/api/2.1/clusters/start", json!({ "cluster_id": TERMINATED_CLUSTER })).await;
    let status = format!("/api/2.0/libraries/cluster-status?cluster_id={TERMINATED_CLUSTER}");
    client.until(&status, |all| all["library_statuses"][0]["status"] == "INSTALLED").await;
    client.posted("/api/2.1/clusters/delete", json!({ "cluster_id": TERMINATED_CLUSTER })).await;
    client.posted("/api/2.0/libraries/uninstall", on(TERMINATED_CLUSTER, one)).await;
    assert!(states(&client, TERMINATED_CLUSTER).await.is_empty());
}

#[tokio::test]
async fn libraries_go_with_their_cluster() {
    let (_sandbox, client) = start().await;
    let one = json!([{ "jar": "/a.jar" }]);
    for id in [RUNNING_CLUSTER, TERMINATED_CLUSTER] {
        client.posted("/api/2.0/libraries/install", on(id, one.clone())).await;
    }
    client.posted("/api/2.1/clusters/permanent-delete", json!({ "cluster_id": RUNNING_CLUSTER })).await;
    let all = client.got("/api/2.0/libraries/all-cluster-statuses").await;
    let left: Vec<_> = all["statuses"].as_array().unwrap().iter().map(|one| &one["cluster_id"]).collect();
    assert_eq!(left, [TERMINATED_CLUSTER]);
}

#[tokio::test]
async fn what_is_no_library_is_refused() {
    let (_sandbox, client) = start().await;
    for wrong in [
        json!([]),
        json!([{ "egg": "/a.egg" }]),
        json!([{ "jar": "/a", "whl": "/b" }]),
        json!([{}]),
        json!([{ "x": 1 }]),
    ] {
        let (status, body) =
            client.post("/api/2.0/libraries/install", on(RUNNING_CLUSTER, wrong.clone())).await;
        assert_eq!(
            (status.as_u16(), &body["error_code"]),
            (400, &json!("INVALID_PARAMETER_VALUE")),
            "{wrong}"
        );
    }
    let (status, body) =
        client.post("/api/2.0/libraries/install", on("nope", json!([{ "jar": "/a" }]))).await;
    assert_eq!((status.as_u16(), &body["message"]), (400, &json!("Cluster nope does not exist")));
    assert_eq!(client.get("/api/2.0/libraries/cluster-status?cluster_id=nope").await.0, 400);
}

//! List, get, create, edit, start, restart, terminate, wait, events, node types, Spark versions.

use brickwire_sandbox::{
    Delays, Sandbox,
    seed::{FAILING_CLUSTER, RUNNING_CLUSTER, TERMINATED_CLUSTER},
};

use serde_json::json;

use crate::workspace::{Workspace, squeezed};

const LIST: &str = "/api/2.1/clusters/list";
const GET: &str = "/api/2.1/clusters/get";

#[test]
fn list_prints_the_services_json_with_nothing_lost() {
    let workspace = Workspace::fresh();
    let raw = squeezed(&workspace.get(LIST));
    assert!(raw.contains("9007199254740993") && raw.contains("CLASSIC_PREVIEW"), "the seed has what is rare");
    for command in ["clusters list -o json", "clusters list", "cluster list"] {
        let ran = workspace.brick(command).run().done().silent();
        let printed = squeezed(ran.text());
        assert!(raw.starts_with(&format!("{{\"clusters\":{printed}")), "{command}: {printed}");
    }
    let ran = workspace.brick("clusters list -o jsonl").run().done().silent();
    let lines: Vec<_> = ran.text().lines().collect();
    assert!(raw.starts_with(&format!("{{\"clusters\":[{}]", lines.join(","))), "{}", ran.text());
}

#[test]
fn list_shows_columns_in_tables_and_csv() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("clusters list -o table").run().done().silent();
    let lines: Vec<_> = ran.text().lines().collect();
    assert!(lines[0].starts_with("ID ") && lines[0].contains("NAME"), "{}", ran.text());
    assert!(lines[1].starts_with(RUNNING_CLUSTER) && lines[1].contains("RUNNING"), "{}", ran.text());
    assert_eq!(lines.len(), 4);
    let ran = workspace.brick("clusters list -o csv").run().done().silent();
    let lines: Vec<_> = ran.text().lines().collect();
    assert!(lines[0].starts_with("ID,NAME,STATE,"), "{}", ran.text());
    assert!(lines[2].starts_with(&format!("{TERMINATED_CLUSTER},nightly-etl,TERMINATED,")), "{}", ran.text());
}

#[test]
fn list_follows_pages_to_the_end() {
    let workspace = Workspace::alone(Sandbox::builder().with_page_size(1));
    // The first page by hand says how many there would be without the others.
    assert!(workspace.get(&format!("{LIST}?page_size=1")).contains("next_page_token"));
    let all = workspace.brick("clusters list").run().done().json();
    assert_eq!(all.as_array().unwrap().len(), 3);
    assert!(workspace.requests("GET", LIST).len() >= 2);
}

#[test]
fn get_takes_an_id_or_a_name() {
    let workspace = Workspace::fresh();
    let raw = squeezed(&workspace.get(&format!("{GET}?cluster_id={RUNNING_CLUSTER}")));
    for which in [RUNNING_CLUSTER, "shared-analytics"] {
        let ran = workspace.brick("clusters get -o json").arg(which).run().done().silent();
        assert_eq!(squeezed(ran.text()), raw, "{which}");
    }
    // An id costs no look-up.
    assert_eq!(workspace.requests("GET", LIST).len(), 1);
    let ran = workspace.brick("clusters get").env("DATABRICKS_CLUSTER_ID", RUNNING_CLUSTER).run().done();
    assert_eq!(squeezed(ran.text()), raw);
    let ran = workspace.brick("clusters get shared-analytics -o table").run().done().silent();
    assert!(ran.text().lines().any(|line| line.starts_with("cluster_name ")), "{}", ran.text());
    let ran = workspace.brick("clusters get shared-analytics -o csv").run().done().silent();
    assert!(ran.text().starts_with("cluster_id,cluster_name,"), "{}", ran.text());
    assert_eq!(ran.text().lines().count(), 2);
}

#[test]
fn start_waits_until_it_runs_and_twice_is_once() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("clusters start nightly-etl").run().done();
    assert_eq!(ran.json()["state"], "RUNNING");
    let ran = ran.says(&["PENDING", "RUNNING"]);
    assert!(!ran.stderr.contains("already"), "{}", ran.stderr);
    let ran =
        workspace.brick("clusters start nightly-etl").run().done().says(&[TERMINATED_CLUSTER, "already"]);
    assert_eq!(ran.json()["state"], "RUNNING");
}

#[test]
fn start_returns_at_once_if_told() {
    let workspace = Workspace::alone(Sandbox::builder());
    let ran = workspace.brick("clusters start nightly-etl --no-wait").run().done();
    assert_eq!(ran.json()["state"], "PENDING");
    let ran = workspace.brick("clusters wait nightly-etl").run().done();
    assert_eq!(ran.json()["state"], "RUNNING");
}

#[test]
fn a_start_that_fails_tells_the_reason() {
    let workspace = Workspace::fresh();
    let words = [FAILING_CLUSTER, "AWS_INSUFFICIENT_INSTANCE_CAPACITY_FAILURE", "no Spot capacity"];
    workspace.brick("clusters start gpu-experiments").run().fails(8, &words);
}

#[test]
fn restart_waits_until_it_runs_again() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("clusters restart shared-analytics").run().done().says(&["RESTARTING"]);
    assert_eq!(ran.json()["state"], "RUNNING");
    assert_eq!(workspace.requests("POST", "/api/2.1/clusters/restart").len(), 1);
}

#[test]
fn terminate_waits_and_twice_is_once() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("clusters terminate shared-analytics").run().done().says(&["TERMINATING"]);
    assert_eq!(ran.json()["state"], "TERMINATED");
    let ran = workspace.brick("clusters terminate shared-analytics").run().done().says(&["already"]);
    assert_eq!(ran.json()["state"], "TERMINATED");
    let ran = workspace.brick("clusters terminate shared-analytics -q").run().done().silent();
    assert_eq!(ran.json()["state"], "TERMINATED");
    // Waiting for what is so already takes no time.
    workspace.brick("clusters wait shared-analytics --terminated").run().done();
}

#[test]
fn waiting_ends_at_its_timeout() {
    let mut delays = Delays::NONE;
    delays.cluster = std::time::Duration::from_secs(3600);
    let workspace = Workspace::alone(Sandbox::builder().with_delays(delays));
    let ran = workspace.brick("clusters start nightly-etl --timeout 3s").run();
    ran.fails(9, &[TERMINATED_CLUSTER, "PENDING", "3s", "hint: "]);
    let ran = workspace.brick("clusters wait nightly-etl --timeout 3s -o json").run().fails(9, &[]);
    assert_eq!(ran.json_error()["kind"], "deadline_exceeded");
}

#[test]
fn node_types_and_spark_versions() {
    let workspace = Workspace::fresh();
    let raw = squeezed(&workspace.get("/api/2.1/clusters/list-node-types"));
    let ran = workspace.brick("clusters node-types -o json").run().done().silent();
    assert_eq!(raw, format!("{{\"node_types\":{}}}", squeezed(ran.text())));
    let ran = workspace.brick("clusters node-types -o csv").run().done();
    assert!(ran.text().starts_with("ID,CORES,MEMORY MB,"), "{}", ran.text());
    let raw = squeezed(&workspace.get("/api/2.1/clusters/spark-versions"));
    let ran = workspace.brick("clusters spark-versions").run().done();
    assert_eq!(raw, format!("{{\"versions\":{}}}", squeezed(ran.text())));
}

const UPDATE: &str = "/api/2.1/clusters/update";

#[test]
fn create_waits_until_it_runs_and_obeys_a_policy() {
    let workspace = Workspace::fresh();
    let options = "--name mine --spark-version 15.4.x-scala2.12 --min-workers 1 --max-workers 2";
    let ran = workspace
        .brick(&format!("clusters create {options} --data -"))
        .arg("--policy")
        .arg("Shared Compute")
        .stdin(r#"{"cluster_name":"not this","num_workers":5,"apply_policy_default_values":true,"newest":{"a":1}}"#)
        .run()
        .done()
        .says(&["PENDING", "RUNNING"]);
    let made = ran.json();
    assert_eq!((&made["state"], &made["cluster_name"]), (&json!("RUNNING"), &json!("mine")));
    assert_eq!((&made["autoscale"]["max_workers"], &made["node_type_id"]), (&json!(2), &json!("i3.xlarge")));
    assert_eq!((made.get("num_workers"), &made["newest"]["a"]), (None, &json!(1)));
    let sent = workspace.requests("POST", "/api/2.1/clusters/create");
    assert_eq!(sent[0].body.as_ref().unwrap()["idempotency_token"].as_str().unwrap().len(), 32);

    let words = ["autotermination_minutes, the value must be at most 120"];
    let broken = format!("clusters create {options} --policy E06216CAA0000360 --autotermination-minutes 600");
    workspace.brick(&broken).run().fails(6, &words);
    // The same token makes no second cluster, and a lost answer none either.
    workspace.fault("POST /api/2.1/clusters/create: after reset times 1");
    let once = "clusters create --spark-version 15.4.x-scala2.12 --node-type i3.xlarge --single-node \
                --idempotency-token t-1 --no-wait";
    let first = workspace.brick(once).run().done().json();
    assert_eq!(workspace.brick(once).run().done().json()["cluster_id"], first["cluster_id"]);
    assert_eq!(workspace.brick("clusters list").run().done().json().as_array().unwrap().len(), 5);
}

#[test]
fn edit_changes_what_is_given_and_waits_for_the_restart() {
    let workspace = Workspace::fresh();
    let changes = r#"{"autotermination_minutes": 30, "spark_env_vars": null}"#;
    let ran = workspace.brick("clusters edit shared-analytics -d").arg(changes).run().done();
    let edited = ran.json();
    assert_eq!((&edited["state"], &edited["autotermination_minutes"]), (&json!("RUNNING"), &json!(30)));
    assert!(edited.get("spark_env_vars").is_none() && edited["spark_conf"].is_object(), "{edited}");
    ran.says(&["RESTARTING", "RUNNING"]);
    let body = workspace.requests("POST", UPDATE)[0].body.clone().unwrap();
    assert_eq!(body["update_mask"], "autotermination_minutes,spark_env_vars");
    assert_eq!(body["cluster"], json!({ "autotermination_minutes": 30 }));
    // One that is terminated stays so.
    let ran = workspace.brick("clusters edit nightly-etl --data").arg(r#"{"num_workers":2}"#).run().done();
    assert_eq!((&ran.json()["state"], &ran.json()["num_workers"]), (&json!("TERMINATED"), &json!(2)));
    let ran = workspace.brick("clusters resize shared-analytics --workers 6").run().done();
    assert_eq!((&ran.json()["state"], &ran.json()["num_workers"]), (&json!("RUNNING"), &json!(6)));
    ran.says(&["RESIZING"]);
    workspace
        .brick("clusters resize nightly-etl --workers 6")
        .run()
        .fails(6, &["not running", "hint: only a running"]);
    // A lost answer to an edit is not repeated: it could restart the cluster again.
    workspace.fault("POST /api/2.1/clusters/update: after reset times 1");
    workspace.brick("clusters edit nightly-etl -d {\"num_workers\":3}").run().fails(7, &["outcome"]);
    assert_eq!(workspace.requests("POST", UPDATE).len(), 3);
}

#[test]
fn pins_events_zones_and_a_deletion_for_good() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("clusters pin nightly-etl").run().done().silent();
    assert_eq!(ran.json(), json!({ "cluster_id": TERMINATED_CLUSTER, "pinned": true }));
    workspace.brick("clusters unpin nightly-etl").run().done();
    let events = workspace.brick("clusters events nightly-etl --limit 2").run().done().silent().json();
    let kinds: Vec<_> =
        events.as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["UNPINNED", "PINNED"]);
    let ran = workspace.brick("clusters events nightly-etl -o csv").run().done();
    assert!(ran.text().starts_with("TIME (MS),TYPE,USER,"), "{}", ran.text());
    assert_eq!(workspace.brick("clusters zones").run().done().json()["default_zone"], "us-west-2a");
    workspace
        .brick("clusters delete-permanently nightly")
        .run()
        .fails(5, &["no cluster has this id or name"]);
    // Only what is named is deleted, not the configured one.
    let configured =
        workspace.brick("clusters delete-permanently").env("DATABRICKS_CLUSTER_ID", RUNNING_CLUSTER);
    configured.run().fails(2, &["CLUSTER"]);
    assert!(workspace.requests("POST", "/api/2.1/clusters/permanent-delete").is_empty());
    workspace.brick("clusters delete-permanently nightly-etl").run().done();
    assert_eq!(workspace.brick("clusters list").run().done().json().as_array().unwrap().len(), 2);
}

#[test]
fn impossible_changes_are_refused_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    for (line, words) in [
        ("clusters create --name a", "no Spark version"),
        ("clusters create --spark-version x --data [1]", "the settings are not a JSON object\n"),
        ("clusters create --spark-version x --data {x", "not a JSON object: line 1 column 2"),
        ("clusters create --spark-version x --workers 1 --max-workers 2", "cannot be used with"),
        ("clusters create --spark-version x --min-workers 3 --max-workers 2", "3 and 2"),
        ("clusters create --spark-version x --min-workers 3", "--max-workers"),
        ("clusters create --spark-version x --idempotency-token=", "token is empty"),
        ("clusters edit nightly-etl", "no settings to change"),
        ("clusters edit nightly-etl --data {}", "no settings to change"),
        ("clusters resize nightly-etl", "new size is missing"),
        ("clusters resize nightly-etl --workers x", "invalid value"),
        ("clusters events nightly-etl --limit 0", "0"),
    ] {
        workspace.brick(line).run().fails(2, &[words]);
    }
    workspace.brick("clusters edit nightly-etl --data @nothing.json").run().fails(3, &["nothing.json"]);
    assert!(workspace.sandbox.requests_of(&workspace.token).is_empty());
}

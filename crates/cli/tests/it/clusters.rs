//! List, get, start, restart, terminate, wait, node types, Spark versions.

use brickwire_sandbox::{
    Delays, Sandbox,
    seed::{FAILING_CLUSTER, RUNNING_CLUSTER, TERMINATED_CLUSTER},
};

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
    let ran = workspace.brick("clusters start nightly-etl --timeout 300ms").run();
    ran.fails(9, &[TERMINATED_CLUSTER, "PENDING", "300ms", "hint: "]);
    let ran = workspace.brick("clusters wait nightly-etl --timeout 300ms -o json").run().fails(9, &[]);
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

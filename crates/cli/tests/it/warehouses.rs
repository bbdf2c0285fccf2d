//! List, get, start, stop, wait.

use brickwire_sandbox::{
    Sandbox,
    seed::{NAMESAKE_WAREHOUSE, RUNNING_WAREHOUSE, STOPPED_WAREHOUSE},
};

use crate::workspace::{Workspace, squeezed};

const LIST: &str = "/api/2.0/sql/warehouses";

#[test]
fn list_prints_the_services_json_with_nothing_lost() {
    let workspace = Workspace::fresh();
    let raw = squeezed(&workspace.get(LIST));
    let ran = workspace.brick("warehouses list -o json").run().done().silent();
    assert!(raw.starts_with(&format!("{{\"warehouses\":{}", squeezed(ran.text()))), "{}", ran.text());
    let ran = workspace.brick("warehouse list -o csv").run().done().silent();
    let lines: Vec<_> = ran.text().lines().collect();
    assert!(lines[0].starts_with("ID,NAME,STATE,"), "{}", ran.text());
    let first = format!("{RUNNING_WAREHOUSE},Serverless Starter Warehouse,RUNNING,");
    assert!(lines[1].starts_with(&first), "{}", ran.text());
    let ran = workspace.brick("warehouses list -o table").run().done().silent();
    assert_eq!(ran.text().lines().count(), 4);
    let ran = workspace.brick("warehouses list -o jsonl").run().done().silent();
    assert_eq!(ran.text().lines().count(), 3);
}

#[test]
fn get_takes_an_id_or_a_name() {
    let workspace = Workspace::fresh();
    let raw = squeezed(&workspace.get(&format!("{LIST}/{RUNNING_WAREHOUSE}")));
    assert!(raw.contains("\"jdbc_routing_hint\":null"), "the seed has what is rare");
    for which in [RUNNING_WAREHOUSE, "Serverless Starter Warehouse"] {
        let ran = workspace.brick("warehouses get").arg(which).run().done().silent();
        assert_eq!(squeezed(ran.text()), raw, "{which}");
    }
}

#[test]
fn a_name_that_two_have_lists_both() {
    let workspace = Workspace::fresh();
    let both = ["\"Reporting\"", STOPPED_WAREHOUSE, NAMESAKE_WAREHOUSE, "hint: use an id"];
    for command in ["get", "start", "stop", "wait"] {
        workspace.brick(&format!("warehouses {command} Reporting")).run().fails(2, &both);
    }
    workspace.sql("-w Reporting", "SELECT 1").run().fails(2, &both);
    assert!(workspace.requests("POST", "/").is_empty());
}

#[test]
fn start_and_stop_wait_and_twice_is_once() {
    let workspace = Workspace::fresh();
    let run = |what: &str| workspace.brick(&format!("warehouses {what} {STOPPED_WAREHOUSE}")).run().done();
    let started = run("start").says(&["STARTING", "RUNNING"]);
    assert_eq!(started.json()["state"], "RUNNING");
    assert!(!started.stderr.contains("already"), "{}", started.stderr);
    assert_eq!(run("start").says(&[STOPPED_WAREHOUSE, "already"]).json()["state"], "RUNNING");
    let stopped = run("stop").says(&["STOPPED"]);
    assert_eq!(stopped.json()["state"], "STOPPED");
    assert!(!stopped.stderr.contains("already"), "{}", stopped.stderr);
    assert_eq!(run("stop").says(&["already"]).json()["state"], "STOPPED");
}

#[test]
fn no_wait_returns_at_once() {
    let workspace = Workspace::alone(Sandbox::builder());
    let ran = workspace.brick("warehouses start --no-wait").arg(STOPPED_WAREHOUSE).run().done();
    assert_eq!(ran.json()["state"], "STARTING");
    let ran = workspace.brick("warehouses wait").arg(STOPPED_WAREHOUSE).run().done();
    assert_eq!(ran.json()["state"], "RUNNING");
    workspace.brick("warehouses stop --no-wait").arg(STOPPED_WAREHOUSE).run().done();
    let ran = workspace.brick("warehouses wait --stopped").arg(STOPPED_WAREHOUSE).run().done();
    assert_eq!(ran.json()["state"], "STOPPED");
}

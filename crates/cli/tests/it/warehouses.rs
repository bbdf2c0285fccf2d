//! List, get, create, edit, delete, start, stop, wait.

use brickwire_sandbox::{
    Sandbox,
    seed::{NAMESAKE_WAREHOUSE, RUNNING_WAREHOUSE, STOPPED_WAREHOUSE},
};

use serde_json::json;

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

#[test]
fn a_warehouse_is_created_changed_and_deleted() {
    let workspace = Workspace::fresh();
    let create = "warehouses create mine --size Small --serverless --max-clusters 3 --auto-stop-minutes 5";
    let ran =
        workspace.brick(create).arg("--data").arg(r#"{"newest":{"a":1},"name":"not this"}"#).run().done();
    let made = ran.says(&["STARTING", "RUNNING"]).json();
    assert_eq!(
        (&made["name"], &made["state"], &made["warehouse_type"]),
        (&json!("mine"), &json!("RUNNING"), &json!("PRO"))
    );
    let id = made["id"].as_str().unwrap();
    workspace.brick("warehouses create mine").run().fails(6, &["already exists"]);

    let edited =
        workspace.brick("warehouses edit mine --size Medium --name yours").run().done().silent().json();
    assert_eq!(
        (&edited["cluster_size"], &edited["name"], &edited["newest"]),
        (&json!("Medium"), &json!("yours"), &json!({ "a": 1 }))
    );
    let sent = workspace.requests("POST", &format!("/api/2.0/sql/warehouses/{id}/edit"));
    let body = sent[0].body.as_ref().unwrap();
    // All settings go back, and nothing that only describes the state.
    assert_eq!(
        (&body["auto_stop_mins"], &body["newest"]["a"], body.get("state")),
        (&json!(5), &json!(1), None)
    );

    workspace.brick("warehouses delete Reporting").run().fails(2, &["several warehouses have this name"]);
    let ran = workspace.brick("warehouses delete yours").run().done().says(&["DELETING"]);
    assert_eq!(ran.json(), json!({ "id": id, "deleted": true }));
    workspace.brick(&format!("warehouses get {id}")).run().fails(5, &[id]);
    workspace.brick(&format!("warehouses delete {id}")).run().fails(5, &[id]);
}

#[test]
fn impossible_changes_are_refused_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    for (line, words) in [
        ("warehouses create", "NAME"),
        ("warehouses create a --serverless --type classic", "cannot be used with"),
        ("warehouses create a --max-clusters many", "invalid value"),
        ("warehouses edit a", "no settings to change"),
        ("warehouses edit a --data nonsense", "not a JSON object"),
        ("warehouses delete", "WAREHOUSE"),
    ] {
        workspace.brick(line).run().fails(2, &[words]);
    }
    workspace.brick("warehouses create").arg(" ").run().fails(2, &["no name"]);
    assert!(workspace.sandbox.requests_of(&workspace.token).is_empty());
}

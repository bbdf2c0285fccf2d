//! Pipelines and their updates.

use std::time::Duration;

use brickwire_sandbox::{
    Delays, Sandbox,
    seed::{FAILING_PIPELINE, TRIPS_PIPELINE},
};
use brickwire_testserver::Response;
use serde_json::json;

use crate::{scripted::Server, workspace::Workspace};

const STOP: &str = "/api/2.0/pipelines/3f7c5d10-9a41-4c5e-8b6a-5d2f0e7a1c11/stop";

#[test]
fn an_update_runs_and_its_tables_are_there() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("pipelines run trips --full-refresh").run().done();
    let ran = ran.says(&["is CREATED", "is RESETTING", "is SETTING_UP_TABLES", "is RUNNING", "is COMPLETED"]);
    let update = ran.json()["update"].clone();
    assert_eq!((&update["state"], &update["pipeline_id"]), (&json!("COMPLETED"), &json!(TRIPS_PIPELINE)));
    let rows = workspace.sql("-o csv", "SELECT trips > 0 AS any FROM main.default.trips_count").run().done();
    assert_eq!(rows.text().replace("\r\n", "\n"), "any\ntrue\n");
    let id = update["update_id"].as_str().unwrap();
    let shown = workspace.brick(&format!("pipelines updates trips {id}")).run().done().silent().json();
    assert_eq!(shown["update"], update);
}

#[test]
fn a_failure_tells_the_reason_of_the_events() {
    let workspace = Workspace::fresh();
    let words = [
        "is FAILED: [TABLE_OR_VIEW_NOT_FOUND]",
        "orders_raw",
        &format!("hint: see all of its errors: brick pipelines events {FAILING_PIPELINE} --level error"),
    ];
    let ran = workspace.brick("pipelines run orders").run().exits(8, &words);
    assert_eq!(ran.json()["update"]["state"], "FAILED");
    let errors = workspace.brick("pipelines events orders --level error").run().done().silent().json();
    let errors = errors.as_array().unwrap();
    assert!(errors.len() == 2 && errors.iter().all(|event| event["level"] == "ERROR"), "{errors:?}");
    let ran = workspace.brick("pipelines events orders --limit 3 -o csv").run().done();
    assert!(ran.text().starts_with("TIME,LEVEL,TYPE,MESSAGE,ERROR"), "{}", ran.text());
    let ran = workspace.brick("pipelines run orders -o json").run().exits(8, &[]);
    assert_eq!(ran.json_error()["kind"], "remote_failed");
}

#[test]
fn pipelines_and_updates_are_listed() {
    let workspace = Workspace::fresh();
    let all = workspace.brick("pipelines list").run().done().silent().json();
    let names: Vec<_> = all.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["orders", "trips"]);
    let shown = workspace.brick("pipelines get trips").run().done().silent().json();
    assert_eq!((&shown["spec"]["catalog"], &shown["state"]), (&json!("main"), &json!("IDLE")));
    let request = json!({ "refresh_selection": ["a"], "full_refresh_selection": ["b"] });
    let run = "pipelines run trips --refresh a --full-refresh-table b --detach";
    let started = workspace.brick(run).run().done().silent().json();
    assert_eq!(started["pipeline_id"], TRIPS_PIPELINE);
    let sent = workspace.requests("POST", "/api/2.0/pipelines/");
    assert_eq!(sent[0].body.as_ref().unwrap(), &request);
    let updates = workspace.brick("pipelines updates trips").run().done().json();
    assert_eq!(updates[0]["update_id"], started["update_id"]);
    let ran = workspace.brick("pipelines updates trips -o csv").run().done();
    assert!(ran.text().starts_with("ID,STATE,CAUSE,"), "{}", ran.text());
    workspace.brick("pipelines get nothing-like-it").run().fails(5, &["no pipeline has this id or name"]);
    let unknown = "00000000-0000-4000-8000-000000000000";
    workspace.brick(&format!("pipelines run {unknown}")).run().fails(5, &["was not found"]);
}

#[test]
fn a_start_is_sent_once() {
    let workspace = Workspace::fresh();
    workspace.fault(&format!("POST /api/2.0/pipelines/{TRIPS_PIPELINE}/updates: after reset times 1"));
    workspace.brick("pipelines run trips").run().fails(7, &["hint: list the pipeline's updates"]);
    assert_eq!(workspace.requests("POST", "/api/2.0/pipelines/").len(), 1);
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    for (line, words) in [
        ("pipelines run", "PIPELINE"),
        ("pipelines run trips --full-refresh --refresh a", "cannot be used with"),
        ("pipelines run trips --refresh=", "name of a table is empty"),
        ("pipelines run trips --detach --cancel-on-interrupt", "cannot be used with"),
        ("pipelines updates trips --limit 0", "0"),
        ("pipelines updates trips u-1 --limit 3", "cannot be used with"),
        ("pipelines events trips --level fatal", "fatal"),
    ] {
        workspace.brick(line).run().fails(2, &[words]);
    }
    assert!(workspace.sandbox.requests_of(&workspace.token).is_empty());
}

/// A workspace whose updates stay CREATED.
fn endless() -> Workspace {
    let mut delays = Delays::NONE;
    delays.update = Duration::from_secs(1000 * 365 * 24 * 3600);
    Workspace::alone(Sandbox::builder().with_delays(delays))
}

#[cfg(unix)]
#[test]
fn an_interrupt_names_the_update_that_goes_on_or_cancels_it() {
    let workspace = endless();
    let running = workspace.brick("pipelines run trips").start().until_said("is CREATED");
    running.signal("INT");
    let words = format!("continues on its own: brick pipelines updates {TRIPS_PIPELINE} ");
    let ran = running.end().fails(130, &[&words]);
    let id = ran.stderr.split(&words).nth(1).unwrap().lines().next().unwrap().to_owned();
    assert!(workspace.requests("POST", STOP).is_empty());
    // The active one goes on.
    workspace.brick("pipelines run trips").run().fails(6, &[&id]);
    let stopped = workspace.brick("pipelines stop trips").run().done().silent().json();
    assert_eq!(stopped, json!({ "pipeline_id": TRIPS_PIPELINE, "stop_requested": true }));
    let state = workspace.brick(&format!("pipelines updates trips {id}")).run().done().json();
    assert_eq!(state["update"]["state"], "STOPPING");

    let workspace = endless();
    let running =
        workspace.brick("pipelines run trips --cancel-on-interrupt").start().until_said("is CREATED");
    running.signal("INT");
    running.end().fails(130, &["canceling update "]);
    assert_eq!(workspace.requests("POST", STOP).len(), 1);
}

#[test]
fn a_timeout_leaves_the_update_or_cancels_it() {
    let workspace = endless();
    let ran = workspace.brick("pipelines run trips --timeout 3s").run();
    ran.fails(9, &["timed out after 3s; ", "is still CREATED"]);
    assert!(workspace.requests("POST", STOP).is_empty());
    let workspace = endless();
    let ran = workspace.brick("pipelines run trips --timeout 3s --cancel-on-interrupt").run();
    let ran = ran.fails(9, &["the cancellation of update "]);
    assert!(!ran.stderr.contains("was not canceled"), "{}", ran.stderr);
    assert_eq!(workspace.requests("POST", STOP).len(), 1);
}

#[test]
fn what_an_update_says_cannot_write_to_the_terminal() {
    let server = Server::handling(|request| {
        Response::json(match request.path() {
            path if path.ends_with("/events") => {
                let error = json!({ "exceptions": [{ "message": "no\u{1b}]0;title\u{7}\nroom" }] });
                json!({ "events": [{ "origin": { "update_id": "u" }, "error": error }] }).to_string()
            }
            path if path.ends_with("/updates") => json!({ "update_id": "u" }).to_string(),
            _ => json!({ "update": { "update_id": "u", "state": "FAILED" } }).to_string(),
        })
    });
    let ran =
        server.brick(&format!("pipelines run {TRIPS_PIPELINE}")).run().exits(8, &["update u is FAILED: no"]);
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stderr.contains('\u{7}'), "{:?}", ran.stderr);
}

//! Jobs and their runs.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use brickwire_sandbox::{
    Delays, Sandbox,
    seed::{IMPORT_JOB, REPORT_JOB},
};
use brickwire_testserver::Response;
use serde_json::{Value, json};

use crate::{scripted::Server, workspace::Workspace};

const RUN_NOW: &str = "/api/2.2/jobs/run-now";
const CANCEL: &str = "/api/2.2/jobs/runs/cancel";

#[test]
fn a_job_runs_and_its_output_is_data() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("jobs run daily-report -P day=2026-01-02 -o csv").run().done();
    let text = ran.text().replace("\r\n", "\n");
    let (head, rows) = text.split_once("day,trips\n").unwrap();
    assert_eq!(head, "extracting 2026-01-02\n");
    assert!(rows.starts_with("2026-01-02,"), "{rows}");
    let ran = ran.says(&[
        "task extract is RUNNING",
        "task any-rows is SUCCESS",
        "task report is SUCCESS",
        " is SUCCESS",
    ]);
    assert!(
        ran.stderr.contains("output of task extract:") && !ran.stderr.contains("error"),
        "{}",
        ran.stderr
    );
    let sent = workspace.requests("POST", RUN_NOW);
    let body = sent[0].body.as_ref().unwrap();
    assert_eq!(
        (&body["job_id"], &body["job_parameters"]),
        (&json!(REPORT_JOB), &json!({ "day": "2026-01-02" }))
    );
    assert!(sent.len() == 1 && body["idempotency_token"].as_str().unwrap().len() == 32, "{body}");
}

#[test]
fn a_job_that_fails_names_the_task_and_is_repaired() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("jobs run nightly-import").run().exits(
        8,
        &[
            "task check is FAILED",
            "task publish is UPSTREAM_FAILED",
            "Traceback (most recent call last)",
            "ValueError: 2 of 3 files are damaged",
            "Task check failed with message",
            "hint: run the failed tasks again: brick jobs repair ",
        ],
    );
    assert_eq!(ran.text(), "loaded 3 files\nchecking\n");
    let id = ran.stderr.rsplit("brick jobs repair ").next().unwrap().trim().to_owned();
    assert!(id.parse::<i64>().unwrap() > 1 << 53, "{id}");
    let repair = format!("jobs repair {id} --param strict=false");
    let ran = workspace.brick(&repair).run().done().says(&["task publish is SUCCESS"]);
    assert_eq!(ran.text(), "loaded 3 files\n3 files are good\nloaded 3 files\n");
    // The same as data: one output for each task.
    let all = workspace.brick(&format!("jobs output {id} -o json")).run().done().json();
    let keys: Vec<_> =
        all.as_array().unwrap().iter().map(|one| one["metadata"]["task_key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["load", "check", "publish"]);
    // A task's run has an output of its own.
    let task = all[1]["metadata"]["run_id"].to_string();
    let ran = workspace.brick(&format!("jobs output {task}")).run().done();
    assert_eq!(ran.text(), "3 files are good\n");
    workspace.brick(&format!("jobs repair {id}")).run().fails(6, &["no task to run again"]);
}

#[test]
fn a_run_as_json_has_all_that_the_service_sent() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("jobs run nightly-import -o json").run().exits(8, &[]);
    let run = ran.json();
    let expected = workspace.get(&format!("/api/2.2/jobs/runs/get?run_id={}", run["run_id"]));
    assert_eq!(run, serde_json::from_str::<Value>(&expected).unwrap());
    assert_eq!(ran.json_error()["kind"], "remote_failed");
}

#[test]
fn jobs_and_runs_are_listed() {
    let workspace = Workspace::fresh();
    let jobs = workspace.brick("jobs list").run().done().silent().json();
    assert_eq!(
        jobs.as_array().unwrap().iter().map(|job| &job["job_id"]).collect::<Vec<_>>(),
        [IMPORT_JOB, REPORT_JOB]
    );
    let job = workspace.brick("jobs get daily-report").run().done().silent().json();
    assert_eq!(job["settings"]["tasks"].as_array().unwrap().len(), 3);
    for _ in 0..3 {
        let started = workspace.brick("jobs run daily-report --detach").run().done().silent().json();
        workspace.brick(&format!("jobs output {}", started["run_id"])).run().done();
    }
    let runs = workspace.brick("jobs runs daily-report --limit 2").run().done().silent().json();
    assert_eq!(runs.as_array().unwrap().len(), 2);
    let table = workspace.brick("jobs runs -o csv").run().done();
    assert_eq!(table.text().lines().count(), 4, "{}", table.text());
    assert_eq!(workspace.brick("jobs runs --active").run().done().json(), json!([]));
    workspace.brick("jobs get nothing-like-it").run().fails(5, &["no job has this id or name"]);
    workspace.brick("jobs get 5").run().fails(5, &["Job 5 does not exist"]);
}

#[test]
fn a_start_is_repeated_and_starts_one_run() {
    let workspace = Workspace::fresh();
    workspace.fault("POST /api/2.2/jobs/run-now: after reset times 1");
    let started = workspace.brick("jobs run daily-report --detach").run().done().json();
    assert_eq!(workspace.requests("POST", RUN_NOW).len(), 2);
    let runs = workspace.brick("jobs runs").run().done().json();
    assert_eq!((runs.as_array().unwrap().len(), &runs[0]["run_id"]), (1, &started["run_id"]));
    // The caller's token makes two programs start one run.
    let start = "jobs run nightly-import --detach --idempotency-token t-1";
    let first = workspace.brick(start).run().done().json();
    assert_eq!(workspace.brick(start).run().done().json(), first);
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    for (line, words) in [
        ("jobs run daily-report -P day", "NAME=VALUE"),
        ("jobs run daily-report -P day=1 -P day=2", "given twice"),
        ("jobs output 0", "0"),
        ("jobs output x", "invalid"),
        ("jobs cancel 99999999999999999999", "99999999999999999999"),
        ("jobs run daily-report --detach --cancel-on-interrupt", "cannot be used with"),
        ("jobs runs --limit 0", "0"),
    ] {
        workspace.brick(line).run().fails(2, &[words]);
    }
    assert!(workspace.sandbox.requests_of(&workspace.token).is_empty());
}

/// A workspace whose runs stay PENDING.
fn endless() -> Workspace {
    let mut delays = Delays::NONE;
    delays.run = Duration::from_secs(1000 * 365 * 24 * 3600);
    Workspace::alone(Sandbox::builder().with_delays(delays))
}

#[cfg(unix)]
#[test]
fn an_interrupt_names_the_run_that_goes_on_or_cancels_it() {
    let workspace = endless();
    let running = workspace.brick("jobs run daily-report").start().until_said("task extract is PENDING");
    running.signal("INT");
    let ran = running.end().fails(130, &["continues on its own: brick jobs output "]);
    let id = ran.stderr.split("jobs output ").nth(1).unwrap().lines().next().unwrap().to_owned();
    assert!(workspace.requests("POST", CANCEL).is_empty());
    workspace.brick(&format!("jobs cancel {id}")).run().done();
    workspace.brick(&format!("jobs output {id}")).run().exits(8, &["was canceled"]);

    let running = workspace.brick("jobs run daily-report --cancel-on-interrupt").start();
    let running = running.until_said("task extract is PENDING");
    running.signal("INT");
    let ran = running.end().fails(130, &["canceling run "]);
    assert_eq!(workspace.requests("POST", CANCEL).len(), 2);
    let id = ran.stderr.split("canceling run ").nth(1).unwrap().lines().next().unwrap().to_owned();
    workspace.brick(&format!("jobs output {id}")).run().exits(8, &["was canceled"]);
}

#[test]
fn a_timeout_leaves_the_run_or_cancels_it() {
    let workspace = endless();
    let ran = workspace.brick("jobs run daily-report --timeout 3s --cancel-on-interrupt").run();
    ran.fails(9, &["was canceled"]);
    let ran = workspace.brick("jobs run daily-report --timeout 3s").run();
    ran.fails(9, &["timed out after 3s; ", "is still PENDING"]);
    assert_eq!(workspace.requests("POST", CANCEL).len(), 1);
    // Another run finds the job busy.
    workspace.brick("jobs run daily-report").run().exits(8, &["was skipped"]);
}

#[test]
fn what_a_run_says_cannot_write_to_the_terminal() {
    let polls = AtomicUsize::new(0);
    let server = Server::handling(move |request| {
        let state = json!({ "life_cycle_state": "TERMINATED", "result_state": "FAILED", "state_message": "a\nb\u{1b}[2J" });
        Response::json(match request.path() {
            "/api/2.2/jobs/run-now" => json!({ "run_id": 5 }).to_string(),
            "/api/2.2/jobs/runs/get" => {
                polls.fetch_add(1, Ordering::Relaxed);
                let task = json!({ "task_key": "x\u{1b}[31m", "run_id": 6, "state": state });
                json!({ "run_id": 5, "state": state, "tasks": [task] }).to_string()
            }
            _ => json!({ "error": "\u{1b}]0;title\u{7}no", "logs": "done" }).to_string(),
        })
    });
    let ran = server.brick("jobs run 7").run().exits(8, &["FAILED"]);
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stderr.contains('\u{7}'), "{:?}", ran.stderr);
    assert_eq!(ran.text(), "done\n");
}

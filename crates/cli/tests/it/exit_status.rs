//! Every exit status that `brick --help` lists, each by what makes a program end with it.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{program::Brick, scripted::Server, workspace::Workspace};

const STATEMENTS: &str = "/api/2.0/sql/statements";

#[test]
fn the_help_lists_them_all() {
    let ran = Brick::new("--help").run().done().silent();
    let (_, list) = ran.text().split_once("Exit status:").unwrap();
    let list = list.split_whitespace().collect::<Vec<_>>().join(" ");
    for code in ["0 done", "1 unexpected", "2 wrong", "3 not", "4 not", "5 not", "6 request", "7 unreachable"]
    {
        assert!(list.contains(code), "{code}: {list}");
    }
    for code in ["8 the remote", "9 deadline", "130 interrupted", "143 terminated"] {
        assert!(list.contains(code), "{code}: {list}");
    }
}

#[test]
fn status_0_is_done_also_if_it_was_so_already() {
    let workspace = Workspace::fresh();
    workspace.brick("clusters start shared-analytics").run().done().says(&["already"]);
    workspace.brick("clusters terminate nightly-etl").run().done().says(&["already"]);
    Brick::new("--version").run().done().silent();
}

#[test]
fn status_1_is_an_answer_that_nobody_expects() {
    let server = Server::answering(&[(200, "application/json", b"{ broken")]);
    server.brick("clusters list").run().fails(1, &["cannot decode"]);
    server.brick("api GET /2.0/x").run().fails(1, &["JSON"]);
}

#[test]
fn status_2_is_wrong_usage() {
    for arguments in ["", "clusters", "clusters nap", "clusters list --nope", "clusters get"] {
        Brick::new(arguments).run().fails(2, &["Usage"]);
    }
    Brick::new("-o xml whoami").run().fails(2, &["'xml'", "--output"]);
    let workspace = Workspace::fresh();
    workspace.brick("warehouses get Reporting").run().fails(2, &["several"]);
}

#[test]
fn status_3_is_not_configured_or_refused_here() {
    Brick::new("whoami").run().fails(3, &["host", "DATABRICKS_HOST", "hint: "]);
    let workspace = Workspace::fresh();
    workspace.brick("whoami").without_env("DATABRICKS_TOKEN").run().fails(3, &["DATABRICKS_TOKEN", "hint: "]);
}

#[test]
fn status_4_is_not_authenticated_or_not_allowed() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("whoami").env("DATABRICKS_TOKEN", "dapi-wrong").run();
    let ran = ran.fails(4, &["Invalid access token"]);
    assert!(!ran.stderr.contains("dapi-wrong"), "{}", ran.stderr);
    workspace.fault("*: times 1 401 code=UNAUTHENTICATED message=expired");
    workspace.brick("clusters list").run().fails(4, &["expired", "hint: "]);
    workspace.fault("*: times 1 403 code=PERMISSION_DENIED message=\"may not\"");
    workspace.brick("clusters list").run().fails(4, &["PERMISSION_DENIED: may not", "hint: "]);
}

#[test]
fn status_5_is_not_found() {
    let workspace = Workspace::fresh();
    workspace
        .brick("clusters get 0000-000000-nobodyyy")
        .run()
        .fails(5, &["0000-000000-nobodyyy", "does not exist"]);
    workspace.brick("clusters get nobody").run().fails(5, &["\"nobody\"", "nightly-etl", "hint: "]);
    workspace
        .brick("warehouses get 0000000000000000")
        .run()
        .fails(5, &["0000000000000000", "does not exist"]);
    workspace.brick("api GET /2.0/nowhere").run().fails(5, &["ENDPOINT_NOT_FOUND"]);
}

#[test]
fn status_6_is_a_rejected_request() {
    let workspace = Workspace::fresh();
    let words = ["INVALID_STATE", "0710-090100-n1ghtly0", "hint: "];
    workspace.brick("clusters restart nightly-etl").run().fails(6, &words);
    assert_eq!(workspace.requests("POST", "/api/2.1/clusters/restart").len(), 1);
}

#[test]
fn status_7_is_unreachable_unavailable_or_unknown() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dead = format!("http://127.0.0.1:{port}");
    let brick = Brick::new("whoami").env("DATABRICKS_HOST", &dead).env("DATABRICKS_TOKEN", "dapi-x");
    brick.run().fails(7, &[&dead, "hint: "]);
    let workspace = Workspace::fresh();
    workspace.fault(&format!("POST {STATEMENTS}: after reset"));
    let ran = workspace.sql("-o json", "SELECT 1").run().fails(7, &[]);
    assert_eq!(ran.json_error()["kind"], "unknown_outcome");
    assert_eq!(workspace.requests("POST", STATEMENTS).len(), 1);
    workspace.fault("*: 503");
    workspace.brick("api GET /2.1/clusters/list").run().fails(7, &["503"]);
}

#[test]
fn status_8_is_remote_work_that_failed() {
    let workspace = Workspace::fresh();
    workspace.sql("", "SELECT nope").run().fails(8, &["UNRESOLVED_COLUMN", "`nope`", "42703"]);
    workspace.brick("clusters start gpu-experiments").run().fails(8, &["INSUFFICIENT"]);
    workspace.brick("run -c shared-analytics 1/0").run().fails(8, &["ZeroDivisionError"]);
}

#[test]
fn status_9_is_a_deadline_and_the_statement_is_cancelled() {
    let workspace = Workspace::with_endless_statements();
    let ran =
        workspace.sql("--timeout 300ms", "SELECT 1").run().fails(9, &["300ms", "was cancelled", "hint: "]);
    let cancelled = workspace.requests("POST", STATEMENTS);
    assert!(cancelled.iter().any(|request| request.path.ends_with("/cancel")), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn status_130_and_143_are_signals_and_the_statement_is_cancelled() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let workspace = Workspace::with_endless_statements();
        let running = workspace.sql("-w 4f1c8a3be02d7719", "SELECT 1").start();
        workspace.until_requested("POST", STATEMENTS);
        // The service waits some seconds before it answers a submission; then comes the first poll.
        workspace.until_requested_after("GET", STATEMENTS, Duration::from_secs(1));
        running.signal(signal);
        running.end().fails(code, &["cancelling statement", "interrupted"]);
        assert_cancelled(&workspace);
    }
}

#[cfg(unix)]
#[test]
fn a_signal_before_the_submission_is_answered_cancels_the_statement_too() {
    let workspace = Workspace::with_endless_statements();
    let running = workspace.sql("-w 4f1c8a3be02d7719", "SELECT 1").start();
    workspace.until_requested("POST", STATEMENTS);
    running.signal("INT");
    running.end().fails(130, &["cancelling statement", "interrupted"]);
    assert_cancelled(&workspace);
}

#[cfg(unix)]
#[test]
fn a_second_signal_does_not_wait_for_the_cancellation() {
    let workspace = Workspace::with_endless_statements();
    workspace.sandbox.fault("POST /api/2.0/sql/statements/*/cancel: hang").unwrap();
    let running = workspace.sql("-w 4f1c8a3be02d7719", "SELECT 1").start();
    workspace.until_requested("POST", STATEMENTS);
    workspace.until_requested_after("GET", STATEMENTS, Duration::from_secs(1));
    let id = workspace.requests("GET", STATEMENTS)[0].path.rsplit('/').next().unwrap().to_owned();
    running.signal("INT");
    workspace.until_requested("POST", &format!("{STATEMENTS}/{id}/cancel"));
    let begun = Instant::now();
    running.signal("INT");
    running.end().fails(130, &[&format!("cancelling statement {id}")]);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[cfg(unix)]
fn assert_cancelled(workspace: &Workspace) {
    let sent = workspace.requests("POST", STATEMENTS);
    let paths: Vec<_> = sent.iter().map(|request| request.path.as_str()).collect();
    let [STATEMENTS, cancel] = paths[..] else { panic!("{paths:?}") };
    let statement = cancel.strip_suffix("/cancel").unwrap();
    let status: Value = serde_json::from_str(&workspace.get(statement)).unwrap();
    assert_eq!(status["status"]["state"], "CANCELED");
}

#[cfg(unix)]
#[test]
fn a_signal_while_waiting_leaves_what_was_started() {
    let mut delays = brickwire_sandbox::Delays::NONE;
    delays.cluster = Duration::from_secs(3600);
    let workspace = Workspace::alone(brickwire_sandbox::Sandbox::builder().with_delays(delays));
    let running = workspace.brick("clusters start 0710-090100-n1ghtly0").start();
    workspace.until_requested("GET", "/api/2.1/clusters/get");
    running.signal("INT");
    running.end().fails(130, &["interrupted"]);
    assert!(workspace.requests("POST", "/api/2.1/clusters/delete").is_empty());
    let state = workspace.brick("clusters get nightly-etl").run().done().json()["state"].clone();
    assert_eq!(state, "PENDING");
}

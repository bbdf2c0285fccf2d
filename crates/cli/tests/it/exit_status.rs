//! Every exit status that `brick --help` lists, each by what makes a program end with it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use brickwire_sandbox::{Delays, Sandbox, seed::STOPPED_WAREHOUSE};
use brickwire_testserver::ClosedPort;
use serde_json::Value;

use crate::{program::Brick, scripted::Server, workspace::Workspace};

const STATEMENTS: &str = "/api/2.0/sql/statements";

/// The rows of a table in the document of errors, cell by cell.
fn documented(heading: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    let text = std::fs::read_to_string(path).unwrap().replace("\r\n", "\n");
    let (_, section) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let table =
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells =
        |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    table.skip(2).map(cells).collect()
}

#[test]
fn the_help_and_the_document_list_them_all() {
    let ran = Brick::new("--help").run().done().silent();
    let (_, list) = ran.text().split_once("Exit codes:\n").unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let listed: Vec<_> = lines.map(|line| line.trim().split_once(' ').unwrap()).collect();
    let rows = documented("Exit codes");
    let rows: Vec<_> = rows.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    assert_eq!(listed.iter().map(|(code, text)| (*code, text.trim())).collect::<Vec<_>>(), rows);
    let codes: Vec<_> = rows.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "129", "130", "143"]);
}

#[test]
fn every_documented_field_is_printed_and_no_other() {
    let workspace = Workspace::fresh();
    let fields: Vec<_> =
        documented("Fields").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    for (brick, code) in [
        (workspace.sql("-o json", "SELECT nope"), 8),
        (workspace.brick("warehouses get 0000000000000000 -o json"), 5),
        (workspace.brick("run -c shared-analytics 1/0 -o csv -o jsonl"), 2),
        (workspace.brick("sql -o json").arg(""), 2),
    ] {
        let error = brick.run().fails(code, &[]).json_error();
        let printed = error.as_object().unwrap();
        assert!(printed.keys().eq(fields.iter().map(|(name, _)| name)), "{error}");
        for ((name, kind), value) in fields.iter().zip(printed.values()) {
            let own = match value {
                Value::Null => "null",
                Value::String(_) => "text",
                Value::Number(_) => "number",
                Value::Object(_) => "object",
                _ => "something else",
            };
            assert!(kind.split(" or ").any(|kind| kind == own), "{name} is {kind}: {value}");
        }
    }
}

#[test]
fn every_documented_kind_occurs_with_its_exit_status() {
    let workspace = Workspace::fresh();
    let faulty = |fault: &str| {
        let workspace = Workspace::fresh();
        workspace.fault(fault);
        workspace
    };
    let mut delays = Delays::NONE;
    delays.cluster = Duration::from_secs(3600);
    let slow = Workspace::alone(Sandbox::builder().with_delays(delays));
    let expired = faulty("*: 401 code=UNAUTHENTICATED message=expired");
    let denied = faulty("*: 403 code=PERMISSION_DENIED message=no");
    let (busy, down) = (faulty("*: 429 retry-after=0"), faulty("*: 503"));
    let lossy = faulty(&format!("POST {STATEMENTS}: after reset"));
    let odd = Server::json("{ broken");
    let closed = ClosedPort::reserve();
    let dead = format!("http://{}", closed.authority());
    let once = "api GET /2.0/x --max-retries 0";
    let runs = [
        workspace.brick("contexts destroy -c shared-analytics"),
        Brick::new("whoami"),
        workspace.brick("sql -f missing.sql"),
        workspace.brick("clusters start nightly-etl --read-only"),
        expired.brick("whoami"),
        denied.brick("clusters list"),
        workspace.brick("clusters get nobody"),
        workspace.brick("clusters restart nightly-etl"),
        busy.brick(once),
        down.brick(once),
        Brick::new("whoami").env("DATABRICKS_HOST", &dead).env("DATABRICKS_TOKEN", "dapi-x"),
        lossy.sql("", "SELECT 1"),
        workspace.sql("", "SELECT nope"),
        slow.brick("clusters start nightly-etl --timeout 1ms"),
        odd.brick("clusters list"),
    ];
    let rows = documented("Kinds");
    assert_eq!(runs.len(), rows.len());
    for (brick, row) in runs.into_iter().zip(rows) {
        let code = row[1].parse().unwrap();
        let error = brick.args("-o json").run().fails(code, &[]).json_error();
        assert_eq!(
            (error["kind"].as_str(), error["exit_code"].as_i64()),
            (Some(&*row[0]), Some(code.into()))
        );
    }
}

#[test]
fn wrong_usage_is_json_too_where_json_is_asked_for() {
    for (line, message, hint) in [
        ("-o json clusters nap", "unrecognized subcommand 'nap'", "Usage: brick clusters"),
        ("clusters list --nope -ojson", "unexpected argument '--nope' found", "Usage: brick clusters list"),
        ("whoami --hots x --output=jsonl", "unexpected argument '--hots' found", "'--host'"),
        (
            "contexts destroy -qo json",
            "arguments were not provided: <CONTEXT>",
            "Usage: brick contexts destroy",
        ),
        ("--output jsonl", "requires a subcommand", "Usage: brick "),
        ("-o json warehouses", "no command given", "Usage: brick warehouses"),
        ("clusters start x --timeout soon -o=json", "invalid value 'soon' for '--timeout <DURATION>'", ""),
    ] {
        let ran = Brick::new(line).run().fails(2, &[]);
        assert_eq!(ran.stderr.lines().count(), 1, "{line}: {}", ran.stderr);
        let error = ran.json_error();
        assert_eq!((error["kind"].as_str(), error["exit_code"].as_i64()), (Some("usage"), Some(2)), "{line}");
        assert!(error["message"].as_str().unwrap().contains(message), "{line}: {error}");
        assert!(error["hint"].as_str().unwrap_or_default().contains(hint), "{line}: {error}");
        assert_eq!(error["hint"].is_null(), hint.is_empty(), "{line}: {error}");
    }
    // What the grammar can't tell is no different, and its hint is no part of the message.
    for (line, code, message, hint) in [
        ("run -c x -f a.txt", 2, "unknown file type: a.txt", "set --language"),
        ("--sandbox whoami", 3, "this build of brick has no sandbox", "cargo install --path crates/cli"),
    ] {
        if cfg!(feature = "sandbox") && line.contains("--sandbox") {
            continue;
        }
        let brick = Brick::new(line).file("a.txt", "1").args("-o json");
        let error = brick.run().fails(code, &[]).json_error();
        assert_eq!(error["message"], message, "{line}");
        assert!(error["hint"].as_str().unwrap().contains(hint), "{line}: {error}");
    }
    let workspace = Workspace::fresh();
    let not_started = format!("-w {STOPPED_WAREHOUSE} --no-start -o json");
    let error = workspace.sql(&not_started, "SELECT 1").run().fails(3, &[]).json_error();
    let message = format!("warehouse {STOPPED_WAREHOUSE} is STOPPED, and --no-start was given");
    assert_eq!(error["message"], message);
    assert_eq!(error["hint"], format!("start it with `brick warehouses start {STOPPED_WAREHOUSE}`"));
    // Asked for otherwise, or not at all, it is text; so is what isn't an error.
    for line in ["whoami --nope", "whoami --nope -o csv", "-o table clusters nap", "sql 1 2 -- -o json"] {
        let ran = Brick::new(line).run().fails(2, &["error: ", "\nUsage: ", "--help"]);
        assert!(!ran.stderr.contains('{'), "{line}: {}", ran.stderr);
    }
    assert!(Brick::new("-o json --version").run().done().silent().text().starts_with("brick "));
    assert!(Brick::new("clusters --help -o json").run().done().silent().text().contains("Usage: "));
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
    for arguments in ["", "clusters", "clusters nap", "clusters list --nope", "contexts destroy"] {
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
    let closed = ClosedPort::reserve();
    let dead = format!("http://{}", closed.authority());
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
    let ran = workspace.sql("--timeout 3s", "SELECT 1").run().fails(9, &["3s", "was canceled", "hint: "]);
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
        running.end().fails(code, &["canceling statement", "is CANCELED", "interrupted"]);
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
    running.end().fails(130, &["canceling statement", "interrupted"]);
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
    let started = Instant::now();
    running.signal("INT");
    running.end().fails(130, &[&format!("canceling statement {id}"), "may still run", "interrupted"]);
    // Without the second signal it takes six seconds.
    assert!(started.elapsed() < Duration::from_millis(5500), "{:?}", started.elapsed());
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
    let mut delays = Delays::NONE;
    delays.cluster = Duration::from_secs(3600);
    let workspace = Workspace::alone(Sandbox::builder().with_delays(delays));
    let running = workspace.brick("clusters start 0710-090100-n1ghtly0").start();
    workspace.until_requested("POST", "/api/2.1/clusters/start");
    running.signal("INT");
    let goes_on = ", and continues on its own: brick clusters get 0710-090100-n1ghtly0";
    running.end().fails(130, &[goes_on, "interrupted"]);
    assert!(workspace.requests("POST", "/api/2.1/clusters/delete").is_empty());
    let state = workspace.brick("clusters get nightly-etl").run().done().json()["state"].clone();
    assert_eq!(state, "PENDING");
}

//! Signals end a command and what it started, or say what goes on.

use std::time::{Duration, Instant};

use brickwire_testserver::{End, Request, Response};
use serde_json::json;

use crate::{program::Brick, scripted::Server, workspace::Workspace};

const CANCEL: &str = "/api/2.0/sql/statements/";

/// A statement that never ends, once it has been asked for.
fn waiting(brick: impl FnOnce(Brick) -> Brick) -> (Workspace, crate::program::Running) {
    let workspace = Workspace::with_endless_statements();
    let running = brick(workspace.sql("", "SELECT 1")).start();
    workspace.until_requested_after("GET", CANCEL, Duration::from_secs(10));
    (workspace, running)
}

#[test]
fn a_closed_terminal_cancels_and_leaves_no_part_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("rows.csv");
    let (workspace, running) = waiting(|brick| brick.arg("--out").arg(&out).with_hang_ups());
    running.signal("HUP");
    running.end().fails(129, &["canceling statement", "interrupted"]);
    assert_eq!(workspace.requests("POST", CANCEL).len(), 1);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn nohup_keeps_a_command_running() {
    let (workspace, running) = waiting(|brick| brick.behind("nohup", &[]));
    running.signal("HUP");
    // Another poll after the signal.
    let seen = workspace.requests("GET", CANCEL).len();
    let started = Instant::now();
    while workspace.requests("GET", CANCEL).len() < seen + 2 {
        assert!(started.elapsed() < Duration::from_secs(120), "no other poll");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(workspace.requests("POST", CANCEL).is_empty());
    running.signal("TERM");
    running.end().fails(143, &["canceling statement"]);
}

/// A service that answers no request of this kind.
fn silent_for(path: &'static str) -> Server {
    let answer = move |request: &Request| match request.path() {
        found if found.ends_with(path) => Response::none(End::Stall),
        found if found.ends_with("/clusters/get") => {
            Response::json(json!({ "cluster_id": "0123-456789-abcdefgh", "state": "RUNNING" }).to_string())
        }
        found if found.ends_with("/contexts/status") => Response::json(r#"{"id":"1","status":"Running"}"#),
        found if found.ends_with("/commands/status") => {
            Response::json(r#"{"id":"2","status":"Finished","results":{"resultType":"text","data":"42"}}"#)
        }
        found if found.ends_with("/commands/execute") => Response::json(r#"{"id":"2"}"#),
        _ => Response::json(r#"{"id":"1"}"#),
    };
    Server::handling(answer)
}

#[test]
fn an_unanswered_submission_is_said_to_run_perhaps() {
    for (line, submission, words) in [
        ("sql -w 0123456789abcdef SELECT", "/sql/statements", "the statement may run"),
        ("run -c 0123-456789-abcdefgh x -q", "/commands/execute", "the command may run"),
        ("run -c 0123-456789-abcdefgh x", "/contexts/create", "a context may have been created"),
    ] {
        let server = silent_for(submission);
        let running = server.brick(line).start();
        server.until_sent(submission);
        running.signal("INT");
        // The first signal waits for the answer, which alone names what to cancel; the second one doesn't.
        if !line.ends_with("-q") {
            let running = running.until_said("waiting for the answer");
            running.signal("INT");
            running.end().fails(130, &[words, "interrupted"]);
            continue;
        }
        running.end().fails(130, &[words, "interrupted"]);
    }
}

#[test]
fn a_change_that_was_not_answered_is_said_to_be_carried_out_perhaps() {
    for (line, path, operation) in [
        ("sql -w 0123456789abcdef SELECT --detach", "/sql/statements", "statements_execute"),
        ("commands submit -c 0123-456789-abcdefgh --context 1 x", "/commands/execute", "commands_execute"),
        ("commands execute -c 0123-456789-abcdefgh --context 1 x", "/commands/execute", "commands_execute"),
        ("contexts create -c 0123-456789-abcdefgh", "/contexts/create", "contexts_create"),
        ("api POST /2.0/x -q", "/2.0/x", "POST /api/2.0/x"),
    ] {
        let server = silent_for(path);
        let running = server.brick(line).start();
        server.until_sent(path);
        running.signal("TERM");
        let words = format!("{operation} was sent and not answered: it may have been carried out");
        running.end().fails(143, &[&words, "interrupted"]);
    }
}

#[test]
fn a_context_that_cannot_be_destroyed_is_a_warning() {
    let server = silent_for("/contexts/destroy");
    let ran = server.brick("run -c 0123-456789-abcdefgh x --timeout 5s").run().done();
    assert_eq!((ran.text(), ran.stderr.lines().count()), ("42\n", 1), "{}", ran.stderr);
    let ran = ran.says(&["warning: context 1 was not destroyed, so it stays until the cluster terminates"]);
    assert!(!ran.stderr.contains("WARN"), "{}", ran.stderr);
}

//! What goes wrong in passing: retried where that is safe, and shown.

use crate::{scripted::Server, workspace::Workspace};

const LIST: &str = "/api/2.1/clusters/list";

#[test]
fn a_retry_is_told_with_its_reason_and_wait() {
    let workspace = Workspace::fresh();
    workspace.fault(&format!("GET {LIST}: times 2 429 retry-after=0"));
    let ran = workspace.brick("clusters list").run().done();
    assert_eq!(ran.json().as_array().unwrap().len(), 3);
    let ran = ran.says(&["clusters_list", "attempt 1", "attempt 2", "429", " s"]);
    assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
    assert_eq!(workspace.requests("GET", LIST).len(), 3);
}

#[test]
fn of_many_retries_the_first_and_the_last_are_told() {
    let workspace = Workspace::fresh();
    workspace.fault(&format!("GET {LIST}: times 6 429 retry-after=0"));
    let ran = workspace.brick("clusters list").run().done();
    let lines: Vec<_> = ran.stderr.lines().collect();
    assert!(
        lines.len() == 2 && lines[0].contains("attempt 1 ") && lines[1].contains("attempt 6 "),
        "{lines:?}"
    );
    // A failure ends the counting, too.
    let busy: (u16, &str, &[u8]) = (429, "application/json", b"{}");
    let last: (u16, &str, &[u8]) = (400, "application/json", b"{}");
    let server = Server::answering(&[busy, busy, last]);
    let ran = server.brick("clusters list").run().fails(6, &["attempt 1 ", "attempt 2 ", "error: "]);
    assert_eq!(ran.stderr.lines().count(), 3, "{}", ran.stderr);
}

#[test]
fn no_retry_is_waited_for_longer_than_a_minute() {
    let workspace = Workspace::fresh();
    workspace.fault(&format!("GET {LIST}: 503 retry-after=70"));
    workspace.brick("clusters list").run().fails(7, &[]);
    assert_eq!(workspace.requests("GET", LIST).len(), 1);
}

#[test]
fn quiet_says_nothing_of_it() {
    let workspace = Workspace::fresh();
    workspace.fault(&format!("GET {LIST}: times 1 429 retry-after=0"));
    workspace.brick("clusters list -q").run().done().silent();
    assert_eq!(workspace.requests("GET", LIST).len(), 2);
    // Errors are said all the same.
    workspace.brick("clusters get nobody --quiet").run().fails(5, &["nobody"]);
}

#[test]
fn retry_after_is_obeyed() {
    let workspace = Workspace::fresh();
    workspace.fault(&format!("GET {LIST}: times 1 429 retry-after=1"));
    workspace.brick("clusters list").run().done().says(&["429"]);
    let sent = workspace.requests("GET", LIST);
    assert!(sent[1].at_ms >= sent[0].at_ms + 1000, "{} {}", sent[0].at_ms, sent[1].at_ms);
}

#[test]
fn a_cut_answer_to_a_list_is_fetched_again() {
    let workspace = Workspace::fresh();
    for fault in ["reset", "close", "truncate", "short", "502", "html"] {
        workspace.fault(&format!("GET {LIST}: times 1 {fault}"));
        let ran = workspace.brick("clusters list").run().done().says(&["attempt 1"]);
        assert_eq!(ran.json().as_array().unwrap().len(), 3, "{fault}");
    }
}

#[test]
fn a_statement_whose_answer_is_lost_is_never_sent_twice() {
    let workspace = Workspace::fresh();
    for (fault, code) in
        [("after reset", 7), ("reset", 7), ("after close", 7), ("502", 7), ("after truncate", 7)]
    {
        let before = workspace.requests("POST", "/api/2.0/sql/statements").len();
        workspace.fault(&format!("POST /api/2.0/sql/statements: times 1 {fault}"));
        workspace.sql("", "SELECT 1").run().fails(code, &["outcome unknown", "hint: "]);
        let sent = workspace.requests("POST", "/api/2.0/sql/statements").len() - before;
        assert_eq!(sent, 1, "{fault}");
    }
}

#[test]
fn a_statement_that_was_not_executed_is_sent_again() {
    let workspace = Workspace::fresh();
    workspace.fault("POST /api/2.0/sql/statements: times 1 429 retry-after=0");
    let ran = workspace.sql("", "SELECT 1 AS n").run().done().says(&["429"]);
    assert_eq!(ran.json()[0]["n"], 1);
    assert_eq!(workspace.requests("POST", "/api/2.0/sql/statements").len(), 2);
}

#[test]
fn every_attempt_counts_in_the_error() {
    let busy: (u16, &str, &[u8]) = (503, "application/json", b"{}");
    let server = Server::answering(&[busy]);
    let ran = server.brick("api GET /x --max-retries 3 --retry-delay-ms 1 -o json").run().fails(7, &[]);
    let error = ran.json_error();
    assert_eq!((error["attempts"].as_u64(), error["http_status"].as_u64()), (Some(4), Some(503)));
    assert_eq!(server.sent().len(), 4);
}

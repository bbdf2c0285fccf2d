//! Data on stdout, everything else on stderr; a reader that goes away; errors as JSON.

use serde_json::Value;

use crate::{program::Brick, scripted::Server, workspace::Workspace};

#[test]
fn a_closed_pipe_is_no_failure() {
    let workspace = Workspace::fresh();
    for options in ["-o csv", "-o jsonl", "-o json", "-o table"] {
        // More than a pipe holds.
        let brick = workspace.sql(options, "SELECT id, repeat('x', 100) AS x FROM range(20000)");
        let ran = brick.run_into_head().done().silent();
        assert_eq!(ran.text().lines().count(), 1, "{options}");
    }
}

#[test]
fn an_error_is_one_line_of_json_where_json_was_asked_for() {
    let workspace = Workspace::fresh();
    let keys = [
        "kind",
        "message",
        "hint",
        "http_status",
        "error_code",
        "request_id",
        "operation",
        "attempts",
        "retry_after_s",
        "statement_id",
        "sql_state",
        "exit_code",
        "next",
        "source",
    ];
    let failing = [
        (workspace.sql("-o json", "SELECT nope"), 8, "remote_failed"),
        (workspace.brick("clusters get nobody -o jsonl"), 5, "not_found"),
        (workspace.brick("warehouses get 0000000000000000 -o json"), 5, "not_found"),
        (workspace.brick("warehouses get Reporting -o json"), 2, "usage"),
        (workspace.brick("clusters restart nightly-etl -o json"), 6, "rejected"),
        (workspace.brick("sql -f missing.sql -o json"), 3, "local"),
        (Brick::new("whoami -o json"), 3, "configuration"),
    ];
    for (brick, code, kind) in failing {
        let ran = brick.run().fails(code, &[]);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        let error = ran.json_error();
        assert_eq!((error["kind"].as_str(), error["exit_code"].as_i64()), (Some(kind), Some(code.into())));
        let own: Vec<_> = error.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(own, keys, "every key is always there, and in this order");
    }
}

#[test]
fn a_services_error_keeps_what_identifies_it() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("warehouses get 0000000000000000 -o json").run().fails(5, &[]);
    let error = ran.json_error();
    assert_eq!(error["http_status"], 404);
    assert_eq!(error["error_code"], "RESOURCE_DOES_NOT_EXIST");
    assert_eq!(error["operation"], "warehouses_get");
    assert!(error["request_id"].is_string(), "{error}");
    let ran = workspace.sql("-o json", "SELECT nope").run().fails(8, &[]);
    let error = ran.json_error();
    assert_eq!(error["sql_state"], "42703");
    assert!(error["statement_id"].is_string(), "{error}");
    assert_eq!(error["http_status"], Value::Null);
}

#[test]
fn a_message_does_not_begin_with_an_empty_line() {
    let refused = br#"{"error_code":"BAD_REQUEST","message":"\n\n[PARSE_SYNTAX_ERROR] first\n  second\n"}"#;
    let server = Server::answering(&[(400, "application/json", refused)]);
    let ran = server.brick("clusters list").run().fails(6, &[]);
    let text = "[PARSE_SYNTAX_ERROR] first\n  second";
    assert!(ran.stderr.starts_with(&format!("error: BAD_REQUEST: {text}")), "{:?}", ran.stderr);
    let failed = r#"{"statement_id":"s","status":{"state":"FAILED","error":{"error_code":"BAD_REQUEST","message":"\n[X] y"}}}"#;
    let ran = Server::json(failed).brick("sql -w 0123456789abcdef x").run().fails(8, &[]);
    assert!(ran.stderr.starts_with("error: [X] y"), "{:?}", ran.stderr);
}

#[test]
fn a_record_has_each_field_on_its_line() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("clusters get shared-analytics -o record").run().done().silent();
    let fields: Vec<_> = ran.text().lines().filter_map(|line| line.split_once(' ')).collect();
    assert!(
        fields.iter().any(|(name, value)| *name == "state" && value.trim() == "RUNNING"),
        "{}",
        ran.text()
    );
    let ran = workspace.sql("-o record", "SELECT 1 AS a, CAST(NULL AS STRING) AS b").run().done().silent();
    assert_eq!(ran.text().split_whitespace().collect::<Vec<_>>(), ["a", "1", "b", "NULL"]);
}

#[cfg(feature = "jq")]
#[test]
fn jq_filters_and_keeps_big_numbers() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("clusters list --jq .[0].spark_context_id").run().done().silent();
    assert_eq!(ran.text(), "9007199254740993\n");
    let ran = workspace.sql("--jq", ".[].n").arg("SELECT 1 AS n").run().done().silent();
    assert_eq!(ran.text(), "1\n");
    workspace.brick("clusters list --jq .[").run().fails(2, &[".["]);
}

#[cfg(not(feature = "jq"))]
#[test]
fn a_build_without_jq_says_how_to_get_it() {
    let workspace = Workspace::fresh();
    workspace
        .brick("clusters list --jq .[0]")
        .run()
        .fails(3, &["--jq", "hint: install it with `cargo install --path crates/cli --features full`"]);
}

//! `brick sql` with several statements: order, the first failure, what goes where, and what is refused before anything
//! is sent.

use std::time::Duration;

use brickwire_sandbox::{Delays, Sandbox};
use serde_json::{Value, json};

use crate::{scripted::Server, workspace::Workspace};

const STATEMENTS: &str = "/api/2.0/sql/statements";

const ETL: &str = "-- daily\nCREATE TABLE scripts_etl (region STRING, total INT);\n\n\
                   INSERT INTO scripts_etl VALUES ('north', 1204), ('south', 7);\n\
                   SELECT * FROM scripts_etl ORDER BY region;\n";

/// What was submitted.
fn texts(workspace: &Workspace) -> Vec<String> {
    let sent = workspace.requests("POST", STATEMENTS).into_iter().filter(|sent| sent.path == STATEMENTS);
    sent.map(|sent| sent.body.unwrap()).map(|body| body["statement"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn statements_run_in_order_and_the_rows_are_on_stdout() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("sql -f etl.sql -o table").file("etl.sql", ETL).run().done();
    assert_eq!(ran.text(), "region  total\nnorth    1204\nsouth       7\n");
    let lines: Vec<_> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("[1/3] line 2  CREATE TABLE scripts_etl  ok"), "{lines:?}");
    assert!(lines[1].starts_with("[2/3] line 4  INSERT INTO scripts_etl   ok"), "{lines:?}");
    assert!(lines[2].starts_with("[3/3] line 5  SELECT                    ok  2 rows"), "{lines:?}");
    assert_eq!(
        texts(&workspace),
        [
            "-- daily\nCREATE TABLE scripts_etl (region STRING, total INT)",
            "INSERT INTO scripts_etl VALUES ('north', 1204), ('south', 7)",
            "SELECT * FROM scripts_etl ORDER BY region",
        ]
    );
    // Tables stand one below the other.
    let ran = workspace.sql("-o table -q", "SELECT 1 AS a; SELECT 2 AS b").run().done().silent();
    assert_eq!(ran.text(), "a\n1\n\nb\n2\n");
}

#[test]
fn one_statement_is_sent_byte_for_byte() {
    let workspace = Workspace::fresh();
    let text = "-- a;\n  SELECT 1 AS n ; -- b\n;;\n";
    let ran = workspace.brick("sql -o csv").stdin(text).run().done().silent();
    assert_eq!(ran.text().replace("\r\n", "\n"), "n\n1\n");
    assert_eq!(texts(&workspace), [text]);
    // A text that is sent whole, too, whatever is in it.
    workspace.sql("--no-split", "SELECT 1; SELECT 2").run().fails(8, &[]);
    assert_eq!(texts(&workspace)[1], "SELECT 1; SELECT 2");
}

#[test]
fn json_is_an_array_of_envelopes() {
    let workspace = Workspace::fresh();
    let script =
        "CREATE SCHEMA scripts_s; SELECT 1 AS a, 'x' AS a, CAST(NULL AS INT) AS c; SELECT id FROM range(2)";
    let ran = workspace.sql("-o json", script).run().done();
    let Value::Array(all) = ran.json() else { panic!("{}", ran.text()) };
    assert_eq!(all.len(), 3, "{all:?}");
    assert_eq!(all[0]["row_count"], 0);
    assert_eq!(all[1]["columns"][1], json!({"name": "a", "type": "STRING"}));
    assert_eq!(all[1]["rows"], json!([[1, "x", null]]));
    assert_eq!(all[2]["rows"], json!([[0], [1]]));
    let keys: Vec<_> = all[2].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["columns", "rows", "row_count", "truncated", "statement_id", "warehouse_id", "elapsed_s"];
    assert_eq!(keys, expected);
    // In a pipe it is JSON, too, and it is whole even if a statement fails.
    let ran = workspace.sql("", "SELECT 1 AS a; SELECT * FROM scripts_missing; SELECT 3").run().exits(8, &[]);
    let all = ran.json();
    assert_eq!((&all[0]["rows"], all.as_array().unwrap().len()), (&json!([[1]]), 2));
    assert_eq!(all[1]["error"]["source"]["index"], 2);
}

#[cfg(feature = "jq")]
#[test]
fn a_filter_gets_the_array() {
    let workspace = Workspace::fresh();
    let ran = workspace.sql("-q --jq", ".[].rows[0][0]").arg("SELECT 1; SELECT 2").run().done().silent();
    assert_eq!(ran.text(), "1\n2\n");
}

#[test]
fn the_first_failure_stops_the_script_and_is_placed_in_the_file() {
    let workspace = Workspace::fresh();
    let text = "SELECT 1 AS one;\n\nSELECT\n  * FROM scripts_missing;\nDROP TABLE scripts_kept";
    let brick = || workspace.brick("sql -f etl.sql").file("etl.sql", text);
    let ran = brick().args("-o table").run().exits(
        8,
        &[
            "error: statement 2 of 3 failed (etl.sql:3): ",
            "hint: ",
            "statement 1 completed; statement 3 was not run",
        ],
    );
    assert_eq!(ran.text(), "one\n  1\n");
    assert_eq!(texts(&workspace).len(), 2, "no third statement is sent");
    let error = brick().args("-o json").run().exits(8, &[]).json_error();
    let source = &error["source"];
    assert_eq!(
        (&source["file"], &source["index"], &source["count"]),
        (&json!("etl.sql"), &json!(2), &json!(3))
    );
    assert!(error["statement_id"].is_string() && error["exit_code"] == 8, "{error}");
}

#[test]
fn the_services_lines_become_the_files() {
    let workspace = Workspace::fresh();
    let message = "[PARSE_SYNTAX_ERROR] at 'FORM' (line 2, pos 4)";
    workspace.fault(&format!("POST {STATEMENTS}: skip 1 times 1 400 code=BAD_REQUEST message={message:?}"));
    let text = "SELECT 1;\n\nSELECT\n  a FORM t;\nSELECT 3";
    let ran = workspace.brick("sql -f etl.sql -o json").file("etl.sql", text).run();
    let words =
        ["statement 2 of 3 failed (etl.sql:3): BAD_REQUEST: [PARSE_SYNTAX_ERROR] at 'FORM' (etl.sql:4:5)"];
    let source = ran.exits(6, &words).json_error()["source"].clone();
    assert_eq!(source, json!({"file": "etl.sql", "line": 4, "column": 5, "index": 2, "count": 3}));
}

#[test]
fn errors_can_be_passed_over() {
    let workspace = Workspace::fresh();
    let text = "SELECT 1;\nSELECT * FROM scripts_missing;\nSELECT * FROM scripts_other;\nSELECT 4 AS four";
    let ran = workspace.sql("-o table --continue-on-error", text).run().exits(
        8,
        &[
            "[2/4] line 2  SELECT  failed",
            "statement 2 of 4 failed (line 2)",
            "scripts_other",
            "2 ok, 2 failed",
        ],
    );
    assert!(ran.text().ends_with("four\n   4\n"), "{}", ran.text());
    assert_eq!(texts(&workspace).len(), 4);
    // Access that is refused is not passed over.
    let workspace = Workspace::fresh();
    workspace.fault(&format!("POST {STATEMENTS}: times 1 403"));
    workspace.sql("--continue-on-error", text).run().exits(4, &["statements 2 to 4 were not run"]);
    assert_eq!(texts(&workspace).len(), 1);
}

#[test]
fn what_use_sets_goes_with_the_following_requests() {
    let workspace = Workspace::fresh();
    let script = "SELECT 1; CREATE SCHEMA main.scripts_use; USE main.scripts_use; SELECT 2; USE CATALOG main; SELECT 3";
    workspace.sql("--schema default -o json", script).run().done();
    let sent = workspace.requests("POST", STATEMENTS).into_iter().map(|sent| sent.body.unwrap());
    let names: Vec<_> = sent.map(|body| (body["catalog"].clone(), body["schema"].clone())).collect();
    let none = Value::Null;
    assert_eq!(
        names,
        [
            (none.clone(), json!("default")),
            (none.clone(), json!("default")),
            (none.clone(), json!("default")),
            (json!("main"), json!("scripts_use")),
            (json!("main"), json!("scripts_use")),
            (json!("main"), none),
        ]
    );
}

#[test]
fn what_cant_be_right_is_refused_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    let long = format!("{}SELECT 'a", "SELECT 1;\n".repeat(9_999));
    let ran = workspace.brick("sql -f long.sql").file("long.sql", long).run();
    ran.fails(2, &["the string that starts in line 10000 is not closed", "close it with '"]);
    for (arguments, script, words) in [
        ("", "SELECT 1;\nBEGIN SELECT 2;", &["line 2", "no END"][..]),
        (
            "",
            "USE main; CREATE TEMP VIEW v AS SELECT 1;\nSELECT * FROM v",
            &["line 1: a temporary view", "--session"],
        ),
        ("-o csv", "SELECT 1; SELECT 2", &["this format holds one table", "csv", "--out 'q{n}.csv'"]),
        ("-o jsonl", "SELECT 1; CALL p()", &["2 statements return rows: jsonl"]),
        ("--out a.csv", "SELECT 1; SELECT 2", &["this file holds one table", "--out 'q{n}.csv'"]),
        ("--out a.csv", "USE main; DROP TABLE t", &["needs a statement that returns rows"]),
        ("--out missing/{n}.csv", "SELECT 1; SELECT 2", &["missing"]),
        ("--detach", "SELECT 1; SELECT 2", &["--no-wait takes one statement"]),
        ("", "SELECT :a; SELECT 2", &["line 1 has no value: a", "with -P"]),
        ("-P a=1 -P A=2", "SELECT :a; SELECT 2", &["more than once"]),
        ("--jq (", "SELECT 1; SELECT 2", &[]),
        (
            "",
            "-- Databricks notebook source\n-- MAGIC %python\n-- MAGIC x = 1\n",
            &["line 2", "brick run -f"],
        ),
        ("", "-- Databricks notebook source\n-- MAGIC %md x\n", &[]),
        ("", "", &["empty"]),
        ("", ";", &["empty"]),
    ] {
        let ran = workspace.sql(arguments, script).run();
        let code = if arguments.contains("missing") || cfg!(not(feature = "jq")) && arguments.contains("jq") {
            3
        } else {
            2
        };
        ran.fails(code, words);
    }
    workspace
        .sql("", "report.sql")
        .file("report.sql", "SELECT 1")
        .run()
        .fails(2, &["did you mean -f report.sql?"]);
    let error = workspace.sql("-o json", "SELECT 1;\n SELECT 'a").run().fails(2, &[]).json_error();
    assert_eq!(error["source"], json!({"file": null, "line": 2, "column": 9, "index": null, "count": null}));
    assert!(workspace.requests("", "").is_empty() && texts(&workspace).is_empty());
}

#[test]
fn a_format_that_holds_one_table_takes_the_only_one() {
    let workspace = Workspace::fresh();
    let script =
        "CREATE TABLE scripts_one (n INT); INSERT INTO scripts_one VALUES (1); SELECT * FROM scripts_one";
    let ran = workspace.sql("-o csv -q", script).run().done().silent();
    assert_eq!(ran.text().replace("\r\n", "\n"), "n\n1\n");
}

#[test]
fn each_result_can_have_a_file() {
    let workspace = Workspace::fresh();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("q{n}.csv");
    let script = "SELECT 1 AS a; CREATE SCHEMA scripts_files; SELECT 2 AS b";
    let ran = workspace.sql("-q --out", out.to_str().unwrap()).arg(script).run().done().silent();
    assert_eq!(ran.text(), "");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap().replace("\r\n", "\n");
    assert_eq!((read("q1.csv"), read("q3.csv")), ("a\n1\n".to_owned(), "b\n2\n".to_owned()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_dry_run_lists_and_sends_nothing() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("sql --dry-run -f etl.sql -o table").file("etl.sql", ETL).run().done().silent();
    let lines: Vec<_> = ran.text().lines().collect();
    assert!(lines[0].starts_with('#') && lines[1].starts_with("1  2     CREATE  CREATE TABLE"), "{lines:?}");
    assert!(lines.len() == 4 && lines[3].starts_with("3  5     SELECT  SELECT * FROM"), "{lines:?}");
    let ran = workspace.sql("--dry-run", "SELECT 1; USE main").run().done();
    assert_eq!(ran.json()[1], json!({"index": 2, "line": 1, "verb": "USE", "statement": "USE main"}));
    assert!(workspace.requests("", "").is_empty());
}

#[test]
fn parameters_go_to_every_statement() {
    let workspace = Workspace::fresh();
    let ran = workspace.sql("-P a:INT=5 -P b=x -P c=y", "SELECT :a AS a; SELECT :b AS b").run().done();
    let ran = ran.says(&["warning: no statement uses this parameter: c"]);
    assert_eq!((&ran.json()[0]["rows"], &ran.json()[1]["rows"]), (&json!([[5]]), &json!([["x"]])));
    for sent in workspace.requests("POST", STATEMENTS) {
        assert_eq!(sent.body.unwrap()["parameters"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn a_notebook_in_sql_is_split_at_its_cells() {
    let workspace = Workspace::fresh();
    let notebook = "-- Databricks notebook source\n-- MAGIC %md it's\n\n-- COMMAND ----------\n\nSELECT 1 AS a\n\n\
                    -- COMMAND ----------\n\n-- DBTITLE 1,Two\nSELECT 2 AS b\n";
    let ran = workspace.brick("sql -f nb.sql -o table").file("nb.sql", notebook).run().done();
    assert_eq!(ran.text(), "a\n1\n\nb\n2\n");
    let ran = ran.says(&["[1/2] line 6 ", "[2/2] line 11"]);
    drop(ran);
}

#[test]
fn the_time_is_for_each_statement() {
    let mut delays = Delays::NONE;
    delays.statement = Duration::from_secs(1000 * 365 * 24 * 3600);
    let workspace = Workspace::alone(Sandbox::builder().with_delays(delays));
    let words = ["statement 1 of 2 failed (line 1): ", "3s", "canceled", "statement 2 was not run"];
    workspace.sql("--timeout 3s", "SELECT 1; SELECT 2").run().exits(9, &words);
    assert_eq!(texts(&workspace), ["SELECT 1"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_cancels_the_one_that_runs_and_names_the_rest() {
    let workspace = Workspace::with_endless_statements();
    let running = workspace.sql("-o table", "SELECT 1; SELECT 2; SELECT 3").start();
    workspace.until_requested("GET", STATEMENTS);
    running.signal("INT");
    let ran = running.end().exits(130, &["statements 2 to 3 were not run", "canceling statement"]);
    assert_eq!(ran.text(), "");
    let posts = workspace.requests("POST", STATEMENTS);
    let cancels = posts.iter().filter(|sent| sent.path.ends_with("/cancel")).count();
    assert_eq!((posts.len(), cancels), (2, 1));
}

#[test]
fn a_closed_pipe_stops_the_output_and_not_the_script() {
    let workspace = Workspace::fresh();
    let script = "SELECT id FROM range(20000); SELECT id FROM range(20000); CREATE SCHEMA scripts_piped";
    let ran = workspace.sql("-o table -q", script).run_into_head();
    assert_eq!(ran.code(), Some(0), "{}", ran.printed());
    assert_eq!(texts(&workspace).len(), 3, "the last statement changes data");
}

/// A service with SQL sessions; creating one ends with this status.
fn with_sessions(status: u16) -> Server {
    Server::handling(move |request| {
        use brickwire_testserver::Response;
        match (request.method.as_str(), request.path()) {
            ("POST", "/api/2.0/sql/sessions") if status == 200 => Response::json(r#"{"session_id":"s-1"}"#),
            ("POST", "/api/2.0/sql/sessions") => {
                Response::new(status).with_body(r#"{"error_code":"X","message":"no"}"#)
            }
            ("DELETE", "/api/2.0/sql/sessions/s-1") => Response::json("{}"),
            ("POST", "/api/2.0/sql/statements") => {
                let is_bad = String::from_utf8_lossy(&request.body).contains("SELECT bad");
                Response::json(match is_bad {
                    true => {
                        r#"{"statement_id":"1","status":{"state":"FAILED","error":{"error_code":"BAD_REQUEST","message":"no"}}}"#
                    }
                    false => {
                        r#"{"statement_id":"1","status":{"state":"SUCCEEDED"},"manifest":{"total_row_count":0,"schema":{"column_count":0}}}"#
                    }
                })
            }
            (method, path) => Response::new(500).with_body(format!("no route: {method} {path}")),
        }
    })
}

/// The requests in order, with the session that a body names.
fn sent(server: &Server) -> Vec<(String, String, Value)> {
    let of = |request: &brickwire_testserver::Request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        (request.method.clone(), request.path().to_owned(), body["session_id"].clone())
    };
    server.sent().iter().map(|request| of(request)).collect()
}

const VIEW: &str = "CREATE TEMP VIEW v AS SELECT 1; USE other; SELECT * FROM v";

#[test]
fn a_session_is_opened_once_and_closed_whatever_happens() {
    for (script, code, statements) in [(VIEW, 0, 3), ("SELECT bad; SELECT 2", 8, 1)] {
        let server = with_sessions(200);
        let brick = server.brick("sql -w 0123456789abcdef --session --catalog main -o json").arg(script);
        brick.run().exits(code, &[]);
        let sent = sent(&server);
        let statement = ("POST".to_owned(), "/api/2.0/sql/statements".to_owned(), json!("s-1"));
        let mut expected = vec![("POST".to_owned(), "/api/2.0/sql/sessions".to_owned(), Value::Null)];
        expected.extend(std::iter::repeat_n(statement, statements));
        expected.push(("DELETE".to_owned(), "/api/2.0/sql/sessions/s-1".to_owned(), Value::Null));
        assert_eq!(sent, expected);
        let requests = server.sent();
        let opened: Value = serde_json::from_slice(&requests[0].body).unwrap();
        assert_eq!(opened, json!({"catalog": "main", "warehouse_id": "0123456789abcdef"}));
        let first: Value = serde_json::from_slice(&requests[1].body).unwrap();
        assert!(first.get("catalog").is_none() && first.get("schema").is_none(), "{first}");
        assert_eq!(requests.last().unwrap().query(), "warehouse_id=0123456789abcdef");
    }
}

#[test]
fn without_sessions_nothing_is_run() {
    for status in [403, 404, 501] {
        let server = with_sessions(status);
        let brick = server.brick("sql -w 0123456789abcdef --session").arg(VIEW);
        brick.run().fails(3, &["cannot open an SQL session, and nothing was run", "brick run -l sql"]);
        assert_eq!(sent(&server).len(), 1);
    }
    Workspace::fresh().sql("--session", VIEW).run().fails(3, &["SQL sessions"]);
}

//! Answers that services and networks really give, and that clients are known to take for something else.

use brickwire_testserver::{self as testserver, Response};
use serde_json::{Value, json};

use crate::{
    program::{Brick, Ran},
    scripted::Server,
};

const JSON: &str = "application/json";
const WAREHOUSE: &str = "0123456789abcdef";
const ID: &str = "01ef0000-0000-1000-8000-000000000001";

/// What a statement's submission is answered with.
fn statement(state: &str, rows: Value) -> Value {
    json!({
        "statement_id": ID, "status": { "state": state },
        "manifest": {
            "format": "JSON_ARRAY", "total_row_count": 1, "total_chunk_count": 1,
            "schema": { "column_count": 1, "columns": [{ "name": "n", "type_name": "LONG" }] },
        },
        "result": rows,
    })
}

fn sql(answer: &Value) -> Server {
    Server::json(&answer.to_string())
}

fn run(server: &Server, options: &str, text: &str) -> Ran {
    server.brick(&format!("sql -w {WAREHOUSE} {options}")).arg(text).run()
}

#[test]
fn a_closed_statement_is_a_success_and_never_to_be_run_again() {
    let closed = sql(&statement("CLOSED", json!({ "chunk_index": 0, "data_array": [["3"]] })));
    for text in ["SELECT 3 AS n", "INSERT INTO t SELECT * FROM s"] {
        assert_eq!(run(&closed, "-o jsonl", text).done().silent().text(), "{\"n\":3}\n");
    }
    let gone = sql(&statement("CLOSED", json!({})));
    let ran = run(&gone, "", "INSERT INTO t SELECT * FROM s").fails(8, &["succeeded"]);
    assert!(!ran.stderr.contains("again"), "{}", ran.stderr);
    run(&gone, "", "SELECT 1").fails(8, &["run the statement again"]);
    let nothing = sql(&json!({ "statement_id": ID, "status": { "state": "CLOSED" } }));
    assert_eq!(run(&nothing, "", "CREATE TABLE t (a INT)").done().text(), "[]\n");
}

#[test]
fn the_reason_of_a_cancellation_is_shown() {
    let status = json!({ "state": "CANCELED", "error": { "message": "canceled by an administrator" } });
    run(&sql(&json!({ "statement_id": ID, "status": status })), "", "SELECT 1").fails(8, &["administrator"]);
}

#[test]
fn a_cancellation_that_is_refused_is_not_called_one() {
    let running = json!({ "statement_id": ID, "status": { "state": "RUNNING" } }).to_string();
    let server = testserver::Server::start(move |request| match request.target.ends_with("/cancel") {
        true => Response::new(404).with_body(r#"{"error_code":"NOT_FOUND","message":"gone"}"#),
        false => Response::json(running.clone()),
    });
    let brick = Brick::new(&format!("sql -w {WAREHOUSE} --timeout 3s"));
    let brick = brick.env("DATABRICKS_HOST", server.url()).env("DATABRICKS_TOKEN", "dapi-scripted");
    let ran = brick
        .arg("INSERT INTO t VALUES (1)")
        .run()
        .fails(9, &["3s", "canceling statement ", "may still run"]);
    assert!(!ran.stderr.contains("was canceled"), "{}", ran.stderr);
}

#[test]
fn a_store_that_cannot_be_reached_is_named_and_a_flag_does_without_it() {
    let link = json!({ "chunk_index": 0, "external_link": "https://store.invalid/part?sig=hush" });
    let server = sql(&statement("SUCCEEDED", json!({ "external_links": [link] })));
    let ran = run(&server, "-q -o json", "SELECT 1");
    let error = &ran.json_error();
    assert_eq!(error["exit_code"], 7);
    assert!(error["message"].as_str().unwrap().contains("store.invalid"), "{error}");
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("downloaded from store.invalid") && hint.contains("add --inline"), "{hint}");
    assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);

    let server = sql(&statement("SUCCEEDED", json!({ "data_array": [["1"]] })));
    run(&server, "--inline", "SELECT 1").done();
    let sent: Value = serde_json::from_slice(&server.only().body).unwrap();
    assert_eq!(sent["disposition"], "INLINE");
}

#[test]
#[cfg(feature = "arrow")]
fn rows_in_the_answer_are_text() {
    let server = sql(&statement("SUCCEEDED", json!({})));
    for options in ["--inline -o arrow", "--inline -o parquet", "--inline --out a.parquet"] {
        run(&server, options, "SELECT 1").fails(2, &["--inline"]);
    }
    assert!(server.sent().is_empty());
}

#[test]
fn a_limit_is_answered_with_the_rows() {
    let server = sql(&statement("SUCCEEDED", json!({ "data_array": [["1"]] })));
    run(&server, "--limit 1000", "SELECT * FROM t").done();
    let sent: Value = serde_json::from_slice(&server.only().body).unwrap();
    assert_eq!((&sent["disposition"], &sent["row_limit"]), (&json!("INLINE"), &json!(1000)));
}

#[test]
fn rows_without_a_schema_are_no_empty_objects() {
    let mut answer = statement("SUCCEEDED", json!({ "data_array": [["1"]] }));
    answer["manifest"]["schema"] = json!(null);
    let ran = run(&sql(&answer), "", "SELECT 1").fails(1, &["schema"]);
    assert!(!ran.text().contains("{}"), "{}", ran.text());
    let link = json!({ "chunk_index": 0, "external_link": "https://store.invalid/part" });
    let mut csv = statement("SUCCEEDED", json!({ "external_links": [link] }));
    csv["manifest"]["format"] = "CSV".into();
    let ran = run(&sql(&csv), "", "SELECT 1").fails(1, &["format CSV"]);
    assert!(!ran.stderr.contains("into_batches") && !ran.stderr.contains("execute_arrow"), "{}", ran.stderr);
}

#[test]
fn what_is_only_passed_on_is_not_decoded() {
    let odd = r#"{"cluster_id":7,"id":7,"status":{"state":{"a":1}},"state":["odd"],"num_workers":"many","userName":9,
        "results":3,"custom_tags":{"a":null},"spark_conf":[1.50]}"#;
    let server = Server::answering(&[(200, JSON, odd.as_bytes())]);
    for command in [
        "clusters get 0123-456789-abcdefgh".to_owned(),
        format!("warehouses get {WAREHOUSE}"),
        format!("statements get {ID}"),
        "contexts status -c 0123-456789-abcdefgh 77".to_owned(),
        "commands status -c 0123-456789-abcdefgh --context 77 c0ffee".to_owned(),
        "whoami".to_owned(),
    ] {
        let ran = server.brick(&format!("{command} -o json")).run().done();
        assert!(ran.text().contains("1.50") && ran.text().contains(r#""odd""#), "{command}: {}", ran.text());
        server.brick(&format!("{command} -o record")).run().done();
    }
    // A list, and a name looked up in it.
    let odd =
        r#"{"clusters":[{"cluster_id":"0123-456789-abcdefgh","cluster_name":"etl","num_workers":{"a":1}}]}"#;
    let server = Server::answering(&[(200, JSON, odd.as_bytes())]);
    for command in ["clusters list", "clusters get etl"] {
        server.brick(&format!("{command} -o json")).run().done();
    }
    let odd = r#"{"node_types":[{"node_type_id":7,"num_cores":"x"}],"versions":[{"key":7}]}"#;
    let server = Server::answering(&[(200, JSON, odd.as_bytes())]);
    for command in ["clusters node-types", "clusters spark-versions"] {
        server.brick(&format!("{command} -o json")).run().done();
    }
    // What isn't an object isn't passed on.
    for wrong in ["[]", "\"x\"", "<html>", "{"] {
        let server = Server::answering(&[(200, JSON, wrong.as_bytes())]);
        server.brick("clusters get 0123-456789-abcdefgh -q").run().exits(1, &[]);
    }
}

#[test]
fn a_context_that_is_late_is_not_said_to_go_on() {
    let server = testserver::Server::start(|request| {
        let path = request.target.split('?').next().unwrap_or_default();
        Response::json(match path.rsplit('/').next() {
            Some("get") => r#"{"cluster_id":"0123-456789-abcdefgh","state":"RUNNING"}"#,
            _ => r#"{"id":"77","status":"Pending"}"#,
        })
    });
    let brick = Brick::new("run -c 0123-456789-abcdefgh --timeout 3s 1");
    let brick = brick.env("DATABRICKS_HOST", server.url()).env("DATABRICKS_TOKEN", "dapi-scripted");
    let ran = brick.run().fails(9, &["the code was not run", "3s", "was destroyed"]);
    assert!(!ran.stderr.contains("on its own"), "{}", ran.stderr);
    assert!(server.requests().iter().any(|r| r.target.ends_with("/contexts/destroy")));
}

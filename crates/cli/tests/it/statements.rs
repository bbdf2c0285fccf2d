//! Execute an SQL Statement: rows in every format, parameters, sources, detaching, cancelling.

use std::fmt::Write;

use brickwire_sandbox::{Delays, Sandbox, seed::RUNNING_WAREHOUSE};

use crate::{scripted::Server, workspace::Workspace};

const STATEMENTS: &str = "/api/2.0/sql/statements";

const RARE: &str = "SELECT 9007199254740993 AS big, CAST(NULL AS STRING) AS nothing, '' AS empty, \
                    'a,\"b\"\nc' AS text, true AS yes, 1 AS z, 2 AS a";

#[test]
fn rows_keep_order_big_numbers_and_the_difference_of_null_and_empty() {
    let workspace = Workspace::fresh();
    let object =
        r#"{"big":9007199254740993,"nothing":null,"empty":"","text":"a,\"b\"\nc","yes":true,"z":1,"a":2}"#;
    for (format, expected) in [
        ("json", format!("[\n  {object}\n]\n")),
        ("jsonl", format!("{object}\n")),
        (
            "csv",
            "big,nothing,empty,text,yes,z,a\n9007199254740993,,\"\",\"a,\"\"b\"\"\nc\",true,1,2\n".into(),
        ),
    ] {
        let ran = workspace.sql(&format!("-o {format}"), RARE).run().done().silent();
        assert_eq!(ran.text().replace("\r\n", "\n"), expected, "{format}");
    }
    let ran = workspace.sql("-o table", "SELECT 1 AS n, CAST(NULL AS STRING) AS s").run().done().silent();
    assert!(ran.text().contains("NULL") && ran.text().starts_with('n'), "{}", ran.text());
    // In a pipe it is JSON.
    let ran = workspace.sql("", "SELECT 1 AS n WHERE false").run().done().silent();
    assert_eq!(ran.text(), "[]\n");
    let ran = workspace.sql("-o csv", "SELECT 1 AS n WHERE false").run().done().silent();
    assert_eq!(ran.text().trim_end(), "n");
}

#[test]
fn the_statement_comes_from_anywhere() {
    let workspace = Workspace::fresh();
    let expected = "n\n7\n";
    let text = |ran: crate::program::Ran| ran.done().silent().text().replace("\r\n", "\n");
    assert_eq!(text(workspace.sql("-o csv", "SELECT 7 AS n").run()), expected);
    assert_eq!(text(workspace.brick("sql -o csv").stdin("SELECT 7 AS n").run()), expected);
    assert_eq!(text(workspace.brick("sql -o csv -").stdin("SELECT 7 AS n").run()), expected);
    assert_eq!(text(workspace.brick("sql -o csv -f a.sql").file("a.sql", "SELECT 7 AS n").run()), expected);
    workspace.brick("sql -f missing.sql").run().fails(3, &["missing.sql"]);
    workspace.brick("sql -f a.sql").file("a.sql", b"SELECT '\xff'").run().fails(2, &["not UTF-8"]);
}

#[test]
fn parameters_are_bound_by_the_service() {
    let workspace = Workspace::fresh();
    let ran = workspace
        .sql("-o jsonl -P n:INT=41 -P text=a=b -P none:STRING", "SELECT :n + 1 AS n, :text AS t, :none AS x")
        .run()
        .done();
    assert_eq!(ran.text(), "{\"n\":42,\"t\":\"a=b\",\"x\":null}\n");
    let sent = &workspace.requests("POST", STATEMENTS)[0];
    let parameters = &sent.body.as_ref().unwrap()["parameters"];
    assert_eq!(
        *parameters,
        serde_json::json!([
            { "name": "n", "type": "INT", "value": "41" },
            { "name": "text", "value": "a=b" },
            { "name": "none", "type": "STRING" },
        ])
    );
    workspace.sql("-P x", "SELECT :x").run().fails(2, &["x", "STRING"]);
    workspace.sql("-P =1", "SELECT 1").run().fails(2, &["NAME=VALUE"]);
}

#[test]
fn the_warehouse_is_the_named_one_or_the_default_one() {
    let workspace = Workspace::fresh();
    workspace.sql("", "SELECT 1").run().done();
    workspace.sql("", "SELECT 1").env("DATABRICKS_WAREHOUSE_ID", RUNNING_WAREHOUSE).run().done();
    workspace.sql("", "SELECT 1").arg("-w").arg("Serverless Starter Warehouse").run().done();
    // What is running makes no difference.
    workspace.brick("warehouses stop --no-wait").arg(RUNNING_WAREHOUSE).run().done();
    workspace.brick("warehouses wait --stopped").arg(RUNNING_WAREHOUSE).run().done();
    workspace.sql("", "SELECT 1").run().done();
    for sent in workspace.requests("POST", STATEMENTS) {
        assert_eq!(sent.body.unwrap()["warehouse_id"], RUNNING_WAREHOUSE);
    }
}

#[test]
fn without_a_default_warehouse_all_are_listed() {
    let list = br#"{"warehouses":[{"id":"a","name":"one","state":"RUNNING"},{"id":"b","name":"two","state":"STOPPED"}]}"#;
    let json = "application/json";
    let server = Server::answering(&[(200, json, list), (404, json, br#"{"error_code":"NOT_FOUND"}"#)]);
    let ran = server.brick("sql -o json").arg("SELECT 1").run();
    let error = ran.fails(3, &["a (one, RUNNING), b (two, STOPPED)"]).json_error();
    assert_eq!(error["kind"], "configuration");
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("--warehouse") && hint.contains("DATABRICKS_WAREHOUSE_ID"), "{hint}");
    assert!(server.sent().iter().all(|request| request.method == "GET"), "nothing is submitted");
}

#[test]
fn all_chunks_come_in_order() {
    let workspace = Workspace::alone(Sandbox::builder().with_delays(Delays::NONE).with_chunk_bytes(500));
    let ran = workspace.sql("-o csv", "SELECT id FROM range(1000)").run().done().silent();
    let expected = (0..1000).fold("id\n".to_owned(), |mut all, id| {
        writeln!(all, "{id}").unwrap();
        all
    });
    assert_eq!(ran.text().replace("\r\n", "\n"), expected);
    assert_eq!(workspace.requests("POST", STATEMENTS).len(), 1);
}

#[test]
fn a_limit_is_the_services_and_is_told() {
    let workspace = Workspace::fresh();
    let ran = workspace.sql("-o jsonl --limit 3", "SELECT id FROM range(10)").run().done();
    assert_eq!(ran.text().lines().count(), 3);
    let ran = ran.says(&["3 rows"]);
    drop(ran);
    workspace.sql("--limit 0", "SELECT 1").run().fails(2, &["0", "--limit"]);
}

#[test]
fn a_detached_statement_is_watched_and_cancelled_by_its_id() {
    let workspace = Workspace::fresh();
    let ran = workspace.sql("--detach", "SELECT 5 AS n").run().done();
    let id = ran.json()["statement_id"].as_str().unwrap().to_owned();
    let ran = workspace.brick(&format!("statements wait {id} -o csv")).run().done();
    assert_eq!(ran.text().replace("\r\n", "\n"), "n\n5\n");
    let ran = workspace.brick(&format!("statements get {id}")).run().done();
    assert_eq!(ran.json()["status"]["state"], "SUCCEEDED");
    assert_eq!(workspace.requests("POST", STATEMENTS).len(), 1);

    let workspace = Workspace::with_endless_statements();
    let ran = workspace.sql("--detach", "SELECT 5 AS n").run().done();
    let id = ran.json()["statement_id"].as_str().unwrap().to_owned();
    // Detached is detached: the end of the program doesn't cancel it.
    assert!(workspace.requests("POST", &format!("{STATEMENTS}/{id}/cancel")).is_empty());
    workspace.brick(&format!("statements cancel {id}")).run().done();
    let ran = workspace.brick(&format!("statements wait {id}")).run();
    ran.fails(8, &["cancel"]);
}

#[test]
fn presigned_links_are_masked_unless_they_are_asked_for_by_a_raw_request() {
    let body = r#"{"statement_id":"s","status":{"state":"SUCCEEDED"},"manifest":{"total_row_count":9007199254740993},
        "result":{"external_links":[{"chunk_index":0,"external_link":"https://store/x?sig=S3CR3T","http_headers":{"k":"S3CR3T"},
        "expiration":"2099-01-01T00:00:00Z"}]}}"#;
    let server = Server::json(body);
    for format in ["-o json", "-o jsonl", "-o table", "-o csv", "-o record"] {
        let ran = server.brick(&format!("statements get s {format}")).run().done().silent();
        assert!(!ran.text().contains("S3CR3T") && ran.text().contains("***"), "{format}: {}", ran.text());
        assert!(
            ran.text().contains("9007199254740993") && ran.text().contains("2099"),
            "{format}: {}",
            ran.text()
        );
    }
    let ran = server.brick("api GET /2.0/sql/statements/s").run().done();
    assert!(ran.text().contains("S3CR3T"), "{}", ran.text());
}

#[cfg(unix)]
#[test]
fn an_interrupted_wait_says_that_the_statement_is_not_canceled() {
    let workspace = Workspace::with_endless_statements();
    let id = workspace.sql("--detach -o json", "SELECT 1").run().done().json()["statement_id"].clone();
    let id = id.as_str().unwrap();
    let path = format!("{STATEMENTS}/{id}");
    let waiting = workspace.brick(&format!("statements wait {id}")).start();
    let started = std::time::Instant::now();
    // The second look comes after the first answer has been read.
    while workspace.requests("GET", &path).len() < 2 {
        assert!(started.elapsed() < std::time::Duration::from_secs(120), "no second look");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    waiting.signal("INT");
    let ran = waiting.end().exits(130, &[]);
    let told: Vec<_> = ran.stderr.lines().collect();
    assert!(told[0].ends_with(&format!("is not canceled: brick statements wait {id}")), "{told:?}");
    assert_eq!(told[1..], ["interrupted"]);
    assert!(workspace.requests("POST", &format!("{path}/cancel")).is_empty());
}

#[test]
fn rows_that_dont_fit_their_columns_are_an_error() {
    let answer = |columns: &str| {
        format!(
            r#"{{"statement_id":"s","status":{{"state":"SUCCEEDED"}},"manifest":{{"format":"JSON_ARRAY",{columns}
            "total_row_count":1,"total_chunk_count":1,"chunks":[{{"chunk_index":0,"row_offset":0,"row_count":1}}]}},
            "result":{{"chunk_index":0,"row_offset":0,"row_count":1,"data_array":[["1"]]}}}}"#
        )
    };
    let column = r#"{"name":"a","position":0,"type_name":"INT"}"#;
    let schemas = [
        String::new(),
        r#""schema":{"column_count":0,"columns":[]},"#.to_owned(),
        format!(r#""schema":{{"column_count":2,"columns":[{column},{column}]}},"#),
    ];
    for columns in schemas {
        let server = Server::json(&answer(&columns));
        for format in ["json", "jsonl", "csv", "table", "record"] {
            let ran = server.brick(&format!("sql -w 0123456789abcdef -o {format}")).arg("SELECT 1").run();
            let ran = ran.exits(1, &[]);
            assert!(!ran.stderr.contains("()") && !ran.stderr.contains("::"), "{}", ran.stderr);
        }
    }
}

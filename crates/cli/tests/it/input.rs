//! Text, parameters, and options as people give them: what is read, and what is refused before the first request.

use crate::{program::Brick, scripted::Server, workspace::Workspace};

const ID: &str = "0123456789abcdef";
const ROWS: &str = r#"{"statement_id":"01ef0000-0000-1000-8000-000000000001","status":{"state":"SUCCEEDED"},
    "manifest":{"format":"JSON_ARRAY","schema":{"column_count":1,"columns":[{"name":"n","position":0,"type_name":"INT"}]},
        "total_row_count":1,"total_chunk_count":1,"chunks":[{"chunk_index":0,"row_offset":0,"row_count":1}]},
    "result":{"chunk_index":0,"row_offset":0,"row_count":1,"data_array":[["1"]]}}"#;

/// `brick sql` against a warehouse where every statement gives one row.
fn sql(server: &Server) -> Brick {
    server.brick("sql -o csv -w").arg(ID)
}

/// The only statement that was sent.
fn statement(server: &Server) -> String {
    let body: serde_json::Value = serde_json::from_str(&server.only().text()).unwrap();
    body["statement"].as_str().unwrap().to_owned()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(bytes).collect()
}

#[test]
fn a_byte_order_mark_is_never_sent() {
    let text = "SELECT 'é'\r\n";
    let marked = format!("\u{feff}{text}");
    for content in [marked.clone().into_bytes(), utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes)]
    {
        let makers: [&dyn Fn(Brick) -> Brick; 4] = [
            &|brick| brick.file("a.sql", &content).args("-f a.sql"),
            &|brick| brick.stdin(content.clone()),
            &|brick| brick.stdin(content.clone()).arg("-"),
            &|brick| brick.stdin(content.clone()).args("-f -"),
        ];
        for make in makers {
            let server = Server::json(ROWS);
            make(sql(&server)).run().done();
            assert_eq!(statement(&server), text);
        }
    }
    let server = Server::json(ROWS);
    sql(&server).arg(&marked).run().done();
    assert_eq!(statement(&server), text);
    let workspace = Workspace::fresh();
    let run = |brick: Brick| brick.run().done().text().trim_end().to_owned();
    let code = "\u{feff}print(6 * 7)";
    assert_eq!(run(workspace.brick("run -c shared-analytics -f a.py").file("a.py", code)), "42");
    assert_eq!(run(workspace.brick("run -c shared-analytics -f -").stdin(code)), "42");
}

#[test]
fn bytes_that_are_not_text_are_named_with_their_place() {
    let server = Server::json(ROWS);
    for (content, words) in [
        (&b"SELECT 'caf\xe9'"[..], ["not UTF-8", "0xe9 at offset 11"]),
        (b"S\0E\0L\0", ["not UTF-8", "0x00 at offset 1"]),
        (b"\xff\xfeS\0\0\xd8", ["not UTF-16", "at offset 4"]),
    ] {
        sql(&server)
            .file("a.sql", content)
            .args("-f a.sql")
            .run()
            .fails(2, &[&words[..], &[": a.sql"]].concat());
        let ran = server.brick("run -c x").stdin(content).run();
        ran.fails(2, &[&words[..], &[": standard input"]].concat());
    }
    assert!(server.sent().is_empty());
}

#[test]
fn text_that_starts_like_an_option_is_text() {
    for text in ["-- daily report\nSELECT 1", "--daily\nSELECT 1", "/* a */ SELECT 1"] {
        let server = Server::json(ROWS);
        sql(&server).arg(text).args("--limit 5").run().done();
        assert_eq!(statement(&server), text);
    }
    let server = Server::json(ROWS);
    sql(&server).args("select 1").run().fails(2, &["'1'", "quote the SQL"]);
    let ran = server.brick("sql -o json select 1").run().exits(2, &[]);
    assert!(ran.json_error()["hint"].as_str().unwrap().starts_with("quote the SQL"), "{}", ran.stderr);
    sql(&server).arg("-- nothing else").run().fails(2, &["empty", "comments"]);
    assert!(server.sent().is_empty());
}

#[test]
fn several_statements_and_notebooks_are_refused() {
    let server = Server::json(ROWS);
    let script = "USE main; -- then; really\nSELECT 1;\n";
    let sql_notebook = "-- Databricks notebook source\nSELECT 1\n\n-- COMMAND ----------\n\nSELECT 2\n";
    let jupyter = r#"{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}"#;
    for (text, words) in [
        (script, &["one statement", "2 statements", "line 2", "hint: "][..]),
        (sql_notebook, &["Databricks notebook", "hint: "]),
        (jupyter, &["Jupyter notebook", "hint: "]),
        ("%sql\nSELECT 1", &["magic", "%sql", "hint: "]),
    ] {
        // `brick sql` runs several statements, and the cells of a notebook in SQL.
        if ![script, sql_notebook].contains(&text) {
            sql(&server).arg(text).run().fails(2, words);
        }
        let of_sql =
            if [script, sql_notebook].contains(&text) { &["--no-wait takes one statement"] } else { words };
        server.brick("sql --detach").stdin(text).run().fails(2, of_sql);
        // `brick run` runs scripts and notebooks.
        if text.starts_with('%') {
            server.brick("run -c x -f a.sql").file("a.sql", text).run().fails(2, words);
        }
        server.brick("run -c x -f a.sql --no-wait").file("a.sql", text).run().fails(2, &[]);
        let submit = server.brick("commands submit -c x --context 1 -l sql").arg(text);
        submit.run().fails(2, words);
    }
    // Lines of a notebook without its first one would be skipped.
    let python = "# MAGIC %sql\n# MAGIC DELETE FROM t\n\nprint(1)\n";
    server.brick("run -c x -f a.py").file("a.py", python).run().fails(2, &["Databricks notebook"]);
    server.brick("run -c x -l python -f a.ipynb").file("a.ipynb", jupyter).run().fails(2, &["no code"]);
    assert!(server.sent().is_empty());
    for text in ["SELECT ';' ; -- done;", "BEGIN DECLARE x INT; SET x = 1; END"] {
        let server = Server::json(ROWS);
        sql(&server).arg(text).run().done();
        assert_eq!(statement(&server), text);
    }
}

#[test]
fn parameters_are_compared_with_the_statement() {
    let server = Server::json(ROWS);
    for (text, options, words) in [
        ("SELECT :a", "-P a=1 -P b=2", &["doesn't use", ": b", "hint: ", ":a"][..]),
        ("SELECT ':a' -- :a", "-P a=1", &["doesn't use", ": a", "quotes"]),
        ("SELECT :a", "-P a=1 -P a=2", &["more than once: a"]),
        ("SELECT :a, :b", "-P a=1", &["no value: b", "hint: ", "-P"]),
        ("SELECT :a", "-P a:INT=x", &["parameter a", "INT"]),
        ("SELECT :a", "-P a", &["a:STRING"]),
    ] {
        sql(&server).args(options).arg(text).run().fails(2, words);
    }
    assert!(server.sent().is_empty());
    sql(&server).args("-P a=1").arg("SELECT :a, raw:b, x::INT FROM t").run().done();
}

#[test]
fn a_warehouse_is_named_by_its_address() {
    let server = Server::json(ROWS);
    let host = server.url();
    let addresses = [
        format!("/sql/1.0/warehouses/{ID}"),
        format!("{host}/sql/warehouses/{ID}?o=12"),
        format!("{host}/sql/warehouses/{ID}/monitoring"),
    ];
    for address in &addresses {
        server.brick("sql -o csv SELECT -w").arg(address).run().done();
    }
    let sent = server.sent();
    assert!(
        sent.iter().all(|request| request.text().contains(&format!(r#""warehouse_id":"{ID}""#))),
        "{sent:?}"
    );
    assert_eq!(sent.len(), addresses.len());
    for (address, word) in [
        ("https://other.cloud.databricks.com/sql/warehouses/0123456789abcdef", "other.cloud.databricks.com"),
        ("sql/protocolv1/o/12/0123-456789-abcdefgh", "cluster"),
    ] {
        server.brick("sql SELECT -w").arg(address).run().fails(2, &[word, "hint: "]);
        server.brick("warehouses stop").arg(address).run().fails(2, &[word, "hint: "]);
    }
    assert_eq!(server.sent().len(), addresses.len());
}

#[test]
fn a_wrong_format_or_file_is_found_before_the_first_request() {
    let server = Server::json("{}");
    for arguments in [
        "clusters terminate x -o parquet",
        "warehouses stop x -o arrow",
        "run -c x 1 -o arrow",
        "commands cancel -c x --context 1 2 -o parquet",
    ] {
        server.brick(arguments).run().fails(2, &["arrow and parquet", "brick sql"]);
    }
    let detached = server.brick("sql --detach SELECT -o parquet").run();
    // A build without Parquet says that first.
    detached.fails(if cfg!(feature = "arrow") { 2 } else { 3 }, &["hint: "]);
    for (arguments, code, word) in [
        ("sql -w x SELECT --out missing/a.csv", 3, "missing"),
        ("sql -w x SELECT -o csv --out .", 3, "folder"),
        ("sql -w x SELECT --out a.xlsx", 2, "a.xlsx"),
        ("sql -w x -f missing.sql", 3, "missing.sql"),
        ("run -c x -f missing.py", 3, "missing.py"),
        ("run -c x 1 --images missing", 3, "missing"),
        ("statements wait x --out missing/a.csv", 3, "missing"),
    ] {
        server.brick(arguments).run().fails(code, &[word]);
    }
    assert!(server.sent().is_empty());
}

#[cfg(feature = "jq")]
#[test]
fn a_wrong_filter_is_found_before_the_first_request() {
    let server = Server::json("{}");
    for command in [
        "clusters terminate x",
        "warehouses stop x",
        "sql -w x SELECT",
        "api POST /2.0/x",
        "run -c x 1",
        "whoami",
    ] {
        for filter in [".[", ".state | nosuch"] {
            server.brick(command).arg("--jq").arg(filter).run().fails(2, &["--jq", filter]);
        }
        server.brick(command).args("--jq . -o table").run().fails(2, &["--jq", "table"]);
    }
    server.brick("api POST /2.0/x --response-type text --jq .").run().fails(2, &["--jq"]);
    assert!(server.sent().is_empty());
}

#[cfg(feature = "jq")]
#[test]
fn a_filter_that_fails_on_the_data_names_type_and_statement() {
    let server = Server::json(ROWS);
    let id = "01ef0000-0000-1000-8000-000000000001";
    let run = |options: &str| server.brick("sql SELECT --jq .n -w").arg(ID).args(options).run();
    run("").fails(1, &[r#"cannot index an array with "n""#, "hint: ", id]);
    let error = run("-o json").exits(1, &[]).json_error();
    assert_eq!((error["kind"].as_str(), error["statement_id"].as_str()), (Some("local"), Some(id)));
}

#[test]
fn code_has_no_deadline_of_its_own_and_is_canceled_at_the_given_one() {
    let workspace = Workspace::fresh();
    let help = workspace.brick("run --help").run().done();
    assert!(!help.text().contains("[default: 20m]"), "{}", help.text());
    let endless = "import threading\nthreading.Event().wait()";
    let ran = workspace.brick("run -c shared-analytics --timeout 5s").arg(endless).run();
    let ran = ran.fails(9, &["hint: ", "cancel"]);
    assert!(!ran.stderr.contains("goes on") && !ran.stderr.contains("continues"), "{}", ran.stderr);
}

#[test]
fn entities_are_decoded_and_messages_start_with_text() {
    let cluster = r#"{"cluster_id":"0710-090000-anlyt1cs","state":"RUNNING","id":"77","status":"#;
    let failed = format!(
        r#"{cluster}"Finished","results":{{"resultType":"error","summary":"<b>TypeError</b>: &#x27;&lt;&#39; &eacute;&amp;lt;","cause":"\n\n"}}}}"#
    );
    let json = "application/json";
    let ready = format!(r#"{cluster}"Running"}}"#);
    let server = Server::answering(&[
        (200, json, ready.as_bytes()),
        (200, json, ready.as_bytes()),
        (200, json, ready.as_bytes()),
        (200, json, ready.as_bytes()),
        (200, json, failed.as_bytes()),
    ]);
    let ran = server.brick("run -c 0710-090000-anlyt1cs x").run().exits(8, &[]);
    assert_eq!(ran.stderr, "TypeError: '<' é&lt;\nerror: the code failed\n");
    let message = br#"{"error_code":"INVALID_PARAMETER_VALUE","message":"\n\nno such thing"}"#;
    let ran = Server::answering(&[(400, json, message)]).brick("whoami").run().exits(6, &["no such thing"]);
    assert!(ran.stderr.starts_with("error: ") && !ran.stderr.starts_with("error: \n"), "{}", ran.stderr);
}

//! `--read-only`: what changes something is refused before anything is sent.

use serde_json::json;

use crate::{program::Brick, scripted::Server, workspace::Workspace};

#[test]
fn statements_that_write_are_refused_before_the_first_request() {
    let workspace = Workspace::fresh();
    for (sql, word) in [
        ("CREATE TABLE t AS SELECT 1", "CREATE"),
        ("DELETE FROM t", "DELETE"),
        ("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", "INSERT"),
        ("SELECT 1;\nDROP TABLE t", "in line 2: DROP"),
        ("CALL p()", "CALL"),
        ("SELECT 1 /* x", "is not closed"),
    ] {
        workspace.sql("--read-only", sql).run().exits(if word.contains("closed") { 2 } else { 3 }, &[]);
        let ran = workspace.sql("--read-only -o json", sql).run();
        assert!(ran.stderr.contains(word), "{sql}: {}", ran.stderr);
    }
    assert!(workspace.requests("GET", "/").is_empty() && workspace.requests("POST", "/").is_empty());
    let error =
        workspace.sql("--read-only -o json -f", "a.sql").file("a.sql", "SELECT 1;\n\nDROP TABLE t").run();
    let error = error.json_error();
    assert_eq!((&error["kind"], &error["exit_code"]), (&json!("read_only"), &json!(3)));
    assert_eq!(error["source"], json!({ "file": "a.sql", "line": 3, "column": 1, "index": 2, "count": 2 }));
    assert!(error["hint"].as_str().unwrap().contains("--read-only, BRICK_READ_ONLY"), "{error}");
    // What reads is sent, in all ways to turn the mode on.
    let rows = workspace.sql("--read-only -o csv", "SELECT 1 AS a; USE samples.nyctaxi").run().done();
    assert_eq!(rows.text().replace("\r\n", "\n"), "a\n1\n");
    workspace.sql("-o csv", "SHOW TABLES").env("BRICK_READ_ONLY", "1").run().done();
    workspace
        .sql("", "DROP TABLE t")
        .env("BRICK_READ_ONLY", "true")
        .run()
        .fails(3, &["read-only mode refuses"]);
    workspace
        .sql("", "SELECT 1")
        .env("BRICK_READ_ONLY", "on")
        .run()
        .fails(3, &["read_only must be true or false"]);
}

#[test]
fn a_profile_can_be_read_only() {
    let server = Server::json("{}");
    let config = format!("[ro]\nhost = {}\ntoken = dapi-scripted\nread_only = true\n", server.url());
    let brick = |arguments: &str| Brick::new(arguments).file(".databrickscfg", &config);
    brick("clusters start 1-2-x -p ro").run().fails(3, &["refuses this command: brick clusters start"]);
    // Nothing turns it off.
    brick("clusters start 1-2-x -p ro").env("BRICK_READ_ONLY", "0").run().fails(3, &["read-only"]);
    assert!(server.sent().is_empty());
    brick("clusters list -p ro").run().done();
    assert_eq!(server.sent().len(), 1);
}

/// Commands of all sorts, most of which would look for a name first.
#[test]
fn commands_that_change_something_send_nothing() {
    let server = Server::json("{}");
    for line in [
        "run -c x print(1)",
        "commands execute -c x --context 1 print(1)",
        "contexts create -c x",
        "clusters start nightly",
        "clusters terminate nightly",
        "clusters restart nightly",
        "clusters resize nightly --workers 2",
        "warehouses stop main",
        "warehouses start main",
        "jobs run daily",
        "jobs repair 11",
        "pipelines run daily",
        "secrets delete etl password",
        "tables delete a.b.c",
        "users create a@b.example",
        "workspace rm /Users/a",
        "workspace mkdirs /Users/a",
        "files mkdir /Volumes/a/b/c/d",
        "files rm /Volumes/a/b/c/d",
        "repos delete 1",
        "serving delete x",
        "api POST /2.0/clusters/start",
        "api DELETE /2.0/x",
        "api clusters_delete cluster_id=1-2-x",
    ] {
        let ran = server.brick(line).arg("--read-only").run().exits(3, &["read-only mode refuses"]);
        assert_eq!(ran.text(), "", "{line}");
    }
    let local =
        server.brick("files cp --overwrite --read-only a.txt /Volumes/a/b/c/a.txt").file("a.txt", "x").run();
    local.exits(3, &["read-only mode refuses"]);
    let changes: Vec<_> = server
        .sent()
        .iter()
        .filter(|request| request.method != "GET" && request.method != "HEAD")
        .cloned()
        .collect();
    assert!(changes.is_empty(), "{changes:?}");
    let lookups: Vec<_> = server.sent().iter().map(|request| request.path().to_owned()).collect();
    assert!(
        lookups.iter().all(|path| path.contains("/fs/")),
        "only the copy looks at its target: {lookups:?}"
    );
    // What reads is sent, also by POST.
    server.brick("api GET /2.0/clusters/list --read-only").run().done();
    server.brick("api clusters_events cluster_id=1-2-x --read-only").run().done();
    server.brick("statements cancel 01f0 --read-only").run().done();
    assert_eq!(server.sent().iter().filter(|request| request.method == "POST").count(), 2);
}

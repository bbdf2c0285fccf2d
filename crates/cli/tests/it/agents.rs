//! Output for programs with little room: `-o agent`, `-o envelope`, `--agent`, and the next command in an error.

use brickwire_sandbox::seed::RUNNING_WAREHOUSE;
use serde_json::{Value, json};

use crate::{program::Brick, scripted::Server, workspace::Workspace};

const STATEMENTS: &str = "/api/2.0/sql/statements";
const TRIPS: &str = "SELECT * FROM samples.nyctaxi.trips";

/// The name and the value of each fact in the summary.
fn facts(text: &str) -> Vec<(&str, &str)> {
    let summary = text.lines().find(|line| line.starts_with("# rows=")).unwrap_or_else(|| panic!("{text}"));
    summary[2..].split(' ').map(|fact| fact.split_once('=').unwrap()).collect()
}

fn fact<'a>(text: &'a str, name: &str) -> &'a str {
    facts(text).iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name}: {text}")).1
}

#[test]
fn a_large_table_is_a_small_text_after_one_request() {
    let workspace = Workspace::fresh();
    let ran = workspace.sql("-o agent", TRIPS).run().done().silent();
    let text = ran.text();
    assert!(text.len() <= 10_240 && text.len() > 5_000, "{}", text.len());
    assert!(text.starts_with("tpep_pickup_datetime:TIMESTAMP\ttpep_dropoff_datetime:TIMESTAMP\t"), "{text}");
    assert_eq!((fact(text, "of"), fact(text, "complete")), ("1000+", "no"));
    assert_eq!(fact(text, "rows").parse::<usize>().unwrap(), text.lines().count() - 3);
    assert!(text.lines().last().unwrap().starts_with("# next: filter or aggregate in SQL"), "{text}");
    let [sent] = &workspace.requests("POST", STATEMENTS)[..] else { panic!("one statement is sent once") };
    let body = sent.body.as_ref().unwrap();
    assert_eq!((&body["row_limit"], &body["disposition"]), (&json!(1000), &json!("INLINE")));
    assert!(workspace.requests("GET", STATEMENTS).is_empty());
}

#[test]
fn a_small_result_is_complete_and_limits_can_be_set() {
    let workspace = Workspace::fresh();
    let text = |options: &str, sql: &str| workspace.sql(options, sql).run().done().silent().text().to_owned();
    let all = text("--agent", "SELECT 1 AS a, 'x\ty' AS b, CAST(NULL AS STRING) AS c");
    assert!(
        all.starts_with("a:INT\tb:STRING\tc:STRING\n1\tx\\ty\t\\N\n# rows=1 of=1 complete=yes statement="),
        "{all}"
    );
    assert!(!all.contains("# next"), "{all}");
    let none = text("--agent", "SELECT 1 AS a WHERE false");
    assert!(none.starts_with("a:INT\n# rows=0 of=0 complete=yes "), "{none}");
    let few = text("--agent --max-rows 3 --max-cell 2", "SELECT 'abcdef' AS a FROM range(7)");
    assert!(few.starts_with("a:STRING\nab…(+4)\nab…(+4)\nab…(+4)\n# rows=3 of=7 complete=no "), "{few}");
    let bytes = text("--agent --max-bytes 100", TRIPS);
    assert_eq!((fact(&bytes, "rows"), bytes.len() < 500), ("1", true), "{bytes}");
    // What may have changed something isn't suggested again.
    let changed = text("--agent --max-rows 1", "CREATE TABLE t AS SELECT id FROM range(3)");
    assert!(!changed.contains("--max-rows"), "{changed}");
    // The formats for programs have the rest.
    workspace.sql("-o agent --columns a", "SELECT 1 AS a").run().fails(2, &["--columns", "SELECT"]);
    workspace.sql("-o agent --jq .", "SELECT 1 AS a").run().fails(2, &["agent"]);
    workspace.sql("--max-bytes 5", "SELECT 1").run().fails(2, &["--max-bytes"]);
    assert_eq!(workspace.requests("POST", STATEMENTS).len(), 5);
}

#[test]
fn a_variable_or_the_option_turns_it_on_everywhere() {
    let workspace = Workspace::fresh();
    let brick = |options: &str, format: &str| {
        workspace.sql(options, "SELECT 1 AS a").env("BRICK_OUTPUT", format).run()
    };
    assert!(brick("", "agent").done().silent().text().starts_with("a:INT\n1\n# rows=1 "));
    // The command line says more than the variable.
    assert!(brick("--agent", "csv").done().silent().text().starts_with("a:INT\n1\n# rows=1 "));
    assert_eq!(brick("--agent -o jsonl", "csv").done().silent().text(), "{\"a\":1}\n");
    brick("", "envelope").fails(2, &["BRICK_OUTPUT"]);
}

#[test]
fn several_results_share_the_room_of_one() {
    let workspace = Workspace::fresh();
    let script = format!("{TRIPS};\n{TRIPS};\nUSE samples.nyctaxi;\nSELECT 1 AS one");
    let ran = workspace.sql("--agent", &script).run().done().silent();
    assert!(ran.text().len() <= 11_000, "{}", ran.text().len());
    assert_eq!(ran.text().matches("complete=no").count(), 2);
    assert!(ran.text().contains("\none:INT\n1\n# rows=1 of=1 complete=yes "), "{}", ran.text());
}

#[test]
fn an_envelope_has_columns_rows_and_facts() {
    let workspace = Workspace::fresh();
    let sql = "SELECT 1 AS a, 'x' AS a, array(1, 2) AS l, CAST(NULL AS INT) AS n UNION ALL SELECT 2, 'y', array(), 3 ORDER BY 1";
    let ran = workspace.sql(&format!("-o envelope -w {RUNNING_WAREHOUSE}"), sql).run().done().silent();
    let envelope = ran.json();
    assert_eq!(envelope["rows"], json!([[1, "x", [1, 2], null], [2, "y", [], 3]]));
    let names: Vec<_> =
        envelope["columns"].as_array().unwrap().iter().map(|column| &column["name"]).collect();
    assert_eq!(names, ["a", "a", "l", "n"]);
    assert_eq!(envelope["columns"][0]["type"], "INT");
    assert_eq!((&envelope["row_count"], &envelope["truncated"]), (&json!(2), &json!(false)));
    assert_eq!(envelope["warehouse_id"], RUNNING_WAREHOUSE);
    assert!(envelope["statement_id"].is_string() && envelope["elapsed_s"].is_number(), "{envelope}");
    let empty = workspace.sql("-o envelope", "SELECT 1 AS a WHERE false").run().done().json();
    assert_eq!((&empty["rows"], &empty["row_count"]), (&json!([]), &json!(0)));
    let limited =
        workspace.sql("-o envelope --limit 2 --columns id", "SELECT id, 1 AS b FROM range(9)").run().done();
    let limited = limited.json();
    assert_eq!((&limited["rows"], &limited["truncated"]), (&json!([[0], [1]]), &json!(true)));
    // An array has one for each statement.
    let both = workspace.sql("-o envelope", "SELECT 1 AS a; SELECT 2 AS b").run().done().json();
    assert_eq!((&both[0]["rows"], &both[1]["rows"]), (&json!([[1]]), &json!([[2]])));
    // Other commands have no rows, and nothing is sent.
    let before = workspace.requests("GET", "/").len();
    workspace.brick("clusters list -o envelope").run().fails(2, &["envelope is for SQL rows"]);
    assert_eq!(workspace.requests("GET", "/").len(), before);
}

#[cfg(feature = "jq")]
#[test]
fn a_filter_sees_the_envelope() {
    let workspace = Workspace::fresh();
    let ran = workspace
        .sql("-o envelope --jq", ".row_count, .rows[0][0]")
        .arg("SELECT 7 AS a")
        .run()
        .done()
        .silent();
    assert_eq!(ran.text(), "1\n7\n");
    // With --agent, a filter prints JSON, and errors are JSON, too.
    let ran = workspace.sql("--agent --jq", ".[0].a").arg("SELECT 7 AS a").run().done().silent();
    assert_eq!(ran.text(), "7\n");
    let ran = workspace.sql("--agent --jq", ".[").arg("SELECT 7 AS a").run();
    assert_eq!((ran.json_error()["kind"].clone(), ran.text()), (json!("usage"), ""));
}

#[test]
fn rows_that_are_saved_are_whole() {
    let workspace = Workspace::fresh();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trips.csv");
    let ran = workspace.sql("--agent", TRIPS).arg("--out").arg(&file).run().done().silent();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 21_933);
    assert_eq!(ran.text(), format!("# saved bytes={} file={}\n", text.len(), file.display()));
    let sent = workspace.requests("POST", STATEMENTS);
    assert!(sent[0].body.as_ref().unwrap().get("row_limit").is_none_or(Value::is_null));
}

#[test]
fn lists_records_and_changes_are_short() {
    let workspace = Workspace::fresh();
    let text = |arguments: &str| workspace.brick(arguments).run().done().silent().text().to_owned();
    let list = text("clusters list --agent");
    let all = workspace.brick("clusters list -o json").run().done().json().as_array().unwrap().len();
    assert!(list.starts_with("ID\tNAME\t"), "{list}");
    assert_eq!((fact(&list, "rows"), fact(&list, "complete")), (all.to_string().as_str(), "yes"));
    assert_eq!(list.lines().count(), all + 2);
    let chosen = text("clusters list --agent --columns name");
    assert!(chosen.starts_with("NAME\n"), "{chosen}");
    let record = text("whoami --agent");
    assert!(record.starts_with("field\tvalue\n"), "{record}");
    let change: Value =
        serde_json::from_str(&text(&format!("warehouses stop {RUNNING_WAREHOUSE} --agent"))).unwrap();
    let names: Vec<_> = change.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["id", "name", "state", "changed", "elapsed_s"]);
    assert_eq!((&change["id"], &change["changed"]), (&json!(RUNNING_WAREHOUSE), &json!(true)));
    let again: Value =
        serde_json::from_str(&text(&format!("warehouses stop {RUNNING_WAREHOUSE} --agent"))).unwrap();
    assert_eq!((&again["changed"], &again["state"]), (&json!(false), &change["state"]));
}

#[test]
fn a_long_list_is_cut_and_says_so() {
    let items: Vec<_> =
        (0..500).map(|id| json!({ "cluster_id": format!("c-{id}"), "cluster_name": "x" })).collect();
    let server = Server::json(&json!({ "clusters": items }).to_string());
    let ran = server.brick("clusters list --agent").run().done().silent();
    assert!(ran.text().len() <= 10_240, "{}", ran.text().len());
    assert_eq!((fact(ran.text(), "rows"), fact(ran.text(), "of")), ("200", "500"));
    assert!(ran.text().ends_with("print all with -o tsv\n"), "{}", ran.text());
}

#[test]
fn a_document_of_any_size_is_cut() {
    let server = Server::json(&format!("{{\"text\":\"{}\"}}", "x".repeat(100_000)));
    let ran = server.brick("api GET /2.0/x --agent").run().done().silent();
    assert!(ran.text().len() <= 10_240, "{}", ran.text().len());
    assert!(
        ran.text().contains("\n# bytes=8000 of=100012 complete=no\n# next: "),
        "{}",
        &ran.text()[7_990..]
    );
    let short = Server::json("{\"a\": 1}");
    assert_eq!(short.brick("api GET /2.0/x --agent").run().done().text(), "{\"a\":1}\n");
}

#[test]
fn errors_are_json_and_name_the_next_command() {
    let workspace = Workspace::fresh();
    let ran = workspace.sql("--agent", "SELECT * FROM missing_table").run();
    let error = ran.json_error();
    assert_eq!((&error["kind"], ran.text()), (&json!("remote_failed"), ""));
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    // Clap's own errors, too.
    let ran = Brick::new("clusters lst --agent").run();
    assert_eq!((ran.json_error()["kind"].clone(), ran.code()), (json!("usage"), Some(2)));
    // A whole command in a hint is the next one, on the same workspace.
    let stopped = workspace.brick("warehouses list -o json").run().done().json();
    let stopped =
        stopped.as_array().unwrap().iter().find(|one| one["state"] == "STOPPED").unwrap()["id"].clone();
    let line = format!("-w {} --no-start -o json", stopped.as_str().unwrap());
    let error = workspace.sql(&line, "SELECT 1").run().json_error();
    assert_eq!(error["next"], format!("brick warehouses start {}", stopped.as_str().unwrap()));
    let config = "[work]\nhost = HOST\ntoken = dapi-scripted\n";
    let server = Server::json("{\"id\":\"0123456789abcdef\",\"state\":\"STOPPED\"}");
    let ran = Brick::new("sql -p work -w 0123456789abcdef --no-start -o json")
        .arg("SELECT 1")
        .file(".databrickscfg", config.replace("HOST", &server.url()))
        .run();
    assert_eq!(ran.json_error()["next"], "brick warehouses start 0123456789abcdef -p work");
    // Not connected yet: the first command of a new user.
    let error = Brick::new("clusters list -o json").run().json_error();
    assert_eq!(error["next"], "brick configure");
    // A hint without a whole command has no next one.
    let error = Brick::new("sql -f missing.sql -o json").run().json_error();
    assert_eq!(error["next"], Value::Null, "{error}");
}

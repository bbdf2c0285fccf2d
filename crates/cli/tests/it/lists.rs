//! Formats and filters of lists, of changes, and of rows: TSV, Markdown, ids, chosen columns, no header.

use crate::{scripted::Server, workspace::Workspace};

const CLUSTERS: &str = r#"{"clusters":[
    {"cluster_id":"1","cluster_name":"Nightly\tETL|a","state":"RUNNING","num_workers":2,"aws_attributes":{"zone_id":"us"}},
    {"cluster_id":"2","cluster_name":"etl_2","state":"PENDING","custom":1.50},
    {"cluster_id":"3","cluster_name":"reports","state":"TERMINATED"}]}"#;

fn clusters() -> Server {
    Server::json(CLUSTERS)
}

#[track_caller]
fn prints(server: &Server, arguments: &str, expected: &str) {
    let ran = server.brick(arguments).run().done().silent();
    assert_eq!(ran.text(), expected, "{arguments}");
}

#[test]
fn a_list_is_tsv_markdown_or_ids() {
    let server = clusters();
    let columns = "--columns id,name,num_workers";
    let tsv = "1\tNightly\\tETL|a\t2\n2\tetl_2\t\n3\treports\t\n";
    prints(&server, &format!("clusters list -o tsv {columns}"), &format!("ID\tNAME\tnum_workers\n{tsv}"));
    prints(&server, &format!("clusters list -o tsv {columns} --no-header"), tsv);
    let rows = "| 1 | Nightly\tETL\\|a | 2 |\n| 2 | etl_2 |  |\n| 3 | reports |  |\n";
    let heading = "| ID | NAME | num_workers |\n|---|---|---|\n";
    prints(&server, &format!("clusters list -o markdown {columns}"), &format!("{heading}{rows}"));
    prints(&server, &format!("clusters list -o markdown {columns} --no-header"), rows);
    prints(&server, "clusters list -o name", "1\n2\n3\n");
    prints(&server, "clusters list -o csv --columns state --no-header", "RUNNING\nPENDING\nTERMINATED\n");
    prints(
        &server,
        "clusters list -o table --columns id,state --no-header",
        "1   RUNNING\n2   PENDING\n3   TERMINATED\n",
    );
    let whole = server.brick("clusters list -o tsv").run().done().silent();
    assert!(whole.text().starts_with("ID\tNAME\tSTATE\tNODE TYPE\t"), "{}", whole.text());
    assert_eq!(whole.text().lines().count(), 4);
}

#[test]
fn columns_are_headings_fields_or_pointers_in_every_format() {
    let server = clusters();
    let columns = "--columns STATE,custom,/aws_attributes/zone_id";
    let csv = "STATE,custom,/aws_attributes/zone_id\nRUNNING,,us\nPENDING,1.50,\nTERMINATED,,\n";
    prints(&server, &format!("clusters list -o csv {columns}"), csv);
    let first = r#"{"state":"RUNNING","custom":null,"aws_attributes/zone_id":"us"}"#;
    let second = r#"{"state":"PENDING","custom":1.50,"aws_attributes/zone_id":null}"#;
    let third = r#"{"state":"TERMINATED","custom":null,"aws_attributes/zone_id":null}"#;
    prints(&server, &format!("clusters list -o jsonl {columns}"), &format!("{first}\n{second}\n{third}\n"));
    let json = server.brick(&format!("clusters list {columns}")).run().done().silent().json();
    assert_eq!(json.as_array().unwrap().len(), 3);
    assert_eq!(json[0], serde_json::from_str::<serde_json::Value>(first).unwrap());
    prints(
        &Server::json(r#"{"cluster_id":"0101-000000-x","cluster_name":"n","state":"RUNNING"}"#),
        "clusters get 0101-000000-x --columns state,cluster-name -o csv",
        "state,cluster_name\nRUNNING,n\n",
    );
}

#[test]
fn an_unknown_column_is_named_with_the_known_ones() {
    let server = clusters();
    let words = ["--columns: no such column: nmae", "ID, NAME, STATE", "cluster_id, cluster_name", "/nmae"];
    server.brick("clusters list --columns id,nmae -o csv").run().fails(2, &words);
    // Nothing was sent for what is wrong without an answer.
    let unsent = clusters();
    for arguments in ["clusters list --columns id,,state", "clusters list -o name --columns id"] {
        unsent.brick(arguments).run().fails(2, &["--columns"]);
    }
    unsent.brick("clusters list -o name --jq .").run().fails(2, &["--jq"]);
    assert!(unsent.sent().is_empty());
    // What was done stays done: this is no wrong command line.
    let server = Server::json(r#"{"cluster_id":"0101-000000-x","state":"RUNNING"}"#);
    server
        .brick("clusters get 0101-000000-x --columns nope")
        .run()
        .fails(1, &["no field \"nope\"", "cluster_id, state"]);
}

#[test]
fn lists_are_filtered_by_state_and_name() {
    let server = clusters();
    prints(&server, "clusters list --state running,PENDING -o name", "1\n2\n");
    prints(&server, "clusters list --name ETL -o name", "1\n2\n");
    prints(&server, "clusters list --name etl --state RUNNING -o name", "1\n");
    prints(&server, "clusters list --name nothing", "[]\n");
    prints(&server, "clusters list --name nothing -o name", "");
    let sent = server.sent();
    let query = sent[0].query();
    assert!(query.contains("filter_by.cluster_states=RUNNING&filter_by.cluster_states=PENDING"), "{query}");
    let unsent = clusters();
    unsent.brick("clusters list --state RUNING").run().fails(2, &["RUNING", "RUNNING, RESTARTING"]);
    unsent.brick("warehouses list --state TERMINATED").run().fails(2, &["TERMINATED", "STOPPED"]);
    unsent.brick("clusters list").arg("--name=").run().fails(2, &["--name", "blank"]);
    assert!(unsent.sent().is_empty());
    let warehouses =
        Server::json(r#"{"warehouses":[{"id":"a","name":"One","state":"RUNNING"},{"id":"b","name":"Two"}]}"#);
    prints(&warehouses, "warehouses ls --state RUNNING -o name", "a\n");
    prints(&warehouses, "warehouses list --name two -o name", "b\n");
}

#[test]
fn other_lists_are_filtered_by_name() {
    let workspace = Workspace::fresh();
    for (list, part, expected) in [
        ("jobs list", "DAILY", "daily-report"),
        ("pipelines list", "trip", "trips"),
        ("serving list", "echo-ch", "databricks-echo-chat"),
        ("catalogs list", "SAMP", "samples"),
        ("schemas list samples", "nyc", "samples.nyctaxi"),
        ("tables list samples.nyctaxi", "trip", "samples.nyctaxi.trips"),
        ("cluster-policies list", "shared", "Shared Compute"),
        ("instance-pools list", "warm", "warm-pool"),
    ] {
        let line = format!("{list} --name {part} -o tsv --columns name --no-header");
        assert_eq!(workspace.brick(&line).run().done().text(), format!("{expected}\n"), "{line}");
        let line = format!("{list} --name no-such-name -o tsv --no-header");
        assert_eq!(workspace.brick(&line).run().done().text(), "", "{line}");
    }
}

#[test]
fn a_change_can_be_an_id() {
    let workspace = Workspace::fresh();
    let name = |arguments: &str| workspace.brick(arguments).run().done().text().to_owned();
    let id = name("clusters get nightly-etl -o name");
    assert_eq!(name("clusters start nightly-etl -o name"), id);
    assert_eq!(name("clusters stop nightly-etl -o name --detach"), id);
    assert!(id.ends_with("-n1ghtly0\n"), "{id}");
    assert_eq!(name("catalogs get samples -o name"), "samples\n");
    assert_eq!(name("tables get samples.nyctaxi.trips -o name"), "samples.nyctaxi.trips\n");
    assert_eq!(name("serving get databricks-echo-chat -o name"), "databricks-echo-chat\n");
    // Every list and what it gets agree on what an id is.
    for service in [
        "clusters",
        "warehouses",
        "jobs",
        "pipelines",
        "serving",
        "catalogs",
        "users",
        "groups",
        "repos",
        "service-principals",
        "cluster-policies",
        "instance-pools",
    ] {
        let ids = name(&format!("{service} list -o name"));
        for id in ids.lines().take(1) {
            assert_eq!(name(&format!("{service} get -o name {id}")), format!("{id}\n"), "{service}");
        }
    }
    let statement = workspace.sql("--no-wait -o name", "SELECT 1").run().done();
    assert!(statement.text().trim().len() > 30, "{}", statement.text());
    assert_eq!(name("whoami -o name").lines().count(), 1);
}

#[test]
fn rows_are_tsv_or_markdown_and_have_no_ids() {
    let workspace = Workspace::fresh();
    let statement = "SELECT 1 AS n, 'a\tb|c' AS text, CAST(NULL AS STRING) AS nothing, '' AS empty";
    for (options, expected) in [
        ("-o tsv", "n\ttext\tnothing\tempty\n1\ta\\tb|c\t\\N\t\n"),
        ("-o tsv --no-header", "1\ta\\tb|c\t\\N\t\n"),
        ("-o markdown", "| n | text | nothing | empty |\n|---:|---|---|---|\n| 1 | a\tb\\|c | NULL |  |\n"),
        ("-o csv --no-header --columns empty,n", "\"\",1\n"),
        ("-o jsonl --columns text,N", "{\"text\":\"a\\tb|c\",\"n\":1}\n"),
        ("-o table --columns n,n --no-header", "1    1\n"),
    ] {
        assert_eq!(workspace.sql(options, statement).run().done().silent().text(), expected, "{options}");
    }
    let empty = "SELECT 1 AS n WHERE false";
    assert_eq!(workspace.sql("-o tsv", empty).run().done().text(), "n\n");
    assert_eq!(workspace.sql("-o markdown", empty).run().done().text(), "| n |\n|---:|\n");
    assert_eq!(workspace.sql("-o tsv --no-header", empty).run().done().text(), "");
    workspace
        .sql("--columns n,x -o csv", statement)
        .run()
        .fails(2, &["no such column: x", "n, text, nothing, empty"]);
    let before = workspace.requests("POST", "/api/2.0/sql/statements").len();
    workspace.sql("-o name", statement).run().fails(2, &["-o name", "tsv"]);
    workspace.brick("statements wait 01f0 -o name").run().fails(2, &["-o name"]);
    assert_eq!(workspace.requests("POST", "/api/2.0/sql/statements").len(), before);
    assert!(workspace.requests("GET", "/api/2.0/sql/statements").is_empty());
}

#[test]
fn a_file_name_implies_the_new_formats() {
    let workspace = Workspace::fresh();
    let folder = tempfile::tempdir().unwrap();
    for (name, expected) in [("a.tsv", "n\n1\n"), ("a.md", "| n |\n|---:|\n| 1 |\n")] {
        let path = folder.path().join(name);
        workspace.sql("--out", path.to_str().unwrap()).arg("SELECT 1 AS n").run().done();
        assert_eq!(std::fs::read_to_string(path).unwrap(), expected);
    }
}

#[cfg(feature = "arrow")]
#[test]
fn columns_are_chosen_in_arrow_and_parquet() {
    let workspace = Workspace::fresh();
    let statement = "SELECT 1 AS first_name, 2 AS second_name";
    for format in ["arrow", "parquet"] {
        let ran = workspace.sql(&format!("-o {format} --columns second_name"), statement).run().done();
        let has = |name: &[u8]| ran.stdout.windows(name.len()).any(|part| part == name);
        assert!(has(b"second_name") && !has(b"first_name"), "{format}");
        workspace.sql(&format!("-o {format} --columns x"), statement).run().fails(2, &["no such column: x"]);
    }
}

#[cfg(feature = "jq")]
#[test]
fn with_jsonl_a_filter_gets_each_item_and_each_row() {
    let server = clusters();
    prints(&server, "clusters list -o jsonl --jq .cluster_id", "1\n2\n3\n");
    prints(&server, "clusters list --jq length", "3\n");
    let filter = "select(.state == \"RUNNING\") | [.cluster_id, .state] | @tsv # a comment";
    let ran = server.brick("clusters list -o jsonl --jq").arg(filter).run().done().silent();
    assert_eq!(ran.text(), "1\tRUNNING\n");
    let ran = server.brick("clusters list -o jsonl --columns name --jq").arg("keys[]").run().done().silent();
    assert_eq!(ran.text(), "cluster_name\n".repeat(3));
    server.brick("clusters list -o jsonl --jq").arg("1) | (2").run().fails(2, &["not a jq filter"]);
    let workspace = Workspace::fresh();
    let ran = workspace.sql("-o jsonl --jq .id", "SELECT id FROM range(3)").run().done().silent();
    assert_eq!(ran.text(), "0\n1\n2\n");
    let ran = workspace.sql("-o json --jq length", "SELECT id FROM range(3)").run().done().silent();
    assert_eq!(ran.text(), "3\n");
}

#[test]
fn without_a_command_there_is_an_overview() {
    let ran = crate::program::Brick::new("").run().fails(2, &["Usage: brick", "Unity Catalog", "warehouses"]);
    assert!(ran.stderr.lines().count() <= 15, "{}", ran.stderr);
}

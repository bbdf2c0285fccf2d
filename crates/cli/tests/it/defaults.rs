//! Which warehouse and which cluster are used: the order of the sources, and the requests that each one costs.

use std::sync::Arc;

use brickwire_testserver::Request;
use serde_json::json;

use crate::scripted::Server;

const LIST: &str = "/api/2.0/sql/warehouses";
const OF_USER: &str = "/api/warehouses/v1/default-warehouse-overrides/me";
const OF_WORKSPACE: &str = "/api/2.0/settings/types/default_warehouse_id/names/default";
const ID: &str = "00000000000000aa";

/// Two running warehouses, and these defaults.
fn server(of_user: Option<&str>, of_workspace: Option<&str>) -> Server {
    let of_user = of_user.map(|id| json!({ "type": "CUSTOM", "warehouse_id": id }).to_string());
    let of_workspace = of_workspace.map(|id| json!({ "string_val": { "value": id } }).to_string());
    let warehouse = |id: &str, name: &str| json!({ "id": id, "name": name, "state": "RUNNING" });
    let all = json!({ "warehouses": [warehouse("a", "one"), warehouse("b", "two")] }).to_string();
    let done = json!({
        "statement_id": "s", "status": { "state": "SUCCEEDED" },
        "manifest": { "format": "JSON_ARRAY", "schema": { "column_count": 0, "columns": [] }, "total_row_count": 0 },
    })
    .to_string();
    Server::routing(move |method, path| match (method, path) {
        ("POST", "/api/2.0/sql/statements" | "/api/2.0/sql/statements/") => Some(done.clone()),
        ("GET", LIST) => Some(all.clone()),
        ("GET", OF_USER) => of_user.clone(),
        ("GET", OF_WORKSPACE) => of_workspace.clone(),
        _ => None,
    })
}

/// The warehouse that the statement was sent to, and the paths that were asked before.
fn used(server: &Server) -> (String, Vec<String>) {
    let mut sent: Vec<Arc<Request>> = server.sent();
    let statement = sent.iter().position(|request| request.method == "POST").unwrap();
    let body: serde_json::Value = serde_json::from_str(&sent[statement].text()).unwrap();
    sent.truncate(statement);
    let mut paths: Vec<_> = sent.iter().map(|request| request.path().to_owned()).collect();
    paths.sort();
    (body["warehouse_id"].as_str().unwrap().to_owned(), paths)
}

#[test]
fn the_warehouse_is_the_first_of_five_sources() {
    let profile = |server: &Server| {
        format!("[p]\nhost = {}\ntoken = dapi-1\nwarehouse_id = 00000000000000cc\n", server.url())
    };
    let all = [LIST, OF_USER, OF_WORKSPACE];
    for (arguments, variable, in_profile, of_user, of_workspace, expected, asked) in [
        (ID, true, true, Some("a"), Some("b"), ID, &[][..]),
        ("/sql/1.0/warehouses/00000000000000aa", true, true, Some("a"), Some("b"), ID, &[]),
        ("two", true, true, Some("a"), None, "b", &[LIST]),
        ("", true, false, Some("a"), Some("b"), "00000000000000bb", &[]),
        ("", false, true, Some("a"), Some("b"), "00000000000000cc", &[]),
        ("", false, false, Some("a"), Some("b"), "a", &all),
        ("", false, false, None, Some("b"), "b", &all),
    ] {
        let server = server(of_user, of_workspace);
        let mut brick = server.brick("sql -q").file(".databrickscfg", profile(&server));
        if !arguments.is_empty() {
            brick = brick.arg("-w").arg(arguments);
        }
        if variable {
            brick = brick.env("DATABRICKS_WAREHOUSE_ID", "00000000000000bb");
        }
        if in_profile {
            brick = brick.env("DATABRICKS_CONFIG_PROFILE", "p");
            brick = brick.without_env("DATABRICKS_HOST").without_env("DATABRICKS_TOKEN");
        }
        brick.arg("SELECT 1").run().done();
        let (warehouse, mut paths) = used(&server);
        paths.dedup();
        let mut asked: Vec<_> = asked.to_vec();
        asked.sort_unstable();
        assert_eq!((warehouse.as_str(), paths), (expected, asked.iter().map(|p| (*p).to_owned()).collect()));
    }
}

#[test]
fn without_a_default_nothing_runs_and_the_list_is_shown() {
    let server = server(None, None);
    let ran = server.brick("sql -o json").arg("SELECT 1").run();
    let error = ran.fails(3, &["2 are visible: a (one, RUNNING), b (two, RUNNING)"]).json_error();
    assert_eq!((&error["kind"], &error["next"]), (&json!("configuration"), &json!("brick configure")));
    assert!(error["hint"].as_str().unwrap().contains("brick configure"), "{error}");
    assert!(server.sent().iter().all(|request| request.method == "GET"));
}

#[cfg(unix)]
#[test]
fn on_a_terminal_the_default_is_named_with_its_reason() {
    use crate::terminal::on_terminal;
    let line = "using warehouse one (a), your default";
    let run = |streams: &str| {
        let server = server(Some("a"), Some("b"));
        let brick = on_terminal(streams, server.brick("sql").arg("SELECT 1"));
        brick.without_env("DATABRICKS_WAREHOUSE_ID").run().done().stderr
    };
    assert!(run("2").contains(line));
    assert!(!run("0").contains("using warehouse"));
}

#[test]
fn the_cluster_is_the_first_of_three_sources_and_never_serverless() {
    let server = Server::routing(|_, path| match path {
        "/api/2.1/clusters/get" => Some(json!({ "cluster_id": "x", "state": "RUNNING" }).to_string()),
        _ => None,
    });
    let profile = format!("[p]\nhost = {}\ntoken = dapi-1\ncluster_id = 0101-000000-profile\n", server.url());
    let from_profile = |arguments: &str| {
        let brick = server.brick(arguments).file(".databrickscfg", &profile);
        brick
            .without_env("DATABRICKS_HOST")
            .without_env("DATABRICKS_TOKEN")
            .env("DATABRICKS_CONFIG_PROFILE", "p")
    };
    let variable =
        |arguments: &str| server.brick(arguments).env("DATABRICKS_CLUSTER_ID", "0101-000000-variable");
    for (brick, expected) in [
        (variable("clusters get 0101-000000-argument"), "0101-000000-argument"),
        (variable("clusters get"), "0101-000000-variable"),
        (from_profile("clusters get"), "0101-000000-profile"),
    ] {
        // The answer is about another cluster, which is an error; only what was asked for matters here.
        drop(brick.run());
        let asked = server.sent().last().unwrap().target.clone();
        assert!(asked.ends_with(&format!("cluster_id={expected}")), "{asked}");
    }
    let before = server.sent().len();
    let serverless = server.brick("run").arg("print(1)").env("DATABRICKS_SERVERLESS_COMPUTE_ID", "auto");
    serverless
        .run()
        .fails(3, &["need a classic cluster", "only serverless compute is configured", "--cluster"]);
    server.brick("run").arg("print(1)").run().fails(3, &["no cluster given", "DATABRICKS_CLUSTER_ID"]);
    assert_eq!(server.sent().len(), before, "nothing was sent");
}

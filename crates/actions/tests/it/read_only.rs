//! A read-only workspace: what it sends, and what it never sends.

use brickwire_actions::{
    Config, Environment, ErrorKind, PreviewLimits, RawRequest, Workspace, reference::Reference, types,
};
use brickwire_testserver::{Response, Server};
use serde_json::{Map, json};

/// A service that answers everything with an empty object, and a workspace on it.
fn workspace(server: &Server) -> Workspace {
    let builder =
        Workspace::builder().environment(Environment::default()).host(&server.url()).token("dapi-1");
    builder.with_read_only(true).build().unwrap()
}

fn anything() -> Server {
    Server::start(|_| Response::json("{\"a\":1}"))
}

/// All requests but GET and HEAD, as `METHOD /path`.
fn changes(server: &Server) -> Vec<String> {
    let requests = server.requests();
    let others = requests.iter().filter(|request| !matches!(request.method.as_str(), "GET" | "HEAD"));
    others.map(|request| format!("{} {}", request.method, request.path())).collect()
}

/// No operation can be forgotten: those that pass and are no GET are listed here.
#[tokio::test]
async fn of_all_operations_only_those_that_read_are_sent() {
    const PASS: [&str; 8] = [
        "clusters_events",
        "experiments_search",
        "experiments_search_runs",
        "registry_get_latest_versions",
        "statements_cancel",
        "vector_search_indexes_query",
        "vector_search_indexes_query_next_page",
        "vector_search_indexes_scan",
    ];
    let server = anything();
    let workspace = workspace(&server);
    let mut refused = 0;
    for operation in Reference::all() {
        let (id, method) = (operation.info.operation_id, operation.info.method);
        let before = server.requests().len();
        let sent = workspace.client().call(&operation.info).send_raw().await;
        let passes = matches!(method, "GET" | "HEAD") || PASS.contains(&id);
        assert_eq!(server.requests().len() - before, usize::from(passes), "{id}");
        match sent {
            Ok(_) => assert!(passes, "{id}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ReadOnly, "{id}: {error}");
                assert_eq!((error.operation(), error.attempts()), (Some(id), 0));
                refused += 1;
            }
        }
    }
    assert!(refused > 100, "{refused}");
    assert_eq!(changes(&server).len(), PASS.len());
}

#[tokio::test]
async fn raw_requests_are_refused_by_their_method_unless_their_operation_reads() {
    let server = anything();
    let workspace = workspace(&server);
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "LINK", "UNLINK", "PURGE"] {
        let error = workspace.raw(&RawRequest::new(method, "/2.0/clusters/list")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{method}");
    }
    let disguised = RawRequest::new("GET", "/2.0/x").with_header("X-HTTP-Method-Override", "DELETE");
    assert_eq!(workspace.raw(&disguised).await.unwrap_err().kind(), ErrorKind::ReadOnly);
    assert!(server.requests().is_empty());
    workspace.raw(&RawRequest::new("GET", "/2.0/clusters/list")).await.unwrap();
    let events = Map::from_iter([("cluster_id".to_owned(), "c".into())]);
    workspace.raw(&RawRequest::operation("clusters_events", events).unwrap()).await.unwrap();
    let delete = Map::from_iter([("cluster_id".to_owned(), "c".into())]);
    let error = workspace.raw(&RawRequest::operation("clusters_delete", delete).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    assert_eq!(changes(&server), ["POST /api/2.1/clusters/events"]);
}

/// A statement that has ended, with one row.
fn ended(truncated: bool) -> Response {
    let columns = json!([{ "name": "one", "type_text": "INT", "position": 0 }]);
    Response::json(
        json!({
            "statement_id": "01f0",
            "status": { "state": "SUCCEEDED" },
            "manifest": { "format": "JSON_ARRAY", "schema": { "column_count": 1, "columns": columns },
                "total_row_count": 1, "total_chunk_count": 1, "truncated": truncated },
            "result": { "chunk_index": 0, "row_count": 1, "row_offset": 0, "data_array": [["1"]] },
        })
        .to_string(),
    )
}

#[tokio::test]
async fn a_statement_is_sent_only_if_it_reads() {
    let server = Server::start(|_| ended(false));
    let read_only = workspace(&server);
    let sql = read_only.sql("w");
    for text in ["DROP TABLE t", "WITH a AS (SELECT 1) INSERT INTO t SELECT 1", "SELECT 'x", "CALL p()"] {
        assert_eq!(sql.statement(text).execute().await.unwrap_err().kind(), ErrorKind::ReadOnly, "{text}");
        assert_eq!(sql.statement(text).submit().await.unwrap_err().kind(), ErrorKind::ReadOnly, "{text}");
    }
    // The generated client doesn't know the guard, so it sends no statement at all.
    let request = types::ExecuteStatementRequest { statement: "SELECT 1".to_owned(), ..Default::default() };
    let error = read_only.client().statements_execute(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    assert!(server.requests().is_empty());
    assert_eq!(sql.statement("SELECT 1").execute().await.unwrap().collect().await.unwrap().len(), 1);
    sql.statement("SHOW TABLES").submit().await.unwrap();
    read_only.statements().cancel("01f0").await.unwrap();
    assert_eq!(server.requests().len(), 3);
    // A clone can be made read-only, and stays so.
    let all = Workspace::builder().environment(Environment::default()).host(&server.url()).token("dapi-1");
    let all = all.build().unwrap();
    assert!(!all.is_read_only() && all.as_read_only().with_debug(true).is_read_only());
    all.sql("w").statement("DROP TABLE t").execute().await.unwrap();
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_token_is_fetched_for_what_reads_and_for_nothing_else() {
    let server = Server::start(|request| match request.path().ends_with("/token") {
        true => Response::json("{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"expires_in\":3600}"),
        false => Response::json("{\"id\":\"1\"}"),
    });
    let token_url = format!("{}/oidc/v1/token", server.url());
    let builder = Workspace::builder().environment(Environment::default()).host(&server.url());
    let workspace = builder.oauth("id", "secret").token_url(&token_url).with_read_only(true).build().unwrap();
    let error = workspace.raw(&RawRequest::new("POST", "/2.0/x")).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::ReadOnly, 0));
    workspace.raw(&RawRequest::new("GET", "/2.0/x")).await.unwrap();
    assert_eq!(changes(&server), ["POST /oidc/v1/token"]);
}

/// A preview asks for as much as it needs, in one request, and leaves a result that it doesn't read to its end alone.
#[tokio::test]
async fn a_preview_takes_one_request() {
    let server = Server::start(|_| ended(true));
    let limits = PreviewLimits::default();
    let statement = workspace(&server).sql("w").statement("SELECT 1 AS one").with_preview(limits);
    let preview = statement.execute().await.unwrap().preview(limits).await.unwrap();
    assert_eq!(preview.to_string(), "one:INT\n1\n# rows=1 of=1+ complete=no\n");
    let body: serde_json::Value = serde_json::from_slice(&server.only().body).unwrap();
    assert_eq!((&body["row_limit"], &body["byte_limit"]), (&json!(1000), &json!(4 << 20)));
    assert_eq!(body["disposition"], "INLINE");
    let few =
        workspace(&server).sql("w").statement("SELECT 1").with_row_limit(5).with_preview(limits.with_rows(0));
    let result = few.execute().await.unwrap();
    assert_eq!(result.preview(limits.with_rows(0)).await.unwrap().rows(), 0);
    let requests = server.requests();
    let body: serde_json::Value = serde_json::from_slice(&requests[1].body).unwrap();
    assert_eq!((requests.len(), &body["row_limit"]), (2, &json!(5)));
}

#[test]
fn the_setting_is_on_if_any_source_turns_it_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("databrickscfg");
    let write = |read_only: &str| {
        let text =
            format!("[p]\nhost = https://x.cloud.databricks.com\ntoken = dapi-1\nread_only = {read_only}\n");
        std::fs::write(&file, text).unwrap();
    };
    let config = |variable: &str, given: &str| {
        let environment = Environment::new([
            ("DATABRICKS_CONFIG_FILE", file.to_str().unwrap()),
            ("BRICK_READ_ONLY", variable),
        ]);
        Config::builder().environment(environment).profile("p").with("read_only", given).resolve()
    };
    for (profile, variable, given, expected) in [
        ("true", "", "", true),
        ("false", "", "", false),
        ("false", "1", "", true),
        ("true", "0", "", true),
        ("true", "", "false", true),
        ("", "", "true", true),
        ("false", "0", "false", false),
    ] {
        write(profile);
        let config = config(variable, given).unwrap();
        assert_eq!(config.is_read_only(), expected, "{profile} {variable} {given}");
        assert_eq!(Workspace::builder().config(&config).build().unwrap().is_read_only(), expected);
    }
    write("yes");
    let error = config("", "").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().starts_with("read_only must be true or false"), "{error}");
    write("false");
    assert!(config("on", "").is_err());
}

//! The connector's actions and data sources against ours.
//!
//! Differences that hold everywhere: clusters are asked for by API 2.1, which has pages; a query's order is ours; JSON
//! may be all that is accepted; a request without a body has no Content-Type; a statement is submitted with a wait of
//! its own, so that a short one needs no poll, and says how its result is to travel; SQL parameters are text.

use std::{sync::Arc, time::Duration};

use brickwire_actions::{
    Change, Command, Connection, Error, ErrorKind, List, Parameter, ServicePrincipal, Workspace,
};
use brickwire_testserver::Request;
use serde_json::{Value, json};

use crate::{
    log::Log,
    raw_vectors,
    scripted_server::{Recorded, ScriptedServer},
    vector,
};

use ErrorKind::{DeadlineExceeded, PermissionDenied, RemoteFailed, UnexpectedResponse, Usage};
use Outcome::{AsExpected, Fails, Gives};

/// What comes of an action.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    AsExpected,
    Gives(&'static str),
    Fails(ErrorKind, &'static str),
}

/// A vector, the requests if they are not those expected, the outcome, and why. A path that ends in `*` stands for one
/// request or more.
type Row = (&'static str, Option<&'static [&'static str]>, Outcome, &'static str);

const SUBMIT: &str = "POST /api/2.0/sql/statements";
const POLL: &str = "GET /api/2.0/sql/statements/st1";
const POLLS: &str = "GET /api/2.0/sql/statements/st1*";
const CANCEL: &str = "POST /api/2.0/sql/statements/st1/cancel";
const ONE_ROW: &str = r#"{"statement_id": "st1", "status": {"state": "SUCCEEDED"},
    "manifest": {"total_chunk_count": 1, "total_row_count": 1}, "result": {"chunk_index": 0, "data_array": [["1"]]}}"#;

/// Where we differ on purpose.
const DIFFERENCES: &[Row] = &[
    (
        "get_cluster/bigint",
        None,
        Gives(r#"{"cluster_id": "x", "spark_context_id": 4020997813441462307}"#),
        "integers stay exact",
    ),
    (
        "list_clusters/next_page_token_ignored",
        Some(&["GET /api/2.1/clusters/list", "GET /api/2.1/clusters/list?page_token=p2"]),
        Fails(UnexpectedResponse, "same page token twice"),
        "pages are followed; this script's second page repeats itself, which is no list's end",
    ),
    ("list_node_types/none", None, Gives("[]"), "an empty list is a list"),
    (
        "get_warehouse/path_injection",
        Some(&["GET /api/2.0/sql/warehouses/..%2F..%2F2.1%2Fjobs%2Flist%3Flimit%3D1%23"]),
        Gives("{}"),
        "an id is one segment of a path",
    ),
    ("get_warehouse/empty_id", Some(&[]), Fails(Usage, "is empty"), "it would be the list"),
    (
        "start_warehouse",
        Some(&["GET /api/2.0/sql/warehouses/w", "POST /api/2.0/sql/warehouses/w/start"]),
        AsExpected,
        "whether it runs already is said",
    ),
    (
        "stop_warehouse",
        Some(&["GET /api/2.0/sql/warehouses/w", "POST /api/2.0/sql/warehouses/w/stop"]),
        AsExpected,
        "whether it is stopped already is said",
    ),
    ("run_sql/parameters_bad_json", Some(&[]), Fails(Usage, "the SQL parameters"), "checked before sending"),
    ("run_sql/failed", None, Fails(RemoteFailed, "[PARSE_SYNTAX_ERROR] x"), "the service's own words"),
    ("run_sql/canceled", None, Fails(RemoteFailed, "was canceled"), "likewise"),
    (
        "run_sql/closed",
        None,
        Fails(RemoteFailed, "no longer available"),
        "it succeeded, and the rows are gone",
    ),
    (
        "run_sql/unknown_state",
        Some(&[SUBMIT, POLLS, CANCEL, POLLS]),
        Fails(DeadlineExceeded, "timed out after"),
        "a new state is one on the way",
    ),
    (
        "run_sql/never_ends",
        Some(&[SUBMIT, POLLS, CANCEL, POLLS]),
        Fails(DeadlineExceeded, "timed out after"),
        "there is a deadline, and then a cancellation",
    ),
    (
        "run_sql/poll_hangs",
        Some(&[SUBMIT, POLL, CANCEL]),
        Fails(DeadlineExceeded, "timed out after"),
        "likewise",
    ),
    ("run_sql/submit_429", Some(&[SUBMIT, SUBMIT]), Gives(ONE_ROW), "it was not executed"),
    ("run_sql/poll_503", Some(&[SUBMIT, POLL, POLL]), Gives(ONE_ROW), "a poll is repeated"),
    ("run_sql/poll_reset", Some(&[SUBMIT, POLL, POLL]), Gives(ONE_ROW), "likewise"),
    (
        "run_sql/poll_404_lag",
        Some(&[SUBMIT, POLL, POLL]),
        Gives(ONE_ROW),
        "a new statement may not be known yet",
    ),
    (
        "run_sql/poll_html_login",
        Some(&[SUBMIT, POLL, CANCEL]),
        Fails(UnexpectedResponse, "an HTML page came instead of JSON"),
        "it is said what came, and the statement does not go on unseen",
    ),
    ("raw/api_prefix_doubled", Some(&["GET /api/2.0/clusters/list"]), AsExpected, "/api/api/ is never meant"),
    (
        "raw/absolute_foreign_host",
        Some(&[]),
        Fails(Usage, "to another host"),
        "the token would go to any host",
    ),
    (
        "error/403",
        None,
        Fails(PermissionDenied, "PERMISSION_DENIED: no (HTTP 403)"),
        "code and message are said",
    ),
    (
        "error/pat_token_with_newline",
        Some(&["GET /api/2.0/preview/scim/v2/Me"]),
        AsExpected,
        "a pasted token is trimmed",
    ),
    ("select_cluster/none", None, Gives("[]"), "a list to choose from is the list; none is not an error"),
    ("select_node_type", None, Gives(r#"[{"node_type_id": "t", "description": "d"}]"#), "likewise"),
    ("select_warehouse", None, Gives(r#"[{"id": "w", "name": "n"}]"#), "likewise"),
    ("select_warehouse/none", None, Gives("[]"), "likewise"),
];

#[tokio::test]
async fn all_vectors() {
    let file: Value = serde_json::from_str(include_str!("../vectors/connector.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    for (name, ..) in DIFFERENCES {
        assert!(vectors.iter().any(|vector| vector["name"] == *name), "no such vector: {name}");
    }
    let log = Log::start();
    let (mut failures, mut shown) = (Vec::new(), String::new());
    for vector in vectors {
        if let Err(wrong) = run(vector, &mut shown).await {
            failures.push(format!("{}: {wrong}", vector["name"]));
        }
    }
    println!(
        "connector: {} of {} vectors met, {} of them differing on purpose",
        vectors.len() - failures.len(),
        vectors.len(),
        DIFFERENCES.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let logged = log.text();
    assert!(logged.contains("authorization: ***"), "debug is on");
    for secret in ["dapi-SECRET", "Bearer", "Basic", "TOKEN-AT", "CLIENT-S3"] {
        assert!(!logged.contains(secret), "{secret} was logged");
        assert!(!shown.contains(secret), "{secret} is in an error");
    }
}

async fn run(vector: &Value, shown: &mut String) -> Result<(), String> {
    let server = ScriptedServer::start();
    let mut vector = server.fill_in(vector);
    let name = vector["name"].as_str().unwrap().to_owned();
    let row = DIFFERENCES.iter().find(|(known, ..)| *known == name);
    let (lines, expected) = row.map_or((None, AsExpected), |(_, lines, outcome, _)| (*lines, *outcome));
    let is_principal = vector["connection"]["fields"]["tokenUrl"].is_string();
    if is_principal {
        // The connector's platform fetches the token; we do.
        let token = json!({"body": {"access_token": "TOKEN-AT", "expires_in": 3600, "token_type": "Bearer"}});
        vector["server_script"].as_array_mut().unwrap().insert(0, token);
    }
    server.play(&vector["server_script"]);
    let outcome = act(&vector).await;
    if let Err(error) = &outcome {
        shown.push_str(&vector::everything_shown(error));
    }
    if lines.is_some_and(|lines| lines.last() == Some(&CANCEL)) {
        let is_cancel = |request: &Arc<Request>| request.path().ends_with("/cancel");
        server.log().until(|requests| requests.iter().any(is_cancel)).await;
    }
    let mut sent = server.requests();
    if is_principal {
        check_token_request(&sent.remove(0))?;
    }
    let authorization = if is_principal { "Bearer TOKEN-AT" } else { "Bearer dapi-SECRET" };
    if let Some(wrong) = sent.iter().find(|request| request.header("authorization") != Some(authorization)) {
        return Err(format!("authorization: {:?}", wrong.headers));
    }
    match lines {
        Some(lines) => check_lines(&sent, lines)?,
        None => check_requests(sent, &vector)?,
    }
    check_outcome(&vector, outcome, expected)
}

fn connection(vector: &Value) -> Result<Connection, Error> {
    let fields = &vector["connection"]["fields"];
    match fields["tokenUrl"].as_str() {
        Some(url) => Connection::service_principal(ServicePrincipal::new(url, "c", "CLIENT-S3")?),
        None => Connection::token(fields["host"].as_str().unwrap(), fields["apiKey"].as_str().unwrap()),
    }
}

/// Does what the vector's action does, and gives what it gives.
async fn act(vector: &Value) -> Result<Value, Error> {
    let workspace = Workspace::builder().connection(connection(vector)?).with_debug(true).build()?;
    let itself = format!("{workspace:?}");
    assert!(!itself.contains("SECRET") && !itself.contains("CLIENT-S3"), "{itself}");
    let parameters = &vector["params"];
    let of = |name: &str| parameters[name].as_str().unwrap_or_default();
    let json = |raw: &[u8]| serde_json::from_slice(raw).unwrap();
    let (clusters, warehouses) = (workspace.clusters(), workspace.warehouses());
    Ok(match vector["action"].as_str().unwrap() {
        "getCluster" => json(clusters.get(of("clusterId")).await?.raw()),
        "listClusters" | "selectCluster" => items(&clusters.list().await?),
        "listNodeTypes" | "selectNodeType" => items(&clusters.list_node_types().await?),
        "getCommandStatus" => {
            let command = Command {
                cluster_id: of("clusterId").to_owned(),
                context_id: of("contextId").to_owned(),
                command_id: of("commandId").to_owned(),
            };
            json(workspace.commands().status(&command).await?.raw())
        }
        "listWarehouses" | "selectWarehouse" => items(&warehouses.list().await?),
        "getWarehouse" => json(warehouses.get(of("warehouseId")).await?.raw()),
        "startWarehouse" => changed(warehouses.start(of("warehouseId")).await?, "Warehouse started"),
        "stopWarehouse" => changed(warehouses.stop(of("warehouseId")).await?, "Warehouse stopped"),
        "getCurrentUser" => json(workspace.users().me().await?.raw()),
        "runSql" => json(run_sql(&workspace, vector).await?.as_ref()),
        "rawRequest" => workspace.raw(&raw_vectors::request(parameters)?).await?.json()?,
        other => panic!("no such action: {other}"),
    })
}

async fn run_sql(workspace: &Workspace, vector: &Value) -> Result<bytes::Bytes, Error> {
    let parameters = &vector["params"];
    let list = match &parameters["sqlParameters"] {
        Value::Null => Vec::new(),
        Value::String(text) => Parameter::from_json(text)?,
        list => Parameter::from_json(&list.to_string())?,
    };
    let text = parameters["sqlStatement"].as_str().unwrap();
    let sql = workspace.sql(parameters["warehouseId"].as_str().unwrap());
    let mut statement = sql.statement(text).with_parameters(list);
    // Those that never end.
    if ["unknown_state", "never_ends", "poll_hangs"]
        .iter()
        .any(|end| vector["name"].as_str().unwrap().ends_with(end))
    {
        statement = statement.with_deadline(Duration::from_secs(2));
    }
    let result = statement.execute().await?;
    let raw = result.raw().clone();
    // The vectors' answers are shortened: their rows have no schema, so they can't be read.
    let unread = result.collect().await.unwrap_err();
    assert!(unread.kind() == UnexpectedResponse && unread.to_string().contains("schema"), "{unread}");
    Ok(raw)
}

fn items<T>(list: &List<T>) -> Value {
    list.raw().iter().map(|item| serde_json::from_str::<Value>(item.get()).unwrap()).collect()
}

fn changed(change: Change, said: &str) -> Value {
    assert_eq!(change, Change::Requested);
    said.into()
}

fn check_token_request(sent: &Recorded) -> Result<(), String> {
    let is_fine = sent.path == "/oidc/v1/token"
        && sent.body == b"grant_type=client_credentials&scope=all-apis"
        // c:CLIENT-S3
        && sent.header("authorization") == Some("Basic YzpDTElFTlQtUzM=");
    if is_fine { Ok(()) } else { Err(format!("token request: {sent:?}")) }
}

fn check_lines(sent: &[Recorded], lines: &[&str]) -> Result<(), String> {
    let mut sent = sent.iter().map(|request| match request.query.as_str() {
        "" => format!("{} {}", request.method, request.path),
        query => format!("{} {}?{query}", request.method, request.path),
    });
    let wrong = |line: &str, got: Option<String>| Err(format!("expected {line}, sent {got:?}"));
    let mut next = sent.next();
    for line in lines {
        let many = line.strip_suffix('*');
        if next.as_deref() != Some(many.unwrap_or(line)) {
            return wrong(line, next);
        }
        next = sent.next();
        while many.is_some() && next.as_deref() == many {
            next = sent.next();
        }
    }
    if next.is_some() { wrong("no more", next) } else { Ok(()) }
}

/// The requests as the vector has them, after the differences that hold everywhere.
fn check_requests(mut sent: Vec<Recorded>, vector: &Value) -> Result<(), String> {
    let sorted = |query: &str| {
        let mut pairs: Vec<_> = query.split('&').collect();
        pairs.sort_unstable();
        pairs.join("&")
    };
    let mut expected = vector["expect_requests"].as_array().unwrap().clone();
    let is_raw = vector["action"] == "rawRequest";
    for request in expected.iter_mut().filter(|_| !is_raw) {
        let path = request["path"].as_str().unwrap().replace("/api/2.0/clusters/", "/api/2.1/clusters/");
        request["path"] = path.into();
        request["query"] = sorted(request["query"].as_str().unwrap()).into();
        if let Some(body) = request["body"].as_str() {
            let mut body: Value = serde_json::from_str(body).unwrap();
            for parameter in body.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
                if parameter["value"].is_number() {
                    parameter["value"] = parameter["value"].to_string().into();
                }
            }
            request["body"] = comparable(body).into();
        }
        if let Some(headers) = request["headers_subset"].as_object_mut() {
            headers.remove("content-length");
            headers.remove("accept");
            // Ours come with the token that was just fetched.
            headers.remove("authorization");
        }
    }
    for request in sent.iter_mut().filter(|_| !is_raw) {
        assert!(request.header("accept").is_some_and(|accept| accept.starts_with("application/json")));
        request.query = sorted(&request.query);
        request.headers.retain(|(name, _)| name != "authorization");
        if !request.body.is_empty() {
            request.body = comparable(serde_json::from_slice(&request.body).unwrap()).into_bytes();
        }
    }
    vector::check_requests(&sent, &expected)
}

/// What a submission of ours says beyond the connector's: how long the service waits, and how the result travels.
const OURS_ALONE: [&str; 4] = ["wait_timeout", "on_wait_timeout", "disposition", "format"];

/// A body in one order of keys, as the connector has it.
fn comparable(mut body: Value) -> String {
    assert!(matches!(body.get("format").and_then(Value::as_str), None | Some("JSON_ARRAY")), "{body}");
    if let Some(map) = body.as_object_mut() {
        map.retain(|key, _| !OURS_ALONE.contains(&key.as_str()));
    }
    body.sort_all_objects();
    body.to_string()
}

fn check_outcome(vector: &Value, outcome: Result<Value, Error>, ours: Outcome) -> Result<(), String> {
    let expected = &vector["expect_result"];
    let wanted = match ours {
        Fails(kind, text) => {
            let error = outcome.expect_err("a failure");
            return vector::check_our_error(&error, kind, text);
        }
        Gives(json) => serde_json::from_str(json).unwrap(),
        AsExpected if expected["ok"] == true => expected["value"].clone(),
        AsExpected => {
            let error = outcome.expect_err("a failure");
            let is_repeatable = vector["params"]["method"] != "POST";
            return vector::check_error(&error, &expected["error"], is_repeatable);
        }
    };
    match outcome {
        Ok(value) if value == wanted => Ok(()),
        outcome => Err(format!("expected {wanted}, got {outcome:?}")),
    }
}

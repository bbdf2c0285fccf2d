//! `brick mcp`, driven over pipes as a client does it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use brickwire_sandbox::seed::{RUNNING_CLUSTER, STOPPED_WAREHOUSE};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{program::Brick, workspace::Workspace};

/// No answer takes longer.
const LIMIT: Duration = Duration::from_secs(120);

const STATEMENTS: &str = "/api/2.0/sql/statements";
/// The paths of one statement, such as its cancellation.
const STATEMENT: &str = "/api/2.0/sql/statements/";

/// A running server, and the last id of a request.
struct Session {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: Receiver<String>,
    id: u64,
    _home: TempDir,
}

impl Session {
    /// Starts a server without a word to it.
    fn start(brick: Brick) -> Self {
        let (mut command, home) = brick.stdin("").into_command();
        let mut child = command.spawn().unwrap();
        let (give, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| give.send(line)));
        let (give, stderr) = mpsc::channel();
        let mut pipe = child.stderr.take().unwrap();
        thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).unwrap();
            drop(give.send(text));
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines, stderr, id: 0, _home: home }
    }

    /// Starts a server and initializes it in the way of the versions before 2026-07-28.
    fn initialized(brick: Brick) -> Self {
        let mut session = Self::start(brick);
        let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "0" } });
        let answer = session.request("initialize", params);
        assert_eq!(answer["protocolVersion"], "2025-06-18", "{answer}");
        session.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        session
    }

    fn of(workspace: &Workspace, options: &str) -> Self {
        Self::initialized(workspace.brick(&format!("mcp {options}")))
    }

    fn send_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    fn send(&mut self, message: &Value) {
        self.send_line(&message.to_string());
    }

    /// The next line of stdout, which is a message.
    fn next(&self) -> Value {
        let line = self.lines.recv_timeout(LIMIT).expect("an answer");
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    /// Sends a request. Returns its id.
    fn begin(&mut self, method: &str, params: Value) -> u64 {
        self.id += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": self.id, "method": method, "params": params }));
        self.id
    }

    /// The answer to a request.
    fn answer(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params);
        let answer = self.next();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    #[track_caller]
    fn request(&mut self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, params);
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    }

    /// The text of a call, and whether it is an error.
    fn tried(&mut self, tool: &str, arguments: Value) -> (bool, String) {
        let result = self.request("tools/call", json!({ "name": tool, "arguments": arguments }));
        let text = result["content"][0]["text"].as_str().unwrap().to_owned();
        assert_eq!(result["content"].as_array().unwrap().len(), 1);
        assert!(result.get("structuredContent").is_none(), "hosts would pay twice: {result}");
        (result["isError"] == true, text)
    }

    #[track_caller]
    fn call(&mut self, tool: &str, arguments: Value) -> String {
        let (is_error, text) = self.tried(tool, arguments);
        assert!(!is_error, "{text}");
        text
    }

    /// The error of a call, as docs/errors.md has it.
    #[track_caller]
    fn fails(&mut self, tool: &str, arguments: Value) -> Value {
        let (is_error, text) = self.tried(tool, arguments);
        assert!(is_error, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()["error"].clone()
    }

    /// Closes stdin. Returns what was left on stdout, and stderr, once the server has ended well.
    #[track_caller]
    fn end(mut self) -> (Vec<String>, String) {
        drop(self.stdin.take());
        let stderr = self.stderr.recv_timeout(LIMIT).expect("the server ends");
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        (self.lines.iter().collect(), stderr)
    }
}

#[test]
fn a_query_is_answered_in_the_former_protocol() {
    let workspace = Workspace::fresh();
    let mut session = Session::of(&workspace, "");
    let tools = session.request("tools/list", json!({}));
    let names: Vec<_> =
        tools["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["sql_query", "describe", "list", "statement"]);
    assert_eq!(tools["tools"][0]["annotations"]["readOnlyHint"], true);
    let sql = "SELECT :n + 1 AS n, :day AS day, NULL AS nothing, 'a\tb' AS text";
    let params = json!({ "n": 41, "day": { "type": "DATE", "value": "2024-01-31" } });
    let text = session.call("sql_query", json!({ "sql": sql, "params": params }));
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[..2],
        ["n:INT\tday:DATE\tnothing:VOID\ttext:STRING", "42\t2024-01-31\t\\N\ta\\tb"],
        "{text}"
    );
    assert!(lines[2].starts_with("# rows=1 of=1 complete=yes statement=") && lines.len() == 3, "{text}");
    let (rest, stderr) = session.end();
    assert_eq!((rest, stderr.as_str()), (vec![], ""));
    // One statement, which could be canceled at once, and was not canceled when the server ended.
    let sent = workspace.requests("POST", STATEMENTS);
    assert_eq!((sent.len(), &sent[0].body.as_ref().unwrap()["wait_timeout"]), (1, &json!("0s")));
}

#[test]
fn the_present_protocol_needs_no_handshake() {
    let workspace = Workspace::fresh();
    let mut session = Session::start(workspace.brick("mcp"));
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "t", "version": "0" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let found = session.request("server/discover", json!({ "_meta": meta }));
    assert!(found["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")), "{found}");
    assert!(found["supportedVersions"].as_array().unwrap().contains(&json!("2025-06-18")), "{found}");
    let tools = session.request("tools/list", json!({ "_meta": meta }));
    assert_eq!(tools["tools"].as_array().unwrap().len(), 4);
    let result = session.request(
        "tools/call",
        json!({ "name": "sql_query", "arguments": { "sql": "SELECT 1 AS one" }, "_meta": meta }),
    );
    assert_eq!(result["resultType"], "complete");
    assert!(result["content"][0]["text"].as_str().unwrap().starts_with("one:INT\n1\n# rows=1"), "{result}");
    session.end();
}

#[test]
fn the_list_of_all_tools_is_small() {
    let mut session = Session::initialized(Brick::new("mcp --allow-writes --allow-code --allow-compute"));
    let answer = session.answer("tools/list", json!({}));
    assert_eq!(answer["result"]["tools"].as_array().unwrap().len(), 7);
    let bytes = answer.to_string().len();
    assert!(bytes <= 8000, "{bytes}");
    session.end();
}

#[test]
fn a_query_that_writes_is_never_sent() {
    let workspace = Workspace::fresh();
    let mut session = Session::of(&workspace, "--allow-writes");
    for sql in [
        "DROP TABLE main.default.t",
        "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
        "CALL p()",
        "BEGIN DELETE FROM t; END",
        "SET x = 1",
        "/* SELECT */ MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE",
    ] {
        let error = session.fails("sql_query", json!({ "sql": sql }));
        assert_eq!((&error["kind"], &error["exit_code"]), (&json!("read_only"), &json!(3)), "{sql}: {error}");
    }
    let error = session.fails("sql_query", json!({ "sql": "SELECT 1; DROP TABLE t" }));
    assert_eq!(error["kind"], "usage", "{error}");
    assert!(error["hint"].is_string());
    assert!(workspace.requests("POST", STATEMENTS).is_empty());
    session.end();
}

#[test]
fn what_is_not_allowed_is_not_there() {
    let workspace = Workspace::fresh();
    let mut session = Session::of(&workspace, "");
    for tool in ["sql_execute", "run_code", "compute", "nonsense"] {
        let answer =
            session.answer("tools/call", json!({ "name": tool, "arguments": { "sql": "DROP TABLE t" } }));
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    assert!(workspace.requests("POST", "/").is_empty());
    session.end();
}

#[test]
fn read_only_mode_is_stronger_than_what_is_allowed() {
    let workspace = Workspace::fresh();
    let mut session = Session::of(&workspace, "--read-only --allow-writes --allow-code --allow-compute");
    for (tool, arguments) in [
        ("sql_execute", json!({ "sql": "CREATE TABLE main.default.t (n INT)" })),
        ("run_code", json!({ "code": "1", "cluster": RUNNING_CLUSTER })),
        ("compute", json!({ "kind": "warehouse", "id": STOPPED_WAREHOUSE, "action": "start" })),
    ] {
        let error = session.fails(tool, arguments);
        assert_eq!(error["kind"], "read_only", "{tool}: {error}");
    }
    assert!(session.call("sql_query", json!({ "sql": "SELECT 1 AS one" })).starts_with("one:INT\n1\n"));
    assert_eq!(workspace.requests("POST", "/").len(), 1);
    session.end();
}

#[test]
fn wrong_arguments_are_errors_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    let mut session = Session::of(&workspace, "");
    for (tool, arguments, words) in [
        ("sql_query", json!({}), "missing field `sql`"),
        ("sql_query", json!({ "sql": "SELECT 1", "limit": 5 }), "unknown field `limit`"),
        (
            "sql_query",
            json!({ "sql": "SELECT 1", "max_rows": 1001 }),
            "max_rows must be from 1 to 1000: 1001",
        ),
        ("sql_query", json!({ "sql": "SELECT 1", "timeout_s": 0 }), "timeout_s must be from 1"),
        ("sql_query", json!({ "sql": "SELECT 1", "max_rows": -1 }), "invalid arguments"),
        ("sql_query", json!({ "sql": " -- nothing" }), "the statement is empty"),
        ("sql_query", json!({ "sql": "SELECT :a", "params": { "a": [1] } }), "parameter a is not"),
        ("sql_query", json!({ "sql": "SELECT :a" }), "a"),
        ("describe", json!({ "tables": [] }), "tables must have 1 to 5 names: 0"),
        ("describe", json!({ "tables": ["a"] }), "not the full name of a table"),
        ("list", json!({ "kind": "tables" }), "`in` is missing"),
        ("list", json!({ "kind": "jobs" }), "unknown variant `jobs`"),
    ] {
        let error = session.fails(tool, arguments.clone());
        let message = error["message"].as_str().unwrap();
        assert!(error["kind"] == "usage" && message.contains(words), "{tool} {arguments}: {error}");
    }
    assert_eq!((workspace.requests("GET", "/").len(), workspace.requests("POST", "/").len()), (0, 0));
    session.end();
}

#[test]
fn a_canceled_request_cancels_its_statement_once() {
    let workspace = Workspace::with_endless_statements();
    let mut session = Session::of(&workspace, "");
    let id = session.begin("tools/call", json!({ "name": "sql_query", "arguments": { "sql": "SELECT 1" } }));
    workspace.until_requested_after("GET", STATEMENT, Duration::from_secs(10));
    session.send(
        &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } }),
    );
    workspace.until_requested("POST", STATEMENT);
    // The server goes on, and doesn't answer the request.
    session.request("ping", json!({}));
    let (rest, _) = session.end();
    assert_eq!(rest, [""; 0]);
    let canceled: Vec<_> =
        workspace.requests("POST", STATEMENT).into_iter().map(|request| request.path).collect();
    assert!(canceled.len() == 1 && canceled[0].ends_with("/cancel"), "{canceled:?}");
}

#[test]
fn a_closed_stdin_cancels_what_runs() {
    let workspace = Workspace::with_endless_statements();
    let mut session = Session::of(&workspace, "");
    session.begin("tools/call", json!({ "name": "sql_query", "arguments": { "sql": "SELECT 1" } }));
    workspace.until_requested_after("GET", STATEMENT, Duration::from_secs(10));
    session.end();
    assert_eq!(workspace.requests("POST", STATEMENT).len(), 1);
}

#[cfg(unix)]
#[test]
fn a_signal_cancels_what_runs() {
    let workspace = Workspace::with_endless_statements();
    let mut session = Session::of(&workspace, "");
    session.begin("tools/call", json!({ "name": "sql_query", "arguments": { "sql": "SELECT 1" } }));
    workspace.until_requested_after("GET", STATEMENT, Duration::from_secs(10));
    let kill = format!("kill -TERM {}", session.child.id());
    assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    assert_eq!(session.child.wait().unwrap().code(), Some(143));
    assert_eq!(workspace.requests("POST", STATEMENT).len(), 1);
}

#[test]
fn a_statement_that_takes_too_long_is_canceled() {
    let workspace = Workspace::with_endless_statements();
    let mut session = Session::of(&workspace, "");
    let error = session.fails("sql_query", json!({ "sql": "SELECT 1", "timeout_s": 3 }));
    assert_eq!(error["kind"], "deadline_exceeded", "{error}");
    session.end();
    assert_eq!(workspace.requests("POST", STATEMENT).len(), 1);
}

#[test]
fn stdout_has_only_messages_and_wrong_input_is_answered() {
    let workspace = Workspace::fresh();
    let mut session = Session::start(workspace.brick("mcp -vv"));
    for line in ["hello", "{\"jsonrpc\":", "[1, 2"] {
        session.send_line(line);
        let answer = session.next();
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32700), &Value::Null), "{answer}");
    }
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "0" } });
    session.request("initialize", params);
    for (line, code, id) in [
        ("not JSON", -32700, Value::Null),
        ("[]", -32600, Value::Null),
        ("{\"id\":\"x\",\"method\":\"ping\"}", -32600, json!("x")),
        ("{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/nonsense\"}", -32601, json!(9)),
        ("{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/call\",\"params\":{}}", -32602, json!(9)),
    ] {
        session.send_line(line);
        let answer = session.next();
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &id), "{line}: {answer}");
    }
    // An unknown notification and an empty line are nothing.
    session.send(&json!({ "jsonrpc": "2.0", "method": "notifications/nonsense" }));
    session.send_line("");
    let text = session.call("sql_query", json!({ "sql": "SELECT 1 AS one" }));
    assert!(text.starts_with("one:INT\n1\n"), "{text}");
    let (rest, stderr) = session.end();
    assert_eq!(rest, [""; 0]);
    assert!(stderr.contains("statements_execute") && !stderr.contains(&workspace.token), "{stderr}");
}

#[test]
fn input_that_is_no_protocol_ends_well() {
    let (rest, _) = Session::start(Brick::new("mcp")).end();
    assert_eq!(rest, [""; 0]);
    let ran =
        Brick::new("mcp").stdin("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n").run();
    ran.fails(3, &["the client did not start the protocol"]);
}

#[test]
fn without_a_connection_a_call_says_what_to_do() {
    let mut session = Session::initialized(Brick::new("mcp"));
    let error = session.fails("sql_query", json!({ "sql": "SELECT 1" }));
    assert_eq!((&error["kind"], &error["exit_code"]), (&json!("configuration"), &json!(3)), "{error}");
    assert!(error["hint"].is_string(), "{error}");
    session.end();
}

#[test]
fn tables_are_listed_described_and_read_page_by_page() {
    let workspace = Workspace::fresh();
    let mut session = Session::of(&workspace, "");
    assert!(session.call("list", json!({ "kind": "catalogs" })).contains("\nmain\t"));
    assert!(
        session.call("list", json!({ "kind": "schemas", "in": "samples" })).contains("samples.nyctaxi\t")
    );
    let tables = session.call("list", json!({ "kind": "tables", "in": "samples.nyctaxi", "name": "TRIP" }));
    assert_eq!(tables, "name\nsamples.nyctaxi.trips\n# rows=1 of=1 complete=yes\n");
    let warehouses = session.call("list", json!({ "kind": "warehouses" }));
    assert!(
        warehouses.starts_with("name\tid\tstate\n") && warehouses.contains("\tRUNNING\n"),
        "{warehouses}"
    );

    let text =
        session.call("describe", json!({ "tables": ["samples.nyctaxi.trips", "main.default.missing"] }));
    for words in [
        "column\ttype\tcomment\n",
        "fare_amount\tdouble\t",
        "table=samples.nyctaxi.trips",
        "fare_amount:DOUBLE",
        "# rows=3 of=3",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(text.contains("# table=main.default.missing error="), "{text}");
    assert!(text.len() <= 10_240, "{}", text.len());
    let error = session.fails("describe", json!({ "tables": ["main.default.missing"] }));
    assert_eq!((&error["kind"], &error["exit_code"]), (&json!("not_found"), &json!(5)), "{error}");

    let text = session.call("sql_query", json!({ "sql": "SELECT id FROM range(300)" }));
    let summary = text.lines().nth(201).unwrap();
    assert!(summary.starts_with("# rows=200 of=300 complete=no statement="), "{summary}");
    let id = summary.split_once("statement=").unwrap().1.split(' ').next().unwrap();
    assert!(text.contains(&format!("# next: tool statement with id={id} offset=200")), "{text}");
    let rest = session.call("statement", json!({ "id": id, "offset": 200 }));
    assert!(
        rest.starts_with("id:BIGINT\n200\n201\n") && rest.contains("\n299\n# rows=100 of=300 complete=no"),
        "{rest}"
    );
    assert!(!rest.contains("# next"), "{rest}");
    let status = session.call("statement", json!({ "id": id, "action": "status" }));
    assert!(status.contains("\"state\":\"SUCCEEDED\"") && status.contains("\"rows\":300"), "{status}");
    let error = session.fails("statement", json!({ "id": "01f00000-0000-1000-8000-000000000000" }));
    assert_eq!(error["exit_code"], 5, "{error}");
    session.end();
}

#[test]
fn statements_run_in_order_up_to_the_first_failure() {
    let workspace = Workspace::fresh();
    let mut session = Session::of(&workspace, "--allow-writes");
    let sql = "USE main.default;\nCREATE TABLE made (n INT);\nINSERT INTO made VALUES (1), (2);\nSELECT count(*) AS n FROM made";
    let text = session.call("sql_execute", json!({ "sql": sql }));
    assert!(text.contains("# statement 4 of 4, line 4: SELECT") && text.contains("n:BIGINT\n2\n"), "{text}");
    assert_eq!(workspace.requests("POST", STATEMENTS).len(), 4);

    let sql = "SELECT 1;\nSELECT * FROM missing;\nDROP TABLE main.default.made";
    let error = session.fails("sql_execute", json!({ "sql": sql }));
    assert!(error["message"].as_str().unwrap().contains("TABLE_OR_VIEW_NOT_FOUND"), "{error}");
    assert_eq!(error["hint"], "statement 1 has completed; statement 3 was not run");
    assert_eq!(
        (&error["source"]["index"], &error["source"]["count"], &error["source"]["line"]),
        (&json!(2), &json!(3), &json!(2))
    );
    assert_eq!(workspace.requests("POST", STATEMENTS).len(), 6, "the third one was not sent");

    let error = session.fails("sql_execute", json!({ "sql": "SELECT 1; SELECT 'open" }));
    assert_eq!(error["kind"], "usage", "{error}");
    assert_eq!(workspace.requests("POST", STATEMENTS).len(), 6);
    session.end();
}

#[test]
fn code_runs_and_a_context_that_was_kept_is_destroyed() {
    let workspace = Workspace::fresh();
    let mut session = Session::of(&workspace, "--allow-code");
    let text = session.call(
        "run_code",
        json!({ "code": "x = 41\nprint(x)", "cluster": RUNNING_CLUSTER, "context": "new" }),
    );
    let (output, id) = text.trim_end().split_once("\n# context=").unwrap();
    let id = id.split(' ').next().unwrap();
    assert_eq!(output, "41");
    let text = session
        .call("run_code", json!({ "code": "print(x + 1)", "cluster": RUNNING_CLUSTER, "context": id }));
    assert_eq!(text, "42\n");
    let error =
        session.fails("run_code", json!({ "code": "1 / 0", "cluster": RUNNING_CLUSTER, "context": id }));
    assert_eq!(error["kind"], "remote_failed", "{error}");
    assert!(error["message"].as_str().unwrap().contains("ZeroDivisionError"), "{error}");
    let destroyed = || workspace.requests("POST", "/api/1.2/contexts/destroy").len();
    assert_eq!(destroyed(), 0);
    session.end();
    assert_eq!(destroyed(), 1);
}

#[test]
fn compute_starts_and_stops_at_once() {
    let workspace = Workspace::fresh();
    let mut session = Session::of(&workspace, "--allow-compute");
    let arguments = json!({ "kind": "warehouse", "id": STOPPED_WAREHOUSE, "action": "start" });
    let started: Value = serde_json::from_str(&session.call("compute", arguments)).unwrap();
    assert_eq!((&started["id"], &started["changed"]), (&json!(STOPPED_WAREHOUSE), &json!(true)), "{started}");
    let arguments = json!({ "kind": "cluster", "id": RUNNING_CLUSTER, "action": "start" });
    let again: Value = serde_json::from_str(&session.call("compute", arguments)).unwrap();
    assert_eq!((&again["state"], &again["changed"]), (&json!("RUNNING"), &json!(false)), "{again}");
    session.end();
}

//! Model serving endpoints.

use std::time::Duration;

use brickwire_sandbox::{
    Delays, Sandbox,
    seed::{CHAT_ENDPOINT, ECHO_ENDPOINT, FUNCTION_ENDPOINT},
};
use serde_json::json;

use crate::{scripted::Server, workspace::Workspace};

const CHURN: &str = r#"{"name":"churn","config":{"served_entities":[{"entity_name":"main.models.churn",
    "entity_version":"3","unheard_of":1}]}}"#;

#[test]
fn a_model_answers_with_text_or_json() {
    let workspace = Workspace::fresh();
    let chat = |arguments: &str| {
        let brick = workspace.brick(&format!("serving query {CHAT_ENDPOINT} {arguments}"));
        brick.arg("--message").arg("-1 is less than 0").run().done().silent()
    };
    assert_eq!(chat("").text(), "-1 is less than 0\n");
    assert_eq!(chat("-o json").json()["choices"][0]["finish_reason"], "stop");
    let rows = r#"{"dataframe_records": [{"x": 1.0}, {"x": 12345678901234567890}]}"#;
    let echo = format!("serving query {ECHO_ENDPOINT} --data");
    let ran = workspace.brick(&echo).arg(rows).run().done().silent();
    assert!(ran.text().contains("12345678901234567890") && ran.text().contains("1.0"), "{}", ran.text());
    let from_stdin = workspace.brick(&echo).arg("-").stdin(rows).run().done();
    assert_eq!(from_stdin.text(), ran.text());
    let from_file = workspace.brick(&echo).arg("@rows.json").file("rows.json", rows).run().done();
    assert_eq!(from_file.text(), ran.text());
    // A function of Python: what it prints is in the log, what it raises in the error.
    let double =
        |data: &str| workspace.brick(&format!("serving query {FUNCTION_ENDPOINT} --data")).arg(data).run();
    assert_eq!(double(r#"{"dataframe_records": [{"x": 21}]}"#).done().json(), json!({ "predictions": [42] }));
    double(r#"{"dataframe_records": [{"y": 21}]}"#).fails(6, &["KeyError: 'x'"]);
    let logs = workspace.brick(&format!("serving logs {FUNCTION_ENDPOINT}")).run().done().silent();
    assert_eq!(logs.text(), "doubling 1 rows\n");
}

#[test]
fn an_endpoint_is_created_updated_and_deleted() {
    let workspace = Workspace::fresh();
    let made = workspace
        .brick("serving create --data")
        .arg(CHURN)
        .run()
        .done()
        .says(&["serving endpoint churn is READY"]);
    assert_eq!(made.json()["state"]["ready"], "READY");
    // The document goes as it is.
    let sent = workspace.requests("POST", "/api/2.0/serving-endpoints");
    assert_eq!(sent[0].body.as_ref().unwrap()["config"]["served_entities"][0]["unheard_of"], 1);
    workspace.brick("serving create --data").arg(CHURN).run().fails(6, &["already exists"]);
    let config = r#"{"served_entities":[{"entity_name":"main.models.churn","entity_version":"4"}]}"#;
    let updated = workspace.brick("serving update-config churn --no-wait --data").arg(config).run().done();
    assert_eq!(updated.json()["state"]["config_update"], "IN_PROGRESS");
    let ready = workspace.brick("serving wait churn").run().done();
    assert_eq!(ready.json()["config"]["config_version"], 2);
    let broken = r#"{"served_entities":[{"entity_name":"sandbox.models.broken"}]}"#;
    let words = [
        "UPDATE_FAILED",
        "broken-1: Failed to build",
        "still serves",
        "hint: run `brick serving logs --build`",
    ];
    workspace.brick("serving update-config churn --data").arg(broken).run().fails(8, &words);
    let build = workspace.brick("serving logs churn broken-1 --build").run().done();
    assert!(build.text().contains("ERROR: Failed to build"), "{}", build.text());
    workspace.brick("serving logs churn").run().fails(2, &["several entities", "broken-1, churn-4"]);
    let list = workspace.brick("serving list -o csv").run().done().silent();
    assert!(list.text().contains("churn,READY,UPDATE_FAILED,"), "{}", list.text());
    workspace.brick("serving delete churn").run().done().silent();
    for command in ["get", "delete", "wait", "query --message hi", "logs"] {
        let (command, rest) = command.split_once(' ').unwrap_or((command, ""));
        workspace.brick(&format!("serving {command} churn {rest}")).run().fails(5, &["does not exist"]);
    }
}

#[test]
fn an_endpoint_that_is_not_ready_says_so() {
    let mut delays = Delays::NONE;
    delays.endpoint = Duration::from_secs(1000 * 365 * 24 * 3600);
    let workspace = Workspace::alone(Sandbox::builder().with_delays(delays));
    workspace.brick("serving create --no-wait --data").arg(CHURN).run().done();
    let words = ["not ready", "hint: the endpoint isn't ready (IN_PROGRESS): run `brick serving wait`"];
    workspace.brick("serving query churn --message hi").run().fails(6, &words);
    workspace.brick("serving wait churn --timeout 2s").run().fails(9, &["is still IN_PROGRESS"]);
}

#[test]
fn a_lost_answer_is_not_asked_for_again() {
    let workspace = Workspace::fresh();
    workspace.fault("POST /serving-endpoints/*: after reset times 1");
    let asked = format!("serving query {CHAT_ENDPOINT} --message hi");
    let ran = workspace.brick(&asked).run();
    assert_eq!(ran.exits(7, &[]).text(), "");
    assert_eq!(workspace.requests("POST", "/serving-endpoints").len(), 1);
    // A busy endpoint has not asked its model.
    workspace.fault("POST /serving-endpoints/*: times 1 429 retry-after=0");
    workspace.brick(&asked).run().done();
    assert_eq!(workspace.requests("POST", "/serving-endpoints").len(), 3);
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    for (line, data, words) in [
        ("serving query churn", None, "--data"),
        ("serving query churn --message hi --data {}", None, "cannot be used with"),
        ("serving query churn --message", Some(" "), "the message is empty"),
        ("serving query churn --data", Some("[1]"), "not a JSON object"),
        ("serving query churn --data", Some("{\"messages\":[],\"stream\":true}"), "`brick api`"),
        ("serving query churn --data", Some("@nowhere.json"), "nowhere.json"),
        ("serving create --data", Some("{}"), "not a name for a serving endpoint"),
        ("serving create --data", Some(r#"{"name":"a/b"}"#), "a/b"),
        ("serving update-config churn --data", Some("nonsense"), "not a JSON object"),
    ] {
        let brick = workspace.brick(line);
        let ran = data.map(|data| workspace.brick(line).arg(data)).unwrap_or(brick).run();
        let code = if data == Some("@nowhere.json") { 3 } else { 2 };
        ran.fails(code, &[words]);
    }
    assert!(workspace.sandbox.requests_of(&workspace.token).is_empty());
}

#[test]
fn keys_in_plain_text_are_neither_logged_nor_shown() {
    let workspace = Workspace::fresh();
    let config = json!({ "openai_api_key_plaintext": "sk-pl4nted", "openai_api_type": "openai" });
    let auth = json!({ "api_key_auth": { "key": "x-key", "value_plaintext": "sk-pl4nted" } });
    let model = json!({ "name": "gpt", "provider": "openai", "task": "llm/v1/chat", "openai_config": config,
        "custom_provider_config": auth });
    let entity = json!({ "external_model": model, "environment_vars": { "KEY": "sk-pl4nted" } });
    let endpoint = json!({ "name": "gpt", "config": { "served_entities": [entity] } });
    let brick = workspace.brick("serving create --debug --data @endpoint.json");
    let ran = brick.file("endpoint.json", endpoint.to_string()).run().done().says(&["openai_api_type"]);
    assert!(!ran.stderr.contains("sk-pl4nted"), "{}", ran.stderr);
    assert!(!ran.text().contains("value_plaintext"), "{}", ran.text());
}

#[test]
fn what_a_model_says_cannot_write_to_the_terminal() {
    let server = Server::routing(|method, path| {
        let refusal = (method, path) == ("GET", "/api/2.0/serving-endpoints/x");
        (!refusal).then(|| json!({ "choices": [{ "message": { "content": "a\u{1b}[2Jb" } }] }).to_string())
    });
    let ran = server.brick("serving query x --message hi").run().done();
    // Data for a pipe stays as it is; see the tests of the terminal.
    assert_eq!(ran.text(), "a\u{1b}[2Jb\n");
    let server = Server::answering(&[(
        400,
        "application/json",
        b"{\"error_code\":\"BAD_REQUEST\",\"message\":\"a\\u001b[2Jb\"}",
    )]);
    let ran = server.brick("serving query x --message hi").run().exits(6, &["BAD_REQUEST"]);
    assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
}

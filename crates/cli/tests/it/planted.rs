//! Secrets planted wherever a service can put them: none of them is on stderr, whatever is asked for there.

use std::{collections::BTreeMap, sync::Mutex, thread};

use brickwire_testserver::{Response, Server};
use serde_json::json;

use crate::program::Brick;

const TOKEN: &str = "dapi-planted/0123456789+abcdef";
const CLUSTER: &str = "0123-456789-abcdefgh";
const WAREHOUSE: &str = "0123456789abcdef";

/// The token as a part of a Basic header: `token:` before it.
const BASIC: &str = "dG9rZW46ZGFwaS1wbGFudGVkLzAxMjM0NTY3ODkrYWJjZGVm";
const ENCODED: &str = "dapi-planted%2F0123456789%2Babcdef";

/// Runs the command against a service that gives one answer, with each sort of output, and returns all of stderr.
fn stderr(arguments: &[&str], answer: &Response) -> String {
    let mut all = String::new();
    for options in ["--debug", "-vv -o json"] {
        let answer = answer.clone();
        let server = Server::start(move |_| answer.clone());
        let brick = arguments.iter().fold(Brick::new(""), Brick::arg).args(options);
        let ran = brick.env("DATABRICKS_HOST", server.url()).env("DATABRICKS_TOKEN", TOKEN).run();
        assert!(!server.requests().is_empty(), "{arguments:?} sent nothing: {}", ran.stderr);
        all.push_str(&ran.stderr);
    }
    all
}

fn error(code: &str, message: &str) -> Response {
    let body = json!({ "error_code": code, "message": message }).to_string();
    Response::new(400).with_header("content-type", "application/json").with_body(body)
}

fn json_of(value: &serde_json::Value) -> Response {
    Response::json(value.to_string())
}

#[test]
fn a_service_that_repeats_the_token_anywhere_does_not_make_it_seen() {
    let get = &["clusters", "get", CLUSTER][..];
    let wait = &["clusters", "wait", CLUSTER, "--timeout", "3s"][..];
    let sql = &["sql", "-w", WAREHOUSE, "--timeout", "3s", "SELECT 1"][..];
    let create = &["contexts", "create", "-c", CLUSTER, "--timeout", "3s"][..];
    let raw = &["api", "GET", "/2.0/x"][..];
    let long = format!("{}{TOKEN}", "x".repeat(4090));
    let statement =
        |status: serde_json::Value| json_of(&json!({ "statement_id": "01ef-0", "status": status }));
    let cluster = |state: &str, message: &str| {
        json_of(&json!({ "cluster_id": CLUSTER, "state": state, "state_message": message }))
    };
    let places: BTreeMap<&str, (&[&str], Response)> = BTreeMap::from([
        ("error code", (get, error(TOKEN, "m"))),
        ("message", (get, error("X", TOKEN))),
        ("message at a cut", (get, error("X", &long))),
        ("message, percent-encoded", (get, error("X", ENCODED))),
        ("message, as Basic", (get, error("X", BASIC))),
        ("text", (get, Response::new(400).with_body(format!("{}{TOKEN}", "x".repeat(490))))),
        ("page", (get, Response::new(400).with_body(format!("<title>{TOKEN}</title>")))),
        ("reason in a header", (get, Response::new(400).with_header("x-databricks-reason-phrase", TOKEN))),
        ("request id of an error", (get, error("X", "m").with_header("x-request-id", TOKEN))),
        ("request id", (get, cluster("RUNNING", "").with_header("x-request-id", TOKEN))),
        ("header", (raw, Response::json("{}").with_header("x-echo", TOKEN).with_header("server", TOKEN))),
        ("address", (raw, Response::new(302).with_header("location", &format!("/x?access_token={TOKEN}")))),
        (
            "host of a redirect",
            (raw, Response::new(302).with_header("location", "https://dapi-planted.0123456789.example/")),
        ),
        ("state", (wait, cluster(TOKEN, "m"))),
        ("state message", (wait, cluster("PENDING", TOKEN))),
        ("final state message", (wait, cluster("ERROR", TOKEN))),
        ("state of a statement", (sql, statement(json!({ "state": TOKEN })))),
        (
            "error of a statement",
            (
                sql,
                statement(json!({ "state": "FAILED", "error": { "error_code": TOKEN, "message": TOKEN } })),
            ),
        ),
        (
            "key",
            (
                wait,
                json_of(&json!({ "cluster_id": CLUSTER, "state": "RUNNING", "custom_tags": { TOKEN: {} } })),
            ),
        ),
        ("id", (create, json_of(&json!({ "id": TOKEN, "status": "Error" })))),
        (
            "message of a context",
            (create, json_of(&json!({ "id": "1", "status": "Error", "message": TOKEN }))),
        ),
        ("content encoding", (get, Response::json("{}").with_header("content-encoding", TOKEN))),
    ]);
    let places = Mutex::new(places.into_iter());
    let next = || places.lock().unwrap().next();
    let check = || {
        while let Some((place, (arguments, answer))) = next() {
            let said = stderr(arguments, &answer);
            for secret in [TOKEN, ENCODED, &BASIC[12..40], "dapi-planted/0123"] {
                assert!(!said.contains(secret), "{place}: {said}");
            }
        }
    };
    // Some runs last until their timeout, so several run at a time.
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(check);
        }
    });
}

#[test]
fn what_is_sent_as_a_secret_is_not_seen_when_it_is_repeated() {
    const SECRET: &str = "S3CR3T-0123456789";
    let body = json!({ "scope": "s", "key": "k", "string_value": SECRET }).to_string();
    let put = &["api", "POST", "/2.0/secrets/put", "-d", &body][..];
    let header = format!("X-Auth: {SECRET}");
    let with_header = &["api", "GET", "/2.0/x", "-H", &header][..];
    let parameter = format!("p={SECRET}");
    let sql = &["sql", "-w", WAREHOUSE, "-P", &parameter, "SELECT :p"][..];
    let bad = format!(r#"{{"string_value":"{SECRET}",}}"#);
    let unclean = &["api", "POST", "/2.0/secrets/put", "-d", &bad][..];
    for (arguments, answer) in [
        (put, error("X", &format!("not good: {SECRET}"))),
        (put, json_of(&json!({ "echo": SECRET }))),
        (with_header, Response::new(401).with_header("server", SECRET).with_body(SECRET)),
        (sql, error("X", &format!("cannot cast '{SECRET}'"))),
        (
            sql,
            json_of(&json!({ "statement_id": "01ef-0", "status": { "state": "FAILED",
                "error": { "message": format!("cannot cast '{SECRET}'") } } })),
        ),
        (unclean, error("X", "m")),
        (&["api", "GET", "/2.0/secrets/get"], json_of(&json!({ "key": "k", "value": SECRET }))),
        (&["api", "GET", "/2.0/x"], Response::json(format!("{{\"token\":\"{SECRET}\"}}\n{{}}"))),
    ] {
        let said = stderr(arguments, &answer);
        assert!(!said.contains(SECRET), "{arguments:?}: {said}");
    }
}

/// What is masked where a request is shown is masked where a service repeats it, too.
#[test]
fn every_value_that_is_masked_in_a_request_is_masked_when_it_is_repeated() {
    const SECRET: &str = "S3CR3T-0123456789";
    let percent: String = SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02X}")).collect();
    let message = format!("not good: {SECRET}, {percent}, {hex}");
    let nested = json!({ "x": json!({ "token": SECRET }).to_string() }).to_string();
    let bodies = [
        json!({ "passwords": [SECRET] }).to_string(),
        json!({ "credential": { "x": SECRET } }).to_string(),
        json!({ "credential": json!([{ "x": SECRET }]).to_string() }).to_string(),
        nested.clone(),
        json!([nested]).to_string(),
        json!({ "name": "DB_PASSWORD", "value": SECRET, "type": "STRING" }).to_string(),
        json!({ "otp": SECRET }).to_string(),
        json!({ "x": format!("Server=h;Password={SECRET};") }).to_string(),
        json!({ "x": format!("https://u:{SECRET}@h/") }).to_string(),
        json!({ "x": format!("https://h/?a=1;sig={SECRET}") }).to_string(),
        json!({ "x": format!("https://hooks.slack.com/services/T0/{SECRET}") }).to_string(),
        json!({ "authorization": format!("Bearer {SECRET}") }).to_string(),
        json!({ "statement": format!("CREATE CONNECTION c OPTIONS (host 'h', password '{SECRET}')") })
            .to_string(),
        json!({ "key": format!("-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----") })
            .to_string(),
        format!(r#"{{"password":"{SECRET}",}}"#),
        format!(r#"{{"passwords": ["{SECRET}"],}}"#),
        format!("{{\"a\":1}}\n{{\"credential\":{{\"x\":\"{SECRET}\"}}}}\n"),
        format!("a=b&client_secret={SECRET}"),
        format!("a=b&x=Password%3D{SECRET}%3B"),
    ];
    let form = format!("password={SECRET}");
    let text = format!("x=Server=h;Password={SECRET};");
    let query = format!("a=1;sig={SECRET}");
    let header = format!("X-Any: Bearer {SECRET}");
    let referer = format!("Referer: https://h/?x={SECRET}");
    let post = |name| vec!["api", "POST", "/2.0/x", name];
    let with = |name, value| [post(name), vec![value]].concat();
    let mut commands: Vec<_> = bodies.iter().map(|body| with("-d", body)).collect();
    commands.extend([
        with("--form", &form),
        with("--form", &text),
        with("--query", &query),
        with("--header", &header),
        with("--header", &referer),
        with("-f", &form),
    ]);
    for arguments in commands {
        let said = stderr(&arguments, &error("X", &message));
        assert!(said.contains("not good: ***, ***, ***"), "{arguments:?}: {said}");
        for secret in [SECRET, &percent, &hex] {
            assert!(!said.contains(secret), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn a_dry_run_masks_what_the_request_would_carry() {
    let nested = r#"config={"password":"S3CR3T"}"#;
    let shown = |arguments: &[&str]| {
        let brick =
            ["api", "POST", "/2.0/x", "--dry-run"].iter().chain(arguments).fold(Brick::new(""), Brick::arg);
        let brick =
            brick.env("DATABRICKS_HOST", "https://x.cloud.databricks.com").env("DATABRICKS_TOKEN", TOKEN);
        brick.run().done().printed()
    };
    for arguments in [
        &["-d", r#"{"string_value":"S3CR3T"}"#][..],
        &["-d", r#"{"spark_env_vars":{"A":"S3CR3T"},"spark_conf":{"fs.azure.account.key.a":"S3CR3T"}}"#],
        &["-d", r#"{"settings":"{\"pwd\":\"S3CR3T\"}"}"#],
        &["-d", "a=b c&passphrase=S3CR3T d"],
        &["-d", "password=S3CR3T\n{"],
        &["-H", "Ocp-Apim-Subscription-Key: S3CR3T"],
        &["-H", "X-Anything: S3CR3T"],
        &["--form", nested],
        &["--form", "webhook_url=S3CR3T"],
        &["--query", "sas_url=S3CR3T"],
        &["--query", nested],
    ] {
        let printed = shown(arguments);
        assert!(!printed.contains("S3CR3T") && printed.contains("***"), "{arguments:?}: {printed}");
    }
    for repeated in [TOKEN, ENCODED, BASIC] {
        let printed = shown(&["-d", &json!({ "comment": repeated }).to_string()]);
        assert!(!printed.contains("planted") && !printed.contains(&BASIC[12..40]), "{printed}");
    }
}

//! `brick config`, `brick doctor` and `brick auth`: what is configured, why it fails, and no secret in any of it.

use brickwire_sandbox::seed::{RUNNING_CLUSTER, RUNNING_WAREHOUSE};
use brickwire_testserver::ClosedPort;
use serde_json::{Value, json};

use crate::{
    program::{Brick, Ran},
    scripted::Server,
    workspace::Workspace,
};

const PLANTED: &str = "dapi-planted-0123456789";
const FILE: &str = "\
[DEFAULT]
host = https://default.cloud.databricks.com
token = dapi-planted-0123456789

[robot]
host = https://robot.cloud.databricks.com/?o=42
client_id = a-robot
client_secret = dapi-planted-0123456789
warehouse_id = 0123456789abcdef

[broken]
host = ftp://nowhere
";

#[track_caller]
fn keeps_the_secret(ran: Ran) -> Ran {
    assert!(!ran.printed().contains(PLANTED), "{}", ran.printed());
    ran
}

#[test]
fn config_show_has_each_value_its_source_and_what_is_ignored() {
    let brick = || {
        Brick::new("config show -p robot")
            .file(".databrickscfg", FILE)
            .env("DATABRICKS_TOKEN", PLANTED)
            .env("DATABRICKS_WAREHOUSE_ID", "other")
    };
    let ran = keeps_the_secret(brick().args("-o json").run().done());
    let view = ran.json();
    let fixed = |name: &str| view[name].clone();
    assert_eq!(fixed("host"), "https://robot.cloud.databricks.com");
    assert_eq!(fixed("account_id"), Value::Null);
    assert_eq!(fixed("workspace_id"), "42");
    assert_eq!(fixed("profile"), "robot");
    assert_eq!(fixed("auth_type"), "oauth-m2m");
    let attribute = |list: &str, name: &str| {
        let list = view[list].as_array().unwrap();
        let mut found =
            list.iter().find(|a| a["name"] == name).unwrap_or_else(|| panic!("{name}: {view}")).clone();
        let source = found["source"].as_str().unwrap();
        // The file is in a folder of this run alone.
        let source = source.split(" in ").next().unwrap().to_owned();
        found["source"] = source.into();
        found
    };
    let secret = json!({ "name": "client_secret", "value": "***", "source": "profile robot" });
    assert_eq!(attribute("attributes", "client_secret"), secret);
    let address = json!({ "name": "workspace_id", "value": "42", "source": "the host's address" });
    assert_eq!(attribute("attributes", "workspace_id"), address);
    assert_eq!(attribute("attributes", "profile")["source"], "explicit");
    let token = attribute("ignored", "token");
    assert_eq!((&token["value"], &token["source"]), (&json!("***"), &json!("environment DATABRICKS_TOKEN")));
    assert_eq!(token["reason"], "profile robot is taken whole");

    let table = keeps_the_secret(brick().args("-o table").run().done());
    let line =
        |name: &str| table.text().lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(line("NAME").contains("IGNORED BECAUSE"), "{}", table.text());
    assert!(line("auth_type").contains("follows from these"), "{}", table.text());
}

#[test]
fn config_show_shows_what_contradicts_itself_and_fails() {
    let ran = Brick::new("config show")
        .env("DATABRICKS_HOST", "x.cloud.databricks.com")
        .env("DATABRICKS_TOKEN", PLANTED)
        .env("DATABRICKS_CLIENT_ID", "a-robot")
        .env("DATABRICKS_CLIENT_SECRET", PLANTED)
        .run();
    let ran = keeps_the_secret(ran.exits(3, &["more than one authorization method", "hint: "]));
    assert_eq!(ran.json()["auth_type"], Value::Null);
    assert_eq!(ran.json()["attributes"].as_array().unwrap().len(), 4);
}

#[test]
fn config_profiles_lists_each_by_itself() {
    let ran =
        Brick::new("config profiles").file(".databrickscfg", FILE).env("DATABRICKS_TOKEN", PLANTED).run();
    let ran = keeps_the_secret(ran.done());
    let short = |p: &Value| json!([p["name"], p["host"], p["auth_type"], p["default"]]);
    let profiles: Vec<_> = ran.json().as_array().unwrap().iter().map(short).collect();
    assert_eq!(
        profiles,
        [
            json!(["DEFAULT", "https://default.cloud.databricks.com", "pat", true]),
            json!(["robot", "https://robot.cloud.databricks.com", "oauth-m2m", false]),
            json!(["broken", null, null, false]),
        ]
    );
    assert!(ran.json()[2]["fault"].as_str().unwrap().contains("scheme"));
    assert_eq!(Brick::new("config profiles").run().done().json(), json!([]));
}

/// Name and outcome of each check.
fn outcomes(ran: &Ran) -> Vec<(String, String)> {
    let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    ran.json().as_array().unwrap().iter().map(|c| (text(c, "name"), text(c, "outcome"))).collect()
}

#[test]
fn doctor_finds_nothing_wrong_with_the_sandbox() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("doctor").run().done().silent();
    let found = outcomes(&ran);
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        "configuration permissions proxy dns tcp tls clock token identity warehouse cluster"
            .split(' ')
            .collect::<Vec<_>>()
    );
    let not_ok: Vec<_> = found.iter().filter(|(_, o)| o != "ok").map(|(name, _)| name.as_str()).collect();
    // There is no file, and no TLS on loopback.
    assert_eq!(not_ok, ["permissions", "tls"]);
    assert!(!ran.printed().contains(&workspace.token), "{}", ran.printed());

    let table = workspace.brick("doctor -o table").run().done().silent();
    assert_eq!(
        table.text().lines().filter(|line| !line.starts_with(' ')).count(),
        names.len(),
        "{}",
        table.text()
    );
    assert!(!table.printed().contains(&workspace.token), "{}", table.printed());
}

#[test]
fn doctor_names_the_first_fault_and_exits_with_its_status() {
    let closed = ClosedPort::reserve();
    let ran = Brick::new("doctor")
        .env("DATABRICKS_HOST", format!("http://{}", closed.authority()))
        .env("DATABRICKS_TOKEN", PLANTED)
        .run();
    let ran = keeps_the_secret(ran.exits(7, &["the first fault is in tcp"]));
    let faults: Vec<_> = outcomes(&ran).into_iter().filter(|(_, outcome)| outcome == "fault").collect();
    assert_eq!(faults, [("tcp".to_owned(), "fault".to_owned())]);
    assert_eq!(ran.json()[4]["error_kind"], "unreachable");
    assert!(ran.json()[4]["detail"].as_str().unwrap().contains("refused"), "{}", ran.text());

    let asked = Brick::new("doctor -o json").run();
    let asked = asked.exits(3, &[]);
    assert_eq!(
        (&asked.json_error()["kind"], &asked.json_error()["exit_code"]),
        (&json!("configuration"), &json!(3))
    );
    assert_eq!(asked.json()[0]["outcome"], "fault");
    assert!(asked.json()[0]["hint"].is_string());
}

#[test]
fn doctor_tells_a_bad_token_from_a_bad_network() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("doctor -o table").env("DATABRICKS_TOKEN", PLANTED).run();
    let ran = keeps_the_secret(ran.exits(4, &["the first fault is in identity"]));
    assert!(ran.text().contains("skipped  warehouse"), "{}", ran.text());
}

#[test]
fn doctor_warns_of_a_workspace_without_anything_to_work_with() {
    let server = Server::json("{}");
    let ran = server.brick("doctor").run().done();
    let warned: Vec<_> =
        outcomes(&ran).into_iter().filter(|(_, o)| o == "warning").map(|(name, _)| name).collect();
    assert_eq!(warned, ["warehouse", "cluster"]);
    // The question before there is any need for a credential goes without one.
    assert_eq!(server.sent()[0].header("authorization"), None);
    assert!(server.sent()[1].header("authorization").is_some());
}

#[test]
fn auth_token_is_the_one_place_where_a_token_is_data() {
    let brick = || {
        Brick::new("auth token")
            .env("DATABRICKS_HOST", "x.cloud.databricks.com")
            .env("DATABRICKS_TOKEN", PLANTED)
    };
    let wanted = json!({ "access_token": PLANTED, "token_type": "Bearer", "expiry": null });
    assert_eq!(brick().run().done().silent().json(), wanted);
    assert_eq!(brick().args("-o table").run().done().json(), wanted);
    // header.{"exp":4102444800}.signature
    let ran = brick().env("DATABRICKS_TOKEN", "e30.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln").run().done();
    let expiry = ran.json()["expiry"].as_str().unwrap().to_owned();
    assert!(expiry == "2100-01-01T00:00:00Z" || expiry == "2099-12-31T23:59:59Z", "{expiry}");
}

#[test]
fn auth_login_and_logout_say_what_is_missing() {
    Brick::new("auth login --no-browser").run().fails(3, &["no host", "hint: "]);
    Brick::new("auth logout --host x.cloud.databricks.com").run().done().says(&["not logged in"]);
    Brick::new("auth token --host x.cloud.databricks.com")
        .env("DATABRICKS_AUTH_TYPE", "external-browser")
        .run()
        .fails(
            4,
            &[
                "not logged in to https://x.cloud.databricks.com",
                "brick auth login --host https://x.cloud.databricks.com",
            ],
        );
}

#[test]
fn a_file_of_authorities_is_read_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    workspace.brick("whoami --ca-file nowhere.pem").run().fails(3, &["nowhere.pem"]);
    workspace
        .brick("whoami --ca-file empty.pem")
        .file("empty.pem", "")
        .run()
        .fails(3, &["no certificate", "hint: "]);
    assert!(workspace.requests("GET", "/").is_empty());
}

#[test]
fn a_proxy_is_named_without_its_password_and_is_what_is_connected_to() {
    let closed = ClosedPort::reserve();
    let proxy = closed.authority();
    let brick = |arguments: &str| {
        Brick::new(arguments)
            .env("DATABRICKS_HOST", "https://adb-1.example.test")
            .env("DATABRICKS_TOKEN", PLANTED)
            .env("HTTPS_PROXY", format!("http://bob:{PLANTED}@{proxy}"))
    };
    let ran = keeps_the_secret(brick("doctor -o table").run().exits(7, &["the first fault is in tcp"]));
    assert!(
        ran.text().contains(&format!("http://{proxy}, with a user (set: HTTPS_PROXY)")),
        "{}",
        ran.text()
    );
    keeps_the_secret(brick("whoami -vv").run().fails(7, &["refused", "proxy settings"]));
    // The name is known to nobody, so it fails before anything is sent.
    let direct = brick("whoami").env("NO_PROXY", ".example.test").run();
    keeps_the_secret(direct.fails(7, &["https://adb-1.example.test: DNS: "]));
}

#[test]
fn keys_without_effect_are_named_by_show_and_doctor() {
    let closed = ClosedPort::reserve();
    let file = format!(
        "[p]\nhost = {}\ntoken = {PLANTED}\ninsecure = true\nhttp_path = /sql/1.0/warehouses/0123456789abcdef\nold = {PLANTED}\n",
        closed.authority()
    );
    let brick = |arguments: &str| Brick::new(arguments).args("-p p").file(".databrickscfg", &file);
    let shown = keeps_the_secret(brick("config show -o table").run().done());
    let line = |name: &str| {
        let found = shown.text().lines().find(|line| line.starts_with(name));
        found.unwrap_or_else(|| panic!("{name}: {}", shown.text())).to_owned()
    };
    assert!(line("insecure").contains("certificates are always verified"), "{}", shown.text());
    assert!(line("old").contains("there is no setting of this name"), "{}", shown.text());
    assert!(line("warehouse_id").contains("0123456789abcdef"), "{}", shown.text());
    let doctor = keeps_the_secret(brick("doctor").run());
    assert!(doctor.text().contains("ignored: insecure = true"), "{}", doctor.text());
    assert!(doctor.text().contains("ignored: old = ***"), "{}", doctor.text());
}

#[test]
fn a_profile_chooses_the_cluster_and_the_warehouse() {
    let workspace = Workspace::fresh();
    let file = |lines: &str| {
        format!("[p]\nhost = {}\ntoken = {}\n{lines}", workspace.sandbox.url(), workspace.token)
    };
    let both = file(&format!(
        "cluster_id = {RUNNING_CLUSTER}\nhttp_path = /sql/1.0/warehouses/{RUNNING_WAREHOUSE}\n"
    ));
    let brick = |arguments: &str, file: &str| Brick::new(arguments).args("-p p").file(".databrickscfg", file);
    for (arguments, expected) in [
        ("run print(6*7)", "42"),
        ("clusters get", RUNNING_CLUSTER),
        ("warehouses get -o json", RUNNING_WAREHOUSE),
        ("sql -o csv SELECT", "42"),
    ] {
        let brick = brick(arguments.trim_end_matches("SELECT"), &both);
        let brick = if arguments.ends_with("SELECT") { brick.arg("SELECT 42 AS n") } else { brick };
        // A profile that is named comes before the environment.
        let brick = brick.env("DATABRICKS_CLUSTER_ID", "0000-000000-nothing1");
        let ran = brick.env("DATABRICKS_WAREHOUSE_ID", "0000000000000000").run().done();
        assert!(ran.text().contains(expected), "{arguments}: {}", ran.printed());
    }
    let sent = || workspace.requests("GET", "/").len() + workspace.requests("POST", "/").len();
    let before = sent();
    let serverless = file("serverless_compute_id = auto\n");
    for arguments in ["run x", "contexts create", "commands status --context 1 2", "clusters get"] {
        let ran = brick(arguments, &serverless).run();
        let ran = ran.fails(3, &["need a classic cluster", "DATABRICKS_CLUSTER_ID"]);
        assert!(ran.printed().contains("serverless_compute_id = auto (profile p in "), "{}", ran.printed());
    }
    brick("run x", &file("")).run().fails(3, &["no cluster given", "DATABRICKS_CLUSTER_ID"]);
    brick("warehouses get", &file("")).run().fails(3, &["no warehouse given", "DATABRICKS_WAREHOUSE_ID"]);
    assert_eq!(sent(), before, "nothing is sent");
}

#[test]
fn a_token_that_is_a_word_does_not_garble_messages() {
    let body = br#"{"error_code":"BAD_REQUEST","message":"the text box next to databricks dev is empty"}"#;
    let server = Server::answering(&[(400, "application/json", body)]);
    for token in ["x", "dev", "text", "databricks"] {
        let brick = |arguments: &str| server.brick(arguments).env("DATABRICKS_TOKEN", token);
        let ran = brick("clusters list").run();
        ran.fails(6, &["the text box next to databricks dev is empty"]);
        // In its known places it is masked all the same.
        let shown = brick("config show -o json").run().done().json();
        let attributes = shown["attributes"].as_array().unwrap();
        assert!(attributes.iter().any(|a| a["name"] == "token" && a["value"] == "***"), "{shown}");
        let debug = brick("clusters list --debug").run();
        assert!(!debug.stderr.contains(&format!("Bearer {token}")), "{}", debug.stderr);
        assert!(debug.stderr.contains("authorization: ***"), "{}", debug.stderr);
        let curl = brick("api GET /2.0/x --dry-run").run().done();
        assert!(!curl.text().contains(&format!("Bearer {token}")), "{}", curl.text());
    }
}

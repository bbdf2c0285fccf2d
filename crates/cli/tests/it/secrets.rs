//! Secrets: stored and read byte by byte, and never seen.

use serde_json::json;

use crate::workspace::Workspace;

const PUT: &str = "/api/2.0/secrets/put";

#[test]
fn a_value_comes_from_a_file_or_a_pipe_and_goes_to_a_pipe() {
    let workspace = Workspace::fresh();
    workspace.brick("secrets create-scope etl").run().done().silent();
    workspace.brick("secrets create-scope etl").run().fails(6, &["already exists"]);
    workspace.brick("secrets put etl text").stdin("hush é").run().done().silent();
    workspace.brick("secrets put etl bytes --file f").file("f", b"\0\xff").run().done().silent();
    let noted = workspace.brick("secrets put etl line").stdin("hush\n").run().done();
    let noted = noted.says(&["line break"]);
    assert!(!noted.printed().contains("hush"), "{}", noted.printed());
    let raw =
        |key: &str| workspace.brick(&format!("secrets get etl {key} --raw")).run().done().silent().stdout;
    assert_eq!(
        (raw("text"), raw("bytes"), raw("line")),
        ("hush é".into(), b"\0\xff".into(), b"hush\n".into())
    );
    let got = workspace.brick("secrets get etl bytes").run().done().silent().json();
    assert_eq!(got, json!({ "key": "bytes", "value": "AP8=" }));
    let listed = workspace.brick("secrets list etl -o csv").run().done().silent();
    let keys: Vec<_> = listed.text().lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(keys, ["bytes", "line", "text"]);
    let scopes = workspace.brick("secrets scopes -o csv").run().done().silent();
    assert_eq!(scopes.text().replace("\r\n", "\n"), "NAME,BACKEND\netl,DATABRICKS\n");
    workspace.brick("secrets delete etl text").run().done();
    workspace.brick("secrets get etl text").run().fails(5, &["Secret does not exist"]);
    workspace.brick("secrets delete-scope etl").run().done();
    workspace.brick("secrets list etl").run().fails(5, &["Scope etl does not exist"]);
}

#[test]
fn permissions_are_granted_and_revoked() {
    let workspace = Workspace::fresh();
    workspace.brick("secrets create-scope s --managed-by-users").run().done();
    let granted = workspace.brick("secrets put-acl s ada read").run().done().silent().json();
    assert_eq!(granted["permission"], "READ");
    let acls = workspace.brick("secrets acls s -o csv").run().done().silent();
    assert_eq!(acls.text().replace("\r\n", "\n"), "PRINCIPAL,PERMISSION\nada,READ\nusers,MANAGE\n");
    workspace.brick("secrets delete-acl s ada").run().done();
    workspace.brick("secrets delete-acl s ada").run().fails(5, &["ada"]);
}

#[test]
fn a_value_is_in_no_log_and_a_lost_answer_is_repeated() {
    let workspace = Workspace::fresh();
    workspace.brick("secrets create-scope s").run().done();
    workspace.fault("POST /api/2.0/secrets/put: after reset times 1");
    let value = "S3CR3T-0123456789";
    let ran = workspace.brick("secrets put s k --debug").stdin(value).run().done();
    assert_eq!(workspace.requests("POST", PUT).len(), 2);
    assert!(ran.stderr.contains("secrets/put") && !ran.printed().contains(value), "{}", ran.printed());
    let ran = workspace.brick("secrets get s k --debug").run().done();
    let encoded = ran.json()["value"].as_str().unwrap().to_owned();
    assert!(!ran.stderr.contains(value) && !ran.stderr.contains(&encoded), "{}", ran.stderr);
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    for (line, stdin, words) in [
        ("secrets put s k hush", "", "unexpected argument"),
        ("secrets put s k", "", "empty"),
        ("secrets put s a/b", "x", "not a name"),
        ("secrets create-scope a:b", "", "not a name"),
        ("secrets put-acl s ada all", "", "all"),
        ("secrets list", "", "SCOPE"),
    ] {
        workspace.brick(line).stdin(stdin).run().fails(2, &[words]);
    }
    let long = "x".repeat((128 << 10) + 1);
    workspace.brick("secrets put s k").stdin(long).run().fails(2, &["longer than 128 KB"]);
    workspace.brick("secrets put s k --file none").run().fails(3, &["none"]);
    assert!(workspace.sandbox.requests_of(&workspace.token).is_empty());
}

#[cfg(unix)]
#[test]
fn a_terminal_neither_shows_a_value_nor_takes_one() {
    use crate::terminal::on_terminal;
    let workspace = Workspace::fresh();
    workspace.brick("secrets create-scope s").run().done();
    workspace.brick("secrets put s k").stdin("hush").run().done();
    let before = workspace.sandbox.requests_of(&workspace.token).len();
    let shown = on_terminal("1", workspace.brick("secrets get s k")).run();
    shown.exits(2, &["not shown on a terminal", "hint: add --raw"]);
    on_terminal("0", workspace.brick("secrets put s k")).run().exits(2, &["no value given", "--file"]);
    assert_eq!(workspace.sandbox.requests_of(&workspace.token).len(), before);
    assert_eq!(on_terminal("1", workspace.brick("secrets get s k --raw")).run().done().text(), "hush");
}

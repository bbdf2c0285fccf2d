//! What people get wrong: the error names the value and the remedy, and nothing is sent that shouldn't be.

use brickwire_sandbox::{Delays, Sandbox};

use crate::{program::Brick, scripted::Server, workspace::Workspace};

fn with_host(host: &str) -> Brick {
    Brick::new("whoami").env("DATABRICKS_HOST", host).env("DATABRICKS_TOKEN", "dapi-S3CR3T")
}

#[test]
fn a_long_message_is_cut_and_says_so() {
    let long = |name: &str| {
        let id = "0123-456789-abcdefgh";
        serde_json::json!({ "cluster_id": id, "state": "PENDING", name: "m".repeat(900_000) })
    };
    let error =
        serde_json::json!({ "error_code": "X".repeat(90_000), "message": "m".repeat(900_000) }).to_string();
    let server = Server::answering(&[(400, "application/json", error.as_bytes())]);
    for line in
        ["clusters list", "clusters list -o json", "clusters list -v", "sql -w 0123456789abcdef SELECT"]
    {
        let ran = server.brick(line).run().fails(6, &["…"]);
        assert!((1000..30_000).contains(&ran.stderr.len()), "{line}: {}", ran.stderr.len());
    }
    let server = Server::json(&long("state_message").to_string());
    let ran = server.brick("clusters wait 0123-456789-abcdefgh --timeout 3s").run().fails(9, &["(cut: "]);
    assert!(ran.stderr.len() < 30_000, "{}", ran.stderr.len());
}

#[test]
fn a_missing_host_or_credential() {
    let ran = Brick::new("clusters list").run();
    ran.fails(3, &["no host", "hint: run `brick configure`", "DATABRICKS_HOST", "--sandbox"]);
    let ran = Brick::new("clusters list").env("DATABRICKS_TOKEN", "dapi-S3CR3T").run();
    let ran = ran.fails(3, &["no host", "hint: run `brick configure`"]);
    assert!(!ran.stderr.contains("S3CR3T"), "{}", ran.stderr);
    let ran = Brick::new("clusters list").env("DATABRICKS_HOST", "https://x.cloud.databricks.com").run();
    let ran = ran.fails(3, &["no credential", "hint: set DATABRICKS_TOKEN", "DATABRICKS_CLIENT_ID"]);
    assert!(ran.stderr.contains("https://x.cloud.databricks.com"), "{}", ran.stderr);
    // Half a service principal is none.
    let brick = Brick::new("clusters list").env("DATABRICKS_HOST", "https://x.cloud.databricks.com");
    brick.env("DATABRICKS_CLIENT_ID", "id").run().fails(3, &["hint: "]);
    // A blank is as good as nothing.
    with_host(" ").run().fails(3, &["no host"]);
    with_host("https://x.cloud.databricks.com")
        .env("DATABRICKS_TOKEN", "")
        .run()
        .fails(3, &["no credential"]);
}

#[test]
fn a_malformed_host() {
    for (host, words) in [
        ("x.com@evil.example", ["user information", "@evil.example"]),
        ("https://user:S3CR3T@x.cloud.databricks.com", ["user information", "@x.cloud.databricks.com"]),
        ("http://example.com", ["https", "http://example.com"]),
        ("http://10.0.0.1", ["https", "http://10.0.0.1"]),
        ("ftp://example.com", ["https", "ftp://example.com"]),
        ("my host.example.com", ["host", "my host.example.com"]),
        ("https://", ["host", "https://"]),
        ("https:// x.com", ["host", "x.com"]),
        ("x.com\n.evil.example", ["host", "evil.example"]),
    ] {
        let ran = with_host(host).run().fails(3, &words);
        let ran = ran.says(&["DATABRICKS_HOST", "hint: give the workspace's address"]);
        assert!(!ran.stderr.contains("S3CR3T"), "{}", ran.stderr);
        let ran = Brick::new("whoami").env("DATABRICKS_TOKEN", "dapi-S3CR3T").arg("--host").arg(host).run();
        ran.fails(3, &words);
    }
}

#[test]
fn two_hosts_and_one_token() {
    let ran =
        with_host("https://a.cloud.databricks.com").arg("--host").arg("https://b.cloud.databricks.com").run();
    ran.fails(3, &["https://a.cloud.databricks.com", "https://b.cloud.databricks.com", "hint: "]);
}

#[test]
fn a_blank_flag_is_not_an_absent_one() {
    let workspace = Workspace::fresh();
    for blank in ["", " "] {
        workspace.brick("whoami --host").arg(blank).run().fails(2, &["--host"]);
        workspace.brick("whoami --profile").arg(blank).run().fails(2, &["--profile"]);
    }
    assert!(workspace.requests("GET", "/").is_empty());
}

#[test]
fn empty_ids_and_dots() {
    let workspace = Workspace::fresh();
    for id in ["", " "] {
        for command in ["clusters get", "clusters start", "clusters restart", "clusters terminate"] {
            workspace.brick(command).arg(id).run().fails(2, &["cluster", "empty"]);
        }
        for command in ["warehouses get", "warehouses start", "warehouses stop"] {
            workspace.brick(command).arg(id).run().fails(2, &["warehouse", "empty"]);
        }
        workspace.brick("contexts create -c").arg(id).run().fails(2, &["cluster", "empty"]);
        workspace.sql("-w", id).arg("SELECT 1").run().fails(2, &["warehouse", "empty"]);
    }
    for command in ["get", "cancel", "wait"] {
        for (id, word) in [("", "statement"), ("..", "\"..\""), (".", "\".\"")] {
            workspace.brick(&format!("statements {command}")).arg(id).run().fails(2, &["statement", word]);
        }
    }
    workspace.brick("contexts status -c 0710-090000-anlyt1cs").arg("").run().fails(2, &["context", "empty"]);
    let execute = "commands execute -c 0710-090000-anlyt1cs --context";
    workspace.brick(execute).arg("").arg("1").run().fails(2, &["context", "empty"]);
    let status = "commands status -c 0710-090000-anlyt1cs --context 1";
    workspace.brick(status).arg("").run().fails(2, &["command", "empty"]);
    assert!(workspace.requests("POST", "/").is_empty());
    // Dots are no name and no id, and never a way to another path.
    for command in ["clusters get ..", "warehouses get ..", "warehouses get ../clusters"] {
        workspace.brick(command).run().fails(5, &["..", "hint: there are: "]);
    }
    let paths: Vec<_> = workspace.requests("GET", "/").into_iter().map(|request| request.path).collect();
    assert!(paths.iter().all(|path| !path.contains("..")), "{paths:?}");
}

#[test]
fn empty_code_and_statements() {
    let workspace = Workspace::fresh();
    for blank in ["", " \n"] {
        workspace.sql("", blank).run().fails(2, &["statement is empty"]);
        workspace.brick("sql").stdin(blank).run().fails(2, &["statement is empty"]);
        workspace.brick("run -c shared-analytics").arg(blank).run().fails(2, &["code is empty"]);
        let execute = workspace.brick("commands execute -c shared-analytics --context 1").arg(blank);
        execute.run().fails(2, &["code is empty"]);
    }
    assert!(workspace.requests("POST", "/").is_empty());
}

#[test]
fn an_unknown_warehouse_or_cluster() {
    let workspace = Workspace::fresh();
    for command in ["get", "start", "restart", "terminate"] {
        let ran = workspace.brick(&format!("clusters {command} 0000-000000-nobodyyy")).run();
        ran.fails(5, &["0000-000000-nobodyyy", "does not exist"]);
        let ran = workspace.brick(&format!("clusters {command} nobody")).run();
        ran.fails(5, &["\"nobody\"", "hint: there are: ", "shared-analytics"]);
    }
    for command in ["get", "start", "stop"] {
        let ran = workspace.brick(&format!("warehouses {command} 0000000000000000")).run();
        ran.fails(5, &["0000000000000000", "does not exist"]);
        let ran = workspace.brick(&format!("warehouses {command} nobody")).run();
        ran.fails(5, &["\"nobody\"", "hint: there are: ", "Reporting"]);
    }
    workspace.sql("-w 0000000000000000", "SELECT 1").run().fails(5, &["0000000000000000"]);
    workspace.brick("contexts create -c nobody").run().fails(5, &["\"nobody\""]);
    workspace.brick("contexts status -c shared-analytics 77").run().fails(5, &["77"]);
    let ran = workspace.brick("statements get 01f00000-0000-1000-8000-000000000000").run();
    ran.fails(5, &["01f00000-0000-1000-8000-000000000000"]);
}

#[test]
fn a_statement_that_fails() {
    let workspace = Workspace::fresh();
    for (format, statement, words) in [
        ("table", "SELEC 1", ["PARSE_SYNTAX_ERROR", "SELEC"]),
        ("csv", "SELECT nope", ["UNRESOLVED_COLUMN", "nope"]),
        ("jsonl", "SELECT * FROM nowhere", ["TABLE_OR_VIEW_NOT_FOUND", "nowhere"]),
        ("json", "SELECT 1/0", ["DIVIDE_BY_ZERO", "zero"]),
    ] {
        workspace.sql(&format!("-o {format}"), statement).run().fails(8, &words);
    }
}

#[test]
fn data_and_form_both_given() {
    let server = Server::json("{}");
    let run = |arguments: &str| server.brick(&format!("api POST /2.0/x {arguments}")).file("f", "1").run();
    run("--data a --form b=c").fails(2, &["--data", "--form"]);
    run("--data a --file b=f").fails(2, &["--data", "--file"]);
    run("--form b").fails(2, &["'b'", "KEY=VALUE"]);
    assert!(server.sent().is_empty());
}

#[test]
fn a_negative_or_senseless_timeout() {
    let workspace = Workspace::fresh();
    for timeout in ["-5s", "-5", "0s", "0", "soon", "5x", ""] {
        for command in ["api GET /2.1/clusters/list", "clusters start nightly-etl", "sql"] {
            let ran = workspace.brick(command).arg("--timeout").arg(timeout).run();
            ran.fails(2, &[&format!("'{timeout}'"), "--timeout"]);
            let ran = workspace.brick(command).arg(format!("--timeout={timeout}")).run();
            ran.fails(2, &[&format!("'{timeout}'"), "--timeout"]);
        }
    }
    assert!(workspace.requests("GET", "/").is_empty() && workspace.requests("POST", "/").is_empty());
}

#[test]
fn a_header_with_a_line_break() {
    let server = Server::json("{}");
    for header in ["X-A: a\r\nX-Evil: b", "X-A: a\nb", "X A: b", ": b", "no colon", "Host: evil"] {
        let ran = server.brick("api GET /2.0/x -H").arg(header).run();
        ran.fails(2, &["header"]);
    }
    assert!(server.sent().is_empty());
}

#[test]
fn a_body_that_is_not_json() {
    let server = Server::answering(&[(200, "text/plain", b"fine, thanks")]);
    server.brick("api GET /2.0/x").run().fails(1, &["JSON", "hint: ", "text"]);
    server.brick("clusters list").run().fails(1, &["cannot decode", "line 1", "hint: "]);
    server.brick("warehouses get 0123456789abcdef").run().fails(1, &["cannot decode", "line 1", "hint: "]);
}

#[test]
fn a_page_instead_of_json() {
    let workspace = Workspace::fresh();
    workspace.fault("*: login");
    for command in ["whoami", "clusters list", "clusters get x", "warehouses list", "api GET /2.0/x"] {
        let ran = workspace.brick(command).run().fails(1, &["HTML", workspace.sandbox.url(), "hint: "]);
        assert!(!ran.stderr.contains("<html"), "{}", ran.stderr);
    }
    // What answered may have passed the statement on.
    workspace
        .sql("-w 4f1c8a3be02d7719", "SELECT 1")
        .run()
        .fails(7, &["outcome unknown", "HTML", "check the host"]);
    let workspace = Workspace::fresh();
    workspace.fault("*: html 404");
    let ran = workspace.brick("whoami").run().fails(5, &["404"]);
    assert!(!ran.stderr.contains("<html"), "{}", ran.stderr);
}

#[test]
fn a_result_that_cannot_be_fetched_leaves_no_half_output() {
    for format in ["table", "csv", "jsonl", "json"] {
        // Links belong to no workspace.
        let workspace =
            Workspace::alone(Sandbox::builder().with_delays(Delays::NONE).with_fault("/results/*: 403"));
        let ran = workspace.sql(&format!("-o {format}"), "SELECT id FROM range(5)").run();
        ran.fails(7, &["chunk 0", "403"]);
    }
}

#[test]
#[cfg(unix)]
fn what_never_ends_is_refused() {
    let server = Server::json("{}");
    for line in [
        "sql -w 0123456789abcdef -f /dev/zero",
        "run -c 0123-456789-abcdefgh -f /dev/zero",
        "api POST /2.0/x --input /dev/zero",
        "api POST /2.0/x -d @/dev/zero",
        "api POST /2.0/x --file a=/dev/zero",
        "api POST /2.0/x -F a=@/dev/zero",
        "api POST /2.0/x -d @/dev/urandom",
    ] {
        server.brick(line).run().fails(3, &["this is a device, not a file: /dev/"]);
    }
    // From a pipe, one byte too many.
    let long = vec![b' '; (16 << 20) + 1];
    for (line, name) in [
        ("sql -w 0123456789abcdef", "standard input"),
        ("sql -w 0123456789abcdef -", "standard input"),
        ("run -c 0123-456789-abcdefgh -f /dev/stdin", "/dev/stdin"),
    ] {
        let ran = server.brick(line).stdin(long.clone()).run();
        ran.fails(3, &[&format!("the input is larger than 16 MiB: {name}")]);
    }
    assert!(server.sent().is_empty());
}

#[test]
#[cfg(unix)]
fn pipes_and_the_null_device_are_read() {
    let server = Server::json("{}");
    server.brick("api POST /2.0/x --input /dev/null").run().done();
    for (redirection, sent) in
        [("<(echo 1)", "1\n"), ("/dev/stdin < <(echo 2)", "2\n"), ("- < <(echo 3)", "3\n")]
    {
        let shell = server
            .brick("api POST /2.0/x --input")
            .behind("bash", &["-c", &format!("\"$@\" {redirection}"), "bash"]);
        shell.run().done();
        assert_eq!(String::from_utf8_lossy(&server.sent().last().unwrap().body), sent);
    }
}

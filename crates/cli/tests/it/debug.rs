//! `--debug` on every action: requests and responses on stderr, and no secret in anything that is printed.

use brickwire_sandbox::{
    Delays, Sandbox,
    seed::{RUNNING_CLUSTER, RUNNING_WAREHOUSE, STOPPED_WAREHOUSE},
};

use crate::{
    program::{Brick, Ran},
    scripted::Server,
    workspace::Workspace,
};

#[track_caller]
fn shows(ran: &Ran, request: &str, secrets: &[&str]) {
    for part in [&format!("> {request}"), "authorization: ***", "< 200"] {
        assert!(ran.stderr.contains(part), "no {part:?}: {}", ran.stderr);
    }
    hides(ran, secrets);
}

#[track_caller]
fn hides(ran: &Ran, secrets: &[&str]) {
    let printed = ran.printed();
    for secret in secrets.iter().chain(&["X-Amz-Signature=", "Bearer "]) {
        let at =
            printed.find(secret).map(|at| &printed[at.saturating_sub(200)..(at + 20).min(printed.len())]);
        assert_eq!(at, None, "{secret}");
    }
}

#[test]
fn every_action_shows_its_traffic_and_no_token() {
    let workspace = Workspace::fresh();
    let host = workspace.sandbox.url();
    let debug = |arguments: &str| workspace.brick(&format!("{arguments} --debug"));
    let check = |brick: Brick, code: i32, request: &str| {
        let ran = brick.run().exits(code, &[]);
        shows(&ran, &request.replacen(' ', &format!(" {host}"), 1), &[&workspace.token]);
        ran
    };
    check(debug("whoami"), 0, "GET /api/2.0/preview/scim/v2/Me");
    check(debug("clusters list"), 0, "GET /api/2.1/clusters/list");
    check(debug("clusters get shared-analytics"), 0, "GET /api/2.1/clusters/get");
    check(debug("clusters node-types"), 0, "GET /api/2.1/clusters/list-node-types");
    check(debug("clusters start nightly-etl --no-wait"), 0, "POST /api/2.1/clusters/start");
    check(debug("clusters restart shared-analytics"), 0, "POST /api/2.1/clusters/restart");
    check(debug("warehouses list"), 0, "GET /api/2.0/sql/warehouses");
    check(debug(&format!("warehouses get {RUNNING_WAREHOUSE}")), 0, "GET /api/2.0/sql/warehouses/4f1c");
    check(
        debug(&format!("warehouses start --no-wait {STOPPED_WAREHOUSE}")),
        0,
        "POST /api/2.0/sql/warehouses/8d20",
    );
    check(debug("sql -w 4f1c8a3be02d7719").arg("SELECT 1"), 0, "POST /api/2.0/sql/statements");
    check(debug("sql -w 4f1c8a3be02d7719").arg("SELECT nope"), 8, "POST /api/2.0/sql/statements");
    let created = check(debug("contexts create -c shared-analytics"), 0, "POST /api/1.2/contexts/create");
    let context = created.json()["id"].as_str().unwrap().to_owned();
    let execute = format!("commands execute -c {RUNNING_CLUSTER} --context {context}");
    let done = check(debug(&execute).arg("print(1)"), 0, "POST /api/1.2/commands/execute").json();
    let command = done["id"].as_str().unwrap().to_owned();
    let status = format!("commands status -c {RUNNING_CLUSTER} --context {context} {command}");
    check(debug(&status), 0, "GET /api/1.2/commands/status");
    check(debug("api GET /2.0/clusters/list"), 0, "GET /api/2.0/clusters/list");
    check(debug("warehouses stop").arg(RUNNING_WAREHOUSE), 0, "POST /api/2.0/sql/warehouses/4f1c");
    check(debug("clusters terminate shared-analytics"), 0, "POST /api/2.1/clusters/delete");
}

#[test]
fn without_it_there_is_no_traffic_on_stderr() {
    let workspace = Workspace::fresh();
    workspace.brick("clusters list").run().done().silent();
    let ran = workspace.brick("clusters list -v").run().done().says(&["clusters_list", "status=200"]);
    assert!(!ran.stderr.contains("cluster_name"), "{}", ran.stderr);
    let ran = workspace.brick("clusters list -vv").run().done().says(&["cluster_name"]);
    hides(&ran, &[&workspace.token]);
}

#[test]
fn a_client_secret_and_the_token_for_it_are_masked() {
    let workspace = Workspace::fresh();
    let (id, secret) = workspace.sandbox.fresh_client();
    for (arguments, code) in
        [("whoami --debug", 0), ("api GET /2.0/nowhere --debug", 5), ("whoami -vv -o json", 0)]
    {
        let ran = Brick::new(arguments)
            .env("DATABRICKS_HOST", workspace.sandbox.url())
            .env("DATABRICKS_CLIENT_ID", &id)
            .env("DATABRICKS_CLIENT_SECRET", &secret)
            .run()
            .exits(code, &["authorization: ***"]);
        hides(&ran, &[&secret, "access_token\":\"e", "eyJ"]);
    }
}

#[test]
fn presigned_links_are_masked() {
    let builder = Sandbox::builder().with_delays(Delays::NONE).with_chunk_bytes(2000).with_link_headers();
    let workspace = Workspace::alone(builder);
    let statement = "SELECT id, repeat('x', 50) AS x FROM range(500)";
    let ran = workspace.sql("--debug -o csv", statement).run().done();
    assert_eq!(ran.text().lines().count(), 501);
    hides(&ran, &[&workspace.token]);
    let body = format!(
        r#"{{"warehouse_id":"{RUNNING_WAREHOUSE}","statement":"{statement}","disposition":"EXTERNAL_LINKS",
            "format":"JSON_ARRAY","wait_timeout":"30s"}}"#
    );
    // A raw request's data is the service's answer, links and all; the log of it is not.
    let ran = workspace.brick("api POST /2.0/sql/statements --debug -d").arg(&body).run().done();
    assert!(ran.text().contains("X-Amz-Signature="), "{}", ran.text());
    let signature = ran.text().split("X-Amz-Signature=").nth(1).unwrap();
    let signature: String = signature.chars().take_while(char::is_ascii_alphanumeric).collect();
    assert!(signature.len() > 8 && !ran.stderr.contains(&signature), "{}", ran.stderr);
    assert!(ran.stderr.contains("external_links"), "{}", ran.stderr);
    // A link that fails is told without its signature.
    workspace.sandbox.fault("/results/*: 400").unwrap();
    let ran = workspace.sql("--debug", statement).run();
    hides(&ran, &[&workspace.token]);
}

#[test]
fn errors_hold_no_token_even_where_the_service_repeats_it() {
    let workspace = Workspace::fresh();
    let token = &workspace.token;
    for options in ["", "--debug", "-o json", "-vv"] {
        workspace.fault(&format!("*: times 1 403 code=PERMISSION_DENIED message=\"token {token} is bad\""));
        let ran = workspace.brick("clusters list").arg("-q").args(options).run().fails(4, &[]);
        hides(&ran, &[token]);
        workspace.fault("*: times 1 reset");
        workspace.fault("*: times 1 400");
        let ran = workspace.brick("clusters list").args(options).run();
        hides(&ran, &[token]);
    }
    for arguments in ["api GET https://evil.example/x", "whoami -p nowhere", "whoami --host http://x.example"]
    {
        hides(&workspace.brick(arguments).run(), &[token]);
    }
}

#[test]
fn secrets_in_bodies_headers_and_addresses_are_masked_in_the_log() {
    let server = Server::json(r#"{"token_value":"dapiS3CR3T","token_info":{"comment":"kept"}}"#);
    let ran = server
        .brick("api POST /2.0/token/create --debug --query sig=S3CR3T -H")
        .arg("X-Api-Key: S3CR3T")
        .arg("-d")
        .arg(r#"{"password":"S3CR3T","comment":"kept too"}"#)
        .run()
        .done()
        .says(&["kept", "kept too"]);
    assert!(!ran.stderr.contains("S3CR3T"), "{}", ran.stderr);
    // What was asked for is data, and whole.
    assert_eq!(ran.json()["token_value"], "dapiS3CR3T");
    let ran = server.brick("api POST /2.0/x --debug --form password=S3CR3T").run().done();
    assert!(!ran.stderr.contains("S3CR3T"), "{}", ran.stderr);
}

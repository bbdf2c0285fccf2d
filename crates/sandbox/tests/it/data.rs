//! A workspace in a directory: what the next sandbox finds, and what it refuses.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use brickwire_sandbox::seed::{IMPORT_JOB, REPORT_JOB, RUNNING_WAREHOUSE, TRIPS_PIPELINE};
use brickwire_sandbox::{Clock, Delays, Sandbox, SandboxBuilder};
use serde_json::{Value, json};

use crate::client::{Client, start_slow, start_with};
use crate::program::{home, program, says};

fn builder(directory: &Path) -> SandboxBuilder {
    Sandbox::builder().with_data(directory)
}

/// The rows that a statement answers.
async fn sql(client: &Client, statement: &str) -> Value {
    let request = json!({ "warehouse_id": RUNNING_WAREHOUSE, "statement": statement, "wait_timeout": "30s" });
    let answer = client.posted("/api/2.0/sql/statements", request).await;
    assert_eq!(answer["status"]["state"], "SUCCEEDED", "{statement}: {answer}");
    answer["result"]["data_array"].clone()
}

fn entries(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What a sandbox refuses a directory with.
async fn refusal(directory: &Path) -> (ErrorKind, String) {
    let error = builder(directory).start().await.map(drop).unwrap_err();
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn a_restart_keeps_credentials_and_tables() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("new/workspace");
    let (sandbox, client) = start_with(builder(&directory)).await;
    let known = |sandbox: &Sandbox| {
        [sandbox.token(), sandbox.client_id(), sandbox.client_secret()].map(str::to_owned)
    };
    let (first, url) = (known(&sandbox), sandbox.url().to_owned());
    for statement in [
        "CREATE TABLE Prices (`Item` STRING NOT NULL, price DECIMAL(10,2) DEFAULT 9.99, tags ARRAY<STRING>, \
         since TIMESTAMP DEFAULT current_timestamp(), note STRING DEFAULT 'it''s')",
        "INSERT INTO prices (item, price, tags) VALUES ('a', 1.50, array('x', NULL)), ('b', NULL, NULL)",
        "CREATE CATALOG other",
        "CREATE SCHEMA other.`of/it`",
        "DROP SCHEMA other.default",
        "CREATE VIEW other.`of/it`.dear AS SELECT * FROM first WHERE price > 1",
    ] {
        if statement.contains("FROM first") {
            // A view of a view that comes after it in the order of names.
            sql(&client, "CREATE VIEW first AS SELECT Item, price FROM prices").await;
            sql(&client, &statement.replace("first", "main.default.first")).await;
        } else {
            sql(&client, statement).await;
        }
    }
    sql(&client, "CREATE TABLE gone AS SELECT 1 AS n").await;
    sandbox.save().await.unwrap();
    sql(&client, "DROP TABLE gone").await;
    sql(&client, "INSERT INTO prices (item) VALUES ('c')").await;
    sql(&client, "UPDATE prices SET price = 2 WHERE item = 'b'").await;
    let stranger = Client::new(&sandbox, &sandbox.fresh_token());
    sql(&stranger, "CREATE TABLE elsewhere AS SELECT 1 AS n").await;
    let everything = "SELECT Item, price, tags, note, since IS NULL FROM prices ORDER BY Item";
    let rows = sql(&client, everything).await;
    assert_eq!(rows[2], json!(["c", "9.99", null, "it's", "false"]));
    drop(sandbox);
    // Of the table that is gone, nothing is left.
    assert_eq!(entries(&directory.join("tables")).len(), 2);

    let (sandbox, client) = start_with(builder(&directory)).await;
    assert_eq!(known(&sandbox), first);
    let port = url.strip_prefix("http://").unwrap();
    assert!(
        sandbox.url() == url || TcpListener::bind(port).is_err(),
        "the same port, unless another test has it"
    );
    assert_eq!(sql(&client, everything).await, rows);
    assert_eq!(sql(&client, "SHOW TABLES IN main.default").await.as_array().unwrap().len(), 2);
    assert_eq!(sql(&client, "SHOW SCHEMAS IN other").await, json!([["of/it"]]));
    let before = entries(&directory.join("tables"));
    sql(&client, "INSERT INTO prices (item) VALUES ('d')").await;
    let dear = sql(&client, "SELECT Item, price FROM other.`of/it`.dear ORDER BY 1").await;
    assert_eq!(dear, json!([["a", "1.50"], ["b", "2.00"], ["c", "9.99"], ["d", "9.99"]]));
    sandbox.save().await.unwrap();
    let after = entries(&directory.join("tables"));
    assert_ne!(before, after);
    // Nothing has changed since.
    sandbox.save().await.unwrap();
    assert_eq!(entries(&directory.join("tables")), after);

    // Another token opens the same workspace, and another port does, too, if its own is taken.
    let port = sandbox.url().strip_prefix("http://").unwrap().to_owned();
    drop(sandbox);
    let _taken = TcpListener::bind(&port);
    let (sandbox, client) = start_with(builder(&directory).with_token("dapi-of-mine")).await;
    assert_eq!(sandbox.token(), "dapi-of-mine");
    assert_ne!(sandbox.url(), format!("http://{port}"));
    assert_eq!(sql(&client, "SELECT count(*) FROM prices").await, json!([["4"]]));
}

#[tokio::test]
async fn a_view_of_what_is_gone_comes_back_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, client) = start_with(builder(folder.path())).await;
    sql(&client, "CREATE TABLE base AS SELECT 1 AS n").await;
    sql(&client, "CREATE VIEW shown AS SELECT n + 1 AS n FROM base").await;
    sql(&client, "DROP TABLE base").await;
    drop(sandbox);
    let (sandbox, client) = start_with(builder(folder.path())).await;
    assert_eq!(sql(&client, "SHOW VIEWS").await, Value::Null);
    sql(&client, "CREATE TABLE base AS SELECT 5 AS n").await;
    drop(sandbox);
    let (_sandbox, client) = start_with(builder(folder.path())).await;
    assert_eq!(sql(&client, "SELECT n FROM shown").await, json!([["6"]]));
}

#[tokio::test]
async fn a_table_without_rows_keeps_its_latest_columns() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, client) = start_with(builder(folder.path())).await;
    sql(&client, "CREATE TABLE empty (a INT)").await;
    sandbox.save().await.unwrap();
    sql(&client, "CREATE OR REPLACE TABLE empty (b STRING)").await;
    drop(sandbox);
    let (_sandbox, client) = start_with(builder(folder.path())).await;
    assert_eq!(sql(&client, "DESCRIBE empty").await, json!([["b", "string", ""]]));
}

#[tokio::test]
async fn a_restart_keeps_jobs_and_ends_their_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut delays = Delays::NONE;
    delays.run = Duration::from_secs(3600);
    let (sandbox, client) = start_with(builder(folder.path())).await;
    let job = json!({ "name": "mine", "tasks": [{ "task_key": "always", "condition_task": {
        "op": "EQUAL_TO", "left": "1", "right": "1" } }] });
    let job = client.posted("/api/2.2/jobs/create", job).await;
    client.posted("/api/2.2/jobs/delete", json!({ "job_id": IMPORT_JOB })).await;
    let run_now = json!({ "job_id": job["job_id"], "idempotency_token": "once" });
    let ended = client.posted("/api/2.2/jobs/run-now", run_now.clone()).await;
    let path = |run: &Value| format!("/api/2.2/jobs/runs/get?run_id={}", run["run_id"]);
    let shown = client.until(&path(&ended), |run| run["status"]["state"] == "TERMINATED").await;
    drop(sandbox);

    let (sandbox, client) = start_slow(builder(folder.path()).with_delays(delays)).await;
    assert_eq!(client.got(&path(&ended)).await, shown);
    assert_eq!(client.posted("/api/2.2/jobs/run-now", run_now).await["run_id"], ended["run_id"]);
    let active = client.posted("/api/2.2/jobs/run-now", json!({ "job_id": job["job_id"] })).await;
    assert_eq!(client.got(&path(&active)).await["status"]["state"], "PENDING");
    drop(sandbox);

    let (_sandbox, client) = start_with(builder(folder.path())).await;
    let lost = client.got(&path(&active)).await;
    assert_eq!(lost["state"]["life_cycle_state"], "INTERNAL_ERROR");
    assert_eq!(lost["state"]["result_state"], "FAILED");
    assert_eq!(lost["status"]["termination_details"]["type"], "INTERNAL_ERROR");
    assert_eq!(lost["tasks"][0]["status"]["state"], "TERMINATED");
    let jobs = client.got("/api/2.2/jobs/list").await;
    let ids: Vec<&Value> = jobs["jobs"].as_array().unwrap().iter().map(|job| &job["job_id"]).collect();
    assert_eq!(ids, [&job["job_id"], &json!(REPORT_JOB)]);
}

/// An update moves on when it is read, and no other request follows.
#[tokio::test]
async fn the_end_of_an_update_is_saved_without_another_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut delays = Delays::NONE;
    delays.update = Duration::from_secs(60);
    let clock = Clock::standing_at(1_700_000_000_000);
    let (_sandbox, client) =
        start_slow(builder(folder.path()).with_delays(delays).with_clock(clock.clone())).await;
    let updates = format!("/api/2.0/pipelines/{TRIPS_PIPELINE}/updates");
    let id = client.posted(&updates, json!({ "validate_only": true })).await["update_id"].clone();
    let id = id.as_str().unwrap();
    let saved = async |text: &str| {
        let (since, file) = (Instant::now(), folder.path().join("services/pipelines.json"));
        while !fs::read_to_string(&file).is_ok_and(|saved| saved.contains(text)) {
            assert!(since.elapsed() < Duration::from_secs(60), "not saved: {text}");
            tokio::task::yield_now().await;
        }
    };
    // From here on, nothing but reading changes the workspace.
    saved(id).await;
    while client.got(&format!("{updates}/{id}")).await["update"]["state"] != "COMPLETED" {
        clock.advance(delays.update);
    }
    saved("\"Completed\"").await;
}

#[tokio::test]
async fn one_sandbox_at_a_time_uses_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, _) = start_with(builder(folder.path())).await;
    let (kind, text) = refusal(folder.path()).await;
    assert_eq!(kind, ErrorKind::ResourceBusy);
    assert!(
        text.contains("in use by another sandbox") && text.contains(folder.path().to_str().unwrap()),
        "{text}"
    );
    drop(sandbox);
    start_with(builder(folder.path())).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("thesis.txt"), "42").unwrap();
    let (kind, text) = refusal(&foreign).await;
    assert_eq!(kind, ErrorKind::InvalidData);
    assert!(text.contains("thesis.txt") && text.contains("isn't the data directory"), "{text}");
    assert_eq!(entries(&foreign), ["thesis.txt"]);
    let (_, text) = refusal(&foreign.join("thesis.txt")).await;
    assert!(text.contains("cannot use") && text.contains("thesis.txt"), "{text}");

    let ours = folder.path().join("ours");
    let (sandbox, client) = start_with(builder(&ours)).await;
    sql(&client, "CREATE TABLE t AS SELECT id, 'some text' AS s FROM range(1000)").await;
    client.got("/api/2.2/jobs/list").await;
    drop(sandbox);
    for (name, damage, words) in [
        ("services/jobs.json", b"{\"jobs\":".to_vec(), "damaged"),
        ("services/jobs.json", b"[]".to_vec(), "damaged"),
        ("tables/index.json", b"{}".to_vec(), "damaged"),
        ("tables/0.arrow", fs::read(ours.join("tables/0.arrow")).unwrap()[..500].to_vec(), "damaged"),
        ("sandbox.json", b"".to_vec(), "damaged"),
        ("sandbox.json", b"{}".to_vec(), "it has no format"),
        ("sandbox.json", b"{\"format\": 2}".to_vec(), "newer sandbox: its format is 2"),
    ] {
        // With the separators of the system.
        let path: PathBuf = ours.join(name).components().collect();
        let good = fs::read(&path).unwrap();
        fs::write(&path, &damage).unwrap();
        let (kind, text) = refusal(&ours).await;
        assert_eq!(kind, ErrorKind::InvalidData, "{text}");
        assert!(text.contains(path.to_str().unwrap()) && text.contains(words), "{name}: {text}");
        assert_eq!(fs::read(&path).unwrap(), damage);
        fs::write(&path, good).unwrap();
    }
    let missing = fs::read(ours.join("tables/0.arrow")).unwrap();
    fs::remove_file(ours.join("tables/0.arrow")).unwrap();
    assert!(refusal(&ours).await.1.contains("0.arrow"));
    fs::write(ours.join("tables/0.arrow"), missing).unwrap();
    let (_sandbox, client) = start_with(builder(&ours)).await;
    assert_eq!(sql(&client, "SELECT count(*) FROM t").await, json!([["1000"]]));
}

#[cfg(unix)]
#[tokio::test]
async fn everything_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("open");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    let (sandbox, client) = start_with(builder(&directory)).await;
    sql(&client, "CREATE TABLE t AS SELECT 1 AS n").await;
    client.got("/api/2.2/jobs/list").await;
    sandbox.save().await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut waiting = vec![directory];
    let mut files = 0;
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            assert_eq!(mode(&path), 0o700, "{}", path.display());
            waiting.extend(entries(&path).iter().map(|name| path.join(name)));
        } else {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            files += 1;
        }
    }
    assert!(files >= 5, "{files}");
}

/// A running program, and a client of its workspace.
fn started(home: &Path, arguments: &[&str]) -> (Child, Client) {
    let mut child = program(home, arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut value = |name: &str| {
        let line = lines.next().unwrap();
        line.strip_prefix(&format!("export {name}=")).unwrap().to_owned()
    };
    let (url, token) = (value("DATABRICKS_HOST"), value("DATABRICKS_TOKEN"));
    (child, Client { http: crate::client::http(), url, token })
}

#[tokio::test]
async fn a_program_that_is_killed_has_saved_before() {
    let home = home();
    let index = home.path().join("ws/tables/index.json");
    let jobs = home.path().join("ws/services/jobs.json");
    let (mut child, client) = started(home.path(), &["--data", "ws"]);
    sql(&client, "CREATE TABLE survivor AS SELECT 7 AS n").await;
    client.posted("/api/2.2/jobs/create", json!({ "name": "survivor", "tasks": [] })).await;
    let has = |path: &Path| fs::read_to_string(path).is_ok_and(|text| text.contains("survivor"));
    while !(has(&index) && has(&jobs)) {
        // The request is the pause.
        client.got("/api/2.2/jobs/list").await;
    }
    let second = program(home.path(), &["--data", "ws"]).output().unwrap();
    says(&second, 1, &["cannot run the sandbox", "ws", "in use by another sandbox"]);
    assert!(second.stdout.is_empty());
    child.kill().unwrap();
    child.wait().unwrap();

    let (mut child, again) = started(home.path(), &["--data", "ws"]);
    assert_eq!(again.token, client.token);
    assert_eq!(sql(&again, "SELECT n FROM survivor").await, json!([["7"]]));
    assert_eq!(again.got("/api/2.2/jobs/list").await["jobs"][0]["settings"]["name"], "survivor");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(entries(home.path()), ["tmp", "ws"]);

    // Without the option, there is nothing but temporary files.
    let (mut child, client) = started(home.path(), &[]);
    assert_ne!(client.token, again.token);
    sql(&client, "CREATE TABLE t AS SELECT 1 AS n").await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(entries(home.path()), ["tmp", "ws"]);
}

//! Secrets over the API, and in the code that the sandbox runs.

use serde_json::{Value, json};

use crate::client::{Client, start};

async fn post(client: &Client, name: &str, body: Value) -> (u16, String) {
    let (status, answer) = client.post(&format!("/api/2.0/secrets/{name}"), body).await;
    (status.as_u16(), answer["error_code"].as_str().unwrap_or_default().to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn a_scope_and_its_values_come_and_go() {
    let (_sandbox, client) = start().await;
    let done = (200, String::new());
    assert_eq!(client.got("/api/2.0/secrets/scopes/list").await, json!({}));
    assert_eq!(post(&client, "scopes/create", json!({ "scope": "etl" })).await, done);
    let again = post(&client, "scopes/create", json!({ "scope": "etl" })).await;
    assert_eq!(again, refused(400, "RESOURCE_ALREADY_EXISTS"));
    let scopes = client.got("/api/2.0/secrets/scopes/list").await;
    assert_eq!(scopes["scopes"], json!([{ "name": "etl", "backend_type": "DATABRICKS" }]));
    for (body, value) in
        [(json!({ "string_value": "hush é" }), "aHVzaCDDqQ=="), (json!({ "bytes_value": "AP8=" }), "AP8=")]
    {
        let mut body = body;
        (body["scope"], body["key"]) = (json!("etl"), json!("k"));
        assert_eq!(post(&client, "put", body).await, done);
        let got = client.got("/api/2.0/secrets/get?scope=etl&key=k").await;
        assert_eq!(got, json!({ "key": "k", "value": value }));
    }
    let listed = client.got("/api/2.0/secrets/list?scope=etl").await;
    assert_eq!(listed["secrets"][0]["key"], "k");
    assert!(listed["secrets"][0]["last_updated_timestamp"].is_u64() && !listed.to_string().contains("AP8"));
    let key = json!({ "scope": "etl", "key": "k" });
    assert_eq!(post(&client, "delete", key.clone()).await, done);
    assert_eq!(post(&client, "delete", key).await, refused(404, "RESOURCE_DOES_NOT_EXIST"));
    assert_eq!(post(&client, "scopes/delete", json!({ "scope": "etl" })).await, done);
    assert_eq!(client.get("/api/2.0/secrets/list?scope=etl").await.0, 404);
}

#[tokio::test]
async fn what_the_service_refuses_is_refused() {
    let (_sandbox, client) = start().await;
    client.posted("/api/2.0/secrets/scopes/create", json!({ "scope": "s" })).await;
    let invalid = refused(400, "INVALID_PARAMETER_VALUE");
    for (name, body, expected) in [
        ("scopes/create", json!({ "scope": "a b" }), invalid.clone()),
        ("scopes/create", json!({ "scope": "x".repeat(129) }), invalid.clone()),
        ("scopes/create", json!({ "scope": "a", "initial_manage_principal": "ada" }), invalid.clone()),
        (
            "scopes/create",
            json!({ "scope": "a", "scope_backend_type": "AZURE_KEYVAULT" }),
            refused(400, "BAD_REQUEST"),
        ),
        ("put", json!({ "scope": "s", "key": "k" }), invalid.clone()),
        ("put", json!({ "scope": "s", "key": "k", "string_value": "a", "bytes_value": "" }), invalid.clone()),
        ("put", json!({ "scope": "s", "key": "a/b", "string_value": "a" }), invalid.clone()),
        ("put", json!({ "scope": "s", "key": "k", "string_value": "" }), invalid.clone()),
        (
            "put",
            json!({ "scope": "s", "key": "k", "string_value": "x".repeat((128 << 10) + 1) }),
            invalid.clone(),
        ),
        ("put", json!({ "scope": "s", "key": "k", "bytes_value": "!" }), refused(400, "MALFORMED_REQUEST")),
        (
            "put",
            json!({ "scope": "none", "key": "k", "string_value": "a" }),
            refused(404, "RESOURCE_DOES_NOT_EXIST"),
        ),
        ("acls/put", json!({ "scope": "s", "principal": "users", "permission": "ALL" }), invalid),
    ] {
        assert_eq!(post(&client, name, body.clone()).await, expected, "{name} {body}");
    }
}

#[tokio::test]
async fn permissions_replace_each_other() {
    let (_sandbox, client) = start().await;
    client.posted("/api/2.0/secrets/scopes/create", json!({ "scope": "s" })).await;
    for permission in ["READ", "WRITE"] {
        let body = json!({ "scope": "s", "principal": "users", "permission": permission });
        client.posted("/api/2.0/secrets/acls/put", body).await;
    }
    let listed = client.got("/api/2.0/secrets/acls/list?scope=s").await;
    assert_eq!(
        listed["items"],
        json!([
            { "principal": "ada.sandbox@example.com", "permission": "MANAGE" },
            { "principal": "users", "permission": "WRITE" },
        ])
    );
    let one = "/api/2.0/secrets/acls/get?scope=s&principal=users";
    assert_eq!(client.got(one).await["permission"], "WRITE");
    let users = json!({ "scope": "s", "principal": "users" });
    client.posted("/api/2.0/secrets/acls/delete", users.clone()).await;
    assert_eq!(client.get(one).await.0, 404);
    assert_eq!(post(&client, "acls/delete", users).await, refused(404, "RESOURCE_DOES_NOT_EXIST"));
}

#[tokio::test]
async fn code_reads_secrets_and_its_output_does_not_show_them() {
    let (_sandbox, client) = start().await;
    client.posted("/api/2.0/secrets/scopes/create", json!({ "scope": "s" })).await;
    for (key, value) in [("password", "hush<1>"), ("other", "never read")] {
        let body = json!({ "scope": "s", "key": key, "string_value": value });
        client.posted("/api/2.0/secrets/put", body).await;
    }
    let cluster = brickwire_sandbox::seed::RUNNING_CLUSTER;
    let context = client
        .posted("/api/1.2/contexts/create", json!({ "clusterId": cluster, "language": "python" }))
        .await;
    let run = async |code: &str| {
        let body = json!({ "clusterId": cluster, "contextId": context["id"], "language": "python", "command": code });
        let command = client.posted("/api/1.2/commands/execute", body).await;
        let path = format!(
            "/api/1.2/commands/status?clusterId={cluster}&contextId={}&commandId={}",
            context["id"].as_str().unwrap(),
            command["id"].as_str().unwrap()
        );
        client.until(&path, |answer| answer["status"] == "Finished").await["results"].clone()
    };
    let told = run("p = dbutils.secrets.get('s', 'password')\nprint(len(p), p)\np[:-1]").await;
    assert_eq!(told["data"], "7 [REDACTED]\n'hush<1'");
    let told =
        run("print(dbutils.secrets.getBytes('s', 'password') == b'hush<1>')\nraise ValueError(p)").await;
    assert!(
        !told.to_string().contains("hush") && told["cause"].as_str().unwrap().contains("[REDACTED]"),
        "{told}"
    );
    let told =
        run("[s.name for s in dbutils.secrets.listScopes()], [m.key for m in dbutils.secrets.list('s')]")
            .await;
    assert_eq!(told["data"], "(['s'], ['other', 'password'])");
    let told = run("dbutils.secrets.get('s', 'none')").await;
    assert!(told["summary"].as_str().unwrap().contains("Secret does not exist"), "{told}");

    // In a job, too.
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("a.py");
    std::fs::write(
        &script,
        "p = dbutils.secrets.get('s', 'password')\nprint('is', p)\nraise ValueError(p)\n",
    )
    .unwrap();
    let task = json!({ "task_key": "a", "spark_python_task": { "python_file": format!("file:{}", script.display()) } });
    let run = client.posted("/api/2.2/jobs/runs/submit", json!({ "tasks": [task] })).await;
    let ended = format!("/api/2.2/jobs/runs/get?run_id={}", run["run_id"]);
    client.until(&ended, |run| run["status"]["state"] == "TERMINATED").await;
    let output = client.got(&format!("/api/2.2/jobs/runs/get-output?run_id={}", run["run_id"])).await;
    assert_eq!(
        (&output["logs"], &output["error"]),
        (&json!("is [REDACTED]\n"), &json!("ValueError: [REDACTED]"))
    );
    assert!(!output["error_trace"].as_str().unwrap().contains("hush"), "{output}");
}

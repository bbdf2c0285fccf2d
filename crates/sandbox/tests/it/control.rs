use brickwire_sandbox::{Sandbox, seed};
use serde_json::json;

use crate::client::{Client, start, start_with};

#[tokio::test]
async fn the_log_shows_what_arrived_and_no_credential() {
    let (sandbox, client) = start().await;
    let other = Client::new(&sandbox, &sandbox.fresh_token());
    client.got("/api/2.1/clusters/list?page_size=2").await;
    other.got("/api/2.0/sql/warehouses").await;
    client.post("/api/2.1/clusters/start", json!({ "cluster_id": seed::TERMINATED_CLUSTER })).await;

    let own = sandbox.requests_of(&client.token);
    let seen: Vec<_> = own.iter().map(|one| (one.method.as_str(), one.path.as_str(), one.status)).collect();
    assert_eq!(
        seen,
        [("GET", "/api/2.1/clusters/list", Some(200)), ("POST", "/api/2.1/clusters/start", Some(200))]
    );
    assert_eq!(own[0].query.as_deref(), Some("page_size=2"));
    assert_eq!(own[1].body, Some(json!({ "cluster_id": seed::TERMINATED_CLUSTER })));
    assert!(own[0].header("Authorization").is_some_and(|value| value.starts_with("Bearer sha256:")));
    assert_eq!(sandbox.requests_of(&other.token).len(), 1);
    assert_eq!(sandbox.requests().len(), 3);
    assert!(!format!("{:?}", sandbox.requests()).contains(&client.token));

    let log = client.got("/__sandbox/requests").await;
    assert_eq!(log["requests"].as_array().unwrap().len(), 2);
    let all = client.got("/__sandbox/requests?scope=all").await;
    assert_eq!(all["requests"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_log_notes_a_fault() {
    let (sandbox, client) = start().await;
    sandbox.fault("GET *: times 1 reset").unwrap();
    let _ = client.send(reqwest::Method::GET, "/api/2.1/clusters/list", None).await;
    let log = sandbox.requests_of(&client.token);
    assert_eq!((log[0].fault.as_deref(), log[0].status), (Some("GET *: times 1 reset"), None));
}

#[tokio::test]
async fn the_clock_is_stepped_from_outside() {
    let (sandbox, client) = start().await;
    let before = client.posted("/__sandbox/clock", json!({})).await["now_ms"].as_u64().unwrap();
    let after = client.posted("/__sandbox/clock", json!({ "advance_ms": 3_600_000 })).await["now_ms"]
        .as_u64()
        .unwrap();
    assert!(after - before >= 3_600_000);
    assert!(sandbox.clock().now_ms() >= after);
    for wrong in [json!(-1), json!(u64::MAX), json!(1.5), json!("1"), json!(1e30), json!(null)] {
        let (status, body) = client.post("/__sandbox/clock", json!({ "advance_ms": wrong })).await;
        assert_eq!(
            (status.as_u16(), &body["error_code"]),
            (400, &json!("INVALID_PARAMETER_VALUE")),
            "{wrong}"
        );
        assert!(body["message"].as_str().unwrap().contains("advance_ms must be"), "{body}");
    }
    assert!(sandbox.clock().now_ms() < after + 3_600_000);

    // As far as it goes: everything still answers.
    let left =
        253_402_207_200_999 - client.posted("/__sandbox/clock", json!({})).await["now_ms"].as_u64().unwrap();
    client.posted("/__sandbox/clock", json!({ "advance_ms": left - 60_000 })).await;
    sandbox.clock().advance(std::time::Duration::MAX);
    assert_eq!(client.posted("/__sandbox/clock", json!({})).await["now_ms"], 253_402_207_200_999_u64);
    assert_eq!(client.get("/api/2.1/clusters/list").await.0, 200);
    let statement = json!({
        "warehouse_id": seed::RUNNING_WAREHOUSE, "statement": "SELECT 1", "disposition": "EXTERNAL_LINKS",
    });
    let answer = client.posted("/api/2.0/sql/statements", statement).await;
    assert_eq!(answer["status"]["state"], "SUCCEEDED", "{answer}");
}

#[tokio::test]
async fn the_control_paths_want_a_token_too() {
    let (sandbox, client) = start().await;
    let stranger = Client::new(&sandbox, "dapi-unknown");
    assert_eq!(stranger.get("/__sandbox/requests").await.0, 403);
    assert_eq!(stranger.post("/__sandbox/faults", json!({ "rule": "*: 503" })).await.0, 403);
    assert_eq!(client.get("/api/2.0/sql/warehouses").await.0, 200);
}

#[tokio::test]
async fn a_seed_makes_ids_repeat_and_no_secret() {
    let (first, one) = start_with(Sandbox::builder().with_seed(7)).await;
    let (second, two) = start_with(Sandbox::builder().with_seed(7)).await;
    assert_eq!(first.client_id(), second.client_id());
    // Whoever guesses the seed must not hold the token.
    assert_ne!(first.token(), second.token());
    assert_ne!(first.client_secret(), second.client_secret());
    assert_ne!(first.login_code(), second.login_code());
    assert_ne!(one.url, two.url);
    let (third, _) = start_with(Sandbox::builder().with_seed(8).with_token("dapi-chosen")).await;
    assert_eq!(third.token(), "dapi-chosen");
    assert_ne!(third.client_id(), first.client_id());
}

#[cfg(unix)]
#[tokio::test]
async fn its_files_are_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let (sandbox, client) = start().await;
    let statement = json!({
        "warehouse_id": seed::RUNNING_WAREHOUSE, "statement": "SELECT 1", "disposition": "EXTERNAL_LINKS",
    });
    let answer = client.posted("/api/2.0/sql/statements", statement).await;
    assert_eq!(answer["status"]["state"], "SUCCEEDED");
    let mut waiting = vec![sandbox.directory().to_owned()];
    let mut files = 0;
    while let Some(directory) = waiting.pop() {
        // The engine makes its own folder in it, which may be any.
        if !directory.to_string_lossy().contains("datafusion-") {
            let mode = std::fs::metadata(&directory).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o700, "{}", directory.display());
        }
        for entry in std::fs::read_dir(&directory).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
            } else {
                files += 1;
                assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            }
        }
    }
    assert_eq!(files, 1, "the chunk");
    let directory = sandbox.directory().to_owned();
    drop(sandbox);
    assert!(!directory.exists());
}

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brickwire_sandbox::seed::STOPPED_WAREHOUSE;
use brickwire_sandbox::{Clock, Sandbox};
use reqwest::Method;
use serde_json::json;

use crate::client::{Client, read, start, start_with};

const LIST: &str = "/api/2.0/sql/warehouses";

async fn statuses(client: &Client, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(client.get(LIST).await.0.as_u16());
    }
    statuses
}

#[tokio::test]
async fn a_rule_counts_its_own_requests() {
    let (sandbox, client) = start().await;
    sandbox.fault("GET /api/2.0/sql/*: every 3 429 retry-after=1").unwrap();
    assert_eq!(client.get("/api/2.1/clusters/list").await.0, 200);
    assert_eq!(statuses(&client, 6).await, [200, 200, 429, 200, 200, 429]);

    let (sandbox, client) = start().await;
    sandbox.fault("GET *: skip 1 times 2 503").unwrap();
    assert_eq!(statuses(&client, 5).await, [200, 503, 503, 200, 200]);
}

#[tokio::test]
async fn an_answer_has_status_headers_and_body() {
    let clock = Clock::standing_at(784_111_775_000);
    let (sandbox, client) = start_with(Sandbox::builder().with_clock(clock)).await;
    for (rule, status, header, body) in [
        ("429 retry-after=7", 429, ("retry-after", "7"), "REQUEST_LIMIT_EXCEEDED"),
        (
            "503 retry-after=+2s",
            503,
            ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
            "TEMPORARILY_UNAVAILABLE",
        ),
        (
            "500 code=ABORTED message=\"try a faster operation\"",
            500,
            ("content-type", "application/json"),
            "try a faster",
        ),
        ("html", 502, ("content-type", "text/html; charset=utf-8"), "<title>Error 502 Bad Gateway</title>"),
        ("login", 200, ("content-type", "text/html; charset=utf-8"), "Sign In"),
        ("403 header=x-a:b body=no", 403, ("x-a", "b"), "no"),
    ] {
        sandbox.fault(&format!("GET {LIST}: times 1 {rule}")).unwrap();
        let response = client.send(Method::GET, LIST, None).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), response.headers()[header.0].to_str().unwrap()),
            (status, header.1),
            "{rule}"
        );
        let text = response.text().await.unwrap();
        assert!(text.contains(body), "{rule}: {text}");
    }
    assert_eq!(client.get(LIST).await.0, 200);
}

#[tokio::test]
async fn before_loses_the_request_and_after_loses_the_answer() {
    let (sandbox, client) = start().await;
    let (path, start) = (format!("{LIST}/{STOPPED_WAREHOUSE}"), format!("{LIST}/{STOPPED_WAREHOUSE}/start"));
    sandbox.fault("POST *: times 1 502").unwrap();
    assert_eq!(client.post(&start, json!({})).await.0, 502);
    assert_eq!(client.got(&path).await["state"], "STOPPED");
    sandbox.fault("POST *: times 1 after reset").unwrap();
    assert!(client.send(Method::POST, &start, Some(&json!({}))).await.is_err());
    assert_eq!(client.got(&path).await["state"], "STARTING");
}

#[tokio::test]
async fn a_connection_is_cut_in_every_way() {
    let (sandbox, client) = start().await;
    for kind in ["reset", "close"] {
        sandbox.fault(&format!("GET {LIST}: times 1 {kind}")).unwrap();
        let error = client.send(Method::GET, LIST, None).await.expect_err(kind);
        assert!(error.is_request(), "{kind}: {error:?}");
        let cause = format!("{error:?}");
        assert_eq!(cause.contains("ConnectionReset"), kind == "reset", "{kind}: {cause}");
    }
    for kind in ["truncate", "short"] {
        sandbox.fault(&format!("GET {LIST}: times 1 {kind}")).unwrap();
        let response = client.send(Method::GET, LIST, None).await.expect(kind);
        assert_eq!(response.status(), 200);
        assert_eq!(response.content_length().is_some(), kind == "short");
        assert!(response.bytes().await.is_err(), "{kind}");
    }
    assert_eq!(client.get(LIST).await.0, 200);
}

#[tokio::test]
async fn slow_is_whole_and_hang_is_nothing() {
    let (sandbox, client) = start().await;
    let whole = client.got(LIST).await;
    sandbox.fault(&format!("GET {LIST}: times 1 slow=1ms")).unwrap();
    assert_eq!(client.got(LIST).await, whole);
    sandbox.fault(&format!("GET {LIST}: times 1 delay=1ms")).unwrap();
    assert_eq!(client.got(LIST).await, whole);
    sandbox.fault(&format!("GET {LIST}: times 1 hang")).unwrap();
    let request = client.http.get(format!("{}{LIST}", client.url)).bearer_auth(&client.token);
    let error = request.timeout(Duration::from_millis(100)).send().await.expect_err("no answer");
    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn a_fault_may_be_one_workspaces_own() {
    let (sandbox, client) = start().await;
    let other = Client::new(&sandbox, &sandbox.fresh_token());
    sandbox.fault_for(&other.token, "*: 503").unwrap();
    assert_eq!((client.get(LIST).await.0.as_u16(), other.get(LIST).await.0.as_u16()), (200, 503));
    let rule = json!({ "rule": "GET *: 418" });
    client.posted("/__sandbox/faults", rule).await;
    assert_eq!((client.get(LIST).await.0.as_u16(), other.get(LIST).await.0.as_u16()), (418, 503));
    let (status, _) = read(client.send(Method::DELETE, "/__sandbox/faults", None).await.unwrap()).await;
    assert_eq!(status, 200);
    assert_eq!((client.get(LIST).await.0.as_u16(), other.get(LIST).await.0.as_u16()), (200, 503));
}

#[tokio::test]
async fn the_token_endpoint_has_faults_of_its_client() {
    let (sandbox, client) = start().await;
    let (id, secret) = sandbox.fresh_client();
    sandbox.fault_for(&id, "POST /oidc/v1/token: times 1 503 retry-after=1").unwrap();
    let ask = || {
        let request =
            client.http.post(format!("{}/oidc/v1/token", client.url)).basic_auth(&id, Some(&secret));
        request.form(&[("grant_type", "client_credentials")]).send()
    };
    assert_eq!((ask().await.unwrap().status().as_u16(), ask().await.unwrap().status().as_u16()), (503, 200));
}

#[tokio::test]
async fn an_unreadable_rule_is_refused_everywhere() {
    let (sandbox, client) = start().await;
    let error = sandbox.fault("GET /x: sometimes").unwrap_err().to_string();
    assert!(error.contains("sometimes"), "{error}");
    assert_eq!(client.post("/__sandbox/faults", json!({ "rule": "nonsense" })).await.0, 400);
    let error = Sandbox::builder().with_fault("nonsense").start().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn the_system_clock_is_the_default() {
    let (sandbox, _client) = start().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    assert!(now.abs_diff(u128::from(sandbox.clock().now_ms())) < 60_000);
}

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brickwire_sandbox::seed::STOPPED_WAREHOUSE;
use brickwire_sandbox::{Clock, FaultRule, Sandbox};
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

/// What reqwest's error says in full.
fn cause(error: &reqwest::Error) -> String {
    format!("{error:?}")
}

#[tokio::test]
async fn a_body_is_json_with_its_quotation_marks() {
    let (sandbox, client) = start().await;
    let body = r#"{"warehouses": [{"id": null, "state": "HIBERNATING", "num": "9007199254740993", "a b": 1}], "next_page_token": "t"}"#;
    sandbox.fault(&format!("GET {LIST}: times 1 200 body={body}")).unwrap();
    let response = client.send(Method::GET, LIST, None).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.text().await.unwrap(), body);
    // Also when the rule comes as JSON itself.
    client
        .posted("/__sandbox/faults", json!({ "rule": format!("GET {LIST}: times 1 200 body={body}") }))
        .await;
    assert_eq!(client.send(Method::GET, LIST, None).await.unwrap().text().await.unwrap(), body);
}

#[tokio::test]
async fn an_answer_breaks_where_the_rule_says() {
    let (sandbox, client) = start().await;
    let whole = client.send(Method::GET, LIST, None).await.unwrap().bytes().await.unwrap();
    for (at, expected) in [(0, 0), (7, 7)] {
        sandbox.fault(&format!("GET {LIST}: times 1 reset at={at}")).unwrap();
        let mut response = client.send(Method::GET, LIST, None).await.unwrap();
        assert_eq!((response.status().as_u16(), response.content_length()), (200, Some(whole.len() as u64)));
        let mut got = Vec::new();
        let error = loop {
            match response.chunk().await {
                Ok(Some(piece)) => got.extend_from_slice(&piece),
                Ok(None) => panic!("the answer is complete"),
                Err(error) => break error,
            }
        };
        assert!(cause(&error).contains("ConnectionReset"), "{error:?}");
        assert_eq!((got.as_slice(), got.len()), (&whole[..expected], expected));
    }
    sandbox.fault(&format!("GET {LIST}: times 1 half at=9")).unwrap();
    assert_eq!(client.send(Method::GET, LIST, None).await.unwrap().bytes().await.unwrap(), whole[..9]);
    sandbox.fault(&format!("GET {LIST}: times 1 corrupt at=3")).unwrap();
    let corrupt = client.send(Method::GET, LIST, None).await.unwrap().bytes().await.unwrap();
    let differing: Vec<_> = (0..whole.len()).filter(|place| whole[*place] != corrupt[*place]).collect();
    assert_eq!((corrupt.len(), differing), (whole.len(), vec![3]));
}

#[tokio::test]
async fn a_stall_comes_in_the_middle() {
    let (sandbox, client) = start().await;
    let whole = client.got(LIST).await;
    sandbox.fault(&format!("GET {LIST}: times 1 stall=1ms at=5")).unwrap();
    assert_eq!(client.got(LIST).await, whole);
    sandbox.fault(&format!("GET {LIST}: times 1 stall at=5")).unwrap();
    let mut response = client.send(Method::GET, LIST, None).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut got = 0;
    while got < 5 {
        got += response.chunk().await.unwrap().expect("it never ends").len();
    }
    assert_eq!(got, 5);
    let more = tokio::time::timeout(Duration::from_millis(300), response.chunk()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn connections_are_refused_for_a_while() {
    let (sandbox, client) = start().await;
    sandbox.fault(&format!("GET {LIST}: times 1 refuse=1h")).unwrap();
    let error = client.send(Method::GET, LIST, None).await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
    let address = client.url.strip_prefix("http://").unwrap();
    let refused = std::net::TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);

    let (sandbox, client) = start().await;
    sandbox.fault(&format!("GET {LIST}: times 1 refuse=300ms")).unwrap();
    let error = client.send(Method::GET, LIST, None).await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
    let address = client.url.strip_prefix("http://").unwrap();
    let started = std::time::Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        assert!(started.elapsed() < Duration::from_secs(30), "it listens again");
        tokio::task::yield_now().await;
    }
    assert_eq!(client.get(LIST).await.0, 200);
}

#[tokio::test]
async fn fields_change_go_and_come() {
    let (sandbox, client) = start().await;
    let whole = client.got(LIST).await;
    let rule = r#"set=/warehouses/*/state:"HIBERNATING" set=/warehouses/0/name:null set=/warehouses/0/new:{"a": [1, "x y"]} unset=/warehouses/1/id"#;
    sandbox.fault(&format!("GET {LIST}: times 1 {rule}")).unwrap();
    let changed = client.got(LIST).await;
    let list = changed["warehouses"].as_array().unwrap();
    assert!(list.len() > 1 && list.iter().all(|one| one["state"] == "HIBERNATING"), "{changed}");
    assert_eq!((&list[0]["name"], &list[0]["new"]), (&json!(null), &json!({ "a": [1, "x y"] })));
    assert!(list[0]["id"].is_string() && list[1].get("id").is_none(), "{changed}");

    sandbox.fault(&format!("GET {LIST}: times 1 integers-as-text")).unwrap();
    let texts = client.got(LIST).await;
    let (number, text) =
        (&whole["warehouses"][0]["auto_stop_mins"], &texts["warehouses"][0]["auto_stop_mins"]);
    assert!(number.is_u64(), "{whole}");
    assert_eq!(text, &json!(number.to_string()));
}

#[tokio::test]
async fn pages_are_empty_or_come_again() {
    let (sandbox, client) = start().await;
    let list = "/api/2.1/clusters/list?page_size=2";
    let ids = |page: &serde_json::Value| {
        let clusters = page["clusters"].as_array().unwrap().iter();
        clusters.map(|one| one["cluster_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let next = |page: &serde_json::Value| page["next_page_token"].as_str().unwrap().to_owned();
    let first = client.got(list).await;
    sandbox.fault("GET /api/2.1/clusters/list: times 2 empty-page").unwrap();
    let (one, mut tokens) = (client.got(list).await, Vec::new());
    assert_eq!(ids(&one).len(), 0);
    tokens.push(next(&one));
    let two = client.got(&format!("{list}&page_token={}", tokens[0])).await;
    assert_eq!(ids(&two).len(), 0);
    assert_ne!(next(&two), tokens[0]);
    let three = client.got(&format!("{list}&page_token={}", next(&two))).await;
    assert_eq!(three, first, "after the empty pages, everything is there");

    sandbox.fault("GET /api/2.1/clusters/list: repeat-page").unwrap();
    let one = client.got(list).await;
    assert_eq!(ids(&one), ids(&first));
    for _ in 0..3 {
        let again = client.got(&format!("{list}&page_token={}", next(&one))).await;
        assert_eq!((ids(&again), next(&again)), (ids(&first), next(&one)));
    }
}

#[tokio::test]
async fn a_date_is_the_clocks_or_skewed() {
    let clock = Clock::standing_at(784_111_777_000);
    let (sandbox, client) = start_with(Sandbox::builder().with_clock(clock)).await;
    let date = async || {
        let response = client.send(Method::GET, LIST, None).await.unwrap();
        response.headers()["date"].to_str().unwrap().to_owned()
    };
    assert_eq!(date().await, "Sun, 06 Nov 1994 08:49:37 GMT");
    sandbox.fault(&format!("GET {LIST}: times 1 skew=-1h")).unwrap();
    assert_eq!(date().await, "Sun, 06 Nov 1994 07:49:37 GMT");
    sandbox.fault(&format!("GET {LIST}: times 1 skew=+24h 503 retry-after=+1s")).unwrap();
    assert_eq!(date().await, "Mon, 07 Nov 1994 08:49:37 GMT");
    sandbox.fault(&format!("GET {LIST}: times 1 503")).unwrap();
    assert_eq!(date().await, "Sun, 06 Nov 1994 08:49:37 GMT");
}

/// A rule with many stars took longer than anyone waits, and nobody else was served meanwhile.
#[tokio::test]
async fn a_rule_with_many_stars_holds_nobody_up() {
    let (sandbox, client) = start().await;
    sandbox.fault(&format!("GET {}b: 429", "*a".repeat(500))).unwrap();
    let started = std::time::Instant::now();
    assert_eq!(client.get(&format!("/{}", "a".repeat(10_000))).await.0, 404);
    assert_eq!(client.get(&format!("/{}b", "a".repeat(10_000))).await.0, 429);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let long = format!("GET /{}: 429", "a".repeat(100_000));
    let (status, body) = client.post("/__sandbox/faults", json!({ "rule": long })).await;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().unwrap().contains("65536 bytes"), "{body}");
}

/// The documentation has an example of every word, and each can be read.
#[test]
fn the_documented_examples_are_rules() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/faults.md");
    // A packaged crate comes without the project's docs.
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let mut rules = Vec::new();
    for row in text.lines().filter(|line| line.starts_with("| ") && line.ends_with("` |")) {
        let example = row.trim_end_matches("` |").rsplit_once('`').unwrap().1;
        rules.push(example.parse::<FaultRule>().unwrap_or_else(|error| panic!("{error}")).to_string());
    }
    let file = text.rsplit("```text\n").next().unwrap().split("```").next().unwrap();
    let of_file = FaultRule::parse_lines(file).unwrap();
    assert_eq!(of_file.len(), 5);
    rules.extend(of_file.iter().map(ToString::to_string));
    for word in [
        "every",
        "skip",
        "times",
        "chance",
        "after",
        "code=",
        "message=",
        "retry-after=",
        "header=",
        "html",
        "body=",
        "login",
        "reset",
        "close",
        "refuse=",
        "hang",
        "stall",
        "slow",
        "delay=",
        "truncate",
        "short",
        "half",
        "corrupt",
        "at=",
        "set=",
        "unset=",
        "integers-as-text",
        "overcount",
        "empty-page",
        "repeat-page",
        "chunk=",
        "foreign",
        "late=",
        "skew=",
    ] {
        assert!(rules.iter().any(|rule| rule.contains(word)), "{word} has no example");
    }
}

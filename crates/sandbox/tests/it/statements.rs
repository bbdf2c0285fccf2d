use std::time::Duration;

use brickwire_sandbox::seed::{RUNNING_WAREHOUSE, STOPPED_WAREHOUSE};
use brickwire_sandbox::{Clock, Delays, Sandbox};
use serde_json::{Value, json};

use crate::client::{Client, start, start_slow, start_with};

const STATEMENTS: &str = "/api/2.0/sql/statements";

fn request(sql: &str, more: Value) -> Value {
    let mut request = json!({ "warehouse_id": RUNNING_WAREHOUSE, "statement": sql, "wait_timeout": "30s" });
    for (key, value) in more.as_object().unwrap() {
        request[key] = value.clone();
    }
    request
}

async fn execute(client: &Client, sql: &str, more: Value) -> Value {
    client.posted(STATEMENTS, request(sql, more)).await
}

async fn get(client: &Client, statement: &Value) -> Value {
    client.got(&format!("{STATEMENTS}/{}", statement["statement_id"].as_str().unwrap())).await
}

#[tokio::test]
async fn a_literal_statement_returns_its_rows() {
    let (_sandbox, client) = start().await;
    let answer = execute(&client, "SELECT 1 AS one, 'x' AS two, NULL AS three", json!({})).await;
    assert_eq!(answer["status"], json!({ "state": "SUCCEEDED" }));
    assert_eq!(answer["result"]["data_array"], json!([["1", "x", null]]));
    let manifest = &answer["manifest"];
    assert_eq!(manifest["schema"]["column_count"], 3);
    assert_eq!(
        manifest["schema"]["columns"][0],
        json!({ "name": "one", "type_text": "INT", "type_name": "INT", "position": 0 })
    );
    assert_eq!((&manifest["total_row_count"], &manifest["truncated"]), (&json!(1), &json!(false)));
    assert_eq!(manifest["total_byte_count"], "[[\"1\",\"x\",null]]".len());
}

#[tokio::test]
async fn parameters_are_values_not_text() {
    let (_sandbox, client) = start().await;
    let parameters = json!([
        { "name": "n", "value": "9007199254740993", "type": "BIGINT" },
        { "name": "s", "value": "it's -- :n" },
        { "name": "none", "type": "INT" },
    ]);
    let answer =
        execute(&client, "SELECT :n AS n, :s AS s, :none AS none", json!({ "parameters": parameters })).await;
    assert_eq!(answer["result"]["data_array"], json!([["9007199254740993", "it's -- :n", null]]), "{answer}");
}

#[tokio::test]
async fn rows_come_in_chunks_that_lead_to_each_other() {
    let (_sandbox, client) = start_with(Sandbox::builder().with_chunk_bytes(20)).await;
    let answer = execute(&client, "SELECT id FROM range(10)", json!({})).await;
    let count = answer["manifest"]["total_chunk_count"].as_u64().unwrap();
    assert!(count >= 3, "{answer}");
    let (mut rows, mut index, mut part) = (Vec::new(), 0, answer["result"].clone());
    loop {
        assert_eq!((&part["chunk_index"], &part["row_offset"]), (&json!(index), &json!(rows.len())));
        rows.extend(part["data_array"].as_array().unwrap().clone());
        assert_eq!(part["row_count"], answer["manifest"]["chunks"][index]["row_count"]);
        let Some(link) = part.get("next_chunk_internal_link") else { break };
        index += 1;
        assert_eq!(part["next_chunk_index"], index);
        part = client.got(link.as_str().unwrap()).await;
    }
    assert_eq!(index as u64 + 1, count);
    let expected: Vec<Value> = (0..10).map(|id| json!([id.to_string()])).collect();
    assert_eq!(rows, expected);

    let path = format!("{STATEMENTS}/{}/result/chunks", answer["statement_id"].as_str().unwrap());
    for wrong in [count.to_string(), "-1".to_owned(), "x".to_owned()] {
        assert_eq!(client.get(&format!("{path}/{wrong}")).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn an_empty_result_has_columns_and_no_chunk() {
    let (_sandbox, client) = start().await;
    let answer = execute(&client, "SELECT id FROM range(0)", json!({})).await;
    assert_eq!(answer["status"]["state"], "SUCCEEDED");
    assert_eq!(answer["manifest"]["total_chunk_count"], 0);
    assert_eq!(answer["manifest"]["schema"]["columns"][0]["name"], "id");
    assert_eq!(answer["result"], json!({}));
}

#[tokio::test]
async fn pollers_see_pending_then_running_then_the_end() {
    let (_sandbox, client) = start().await;
    let submitted = execute(&client, "SELECT 1 AS a", json!({ "wait_timeout": "0s" })).await;
    assert_eq!(submitted["status"], json!({ "state": "PENDING" }));
    assert!(submitted.get("result").is_none() && submitted.get("manifest").is_none());
    let mut states = vec![];
    while states.last() != Some(&json!("SUCCEEDED")) {
        states.push(get(&client, &submitted).await["status"]["state"].clone());
        states.dedup();
    }
    assert_eq!(
        states.iter().filter(|state| **state != "PENDING").collect::<Vec<_>>(),
        ["RUNNING", "SUCCEEDED"]
    );
}

#[tokio::test]
async fn a_wrong_statement_fails_with_http_200() {
    let (_sandbox, client) = start().await;
    let answer = execute(&client, "SELEKT 1", json!({})).await;
    assert_eq!(answer["status"]["state"], "FAILED");
    assert_eq!(answer["status"]["error"]["error_code"], "BAD_REQUEST");
    assert!(
        answer["status"]["error"]["message"].as_str().unwrap().contains("PARSE_SYNTAX_ERROR"),
        "{answer}"
    );
    assert_eq!(answer["status"]["sql_state"], "42601");
    assert!(answer.get("result").is_none());
    let path = format!("{STATEMENTS}/{}/result/chunks/0", answer["statement_id"].as_str().unwrap());
    assert_eq!(client.get(&path).await.0, 400);
}

#[tokio::test]
async fn a_statement_wakes_its_warehouse() {
    let (_sandbox, client) = start().await;
    let answer = execute(&client, "SELECT 1 AS a", json!({ "warehouse_id": STOPPED_WAREHOUSE })).await;
    assert_eq!(answer["status"]["state"], "SUCCEEDED");
    let warehouse = client.got(&format!("/api/2.0/sql/warehouses/{STOPPED_WAREHOUSE}")).await;
    assert_eq!(warehouse["state"], "RUNNING");
}

/// A sandbox whose statements take an hour of its clock.
async fn start_with_long_statements() -> (Sandbox, Client, Clock) {
    let clock = Clock::standing_at(1_700_000_000_000);
    let mut delays = Delays::NONE;
    delays.statement = Duration::from_secs(3600);
    let (sandbox, client) =
        start_slow(Sandbox::builder().with_clock(clock.clone()).with_delays(delays)).await;
    (sandbox, client, clock)
}

#[tokio::test]
async fn cancel_ends_a_running_statement_for_good() {
    let (_sandbox, client, clock) = start_with_long_statements().await;
    let submitted = execute(&client, "SELECT 1 AS a", json!({ "wait_timeout": "0s" })).await;
    let path = format!("{STATEMENTS}/{}", submitted["statement_id"].as_str().unwrap());
    client.until(&path, |answer| answer["status"]["state"] == "RUNNING").await;
    assert_eq!(client.posted(&format!("{path}/cancel"), json!({})).await, json!({}));
    assert_eq!(client.got(&path).await["status"], json!({ "state": "CANCELED" }));
    clock.advance(Duration::from_secs(3600));
    assert_eq!(client.got(&path).await["status"]["state"], "CANCELED");
    // Canceling again changes nothing.
    client.posted(&format!("{path}/cancel"), json!({})).await;
}

#[tokio::test]
async fn a_wait_that_is_over_answers_or_cancels() {
    let (_sandbox, client, clock) = start_with_long_statements().await;
    for (then, state) in [("CONTINUE", "RUNNING"), ("CANCEL", "CANCELED")] {
        let more = json!({ "wait_timeout": "5s", "on_wait_timeout": then });
        let answering = execute(&client, "SELECT 1 AS a", more);
        let stepping = async {
            loop {
                clock.advance(Duration::from_secs(1));
                client.got("/__sandbox/faults").await;
            }
        };
        let answer = tokio::select! {
            answer = answering => answer,
            () = stepping => unreachable!("it steps on until there is an answer"),
        };
        assert_eq!(answer["status"], json!({ "state": state }), "{answer}");
        assert_eq!(get(&client, &answer).await["status"]["state"], state);
    }
}

#[tokio::test]
async fn results_are_closed_after_an_hour_and_forgotten_after_twelve() {
    let clock = Clock::standing_at(1_700_000_000_000);
    let (_sandbox, client) = start_with(Sandbox::builder().with_clock(clock.clone())).await;
    let answer = execute(&client, "SELECT 1 AS a", json!({})).await;
    let path = format!("{STATEMENTS}/{}", answer["statement_id"].as_str().unwrap());
    clock.advance(Duration::from_secs(3599));
    assert_eq!(client.got(&path).await["status"]["state"], "SUCCEEDED");
    clock.advance(Duration::from_secs(1));
    let closed = client.got(&path).await;
    assert_eq!((&closed["status"]["state"], closed.get("result")), (&json!("CLOSED"), None));
    assert_eq!(client.get(&format!("{path}/result/chunks/0")).await.0, 404);
    clock.advance(Duration::from_secs(11 * 3600));
    let (status, body) = client.get(&path).await;
    assert_eq!(status, 404);
    assert!(body["message"].as_str().unwrap().contains("was not found"), "{body}");
}

#[tokio::test]
async fn limits_truncate_and_say_so() {
    let (_sandbox, client) = start_with(Sandbox::builder().with_chunk_bytes(30)).await;
    let answer = execute(&client, "SELECT id FROM range(10)", json!({ "row_limit": 7 })).await;
    assert_eq!(
        (&answer["manifest"]["total_row_count"], &answer["manifest"]["truncated"]),
        (&json!(7), &json!(true))
    );
    let answer = execute(&client, "SELECT id FROM range(10)", json!({ "row_limit": "10" })).await;
    assert_eq!(
        (&answer["manifest"]["total_row_count"], &answer["manifest"]["truncated"]),
        (&json!(10), &json!(false))
    );

    let answer = execute(&client, "SELECT id FROM range(10)", json!({ "byte_limit": 40 })).await;
    let manifest = &answer["manifest"];
    assert_eq!(manifest["truncated"], true);
    assert!(manifest["total_byte_count"].as_u64().unwrap() <= 40, "{manifest}");
    assert!((1..10).contains(&manifest["total_row_count"].as_u64().unwrap()), "{manifest}");
    let answer = execute(&client, "SELECT id FROM range(10)", json!({ "byte_limit": 1 })).await;
    assert_eq!(
        (&answer["manifest"]["total_row_count"], &answer["manifest"]["truncated"]),
        (&json!(0), &json!(true))
    );
}

#[tokio::test]
async fn an_inline_result_has_a_largest_size() {
    let (_sandbox, client) = start().await;
    // 7 bytes a row and more: 27 MB.
    let answer =
        execute(&client, "SELECT id, 'twenty bytes of text' AS t FROM range(1000000)", json!({})).await;
    assert_eq!(answer["status"]["state"], "FAILED");
    let message = answer["status"]["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("Inline byte limit exceeded"), "{message}");
}

#[tokio::test]
async fn what_a_request_may_not_say_is_400() {
    let (_sandbox, client) = start().await;
    for (more, word) in [
        (json!({ "wait_timeout": "3s" }), "wait_timeout"),
        (json!({ "wait_timeout": "60s" }), "wait_timeout"),
        (json!({ "on_wait_timeout": "MAYBE" }), "on_wait_timeout"),
        (json!({ "disposition": "ELSEWHERE" }), "disposition"),
        (json!({ "format": "XML" }), "format"),
        (json!({ "format": "ARROW_STREAM" }), "INLINE"),
        (json!({ "result_compression": "LZ4_FRAME" }), "EXTERNAL_LINKS"),
        (json!({ "row_limit": 0 }), "row_limit"),
        (json!({ "byte_limit": -1 }), "byte_limit"),
        (json!({ "parameters": [{ "value": "1" }] }), "name"),
        (json!({ "parameters": [{ "name": "a", "value": 1 }] }), "text"),
        (json!({ "statement": "" }), "statement"),
        (json!({ "warehouse_id": "" }), "warehouse_id"),
    ] {
        let (status, body) = client.post(STATEMENTS, request("SELECT 1", more.clone())).await;
        assert_eq!(
            (status.as_u16(), &body["error_code"]),
            (400, &json!("INVALID_PARAMETER_VALUE")),
            "{more}"
        );
        assert!(body["message"].as_str().unwrap().contains(word), "{more}: {body}");
    }
    let (status, _) =
        client.post(STATEMENTS, request("SELECT 1", json!({ "warehouse_id": "0123456789abcdef" }))).await;
    assert_eq!(status, 404);
    let (status, body) = client.get(&format!("{STATEMENTS}/01ef0000-0000-0000-0000-000000000000")).await;
    assert_eq!((status.as_u16(), &body["error_code"]), (404, &json!("NOT_FOUND")));
}

/// What results take on disk.
fn on_disk(sandbox: &Sandbox) -> (usize, u64) {
    let folders = std::fs::read_dir(sandbox.directory()).unwrap().map(Result::unwrap);
    let folders: Vec<_> =
        folders.filter(|folder| folder.file_name().to_string_lossy().starts_with("statement-")).collect();
    let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder.path()).ok()).flatten();
    let bytes = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    (folders.len(), bytes)
}

#[tokio::test]
async fn only_results_that_can_be_fetched_are_on_disk() {
    let clock = Clock::standing_at(1_700_000_000_000);
    let (sandbox, client) = start_with(Sandbox::builder().with_clock(clock.clone())).await;
    execute(&client, "SELECT 1 AS a", json!({})).await;
    assert_eq!(on_disk(&sandbox), (1, 7));
    // Failed and canceled ones leave nothing.
    execute(&client, "SELECT nope", json!({})).await;
    let endless = "SELECT a.id, b.id FROM range(1000000000) a CROSS JOIN range(1000000000) b";
    let more = json!({ "wait_timeout": "0s", "disposition": "EXTERNAL_LINKS" });
    let running = client.posted(STATEMENTS, request(endless, more)).await;
    let path = format!("{STATEMENTS}/{}", running["statement_id"].as_str().unwrap());
    client.until(&path, |answer| answer["status"]["state"] == "RUNNING").await;
    client.posted(&format!("{path}/cancel"), json!({})).await;
    assert_eq!(on_disk(&sandbox), (1, 7));
    assert_eq!(client.got(&path).await["status"]["state"], "CANCELED");
    // An hour later they are closed, although nobody asks for them.
    client.posted("/__sandbox/clock", json!({ "advance_ms": 3_600_000 })).await;
    assert_eq!(on_disk(&sandbox), (0, 0));
}

#[tokio::test]
async fn the_oldest_results_make_room_for_new_ones() {
    let builder = Sandbox::builder().with_result_bytes(1000).with_chunk_bytes(200);
    let (sandbox, client) = start_with(builder).await;
    let mut paths = Vec::new();
    for _ in 0..5 {
        let answer =
            execute(&client, "SELECT id FROM range(30)", json!({ "disposition": "EXTERNAL_LINKS" })).await;
        assert_eq!(answer["status"]["state"], "SUCCEEDED", "{answer}");
        paths.push(format!("{STATEMENTS}/{}", answer["statement_id"].as_str().unwrap()));
        assert!(on_disk(&sandbox).1 <= 1000, "{:?}", on_disk(&sandbox));
    }
    let (first, last) = (client.got(&paths[0]).await, client.got(&paths[4]).await);
    assert_eq!(
        (&first["status"]["state"], &last["status"]["state"]),
        (&json!("CLOSED"), &json!("SUCCEEDED"))
    );
    let answer =
        execute(&client, "SELECT id FROM range(1000)", json!({ "disposition": "EXTERNAL_LINKS" })).await;
    assert_eq!(answer["status"]["state"], "FAILED");
    let error = &answer["status"]["error"];
    assert_eq!(error["error_code"], "RESOURCE_EXHAUSTED");
    assert!(error["message"].as_str().unwrap().contains("1000 bytes that the sandbox keeps"), "{answer}");
    assert_eq!(on_disk(&sandbox), (0, 0), "what it had written is gone, too");
}

/// As it is when the result is closed between a look at the state and a look at the file.
#[tokio::test]
async fn a_result_whose_files_are_gone_is_closed() {
    let (sandbox, client) = start().await;
    let statement = execute(&client, "SELECT 1", json!({})).await;
    for entry in std::fs::read_dir(sandbox.directory()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_str().unwrap().starts_with("statement-") {
            std::fs::remove_file(entry.path().join("0")).unwrap();
        }
    }
    let answer = get(&client, &statement).await;
    assert_eq!(answer["status"], json!({ "state": "CLOSED" }));
    assert!(answer.get("manifest").is_none() && answer.get("result").is_none(), "{answer}");
    let id = statement["statement_id"].as_str().unwrap();
    assert_eq!(client.get(&format!("{STATEMENTS}/{id}/result/chunks/0")).await.0, 404);
}

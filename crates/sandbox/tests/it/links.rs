use std::io::Read;
use std::time::Duration;

use arrow_ipc::reader::StreamReader;
use brickwire_sandbox::seed::RUNNING_WAREHOUSE;
use brickwire_sandbox::{Clock, Sandbox};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use serde_json::{Value, json};

use crate::client::{Client, start, start_with};

async fn execute(client: &Client, sql: &str, format: &str, more: Value) -> Value {
    let mut request = json!({
        "warehouse_id": RUNNING_WAREHOUSE, "statement": sql, "wait_timeout": "30s",
        "disposition": "EXTERNAL_LINKS", "format": format,
    });
    for (key, value) in more.as_object().unwrap() {
        request[key] = value.clone();
    }
    let answer = client.posted("/api/2.0/sql/statements", request).await;
    assert_eq!(answer["status"]["state"], "SUCCEEDED", "{answer}");
    answer
}

fn link(part: &Value) -> &str {
    part["external_links"][0]["external_link"].as_str().unwrap()
}

#[tokio::test]
async fn csv_has_its_header_in_the_first_chunk_only() {
    let (_sandbox, client) = start_with(Sandbox::builder().with_chunk_bytes(30)).await;
    let answer = execute(&client, "SELECT id FROM range(10)", "CSV", json!({})).await;
    assert!(answer["result"].get("data_array").is_none());
    let (mut text, mut part) = (String::new(), answer["result"].clone());
    loop {
        text.push_str(&client.http.get(link(&part)).send().await.unwrap().text().await.unwrap());
        let Some(next) = part["external_links"][0].get("next_chunk_internal_link") else { break };
        part = client.got(next.as_str().unwrap()).await;
    }
    let expected: String = (0..10).map(|id| format!("{id}\r\n")).collect();
    assert_eq!(text, format!("id\r\n{expected}"));
}

#[tokio::test]
async fn arrow_chunks_are_whole_streams_also_compressed() {
    let (_sandbox, client) = start_with(Sandbox::builder().with_chunk_bytes(100_000)).await;
    for compression in ["NONE", "LZ4_FRAME"] {
        let more = json!({ "result_compression": compression });
        let answer = execute(&client, "SELECT id FROM range(20000)", "ARROW_STREAM", more).await;
        let count = answer["manifest"]["total_chunk_count"].as_u64().unwrap();
        assert!(count > 1, "{answer}");
        let mut rows = 0;
        for index in 0..count {
            let id = answer["statement_id"].as_str().unwrap();
            let part = client.got(&format!("/api/2.0/sql/statements/{id}/result/chunks/{index}")).await;
            let mut body = client.http.get(link(&part)).send().await.unwrap().bytes().await.unwrap().to_vec();
            assert_eq!(part["external_links"][0]["byte_count"], body.len());
            if compression == "LZ4_FRAME" {
                let mut plain = Vec::new();
                lz4_flex::frame::FrameDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
                body = plain;
            }
            for batch in StreamReader::try_new(&body[..], None).unwrap() {
                rows += batch.unwrap().num_rows();
            }
        }
        assert_eq!(rows, 20_000, "{compression}");
        assert_eq!(answer["manifest"].get("result_compression").is_some(), compression == "LZ4_FRAME");
    }
}

#[tokio::test]
async fn a_link_refuses_every_other_way_in() {
    let clock = Clock::standing_at(1_700_000_000_000);
    let (_sandbox, client) = start_with(Sandbox::builder().with_clock(clock.clone())).await;
    let answer = execute(&client, "SELECT 1 AS a", "JSON_ARRAY", json!({})).await;
    assert_eq!(answer["result"]["external_links"][0]["expiration"], "2023-11-14T22:28:20.000Z");
    let link = link(&answer["result"]);

    let with_token = client.http.get(link).bearer_auth(&client.token).send().await.unwrap();
    assert_eq!(
        (with_token.status().as_u16(), with_token.headers()["content-type"].as_bytes()),
        (400, &b"application/xml"[..])
    );
    let text = with_token.text().await.unwrap();
    assert!(text.contains("<Code>InvalidArgument</Code>"), "{text}");

    let (base, signature) = link.rsplit_once('=').unwrap();
    for (changed, code) in [
        (format!("{base}={}", signature.replace(&signature[..1], "z")), "SignatureDoesNotMatch"),
        (link.replace("X-Amz-Expires=900", "X-Amz-Expires=90000"), "SignatureDoesNotMatch"),
        (link.replace("/0?", "/1?"), "SignatureDoesNotMatch"),
        (link.split('?').next().unwrap().to_owned(), "AccessDenied"),
    ] {
        let response = client.http.get(&changed).send().await.unwrap();
        assert_eq!(response.status(), 403, "{changed}");
        let text = response.text().await.unwrap();
        assert!(text.contains(&format!("<Code>{code}</Code>")), "{changed}: {text}");
    }

    assert_eq!(client.http.get(link).send().await.unwrap().text().await.unwrap(), "[[\"1\"]]");
    clock.advance(Duration::from_secs(900));
    let expired = client.http.get(link).send().await.unwrap();
    assert_eq!(expired.status(), 403);
    assert!(expired.text().await.unwrap().contains("Request has expired"));

    let id = answer["statement_id"].as_str().unwrap();
    let renewed = client.got(&format!("/api/2.0/sql/statements/{id}/result/chunks/0")).await;
    let renewed = renewed["external_links"][0]["external_link"].as_str().unwrap();
    assert_eq!(client.http.get(renewed).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_chunk_goes_wrong_in_every_way() {
    let (sandbox, client) = start().await;
    sandbox.fault("POST /api/2.0/sql/statements: times 1 overcount").unwrap();
    let answer = execute(&client, "SELECT 12345 AS a", "JSON_ARRAY", json!({})).await;
    let manifest = &answer["manifest"];
    assert_eq!((&manifest["total_row_count"], &manifest["chunks"][0]["row_count"]), (&json!(2), &json!(2)));
    assert_eq!(answer["result"]["external_links"][0]["row_count"], 2);
    assert_eq!(manifest["chunks"][0]["byte_count"], 11);
    let link = link(&answer["result"]);
    sandbox.fault("GET /results/*: times 1 half").unwrap();
    let half = client.http.get(link).send().await.unwrap();
    assert_eq!((half.status().as_u16(), half.content_length()), (200, Some(5)));
    assert_eq!(half.text().await.unwrap(), "[[\"12");
    sandbox.fault("GET /results/*: times 1 late=15m").unwrap();
    let late = client.http.get(link).send().await.unwrap();
    assert_eq!(late.status(), 403);
    assert!(late.text().await.unwrap().contains("Request has expired"));
}

#[tokio::test]
async fn a_part_of_a_file_can_be_had() {
    let (_sandbox, client) = start().await;
    let answer = execute(&client, "SELECT 12345 AS a", "JSON_ARRAY", json!({})).await;
    let link = link(&answer["result"]);
    let part = client.http.get(link).header(RANGE, "bytes=3-5").send().await.unwrap();
    assert_eq!(
        (part.status().as_u16(), part.headers()[CONTENT_RANGE].as_bytes()),
        (206, &b"bytes 3-5/11"[..])
    );
    assert_eq!(part.text().await.unwrap(), "123");
    assert_eq!(client.http.get(link).header(RANGE, "bytes=99-").send().await.unwrap().status(), 416);
    let head = client.http.head(link).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()[CONTENT_LENGTH].as_bytes()), (200, &b"11"[..]));
    assert_eq!(client.http.post(link).send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn handed_out_headers_must_come_back() {
    let (_sandbox, client) = start_with(Sandbox::builder().with_link_headers()).await;
    let answer = execute(&client, "SELECT 1 AS a", "JSON_ARRAY", json!({})).await;
    let link = link(&answer["result"]);
    assert_eq!(client.http.get(link).send().await.unwrap().status(), 403);
    let mut request = client.http.get(link);
    for (name, value) in answer["result"]["external_links"][0]["http_headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_link_leads_to_another_chunk() {
    let (sandbox, client) = start_with(Sandbox::builder().with_chunk_bytes(30)).await;
    let answer = execute(&client, "SELECT id FROM range(10)", "JSON_ARRAY", json!({})).await;
    let first = client.http.get(link(&answer["result"])).send().await.unwrap().text().await.unwrap();
    sandbox.fault("/results/*: times 1 chunk=1").unwrap();
    let second = client.http.get(link(&answer["result"])).send().await.unwrap();
    assert_eq!(second.status(), 200);
    let second = second.text().await.unwrap();
    assert_ne!(second, first);
    let index = "/result/chunks/1";
    let id = answer["statement_id"].as_str().unwrap();
    let part = client.got(&format!("/api/2.0/sql/statements/{id}{index}")).await;
    assert_eq!(client.http.get(link(&part)).send().await.unwrap().text().await.unwrap(), second);
    sandbox.fault("/results/*: times 1 chunk=99").unwrap();
    assert_eq!(client.http.get(link(&answer["result"])).send().await.unwrap().status(), 404);
    sandbox.fault("/results/*: times 1 corrupt").unwrap();
    assert_ne!(client.http.get(link(&answer["result"])).send().await.unwrap().text().await.unwrap(), first);
}

#[tokio::test]
async fn a_link_leads_to_a_foreign_chunk() {
    let (sandbox, client) = start().await;
    sandbox.fault("/results/*: foreign").unwrap();
    for (format, more) in [
        ("JSON_ARRAY", json!({})),
        ("CSV", json!({})),
        ("ARROW_STREAM", json!({})),
        ("ARROW_STREAM", json!({ "result_compression": "LZ4_FRAME" })),
    ] {
        let answer = execute(&client, "SELECT 1 AS a", format, more.clone()).await;
        let mut body =
            client.http.get(link(&answer["result"])).send().await.unwrap().bytes().await.unwrap().to_vec();
        if more.get("result_compression").is_some() {
            let mut plain = Vec::new();
            lz4_flex::frame::FrameDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
            body = plain;
        }
        if format == "ARROW_STREAM" {
            let reader = StreamReader::try_new(&body[..], None).unwrap();
            let schema = reader.schema();
            let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            assert_eq!(names, ["stranger", "weight"]);
            assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 3);
        } else {
            assert!(String::from_utf8(body).unwrap().contains("rows"), "{format}");
        }
    }
}

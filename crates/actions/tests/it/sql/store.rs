//! A store that can't be reached, while the service can: what the error says, and how long it takes.

use std::time::Duration;

use brickwire_actions::{Error, ErrorKind, FetchOptions};
use brickwire_testserver::{End, Response};
use serde_json::json;
use tokio::time::Instant;

use super::{
    all_ids, execute, ids, secretless,
    service::{HUSH, Running, Service, reply, reply_json},
};

/// A service whose link leads to this host.
async fn with_store(origin: &'static str) -> Running {
    Service::of_rows(1, 1)
        .scripted(move |request, _| {
            let link = json!({ "chunk_index": 0, "external_link": format!("{origin}/part?sig={HUSH}") });
            let answer = json!({
                "statement_id": super::service::ID, "status": { "state": "SUCCEEDED" },
                "manifest": { "total_row_count": 1, "total_chunk_count": 1, "schema": { "columns": [{ "name": "a" }] } },
                "result": { "external_links": [link] },
            });
            request.target.contains("/statements").then(|| reply_json(&answer))
        })
        .start()
        .await
}

/// Names the host, says that results come from there, and how to do without it.
fn names_the_store(running: &Running, error: &Error, host: &str) {
    let hint = error.hint().unwrap();
    assert!(error.to_string().contains(host), "{error}");
    assert!(hint.contains(&format!("results are downloaded from {host}")), "{hint}");
    assert!(hint.contains("set `disposition` to `INLINE`") && !hint.contains("--"), "{hint}");
    assert!(!error.to_string().contains("part"), "{error}");
    secretless(running, Some(error));
}

#[tokio::test]
async fn a_refused_connection_and_an_unknown_name_name_the_store() {
    for (origin, host) in [("http://127.0.0.1:1", "127.0.0.1:1"), ("https://store.invalid", "store.invalid")]
    {
        let running = with_store(origin).await;
        let options = FetchOptions::default().with_tries(2);
        let statement = running.workspace.sql("w").statement("SELECT 1").with_fetch(options);
        let error = ids(statement.execute().await.unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        names_the_store(&running, &error, host);
    }
}

#[tokio::test]
async fn a_refusal_names_the_store() {
    for status in [403, 407, 451] {
        let running = Service::of_rows(1, 1)
            .scripted(move |r, _| r.target.starts_with("/store/").then(|| reply(status, HUSH)))
            .start()
            .await;
        let error = all_ids(&running).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Unavailable, Some(status)));
        names_the_store(&running, &error, "127.0.0.1:");
    }
}

#[tokio::test]
async fn a_proxys_page_is_not_taken_for_rows() {
    let page = format!("\n<!DOCTYPE html><title>Blocked {HUSH}</title>");
    for content_type in ["text/html", "Text/HTML; charset=utf-8", "application/octet-stream"] {
        let page = page.clone();
        let running = Service::of_rows(1, 1)
            .scripted(move |r, _| {
                let reply = reply(200, page.clone()).with_header("content-type", content_type);
                r.target.starts_with("/store/").then_some(reply)
            })
            .start()
            .await;
        let error = all_ids(&running).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
        assert!(error.to_string().contains("HTML page"), "{error}");
        names_the_store(&running, &error, "127.0.0.1:");
        assert_eq!(running.requests("/store/").len(), 1);
    }
}

#[tokio::test]
async fn a_store_that_asks_for_a_long_wait_is_given_up_at_once() {
    for status in [429, 503] {
        for wait in ["3600", "86400", "Wed, 21 Oct 2099 07:28:00 GMT"] {
            let running = Service::of_rows(1, 1)
                .scripted(move |r, _| {
                    r.target
                        .starts_with("/store/")
                        .then(|| reply(status, HUSH).with_header("retry-after", wait))
                })
                .start()
                .await;
            let error = all_ids(&running).await.unwrap_err();
            assert_eq!((error.kind(), error.status()), (ErrorKind::Unavailable, Some(status)));
            assert!(error.to_string().contains("asks to wait"), "{error}");
            assert!(error.retry_after().unwrap() >= Duration::from_secs(3600));
            assert_eq!(running.requests("/store/").len(), 1);
            names_the_store(&running, &error, "127.0.0.1:");
        }
    }
}

#[tokio::test]
async fn a_store_that_leads_elsewhere_is_not_followed() {
    let running = Service::of_rows(1, 1)
        .scripted(|r, _| {
            let redirect =
                || reply(302, "").with_header("location", "http://169.254.169.254/latest/meta-data");
            r.target.starts_with("/store/").then(redirect)
        })
        .start()
        .await;
    let error = all_ids(&running).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unavailable, Some(302)));
    assert_eq!(running.requests("/store/").len(), 1);
    names_the_store(&running, &error, "127.0.0.1:");
    assert!(!format!("{error} {error:?}").contains("169.254"));
}

#[tokio::test]
async fn a_silent_store_is_given_up_within_a_minute() {
    let running = Service::of_rows(1, 1)
        .scripted(|r, _| r.target.starts_with("/store/").then(|| Response::none(End::Stall)))
        .start()
        .await;
    let result = execute(&running).await.unwrap();
    // From here on, time passes as soon as nothing else can happen.
    tokio::time::pause();
    let start = Instant::now();
    let error = ids(result).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    names_the_store(&running, &error, "127.0.0.1:");
}

#[tokio::test]
async fn a_store_that_has_sent_bytes_is_tried_as_often_as_before() {
    let whole = Service::of_rows(2, 100).chunks[1].0.clone();
    let running = Service::of_rows(2, 100)
        .scripted(move |request, _| {
            request.target.starts_with("/store/1").then(|| reply(200, whole.clone()).cut(100, End::Stall))
        })
        .start()
        .await;
    let mut result = execute(&running).await.unwrap();
    assert_eq!(result.next_rows().await.unwrap().unwrap().len(), 100);
    tokio::time::pause();
    let start = Instant::now();
    let error = loop {
        match result.next_rows().await {
            Ok(rows) => assert!(rows.is_some()),
            Err(error) => break error,
        }
    };
    assert!(start.elapsed() > Duration::from_secs(60), "{:?}", start.elapsed());
    assert!(error.to_string().contains("chunk 1"), "{error}");
}

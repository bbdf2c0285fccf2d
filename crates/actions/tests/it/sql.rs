//! Results over real sockets: what an object store and a service may do wrong, and what must happen then.

#[cfg(feature = "arrow")]
mod batches;
#[cfg(feature = "arrow")]
mod damage;
mod ends;
mod honesty;
mod inline;
mod lifecycle;
mod service;
mod shapes;
mod store;

use std::time::Duration;

use brickwire_actions::{Error, ErrorKind, FetchOptions, Result, StatementResult};
use brickwire_testserver::{End, Gate};
use futures_util::StreamExt;
use serde_json::json;

use self::service::{HUSH, Running, Service, reply, reply_json};

async fn execute(running: &Running) -> Result<StatementResult> {
    running.workspace.sql("w").statement("SELECT * FROM t").execute().await
}

/// The ids of all rows.
async fn ids(result: StatementResult) -> Result<Vec<u64>> {
    Ok(result
        .collect()
        .await?
        .iter()
        .map(|row| row.get(0).unwrap().as_str().unwrap().parse().unwrap())
        .collect())
}

async fn all_ids(running: &Running) -> Result<Vec<u64>> {
    ids(execute(running).await?).await
}

fn secretless(running: &Running, error: Option<&Error>) {
    let mut texts = running.events();
    let mut cause = error.map(|e| e as &dyn std::error::Error);
    while let Some(error) = cause {
        texts.push(format!("{error} {error:?}"));
        cause = error.source();
    }
    for text in texts {
        assert!(!text.contains(HUSH) && !text.contains("dapi-secret") && !text.contains("/store/"), "{text}");
    }
}

#[tokio::test]
async fn chunks_come_in_any_order_and_leave_in_theirs() {
    let gate = Gate::default();
    let (first, others) = (gate.clone(), gate);
    let running = Service::of_rows(7, 100)
        .scripted(move |request, _| match request.target.as_str() {
            path if path.starts_with("/store/0") => {
                let rows: Vec<_> = (0..100).map(|i| json!([i.to_string(), null])).collect();
                first.pass();
                Some(reply_json(&rows.into()))
            }
            path if path.starts_with("/store/4") => {
                others.open(1);
                None
            }
            _ => None,
        })
        .start()
        .await;
    let result = execute(&running).await.unwrap();
    assert_eq!(result.columns()[1].name.as_deref(), Some("note"));
    assert!(!format!("{result:?}").contains(HUSH));
    assert_eq!(ids(result).await.unwrap(), (0..700).collect::<Vec<_>>());
    // Each chunk takes one request to the store, with the headers of the link and none of ours.
    let downloads = running.requests("/store/");
    assert_eq!(downloads.len(), 7);
    assert!(!running.openings().is_empty());
    for download in downloads.into_iter().chain(running.openings()) {
        assert_eq!(download.header("x-store-key"), Some(HUSH));
        for ours in ["authorization", "user-agent", "accept-encoding", "x-databricks-workspace-id"] {
            assert!(download.header(ours).is_none(), "{ours}");
        }
    }
    // The first link came with the answer. Each of the others was requested once.
    assert_eq!(running.requests("/result/chunks/").len(), 6);
    assert_eq!(running.cancellations().await, 0);
    secretless(&running, None);
}

#[tokio::test]
async fn a_cut_download_goes_on_where_it_broke() {
    for knows_ranges in [true, false] {
        let whole = Service::of_rows(3, 200).chunks[1].0.clone();
        let running = Service::of_rows(3, 200)
            .scripted(move |request, before| match (request.target.starts_with("/store/1"), before) {
                (true, 0) => {
                    Some(reply(200, whole.clone()).with_header("etag", "\"a\"").cut(1000, End::Close))
                }
                (true, _) if !knows_ranges => Some(reply(200, whole.clone()).with_header("etag", "\"a\"")),
                (true, _) => {
                    let rest = whole[1000..].to_vec();
                    let range = format!("bytes 1000-{}/{}", whole.len() - 1, whole.len());
                    let reply = reply(206, rest).with_header("etag", "\"a\"");
                    Some(reply.with_header("content-range", &range))
                }
                _ => None,
            })
            .start()
            .await;
        assert_eq!(all_ids(&running).await.unwrap(), (0..600).collect::<Vec<_>>());
        let tries = running.requests("/store/1");
        assert_eq!(tries.len(), 2);
        assert_eq!(tries[1].header("range"), Some("bytes=1000-"));
        assert!(running.events().iter().any(|e| e.starts_with("Retrying")), "{:?}", running.events());
        secretless(&running, None);
    }
}

#[tokio::test]
async fn a_chunk_that_is_another_on_the_second_try_is_an_error() {
    let whole = Service::of_rows(1, 200).chunks[0].0.clone();
    let running = Service::of_rows(1, 200)
        .scripted(move |request, before| {
            let reply = reply(200, whole.clone()).with_header("etag", &format!("\"{before}\""));
            request
                .target
                .starts_with("/store/")
                .then(|| if before == 0 { reply.cut(1000, End::Close) } else { reply })
        })
        .start()
        .await;
    let error = all_ids(&running).await.unwrap_err();
    assert!(error.to_string().contains("changed"), "{error}");
}

#[tokio::test]
async fn silence_ends_an_attempt_and_slowness_does_not() {
    let whole = Service::of_rows(2, 100).chunks[1].0.clone();
    let running = Service::of_rows(2, 100)
        .scripted(move |request, before| {
            let stalls = request.target.starts_with("/store/1") && before == 0;
            stalls.then(|| reply(200, whole.clone()).cut(500, End::Stall))
        })
        .start()
        .await;
    let options = FetchOptions::default().with_stall_timeout(Duration::from_secs(1));
    let statement = running.workspace.sql("w").statement("SELECT 1").with_fetch(options);
    assert_eq!(ids(statement.execute().await.unwrap()).await.unwrap().len(), 200);
    assert!(running.events().iter().any(|e| e.contains("no data for 1s")), "{:?}", running.events());
}

#[tokio::test]
async fn an_unavailable_store_is_tried_again_and_not_for_ever() {
    let running = Service::of_rows(5, 10)
        .scripted(|request, before| {
            (request.target.starts_with("/store/3") && before < 2)
                .then(|| reply(503, format!("<x>{HUSH}</x>")))
        })
        .start()
        .await;
    assert_eq!(all_ids(&running).await.unwrap().len(), 50);
    assert_eq!(running.requests("/store/3").len(), 3);
    assert_eq!(running.requests("/result/chunks/3").len(), 1);
    secretless(&running, None);

    let running = Service::of_rows(5, 10)
        .scripted(|request, _| request.target.starts_with("/store/3").then(|| reply(503, HUSH)))
        .start()
        .await;
    let options = FetchOptions::default().with_tries(2);
    let statement = running.workspace.sql("w").statement("SELECT 1").with_fetch(options);
    let error = ids(statement.execute().await.unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unavailable, 2));
    assert_eq!(error.statement_id(), Some(service::ID));
    assert!(error.to_string().contains("chunk 3") && error.to_string().contains("503"), "{error}");
    secretless(&running, Some(&error));
}

#[tokio::test]
async fn a_refused_link_is_renewed_without_a_wait_and_not_for_ever() {
    let running = Service::of_rows(3, 10)
        .scripted(|request, before| {
            (request.target.starts_with("/store/0") && before < 3).then(|| reply(403, "<Error/>"))
        })
        .start()
        .await;
    assert_eq!(all_ids(&running).await.unwrap().len(), 30);
    assert_eq!(running.requests("/result/chunks/0").len(), 3);
    assert!(!running.events().iter().any(|e| e.starts_with("Retrying")), "{:?}", running.events());

    let running = Service::of_rows(3, 10)
        .scripted(|request, _| request.target.starts_with("/store/1").then(|| reply(403, HUSH)))
        .start()
        .await;
    let error = all_ids(&running).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unavailable, Some(403)));
    assert_eq!(running.requests("/store/1").len(), 4);
    secretless(&running, Some(&error));
}

#[tokio::test]
async fn links_that_hardly_live_are_renewed_before_they_are_used() {
    let running = Service { life: 0, ..Service::of_rows(12, 10) }.start().await;
    assert_eq!(all_ids(&running).await.unwrap().len(), 120);
    // Each link except the first was requested once, and all of them once more because they had expired by then.
    assert_eq!(running.requests("/result/chunks/").len(), 11 + 12);
    assert_eq!(running.requests("/store/").len(), 12);
}

#[tokio::test]
async fn missing_rows_are_an_error() {
    let mut fewer = Service::of_rows(3, 10);
    fewer.chunks[1].1 = 11;
    let error = all_ids(&fewer.start().await).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
    assert!(error.to_string().contains("chunk 1 has 10 rows where 11 were announced"), "{error}");

    let total =
        Service { manifest: json!({ "total_row_count": 31, "chunks": [] }), ..Service::of_rows(3, 10) };
    let error = all_ids(&total.start().await).await.unwrap_err();
    assert!(error.to_string().contains("30 of 31 rows"), "{error}");
}

#[tokio::test]
async fn a_chunk_twice_or_in_place_of_another_is_an_error() {
    let twice = json!([{ "chunk_index": 0 }, { "chunk_index": 1 }, { "chunk_index": 1 }]);
    let twice = Service { manifest: json!({ "chunks": twice }), ..Service::of_rows(3, 10) };
    let error = all_ids(&twice.start().await).await.unwrap_err();
    assert!(error.to_string().contains("lists chunk 1 twice"), "{error}");

    let beyond = Service { manifest: json!({ "chunks": [{ "chunk_index": 3 }] }), ..Service::of_rows(3, 10) };
    let error = all_ids(&beyond.start().await).await.unwrap_err();
    assert!(error.to_string().contains("chunk 3 of 3"), "{error}");

    let uncounted = json!({ "chunks": [], "total_chunk_count": null });
    let uncounted = Service { manifest: uncounted, ..Service::of_rows(1, 10) };
    let running = uncounted
        .scripted(|request, _| {
            let more = json!({ "external_links": [{ "external_link": "http://127.0.0.1:1/", "next_chunk_index": 1 }] });
            let status = json!({ "state": "SUCCEEDED" });
            let answer = json!({ "statement_id": service::ID, "status": status, "result": more });
            request.target.ends_with("/statements").then(|| reply_json(&answer))
        })
        .start()
        .await;
    let error = all_ids(&running).await.unwrap_err();
    assert!(error.to_string().contains("how many chunks"), "{error}");

    for other in [
        json!({ "external_links": [{ "chunk_index": 1, "external_link": "http://127.0.0.1:1/" }] }),
        json!({ "chunk_index": 1, "data_array": [["1", null]] }),
    ] {
        let running = Service::of_rows(3, 10)
            .scripted(move |request, _| request.target.ends_with("/chunks/2").then(|| reply_json(&other)))
            .start()
            .await;
        let error = all_ids(&running).await.unwrap_err();
        assert!(error.to_string().contains("chunk 2 of the result is missing"), "{error}");
    }
}

#[tokio::test]
async fn an_absurd_number_of_chunks_is_an_error_and_nothing_is_fetched() {
    for count in [1_000_000_000_000_u64, 1_000_000_000_000_000_000] {
        for rows in [json!(null), json!(30), json!(i64::MAX)] {
            let manifest = json!({ "total_chunk_count": count, "total_row_count": rows, "chunks": [] });
            let running = Service { manifest, ..Service::of_rows(3, 10) }.start().await;
            let error = all_ids(&running).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
            assert_eq!(error.statement_id(), Some(service::ID));
            assert!(error.to_string().contains(&format!("announces {count} chunks")), "{error}");
            assert!(running.requests("/store/").is_empty() && running.openings().is_empty());
        }
    }
}

#[tokio::test]
async fn connections_stay_in_their_range() {
    let running = Service::of_rows(9, 10).start().await;
    let one = FetchOptions::default().with_connections(1..=1);
    let statement = running.workspace.sql("w").statement("SELECT 1").with_fetch(one);
    assert_eq!(ids(statement.execute().await.unwrap()).await.unwrap().len(), 90);
    assert!(running.openings().is_empty());

    let none = FetchOptions::default().with_connections(0..=1);
    let statement = running.workspace.sql("w").statement("SELECT 1").with_fetch(none);
    assert_eq!(statement.execute().await.unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(running.submissions().len(), 1);
}

#[tokio::test]
async fn garbage_is_an_error() {
    for garbage in ["<html>", "[[\"1\", \"a\"], [\"2\"", "[[\"1\"]]", "{}", "\u{0}\u{1}"] {
        let mut service = Service::of_rows(2, 10);
        service.chunks[1] = (garbage.into(), 1);
        let error = all_ids(&service.start().await).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{garbage}");
        assert!(error.to_string().starts_with("chunk 1 of the result"), "{error}");
        assert!(!error.to_string().contains(garbage), "{error}");
    }
}

#[tokio::test]
async fn an_insecure_link_is_not_followed() {
    let link = json!({ "external_links": [{ "chunk_index": 1, "external_link": format!("http://s.example/{HUSH}") }] });
    let running = Service::of_rows(2, 10)
        .scripted(move |request, _| request.target.ends_with("/chunks/1").then(|| reply_json(&link)))
        .start()
        .await;
    let error = all_ids(&running).await.unwrap_err();
    assert!(error.to_string().contains("is not https"), "{error}");
    secretless(&running, Some(&error));
}

#[tokio::test]
async fn inline_chunks_need_no_store() {
    let running = Service { inline: true, ..Service::of_rows(6, 30) }.start().await;
    assert_eq!(all_ids(&running).await.unwrap(), (0..180).collect::<Vec<_>>());
    assert_eq!(running.requests("/result/chunks/").len(), 5);
    assert_eq!(running.requests("/store/").len(), 0);
    let none = Service::default().start().await;
    assert_eq!(all_ids(&none).await.unwrap(), Vec::<u64>::new());
}

#[tokio::test]
async fn what_was_cut_off_is_said() {
    let running = Service { manifest: json!({ "truncated": true }), ..Service::of_rows(1, 3) }.start().await;
    let statement =
        running.workspace.sql("w").statement("SELECT 1").with_row_limit(3).with_query_tag("team", None);
    assert!(statement.execute().await.unwrap().is_truncated());
    let sent = &running.submissions()[0];
    assert_eq!((&sent["row_limit"], &sent["query_tags"]), (&json!(3), &json!([{ "key": "team" }])));
    assert_eq!((&sent["format"], &sent["disposition"]), (&json!("JSON_ARRAY"), &json!("INLINE")));
}

#[tokio::test]
async fn downloads_do_not_run_away_from_the_reader() {
    let options = FetchOptions::default().with_connections(2..=2);
    // Without memory: the chunk that was read, the one that is waited for, one that arrived while there was memory, and
    // one that finds none. With memory: one more that is downloading, and four that wait for the reader.
    for (options, most) in [(options.with_memory(1), 4), (options, 7)] {
        let gate = Gate::default();
        let held = gate.clone();
        let running = Service::of_rows(60, 20)
            .scripted(move |request, _| {
                let rows: Vec<_> = (20..40).map(|i| json!([i.to_string(), null])).collect();
                request.target.starts_with("/store/1?").then(|| {
                    held.pass();
                    reply_json(&rows.into())
                })
            })
            .start()
            .await;
        let statement = running.workspace.sql("w").statement("SELECT 1").with_fetch(options);
        let mut result = statement.execute().await.unwrap();
        assert_eq!(result.next_rows().await.unwrap().unwrap().len(), 20);
        let waiting = tokio::time::timeout(Duration::from_millis(200), result.next_rows()).await;
        assert!(waiting.is_err());
        let begun = running.requests("/store/").len();
        assert!(begun <= most, "{begun} downloads");
        gate.open(1);
        assert_eq!(ids(result).await.unwrap(), (20..1200).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn rows_come_one_by_one_and_as_structs() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Line {
        id: u32,
        price: Option<String>,
        tags: Vec<i8>,
        data: Vec<u8>,
        place: Option<Place>,
    }
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Place {
        x: f64,
        open: bool,
        names: std::collections::BTreeMap<u8, Option<String>>,
    }
    let columns = [
        ("id", "LONG"),
        ("unread", "DATE"),
        ("price", "DECIMAL"),
        ("tags", "ARRAY"),
        ("data", "BINARY"),
        ("place", "STRUCT"),
    ]
    .map(|(name, kind)| json!({ "name": name, "type_name": kind }));
    let place = r#"{"x":"1.5","open":"true","names":{"1":"a","2":null}}"#;
    let rows = json!([
        ["1", null, "12345678901234567890.10", "[\"1\",\"-2\"]", "AAH/", place],
        ["2", "2024-01-01", null, "[]", "", null],
    ]);
    let service = || Service {
        chunks: vec![(rows.to_string().into_bytes(), 2)],
        columns: columns.to_vec().into(),
        ..Service::default()
    };
    let running = service().start().await;
    let lines: Vec<Line> = execute(&running).await.unwrap().deserialize().await.unwrap();
    let names = [(1, Some("a".to_owned())), (2, None)].into();
    let first = Line {
        id: 1,
        price: Some("12345678901234567890.10".to_owned()),
        tags: vec![1, -2],
        data: vec![0, 1, 255],
        place: Some(Place { x: 1.5, open: true, names }),
    };
    assert_eq!(lines, [first, Line { id: 2, price: None, tags: vec![], data: vec![], place: None }]);

    let mut stream = execute(&running).await.unwrap().into_stream();
    let row = stream.next().await.unwrap().unwrap();
    assert_eq!(row.get("id"), row.get(0));
    assert_eq!(row.get("id").unwrap().as_str(), Some("1"));
    assert!(row.get("unread").unwrap().is_null() && row.get(1).unwrap().as_str().is_none());
    assert!(row.get("ID").is_none() && row.get(String::new()).is_none() && row.get(6).is_none());
    assert!(format!("{row:?}").starts_with(r#"["1", NULL, "#), "{row:?}");
    type Tuple<'a> = (i64, Option<&'a str>, &'a str, Vec<&'a str>, &'a str, Option<serde_json::Value>);
    let error = row.deserialize::<Tuple<'_>>().unwrap_err();
    assert!(error.to_string().contains("column `tags`"), "{error}");
    let map: std::collections::BTreeMap<String, Option<String>> = row.deserialize().unwrap();
    assert_eq!(map["price"].as_deref(), Some("12345678901234567890.10"));
    let error = stream.next().await.unwrap().unwrap().deserialize::<Vec<String>>().unwrap_err();
    assert!(error.to_string().contains("column `price`: NULL"), "{error}");
    assert!(stream.next().await.is_none());
}

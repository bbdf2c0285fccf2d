//! Answers that contradict themselves, or say less than they must: rows that are missing or wrong never pass for a result.

use brickwire_actions::{ErrorKind, Result, WaitOptions};
use serde_json::{Value, json};

use super::{
    all_ids, execute, ids,
    service::{ID, Running, Service, reply, reply_json},
};

/// A service whose links and manifest are changed before they are sent.
async fn with_links(service: Service, change: impl Fn(usize, &mut Value) + Send + Sync + 'static) -> Running {
    let correct = Service { chunks: service.chunks.clone(), ..Service::default() };
    let manifest = json!({
        "format": "JSON_ARRAY", "schema": { "columns": service.columns.clone() },
        "total_chunk_count": service.chunks.len(),
    });
    let manifest = service.manifest.as_object().unwrap().iter().fold(manifest, |mut all, (name, value)| {
        all[name] = value.clone();
        all
    });
    service
        .scripted(move |request, _| {
            let base = format!("http://{}", request.authority);
            let link = |index: usize| {
                let mut answer = correct.chunk(index, &base);
                change(index, &mut answer["external_links"][0]);
                answer
            };
            let status = json!({ "state": "SUCCEEDED" });
            match request.target.rsplit_once("/chunks/") {
                Some((_, index)) => Some(reply_json(&link(index.parse().unwrap()))),
                None if request.target.ends_with("/statements") => Some(reply_json(&json!({
                    "statement_id": ID, "status": status, "manifest": manifest, "result": link(0),
                }))),
                None => None,
            }
        })
        .start()
        .await
}

fn is_unexpected(outcome: Result<Vec<u64>>, words: &str) {
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.statement_id()), (ErrorKind::UnexpectedResponse, Some(ID)), "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[tokio::test]
async fn a_chunk_after_the_last_is_an_error() {
    let running = with_links(
        Service { manifest: json!({ "total_chunk_count": 1 }), ..Service::of_rows(4, 10) },
        |index, link| link["next_chunk_index"] = (index + 1).into(),
    )
    .await;
    is_unexpected(all_ids(&running).await, "announces 1 chunk, but chunk 0 of the result says that chunk 1");
    // The last chunk says it, when it is asked for.
    let running = with_links(Service::of_rows(4, 10), |index, link| {
        link["next_chunk_index"] = (index + 1).into();
    })
    .await;
    is_unexpected(all_ids(&running).await, "announces 4 chunks, but chunk 3 of the result says that chunk 4");
}

#[tokio::test]
async fn a_chunk_in_place_of_another_is_an_error_although_the_rows_are_as_many() {
    for is_counted in [true, false] {
        let manifest = if is_counted { json!({ "total_row_count": 40 }) } else { json!({}) };
        let running = with_links(Service { manifest, ..Service::of_rows(4, 10) }, |index, link| {
            link["row_offset"] = (if index == 2 { 10 } else { index * 10 }).into();
        })
        .await;
        is_unexpected(all_ids(&running).await, "chunk 2 of the result should start at row 20");
    }
    // The rows before it are read.
    let running = with_links(Service::of_rows(2, 10), |_, link| link["row_offset"] = 0.into()).await;
    let mut result = execute(&running).await.unwrap();
    assert_eq!(result.next_rows().await.unwrap().unwrap().len(), 10);
    assert!(result.next_rows().await.is_err() && result.next_rows().await.unwrap().is_none());
    // Correct offsets, and those that say nothing.
    for factor in [10, -1] {
        let running = with_links(Service::of_rows(4, 10), move |index, link| {
            link["row_offset"] = (i64::try_from(index).unwrap() * factor).into();
        })
        .await;
        assert_eq!(all_ids(&running).await.unwrap().len(), 40);
    }
}

#[tokio::test]
async fn manifest_and_link_must_agree() {
    let chunks = json!([{ "chunk_index": 1, "row_count": 10, "row_offset": 10 }]);
    for (field, value, words) in
        [("row_count", 11, "number of rows of chunk 1"), ("row_offset", 20, "first row of chunk 1")]
    {
        let service = Service { manifest: json!({ "chunks": chunks }), ..Service::of_rows(2, 10) };
        let running = with_links(service, move |index, link| {
            if index == 1 {
                link[field] = value.into();
            }
        })
        .await;
        is_unexpected(all_ids(&running).await, words);
        assert!(running.requests("/store/1").is_empty());
    }
}

#[tokio::test]
async fn a_renewed_link_leads_to_the_same_rows() {
    let running = Service::of_rows(2, 10)
        .scripted(|request, before| match request.target.as_str() {
            path if path.starts_with("/store/1") => Some(reply(403, "")),
            path if path.ends_with("/chunks/1") => {
                let url = format!("http://{}/store/1", request.authority);
                let offset = if before == 0 { 10 } else { 0 };
                let link = json!({ "chunk_index": 1, "external_link": url, "row_offset": offset });
                Some(reply_json(&json!({ "external_links": [link] })))
            }
            _ => None,
        })
        .start()
        .await;
    is_unexpected(all_ids(&running).await, "about the first row of chunk 1 of the result: 10 and 0");
}

/// A service that answers a submission and each poll with this.
async fn answering(mut answer: Value) -> Running {
    answer["statement_id"] = ID.into();
    Service::default()
        .scripted(move |r, _| r.target.contains("/statements").then(|| reply_json(&answer)))
        .start()
        .await
}

#[tokio::test]
async fn success_without_a_result_is_none() {
    let status = json!({ "state": "SUCCEEDED" });
    let columns = json!({ "columns": [{ "name": "id" }] });
    for answer in [
        json!({ "status": status }),
        json!({ "status": status, "result": {} }),
        json!({ "status": status, "manifest": {} }),
        json!({ "status": status, "manifest": { "schema": columns }, "result": {} }),
        json!({ "status": status, "manifest": { "schema": columns }, "result": { "data_array": [] } }),
    ] {
        let running = answering(answer.clone()).await;
        let error = execute(&running).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.statement_id()),
            (ErrorKind::UnexpectedResponse, Some(ID)),
            "{answer}"
        );
        let waited = running.workspace.statements().wait(ID, WaitOptions::default()).await;
        assert_eq!(waited.unwrap_err().kind(), ErrorKind::UnexpectedResponse, "{answer}");
    }
    // What may return nothing, and what says that there is nothing.
    for (text, answer) in [
        ("CREATE TABLE t (a INT)", json!({ "status": status })),
        (
            "CREATE TABLE t (a INT)",
            json!({ "status": status, "manifest": { "schema": { "column_count": 0 } } }),
        ),
        ("SELECT 1", json!({ "status": status, "manifest": { "schema": columns, "total_row_count": 0 } })),
        ("SELECT 1", json!({ "status": status, "manifest": { "schema": columns, "total_chunk_count": 0 } })),
    ] {
        let running = answering(answer.clone()).await;
        let result = running.workspace.sql("w").statement(text).execute().await.unwrap();
        assert!(result.collect().await.unwrap().is_empty(), "{answer}");
    }
}

#[tokio::test]
async fn rows_where_no_chunk_is_announced_are_an_error() {
    let manifest = json!({ "schema": { "columns": [{ "name": "id" }] }, "total_chunk_count": 0 });
    let result = json!({ "data_array": [["1"]] });
    let running =
        answering(json!({ "status": { "state": "SUCCEEDED" }, "manifest": manifest, "result": result }))
            .await;
    is_unexpected(all_ids(&running).await, "how many chunks");
}

#[tokio::test]
async fn an_empty_chunk_must_be_announced() {
    for (rows, total, is_good) in
        [(json!(null), json!(null), false), (json!(0), json!(null), true), (json!(null), json!(10), true)]
    {
        for body in [&b""[..], b" ", b"null"] {
            let (rows, total) = (rows.clone(), total.clone());
            let mut service =
                Service { manifest: json!({ "total_row_count": total }), ..Service::of_rows(2, 10) };
            service.chunks[1] = (body.to_vec(), 0);
            let running = with_links(service, move |index, link| {
                if index == 1 {
                    link["row_count"] = rows.clone();
                }
            })
            .await;
            match is_good {
                true => assert_eq!(all_ids(&running).await.unwrap().len(), 10),
                false => is_unexpected(all_ids(&running).await, "chunk 1 of the result is empty"),
            }
        }
    }
    // An answer without rows and without links.
    let running =
        Service { manifest: json!({ "total_row_count": null, "chunks": null }), ..Service::of_rows(2, 10) }
            .scripted(|r, _| {
                r.target.ends_with("/chunks/1").then(|| reply_json(&json!({ "chunk_index": 1 })))
            })
            .start()
            .await;
    is_unexpected(all_ids(&running).await, "chunk 1 of the result is empty");
}

#[tokio::test]
async fn rows_that_were_cut_off_unasked_end_with_an_error() {
    let service = || Service { manifest: json!({ "truncated": true }), ..Service::of_rows(2, 10) };
    let running = service().start().await;
    let mut result = execute(&running).await.unwrap();
    assert!(result.is_truncated());
    for _ in 0..2 {
        assert_eq!(result.next_rows().await.unwrap().unwrap().len(), 10);
    }
    let error = result.next_rows().await.unwrap_err();
    assert_eq!((error.kind(), error.statement_id()), (ErrorKind::UnexpectedResponse, Some(ID)));
    assert!(error.to_string().contains("cut it off after 20 rows"), "{error}");
    assert!(error.hint().unwrap().contains("`row_limit`"), "{error:?}");
    assert!(result.next_rows().await.unwrap().is_none());
    // It has been read to its end, so there is nothing to cancel.
    drop(result);
    assert_eq!(running.cancellations().await, 0);

    let statement = || running.workspace.sql("w").statement("CALL p()");
    for asked in [statement().with_row_limit(20), statement().with_byte_limit(1 << 20)] {
        assert_eq!(ids(asked.execute().await.unwrap()).await.unwrap().len(), 20);
    }
    // Fewer rows than the limit allows: another one cut them off.
    is_unexpected(ids(statement().with_row_limit(21).execute().await.unwrap()).await, "cut it off");
    // The limits of someone else's statement aren't known.
    let waited = running.workspace.statements().wait(ID, WaitOptions::default()).await.unwrap();
    assert_eq!(ids(waited).await.unwrap().len(), 20);
}

#[tokio::test]
async fn an_answer_about_another_statement_is_an_error() {
    let running = Service::default()
        .scripted(|request, _| {
            let state = if request.method == "POST" { "RUNNING" } else { "SUCCEEDED" };
            let id = if request.method == "POST" { ID } else { "01f0-other" };
            request.target.contains("/statements").then(|| {
                reply_json(&json!({
                    "statement_id": id, "status": { "state": state }, "manifest": { "total_row_count": 0 },
                }))
            })
        })
        .start()
        .await;
    let statements = running.workspace.statements();
    let errors = [
        statements.wait(ID, WaitOptions::default()).await.unwrap_err(),
        statements.get(ID).await.unwrap_err(),
        statements.get_json(ID).await.unwrap_err(),
        // Last, because it is canceled then.
        execute(&running).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
        assert_eq!(
            error.to_string(),
            format!("the answer is about a different statement than {ID}: 01f0-other")
        );
    }
}

#[tokio::test]
async fn a_submission_whose_answer_names_nothing_has_an_unknown_outcome() {
    for body in ["{}", r#"{"statement_id":""}"#, r#"{"statement_id":5}"#, r#"{"status":{"state":7}}"#] {
        let running = Service::default()
            .scripted(move |request, _| request.target.ends_with("/statements").then(|| reply(200, body)))
            .start()
            .await;
        let error = execute(&running).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownOutcome, "{body} {error}");
        assert_eq!(running.submissions().len(), 1);
    }
}

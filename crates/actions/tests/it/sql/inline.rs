//! Small results come in the answer: counted in requests. And what happens to those that turn out to be large.

#[cfg(feature = "arrow")]
use brickwire_actions::ErrorKind;
use brickwire_actions::types::Disposition;
use brickwire_testserver::Request;
use serde_json::{Value, json};

use super::{
    ids,
    service::{ID, Running, Service, reply_json},
};

/// Answers as the service: rows in the answer for INLINE, else links. With `spoil`, an INLINE answer is changed.
async fn as_asked(rows: usize, spoil: impl Fn(&mut Value) + Send + Sync + 'static) -> Running {
    let (chunk, _) = &Service::of_rows(1, rows).chunks[0];
    let rows_of: Value = serde_json::from_slice(chunk).unwrap();
    Service::of_rows(1, rows)
        .scripted(move |request, _| {
            let is_inline = is_submission(request) && sent(request)["disposition"] == "INLINE";
            is_inline.then(|| {
                let mut answer = json!({
                    "statement_id": ID, "status": { "state": "SUCCEEDED" },
                    "manifest": {
                        "format": "JSON_ARRAY", "total_row_count": rows, "total_chunk_count": 1,
                        "schema": { "columns": [{ "name": "id", "type_name": "LONG" }, { "name": "note" }] },
                    },
                    "result": { "chunk_index": 0, "row_count": rows, "data_array": rows_of },
                });
                spoil(&mut answer);
                reply_json(&answer)
            })
        })
        .start()
        .await
}

fn is_submission(request: &Request) -> bool {
    request.method == "POST" && request.target.ends_with("/statements")
}

fn sent(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// How each submission asked for its result.
fn dispositions(running: &Running) -> Vec<String> {
    running.submissions().iter().map(|body| body["disposition"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_thousand_rows_take_one_request() {
    for (text, limit) in [("SELECT * FROM t", Some(1000)), ("SELECT * FROM t LIMIT 1000", None)] {
        let running = as_asked(1000, |_| {}).await;
        let mut statement = running.workspace.sql("w").statement(text);
        if let Some(limit) = limit {
            statement = statement.with_row_limit(limit);
        }
        assert_eq!(ids(statement.execute().await.unwrap()).await.unwrap().len(), 1000);
        // The submission, and nothing after the end of the statement.
        assert_eq!(running.requests("").len(), 1);
        assert!(running.openings().is_empty());
        let sent = &running.submissions()[0];
        assert_eq!(sent["row_limit"], limit.map_or(Value::Null, Into::into));
        let bytes = sent["byte_limit"].as_u64().unwrap();
        assert!((1 << 20..25 << 20).contains(&bytes), "{bytes}");
    }
}

#[tokio::test]
async fn a_slow_statement_takes_one_request_after_its_end() {
    let running = Service { inline: true, ..Service::of_rows(1, 1000) }
        .scripted(|request, _| {
            let running = json!({ "statement_id": ID, "status": { "state": "RUNNING" } });
            is_submission(request).then(|| reply_json(&running))
        })
        .start()
        .await;
    let statement = running.workspace.sql("w").statement("SELECT * FROM t").with_row_limit(1000);
    assert_eq!(ids(statement.execute().await.unwrap()).await.unwrap().len(), 1000);
    // The submission, and the poll that saw the end.
    assert_eq!(running.requests("").len(), 2);
}

#[tokio::test]
async fn a_query_that_is_cut_off_by_bytes_runs_again_by_links() {
    let cut = |answer: &mut Value| {
        answer["manifest"]["truncated"] = true.into();
        answer["manifest"]["total_row_count"] = 2.into();
        answer["result"] = json!({ "row_count": 2, "data_array": [["0", null], ["1", null]] });
    };
    let failed = |answer: &mut Value| {
        let message = "Inline byte limit exceeded. Statements executed with disposition=INLINE can have a result size of \
                       at most 26214400 bytes. Please execute the statement with disposition=EXTERNAL_LINKS.";
        *answer = json!({
            "statement_id": ID, "status": { "state": "FAILED", "error": { "error_code": "BAD_REQUEST", "message": message } },
        });
    };
    type Spoil = Box<dyn Fn(&mut Value) + Send + Sync>;
    let cases: [(&str, Spoil); 2] = [("cut", Box::new(cut)), ("failed", Box::new(failed))];
    for (name, spoil) in cases {
        let running = as_asked(30, spoil).await;
        let statement = running.workspace.sql("w").statement("SELECT * FROM t").with_row_limit(30);
        let result = statement.execute().await.unwrap();
        assert!(!result.is_truncated());
        assert_eq!(ids(result).await.unwrap().len(), 30, "{name}");
        assert_eq!(dispositions(&running), ["INLINE", "EXTERNAL_LINKS"], "{name}");
        assert_eq!(running.submissions()[1]["byte_limit"], Value::Null);
    }
}

#[tokio::test]
async fn all_rows_of_a_row_limit_are_no_reason_to_run_again() {
    let running = as_asked(30, |answer| answer["manifest"]["truncated"] = true.into()).await;
    let statement = running.workspace.sql("w").statement("SELECT * FROM t").with_row_limit(30);
    assert!(statement.execute().await.unwrap().is_truncated());
    assert_eq!(dispositions(&running), ["INLINE"]);
    // Neither is a byte limit of the caller's own.
    let statement = running.workspace.sql("w").statement("SELECT * FROM t").with_byte_limit(1 << 10);
    assert!(statement.execute().await.unwrap().is_truncated());
    assert_eq!(dispositions(&running), ["INLINE", "INLINE"]);
}

#[tokio::test]
async fn what_may_change_data_is_never_run_again() {
    let cut = |answer: &mut Value| answer["manifest"]["truncated"] = true.into();
    for text in [
        "INSERT INTO t SELECT 1",
        "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
        "CALL p()",
        "WHAT IS THIS",
    ] {
        let running = as_asked(3, cut).await;
        let statement = running.workspace.sql("w").statement(text).with_row_limit(1000);
        let result = statement.execute().await.unwrap();
        let is_truncated = result.is_truncated();
        assert_eq!(is_truncated, dispositions(&running) == ["INLINE"], "{text}");
        assert_eq!(running.submissions().len(), 1, "{text}");
    }
}

#[tokio::test]
async fn an_explicit_disposition_is_sent_as_it_is() {
    let running = as_asked(3, |answer| answer["manifest"]["truncated"] = true.into()).await;
    let statement = || running.workspace.sql("w").statement("SELECT * FROM t").with_row_limit(1000);
    let inline = statement().with_disposition(Disposition::Inline).execute().await.unwrap();
    assert!(inline.is_truncated());
    statement().with_disposition(Disposition::ExternalLinks).execute().await.unwrap();
    let unlimited =
        running.workspace.sql("w").statement("SELECT * FROM t").with_disposition(Disposition::Inline);
    unlimited.execute().await.unwrap();
    assert_eq!(dispositions(&running), ["INLINE", "EXTERNAL_LINKS", "INLINE"]);
    assert!(running.submissions().iter().all(|body| body["byte_limit"].is_null()));
    // What is read elsewhere can't fall back, so it isn't limited.
    statement().submit().await.unwrap();
    assert_eq!(dispositions(&running)[3], "EXTERNAL_LINKS");
}

#[cfg(feature = "arrow")]
#[tokio::test]
async fn record_batches_never_come_in_the_answer() {
    let running = as_asked(3, |_| {}).await;
    let statement = running.workspace.sql("w").statement("SELECT 1").with_disposition(Disposition::Inline);
    assert_eq!(statement.execute_arrow().await.unwrap_err().kind(), ErrorKind::Usage);
    assert!(running.submissions().is_empty());
}

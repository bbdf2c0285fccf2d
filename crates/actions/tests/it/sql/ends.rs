//! How statements end, in the service's words: closed, canceled, and canceled in vain. What is said must be true, and
//! must not lead anyone to do the work twice.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use brickwire_actions::{Connection, Error, ErrorKind, Result, StatementResult, WaitOptions, Workspace};
use brickwire_testserver::{Response, Server};
use serde_json::{Value, json};

use super::service::{ID, Running, Service, reply, reply_json};

const INSERT: &str = "INSERT INTO t SELECT * FROM s";

/// A service whose statement has ended, with this answer.
async fn ended(mut answer: Value) -> Running {
    answer["statement_id"] = ID.into();
    Service::default()
        .scripted(move |r, _| r.target.contains("/statements").then(|| reply_json(&answer)))
        .start()
        .await
}

fn closed(manifest: Value, result: Value) -> Value {
    json!({ "status": { "state": "CLOSED" }, "manifest": manifest, "result": result })
}

fn of_one_column(rows: Value) -> Value {
    json!({
        "format": "JSON_ARRAY", "total_row_count": rows, "total_chunk_count": 1,
        "schema": { "column_count": 1, "columns": [{ "name": "n", "type_name": "LONG" }] },
    })
}

async fn execute(running: &Running, text: &str) -> Result<StatementResult> {
    running.workspace.sql("w").statement(text).execute().await
}

/// Suggests to do the work once more.
fn suggests_a_repeat(error: &Error) -> bool {
    format!("{error} {}", error.hint().unwrap_or_default()).contains("run the statement again")
}

#[tokio::test]
async fn a_closed_statement_with_its_rows_is_a_success() {
    for text in ["SELECT 1", INSERT] {
        let running =
            ended(closed(of_one_column(json!(1)), json!({ "chunk_index": 0, "data_array": [["3"]] }))).await;
        assert_eq!(execute(&running, text).await.unwrap().collect().await.unwrap().len(), 1, "{text}");
        let result = running.workspace.statements().wait(ID, WaitOptions::default()).await.unwrap();
        assert_eq!(result.deserialize::<(i64,)>().await.unwrap(), [(3,)]);
    }
}

#[tokio::test]
async fn a_closed_statement_without_a_result_set_is_a_success() {
    for (text, answer) in [
        ("CREATE TABLE t (a INT)", json!({ "status": { "state": "CLOSED" } })),
        (INSERT, json!({ "status": { "state": "CLOSED" } })),
        ("CREATE TABLE t (a INT)", closed(json!({ "schema": { "column_count": 0 } }), json!({}))),
        ("CREATE TABLE t (a INT)", closed(json!(null), json!({}))),
        ("SELECT 1 WHERE false", closed(of_one_column(json!(0)), json!({}))),
        ("SELECT 1 WHERE false", closed(of_one_column(json!(0)), json!({ "data_array": [] }))),
    ] {
        let running = ended(answer.clone()).await;
        let mut result = execute(&running, text).await.unwrap();
        // Its one chunk may be asked for, if it is announced.
        if answer["manifest"]["total_chunk_count"].is_null() {
            assert!(result.next_rows().await.unwrap().is_none(), "{text} {answer}");
            assert_eq!(running.requests("/chunks/").len(), 0, "{text} {answer}");
        }
    }
}

#[tokio::test]
async fn a_result_that_is_gone_is_an_error_and_only_a_query_may_run_again() {
    let gone = || closed(of_one_column(json!(5)), json!({}));
    for (text, may_repeat) in [("SELECT 1", true), (INSERT, false), ("-- SELECT\nCALL p()", false)] {
        let error = execute(&ended(gone()).await, text).await.unwrap_err();
        assert!(error.to_string().contains("succeeded"), "{error}");
        assert_eq!(suggests_a_repeat(&error), may_repeat, "{text}: {:?}", error.hint());
    }
    let error =
        execute(&ended(json!({ "status": { "state": "CLOSED" } })).await, "SELECT 1").await.unwrap_err();
    assert_eq!((error.kind(), error.statement_id()), (ErrorKind::RemoteFailed, Some(ID)));
    // What a statement of someone else did isn't known.
    let running = ended(gone()).await;
    let error = running.workspace.statements().wait(ID, WaitOptions::default()).await.unwrap_err();
    assert!(!suggests_a_repeat(&error), "{error:?}");
}

#[tokio::test]
async fn a_chunk_that_the_store_no_longer_has_is_no_reason_to_write_twice() {
    for (text, may_repeat) in [("SELECT 1", true), ("CALL p()", false)] {
        let running = Service::of_rows(1, 1)
            .scripted(|r, _| r.target.starts_with("/store/").then(|| reply(404, "")))
            .start()
            .await;
        let error = execute(&running, text).await.unwrap().collect().await.unwrap_err();
        assert_eq!(suggests_a_repeat(&error), may_repeat, "{text}: {:?}", error.hint());
    }
}

#[tokio::test]
async fn the_services_reason_for_a_cancellation_is_shown() {
    let status =
        |message: Value| json!({ "status": { "state": "CANCELED", "error": { "message": message } } });
    let error =
        execute(&ended(status(json!("stopped by an administrator"))).await, "SELECT 1").await.unwrap_err();
    assert_eq!(error.to_string(), "the statement was canceled: stopped by an administrator");
    assert_eq!((error.kind(), error.statement_id()), (ErrorKind::RemoteFailed, Some(ID)));
    for none in [json!(null), json!(""), json!(" ")] {
        let error = execute(&ended(status(none)).await, "SELECT 1").await.unwrap_err();
        assert_eq!(error.to_string(), "the statement was canceled");
    }
}

fn state(state: &str) -> Response {
    reply_json(&json!({ "statement_id": ID, "status": { "state": state } }))
}

/// The error if the deadline passes and the cancellation is answered so; then the statement is in this state.
async fn canceled_in_vain(
    cancel: impl Fn() -> Response + Send + Sync + 'static,
    after: &'static str,
) -> Error {
    let canceled = AtomicBool::new(false);
    let server = Server::start(move |request| {
        if request.target.ends_with("/cancel") {
            canceled.store(true, Ordering::SeqCst);
            return cancel();
        }
        state(if canceled.load(Ordering::SeqCst) { after } else { "RUNNING" })
    });
    let connection = Connection::token(&server.url(), "dapi-secret").unwrap();
    let workspace = Workspace::builder().connection(connection).build().unwrap();
    let statement = workspace.sql("w").statement(INSERT).with_deadline(Duration::from_secs(2));
    let error = statement.execute().await.unwrap_err();
    assert_eq!((error.kind(), error.statement_id()), (ErrorKind::DeadlineExceeded, Some(ID)));
    error
}

#[tokio::test]
async fn a_deadline_says_what_became_of_the_cancellation() {
    let (refused, accepted, too_late, unseen) = tokio::join!(
        canceled_in_vain(|| reply(404, r#"{"error_code":"NOT_FOUND","message":"gone"}"#), "RUNNING"),
        canceled_in_vain(|| reply(200, "{}"), "CANCELED"),
        canceled_in_vain(|| reply(200, "{}"), "SUCCEEDED"),
        canceled_in_vain(|| reply(200, "{}"), "RUNNING"),
    );
    let text = refused.to_string();
    let words = [
        "timed out after 2s; canceling statement ",
        "failed, so the statement may still run: NOT_FOUND: gone",
    ];
    assert!(words.iter().all(|words| text.contains(words)), "{text}");
    assert!(!text.contains("was canceled"), "{text}");

    assert!(accepted.to_string().ends_with(" was canceled"), "{accepted}");
    // An INSERT may have taken effect all the same.
    assert!(accepted.hint().unwrap().starts_with("check whether it took effect"), "{accepted:?}");

    assert!(too_late.to_string().ends_with(" ended before it could be canceled: SUCCEEDED"), "{too_late}");

    assert!(unseen.to_string().contains("was requested, and its end was not seen"), "{unseen}");
    assert!(!unseen.to_string().contains("was canceled"), "{unseen}");
}

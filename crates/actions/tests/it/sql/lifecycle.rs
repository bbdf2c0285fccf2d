//! From submission to end: polls, failures, cancellations.

use std::time::Duration;

use brickwire_actions::{ErrorKind, RetryPolicy, WaitOptions};
use brickwire_testserver::{End, Gate, Request, Response};
use serde_json::json;

use super::{
    all_ids, execute,
    service::{HUSH, ID, Service, reply, reply_json},
};

fn running() -> Response {
    reply_json(&json!({ "statement_id": ID, "status": { "state": "RUNNING" } }))
}

fn is_submission(request: &Request) -> bool {
    request.method == "POST" && request.target.ends_with("/statements")
}

fn is_poll(request: &Request) -> bool {
    request.method == "GET" && request.target.ends_with(ID)
}

#[tokio::test]
async fn polls_until_the_end_and_survives_a_failed_poll() {
    let service = Service::of_rows(2, 5).scripted(|request, before| match before {
        _ if is_submission(request) => Some(running()),
        0 | 2 if is_poll(request) => Some(running()),
        // The wait is longer than the call may take, so the call isn't retried.
        1 if is_poll(request) => Some(reply(503, "{}").with_header("retry-after", "3600")),
        _ => None,
    });
    let service = service.start().await;
    assert_eq!(all_ids(&service).await.unwrap().len(), 10);
    assert_eq!(service.requests(ID).iter().filter(|r| is_poll(r)).count(), 4);
    assert_eq!((service.submissions().len(), service.cancellations().await), (1, 0));
}

#[tokio::test]
async fn a_failed_statement_says_why() {
    let service = Service::default().scripted(|request, _| {
        let status = json!({
            "state": "FAILED", "sql_state": "42P01",
            "error": { "error_code": "BAD_REQUEST", "message": "[TABLE_OR_VIEW_NOT_FOUND] no t" },
        });
        is_submission(request).then(|| reply_json(&json!({ "statement_id": ID, "status": status })))
    });
    let service = service.start().await;
    let error = execute(&service).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RemoteFailed);
    assert_eq!((error.error_code(), error.sql_state()), (Some("BAD_REQUEST"), Some("42P01")));
    assert_eq!(error.to_string(), "[TABLE_OR_VIEW_NOT_FOUND] no t");
    assert_eq!(error.statement_id(), Some(ID));
    assert_eq!(service.cancellations().await, 0);
}

#[tokio::test]
async fn a_deadline_cancels() {
    let service =
        Service::default().scripted(|r, _| (is_submission(r) || is_poll(r)).then(running)).start().await;
    let statement = service.workspace.sql("w").statement("SELECT 1").with_deadline(Duration::from_secs(2));
    let error = statement.execute().await.unwrap_err();
    assert_eq!((error.kind(), error.statement_id()), (ErrorKind::DeadlineExceeded, Some(ID)));
    assert_eq!(service.submissions()[0]["wait_timeout"], "0s");
    assert_eq!(service.cancellations().await, 1);
}

#[tokio::test]
async fn a_submission_is_bounded_by_the_deadline_and_its_late_answer_cancels() {
    let gate = Gate::default();
    let held = gate.clone();
    let service = Service::default().scripted(move |r, _| {
        is_submission(r).then(|| {
            held.pass();
            running()
        })
    });
    let service = service.start().await;
    let statement = service.workspace.sql("w").statement("INSERT INTO t VALUES (1)");
    let error = statement.with_deadline(Duration::from_secs(2)).execute().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownOutcome);
    gate.open(1);
    assert_eq!((service.submissions().len(), service.cancellations().await), (1, 1));
}

#[tokio::test]
async fn a_submission_that_is_not_answered_ends_at_the_deadline() {
    let service = Service::default().scripted(|r, _| is_submission(r).then(|| Response::none(End::Stall)));
    let service = service.start().await;
    let statement = || service.workspace.sql("w").statement("SELECT 1").with_deadline(Duration::from_secs(2));
    assert_eq!(statement().execute().await.unwrap_err().kind(), ErrorKind::UnknownOutcome);
    assert_eq!(statement().submit().await.unwrap_err().kind(), ErrorKind::UnknownOutcome);
    assert_eq!(service.submissions().len(), 2);
}

#[tokio::test]
async fn an_explicit_wait_is_sent_as_it_is() {
    let service = Service::of_rows(1, 1).start().await;
    let statement = || service.workspace.sql("w").statement("SELECT 1");
    statement().execute().await.unwrap();
    statement().submit().await.unwrap();
    statement().with_wait_timeout(Duration::from_secs(30)).execute().await.unwrap();
    statement().with_wait_timeout(Duration::from_secs(30)).submit().await.unwrap();
    let waits = service.submissions().iter().map(|body| body["wait_timeout"].to_string()).collect::<Vec<_>>();
    assert_eq!(waits, [r#""5s""#, r#""0s""#, r#""30s""#, r#""30s""#]);
}

#[tokio::test]
async fn dropping_the_wait_cancels_what_is_ours_only() {
    let start = || Service::default().scripted(|r, _| (is_submission(r) || is_poll(r)).then(running)).start();
    let service = start().await;
    tokio::select! {
        ended = execute(&service) => panic!("{ended:?}"),
        () = service.until_requested(is_poll) => {}
    }
    let polls = service.requests(ID).iter().filter(|r| is_poll(r)).count();
    assert_eq!(service.cancellations().await, 1);
    // The state is polled until the statement has ended, and reported.
    assert!(service.requests(ID).iter().filter(|r| is_poll(r)).count() > polls);
    let events = service.events();
    let accepted = events.iter().any(|event| event.starts_with("Canceled "));
    assert!(accepted && events.last().unwrap().contains("CANCELED"), "{events:?}");
    let service = start().await;
    let statements = service.workspace.statements();
    tokio::select! {
        ended = statements.wait(ID, WaitOptions::default()) => panic!("{ended:?}"),
        () = service.until_requested(is_poll) => {}
    }
    assert_eq!(service.cancellations().await, 0);
}

#[tokio::test]
async fn a_lost_submission_is_not_sent_again() {
    let service = Service::default()
        .scripted(|r, _| is_submission(r).then(|| reply_json(&json!({})).cut(1, End::Close)));
    let service = service.start().await;
    let error = execute(&service).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownOutcome);
    assert_eq!(service.submissions().len(), 1);
}

#[tokio::test]
async fn dropping_a_result_midway_ends_the_downloads_and_cancels() {
    let start = || {
        Service::of_rows(50, 10)
            .scripted(|r, _| r.target.starts_with("/store/2").then(|| reply(200, HUSH).cut(1, End::Stall)))
            .start()
    };
    let service = start().await;
    let mut result = execute(&service).await.unwrap();
    assert_eq!(result.next_rows().await.unwrap().unwrap().len(), 10);
    drop(result);
    assert_eq!(service.cancellations().await, 1);
    let service = start().await;
    let mut theirs = service.workspace.statements().wait(ID, WaitOptions::default()).await.unwrap();
    let _ = theirs.next_rows().await.unwrap();
    drop(theirs);
    // A result that was never read needs no cancellation.
    drop(execute(&service).await.unwrap());
    assert_eq!(service.cancellations().await, 0);
}

#[tokio::test]
async fn the_last_row_is_the_end() {
    let service = Service::of_rows(2, 10).start().await;
    let mut result = execute(&service).await.unwrap();
    while let Some(rows) = result.next_rows().await.unwrap() {
        assert_eq!(rows.len(), 10);
    }
    assert!(result.next_rows().await.unwrap().is_none());
    drop(result);
    assert_eq!(service.cancellations().await, 0);
}

#[tokio::test]
async fn a_submission_that_nobody_may_repeat_is_not_repeated() {
    let service =
        Service::default().scripted(|r, _| is_submission(r).then(|| reply(503, "{}"))).start().await;
    let workspace = service.workspace.with_retry(RetryPolicy::default());
    let error = workspace.sql("w").statement("INSERT INTO t VALUES (1)").execute().await.unwrap_err();
    assert_eq!((error.status(), service.submissions().len()), (Some(503), 1));
    assert_eq!(service.submissions()[0]["disposition"], "INLINE");
}

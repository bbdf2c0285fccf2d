//! Calls: what is sent again, how long it may take, what counts as an answer.

use std::time::Duration;

use brickwire_wire::{Backoff, CancellationToken, ErrorKind, Event, Redirects, Result, RetryPolicy};
use http::Method;
use serde_json::Value;
use tokio::time::Instant;

use crate::network::{CHANGE, Network, READ, Reply, json, status, with_header};

async fn read(wire: &brickwire_wire::Wire) -> Result<Value> {
    Ok(wire.call(&READ).path("id", &"t").send::<Value>().await?.into_inner())
}

#[tokio::test(start_paused = true)]
async fn a_read_survives_every_passing_fault() {
    for fault in [status(429), status(503), status(502), status(504), Reply::NotSent, Reply::Lost] {
        let (wire, network) = Network::wire([fault.clone(), fault.clone(), json(200, "{}")]);
        read(&wire).await.unwrap();
        assert_eq!((network.count(), network.waits().len()), (3, 2), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_have_run_is_an_unknown_outcome_and_sent_once() {
    for fault in [status(500), status(502), status(503), status(504), Reply::Lost] {
        let (wire, network) = Network::wire([fault.clone()]);
        let error = wire.call(&CHANGE).send_raw().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownOutcome, "{fault:?}: {error}");
        assert_eq!((network.count(), error.attempts(), error.operation()), (1, 1, Some("toys_break")));
        assert!(!error.is_retryable() && error.hint().is_some());
    }
    // The service took these, and nobody can tell what it made of them.
    let location = with_header(status(303), "location", "/api/2.0/toys/done");
    let page = json(200, "<html>sign in</html>");
    let deep = json(200, &"[".repeat(600));
    for answer in [json(200, r#"{"id":"ab"#), json(200, "\u{1}"), page, deep, location] {
        let (wire, network) = Network::wire([answer.clone(), json(200, "{}")]);
        let error = wire.call(&CHANGE).send::<Value>().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownOutcome, "{answer:?}: {error}");
        assert_eq!((network.count(), error.attempts(), error.operation()), (1, 1, Some("toys_break")));
        assert!(error.status().is_some() && error.hint().unwrap().contains("see whether it took effect"));
    }
    for harmless in [status(429), with_header(status(503), "retry-after", "1"), Reply::NotSent] {
        let (wire, network) = Network::wire([harmless.clone(), json(200, "{}")]);
        wire.call(&CHANGE).send_raw().await.unwrap();
        assert_eq!(network.count(), 2, "{harmless:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_a_token_is_repeated_and_its_outcome_is_unknown_only_if_an_attempt_may_have_run() {
    let start = |wire: &brickwire_wire::Wire| wire.call(&CHANGE).with_idempotency_token();
    for fault in [status(503), status(502), status(504), Reply::Lost] {
        let (wire, network) = Network::wire([fault.clone(), fault.clone(), json(200, "{}")]);
        start(&wire).send_raw().await.unwrap();
        assert_eq!(network.count(), 3, "{fault:?}");
        // The last failure alone would be harmless.
        let (wire, _) = Network::wire([fault.clone(), Reply::NotSent]);
        let error = start(&wire).send_raw().await.unwrap_err();
        assert!(error.is_unknown_outcome() && error.hint().is_some(), "{fault:?}: {error}");
        assert_eq!((error.operation(), error.attempts()), (Some("toys_break"), 3), "{fault:?}");
        // A refusal says that none of the attempts did anything.
        let (wire, network) = Network::wire([fault.clone(), status(400)]);
        let error = start(&wire).send_raw().await.unwrap_err();
        assert_eq!((error.kind(), network.count()), (ErrorKind::Rejected, 2), "{fault:?}");
    }
    for unreadable in [json(200, "<html>sign in</html>"), json(200, "[1")] {
        let (wire, network) = Network::wire([unreadable]);
        let error = start(&wire).send::<Value>().await.unwrap_err();
        assert_eq!((error.is_unknown_outcome(), network.count()), (true, 1), "{error}");
    }
    for harmless in [Reply::NotSent, status(429), status(403)] {
        let (wire, _) = Network::wire([harmless.clone()]);
        let error = start(&wire).send_raw().await.unwrap_err();
        assert!(!error.is_unknown_outcome(), "{harmless:?}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_deadline_bounds_attempts_waits_and_silence() {
    for fault in
        [status(429), status(503), with_header(status(429), "retry-after", "60"), Reply::Silence, Reply::Lost]
    {
        for operation in [&READ, &CHANGE] {
            let (wire, _network) = Network::wire([fault.clone()]);
            let began = Instant::now();
            let wire = wire.with_deadline(began + Duration::from_secs(4));
            wire.call(operation).path("id", &"t").send_raw().await.unwrap_err();
            assert!(began.elapsed() <= Duration::from_secs(4), "{fault:?}: {:?}", began.elapsed());
        }
    }
    let (wire, network) = Network::wire([Reply::Silence]);
    let late = || wire.clone().with_deadline(Instant::now() + Duration::from_secs(4));
    let error = late().call(&CHANGE).send_raw().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownOutcome, "{error}");
    let late = late();
    assert_eq!(read(&late).await.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    // Nothing is sent without time for it, so its outcome is known.
    let error = late.call(&CHANGE).send_raw().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{error}");
    assert_eq!(network.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_day_of_retry_after_is_never_slept() {
    for policy in [
        RetryPolicy::default(),
        RetryPolicy::Connector { max_retries: 5, backoff: Backoff::Fixed(Duration::ZERO), all_errors: true },
        RetryPolicy::Resume { tries: 5 },
    ] {
        let (wire, network) = Network::wire([with_header(status(429), "retry-after", "86400")]);
        let error = read(&wire.with_retry(policy)).await.unwrap_err();
        assert_eq!((network.count(), error.kind()), (1, ErrorKind::RateLimited), "{policy:?}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(86_400)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_slows_down_all_calls_to_the_host() {
    let (wire, _) = Network::wire([with_header(status(429), "retry-after", "2"), json(200, "{}")]);
    let began = Instant::now();
    let (first, second) = tokio::join!(read(&wire), async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        read(&wire.clone()).await
    });
    first.unwrap();
    second.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_canceled_call_sends_nothing_more() {
    let (wire, network) = Network::wire([status(503)]);
    let cancel = CancellationToken::new();
    let wire = wire.with_cancel(cancel.clone());
    let (outcome, ()) = tokio::join!(read(&wire), async {
        tokio::task::yield_now().await;
        cancel.cancel();
    });
    assert!(outcome.unwrap_err().to_string().contains("canceled"));
    assert!(read(&wire).await.unwrap_err().to_string().contains("canceled"));
    assert_eq!(network.count(), 1);
}

#[tokio::test]
async fn an_answer_is_checked_before_it_is_decoded() {
    let deep = format!("{}{}", "[".repeat(600), "]".repeat(600));
    for (reply, part) in [
        (json(200, "<html>login</html>"), "an HTML page came instead of JSON from https://x.cloud"),
        (with_header(status(200), "content-type", "text/html"), "an HTML page"),
        (with_header(json(200, "{}"), "content-encoding", "br"), "packed in a way nothing asked for: br"),
        (json(200, ""), "the answer is empty"),
        (json(200, " null "), "the answer is empty"),
        (json(204, ""), "the answer is empty"),
        (json(200, &deep), "nested too deeply"),
        (json(200, &format!("[{}1]", "{},".repeat(200_000))), "its values would take more than 96 MiB"),
        (json(200, "{"), "cannot decode the response"),
        (Reply::Answer(200, vec![], b"\"\xff\"".to_vec()), "cannot decode the response"),
    ] {
        let (wire, network) = Network::wire([reply]);
        let error = read(&wire).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!((network.count(), error.operation(), error.attempts()), (1, Some("toys_get"), 1));
    }
    let (wire, _) = Network::wire([status(200)]);
    wire.call(&CHANGE).send_ignoring_body().await.unwrap();
}

#[tokio::test]
async fn bodies_and_messages_have_limits() {
    let (wire, _) = Network::wire([json(200, &format!("\"{}\"", "x".repeat(2000)))]);
    let error = wire.call(&READ).path("id", &"t").with_limit(1000).send_raw().await.unwrap_err();
    assert!(error.to_string().contains("the answer is longer than"), "{error}");
    let message = format!(r#"{{"error_code": "E", "message": "{}"}}"#, "y".repeat(500_000));
    let (wire, _) = Network::wire([json(400, &message)]);
    let error = read(&wire).await.unwrap_err();
    assert!(error.to_string().len() < 5000 && error.error_code() == Some("E"), "{}", error.to_string().len());
    // Of what is longer still, the start says what happened.
    let (wire, _) = Network::wire([json(400, &message.repeat(4))]);
    let error = read(&wire).await.unwrap_err();
    assert!(error.to_string().len() < 5000 && error.to_string().contains("yyy"), "{error}");
}

#[tokio::test]
async fn redirects_stay_on_the_origin_and_never_change_a_method_unasked() {
    let to = |place: &str| with_header(status(302), "location", place);
    let (wire, network) = Network::wire([to("/api/2.0/toys/other"), json(200, "{}")]);
    read(&wire).await.unwrap();
    assert_eq!(network.sent(|s| s.url.clone())[1], "https://x.cloud.databricks.com/api/2.0/toys/other");
    let (wire, network) = Network::wire([to("/login"), json(200, "{}")]);
    let error = wire.call(&CHANGE).send_raw().await.unwrap_err();
    assert!(error.to_string().contains("turns POST into GET: /login"), "{error}");
    assert_eq!(network.count(), 1);
    let call = wire.call(&CHANGE).with_redirects(Redirects::FollowAsBrowsers);
    call.send_raw().await.unwrap();
    for place in
        ["https://evil.example/", "https://user@x.cloud.databricks.com/", "http://x.cloud.databricks.com/"]
    {
        let (wire, network) = Network::wire([to(place), json(200, "{}")]);
        let error = read(&wire).await.unwrap_err();
        assert!(error.to_string().contains("refused to follow a redirect"), "{place}: {error}");
        assert_eq!(network.count(), 1);
    }
    // The POST was answered, so a failure of the GET that follows is no reason to send the POST again.
    for fault in [status(429), with_header(status(503), "retry-after", "1"), Reply::NotSent, status(401)] {
        let (wire, network) =
            Network::wire([with_header(status(303), "location", "/done"), fault, json(200, "{}")]);
        let call = wire.call(&CHANGE).with_redirects(Redirects::FollowAsBrowsers);
        assert_eq!(call.send_raw().await.unwrap_err().kind(), ErrorKind::UnknownOutcome);
        assert_eq!(network.count(), 2);
    }
    let (wire, network) = Network::wire([to("/again")]);
    let error = read(&wire).await.unwrap_err();
    assert!(error.to_string().contains("more than 10 redirects"), "{error}");
    assert_eq!(network.count(), 11);
}

#[tokio::test]
async fn wrong_arguments_are_found_before_anything_is_sent() {
    let (wire, network) = Network::wire([json(200, "{}")]);
    for id in ["", ".", ".."] {
        let error = wire.call(&READ).path("id", &id).send_raw().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }
    let elsewhere = "https://evil.example/x".parse().unwrap();
    let error = wire.request(Method::GET, elsewhere).send_raw().await.unwrap_err();
    assert!(error.to_string().contains("refused to send the token to another host"), "{error}");
    assert_eq!(network.count(), 0);
    let console = "https://accounts.cloud.databricks.com/api/2.0/x".parse().unwrap();
    wire.request(Method::GET, console).send_raw().await.unwrap();
    assert_eq!(network.sent(|s| s.headers.contains_key("authorization")), [true]);
}

#[tokio::test(start_paused = true)]
async fn each_retry_is_an_event_that_says_why() {
    let (wire, network) = Network::wire([status(503), Reply::Lost, json(200, "{}")]);
    read(&wire).await.unwrap();
    let events = network.events.lock().unwrap();
    let seen: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::Retrying { operation, attempts, reason, .. } => {
                (operation.as_str(), *attempts, reason.as_str())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(seen, [("toys_get", 1, "HTTP 503"), ("toys_get", 2, "gone")]);
}

#[tokio::test(start_paused = true)]
async fn a_patient_call_waits_longer_than_a_minute_and_than_the_budget_for_retries() {
    let (wire, network) = Network::wire([Reply::Silence]);
    let (patience, began) = (Duration::from_secs(600), Instant::now());
    let error = wire.call(&CHANGE).with_stall(patience).send_raw().await.unwrap_err();
    assert_eq!((error.kind(), network.count()), (ErrorKind::UnknownOutcome, 1), "{error}");
    assert!(began.elapsed() >= patience, "{:?}", began.elapsed());
}

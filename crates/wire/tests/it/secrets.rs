//! What must not be seen: tokens in errors, in events and in `Debug`.

use brickwire_wire::{Credential, Error, Event, Host, HttpOptions, Secret, StaticToken, json};
use http::Method;

use crate::network::{Network, READ, json as answer, status, with_header};

#[tokio::test]
async fn a_token_that_the_service_repeats_is_masked() {
    let echo = r#"{"error_code": "BAD_REQUEST", "message": "bad token dapi-0123456789"}"#;
    let (wire, _) = Network::wire([answer(400, echo)]);
    let error = wire.call(&READ).path("id", &"t").send_raw().await.unwrap_err();
    assert_eq!(error.to_string(), "BAD_REQUEST: bad token *** (HTTP 400)");
    let shown = format!("{error:?} {wire:?} {:?}", wire.filter());
    assert!(!shown.contains("0123456789"), "{shown}");
}

#[tokio::test]
async fn a_short_token_does_not_garble_messages() {
    let (wire, _) = Network::wire([answer(400, r#"{"message": "dev is not defined"}"#)]);
    let wire = wire.with_credential(StaticToken::new("dev").unwrap());
    let error = wire.call(&READ).path("id", &"t").send_raw().await.unwrap_err();
    assert_eq!(error.to_string(), "dev is not defined (HTTP 400)");
}

#[tokio::test]
async fn nothing_near_a_secret_shows_it() {
    let token = StaticToken::new("dapi-0123456789").unwrap();
    let authorization = token.authorization().await.unwrap();
    let options = HttpOptions::new(Host::parse("x.cloud.databricks.com").unwrap());
    let shown = format!("{token:?} {authorization:?} {:?} {options:?}", Secret::new("dapi-0123456789"));
    assert!(!shown.contains("0123456789"), "{shown}");
    let (wire, _) = Network::wire([answer(200, "{}")]);
    let call = wire.anonymous(http::Method::POST, "https://x.cloud.databricks.com/oidc".parse().unwrap());
    let shown = format!("{:?}", call.form(&[("client_secret", "s3cret")]));
    assert!(!shown.contains("s3cret"), "{shown}");
}

/// Everything that an error says.
fn said(error: &Error) -> String {
    let fields = [error.hint(), error.operation(), error.error_code(), error.request_id(), error.sql_state()];
    format!("{error} {error:?} {fields:?} {} {:?}", error.with_cause(), error.statement_id())
}

#[tokio::test]
async fn no_field_of_an_error_and_no_event_holds_what_a_service_repeats() {
    const TOKEN: &str = "dapi-0123456789";
    for (place, reply) in [
        ("code", answer(400, r#"{"error_code":"dapi-0123456789"}"#)),
        ("number of a code", answer(400, r#"{"error_code":["dapi-0123456789"]}"#)),
        ("message", answer(400, r#"{"message":"\u0064api-0123456789"}"#)),
        ("a cut message", answer(400, &format!(r#"{{"message":"{}{TOKEN}"}}"#, "x".repeat(4090)))),
        ("a cut text", answer(400, &format!("{}{TOKEN}", "x".repeat(492)))),
        ("request id", with_header(status(404), "x-request-id", TOKEN)),
        (
            "request id in the body",
            answer(400, r#"{"details":[{"@type":"google.rpc.RequestInfo","request_id":"dapi-0123456789"}]}"#),
        ),
        ("reason", with_header(status(403), "x-databricks-reason-phrase", TOKEN)),
        ("encoding", with_header(answer(200, "{}"), "content-encoding", TOKEN)),
        ("host", with_header(status(302), "location", "https://dapi-0123456789.example/x")),
        ("path", with_header(status(303), "location", "/dapi-0123456789")),
        ("encoded", answer(400, r#"{"message":"ZGFwaS0wMTIzNDU2Nzg5"}"#)),
    ] {
        let (wire, _) = Network::wire([reply]);
        let call = if place == "path" {
            wire.request(Method::POST, "https://x.cloud.databricks.com/x".parse().unwrap())
        } else {
            wire.call(&READ).path("id", &"t")
        };
        let error = call.send_raw().await.unwrap_err();
        let said = said(&error);
        assert!(!said.contains("0123456") && !said.contains("MDEyMzQ1"), "{place}: {said}");
    }
    let (wire, network) = Network::wire([status(200)]);
    wire.call(&READ).path("id", &"t").send_ignoring_body().await.unwrap_err();
    let key =
        json::decode::<std::collections::BTreeMap<String, u8>>(br#"{"dapi-0123456789":""}"#).unwrap_err();
    assert!(!said(&key).contains("0123456"), "{key:?}");
    let token = || TOKEN.to_owned();
    wire.events().requesting("cluster", TOKEN, "start");
    for event in [
        Event::StateChanged { what: "cluster", id: token(), state: token(), message: Some(token()) },
        Event::Canceling { what: "statement", id: token() },
        Event::CancelingFailed { what: "statement", id: token(), reason: token() },
    ] {
        wire.events().emit(|| event);
    }
    let events = format!("{:?}", network.events.lock().unwrap());
    assert!(events.matches("***").count() == 7 && !events.contains("0123456"), "{events}");
}

//! What must not be seen: tokens in errors, in events and in `Debug`.

use brickwire_wire::{Credential, Host, HttpOptions, Secret, StaticToken};

use crate::network::{Network, READ, json};

#[tokio::test]
async fn a_token_that_the_service_repeats_is_masked() {
    let echo = r#"{"error_code": "BAD_REQUEST", "message": "bad token dapi-0123456789"}"#;
    let (wire, _) = Network::wire([json(400, echo)]);
    let error = wire.call(&READ).path("id", &"t").send_raw().await.unwrap_err();
    assert_eq!(error.to_string(), "BAD_REQUEST: bad token *** (HTTP 400)");
    let shown = format!("{error:?} {wire:?} {:?}", wire.filter());
    assert!(!shown.contains("0123456789"), "{shown}");
}

#[tokio::test]
async fn a_short_token_does_not_garble_messages() {
    let (wire, _) = Network::wire([json(400, r#"{"message": "dev is not defined"}"#)]);
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
    let (wire, _) = Network::wire([json(200, "{}")]);
    let call = wire.anonymous(http::Method::POST, "https://x.cloud.databricks.com/oidc".parse().unwrap());
    let shown = format!("{:?}", call.form(&[("client_secret", "s3cret")]));
    assert!(!shown.contains("s3cret"), "{shown}");
}

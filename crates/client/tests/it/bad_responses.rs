//! Errors, and successes that aren't: status, headers and body survive, and no text holds the body.

use std::error::Error as _;

use brickwire_client::{ApiError, Error};

use crate::scripted::Scripted;

async fn api_error(status: u16, body: &'static str) -> ApiError {
    match Scripted::answering(status, body).warehouses_get("w").await.unwrap_err() {
        Error::Api(error) => *error,
        error => panic!("{status} {body}: {error}"),
    }
}

#[tokio::test]
async fn each_spelling_of_an_error_is_read() {
    for (body, code, message) in [
        (
            r#"{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such warehouse"}"#,
            Some("RESOURCE_DOES_NOT_EXIST"),
            Some("no such warehouse"),
        ),
        (r#"{"error_code": 500, "message": ""}"#, Some("500"), None),
        (r#"{"error": "ContextNotFound: x"}"#, None, Some("ContextNotFound: x")),
        (r#"{"schemas": [], "detail": "User not found", "status": "404"}"#, None, Some("User not found")),
        (r#"{"message": null, "error_code": null}"#, None, None),
        ("[]", None, None),
        ("not json", None, None),
        ("", None, None),
    ] {
        let error = api_error(404, body).await;
        assert_eq!((error.error_code.as_deref(), error.message.as_deref()), (code, message), "{body}");
        assert_eq!(
            (error.status.as_u16(), &error.raw[..], &error.headers["retry-after"]),
            (404, body.as_bytes(), &"7".parse().unwrap())
        );
    }
}

#[tokio::test]
async fn the_text_of_an_error_is_one_line() {
    let text = async |status, body| Error::Api(Box::new(api_error(status, body).await)).to_string();
    let json = r#"{"error_code": "BAD_REQUEST", "message": "no"}"#;
    assert_eq!(text(400, json).await, "400 Bad Request BAD_REQUEST: no");
    assert_eq!(text(502, "<html><body>Bad gateway token=abc</body></html>").await, "502 Bad Gateway");
    assert_eq!(text(500, "").await, "500 Internal Server Error");
    assert_eq!(text(303, "").await, "303 See Other");
}

#[tokio::test]
async fn a_sign_in_page_is_called_html() {
    let page = "\n<!DOCTYPE html><html><form action='/login?nonce=s3cret'></form></html>";
    let error = Scripted::answering(200, page).clusters_list(&Default::default()).await.unwrap_err();
    let Error::Decode { status, raw, .. } = &error else { panic!("{error}") };
    assert_eq!((status.as_u16(), &raw[..]), (200, page.as_bytes()));
    assert_eq!(error.to_string(), "cannot decode the response");
    let source = error.source().unwrap().to_string();
    assert!(source.contains("the body is HTML, not JSON"), "{source}");
}

#[tokio::test]
async fn a_decode_error_names_the_place_and_not_the_value() {
    let body = r#"{"clusters": [{}, {"executors": [{"node_id": "a"}, {"node_id": {"s3cret": 1}}]}]}"#;
    let error = Scripted::answering(200, body).clusters_list(&Default::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot decode the response at `clusters[1].executors[1].node_id`");
    for (body, expected) in [
        (r#"{"clusters": "s3cret \" quoted"}"#, "expected a sequence"),
        (r#"{"clusters": [], "next_page_token": ["s3cret"]}"#, "expected a string"),
        (r#"{"clusters": [{"start_time": "s3cret"}]}"#, "an integer within its range"),
        (r#"{"clusters": [{"cluster_id": "s3cret"}"#, "EOF"),
        (r#"{} s3cret"#, "trailing"),
        (r#"s3cret"#, "expected"),
        (r#"["s3cret"]"#, "expected"),
    ] {
        let error = Scripted::answering(200, body).clusters_list(&Default::default()).await.unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{body}: {error}");
        let text = format!("{error} {error:?} {}", error.source().unwrap());
        assert!(text.contains(expected) && !text.contains("s3cret"), "{body}: {text}");
    }
}

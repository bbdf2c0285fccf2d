//! Errors, and successes that aren't: status, code and body survive, and no text holds the body.

use brickwire_client::{Error, ErrorKind};

use crate::scripted::Scripted;

async fn error(status: u16, body: &'static str) -> Error {
    Scripted::answering(status, body).warehouses_get("w").await.unwrap_err()
}

#[tokio::test]
async fn each_spelling_of_an_error_is_read() {
    for (body, code, text) in [
        (
            r#"{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such warehouse"}"#,
            Some("RESOURCE_DOES_NOT_EXIST"),
            "RESOURCE_DOES_NOT_EXIST: no such warehouse (HTTP 404)",
        ),
        (r#"{"error_code": 500, "message": ""}"#, Some("500"), "500: request failed (HTTP 404)"),
        (r#"{"error": "ContextNotFound: x"}"#, None, "ContextNotFound: x (HTTP 404)"),
        (
            r#"{"schemas": [], "detail": "User not found", "status": "404"}"#,
            Some("SCIM_404"),
            "SCIM_404: User not found (HTTP 404)",
        ),
        ("", None, "Not Found (HTTP 404)"),
    ] {
        let error = error(404, body).await;
        assert_eq!((error.error_code(), error.to_string().as_str()), (code, text), "{body}");
        assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)), "{body}");
        assert_eq!(error.body().unwrap(), body);
        assert_eq!((error.operation(), error.request_id()), (Some("warehouses_get"), Some("r-1")));
        assert_eq!(error.attempts(), 1);
    }
}

#[tokio::test]
async fn a_cluster_that_does_not_exist_is_not_found_although_the_service_says_400() {
    let body = r#"{"error_code": "INVALID_PARAMETER_VALUE", "message": "Cluster nope does not exist"}"#;
    let error = Scripted::answering(400, body).clusters_get("nope").await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.to_string(), "INVALID_PARAMETER_VALUE: Cluster nope does not exist (HTTP 400)");
}

#[tokio::test]
async fn a_sign_in_page_is_called_html() {
    let page = "\n<!DOCTYPE html><html><form action='/login?nonce=s3cret'></form></html>";
    let error = Scripted::answering(200, page).clusters_list(&Default::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::UnexpectedResponse, Some(200)));
    assert_eq!(error.body().unwrap(), page);
    assert!(error.to_string().starts_with("an HTML page came instead of JSON"), "{error}");
    assert!(error.hint().unwrap().contains("login page"), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn nothing_is_no_answer_to_a_read() {
    for body in ["", " ", "null"] {
        let error = error(200, body).await;
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::UnexpectedResponse, "the answer is empty")
        );
        assert_eq!(error.operation(), Some("warehouses_get"));
    }
    Scripted::answering(200, "{}").warehouses_get("w").await.unwrap();
    Scripted::answering(200, "").warehouses_start("w").await.unwrap();
}

#[tokio::test]
async fn a_decode_error_names_the_place_and_not_the_value() {
    let body = r#"{"clusters": [{}, {"executors": [{"node_id": "a"}, {"node_id": {"s3cret": 1}}]}]}"#;
    let error = Scripted::answering(200, body).clusters_list(&Default::default()).await.unwrap_err();
    let expected = "cannot decode the response at `clusters[1].executors[1].node_id`: ";
    assert!(error.to_string().starts_with(expected), "{error}");
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
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{body}: {error}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(expected) && !text.contains("s3cret"), "{body}: {text}");
    }
}

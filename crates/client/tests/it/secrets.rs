//! What must not turn up in debug output, and still is there to use.

use brickwire_client::types;

use crate::scripted::Scripted;

#[tokio::test]
async fn presigned_links_stay_out_of_debug_output() {
    let body = r#"{"chunk_index": 0, "external_links": [{
        "external_link": "https://bucket.example/part?sig=s3cret",
        "http_headers": {"x-key": "s3cret"}, "row_count": 5}]}"#;
    let answer = Scripted::answering(200, body).statements_get_result_chunk("s", 0).await.unwrap();
    let link = &answer.external_links.as_ref().unwrap()[0];
    assert_eq!(link.external_link.as_deref(), Some("https://bucket.example/part?sig=s3cret"));
    assert_eq!(link.http_headers.as_ref().unwrap()["x-key"], "s3cret");
    let text = format!("{answer:?}");
    assert!(
        !text.contains("s3cret") && text.contains("<redacted>") && text.contains("row_count: Some(5)"),
        "{text}"
    );
}

#[test]
fn what_we_send_in_secret_stays_out_too() {
    let parameter = types::StatementParameterListItem {
        name: "who".to_owned(),
        value: Some("s3cret".to_owned()),
        ..Default::default()
    };
    let login = types::DockerBasicAuth { password: Some("s3cret".to_owned()), ..Default::default() };
    let text = format!("{parameter:?} {login:?}");
    assert!(!text.contains("s3cret") && text.contains("who"), "{text}");
}

#[tokio::test]
async fn new_credentials_stay_out_of_debug_output() {
    let body = r#"{"token_value": "dapi-s3cret", "token_info": {"token_id": "17"}}"#;
    let token = Scripted::answering(200, body).tokens_create(&Default::default()).await.unwrap();
    assert_eq!(token.token_value.as_deref(), Some("dapi-s3cret"));
    let body = r#"{"token": "s3cret", "expire_time": "2026-01-01T00:00:00Z"}"#;
    let login =
        Scripted::answering(200, body).postgres_generate_credential(&Default::default()).await.unwrap();
    assert_eq!(login.token.as_deref(), Some("s3cret"));
    let variable = types::AppEnvVar {
        name: Some("PASSWORD".to_owned()),
        value: Some("s3cret".to_owned()),
        ..Default::default()
    };
    let text = format!("{token:?} {login:?} {variable:?}");
    assert!(!text.contains("s3cret") && text.contains("17") && text.contains("PASSWORD"), "{text}");
}

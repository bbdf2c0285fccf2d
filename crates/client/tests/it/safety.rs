//! What holds for the client alone, with a host and a token: safe retries, and a token that stays at home.

use brickwire_client::{Client, ErrorKind, types};

use crate::scripted::Scripted;

fn restart() -> types::RestartCluster {
    types::RestartCluster { cluster_id: "c".to_owned(), ..Default::default() }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_repeated_until_it_succeeds() {
    let (client, network) = Scripted::client(&[(503, ""), (429, ""), (502, ""), (200, r#"{"id": "w"}"#)]);
    assert_eq!(client.warehouses_get("w").await.unwrap().id.as_deref(), Some("w"));
    assert_eq!(network.sent().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_done_is_never_sent_twice() {
    for status in [500, 502, 503, 504] {
        let (client, network) = Scripted::client(&[(status, "")]);
        let error = client.clusters_restart(&restart()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownOutcome, "{status}: {error}");
        assert!(
            !error.is_retryable()
                && error.to_string().contains("`clusters_restart` may have been carried out")
        );
        assert_eq!((network.sent().len(), error.status()), (1, Some(status)));
    }
    let (client, network) = Scripted::client(&[(429, ""), (200, "{}")]);
    client.clusters_restart(&restart()).await.unwrap();
    assert_eq!(network.sent().len(), 2);
}

#[tokio::test]
async fn the_token_goes_along_and_is_not_shown() {
    let echo = r#"{"error_code": "PERMISSION_DENIED", "message": "dapi-t0ken may not"}"#;
    let (client, network) = Scripted::client(&[(403, echo)]);
    let error = client.users_me(&Default::default()).await.unwrap_err();
    assert_eq!(network.sent()[0].headers["authorization"], "Bearer dapi-t0ken");
    assert_eq!(error.to_string(), "PERMISSION_DENIED: *** may not (HTTP 403)");
    let shown = format!("{client:?} {error:?} {:?}", client.wire());
    assert!(!shown.contains("t0ken"), "{shown}");
}

#[test]
fn hosts_that_would_leak_the_token_are_refused() {
    for (host, expected) in [
        ("", "no host"),
        ("exa mple.com", "blanks"),
        ("http://example.cloud.databricks.com", "must be https"),
        ("http://127.0.0.1.evil.example", "in the clear"),
        ("https://me:s3cret@example.com", "user information"),
        ("x.com@evil.example", "user information"),
        ("ftp://example.com", "other than https"),
    ] {
        let error = Client::new(host, "t").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        let text = error.to_string();
        assert!(text.contains(expected) && !text.contains("s3cret"), "{host}: {text}");
    }
    for token in ["", "  ", "a\nb", "a\u{0}b"] {
        assert_eq!(Client::new("example.com", token).unwrap_err().kind(), ErrorKind::Configuration);
    }
}

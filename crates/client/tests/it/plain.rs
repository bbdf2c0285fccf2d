//! The client alone, with a host and a token, over real HTTP.

use brickwire_client::{Client, Error, PlainTransport, types};
use httpmock::MockServer;

fn client(server: &MockServer) -> Client {
    Client::new(&server.base_url(), "dapi-s3cret").unwrap()
}

#[tokio::test]
async fn a_call_carries_the_token_and_comes_back() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method("POST")
                .path("/api/2.1/clusters/start")
                .header("authorization", "Bearer dapi-s3cret")
                .header("content-type", "application/json")
                .header_includes("user-agent", "brickwire-client/")
                .json_body(serde_json::json!({"cluster_id": "1"}));
            then.status(200).header("x-request-id", "r-1").body("{}");
        })
        .await;
    let answer =
        client(&server).clusters_start(&types::StartCluster { cluster_id: "1".to_owned() }).await.unwrap();
    assert_eq!(answer.headers()["x-request-id"], "r-1");
    mock.assert_async().await;
}

#[tokio::test]
async fn a_path_arrives_encoded() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method("GET").is_true(|request| request.uri().path() == "/api/2.0/sql/warehouses/a%2Fb%20c");
            then.status(200).body("{}");
        })
        .await;
    client(&server).warehouses_get("a/b c").await.unwrap();
    mock.assert_async().await;
}

#[tokio::test]
async fn failures_and_redirects_are_sent_once() {
    for (status, location) in
        [(503, None), (429, None), (302, Some("/login")), (307, Some("https://elsewhere.example/"))]
    {
        let server = MockServer::start_async().await;
        let mock = server
            .mock_async(|when, then| {
                when.any_request();
                let then = then.status(status).body("<html>s3cret</html>");
                if let Some(location) = location {
                    then.header("location", location);
                }
            })
            .await;
        let error = client(&server).users_me(&Default::default()).await.unwrap_err();
        let Error::Api(api) = &error else { panic!("{error}") };
        assert_eq!(api.status, status);
        assert_eq!(mock.calls_async().await, 1, "{status}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_host_that_is_not_there_is_a_transport_error_without_the_url() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = Client::new(&format!("http://{address}"), "dapi-s3cret").unwrap();
    let query = types::ClustersListQuery { page_token: Some("p4ge".to_owned()), ..Default::default() };
    let error = client.clusters_list(&query).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error}");
    let text = format!("{error} {error:?}");
    assert!(!text.contains("p4ge") && !text.contains("s3cret"), "{text}");
}

#[test]
fn hosts_are_taken_as_people_paste_them() {
    for (host, expected) in [
        ("example.cloud.databricks.com", "https://example.cloud.databricks.com"),
        (" https://Example.cloud.databricks.com/ ", "https://example.cloud.databricks.com"),
        ("https://example.cloud.databricks.com:443/sql?o=123#x", "https://example.cloud.databricks.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://localhost", "http://localhost"),
    ] {
        assert_eq!(Client::new(host, "t").unwrap().base_url(), expected);
    }
}

#[test]
fn hosts_that_would_leak_the_token_are_refused() {
    for (host, expected) in [
        ("", "the host is empty"),
        ("exa mple.com", "the host is malformed"),
        ("http://example.cloud.databricks.com", "use https://example.cloud.databricks.com"),
        ("http://127.0.0.1.evil.example", "in the clear"),
        ("https://me:s3cret@example.com", "a user name"),
        ("x.com@evil.example", "a user name"),
        ("ftp://example.com", "not https"),
    ] {
        let error = Client::new(host, "t").unwrap_err();
        assert!(matches!(error, Error::InvalidRequest(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains(expected) && !text.contains("s3cret"), "{host}: {text}");
    }
}

#[tokio::test]
async fn the_plain_transport_refuses_plain_http_by_itself() {
    let transport = std::sync::Arc::new(PlainTransport::new("dapi-s3cret").unwrap());
    let client = Client::with_transport("http://example.cloud.databricks.com", transport);
    let error = client.clusters_list_node_types().await.unwrap_err();
    assert!(matches!(error, Error::InvalidRequest(_)), "{error}");
}

#[test]
fn tokens_are_checked_and_never_shown() {
    for token in ["", "  ", "a\nb", "a\u{0}b"] {
        let error = Client::new("example.com", token).unwrap_err();
        assert!(matches!(error, Error::InvalidRequest(_)), "{error}");
    }
    let client = Client::new("example.com", " dapi-s3cret\n").unwrap();
    assert!(!format!("{client:?}").contains("s3cret"), "{client:?}");
}

//! What the calls look like on the wire.

use brickwire_client::{Client, ErrorKind, types};
use serde_json::{Value, json};

use crate::scripted::Scripted;

#[tokio::test]
async fn a_list_in_the_query_repeats_its_key() {
    let (client, transport) = Scripted::client(&[]);
    let query = types::ClustersListQuery {
        filter_by_cluster_states: Some(vec![types::ClusterState::Running, "NEWER STATE".into()]),
        filter_by_is_pinned: Some(false),
        page_size: Some(100),
        page_token: Some("a/b+c=&d".to_owned()),
        ..Default::default()
    };
    client.clusters_list(&query).await.unwrap();
    client.clusters_list(&Default::default()).await.unwrap();
    let targets: Vec<_> = transport.sent().into_iter().map(|sent| (sent.method, sent.target)).collect();
    let expected = "/api/2.1/clusters/list?filter_by.cluster_states=RUNNING\
        &filter_by.cluster_states=NEWER+STATE&filter_by.is_pinned=false&page_size=100&page_token=a%2Fb%2Bc%3D%26d";
    assert_eq!(targets[0], ("GET".to_owned(), expected.to_owned()));
    assert_eq!(targets[1].1, "/api/2.1/clusters/list");
}

#[tokio::test]
async fn required_query_parameters_keep_their_wire_names() {
    let (client, transport) = Scripted::client(&[]);
    client.commands_status("the cluster", "the command", "the context").await.unwrap();
    let target = &transport.sent()[0].target;
    assert!(
        target
            .ends_with("/commands/status?clusterId=the+cluster&commandId=the+command&contextId=the+context"),
        "{target}"
    );
}

#[tokio::test]
async fn a_name_in_the_middle_of_a_path_keeps_its_slashes() {
    let (client, transport) = Scripted::client(&[]);
    client.postgres_list_endpoints("projects/p/branches/b c", &Default::default()).await.unwrap();
    assert_eq!(transport.sent()[0].target, "/api/2.0/postgres/projects/p/branches/b%20c/endpoints");
}

#[tokio::test]
async fn a_path_parameter_stays_one_segment() {
    for (id, expected) in [
        ("abc-123_4.5~", "abc-123_4.5~"),
        ("a/b", "a%2Fb"),
        ("a\\b", "a%5Cb"),
        ("a?b#c%2e", "a%3Fb%23c%252e"),
        ("ü b", "%C3%BC%20b"),
        ("...", "..."),
        ("a;b@c:d", "a%3Bb%40c%3Ad"),
    ] {
        let (client, transport) = Scripted::client(&[]);
        client.warehouses_start(id).await.unwrap();
        assert_eq!(transport.sent()[0].target, format!("/api/2.0/sql/warehouses/{expected}/start"));
    }
}

#[tokio::test]
async fn arguments_that_would_reach_another_resource_are_never_sent() {
    let (client, transport) = Scripted::client(&[]);
    for id in ["", ".", ".."] {
        let error = client.warehouses_get(id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{id:?}: {error}");
        assert!(error.to_string().contains("`id` of warehouses_get"), "{error}");
    }
    let error = client.clusters_get("").await.unwrap_err();
    assert_eq!(error.to_string(), "`cluster_id` of clusters_get is empty");
    assert_eq!(transport.sent(), []);
}

#[tokio::test]
async fn a_body_is_json_without_what_is_not_set() {
    let (client, transport) = Scripted::client(&[]);
    let body = types::ExecuteStatementRequest {
        statement: "SELECT :a".to_owned(),
        warehouse_id: "w".to_owned(),
        parameters: Some(vec![types::StatementParameterListItem {
            name: "a".to_owned(),
            ..Default::default()
        }]),
        row_limit: Some(i64::MAX),
        ..Default::default()
    };
    client.statements_execute(&body).await.unwrap();
    let sent = &transport.sent()[0];
    assert_eq!((sent.method.as_str(), sent.target.as_str()), ("POST", "/api/2.0/sql/statements"));
    let expected = json!({"parameters": [{"name": "a"}], "row_limit": i64::MAX, "statement": "SELECT :a", "warehouse_id": "w"});
    assert_eq!(serde_json::from_str::<Value>(sent.body.as_ref().unwrap()).unwrap(), expected);
    assert_eq!(sent.headers["content-type"], "application/json");
    assert_eq!(sent.headers["accept"], "application/json");
}

#[tokio::test]
async fn a_call_without_a_body_has_no_content_type_and_no_version_header() {
    let (client, transport) = Scripted::client(&[]);
    client.warehouses_stop("w").await.unwrap();
    let sent = &transport.sent()[0];
    assert_eq!(sent.body, None);
    assert_eq!(
        sent.headers.keys().map(|name| name.as_str()).collect::<Vec<_>>(),
        ["accept", "authorization"]
    );
}

#[tokio::test]
async fn a_raw_answer_is_a_call_like_any_other() {
    let (client, network) = Scripted::client(&[(200, r#"{"cluster_id": "c", "new_field": [1]}"#)]);
    let operation = &brickwire_client::operations::CLUSTERS_GET;
    let answer = client.call(operation).query("cluster_id", &"c").send_raw().await.unwrap();
    assert_eq!(answer.body, r#"{"cluster_id": "c", "new_field": [1]}"#);
    assert_eq!(network.sent()[0].target, "/api/2.1/clusters/get?cluster_id=c");
}

#[test]
fn hosts_are_taken_as_people_paste_them() {
    for (host, expected) in [
        ("example.cloud.databricks.com", "https://example.cloud.databricks.com"),
        (" https://Example.cloud.databricks.com/ ", "https://example.cloud.databricks.com"),
        ("https://example.cloud.databricks.com:443/sql?o=123#x", "https://example.cloud.databricks.com"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ] {
        assert_eq!(Client::new(host, "t").unwrap().wire().host().as_str(), expected);
    }
}

#[test]
fn futures_of_calls_can_move_between_threads() {
    fn assert_send<T: Send>(_: T) {}
    let client = Scripted::client(&[]).0;
    assert_send(client.warehouses_get("w"));
    assert_send(client.statements_execute(&Default::default()));
}

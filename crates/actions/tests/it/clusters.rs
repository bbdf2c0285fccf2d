//! Creating and changing clusters, and their events, against a scripted service.

use std::time::Duration;

use brickwire_actions::{
    Clusters, Connection, ErrorKind, WaitOptions, Workspace,
    types::{AutoScale, CreateCluster, GetEvents, ResizeCluster, UpdateClusterResource},
};
use brickwire_testserver::{End, Response, Server};
use serde_json::{Value, json, value::RawValue};

const CLUSTER: &str = "0123-456789-abcdefgh";

fn script(answers: impl IntoIterator<Item = Response>) -> (Server, Clusters) {
    let server = Server::script(answers);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace.clusters())
}

fn soon() -> WaitOptions {
    WaitOptions::default().with_polls(Duration::from_millis(1)..=Duration::from_millis(1))
}

fn sent(server: &Server) -> Vec<Value> {
    server.requests().iter().map(|request| serde_json::from_str(&request.text()).unwrap()).collect()
}

fn small() -> CreateCluster {
    CreateCluster {
        spark_version: "15.4.x-scala2.12".to_owned(),
        node_type_id: Some("i3.xlarge".to_owned()),
        num_workers: Some(1),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_repeated_with_one_token() {
    for lost in [Response::none(End::Reset), Response::new(503), Response::new(504)] {
        let (server, clusters) = script([lost, Response::json(r#"{"cluster_id":"0123-456789-abcdefgh"}"#)]);
        assert_eq!(clusters.create(&small()).await.unwrap(), CLUSTER);
        let [first, second] = &sent(&server)[..] else { panic!("{:?}", sent(&server)) };
        assert_eq!(first, second);
        assert_eq!(first["idempotency_token"].as_str().unwrap().len(), 32);
    }
}

#[tokio::test]
async fn a_create_that_names_no_cluster_has_an_unknown_outcome() {
    for body in ["{}", r#"{"cluster_id":""}"#, r#"{"cluster_id":null}"#] {
        let (server, clusters) = script([Response::json(body)]);
        let error =
            clusters.create(&CreateCluster { idempotency_token: Some("t-1".into()), ..small() }).await;
        let error = error.unwrap_err();
        assert_eq!((error.kind(), server.requests().len()), (ErrorKind::UnknownOutcome, 1), "{body}");
        assert!(error.hint().unwrap().ends_with("starts no second cluster: t-1"), "{:?}", error.hint());
    }
}

#[tokio::test]
async fn settings_that_no_type_knows_are_sent_as_they_are() {
    let (server, clusters) = script([Response::json(r#"{"cluster_id":"0123-456789-abcdefgh"}"#)]);
    let settings = r#"{"spark_version":"x","newest":{"deep":[18446744073709551616,1.50]},"num_workers":0}"#;
    clusters.create(&RawValue::from_string(settings.to_owned()).unwrap()).await.unwrap();
    let text = server.only().text();
    assert!(text.contains(r#""newest":{"deep":[18446744073709551616,1.50]}"#), "{text}");
}

#[tokio::test]
async fn a_new_cluster_that_terminates_says_why_at_once() {
    let ended = r#"{"cluster_id":"0123-456789-abcdefgh","state":"TERMINATED","state_message":"no room",
        "termination_reason":{"code":"NEWEST_FAILURE","parameters":{"zone":"us-west-2a"}}}"#;
    let (server, clusters) = script([Response::json(ended)]);
    let error = clusters.wait_until_created(CLUSTER, soon()).await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::RemoteFailed, Some("NEWEST_FAILURE")));
    assert!(error.to_string().ends_with("NEWEST_FAILURE; zone: us-west-2a; no room"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_edit_sends_what_changes_and_nothing_else() {
    let (server, clusters) = script([Response::json("{}")]);
    let changes = UpdateClusterResource { autotermination_minutes: Some(60), ..Default::default() };
    clusters.edit(CLUSTER, &changes).await.unwrap();
    clusters.edit(CLUSTER, &json!({ "policy_id": null, "newest": { "a": 1 } })).await.unwrap();
    let all = server.requests();
    assert!(
        all.iter().all(|request| request.line() == "POST /api/2.1/clusters/update"),
        "{:?}",
        all[0].line()
    );
    assert_eq!(
        sent(&server),
        [
            json!({ "cluster_id": CLUSTER, "update_mask": "autotermination_minutes",
                "cluster": { "autotermination_minutes": 60 } }),
            json!({ "cluster_id": CLUSTER, "update_mask": "newest,policy_id", "cluster": { "newest": { "a": 1 } } }),
        ]
    );
}

#[tokio::test]
async fn an_edit_is_sent_once_and_a_resize_again() {
    let (server, clusters) = script([Response::new(503), Response::json("{}")]);
    let error = clusters.edit(CLUSTER, &json!({ "cluster_name": "a" })).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::UnknownOutcome, 1), "{error}");
    let (server, clusters) = script([Response::none(End::Reset), Response::json("{}")]);
    let size = AutoScale { min_workers: Some(1), max_workers: Some(4) };
    let change = ResizeCluster { cluster_id: CLUSTER.into(), autoscale: Some(size), num_workers: None };
    clusters.resize(&change).await.unwrap();
    assert_eq!(server.requests().len(), 2);
    let (_server, clusters) =
        script([Response::new(400)
            .with_body(r#"{"error_code":"INVALID_STATE","message":"Cluster is not running"}"#)]);
    let error = clusters.resize(&change).await.unwrap_err();
    assert!(error.hint().unwrap().starts_with("only a running cluster"), "{:?}", error.hint());
}

#[tokio::test]
async fn what_cannot_be_meant_is_not_sent() {
    let (server, clusters) = script([Response::json("{}")]);
    let both = json!({ "num_workers": 1, "autoscale": { "min_workers": 1, "max_workers": 2 } });
    let resize = |cluster_id: &str, num_workers: Option<i64>| ResizeCluster {
        cluster_id: cluster_id.to_owned(),
        num_workers,
        autoscale: None,
    };
    for (refused, words) in [
        (clusters.create(&both).await.map(drop), "only one of them"),
        (clusters.create(&json!([1])).await.map(drop), "not a JSON object"),
        (clusters.create(&json!({ "idempotency_token": 5 })).await.map(drop), "not text"),
        (clusters.create(&json!({ "idempotency_token": " " })).await.map(drop), "token is empty"),
        (clusters.edit(CLUSTER, &json!({})).await, "no setting"),
        (clusters.edit(CLUSTER, &json!({ "a,b": 1 })).await, "\"a,b\""),
        (clusters.edit(" ", &json!({ "a": 1 })).await, "id is empty"),
        (
            clusters.edit(CLUSTER, &json!({ "autoscale": { "min_workers": 3, "max_workers": 2 } })).await,
            "3 and 2",
        ),
        (clusters.resize(&resize(CLUSTER, None)).await, "new size is missing"),
        (clusters.resize(&resize(CLUSTER, Some(-1))).await, "negative: -1"),
        (clusters.resize(&resize("", Some(1))).await, "id is empty"),
        (clusters.pin("").await, "id is empty"),
        (clusters.unpin("").await, "id is empty"),
        (clusters.delete_permanently(" ").await, "id is empty"),
        (clusters.list_events("", &GetEvents::default(), 1).await.map(drop), "id is empty"),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn events_follow_either_kind_of_page() {
    let (server, clusters) = script([
        Response::json(
            r#"{"events":[{"type":"NEWEST","timestamp":"1700000000000","details":{"x":1}}],"total_count":3,
                "next_page":{"cluster_id":"0123-456789-abcdefgh","offset":1,"unknown":[2]},"next_page_token":""}"#,
        ),
        Response::json(r#"{"events":[],"next_page_token":"t-2","next_page":{"offset":9}}"#),
        Response::json(r#"{"events":[{"type":"RUNNING"},{"type":null}],"next_page":null}"#),
    ]);
    let filter = GetEvents { start_time: Some(5), ..Default::default() };
    let events = clusters.list_events(CLUSTER, &filter, 100).await.unwrap();
    assert_eq!(events.len(), 3);
    assert_eq!(
        (events[0].timestamp, events[0].type_.as_ref().unwrap().as_str()),
        (Some(1_700_000_000_000), "NEWEST")
    );
    assert_eq!(
        sent(&server),
        [
            json!({ "cluster_id": CLUSTER, "page_size": 100, "start_time": 5 }),
            json!({ "cluster_id": CLUSTER, "offset": 1, "unknown": [2] }),
            json!({ "cluster_id": CLUSTER, "page_size": 100, "start_time": 5, "page_token": "t-2" }),
        ]
    );
}

#[tokio::test]
async fn no_more_events_are_read_than_asked_for() {
    let page = r#"{"events":[{"type":"A"},{"type":"B"}],"next_page":{"offset":2}}"#;
    let (server, clusters) = script([Response::json(page)]);
    assert_eq!(clusters.list_events_json(CLUSTER, &GetEvents::default(), 1).await.unwrap().len(), 1);
    assert_eq!(sent(&server), [json!({ "cluster_id": CLUSTER, "page_size": 1 })]);
    // A page that names itself is not followed for ever.
    let error = clusters.list_events(CLUSTER, &GetEvents::default(), 100).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
    assert_eq!(server.requests().len(), 3);
}

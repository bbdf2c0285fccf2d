//! Cluster policies and instance pools, against a scripted service.

use brickwire_actions::{Connection, ErrorKind, Workspace};
use brickwire_testserver::{Response, Server};

fn script(answers: impl IntoIterator<Item = Response>) -> (Server, Workspace) {
    let server = Server::script(answers);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace)
}

#[tokio::test]
async fn a_policy_is_found_by_its_name_and_keeps_what_no_type_knows() {
    let list = r#"{"policies":[{"policy_id":"E06216CAA0000360","name":"small","max_clusters_per_user":"9007199254740993",
        "newest":{"a":1},"definition":"{\"num_workers\":{\"type\":\"fixed\",\"value\":1}}"},{"policy_id":null,"name":5}]}"#;
    let (server, workspace) = script([Response::json(list)]);
    let policies = workspace.cluster_policies();
    // One whose name isn't text can't be found, and the list says where that is.
    let error = policies.find("small").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
    assert!(error.to_string().contains("policies[1].name"), "{error}");
    let (other, workspace) = script([Response::json(list.replace("\"name\":5", "\"name\":null"))]);
    let policies = workspace.cluster_policies();
    assert_eq!(policies.find("small").await.unwrap(), "E06216CAA0000360");
    let all = policies.list().await.unwrap();
    assert_eq!(all[0].max_clusters_per_user, Some(9_007_199_254_740_993));
    assert!(all.raw()[0].get().contains(r#""newest":{"a":1}"#));
    assert_eq!(policies.find("E06216CAA0000360").await.unwrap(), "E06216CAA0000360");
    assert_eq!((server.requests().len(), other.requests().len()), (1, 2));
}

#[tokio::test]
async fn an_answer_is_about_the_policy_or_the_pool_that_was_asked_for() {
    let (_server, workspace) =
        script([Response::json(r#"{"policy_id":"other","instance_pool_id":"other"}"#)]);
    let (policies, pools) = (workspace.cluster_policies(), workspace.instance_pools());
    for error in [
        policies.get("E06216CAA0000360").await.unwrap_err(),
        policies.get_json("E06216CAA0000360").await.unwrap_err(),
        pools.get("0101-120000-brick1-pool-abcd1234").await.unwrap_err(),
        pools.get_json("0101-120000-brick1-pool-abcd1234").await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
    }
}

#[tokio::test]
async fn a_pool_is_found_by_its_name() {
    let list = r#"{"instance_pools":[{"instance_pool_id":"a","instance_pool_name":"warm","state":"NEWEST"},
        {"instance_pool_id":"b","instance_pool_name":"cold"},{"instance_pool_id":"c","instance_pool_name":"cold"}]}"#;
    let (_server, workspace) = script([Response::json(list)]);
    let pools = workspace.instance_pools();
    assert_eq!(pools.find("warm").await.unwrap(), "a");
    let error = pools.find("cold").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    assert!(error.hint().unwrap().contains("b (cold), c (cold)"), "{:?}", error.hint());
    let (server, workspace) = script([Response::json("{}")]);
    assert_eq!(workspace.instance_pools().get(" ").await.unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(workspace.cluster_policies().get("").await.unwrap_err().kind(), ErrorKind::Usage);
    assert!(server.requests().is_empty());
}

//! Responses as the service sends them, with all that a strict reader trips over.

use brickwire_client::types;
use serde_json::{Value, json};

use crate::scripted::Scripted;

#[tokio::test]
async fn a_cluster_decodes_with_all_that_we_do_not_know() {
    let body = r#"{
        "cluster_id": "0123-456789-abcdefgh",
        "cluster_name": "nightly",
        "state": "HIBERNATING",
        "state_message": null,
        "start_time": "1700000000123",
        "terminated_time": 9007199254740993,
        "num_workers": 2,
        "cluster_cores": 12.5,
        "spark_conf": {"spark.speculation": "true"},
        "custom_tags": null,
        "executors": null,
        "driver": {"node_id": "n-1", "host_private_ip": "10.0.0.1", "start_timestamp": "1700000000456"},
        "termination_reason": {"code": "SOMETHING_NEW", "type": "CLIENT_ERROR", "parameters": {"k": "v"}},
        "disk_spec": {"disk_count": 1},
        "instance_source": {"node_type_id": "i3.xlarge"}
    }"#;
    let answer = Scripted::answering(200, body).clusters_get("0123-456789-abcdefgh").await.unwrap();

    assert_eq!(answer.cluster_name.as_deref(), Some("nightly"));
    assert_eq!(answer.state, Some(types::ClusterState::UnknownValue("HIBERNATING".to_owned())));
    assert_eq!(answer.state_message, None);
    assert_eq!(answer.start_time, Some(1_700_000_000_123));
    assert_eq!(answer.terminated_time, Some(9_007_199_254_740_993));
    assert_eq!(answer.cluster_cores, Some(12.5));
    assert_eq!((&answer.custom_tags, &answer.executors, &answer.autoscale), (&None, &None, &None));
    assert_eq!(answer.driver.as_ref().unwrap().start_timestamp, Some(1_700_000_000_456));
    let reason = answer.termination_reason.as_ref().unwrap();
    assert!(!reason.code.as_ref().unwrap().is_known());
    assert_eq!(reason.type_, Some(types::TerminationReasonType::ClientError));
    assert_eq!(answer.extra["disk_spec"], json!({"disk_count": 1}));
    assert_eq!(answer.raw(), body.as_bytes());
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn what_is_read_and_written_back_loses_nothing() {
    let body = r#"{"cluster_id":"1","state":"HIBERNATING","data_security_mode":"NEWER_MODE","disk_spec":{"disk_count":1}}"#;
    let cluster = Scripted::answering(200, body).clusters_get("1").await.unwrap().into_inner();
    let written: Value = serde_json::to_value(&cluster).unwrap();
    assert_eq!(written, serde_json::from_str::<Value>(body).unwrap());
}

#[tokio::test]
async fn lists_may_be_absent_null_or_empty() {
    for (body, expected) in [
        ("{}", None),
        (r#"{"clusters": null, "next_page_token": ""}"#, None),
        (r#"{"clusters": []}"#, Some(0)),
        (r#"{"clusters": [{}, {"cluster_id": "2"}]}"#, Some(2)),
    ] {
        let answer = Scripted::answering(200, body).clusters_list(&Default::default()).await.unwrap();
        assert_eq!(answer.clusters.as_ref().map(Vec::len), expected, "{body:?}");
        assert_eq!(answer.raw(), body.as_bytes());
    }
}

#[tokio::test]
async fn operations_with_nothing_to_say_answer_an_object_or_nothing() {
    for body in ["{}", "", "null", r#"{"request_id": "r-1"}"#] {
        let answer = Scripted::answering(200, body).warehouses_start("w").await.unwrap();
        assert_eq!(answer.raw(), body.as_bytes());
    }
}

#[tokio::test]
async fn a_statement_keeps_null_apart_from_empty_text() {
    let body = r#"{
        "statement_id": "s-1",
        "status": {"state": "SUCCEEDED"},
        "manifest": {"format": "JSON_ARRAY", "total_row_count": "3", "truncated": false,
            "schema": {"column_count": 2, "columns": [{"name": "a", "position": 0, "type_name": "VARIANT2"}]}},
        "result": {"chunk_index": 0, "row_count": 3, "row_offset": "0",
            "data_array": [["1", null], ["", "x"], [null, null]]}
    }"#;
    let answer = Scripted::answering(200, body).statements_get("s-1").await.unwrap();
    let manifest = answer.manifest.as_ref().unwrap();
    assert_eq!(manifest.total_row_count, Some(3));
    let result = answer.result.as_ref().unwrap();
    assert_eq!((result.row_offset, result.next_chunk_index), (Some(0), None));
    let text = |cell: &str| Some(cell.to_owned());
    let rows = vec![vec![text("1"), None], vec![text(""), text("x")], vec![None, None]];
    assert_eq!(result.data_array, Some(rows));
}

#[tokio::test]
async fn a_command_ends_in_a_table_or_in_an_error() {
    let table = r#"{"id": "c-1", "status": "Finished", "results": {"resultType": "table", "pos": 1,
        "schema": [{"name": "n", "type": "\"long\"", "metadata": "{}"}], "data": [[9007199254740993, null, "x"]]}}"#;
    let answer = Scripted::answering(200, table).commands_status("c", "c-1", "x").await.unwrap();
    let results = answer.results.as_ref().unwrap();
    assert_eq!(answer.status, Some(types::CommandStatus::Finished));
    assert_eq!(results.result_type, Some(types::ResultType::Table));
    assert_eq!(results.data, Some(json!([[9_007_199_254_740_993_i64, null, "x"]])));
    assert_eq!(results.schema.as_ref().unwrap()[0].extra["metadata"], "{}");

    let error = r#"{"id": "c-2", "status": "Error", "results": {"resultType": "error",
        "summary": "<span>NameError</span>", "cause": "NameError: x"}}"#;
    let answer = Scripted::answering(200, error).commands_status("c", "c-2", "x").await.unwrap();
    assert_eq!(answer.results.as_ref().unwrap().cause.as_deref(), Some("NameError: x"));
}

#[tokio::test]
async fn a_scim_user_has_references() {
    let body = r#"{
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:newer"],
        "id": "42", "userName": "ada@example.com", "active": true,
        "name": {"givenName": "Ada", "familyName": null},
        "groups": [{"display": "admins", "type": "direct", "value": "7", "$ref": "Groups/7"}],
        "meta": {"resourceType": "User"}
    }"#;
    let answer = Scripted::answering(200, body).users_me(&Default::default()).await.unwrap();
    assert_eq!(answer.user_name.as_deref(), Some("ada@example.com"));
    let groups = answer.groups.as_ref().unwrap();
    assert_eq!(groups[0].ref_.as_deref(), Some("Groups/7"));
    assert_eq!(serde_json::to_value(&groups[0]).unwrap()["$ref"], "Groups/7");
    assert_eq!(answer.schemas.as_ref().unwrap()[1].as_str(), "urn:newer");
}

#[test]
fn open_enums_go_through_text_and_back() {
    let known: types::ClusterState = "RUNNING".parse().unwrap();
    assert_eq!(known, types::ClusterState::Running);
    assert_eq!((known.as_str(), known.is_known()), ("RUNNING", true));
    let unknown = types::ClusterState::from("running");
    assert_eq!((unknown.to_string().as_str(), unknown.is_known()), ("running", false));
    assert_eq!(serde_json::to_value(&unknown).unwrap(), "running");
    for wire in types::ClusterState::KNOWN {
        assert!(types::ClusterState::from(*wire).is_known(), "{wire}");
    }
}

#[tokio::test]
async fn a_model_answers_in_whatever_form_it_likes() {
    for (body, reason, content) in [
        (
            r#"{"choices":[{"message":{"role":"assistant","content":"hi","tool_calls":[1]},"finish_reason":"stop","logprobs":{"content":[]}}]}"#,
            Some("stop"),
            json!("hi"),
        ),
        (
            r#"{"choices":[{"message":{"role":"critic","content":[{"type":"text","text":"hi"}]},"finishReason":"length"}],"created":"17"}"#,
            Some("length"),
            json!([{ "type": "text", "text": "hi" }]),
        ),
        (
            r#"{"choices":[{"message":{"content":"hi"},"index":0,"finish_reason":null}],"usage":null}"#,
            None,
            json!("hi"),
        ),
    ] {
        let answer = Scripted::answering(200, body).serving_query("m", &Default::default()).await.unwrap();
        let choice = &answer.choices.as_ref().unwrap()[0];
        assert_eq!(choice.finish_reason.as_deref(), reason, "{body}");
        assert_eq!(choice.message.as_ref().unwrap().content.as_ref(), Some(&content));
        let written = serde_json::to_value(choice).unwrap();
        assert!(written.get("finishReason").is_none(), "{written}");
    }
    let asked: types::QueryEndpointInput =
        serde_json::from_str(r#"{"prompt":"hush","messages":[{"content":"hush"}]}"#).unwrap();
    assert!(!format!("{asked:?} {:?}", asked.messages).contains("hush"), "{asked:?}");
    let body = r#"{"predictions":{"0":1.5},"trace":{"id":"t"}}"#;
    let answer = Scripted::answering(200, body).serving_query("m", &Default::default()).await.unwrap();
    assert_eq!(
        (&answer.predictions, &answer.extra["trace"]),
        (&Some(json!({ "0": 1.5 })), &json!({ "id": "t" }))
    );
}

#[tokio::test]
async fn rows_of_an_index_keep_the_types_of_their_cells() {
    let body = r#"{
        "manifest": {"column_count": 3, "columns": [{"name": "id"}, {"name": "text"}, {"name": "score"}]},
        "result": {"row_count": 1, "data_array": [["17", null, 0.0042]]},
        "next_page_token": ""
    }"#;
    let request = types::QueryVectorIndexRequest {
        columns: vec!["id".to_owned(), "text".to_owned()],
        query_text: Some("a question".to_owned()),
        ..Default::default()
    };
    let answer = Scripted::answering(200, body)
        .vector_search_indexes_query("main.shop.index", &request)
        .await
        .unwrap();
    let rows = answer.result.as_ref().unwrap().data_array.as_ref().unwrap();
    assert_eq!(rows[0], [json!("17"), Value::Null, json!(0.0042)]);
}

#[tokio::test]
async fn a_workspace_setting_that_was_never_set_is_missing() {
    let body = r#"{"enableIpAccessLists": null, "maxTokenLifetimeDays": "90"}"#;
    let answer = Scripted::answering(200, body)
        .workspace_conf_get_status("enableIpAccessLists,maxTokenLifetimeDays")
        .await
        .unwrap();
    let settings: Vec<_> = answer.iter().collect();
    assert_eq!(settings, [(&"maxTokenLifetimeDays".to_owned(), &"90".to_owned())]);
}

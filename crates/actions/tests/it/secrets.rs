//! Secrets, against a scripted service.

use brickwire_actions::{ErrorKind, SecretValue, types::AclPermission};
use brickwire_testserver::{End, Response};
use serde_json::json;

use crate::objects::{posted, refusal, script};

#[tokio::test]
async fn a_value_is_stored_as_text_or_as_bytes_and_a_lost_answer_is_no_matter() {
    let (server, workspace) = script([Response::none(End::Reset), Response::json("{}")]);
    workspace.secrets().put("etl", "password", "hush é\n").await.unwrap();
    workspace.secrets().put("etl", "key.p12", b"\0\xff".to_vec()).await.unwrap();
    let text = json!({ "scope": "etl", "key": "password", "string_value": "hush é\n" });
    let bytes = json!({ "scope": "etl", "key": "key.p12", "bytes_value": "AP8=" });
    assert_eq!(posted(&server), [text.clone(), text, bytes]);
}

#[tokio::test]
async fn a_value_is_decoded_and_is_not_seen() {
    let (server, workspace) = script([Response::json(r#"{"key":"k","value":"aHVzaAD/","more":1}"#)]);
    let value = workspace.secrets().get("etl", "k").await.unwrap();
    assert_eq!(value.expose(), b"hush\0\xff");
    assert_eq!(format!("{value:?}"), "***");
    assert_eq!(server.only().query(), "key=k&scope=etl");
    for (answer, kind) in [
        (Response::json(r#"{"key":"k"}"#), ErrorKind::UnexpectedResponse),
        (Response::json(r#"{"key":"k","value":"hush!"}"#), ErrorKind::UnexpectedResponse),
        (Response::json(r#"{"key":"other","value":"aHVzaA=="}"#), ErrorKind::UnexpectedResponse),
        (refusal(404, "RESOURCE_DOES_NOT_EXIST"), ErrorKind::NotFound),
        (refusal(403, "PERMISSION_DENIED"), ErrorKind::PermissionDenied),
    ] {
        let (_server, workspace) = script([answer]);
        let error = workspace.secrets().get("etl", "k").await.unwrap_err();
        assert_eq!(error.kind(), kind);
        let told = format!("{error} {error:?}");
        assert!(!told.contains("hush") && !told.contains("aHVzaA"), "{told}");
    }
    let (_server, workspace) = script([refusal(400, "BAD_REQUEST")]);
    let error = workspace.secrets().get("etl", "k").await.unwrap_err();
    assert!(error.hint().unwrap().contains("dbutils.secrets.get"), "{error:?}");
}

#[tokio::test]
async fn a_scope_is_created_once_whatever_becomes_of_the_answer() {
    let (server, workspace) = script([Response::none(End::Reset)]);
    let error = workspace.secrets().create_scope("etl").await.unwrap_err();
    assert!(error.is_unknown_outcome(), "{error:?}");
    assert_eq!(posted(&server), [json!({ "scope": "etl" })]);
    let (_server, workspace) = script([refusal(400, "RESOURCE_ALREADY_EXISTS")]);
    let error = workspace.secrets().create_scope("etl").await.unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Rejected, None));
}

#[tokio::test]
async fn lists_take_what_comes() {
    let (server, workspace) = script([
        Response::json(r#"{"scopes":[{"name":"a","backend_type":"NEW","keyvault_metadata":null,"x":{}}]}"#),
        Response::json(r#"{"secrets":[{"key":"k","last_updated_timestamp":"1520467595000"}]}"#),
        Response::json(r#"{"items":[{"principal":"users","permission":"READ"}]}"#),
        Response::json("{}"),
    ]);
    let secrets = workspace.secrets();
    let scopes = secrets.list_scopes().await.unwrap();
    assert_eq!(scopes[0].backend_type.as_ref().unwrap().as_str(), "NEW");
    assert!(scopes.raw()[0].get().contains(r#""x":{}"#));
    assert_eq!(secrets.list("a").await.unwrap()[0].last_updated_timestamp, Some(1_520_467_595_000));
    assert_eq!(secrets.list_acls("a").await.unwrap()[0].permission, Some(AclPermission::Read));
    assert!(secrets.list("a").await.unwrap().is_empty() && secrets.list_scopes().await.unwrap().is_empty());
    assert_eq!(server.requests()[1].query(), "scope=a");
}

#[tokio::test]
async fn permissions_are_granted_and_revoked() {
    let (server, workspace) =
        script([Response::json("{}"), Response::json(r#"{"permission":"WRITE"}"#), Response::json("{}")]);
    let secrets = workspace.secrets();
    secrets.put_acl("etl", "data team", AclPermission::Write).await.unwrap();
    assert_eq!(secrets.get_acl("etl", "data team").await.unwrap(), Some(AclPermission::Write));
    secrets.delete_acl("etl", "data team").await.unwrap();
    let granted = json!({ "scope": "etl", "principal": "data team", "permission": "WRITE" });
    assert_eq!(posted(&server), [granted, json!({ "scope": "etl", "principal": "data team" })]);
}

#[tokio::test]
async fn what_cannot_be_right_is_not_sent() {
    let (server, workspace) = script([Response::json("{}")]);
    let secrets = workspace.secrets();
    for error in [
        secrets.create_scope("a b").await.err(),
        secrets.create_scope(&"x".repeat(129)).await.err(),
        secrets.delete_scope("").await.err(),
        secrets.list(" ").await.err(),
        secrets.put("etl", "a/b", "x").await.err(),
        secrets.put("", "a", "x").await.err(),
        secrets.put("etl", "a", "").await.err(),
        secrets.put("etl", "a", SecretValue::from(vec![b'x'; (128 << 10) + 1])).await.err(),
        secrets.get("etl", "").await.err(),
        secrets.delete("etl", "").await.err(),
        secrets.put_acl("etl", "", AclPermission::Read).await.err(),
        secrets.delete_acl("", "x").await.err(),
    ] {
        assert_eq!(error.unwrap().kind(), ErrorKind::Usage);
    }
    assert!(server.requests().is_empty());
}

//! Permissions, against a scripted service.

use brickwire_actions::{
    Connection, ErrorKind, Workspace,
    types::{AccessControlRequest, PermissionLevel},
};
use brickwire_testserver::{Response, Server};
use serde_json::{Value, json};

fn script(answers: impl IntoIterator<Item = Response>) -> (Server, Workspace) {
    let server = Server::script(answers);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace)
}

fn entry(user: Option<&str>, group: Option<&str>, level: Option<PermissionLevel>) -> AccessControlRequest {
    let owned = |name: Option<&str>| name.map(str::to_owned);
    AccessControlRequest {
        user_name: owned(user),
        group_name: owned(group),
        permission_level: level,
        ..Default::default()
    }
}

#[tokio::test]
async fn a_type_may_have_a_slash() {
    let body = r#"{"object_id":"/sql/warehouses/1","object_type":"warehouses","access_control_list":[
        {"group_name":"admins","all_permissions":[{"permission_level":"CAN_FLY","inherited":true,
        "inherited_from_object":["/sql/warehouses/"]}],"new":1},{"user_name":"a@b","all_permissions":null}]}"#;
    let (server, workspace) = script([Response::json(body)]);
    let permissions = workspace.permissions();
    let got = permissions.get("sql/warehouses", "1").await.unwrap();
    let first = &got.access_control_list.as_ref().unwrap()[0].all_permissions.as_ref().unwrap()[0];
    assert_eq!(first.permission_level, Some(PermissionLevel::UnknownValue("CAN_FLY".to_owned())));
    assert_eq!(permissions.get_json("sql/warehouses", "1").await.unwrap().get(), body);
    let (levels, workspace) = script([Response::json(
        r#"{"permission_levels":[{"permission_level":"CAN_USE","description":"Can use"}]}"#,
    )]);
    let listed = workspace.permissions().levels("sql/warehouses", "a/b").await.unwrap();
    assert_eq!(listed[0].permission_level, Some(PermissionLevel::CanUse));
    assert_eq!(server.requests()[0].line(), "GET /api/2.0/permissions/sql/warehouses/1");
    assert_eq!(levels.only().line(), "GET /api/2.0/permissions/sql/warehouses/a%2Fb/permissionLevels");
}

#[tokio::test]
async fn set_replaces_and_update_adds() {
    let list = [entry(Some("a@b"), None, Some(PermissionLevel::IsOwner))];
    let (server, workspace) = script([Response::json("{}")]);
    workspace.permissions().set("jobs", "7", &list).await.unwrap();
    workspace.permissions().set("jobs", "7", &[]).await.unwrap();
    workspace.permissions().update("jobs", "7", &list).await.unwrap();
    let sent: Vec<_> = server
        .requests()
        .iter()
        .map(|request| (request.method.clone(), serde_json::from_str::<Value>(&request.text()).unwrap()))
        .collect();
    let owner = json!({ "access_control_list": [{ "user_name": "a@b", "permission_level": "IS_OWNER" }] });
    let expected = [
        ("PUT".to_owned(), owner.clone()),
        // An empty list removes all, so it must be in the body.
        ("PUT".to_owned(), json!({ "access_control_list": [] })),
        ("PATCH".to_owned(), owner),
    ];
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn what_cannot_be_right_is_not_sent() {
    let (server, workspace) = script([Response::json("{}")]);
    let permissions = workspace.permissions();
    let level = || Some(PermissionLevel::CanView);
    for wrong in [
        entry(None, None, level()),
        entry(Some(" "), None, level()),
        entry(Some("a"), Some("b"), level()),
        entry(Some("a"), None, None),
    ] {
        let error = permissions.set("jobs", "7", std::slice::from_ref(&wrong)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        assert!(permissions.update("jobs", "7", &[wrong]).await.is_err());
    }
    let errors = [
        permissions.update("jobs", "7", &[]).await.err(),
        permissions.get("", "7").await.err(),
        permissions.get("jobs", "").await.err(),
        permissions.get("jobs/..", "7").await.err(),
        permissions.get("jobs", "..").await.err(),
    ];
    for error in errors {
        assert_eq!(error.unwrap().kind(), ErrorKind::Usage);
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_refusal_is_passed_on() {
    let body =
        json!({ "error_code": "INVALID_PARAMETER_VALUE", "message": "The job must have exactly one owner." });
    let (server, workspace) = script([Response::new(400).with_body(body.to_string())]);
    let error = workspace.permissions().set("jobs", "7", &[]).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Rejected, 1));
    assert!(error.to_string().contains("exactly one owner"), "{error}");
}

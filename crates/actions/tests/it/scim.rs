//! Users, groups and service principals, against a scripted service.

use brickwire_actions::{
    Connection, ErrorKind, Workspace,
    types::{CreateGroupRequest, CreateServicePrincipalRequest, CreateUserRequest, UsersListQuery},
};
use brickwire_testserver::{End, Request, Response, Server};
use serde_json::{Value, json};

fn serve(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> (Server, Workspace) {
    let server = Server::start(answer);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace)
}

fn script(answers: impl IntoIterator<Item = Response>) -> (Server, Workspace) {
    let server = Server::script(answers);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace)
}

/// An answer as the service labels it.
fn scim(status: u16, body: &Value) -> Response {
    Response::new(status)
        .with_header("content-type", "application/scim+json; charset=utf-8")
        .with_body(body.to_string())
}

/// A page, with a number of results that isn't true.
fn page(entries: &[Value]) -> Response {
    scim(
        200,
        &json!({ "totalResults": 2, "startIndex": "1", "itemsPerPage": entries.len(), "Resources": entries }),
    )
}

fn user(id: u64) -> Value {
    json!({ "id": id.to_string(), "userName": format!("u{id}@example.com"), "new": 1 })
}

/// What a request asks for, unpacked.
fn query(request: &Request) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://x/?{}", request.query())).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn asked(request: &Request, name: &str) -> Option<String> {
    query(request).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

#[tokio::test]
async fn a_list_goes_on_until_a_page_is_empty() {
    let (server, workspace) = serve(|request| {
        let start: u64 = asked(request, "startIndex").unwrap().parse().unwrap();
        match start {
            1 => page(&[user(1), user(2)]),
            // The second user has moved on to this page.
            3 => page(&[user(2), user(3), user(4)]),
            _ => scim(200, &json!({ "totalResults": 4 })),
        }
    });
    let users = workspace.users().list(&UsersListQuery::default()).await.unwrap();
    let names: Vec<_> = users.iter().map(|user| user.user_name.as_deref().unwrap()).collect();
    assert_eq!(names, ["u1@example.com", "u2@example.com", "u3@example.com", "u4@example.com"]);
    assert!(users.raw()[0].get().contains("\"new\":1"));
    let starts: Vec<_> =
        server.requests().iter().map(|request| asked(request, "startIndex").unwrap()).collect();
    assert_eq!(starts, ["1", "3", "6"]);
    assert!(server.requests().iter().all(|request| asked(request, "count").as_deref() == Some("100")));
}

#[tokio::test]
async fn a_page_that_comes_twice_is_an_error() {
    let (server, workspace) = serve(|_| page(&[user(1), user(2)]));
    let error = workspace.users().list_json(&UsersListQuery::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
    assert_eq!(error.to_string(), "the service returned the page that starts at 3 twice");
    assert_eq!(server.requests().len(), 2);
    for body in ["<html>", "[]", r#"{"Resources":"x"}"#] {
        let (_server, workspace) = script([Response::json(body)]);
        let error = workspace.groups().list_json(&Default::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{body}: {error}");
    }
}

#[tokio::test]
async fn a_name_is_looked_up_by_the_service() {
    let (server, workspace) = serve(|request| {
        let start = asked(request, "startIndex").unwrap();
        let filter = asked(request, "filter").unwrap();
        let named = |id: &str, name: &str| json!({ "id": id, "displayName": name });
        let found = match (&*start, &*filter) {
            ("1", r#"userName eq "Ada@example.com""#) => {
                vec![json!({ "id": "7", "userName": "ada@example.com", "displayName": "Ada" })]
            }
            ("1", r#"displayName eq "twins""#) => vec![named("1", "twins"), named("2", "twins")],
            ("1", r#"applicationId eq "5E3C9F1A-0b8d-4c6e-9a2f-7d1e8b4c0f63""#) => {
                vec![
                    json!({ "id": "3", "displayName": "robot", "applicationId": "5e3c9f1a-0b8d-4c6e-9a2f-7d1e8b4c0f63" }),
                ]
            }
            _ => vec![],
        };
        page(&found)
    });
    assert_eq!(workspace.users().find("Ada@example.com").await.unwrap(), "7");
    assert_eq!(server.requests().len(), 2);
    assert_eq!(workspace.users().find("7").await.unwrap(), "7");
    assert_eq!(server.requests().len(), 2);
    assert_eq!(
        workspace.service_principals().find("5E3C9F1A-0b8d-4c6e-9a2f-7d1e8b4c0f63").await.unwrap(),
        "3"
    );
    let error = workspace.groups().find("twins").await.unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Usage, Some("use an id: 1 (twins), 2 (twins)")));
    let error = workspace.groups().find(r#"x" or id eq "1"#).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let filter = asked(server.requests().last().unwrap(), "filter").unwrap();
    assert_eq!(filter, r#"displayName eq "x\" or id eq \"1""#);
}

#[tokio::test]
async fn a_service_that_ignores_the_filter_does_not_decide() {
    let (_server, workspace) = serve(|request| match asked(request, "startIndex").as_deref() {
        Some("1") => page(&[json!({ "id": "8", "userName": "eve@example.com", "displayName": "admins",
            "applicationId": "00000000-0000-0000-0000-000000000000" })]),
        _ => page(&[]),
    });
    for found in [
        workspace.users().find("ada@example.com").await,
        // A user's display name is no name.
        workspace.users().find("admins").await,
        workspace.groups().find("foo").await,
        workspace.service_principals().find("5e3c9f1a-0b8d-4c6e-9a2f-7d1e8b4c0f63").await,
    ] {
        assert_eq!(found.unwrap_err().kind(), ErrorKind::NotFound);
    }
    assert_eq!(workspace.users().find("EVE@example.com").await.unwrap(), "8");
}

#[tokio::test]
async fn members_are_added_and_removed_by_their_ids() {
    let (server, workspace) = script([Response::new(204), scim(200, &json!({ "id": "9" }))]);
    let groups = workspace.groups();
    groups.add_members("9", &["1", "2"]).await.unwrap();
    groups.remove_members("9", &["1".to_owned()]).await.unwrap();
    let sent: Vec<Value> =
        server.requests().iter().map(|r| serde_json::from_str(&r.text()).unwrap()).collect();
    let schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": "1" }, { "value": "2" }] }]);
    let remove = json!([{ "op": "remove", "path": r#"members[value eq "1"]"# }]);
    assert_eq!(sent[0], json!({ "schemas": [schema], "Operations": add }));
    assert_eq!(sent[1], json!({ "schemas": [schema], "Operations": remove }));
    assert!(server.requests().iter().all(|r| r.line() == "PATCH /api/2.0/preview/scim/v2/Groups/9"));
}

#[tokio::test]
async fn an_unknown_member_is_the_services_word() {
    let detail = "User with id 5 not found.";
    let error = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": detail, "status": "404" });
    let (server, workspace) = script([scim(404, &error)]);
    let error = workspace.groups().add_members("9", &["5"]).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::NotFound, 1));
    assert!(error.to_string().contains(detail), "{error}");
}

#[tokio::test]
async fn what_cannot_be_right_is_not_sent() {
    let (server, workspace) = script([scim(200, &json!({}))]);
    let (users, groups, principals) = (workspace.users(), workspace.groups(), workspace.service_principals());
    let none: [&str; 0] = [];
    let no_count = UsersListQuery { count: Some(0), ..Default::default() };
    let errors = [
        groups.add_members("9", &none).await.err(),
        groups.add_members("9", &["ada@example.com"]).await.err(),
        groups.remove_members("9", &[r#"1" or value eq "2"#]).await.err(),
        groups.add_members("", &["1"]).await.err(),
        groups.create(&CreateGroupRequest::default()).await.err(),
        users.create(&CreateUserRequest::default()).await.err(),
        users.patch("1", vec![]).await.err(),
        users.list_json(&no_count).await.err(),
        users.find(" ").await.err(),
        users.delete("").await.err(),
        principals.create(&CreateServicePrincipalRequest::default()).await.err(),
        principals.get("..").await.err(),
    ];
    for error in errors {
        assert_eq!(error.as_ref().unwrap().kind(), ErrorKind::Usage, "{error:?}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_lost_create_is_never_repeated() {
    let (server, workspace) = script([Response::none(End::Reset)]);
    let user = CreateUserRequest { user_name: Some("a@example.com".to_owned()), ..Default::default() };
    let error = workspace.users().create(&user).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::UnknownOutcome, 1), "{error}");
    let (server, workspace) = script([Response::none(End::Reset), scim(201, &json!({ "id": "1" }))]);
    let robot =
        CreateServicePrincipalRequest { display_name: Some("robot".to_owned()), ..Default::default() };
    let error = workspace.service_principals().create(&robot).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::UnknownOutcome, 1), "{error}");
}

#[tokio::test]
async fn an_answer_about_another_one_is_refused() {
    let (_server, workspace) = script([scim(200, &json!({ "id": "6" }))]);
    for error in [
        workspace.users().get("5").await.err(),
        workspace.groups().get_json("5").await.err(),
        workspace.service_principals().get("5").await.err(),
    ] {
        assert_eq!(error.unwrap().kind(), ErrorKind::UnexpectedResponse);
    }
    assert_eq!(workspace.users().get("6").await.unwrap().id.as_deref(), Some("6"));
}

//! Catalogs, schemas, tables and functions, against a scripted service.

use brickwire_actions::{
    Connection, ErrorKind, Workspace,
    types::{CatalogType, ColumnTypeName, CreateCatalog, CreateSchema, UpdateSchema},
};
use brickwire_testserver::{End, Response, Server};

/// A service that answers with these in turn, and then with the last one.
pub(crate) fn script(answers: impl IntoIterator<Item = Response>) -> (Server, Workspace) {
    let server = Server::script(answers);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace)
}

pub(crate) fn lines(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.line()).collect()
}

pub(crate) fn missing(code: &str) -> Response {
    Response::new(404)
        .with_body(format!(r#"{{"error_code":"{code}","message":"It does not exist.","details":[]}}"#))
}

#[tokio::test]
async fn lists_ask_for_pages_and_an_empty_one_is_not_the_last() {
    let (server, workspace) = script([
        Response::json(r#"{"catalogs":[{"name":"a"}],"next_page_token":"t1"}"#),
        Response::json(r#"{"next_page_token":"t2"}"#),
        Response::json(r#"{"catalogs":[],"next_page_token":"t3"}"#),
        Response::json(
            r#"{"catalogs":[{"name":"b","catalog_type":"LUNAR_CATALOG","created_at":"9007199254740993"}],"next_page_token":""}"#,
        ),
    ]);
    let catalogs = workspace.catalogs().list().await.unwrap();
    assert_eq!(catalogs.iter().map(|one| one.name.as_deref().unwrap()).collect::<Vec<_>>(), ["a", "b"]);
    // A number as text, a value of tomorrow.
    assert_eq!(catalogs[1].created_at, Some(9_007_199_254_740_993));
    assert_eq!(catalogs[1].catalog_type, Some(CatalogType::UnknownValue("LUNAR_CATALOG".to_owned())));
    let list = "GET /api/2.1/unity-catalog/catalogs?max_results=0";
    let tokens = ["", "&page_token=t1", "&page_token=t2", "&page_token=t3"];
    assert_eq!(lines(&server), tokens.map(|token| format!("{list}{token}")));
}

#[tokio::test]
async fn a_list_without_end_is_an_error() {
    let (server, workspace) = script([Response::json(r#"{"schemas":[{}],"next_page_token":"t"}"#)]);
    let error = workspace.schemas().list("main").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
    assert_eq!(server.requests().len(), 2);
    let (_server, workspace) = script([Response::json(r#"{"tables":"none"}"#)]);
    let error = workspace.tables().list("main.default").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
}

#[tokio::test]
async fn a_full_name_travels_as_one_segment() {
    let (server, workspace) = script([Response::json("{}")]);
    workspace.tables().get("main.default.`odd.name`").await.unwrap();
    workspace.tables().get_json("`main`.`default`.a/b c?").await.unwrap();
    workspace.functions().get("main.default.\u{fc}ber").await.unwrap();
    workspace.schemas().delete_with_contents("main.old").await.unwrap();
    workspace.tables().list("main.`de fault`").await.unwrap();
    assert_eq!(
        lines(&server),
        [
            "GET /api/2.1/unity-catalog/tables/main.default.%60odd.name%60",
            "GET /api/2.1/unity-catalog/tables/main.default.a%2Fb%20c%3F",
            "GET /api/2.1/unity-catalog/functions/main.default.%C3%BCber",
            "DELETE /api/2.1/unity-catalog/schemas/main.old?force=true",
            "GET /api/2.1/unity-catalog/tables?catalog_name=main&schema_name=de+fault&max_results=0",
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_a_name_is_not_sent() {
    let (server, workspace) = script([Response::json("{}")]);
    let catalog = |name: &str| CreateCatalog { name: name.to_owned(), ..Default::default() };
    let schema = CreateSchema { catalog_name: "main".into(), name: "main.x".into(), ..Default::default() };
    let errors = [
        workspace.catalogs().get("").await.err(),
        workspace.catalogs().delete("main.default").await.err(),
        workspace.catalogs().create(&catalog(" ")).await.err(),
        workspace.catalogs().create(&catalog("a/b")).await.err(),
        workspace.schemas().create(&schema).await.err(),
        workspace.schemas().list("main.default").await.err(),
        workspace.schemas().update("main", &UpdateSchema::default()).await.err(),
        workspace.tables().list("main").await.err(),
        workspace.tables().exists("sales").await.err(),
        workspace.tables().delete("main.default.").await.err(),
        workspace.functions().delete("main.`default.f").await.err(),
    ];
    for (n, error) in errors.into_iter().enumerate() {
        let error = error.unwrap_or_else(|| panic!("{n} is sent"));
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_table_has_its_columns_and_keeps_what_is_unknown() {
    let table = r#"{"full_name":"main.default.Sales","table_type":"SEMANTIC_VIEW","columns":[
        {"name":"n","type_text":"decimal(10,2)","type_name":"DECIMAL","type_precision":10,"position":0,"nullable":false},
        {"name":"v","type_name":"QUATERNION","position":"1","nullable":null,"collation":"UTF8_BINARY"}],
        "row_filter":null,"properties":{"delta.lastCommitTimestamp":"1"},"securable_kind":"TABLE_DELTA"}"#;
    let (_server, workspace) = script([Response::json(table)]);
    let table = workspace.tables().get("main.default.sales").await.unwrap();
    let columns = table.columns.as_ref().unwrap();
    assert_eq!(columns[0].type_name, Some(ColumnTypeName::Decimal));
    assert_eq!((columns[0].nullable, columns[1].nullable, columns[1].position), (Some(false), None, Some(1)));
    assert_eq!(columns[1].type_name.as_ref().unwrap().as_str(), "QUATERNION");
    let json = workspace.tables().get_json("main.default.SALES").await.unwrap();
    assert!(json.get().contains(r#""collation":"UTF8_BINARY""#), "{json}");
    // Another one's answer is an error, both decoded and as JSON.
    for error in [
        workspace.tables().get("main.default.orders").await.err(),
        workspace.tables().get_json("main.default.orders").await.err(),
    ] {
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
        assert!(error.to_string().contains("main.default.Sales"), "{error}");
    }
}

#[tokio::test]
async fn names_come_without_columns() {
    let (server, workspace) = script([
        Response::json(r#"{"tables":[{"full_name":"main.default.a","columns":7},{}],"next_page_token":"t"}"#),
        Response::json("{}"),
    ]);
    assert_eq!(workspace.tables().names("main.default").await.unwrap(), ["main.default.a"]);
    let list = "GET /api/2.1/unity-catalog/tables?catalog_name=main&schema_name=default&max_results=0";
    let light = "&omit_columns=true&omit_properties=true";
    assert_eq!(lines(&server), [format!("{list}{light}"), format!("{list}&page_token=t{light}")]);
}

#[tokio::test]
async fn a_table_that_cannot_exist_does_not() {
    for answer in [
        Response::json(r#"{"table_exists":false}"#),
        Response::json("{}"),
        missing("TABLE_DOES_NOT_EXIST"),
        missing("SCHEMA_DOES_NOT_EXIST"),
        missing("CATALOG_DOES_NOT_EXIST"),
    ] {
        let (server, workspace) = script([answer]);
        assert!(!workspace.tables().exists("main.gone.t").await.unwrap());
        assert_eq!(server.only().path(), "/api/2.1/unity-catalog/tables/main.gone.t/exists");
    }
    let (_server, workspace) = script([Response::json(r#"{"table_exists":true}"#)]);
    assert!(workspace.tables().exists("main.default.t").await.unwrap());
    // A workspace without Unity Catalog isn't a workspace without the table.
    for code in ["ENDPOINT_NOT_FOUND", "METASTORE_DOES_NOT_EXIST"] {
        let (_server, workspace) = script([missing(code)]);
        let error = workspace.tables().exists("main.default.t").await.unwrap_err();
        assert_eq!((error.kind(), error.error_code()), (ErrorKind::NotFound, Some(code)));
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_create_is_an_unknown_outcome() {
    let catalog = CreateCatalog { name: "lab".to_owned(), ..Default::default() };
    for answer in [
        Response::none(End::Reset),
        Response::none(End::Close),
        Response::new(504),
        Response::json("<html>sign in</html>"),
        // An answer about another catalog says nothing about this one.
        Response::json(r#"{"name":"other"}"#),
    ] {
        let (server, workspace) = script([answer]);
        let error = workspace.catalogs().create(&catalog).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownOutcome, "{error}");
        assert!(error.to_string().contains("`catalogs_create`"), "{error}");
        assert_eq!(server.only().text(), r#"{"name":"lab"}"#);
    }
    let taken = r#"{"error_code":"CATALOG_ALREADY_EXISTS","message":"Catalog 'lab' already exists"}"#;
    let (server, workspace) = script([Response::new(400).with_body(taken)]);
    let error = workspace.catalogs().create(&catalog).await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Rejected, Some("CATALOG_ALREADY_EXISTS")));
    assert_eq!(server.requests().len(), 1);
    // The name comes back in lower case.
    let (_server, workspace) = script([Response::json(r#"{"name":"lab","full_name":"lab"}"#)]);
    let upper = CreateCatalog { name: "LAB".to_owned(), ..Default::default() };
    assert_eq!(workspace.catalogs().create(&upper).await.unwrap().name.as_deref(), Some("lab"));
}

#[tokio::test]
async fn a_delete_is_repeated_and_a_change_sends_only_what_changes() {
    let (server, workspace) = script([Response::new(503), Response::json("{}")]);
    workspace.catalogs().delete("lab").await.unwrap();
    assert_eq!(lines(&server), ["DELETE /api/2.1/unity-catalog/catalogs/lab"; 2]);
    let not_empty = r#"{"error_code":"SCHEMA_NOT_EMPTY","message":"Schema 'main.old' is not empty"}"#;
    let (server, workspace) = script([Response::new(400).with_body(not_empty)]);
    let error = workspace.schemas().delete("main.old").await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Rejected, 1), "{error}");
    assert_eq!(error.hint(), Some("delete what is in it first, or call `delete_with_contents`"));
    let (server, workspace) = script([Response::none(End::Reset), Response::json("{}")]);
    let change = UpdateSchema { comment: Some("\u{e9}".to_owned()), ..Default::default() };
    workspace.schemas().update("main.old", &change).await.unwrap();
    assert_eq!(lines(&server), ["PATCH /api/2.1/unity-catalog/schemas/main.old"; 2]);
    assert_eq!(server.requests()[1].text(), "{\"comment\":\"\u{e9}\"}");
}

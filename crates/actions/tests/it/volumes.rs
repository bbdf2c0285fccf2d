//! Volumes, against a scripted service.

use brickwire_actions::{
    Connection, ErrorKind, Workspace,
    types::{CreateVolumeRequestContent, UpdateVolumeRequestContent, VolumeType},
};
use brickwire_testserver::{End, Response, Server};

fn script<const N: usize>(answers: [Response; N]) -> (Server, Workspace) {
    let server = Server::script(answers);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace)
}

fn raw() -> CreateVolumeRequestContent {
    CreateVolumeRequestContent {
        catalog_name: "main".into(),
        schema_name: "default".into(),
        name: "raw".into(),
        volume_type: VolumeType::Managed,
        ..Default::default()
    }
}

#[tokio::test]
async fn volumes_come_page_after_page_and_nothing_is_lost() {
    let (server, workspace) = script([
        Response::json(r#"{"next_page_token":"t 1"}"#),
        Response::json(
            r#"{"volumes":[{"full_name":"main.default.raw","volume_type":"HYBRID","created_at":"1764115200000",
                "updated_at":null,"new_member":[1]}]}"#,
        ),
    ]);
    let list = workspace.volumes().list("main", "default").await.unwrap();
    let volume = &list[0];
    assert_eq!(volume.volume_type.as_ref().map(VolumeType::as_str), Some("HYBRID"));
    assert_eq!((volume.created_at, volume.updated_at), (Some(1_764_115_200_000), None));
    assert!(list.raw()[0].get().contains(r#""new_member":[1]"#));
    let lines: Vec<_> = server.requests().iter().map(|request| request.line()).collect();
    let first = "GET /api/2.1/unity-catalog/volumes?catalog_name=main&schema_name=default&max_results=0";
    assert_eq!(lines, [first.to_owned(), format!("{first}&page_token=t+1")]);
}

#[tokio::test]
async fn a_volume_is_named_in_full_and_the_answer_is_about_it() {
    let (server, workspace) = script([
        Response::json(r#"{"full_name":"main.default.raw"}"#),
        Response::json(r#"{"full_name":"main.default.other"}"#),
        Response::new(200),
    ]);
    let volumes = workspace.volumes();
    // The service lower-cases names.
    volumes.get("main.default.Raw").await.unwrap();
    let error = volumes.get_json("main.default.raw").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
    volumes.delete("main.default.raw").await.unwrap();
    let change = UpdateVolumeRequestContent { new_name: Some("new".into()), ..Default::default() };
    volumes.update("main.default.ra w%", &change).await.unwrap();
    let lines: Vec<_> = server.requests()[2..].iter().map(|r| (r.line(), r.text())).collect();
    let path = "/api/2.1/unity-catalog/volumes";
    assert_eq!(
        lines,
        [
            (format!("DELETE {path}/main.default.raw"), String::new()),
            (format!("PATCH {path}/main.default.ra%20w%25"), r#"{"new_name":"new"}"#.to_owned()),
        ]
    );
}

#[tokio::test]
async fn a_name_may_have_letters_beyond_ascii_and_backticks() {
    let (server, workspace) = script([
        Response::json(r#"{"full_name":"main.default.\u00fcbersicht"}"#),
        Response::json(r#"{"full_name":"main.default.`odd.name`"}"#),
        Response::json("{}"),
    ]);
    let volumes = workspace.volumes();
    // Whether the service lower-cases such a letter is not known.
    volumes.get("main.default.\u{dc}bersicht").await.unwrap();
    volumes.get_json("`main`.default.`odd.name`").await.unwrap();
    volumes.delete("main.default.`raw`").await.unwrap();
    let paths: Vec<_> =
        server.requests().iter().map(|r| r.path().rsplit('/').next().unwrap().to_owned()).collect();
    let names = ["main.default.%C3%9Cbersicht", "main.default.%60odd.name%60", "main.default.raw"];
    assert_eq!(paths, names);
}

#[tokio::test]
async fn what_cannot_be_right_is_not_sent() {
    let (server, workspace) = script([Response::json("{}")]);
    let volumes = workspace.volumes();
    let located = CreateVolumeRequestContent { storage_location: Some("s3://a".into()), ..raw() };
    let external = CreateVolumeRequestContent { volume_type: VolumeType::External, ..raw() };
    let dotted = CreateVolumeRequestContent { name: "a.b".into(), ..raw() };
    for error in [
        volumes.delete("raw").await.err(),
        volumes.delete("main.default.").await.err(),
        volumes.get("a.b.c.d").await.err(),
        volumes.get_json("").await.err(),
        volumes.list("", "default").await.err(),
        volumes.create(&located).await.err(),
        volumes.create(&external).await.err(),
        volumes.create(&dotted).await.err(),
    ] {
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_lost_answer_to_a_create_is_an_unknown_outcome() {
    let (server, workspace) = script([Response::none(End::Reset), Response::json("{}")]);
    let error = workspace.volumes().create(&raw()).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::UnknownOutcome, 1), "{error}");
}

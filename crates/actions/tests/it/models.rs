//! Registered models, against a scripted service.

use brickwire_actions::{
    ErrorKind,
    types::{CreateRegisteredModelRequest, ModelVersionInfoStatus},
};
use brickwire_testserver::{End, Response};

use crate::catalogs::{lines, missing, script};

const MODEL: &str = "main.default.churn";
const PATH: &str = "/api/2.1/unity-catalog/models";

#[tokio::test]
async fn models_and_versions_are_listed_and_got() {
    let (server, workspace) = script([
        Response::json(r#"{"registered_models":[{"full_name":"main.default.churn"}],"next_page_token":"t"}"#),
        Response::json(r#"{"registered_models":null}"#),
        Response::json(
            r#"{"full_name":"main.default.churn","aliases":[{"alias_name":"champion","version_num":"2"}]}"#,
        ),
        Response::json(
            r#"{"model_versions":[{"version":2,"status":"READY","run_workspace_id":9007199254740993},{"version":"1","status":"FROZEN"}]}"#,
        ),
        Response::json(r#"{"version":2,"model_name":"churn"}"#),
    ]);
    let models = workspace.models();
    assert_eq!(models.list(Some("main.default")).await.unwrap().len(), 1);
    let model = models.get("main.default.Churn").await.unwrap();
    assert_eq!(model.aliases.as_ref().unwrap()[0].version_num, Some(2));
    let versions = models.versions(MODEL).await.unwrap();
    assert_eq!(versions.iter().map(|one| one.version.unwrap()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(versions[0].run_workspace_id, Some(9_007_199_254_740_993));
    assert_eq!(versions[1].status, Some(ModelVersionInfoStatus::UnknownValue("FROZEN".to_owned())));
    models.version_by_alias(MODEL, "champion").await.unwrap();
    models.version(MODEL, 2).await.unwrap();
    let other = models.version(MODEL, 3).await.unwrap_err();
    assert_eq!(other.to_string(), "the answer is about a different version than 3: 2");
    let list = format!("GET {PATH}?catalog_name=main&max_results=0");
    assert_eq!(
        lines(&server),
        [
            format!("{list}&schema_name=default"),
            format!("{list}&page_token=t&schema_name=default"),
            format!("GET {PATH}/main.default.Churn?include_aliases=true"),
            format!("GET {PATH}/{MODEL}/versions?max_results=0"),
            format!("GET {PATH}/{MODEL}/aliases/champion?include_aliases=true"),
            format!("GET {PATH}/{MODEL}/versions/2?include_aliases=true"),
            format!("GET {PATH}/{MODEL}/versions/3?include_aliases=true"),
        ]
    );
}

#[tokio::test]
async fn an_alias_is_moved_twice_with_the_same_effect() {
    let (server, workspace) =
        script([Response::none(End::Reset), Response::json(r#"{"alias_name":"best one","version_num":2}"#)]);
    let alias = workspace.models().set_alias(MODEL, "best one", 2).await.unwrap();
    assert_eq!(alias.version_num, Some(2));
    assert_eq!(lines(&server), vec![format!("PUT {PATH}/{MODEL}/aliases/best%20one"); 2]);
    assert_eq!(server.requests()[1].text(), r#"{"version_num":2}"#);
    let (server, workspace) = script([Response::json("")]);
    workspace.models().delete_alias(MODEL, "a/b").await.unwrap();
    assert_eq!(lines(&server), [format!("DELETE {PATH}/{MODEL}/aliases/a%2Fb")]);
    let (_server, workspace) = script([missing("RESOURCE_DOES_NOT_EXIST")]);
    let error = workspace.models().set_alias(MODEL, "best", 7).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_create_is_sent_once_and_only_with_a_whole_name() {
    let part = |text: &str| Some(text.to_owned());
    let model = CreateRegisteredModelRequest {
        catalog_name: part("main"),
        schema_name: part("default"),
        name: part("churn"),
        ..Default::default()
    };
    let (server, workspace) = script([Response::none(End::Reset)]);
    let error = workspace.models().create(&model).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::UnknownOutcome, 1), "{error}");
    let (server, workspace) = script([Response::json("{}")]);
    let models = workspace.models();
    let errors = [
        models.create(&CreateRegisteredModelRequest { schema_name: None, ..model.clone() }).await.err(),
        models.create(&CreateRegisteredModelRequest { name: part(MODEL), ..model.clone() }).await.err(),
        models.get("churn").await.err(),
        models.list(Some("main")).await.err(),
        models.version(MODEL, 0).await.err(),
        models.set_alias(MODEL, "", 1).await.err(),
        models.set_alias(MODEL, "best", -1).await.err(),
        models.delete_alias(MODEL, " ").await.err(),
        models.version_by_alias(MODEL, "").await.err(),
    ];
    for error in errors {
        assert_eq!(error.unwrap().kind(), ErrorKind::Usage);
    }
    assert!(server.requests().is_empty());
}

//! Git folders, against a scripted service.

use brickwire_actions::{
    ErrorKind,
    types::{CreateRepoRequest, UpdateRepoRequest},
};
use brickwire_testserver::{End, Response};
use serde_json::json;

use crate::objects::{posted, refusal, script};

#[tokio::test]
async fn pages_are_asked_for_by_the_token_of_the_answer() {
    let (server, workspace) = script([
        Response::json(r#"{"repos":[{"id":9007199254740993,"path":"/Repos/a/b"}],"next_page_token":"t/1"}"#),
        Response::json(r#"{"next_page_token":"t2"}"#),
        Response::json(r#"{"repos":[{"id":"2","branch":null,"new":true}]}"#),
    ]);
    let all = workspace.repos().list(Some("/Repos/a")).await.unwrap();
    assert_eq!(all.iter().map(|repo| repo.id).collect::<Vec<_>>(), [Some(9_007_199_254_740_993), Some(2)]);
    let queries: Vec<_> = server.requests().iter().map(|request| request.query().to_owned()).collect();
    assert_eq!(
        queries,
        [
            "path_prefix=%2FRepos%2Fa",
            "next_page_token=t%2F1&path_prefix=%2FRepos%2Fa",
            "next_page_token=t2&path_prefix=%2FRepos%2Fa"
        ]
    );
}

#[tokio::test]
async fn a_path_is_looked_up_and_must_be_a_git_folder() {
    for (body, found) in [
        (r#"{"object_type":"REPO","object_id":5}"#, Some(5)),
        (r#"{"object_type":"DIRECTORY","object_id":6,"directory_info":{"is_git_folder":true}}"#, Some(6)),
        (r#"{"object_type":"DIRECTORY","object_id":7}"#, None),
        (r#"{"object_type":"NOTEBOOK","object_id":8}"#, None),
        ("{}", None),
    ] {
        let (server, workspace) = script([Response::json(body)]);
        let id = workspace.repos().find("/Repos/a/b").await;
        assert_eq!(id.as_ref().ok().copied(), found, "{body}");
        if let Err(error) = id {
            assert_eq!(error.kind(), ErrorKind::Usage);
        }
        assert_eq!(server.only().path(), "/api/2.0/workspace/get-status");
    }
    let (_server, workspace) =
        script([Response::json(r#"{"object_type":"REPO","object_id":5,"path":"/Repos/a/b"}"#)]);
    assert_eq!(workspace.repos().find("/Workspace/Repos/a/b/").await.unwrap(), 5);
    let error = workspace.repos().find("/Repos/a/c").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
    let (server, workspace) = script([refusal(404, "RESOURCE_DOES_NOT_EXIST")]);
    assert_eq!(workspace.repos().find("12").await.unwrap(), 12);
    assert!(server.requests().is_empty());
    assert_eq!(workspace.repos().find("/x").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_clone_has_its_provider_and_is_sent_once() {
    let request = CreateRepoRequest { url: "https://github.com/a/b".to_owned(), ..Default::default() };
    let (server, workspace) = script([Response::none(End::Reset)]);
    let error = workspace.repos().create(&request).await.unwrap_err();
    assert!(error.is_unknown_outcome(), "{error:?}");
    let sent = json!({ "url": "https://github.com/a/b", "provider": "gitHub" });
    assert_eq!(posted(&server), [sent]);
    let (_server, workspace) = script([Response::json(r#"{"id":3,"path":"/Repos/a/b"}"#)]);
    assert_eq!(workspace.repos().create(&request).await.unwrap().id, Some(3));
}

#[tokio::test]
async fn a_branch_or_a_tag_is_checked_out() {
    let (server, workspace) = script([Response::json("{}")]);
    let repos = workspace.repos();
    repos.check_out_branch(9_007_199_254_740_993, "main").await.unwrap();
    repos.check_out_tag(2, "v1").await.unwrap();
    repos.delete(2).await.unwrap();
    let sent: Vec<_> =
        server.requests().iter().map(|r| format!("{} {} {}", r.method, r.path(), r.text())).collect();
    assert_eq!(
        sent,
        [
            r#"PATCH /api/2.0/repos/9007199254740993 {"branch":"main"}"#,
            r#"PATCH /api/2.0/repos/2 {"tag":"v1"}"#,
            "DELETE /api/2.0/repos/2 ",
        ]
    );
}

#[tokio::test]
async fn a_clone_and_a_checkout_may_take_minutes() {
    let request = CreateRepoRequest { url: "https://github.com/a/b".to_owned(), ..Default::default() };
    for is_clone in [true, false] {
        let (server, workspace) = script([Response::none(End::Stall)]);
        let repos = workspace.repos();
        let changing = async {
            match is_clone {
                true => repos.create(&request).await.map(drop),
                false => repos.check_out_branch(2, "main").await,
            }
        };
        // The clock runs ahead once the request is there and nothing else is left to do.
        let arriving = async {
            server.log().arrived(1).await;
            tokio::time::pause();
            tokio::time::Instant::now()
        };
        let (changed, arrived) = tokio::join!(changing, arriving);
        changed.unwrap_err();
        assert!(arrived.elapsed().as_secs() >= 9 * 60, "{:?}", arrived.elapsed());
        tokio::time::resume();
    }
}

#[tokio::test]
async fn what_cannot_be_right_is_not_sent() {
    let (server, workspace) = script([Response::json("{}")]);
    let repos = workspace.repos();
    let own = CreateRepoRequest { url: "https://git.example.com/a".to_owned(), ..Default::default() };
    let secret =
        CreateRepoRequest { url: "https://ghp_hush@github.com/o/r.git".to_owned(), ..Default::default() };
    let both =
        UpdateRepoRequest { branch: Some("b".to_owned()), tag: Some("t".to_owned()), ..Default::default() };
    for error in [
        repos.get(0).await.err(),
        repos.delete(-1).await.err(),
        repos.create(&own).await.err(),
        repos.create(&secret).await.err(),
        repos.update(1, &both).await.err(),
        repos.check_out_branch(1, " ").await.err(),
        repos.find("").await.err(),
        repos.find("Repos/a").await.err(),
    ] {
        assert_eq!(error.unwrap().kind(), ErrorKind::Usage);
    }
    assert!(server.requests().is_empty());
}

//! Libraries on clusters, against a scripted service.

use std::time::Duration;

use brickwire_actions::{
    Connection, ErrorKind, Libraries, WaitOptions, Workspace,
    types::{Library, LibraryInstallStatus, MavenLibrary, PythonPyPiLibrary},
};
use brickwire_testserver::{End, Response, Server};

const CLUSTER: &str = "0123-456789-abcdefgh";

fn script(answers: impl IntoIterator<Item = Response>) -> (Server, Libraries) {
    let server = Server::script(answers);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace.libraries())
}

fn states(states: &[&str]) -> Response {
    let all: Vec<_> = states
        .iter()
        .map(|state| format!(r#"{{"library":{{"whl":"/a.whl"}},"status":"{state}"}}"#))
        .collect();
    Response::json(format!(r#"{{"cluster_id":"{CLUSTER}","library_statuses":[{}]}}"#, all.join(",")))
}

fn soon() -> WaitOptions {
    WaitOptions::default().with_polls(Duration::from_millis(1)..=Duration::from_millis(1))
}

fn pypi() -> Library {
    let pypi = PythonPyPiLibrary { package: Some("simplejson".to_owned()), repo: None };
    Library { pypi: Some(pypi), ..Default::default() }
}

#[tokio::test]
async fn waiting_ends_when_no_installation_is_under_way() {
    let (server, libraries) = script([
        states(&["PENDING", "INSTALLED"]),
        states(&["RESOLVING", "INSTALLED"]),
        states(&["NEWEST_STATE", "SKIPPED"]),
        states(&["INSTALLING", "FAILED"]),
        states(&["FAILED", "RESTORED", "UNINSTALL_ON_RESTART"]),
    ]);
    let all = libraries.wait(CLUSTER, soon()).await.unwrap();
    assert_eq!((all.len(), server.requests().len()), (3, 5));
    assert_eq!(all[0].status, Some(LibraryInstallStatus::Failed));
    // No library is no reason to wait.
    let (server, libraries) = script([Response::json("{}")]);
    assert!(libraries.wait(CLUSTER, soon()).await.unwrap().is_empty());
    assert_eq!(server.only().line(), format!("GET /api/2.0/libraries/cluster-status?cluster_id={CLUSTER}"));
}

#[tokio::test]
async fn waiting_goes_on_while_a_wanted_library_is_not_listed() {
    let listed = |state: &str| {
        let library =
            r#"{"maven":{"coordinates":"org.x:y:1","exclusions":[],"repo":"https://repo.example.com"}}"#;
        Response::json(format!(
            r#"{{"library_statuses":[{{"library":{{"whl":"/a.whl"}},"status":"INSTALLED"}},
                {{"library":{library},"status":"{state}"}}]}}"#
        ))
    };
    let answers = [Response::json("{}"), states(&["INSTALLED"]), listed("PENDING"), listed("INSTALLED")];
    let (server, libraries) = script(answers);
    let maven = |coordinates: &str| {
        let maven = MavenLibrary { coordinates: Some(coordinates.to_owned()), ..Default::default() };
        Library { maven: Some(maven), ..Default::default() }
    };
    let wanted = [maven("org.x:y:1")];
    let all = libraries.wait_for(CLUSTER, &wanted, soon()).await.unwrap();
    assert_eq!((all.len(), server.requests().len()), (2, 4));
    // What the service has added makes no other library; another kind or version does.
    let came = all[1].library.as_ref().unwrap();
    assert!(came != &wanted[0] && Libraries::is_same(came, &wanted[0]));
    for other in [maven("org.x:y:2"), pypi(), Library::default()] {
        assert!(!Libraries::is_same(came, &other), "{other:?}");
    }
    assert!(!Libraries::is_same(&Library::default(), &Library::default()));
}

#[tokio::test]
async fn a_lost_answer_is_repeated_since_a_second_request_changes_nothing() {
    let (server, libraries) = script([Response::none(End::Reset), Response::json("{}")]);
    libraries.install(CLUSTER, &[pypi()]).await.unwrap();
    let body = r#"{"cluster_id":"0123-456789-abcdefgh","libraries":[{"pypi":{"package":"simplejson"}}]}"#;
    assert!(
        server.requests().iter().all(|request| request.text() == body),
        "{}",
        server.requests()[0].text()
    );
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn libraries_of_all_clusters_come_by_cluster() {
    let body = r#"{"statuses":[{"cluster_id":"a","library_statuses":[{"library":{"newest":{"x":1}},"status":"NEW"}]},
        {"cluster_id":"b","library_statuses":null}]}"#;
    let (_server, libraries) = script([Response::json(body)]);
    let all = libraries.list_all().await.unwrap();
    assert_eq!(all.len(), 2);
    assert!(all.raw()[0].get().contains(r#""newest":{"x":1}"#));
    assert_eq!(all[1].library_statuses, None);
}

#[tokio::test]
async fn what_cannot_be_meant_is_not_sent() {
    let (server, libraries) = script([Response::json("{}")]);
    let two = Library { jar: Some("/a.jar".to_owned()), ..pypi() };
    for (refused, words) in [
        (libraries.install(CLUSTER, &[]).await, "no library"),
        (libraries.install(CLUSTER, &[pypi(), Library::default()]).await, "library 1 has 0 sources"),
        (libraries.uninstall(CLUSTER, &[two]).await, "library 0 has 2 sources"),
        (libraries.install(" ", &[pypi()]).await, "id is empty"),
        (libraries.list("").await.map(drop), "id is empty"),
        (libraries.wait("", soon()).await.map(drop), "id is empty"),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(server.requests().is_empty());
}

//! Files in volumes, against a scripted service.

mod transfers;

use brickwire_actions::{Connection, Content, ErrorKind, Workspace};
use brickwire_testserver::{End, Request, Response, Server};

/// The volume of these tests.
const ROOT: &str = "/Volumes/main/default/files";

fn connect(server: &Server) -> Workspace {
    Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap()
}

fn serve(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> (Server, Workspace) {
    let server = Server::start(answer);
    let workspace = connect(&server);
    (server, workspace)
}

fn lines(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.line().replace("/api/2.0/fs", "")).collect()
}

#[tokio::test]
async fn every_segment_of_a_path_is_encoded_and_slashes_stay() {
    let (server, workspace) = serve(|_| Response::new(204));
    let files = workspace.files();
    files.upload("dbfs:/Volumes/a/100% sure?/ü#1.csv", "x", true).await.unwrap();
    files.create_directory("/Volumes/a/b c//".trim_end_matches('/')).await.unwrap();
    files.delete("/Volumes/a/%2e%2e/b+c").await.unwrap();
    files.delete_directory("/Volumes/a/d/").await.unwrap();
    assert_eq!(
        lines(&server),
        [
            "PUT /files/Volumes/a/100%25%20sure%3F/%C3%BC%231.csv?overwrite=true",
            "PUT /directories/Volumes/a/b%20c",
            "DELETE /files/Volumes/a/%252e%252e/b%2Bc",
            "DELETE /directories/Volumes/a/d",
        ]
    );
    assert_eq!(server.requests()[0].header("content-type"), Some("application/octet-stream"));
}

#[tokio::test]
async fn what_cannot_be_right_is_not_sent() {
    let (server, workspace) = serve(|_| Response::new(204));
    let (files, folder) = (workspace.files(), tempfile::tempdir().unwrap());
    let large = folder.path().join("large");
    std::fs::File::create(&large).unwrap().set_len((5 << 30) + 1).unwrap();
    let missing = folder.path().join("missing");
    let upload = async |path: &str, content: Content| files.upload(path, content, true).await.err();
    let file = format!("{ROOT}/a");
    for (error, kind, words) in [
        (upload("Volumes/a", "x".into()).await, ErrorKind::Usage, "must start with a slash"),
        (upload("/Volumes/../a", "x".into()).await, ErrorKind::Usage, "`..` segment"),
        (upload("/Volumes/a/", "x".into()).await, ErrorKind::Usage, "of a directory"),
        (
            upload(&file, Content::from_file(&large)).await,
            ErrorKind::Usage,
            "5 GiB at most, and this has 5368709121",
        ),
        (upload(&file, Content::from_file(folder.path())).await, ErrorKind::Local, "this is a folder: "),
        (upload(&file, Content::from_file(&missing)).await, ErrorKind::Local, "cannot read this file: "),
        (files.list("/a/../b").await.err(), ErrorKind::Usage, "`..` segment"),
        (files.metadata("/a//b").await.err(), ErrorKind::Usage, "empty"),
        (files.delete("").await.err(), ErrorKind::Usage, "slash"),
        (files.download_file(&file, folder.path(), true).await.err(), ErrorKind::Local, "this is a folder"),
        (files.download_file(&file, &large, false).await.err(), ErrorKind::Local, "the file exists"),
        (
            files.download_file(&file, &missing.join("x"), true).await.err(),
            ErrorKind::Local,
            "no such folder",
        ),
        (files.walk("a").next().await.unwrap().err(), ErrorKind::Usage, "slash"),
    ] {
        let error = error.unwrap();
        assert!(error.kind() == kind && error.to_string().contains(words), "{kind:?} {words}: {error}");
    }
    assert!(server.requests().is_empty(), "{:?}", lines(&server));
}

#[tokio::test]
async fn what_the_headers_say_is_metadata() {
    let (server, workspace) = serve(|request| match request.path().ends_with("/a") {
        true => Response::new(200)
            .with_header("content-length", "9007199254740993")
            .with_header("content-type", "application/octet-stream")
            .with_header("last-modified", "Thu, 26 Nov 2026 04:00:00 GMT"),
        false => Response::new(404),
    });
    let files = workspace.files();
    let metadata = files.metadata(&format!("{ROOT}/a")).await.unwrap();
    assert_eq!(metadata.length, Some(9_007_199_254_740_993));
    let since = metadata.last_modified.unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(since.as_secs(), 1_795_665_600);
    assert_eq!(server.requests()[0].header("accept-encoding"), Some("identity"));
    // An answer to HEAD says nothing but its status.
    let error = files.metadata(&format!("{ROOT}/folder")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::NotFound, format!("Not Found (HTTP 404): {ROOT}/folder"))
    );
    assert!(files.is_directory(&format!("{ROOT}/a")).await.unwrap());
    assert!(!files.is_directory(&format!("{ROOT}/b")).await.unwrap());
}

#[tokio::test]
async fn pages_may_be_empty_and_may_not_repeat() {
    let pages = [
        r#"{"contents":[{"path":"/Volumes/main/default/files/a","name":"a","file_size":"3","last_modified":null,
            "is_directory":false,"owner":"ada"}],"next_page_token":"1"}"#,
        r#"{"next_page_token":"2"}"#,
        r#"{"contents":null,"next_page_token":"3"}"#,
        r#"{"contents":[{"name":"b","is_directory":true}]}"#,
    ];
    let server = Server::script(pages.map(Response::json));
    let list = connect(&server).files().list(ROOT).await.unwrap();
    let found: Vec<_> =
        list.iter().map(|e| (e.name.as_deref().unwrap(), e.file_size, e.is_directory)).collect();
    assert_eq!(found, [("a", Some(3), Some(false)), ("b", None, Some(true))]);
    assert!(list.raw()[0].get().contains(r#""owner":"ada""#));
    assert_eq!(
        lines(&server)[1..],
        [
            format!("GET /directories{ROOT}?page_token=1"),
            format!("GET /directories{ROOT}?page_token=2"),
            format!("GET /directories{ROOT}?page_token=3"),
        ]
    );
    let (server, workspace) = serve(|_| Response::json(r#"{"contents":[],"next_page_token":"1"}"#));
    let error = workspace.files().list(ROOT).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::UnexpectedResponse, 2), "{error}");
}

/// A directory with a file in each of two directories, one in the other.
fn tree(request: &Request) -> Response {
    let path = request.path().strip_prefix("/api/2.0/fs/directories").unwrap_or_default();
    match (request.method.as_str(), path.strip_prefix(ROOT)) {
        ("GET", Some("")) => {
            Response::json(r#"{"contents":[{"name":"in","is_directory":true},{"name":"a"}]}"#)
        }
        ("GET", Some("/in")) => {
            Response::json(r#"{"contents":[{"name":"b"},{"name":"deep","is_directory":true}]}"#)
        }
        ("GET", Some("/in/deep")) => Response::json(r#"{"contents":[{"name":"c"}]}"#),
        ("GET", _) => Response::new(404),
        _ => Response::new(204),
    }
}

#[tokio::test]
async fn a_walk_finds_everything_below() {
    let (_server, workspace) = serve(tree);
    let (mut walk, mut found) = (workspace.files().walk(ROOT), Vec::new());
    while let Some(entry) = walk.next().await {
        found.push(entry.unwrap().path.unwrap().replace(ROOT, ""));
    }
    assert_eq!(found, ["/in", "/a", "/in/b", "/in/deep", "/in/deep/c"]);
    // A name that leads elsewhere ends it.
    for name in ["..", "../../etc/passwd", "a/b", ""] {
        let body = format!(r#"{{"contents":[{{"name":"{name}","is_directory":true}}]}}"#);
        let (server, workspace) = serve(move |_| Response::json(body.clone()));
        let mut walk = workspace.files().walk(ROOT);
        let error = walk.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
        assert!(walk.next().await.is_none() && server.requests().len() == 1);
    }
}

#[tokio::test]
async fn everything_below_is_deleted_before_its_directory() {
    let (server, workspace) = serve(tree);
    assert_eq!(workspace.files().delete_all(&format!("{ROOT}/in")).await.unwrap(), 2);
    let deleted: Vec<_> = lines(&server).into_iter().filter(|line| line.starts_with("DELETE")).collect();
    let (files, directories) = deleted.split_at(2);
    assert!(files.iter().all(|line| line.starts_with("DELETE /files/")), "{deleted:?}");
    let expected = ["/in/deep", "/in"].map(|path| format!("DELETE /directories{ROOT}{path}"));
    assert_eq!(directories, expected);
    // A volume isn't emptied, and what is above it even less.
    let (server, workspace) = serve(tree);
    for path in
        [ROOT, &format!("{ROOT}/"), "/Volumes/main/default", "/Volumes/main", "/Volumes", "/", "/a/b/c/d/e/f"]
    {
        let error = workspace.files().delete_all(path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{path}");
    }
    assert!(server.requests().is_empty());
    // What is gone already is not an error, and a refusal is.
    let gone = |status| {
        serve(move |request| if request.method == "DELETE" { Response::new(status) } else { tree(request) })
    };
    let (_server, workspace) = gone(404);
    workspace.files().delete_all(&format!("{ROOT}/in")).await.unwrap();
    let (server, workspace) = gone(403);
    let error = workspace.files().delete_all(&format!("{ROOT}/in")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(!lines(&server).iter().any(|line| line.starts_with("DELETE /directories")));
}

#[tokio::test]
async fn a_lost_answer_to_a_deletion_is_asked_for_again() {
    let server = Server::script([Response::none(End::Reset), Response::new(204)]);
    connect(&server).files().delete(&format!("{ROOT}/a")).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

//! DBFS, against a service that keeps one file.

use std::sync::{Arc, Mutex};

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_actions::{Connection, Content, ErrorKind, Event, Events, Workspace};
use brickwire_testserver::{End, Request, Response, Server};
use serde_json::{Value, json};

const BLOCK: usize = 1 << 20;

/// The file, and the handle with which it is written.
#[derive(Default)]
struct Kept {
    content: Vec<u8>,
    handle: i64,
}

impl Kept {
    /// Does what a request asks for.
    fn answer(&mut self, request: &Request) -> Response {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let bytes = |name: &str| BASE64_STANDARD.decode(body[name].as_str().unwrap()).unwrap();
        let query = |name: &str| {
            let mut pairs = request.query().split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).unwrap().1.parse::<usize>().unwrap()
        };
        let done = match request.path().rsplit('/').next().unwrap() {
            "put" => {
                self.content = bytes("contents");
                json!({})
            }
            "create" => {
                self.content.clear();
                self.handle += 1;
                json!({ "handle": self.handle.to_string() })
            }
            "add-block" if body["handle"] == self.handle => {
                self.content.extend(bytes("data"));
                json!({})
            }
            "read" => {
                let rest = self.content.get(query("offset")..).unwrap_or_default();
                let part = &rest[..rest.len().min(query("length"))];
                json!({ "bytes_read": part.len(), "data": BASE64_STANDARD.encode(part) })
            }
            "get-status" => json!({ "path": "/tmp/a", "file_size": self.content.len() }),
            "close" | "delete" => json!({}),
            _ => return refused("RESOURCE_DOES_NOT_EXIST"),
        };
        Response::json(done.to_string())
    }
}

fn refused(code: &str) -> Response {
    Response::new(400).with_body(json!({ "error_code": code, "message": code }).to_string())
}

/// A service that does what is asked for, and answers so unless the function knows better.
fn serve(
    instead: impl Fn(&Request, usize) -> Option<Response> + Send + Sync + 'static,
) -> (Server, Workspace, Arc<Mutex<Kept>>) {
    let kept: Arc<Mutex<Kept>> = Arc::default();
    let seen = Mutex::new(Vec::new());
    let server = Server::start({
        let kept = kept.clone();
        move |request| {
            let answer = kept.lock().unwrap().answer(request);
            let mut seen = seen.lock().unwrap();
            let before = seen.iter().filter(|path| *path == request.path()).count();
            seen.push(request.path().to_owned());
            instead(request, before).unwrap_or(answer)
        }
    });
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace, kept)
}

/// What was asked for, in short.
fn asked(server: &Server) -> Vec<String> {
    let name = |request: &Arc<Request>| request.path().trim_start_matches("/api/2.0/dbfs/").to_owned();
    server.requests().iter().map(name).collect()
}

fn overwrites(server: &Server, n: usize) -> bool {
    serde_json::from_slice::<Value>(&server.requests()[n].body).unwrap()["overwrite"].as_bool().unwrap()
}

fn long() -> Vec<u8> {
    (0..2 * BLOCK + 5).map(|n| (n % 251) as u8).collect()
}

#[tokio::test]
async fn a_small_file_goes_in_one_request() {
    let lost = |_: &Request, before| (before == 0).then(|| Response::none(End::Reset));
    let (server, workspace, kept) = serve(lost);
    workspace.dbfs().upload("dbfs:/tmp/a", "small", true).await.unwrap();
    assert_eq!(
        (asked(&server), kept.lock().unwrap().content.as_slice()),
        (vec!["put".into(); 2], &b"small"[..])
    );
    let (server, workspace, _) = serve(lost);
    let error = workspace.dbfs().upload("/tmp/a", "small", false).await.unwrap_err();
    assert_eq!((error.kind(), asked(&server).len()), (ErrorKind::UnknownOutcome, 1), "{error}");
    assert!(!overwrites(&server, 0));
    let (_server, workspace, _) = serve(|_, _| Some(refused("RESOURCE_ALREADY_EXISTS")));
    let error = workspace.dbfs().upload("/tmp/a", "small", false).await.unwrap_err();
    assert_eq!(error.hint(), Some("set `overwrite` to replace it"));
}

#[tokio::test]
async fn a_block_that_is_lost_is_never_sent_again() {
    let (server, workspace, kept) = serve(|request, before| {
        // The block is in the file, but no answer says so.
        (request.path().ends_with("add-block") && before == 1).then(|| Response::none(End::Reset))
    });
    workspace.dbfs().upload("/tmp/a", long(), false).await.unwrap();
    assert!(kept.lock().unwrap().content == long());
    let expected = [
        &["create", "add-block", "add-block"][..],
        &["create", "add-block", "add-block", "add-block", "close", "get-status"],
    ];
    assert_eq!(asked(&server), expected.concat());
    // The second time it is our own file that is replaced.
    assert_eq!((overwrites(&server, 0), overwrites(&server, 3)), (false, true));
}

#[tokio::test]
async fn what_cannot_be_completed_is_deleted() {
    let lost =
        |request: &Request, _| request.path().ends_with("add-block").then(|| Response::none(End::Reset));
    let (server, workspace, _) = serve(lost);
    let reader = Content::from_reader(std::io::Cursor::new(long()));
    let error = workspace.dbfs().upload("/tmp/a", reader, true).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.hint()),
        (ErrorKind::UnknownOutcome, Some("the incomplete file was deleted"))
    );
    assert_eq!(asked(&server), ["create", "add-block", "delete"]);
    // Other content is tried three times.
    let (server, workspace, _) = serve(lost);
    workspace.dbfs().upload("/tmp/a", long(), true).await.unwrap_err();
    assert_eq!(asked(&server).iter().filter(|name| *name == "create").count(), 3);
    // A file that isn't ours stays.
    let (server, workspace, _) = serve(|_, _| Some(refused("RESOURCE_ALREADY_EXISTS")));
    let error = workspace.dbfs().upload("/tmp/a", long(), false).await.unwrap_err();
    assert_eq!((error.hint(), asked(&server).len()), (Some("set `overwrite` to replace it"), 1));
    // So is one that has another length than was sent.
    let (server, workspace, _) = serve(|request, _| {
        request.path().ends_with("get-status").then(|| Response::json(r#"{"file_size":7}"#))
    });
    let error = workspace.dbfs().upload("/tmp/a", long(), true).await.unwrap_err();
    assert_eq!(error.to_string(), "2097157 bytes were sent, and the file has 7: /tmp/a");
    assert_eq!(asked(&server).last().unwrap(), "delete");
}

#[tokio::test]
async fn a_second_try_that_fails_at_once_leaves_no_part_of_the_first() {
    let (server, workspace, _) = serve(|request, before| {
        let is = |name: &str| request.path().ends_with(name);
        match (is("add-block"), is("create") && before == 1) {
            (true, _) => Some(Response::none(End::Reset)),
            (_, true) => Some(Response::new(403).with_body(r#"{"error_code":"PERMISSION_DENIED"}"#)),
            _ => None,
        }
    });
    let error = workspace.dbfs().upload("/tmp/a", long(), true).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.hint()),
        (ErrorKind::PermissionDenied, Some("the incomplete file was deleted"))
    );
    assert_eq!(asked(&server), ["create", "add-block", "create", "delete"]);
}

#[tokio::test]
async fn a_file_that_is_only_not_checked_stays() {
    for failure in [refused("MAINTENANCE"), Response::new(403), Response::json("[]")] {
        let (server, workspace, kept) =
            serve(move |request, _| request.path().ends_with("get-status").then(|| failure.clone()));
        let error = workspace.dbfs().upload("/tmp/a", long(), true).await.unwrap_err();
        assert!(error.hint().unwrap().contains("may be incomplete"), "{error:?}");
        assert_eq!(asked(&server), ["create", "add-block", "add-block", "add-block", "close", "get-status"]);
        assert!(kept.lock().unwrap().content == long());
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_close_is_settled_by_the_length() {
    let (server, workspace, kept) =
        serve(|request, before| match (request.path().ends_with("close"), before) {
            (true, 0) => Some(Response::none(End::Reset)),
            (true, _) => Some(Response::new(404).with_body(r#"{"error_code":"RESOURCE_DOES_NOT_EXIST"}"#)),
            _ => None,
        });
    workspace.dbfs().upload("/tmp/a", long(), true).await.unwrap();
    assert!(kept.lock().unwrap().content == long());
    assert_eq!(asked(&server)[4..], ["close", "close", "get-status"]);
}

#[tokio::test]
async fn a_file_is_read_block_by_block_to_its_end() {
    for length in [0, 5, BLOCK, 2 * BLOCK + 5] {
        let (server, workspace, kept) = serve(|_, _| None);
        kept.lock().unwrap().content = long()[..length].to_vec();
        let mut bytes = Vec::new();
        assert_eq!(workspace.dbfs().download("/tmp/a", &mut bytes).await.unwrap(), length as u64);
        assert!(bytes == long()[..length]);
        assert_eq!(asked(&server).len(), 2 + length / BLOCK);
    }
}

#[tokio::test]
async fn a_file_is_reported_as_complete_once() {
    for length in [0, 2 * BLOCK] {
        let (server, _, kept) = serve(|_, _| None);
        kept.lock().unwrap().content = long()[..length].to_vec();
        let done: Arc<Mutex<Vec<u64>>> = Arc::default();
        let events = Events::new({
            let done = done.clone();
            move |event| {
                if let Event::FileTransferred { bytes, .. } = event {
                    done.lock().unwrap().push(*bytes);
                }
            }
        });
        let connection = Connection::token(&server.url(), "dapi-example").unwrap();
        let workspace = Workspace::builder().connection(connection).with_events(events).build().unwrap();
        workspace.dbfs().download("/tmp/a", &mut Vec::new()).await.unwrap();
        let done = done.lock().unwrap();
        assert_eq!(done.iter().filter(|bytes| **bytes == length as u64).count(), 1, "{done:?}");
    }
}

#[tokio::test]
async fn a_file_that_grows_without_end_is_an_error() {
    let (server, workspace, kept) = serve(|request, _| {
        let block = json!({ "bytes_read": BLOCK, "data": BASE64_STANDARD.encode(vec![0; BLOCK]) });
        request.path().ends_with("read").then(|| Response::json(block.to_string()))
    });
    kept.lock().unwrap().content = b"abc".to_vec();
    let error = workspace.dbfs().download("/tmp/a", &mut Vec::new()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file changed while it was downloaded: 1048576 of 3 bytes came: /tmp/a"
    );
    assert_eq!(asked(&server), ["get-status", "read"]);
}

#[tokio::test]
async fn an_answer_that_is_no_part_of_the_file_is_an_error() {
    for (body, words) in [
        (r#"{"bytes_read":3,"data":"YQ=="}"#, "the service says that it sent 3 bytes, and sent 1: /tmp/a"),
        (r#"{"bytes_read":1,"data":"hush!"}"#, "the content is not base64: /tmp/a"),
        (
            r#"{"bytes_read":1,"data":"YQ=="}"#,
            "the file changed while it was downloaded: 1 of 3 bytes came: /tmp/a",
        ),
        (r#"{}"#, "the file changed while it was downloaded: 0 of 3 bytes came: /tmp/a"),
    ] {
        let read = move |request: &Request, _| request.path().ends_with("read").then(|| Response::json(body));
        let (_server, workspace, kept) = serve(read);
        kept.lock().unwrap().content = b"abc".to_vec();
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("a");
        let error = workspace.dbfs().download_file("/tmp/a", &to, false).await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::UnexpectedResponse, words));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    let (_server, workspace, _) = serve(|_, _| Some(Response::json(r#"{"is_dir":true}"#)));
    let error = workspace.dbfs().download("/tmp", &mut Vec::new()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Rejected, "this is a directory, not a file: /tmp")
    );
}

#[tokio::test]
async fn a_deletion_goes_on_until_all_is_gone() {
    let (server, workspace, _) = serve(|_, before| match before {
        0 | 1 => Some(Response::new(503).with_body(r#"{"error_code":"PARTIAL_DELETE","message":"more"}"#)),
        _ => {
            Some(Response::new(404).with_body(r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"gone"}"#))
        }
    });
    workspace.dbfs().delete("/tmp/a", true).await.unwrap();
    assert_eq!(asked(&server), ["delete"; 3]);
    // The path was there before the answer was lost, as far as is known.
    let gone =
        || Response::new(404).with_body(r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"gone"}"#);
    let (server, workspace, _) =
        serve(move |_, before| Some(if before == 0 { Response::none(End::Reset) } else { gone() }));
    workspace.dbfs().delete("/tmp/a", true).await.unwrap();
    assert_eq!(asked(&server), ["delete"; 2]);
    // It was not if nothing has run.
    let busy = || Response::new(429).with_header("retry-after", "0");
    let (server, workspace, _) = serve(move |_, before| Some(if before == 0 { busy() } else { gone() }));
    assert_eq!(workspace.dbfs().delete("/tmp/a", true).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(asked(&server), ["delete"; 2]);
    // What makes no progress ends.
    let (server, workspace, _) = serve(|_, _| Some(Response::none(End::Reset)));
    assert_eq!(workspace.dbfs().delete("/tmp/a", true).await.unwrap_err().kind(), ErrorKind::Unreachable);
    assert_eq!(asked(&server), ["delete"; 3]);
    let (server, workspace, _) = serve(|_, _| Some(refused("IO_ERROR")));
    let dbfs = workspace.dbfs();
    assert_eq!(dbfs.delete("/tmp", false).await.unwrap_err().error_code(), Some("IO_ERROR"));
    assert_eq!(asked(&server).len(), 1);
    for error in [
        dbfs.delete("dbfs:/", true).await.err(),
        dbfs.delete("/tmp/../etc", true).await.err(),
        dbfs.list("tmp").await.err(),
        dbfs.rename("/a", "b").await.err(),
        dbfs.upload("/a/", "x", true).await.err(),
    ] {
        assert_eq!(error.unwrap().kind(), ErrorKind::Usage);
    }
    assert_eq!(asked(&server).len(), 1);
}

#[tokio::test]
async fn a_move_whose_answer_is_lost_is_an_unknown_outcome() {
    let (server, workspace, _) = serve(|_, _| Some(Response::none(End::Reset)));
    let error = workspace.dbfs().rename("/a", "dbfs:/b").await.unwrap_err();
    assert_eq!((error.kind(), asked(&server)), (ErrorKind::UnknownOutcome, vec!["move".to_owned()]));
    assert_eq!(server.requests()[0].text(), r#"{"destination_path":"/b","source_path":"/a"}"#);
}

//! Uploads and downloads that break off.

use std::{
    io::{BufReader, Read, Write},
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use brickwire_actions::{Connection, Content, ErrorKind, Event, Events, Workspace};
use brickwire_testserver::{End, Request, Response, Server};

use super::{ROOT, connect, lines, serve};

const DATE: &str = "Thu, 26 Nov 2026 04:00:00 GMT";

fn content() -> Vec<u8> {
    (0..2_000_000_u32).map(|n| (n % 251) as u8).collect()
}

fn file(folder: &Path, name: &str, content: &[u8]) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// A service that reads half of the first body and closes the connection, and reads all others. It ends with the bodies
/// that it has read whole.
fn half() -> (String, JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        first.read_exact(&mut vec![0; 1_000_000]).unwrap();
        drop(first);
        let mut bodies = Vec::new();
        // A connection without a request says that the test is over.
        while let Ok((connection, _)) = listener.accept() {
            let Ok(Some(request)) = Request::read(&mut BufReader::new(&connection)) else { break };
            bodies.push(request.body);
            (&connection).write_all(b"HTTP/1.1 204 \r\nconnection: close\r\n\r\n").unwrap();
        }
        bodies
    });
    (url, serving)
}

#[tokio::test]
async fn an_upload_cut_in_half_is_repeated_only_where_that_is_safe() {
    let (folder, content) = (tempfile::tempdir().unwrap(), content());
    let path = file(folder.path(), "a", &content);
    let bytes = || Content::from(content.clone());
    let reader = std::io::Cursor::new(content.clone());
    for (upload, overwrite, is_repeated) in [
        (Content::from_file(&path), true, true),
        (bytes(), true, true),
        (bytes(), false, false),
        (Content::from_reader(reader), true, false),
    ] {
        let (url, serving) = half();
        let workspace = Workspace::new(Connection::token(&url, "dapi-example").unwrap()).unwrap();
        let sent = workspace.files().upload(&format!("{ROOT}/a"), upload, overwrite).await;
        drop(std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap());
        let bodies = serving.join().unwrap();
        match is_repeated {
            true => {
                sent.unwrap();
                assert!(bodies.len() == 1 && bodies[0] == content);
            }
            false => {
                let error = sent.unwrap_err();
                assert_eq!((error.kind(), bodies.len()), (ErrorKind::UnknownOutcome, 0), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn a_lost_answer_to_an_upload_is_an_unknown_outcome_if_the_file_may_not_be_replaced() {
    for lost in [Response::none(End::Reset), Response::none(End::Close), Response::new(503)] {
        let server = Server::script([lost.clone(), Response::new(204)]);
        connect(&server).files().upload(&format!("{ROOT}/a"), "x", true).await.unwrap();
        let all = server.requests();
        assert!(all.len() == 2 && all.iter().all(|request| request.text() == "x"));
        let server = Server::script([lost, Response::new(204)]);
        let error = connect(&server).files().upload(&format!("{ROOT}/a"), "x", false).await.unwrap_err();
        assert_eq!((error.kind(), server.requests().len()), (ErrorKind::UnknownOutcome, 1), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_exists_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a", b"new");
    let target = format!("{ROOT}/a");
    let (server, workspace) = serve(|request| match request.method.as_str() {
        "HEAD" => Response::new(200),
        _ => Response::new(409).with_body(r#"{"error_code":"ALREADY_EXISTS","message":"The file exists."}"#),
    });
    let error = workspace.files().upload(&target, Content::from_file(&path), false).await.unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Rejected, Some("set `overwrite` to replace it")));
    assert_eq!(lines(&server), [format!("HEAD /files{target}")]);
    // A few bytes are refused by the service itself, as is a file that appears meanwhile.
    let error = workspace.files().upload(&target, "new", false).await.unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Rejected, Some("set `overwrite` to replace it")));
    assert_eq!(lines(&server)[1..], [format!("PUT /files{target}?overwrite=false")]);
}

#[tokio::test]
async fn a_file_goes_with_its_length_and_a_reader_in_chunks() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "empty", b"");
    let (server, workspace) = serve(|_| Response::new(204));
    let files = workspace.files();
    files.upload(&format!("{ROOT}/a"), Content::from_file(&path), true).await.unwrap();
    files.upload(&format!("{ROOT}/a"), content(), true).await.unwrap();
    files.upload(&format!("{ROOT}/a"), Content::from_reader(&b"piped"[..]), true).await.unwrap();
    let all = server.requests();
    let lengths: Vec<_> = all.iter().map(|request| request.header("content-length")).collect();
    assert_eq!(lengths, [Some("0"), Some("2000000"), None]);
    assert_eq!((all[1].body == content(), all[2].text()), (true, "piped".to_owned()));
}

/// The part of the content that a request names, as the service sends it.
fn rest(request: &Request, date: &str) -> Response {
    let content = content();
    let from = request
        .header("range")
        .and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let answer = Response::new(if from.is_some() { 206 } else { 200 }).with_header("last-modified", date);
    let answer = answer.with_header("content-type", "application/octet-stream");
    match from {
        Some(from) => answer
            .with_header("content-range", &format!("bytes {from}-{}/{}", content.len() - 1, content.len()))
            .with_body(content[from..].to_vec()),
        None => answer.with_body(content),
    }
}

#[tokio::test]
async fn a_download_that_breaks_twice_is_completed() {
    let server = Server::start(|request| match request.number {
        0 => rest(request, DATE).cut(700_000, End::Reset),
        1 => rest(request, DATE).cut(500_000, End::Close),
        _ => rest(request, DATE),
    });
    let told = Arc::new(Mutex::new(Vec::new()));
    let events = Events::new({
        let told = told.clone();
        move |event| {
            if let Event::FileTransferred { bytes, total_bytes, .. } = event {
                told.lock().unwrap().push((*bytes, *total_bytes));
            }
        }
    });
    let connection = Connection::token(&server.url(), "dapi-example").unwrap();
    let workspace = Workspace::builder().connection(connection).with_events(events).build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("a");
    let bytes = workspace.files().download_file(&format!("{ROOT}/a"), &to, false).await.unwrap();
    assert!(bytes == 2_000_000 && std::fs::read(&to).unwrap() == content());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no part is left");
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests[1..] {
        let from: u64 = request.header("range").unwrap()[6..].trim_end_matches('-').parse().unwrap();
        assert!((1..2_000_000).contains(&from));
        assert_eq!(request.header("if-unmodified-since"), Some(DATE));
    }
    let told = told.lock().unwrap();
    assert!(told.is_sorted() && told.last() == Some(&(2_000_000, Some(2_000_000))), "{told:?}");
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_downloaded_leaves_nothing() {
    let changed: [fn(&Request) -> Response; 2] =
        [|_| Response::new(412), |request| rest(request, "Thu, 26 Nov 2026 04:00:01 GMT")];
    for changed in changed {
        let server = Server::start(move |request| match request.number {
            0 => rest(request, DATE).cut(700_000, End::Reset),
            _ => changed(request),
        });
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("a");
        let error =
            connect(&server).files().download_file(&format!("{ROOT}/a"), &to, false).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
        assert!(error.to_string().starts_with("the content changed while it was downloaded"), "{error}");
        assert_eq!((server.requests().len(), std::fs::read_dir(folder.path()).unwrap().count()), (2, 0));
    }
}

#[tokio::test]
async fn what_is_no_file_is_not_downloaded() {
    let (_server, workspace) = serve(|request| match request.path().ends_with("/page") {
        true => Response::new(200).with_header("content-type", "text/html").with_body("<html>sign in"),
        false => Response::new(404).with_body(r#"{"error_code":"NOT_FOUND","message":"No file is here."}"#),
    });
    let folder = tempfile::tempdir().unwrap();
    for (path, kind) in [("page", ErrorKind::UnexpectedResponse), ("folder", ErrorKind::NotFound)] {
        let to = folder.path().join("a");
        let error = workspace.files().download_file(&format!("{ROOT}/{path}"), &to, true).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_ends_a_download_and_is_named() {
    let (server, workspace) = serve(|request| rest(request, DATE));
    let full = Path::new("/dev/full");
    let error = workspace.files().download_file(&format!("{ROOT}/a"), full, true).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Local, 1));
    assert_eq!(error.to_string(), "cannot write this file: No space left on device (os error 28): /dev/full");
}

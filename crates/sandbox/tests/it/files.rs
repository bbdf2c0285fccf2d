//! Files in volumes.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::Value;

use crate::client::{Client, read, start};

const ROOT: &str = "/Volumes/main/default/files";

fn file(path: &str) -> String {
    format!("/api/2.0/fs/files{ROOT}/{path}")
}

fn directory(path: &str) -> String {
    format!("/api/2.0/fs/directories{ROOT}/{path}")
}

/// Sends a request with headers and a body, and returns the answer.
async fn send(
    client: &Client,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> Response {
    let request = client.http.request(method, format!("{}{path}", client.url)).bearer_auth(&client.token);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(body).send().await.unwrap()
}

async fn put(client: &Client, path: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
    let (status, answer) = read(send(client, Method::PUT, path, &[], body).await).await;
    (status.as_u16(), answer)
}

/// Status and text of a download.
async fn get(client: &Client, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let answer = send(client, Method::GET, path, headers, "").await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn status(client: &Client, method: Method, path: &str) -> u16 {
    send(client, method, path, &[], "").await.status().as_u16()
}

/// The names of all entries of a directory, and how many pages they came in.
async fn listed(client: &Client, path: &str) -> (Vec<String>, usize) {
    let (mut names, mut pages, mut token) = (Vec::new(), 0, String::new());
    loop {
        let page = client.got(&format!("{path}?page_size=2&page_token={token}")).await;
        pages += 1;
        let found = page["contents"].as_array().cloned().unwrap_or_default();
        names.extend(found.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()));
        match page["next_page_token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => return (names, pages),
        }
    }
}

#[tokio::test]
async fn a_file_is_written_read_and_deleted() {
    let (_sandbox, client) = start().await;
    let path = file("deep/100%25%20%C3%BC.csv");
    assert_eq!(put(&client, &format!("{path}?overwrite=false"), "a,b\n").await.0, 204);
    let (conflict, answer) = put(&client, &format!("{path}?overwrite=false"), "lost").await;
    assert_eq!((conflict, &answer["error_code"]), (409, &"ABORTED".into()));
    assert_eq!(get(&client, &path, &[]).await, (200, "a,b\n".to_owned()));
    assert_eq!(put(&client, &format!("{path}?overwrite=true"), "c,d,e\n").await.0, 204);
    let head = send(&client, Method::HEAD, &path, &[], "").await;
    let header = |name: &str| head.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((head.status().as_u16(), header("content-length").as_str()), (200, "6"));
    assert_eq!(header("content-type"), "application/octet-stream");
    assert!(header("last-modified").ends_with(" GMT"));
    let (names, _) = listed(&client, &directory("deep")).await;
    assert_eq!(names, ["100% ü.csv"]);
    assert_eq!(status(&client, Method::DELETE, &path).await, 204);
    for method in [Method::GET, Method::HEAD, Method::DELETE] {
        assert_eq!(status(&client, method.clone(), &path).await, 404, "{method}");
    }
}

#[tokio::test]
async fn a_part_of_a_file_is_read_while_it_is_the_same() {
    let (_sandbox, client) = start().await;
    let path = file("a");
    put(&client, &path, "0123456789").await;
    let date = send(&client, Method::HEAD, &path, &[], "").await.headers()["last-modified"].clone();
    let date = date.to_str().unwrap();
    let range = |range: &'static str| [("range", range), ("if-unmodified-since", date)];
    assert_eq!(get(&client, &path, &range("bytes=3-5")).await, (206, "345".to_owned()));
    assert_eq!(get(&client, &path, &range("bytes=8-")).await, (206, "89".to_owned()));
    assert_eq!(get(&client, &path, &range("bytes=10-")).await.0, 416);
    let answer = send(&client, Method::GET, &path, &range("bytes=-4"), "").await;
    assert_eq!(answer.headers()["content-range"], "bytes 6-9/10");
    let long_ago = [("if-unmodified-since", "Thu, 01 Jan 2026 00:00:00 GMT")];
    assert_eq!(get(&client, &path, &long_ago).await.0, 412);
}

#[tokio::test]
async fn a_download_is_whole_while_uploads_replace_the_file() {
    let (_sandbox, client) = start().await;
    let (path, versions) = (file("replaced"), ["a".repeat(10), "b".repeat(300_000)]);
    let replace = format!("{path}?overwrite=true");
    put(&client, &replace, versions[0].clone()).await;
    let uploads = async {
        for n in 0..100 {
            assert_eq!(put(&client, &replace, versions[n % 2].clone()).await.0, 204);
        }
    };
    let downloads = async {
        for _ in 0..200 {
            let (status, text) = get(&client, &path, &[]).await;
            assert!(status == 200 && versions.contains(&text), "{status}: {} bytes", text.len());
        }
    };
    tokio::join!(uploads, downloads);
}

#[tokio::test]
async fn directories_come_with_their_parents_and_go_when_they_are_empty() {
    let (_sandbox, client) = start().await;
    for _ in 0..2 {
        assert_eq!(status(&client, Method::PUT, &directory("a/b")).await, 204);
    }
    assert_eq!(status(&client, Method::HEAD, &directory("a/b")).await, 200);
    assert_eq!(status(&client, Method::HEAD, &file("a/b")).await, 404);
    assert_eq!(client.got(&directory("a/b")).await, serde_json::json!({}));
    put(&client, &file("a/b/c"), "").await;
    assert_eq!(status(&client, Method::HEAD, &directory("a/b/c")).await, 404);
    assert_eq!(status(&client, Method::PUT, &directory("a/b/c")).await, 409);
    assert_eq!(put(&client, &file("a/b?overwrite=true"), "x").await.0, 409);
    let (refused, answer) = read(send(&client, Method::DELETE, &directory("a"), &[], "").await).await;
    assert_eq!((refused.as_u16(), &answer["error_code"]), (400, &"FILES_API_DIRECTORY_IS_NOT_EMPTY".into()));
    for (path, expected) in
        [(file("a/b/c"), 204), (directory("a/b"), 204), (directory("a"), 204), (directory("a"), 404)]
    {
        assert_eq!(status(&client, Method::DELETE, &path).await, expected, "{path}");
    }
    assert_eq!(status(&client, Method::DELETE, &directory("")).await, 400);
    assert_eq!(client.get(&directory("missing")).await.0, 404);
}

#[tokio::test]
async fn a_list_has_pages_and_some_are_empty() {
    let (_sandbox, client) = start().await;
    for name in ["1", "2", "3", "4", "5"] {
        put(&client, &file(&format!("many/{name}")), name).await;
    }
    let (names, pages) = listed(&client, &directory("many")).await;
    assert_eq!(names, ["1", "2", "3", "4", "5"]);
    assert_eq!(pages, 5, "three, and an empty one before the second and the third");
    // The files of a fresh workspace.
    assert_eq!(listed(&client, &directory("landing/")).await.0, ["trips-1.csv", "trips-2.csv"]);
}

#[tokio::test]
async fn nothing_outside_of_a_volume_is_reached() {
    let (sandbox, client) = start().await;
    std::fs::write(sandbox.directory().join("secret"), "s3cret").unwrap();
    for path in [
        "/api/2.0/fs/files/Volumes/main/default/files/%2e%2e/%2e%2e/secret",
        "/api/2.0/fs/files/Volumes/main/default/files/a%2F..%2F..%2Fsecret",
        "/api/2.0/fs/files/Volumes/main/default/files//secret",
        "/api/2.0/fs/files/etc/passwd",
        "/api/2.0/fs/directories/Volumes/main/default",
        "/api/2.0/fs/directories/Volumes",
    ] {
        assert_eq!(client.get(path).await.0, 400, "{path}");
    }
    assert_eq!(client.get("/api/2.0/fs/directories/Volumes/main/default/missing").await.0, 404);
    #[cfg(unix)]
    {
        let volume = std::fs::read_dir(sandbox.directory())
            .unwrap()
            .map(|found| found.unwrap().path().join("Volumes/main/default/files"))
            .find(|folder| folder.is_dir())
            .unwrap();
        std::os::unix::fs::symlink(sandbox.directory(), volume.join("link")).unwrap();
        assert_eq!(client.get(&file("link/secret")).await.0, 404);
        assert!(!listed(&client, &directory("")).await.0.contains(&"link".to_owned()));
    }
    // Another workspace has files of its own.
    let other = Client::new(&sandbox, &sandbox.fresh_token());
    put(&client, &file("mine"), "x").await;
    assert_eq!(status(&other, Method::HEAD, &file("mine")).await, 404);
}

#[tokio::test]
async fn a_long_file_goes_through_in_pieces() {
    let (_sandbox, client) = start().await;
    // More than any other request may carry.
    let content: Vec<u8> = (0..40_000_000_u32).map(|n| (n % 253) as u8).collect();
    assert_eq!(put(&client, &file("long"), content.clone()).await.0, 204);
    let answer = send(&client, Method::GET, &file("long"), &[], "").await;
    assert!(answer.bytes().await.unwrap() == content);
    let stranger =
        Client { token: "dapi-wrong".to_owned(), url: client.url.clone(), http: client.http.clone() };
    assert_eq!(put(&stranger, &file("long"), "x").await.0, 403);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let (sandbox, client) = start().await;
    put(&client, &file("half"), "old").await;
    let folders = std::fs::read_dir(sandbox.directory()).unwrap().map(|found| found.unwrap().path());
    let parts = folders.map(|folder| folder.join("Volumes.parts")).find(|folder| folder.is_dir()).unwrap();
    let address = client.url.strip_prefix("http://").unwrap();
    let head = format!(
        "PUT {}?overwrite=true HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ncontent-length: 10\r\n\r\nhalf",
        file("half"),
        client.token
    );
    let mut connection = std::net::TcpStream::connect(address).unwrap();
    std::io::Write::write_all(&mut connection, head.as_bytes()).unwrap();
    // The requests are the pause until it has come, and until it is gone.
    let mut connection = Some(connection);
    for in_parts in [1, 0] {
        let since = std::time::Instant::now();
        loop {
            assert_eq!(get(&client, &file("half"), &[]).await, (200, "old".to_owned()));
            if std::fs::read_dir(&parts).unwrap().count() == in_parts {
                break;
            }
            assert!(since.elapsed() < Duration::from_secs(30), "there should be {in_parts} parts");
        }
        connection.take();
    }
}

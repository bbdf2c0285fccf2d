//! Streamed bodies: continued where they break off, renewed when their link is refused.

use std::time::Duration;

use brickwire_testserver::{End, Request, Response, Server};
use brickwire_wire::{
    Error, ErrorKind, Host, HttpOptions, OperationInfo, Result, RetryPolicy, Sink, Target, Wire,
};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

const CONTENT: &[u8] = b"0123456789abcdef";

#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    renewed: u32,
    next: Option<Target>,
}

impl Sink for Collected {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    async fn renew(&mut self, refused: Option<StatusCode>) -> Result<Option<Target>> {
        if refused.is_some() {
            self.renewed += 1;
            return Ok(self.next.clone());
        }
        Ok(None)
    }
}

async fn download(server: &Server, sink: &mut Collected) -> Result<u64> {
    download_with_stall(server, sink, Duration::from_secs(20)).await
}

async fn download_with_stall(server: &Server, sink: &mut Collected, stall: Duration) -> Result<u64> {
    let wire = Wire::builder(HttpOptions::new(Host::parse("x.cloud.databricks.com").unwrap())).build()?;
    let link = format!("{}/object?signature=s3cret", server.url()).parse().unwrap();
    let call = wire.presigned(Method::GET, link).with_retry(RetryPolicy::Resume { tries: 4 });
    call.with_stall(stall).send_stream(sink).await
}

/// Sends the rest of the content from the offset that the request names, with an entity tag.
fn rest(request: &Request, tag: &str) -> Response {
    let range = request
        .header("range")
        .and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let whole = Response::new(if range.is_some() { 206 } else { 200 }).with_header("etag", tag);
    match range {
        Some(from) => whole
            .with_header("content-range", &format!("bytes {from}-{}/{}", CONTENT.len() - 1, CONTENT.len()))
            .with_body(CONTENT[from..].to_vec()),
        None => whole.with_body(CONTENT.to_vec()),
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_continued() {
    for end in [End::Close, End::Reset, End::Stall] {
        let server = Server::start(move |request: &Request| match request.number {
            0 | 1 => rest(request, "a").cut(5, end),
            _ => rest(request, "a"),
        });
        let mut sink = Collected::default();
        let stall = Duration::from_secs(if matches!(end, End::Stall) { 2 } else { 20 });
        assert_eq!(download_with_stall(&server, &mut sink, stall).await.unwrap(), 16, "{end:?}");
        assert_eq!(sink.bytes, CONTENT, "{end:?}");
        let ranges: Vec<_> = server.requests().iter().map(|r| r.header("range").map(str::to_owned)).collect();
        assert_eq!(ranges, [None, Some("bytes=5-".to_owned()), Some("bytes=10-".to_owned())]);
        assert!(server.requests().iter().all(|r| r.header("authorization").is_none()));
    }
}

#[tokio::test]
async fn a_range_that_ends_early_is_continued() {
    let server = Server::start(move |request: &Request| match request.number {
        0 => rest(request, "a").cut(5, End::Close),
        1 => Response::new(206)
            .with_header("etag", "a")
            .with_header("content-range", "bytes 5-9/16")
            .with_body(CONTENT[5..10].to_vec()),
        _ => rest(request, "a"),
    });
    let mut sink = Collected::default();
    assert_eq!(download(&server, &mut sink).await.unwrap(), 16);
    assert_eq!(sink.bytes, CONTENT);
}

/// What comes of a download that breaks off after five bytes, if the rest comes like this.
async fn continued_with(part: impl Fn(Response) -> Response + Send + Sync + 'static) -> (Result<u64>, usize) {
    let server = Server::start(move |request: &Request| match request.number {
        0 => rest(request, "a").cut(5, End::Close),
        _ => part(Response::new(206).with_header("etag", "a")),
    });
    let outcome = download(&server, &mut Collected::default()).await;
    (outcome, server.requests().len())
}

#[tokio::test]
async fn a_part_has_as_many_bytes_as_it_announces() {
    for (range, body) in [
        ("bytes 5-15/16", &CONTENT[5..15]),
        ("bytes 5-15/*", &CONTENT[5..15]),
        ("bytes 5-14/16", &CONTENT[5..]),
        ("bytes 6-15/16", &CONTENT[6..]),
        ("bytes 15-5/16", &CONTENT[5..]),
        ("bytes 5-15/10", &CONTENT[5..]),
        ("bytes 5-18446744073709551615/*", &CONTENT[5..]),
        ("bytes */16", &CONTENT[5..]),
        ("", &CONTENT[5..]),
    ] {
        // The length is wrong at once: nothing of it is taken, and it is asked for again.
        let (outcome, requests) =
            continued_with(move |part| part.with_header("content-range", range).with_body(body)).await;
        assert!(outcome.is_err() && requests == 4, "{range} {requests} {outcome:?}");
    }
    // The end shows how many there are, and what came can't be taken back.
    for body in [&CONTENT[5..15], b"56789abcdefg"] {
        let part = move |part: Response| {
            part.with_header("content-range", "bytes 5-15/16").with_body(body).chunked()
        };
        let (outcome, requests) = continued_with(part).await;
        assert!(outcome.unwrap_err().to_string().contains("than the range it announced"));
        assert_eq!(requests, 2);
    }
}

#[tokio::test]
async fn an_object_of_another_length_is_another() {
    for total in [12, 17] {
        let server = Server::start(move |request: &Request| match request.number {
            0 => Response::new(200).with_body(CONTENT).cut(5, End::Close),
            _ => Response::new(206)
                .with_header("content-range", &format!("bytes 5-{}/{total}", total - 1))
                .with_body(vec![b'x'; total - 5]),
        });
        let error = download(&server, &mut Collected::default()).await.unwrap_err();
        assert!(error.to_string().contains("changed while it was downloaded"), "{error}");
    }
}

#[tokio::test]
async fn a_redirect_is_neither_followed_nor_tried_again() {
    let server = Server::start(|_: &Request| {
        Response::new(302).with_header("location", "http://169.254.169.254/latest/meta-data")
    });
    let error = download(&server, &mut Collected::default()).await.unwrap_err();
    assert_eq!((error.status(), server.requests().len()), (Some(302), 1));
}

#[tokio::test]
async fn a_server_without_ranges_sends_all_again_and_nothing_comes_twice() {
    let server = Server::start(|request: &Request| {
        let whole = Response::new(200).with_body(CONTENT.to_vec());
        if request.number == 0 { whole.cut(7, End::Close) } else { whole }
    });
    let mut sink = Collected::default();
    download(&server, &mut sink).await.unwrap();
    assert_eq!(sink.bytes, CONTENT);
}

#[tokio::test]
async fn a_changed_object_is_an_error() {
    let server = Server::start(|request: &Request| match request.number {
        0 => rest(request, "a").cut(5, End::Close),
        _ => rest(request, "b"),
    });
    let error = download(&server, &mut Collected::default()).await.unwrap_err();
    assert!(error.to_string().contains("changed while it was downloaded"), "{error}");
}

#[tokio::test]
async fn a_refused_link_is_renewed_a_few_times_and_never_shown() {
    let server = Server::start(|request: &Request| {
        if request.target.contains("fresh") {
            rest(request, "a")
        } else {
            Response::new(403).with_body("no s3cret")
        }
    });
    let url = format!("{}/object?signature=fresh", server.url()).parse().unwrap();
    let next = Some(Target { url, headers: HeaderMap::new() });
    let mut sink = Collected { next, ..Default::default() };
    download(&server, &mut sink).await.unwrap();
    assert_eq!((sink.bytes.as_slice(), sink.renewed), (CONTENT, 1));

    let url = format!("{}/object?signature=s3cret", server.url()).parse().unwrap();
    let mut sink = Collected { next: Some(Target { url, headers: HeaderMap::new() }), ..Default::default() };
    let error = download(&server, &mut sink).await.unwrap_err();
    assert_eq!((sink.renewed, error.status()), (3, Some(403)));
    assert!(!format!("{:?} {error:?}", sink.next).contains("signature"), "{error:?}");
}

#[tokio::test]
async fn attempts_without_a_byte_are_counted_and_progress_starts_over() {
    let server = Server::start(|_: &Request| Response::new(503));
    let error = download(&server, &mut Collected::default()).await.unwrap_err();
    assert_eq!((error.attempts(), error.status()), (4, Some(503)));
    let server = Server::start(|request: &Request| rest(request, "a").cut(2, End::Close));
    let mut sink = Collected::default();
    download(&server, &mut sink).await.unwrap();
    assert_eq!(sink.bytes, CONTENT);
}

#[tokio::test]
async fn an_error_of_the_sink_ends_the_download() {
    struct Full;
    impl Sink for Full {
        async fn write(&mut self, _: Bytes) -> Result<()> {
            Err(Error::unexpected("the disk is full"))
        }
    }
    let server = Server::start(|request: &Request| rest(request, "a"));
    let wire =
        Wire::builder(HttpOptions::new(Host::parse("x.cloud.databricks.com").unwrap())).build().unwrap();
    let call = wire.presigned(Method::GET, server.url().parse().unwrap());
    assert_eq!(call.send_stream(&mut Full).await.unwrap_err().to_string(), "the disk is full");
    assert_eq!(server.requests().len(), 1);
}

/// Sends the rest of the content as a workspace does, which tells versions apart by their dates.
fn dated(request: &Request, date: &str) -> Response {
    rest(request, "a").with_header("last-modified", date)
}

const DATE: &str = "Wed, 25 Nov 2026 10:00:00 GMT";

async fn download_file(server: &Server, sink: &mut Collected) -> Result<u64> {
    let wire = Wire::builder(HttpOptions::new(Host::parse(&server.url()).unwrap())).build()?;
    let get = OperationInfo::new("files_download", "GET", "/api/2.0/fs/files/{path}", true);
    let call =
        wire.call(&get).path_with_slashes("path", &"/Volumes/a").with_retry(RetryPolicy::Resume { tries: 4 });
    call.download(sink).await
}

#[tokio::test]
async fn a_file_that_changed_is_not_continued() {
    let answers: [fn(&Request) -> Response; 2] = [
        // The service refuses, or doesn't know the condition and sends the rest of another file.
        |_| Response::new(412).with_body(r#"{"error_code":"ABORTED","message":"modified"}"#),
        |request| dated(request, "Wed, 25 Nov 2026 10:00:01 GMT"),
    ];
    for answer in answers {
        let server = Server::start(move |request: &Request| match request.number {
            0 => dated(request, DATE).cut(5, End::Close),
            _ => answer(request),
        });
        let error = download_file(&server, &mut Collected::default()).await.unwrap_err();
        assert_eq!(error.to_string(), "the content changed while it was downloaded");
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::UnexpectedResponse, Some("files_download"))
        );
        let requests = server.requests();
        let since = |n: usize| requests[n].header("if-unmodified-since");
        assert_eq!((requests.len(), since(0), since(1)), (2, None, Some(DATE)));
    }
    // An answer without a date is taken at its word.
    let server = Server::start(|request: &Request| match request.number {
        0 => dated(request, DATE).cut(5, End::Close),
        1 => rest(request, "a").cut(5, End::Close),
        _ => dated(request, DATE),
    });
    let mut sink = Collected::default();
    assert_eq!(download_file(&server, &mut sink).await.unwrap(), 16);
    assert_eq!(server.requests()[2].header("if-unmodified-since"), Some(DATE));
}

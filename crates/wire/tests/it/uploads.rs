//! Bodies that are read while they are sent: what is sent again, and what ends them.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use brickwire_testserver::{Request, Response, Server};
use brickwire_wire::{
    Authorization, BoxFuture, Call, Credential, Error, ErrorKind, Exchange, Host, HttpOptions, OperationInfo,
    RetryPolicy, Secret, StaticToken, Unanswered, Upload, Wire,
};
use bytes::Bytes;
use http::Method;
use http_body::{Body as _, Frame, SizeHint};
use reqwest::Body;
use tokio::time::{Instant, Sleep};

use crate::network::CHANGE;

const PUT: OperationInfo = OperationInfo::new("toys_paint", "PUT", "/api/2.0/toys/picture", true);

/// Parts of a body, each after some time.
struct Parts {
    parts: VecDeque<io::Result<&'static str>>,
    pause: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    length: Option<u64>,
}

fn parts(parts: &[&'static str]) -> Parts {
    let parts = parts.iter().copied().map(Ok).collect();
    Parts { parts, pause: Duration::ZERO, waiting: None, length: None }
}

impl http_body::Body for Parts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let pause = self.pause;
        if !pause.is_zero() {
            let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
            std::task::ready!(waiting.as_mut().poll(context));
            self.waiting = None;
        }
        let part = self.parts.pop_front();
        Poll::Ready(part.map(|part| part.map(|text| Frame::data(Bytes::from_static(text.as_bytes())))))
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// How often a body was opened, and the upload that counts it.
fn counted(open: impl Fn() -> Parts + Send + Sync + 'static) -> (Arc<AtomicUsize>, Upload) {
    let opened = Arc::new(AtomicUsize::new(0));
    let count = opened.clone();
    let upload = Upload::reopened(move || {
        count.fetch_add(1, Ordering::Relaxed);
        let body = Body::wrap(open());
        async { Ok(body) }
    });
    (opened, upload)
}

fn once(parts: Parts) -> Upload {
    Upload::once(Body::wrap(parts))
}

/// Reads a body, with a pause before each part; then answers.
#[derive(Debug, Default)]
struct Reader {
    statuses: Mutex<VecDeque<u16>>,
    pause: Duration,
    /// Stops reading after this many parts.
    stops_after: Option<usize>,
    bodies: Mutex<Vec<String>>,
}

impl Exchange for Reader {
    fn exchange(
        &self,
        mut request: reqwest::Request,
    ) -> BoxFuture<'_, Result<reqwest::Response, Unanswered>> {
        let (pause, stops_after) = (self.pause, self.stops_after);
        let mut body = request.body_mut().take().unwrap();
        // Connections have tasks of their own, which nothing else wakes.
        let reading = tokio::spawn(async move {
            let mut read = Vec::new();
            loop {
                if stops_after == Some(read.len()) {
                    std::future::pending::<()>().await;
                }
                tokio::time::sleep(pause).await;
                match poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
                    None => return Ok(read.concat()),
                    Some(frame) => read.push(frame.map_err(|error| error.to_string())?.into_data().unwrap()),
                }
            }
        });
        Box::pin(async move {
            let read = reading.await.unwrap();
            let read =
                read.map_err(|text: String| Unanswered::Lost(Error::new(ErrorKind::Unreachable, text)))?;
            let text = String::from_utf8(read).unwrap();
            self.bodies.lock().unwrap().push(text);
            let status = self.statuses.lock().unwrap().pop_front().unwrap_or(200);
            let answer =
                http::Response::builder().status(status).header("location", "/elsewhere").body("").unwrap();
            Ok(answer.into())
        })
    }
}

impl Reader {
    fn answering(statuses: impl IntoIterator<Item = u16>) -> Self {
        Self { statuses: Mutex::new(statuses.into_iter().collect()), ..Self::default() }
    }

    fn wire(self) -> (Wire, Arc<Self>) {
        let reader = Arc::new(self);
        let options = HttpOptions::new(Host::parse("x.cloud.databricks.com").unwrap());
        let wire = Wire::builder(options).with_exchange(reader.clone()).build().unwrap();
        (wire.with_credential(StaticToken::new("dapi-0123456789").unwrap()), reader)
    }

    fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().clone()
    }
}

async fn send(call: Call) -> Result<(), Error> {
    call.send_ignoring_body().await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn a_body_that_can_be_opened_again_is_sent_again_whole() {
    let (wire, reader) = Reader::answering([503, 429]).wire();
    let (opened, upload) = counted(|| parts(&["a", "bc"]));
    send(wire.call(&PUT).with_upload(upload)).await.unwrap();
    assert_eq!((reader.bodies(), opened.load(Ordering::Relaxed)), (vec!["abc".to_owned(); 3], 3));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_read_once_is_sent_once() {
    for (status, is_unknown) in [(500, true), (503, true), (429, false), (307, false), (400, false)] {
        let retry = RetryPolicy::Connector {
            max_retries: 3,
            backoff: brickwire_wire::Backoff::Fixed(Duration::ZERO),
            all_errors: true,
        };
        for retry in [RetryPolicy::default(), retry, RetryPolicy::Resume { tries: 3 }] {
            let (wire, reader) = Reader::answering([status]).wire();
            let call = wire.call(&PUT).with_upload(once(parts(&["a"]))).with_retry(retry);
            assert!(!call.is_repeatable());
            let error = send(call).await.unwrap_err();
            assert_eq!((error.is_unknown_outcome(), error.status()), (is_unknown, Some(status)), "{error}");
            assert_eq!(reader.bodies(), ["a"], "{status}");
        }
    }
}

/// Has another token after each refusal.
#[derive(Debug)]
struct Renewing;

impl Credential for Renewing {
    fn authorization(&self) -> BoxFuture<'_, brickwire_wire::Result<Authorization>> {
        Box::pin(async { Ok(Authorization::bearer(Secret::new("dapi-0123456789"))) })
    }

    fn refused(&self, _: &Authorization) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_only_for_a_body_that_can_be_opened_again() {
    let (wire, reader) = Reader::answering([401]).wire();
    let wire = wire.with_credential(Renewing);
    let error = send(wire.call(&PUT).with_upload(once(parts(&["a"])))).await.unwrap_err();
    assert_eq!((error.status(), reader.bodies().len()), (Some(401), 1), "{error}");

    let (wire, reader) = Reader::answering([401]).wire();
    let (_, upload) = counted(|| parts(&["a"]));
    send(wire.with_credential(Renewing).call(&CHANGE).with_upload(upload)).await.unwrap();
    assert_eq!(reader.bodies(), ["a", "a"]);
}

#[tokio::test(start_paused = true)]
async fn no_redirect_is_followed_with_a_body_that_streams() {
    let (wire, reader) = Reader::answering([307, 200]).wire();
    let (_, upload) = counted(|| parts(&["a"]));
    let error = send(wire.call(&PUT).with_upload(upload)).await.unwrap_err();
    assert_eq!((error.status(), reader.bodies().len()), (Some(307), 1), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_long_body_is_not_taken_for_silence() {
    // The network is slow, then the source is: each longer than the budget for retries.
    let slow = Reader { pause: Duration::from_secs(50), ..Reader::default() };
    for (reader, pause) in [(slow, Duration::ZERO), (Reader::default(), Duration::from_secs(600))] {
        let (wire, reader) = reader.wire();
        let began = Instant::now();
        let body = Parts { pause, ..parts(&["a", "b", "c", "d", "e", "f", "g"]) };
        send(wire.call(&PUT).with_upload(once(body))).await.unwrap();
        assert_eq!(reader.bodies(), ["abcdefg"]);
        assert!(began.elapsed() > Duration::from_secs(300), "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_took_longer_than_a_budget_is_sent_again_a_few_times() {
    for (failures, sent) in [(1, 2), (9, 4)] {
        let reader = Reader {
            pause: Duration::from_secs(50),
            ..Reader::answering([503; 9].into_iter().take(failures))
        };
        let (wire, reader) = reader.wire();
        let (_, upload) = counted(|| parts(&["a", "b", "c", "d", "e", "f", "g"]));
        let outcome = send(wire.call(&PUT).with_upload(upload)).await;
        assert_eq!((outcome.is_ok(), reader.bodies().len()), (failures == 1, sent), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_an_upload() {
    let (wire, _) = Reader { stops_after: Some(1), ..Reader::default() }.wire();
    let began = Instant::now();
    let error = send(wire.call(&PUT).with_upload(once(parts(&["a", "b"])))).await.unwrap_err();
    assert!(error.is_unknown_outcome(), "{error}");
    assert_eq!(began.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_ends_the_upload_with_its_error() {
    let (wire, reader) = Reader::default().wire();
    let (opened, upload) = counted(|| {
        let mut body = parts(&["a"]);
        body.parts.push_back(Err(io::Error::other("the disk is gone")));
        body
    });
    let error = send(wire.call(&PUT).with_upload(upload)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Local);
    assert_eq!(error.to_string(), "cannot read what is uploaded: the disk is gone");
    assert_eq!((opened.load(Ordering::Relaxed), reader.bodies().len()), (1, 0));

    let refuse = || async { Err(Error::new(ErrorKind::Local, "no such file")) };
    let error = send(wire.call(&PUT).with_upload(Upload::reopened(refuse))).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.operation()), ("no such file", Some("toys_paint")));
    assert!(reader.bodies().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_presigned_link_takes_no_stream() {
    let (wire, reader) = Reader::default().wire();
    let link = "https://bucket.example/part?sig=s3cret".parse().unwrap();
    let call = wire.presigned(Method::PUT, link).with_upload(once(parts(&["a"])));
    assert_eq!(send(call).await.unwrap_err().kind(), ErrorKind::Usage);
    assert!(reader.bodies().is_empty());
}

#[tokio::test]
async fn a_body_says_its_length_if_it_knows_it() {
    let server = Server::start(|_: &Request| Response::json("{}"));
    let wire = Wire::builder(HttpOptions::new(Host::parse(&server.url()).unwrap())).build().unwrap();
    let wire = wire.with_credential(StaticToken::new("dapi-0123456789").unwrap());
    for upload in [
        Upload::from("abc"),
        once(Parts { length: Some(3), ..parts(&["a", "bc"]) }),
        once(parts(&["a", "bc"])),
    ] {
        send(wire.call(&PUT).with_upload(upload)).await.unwrap();
    }
    let requests = server.requests();
    for (request, length) in requests.iter().zip([Some("3"), Some("3"), None]) {
        assert_eq!((request.line().as_str(), request.text().as_str()), ("PUT /api/2.0/toys/picture", "abc"));
        assert_eq!(request.header("content-length"), length);
        assert_eq!(request.header("content-type"), Some("application/octet-stream"));
        assert_eq!(request.header("authorization"), Some("Bearer dapi-0123456789"));
    }
    assert_eq!(requests.len(), 3);
}

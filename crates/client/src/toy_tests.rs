//! What the API description does not use yet, on the generator's toy.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use brickwire_wire::{BoxFuture, ErrorKind, Exchange, Host, HttpOptions, Sink, Unanswered, Upload, Wire};
use bytes::Bytes;

use crate::{
    Client,
    toy::{OPERATIONS, types},
};

/// Answers 204 or an empty object, and keeps methods and targets.
#[derive(Debug, Default)]
struct Silent(Mutex<Vec<String>>);

impl Exchange for Silent {
    fn exchange(&self, request: reqwest::Request) -> BoxFuture<'_, Result<reqwest::Response, Unanswered>> {
        let query = request.url().query().map(|query| format!("?{query}")).unwrap_or_default();
        self.0.lock().unwrap().push(format!("{} {}{query}", request.method(), request.url().path()));
        let answer = match request.method().as_str() {
            "GET" => http::Response::new("{}"),
            _ => http::Response::builder().status(204).body("").unwrap(),
        };
        Box::pin(std::future::ready(Ok(answer.into())))
    }
}

fn toys() -> (Client, Arc<Silent>) {
    let exchange = Arc::new(Silent::default());
    let options = HttpOptions::new(Host::parse("https://toys.example").unwrap());
    let wire = Wire::builder(options).with_exchange(exchange.clone()).build().unwrap();
    (wire.into(), exchange)
}

#[tokio::test]
async fn every_kind_of_argument_reaches_its_place() {
    let (client, exchange) = toys();
    client.toys_list(types::Mood::VerySad, "a&b", &Default::default()).await.unwrap();
    client.toys_delete("a/b").await.unwrap();
    client.toys_update_part("x", -3, &Default::default()).await.unwrap();
    let expected = [
        "GET /api/2.0/toys?mood=very-sad&owner=a%26b",
        "DELETE /api/2.0/toys/a%2Fb",
        "PATCH /api/2.0/toys/x/parts/-3",
    ];
    assert_eq!(*exchange.0.lock().unwrap(), expected);
    assert_eq!(OPERATIONS.len(), 10);
}

#[tokio::test]
async fn a_wildcard_keeps_its_slashes_but_no_way_out() {
    let (client, exchange) = toys();
    for path in ["/Volumes/a b/c", "Volumes/a%2Fb/…"] {
        client.toybox_list(path).await.unwrap();
    }
    let expected = ["GET /api/2.0/toybox/Volumes/a%20b/c", "GET /api/2.0/toybox/Volumes/a%252Fb/%E2%80%A6"];
    assert_eq!(*exchange.0.lock().unwrap(), expected);
    for path in ["", "/", "a//b", "a/../b", "./a", "a/"] {
        let error = client.toybox_list(path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{path}: {error}");
    }
    assert_eq!(exchange.0.lock().unwrap().len(), 2);
}

/// Answers downloads from a script, and keeps what was asked for and sent.
#[derive(Debug, Default)]
struct Pictures {
    answers: Mutex<VecDeque<http::Response<Vec<u8>>>>,
    requests: Mutex<Vec<reqwest::Request>>,
}

impl Exchange for Pictures {
    fn exchange(&self, request: reqwest::Request) -> BoxFuture<'_, Result<reqwest::Response, Unanswered>> {
        self.requests.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or_default();
        Box::pin(std::future::ready(Ok(answer.into())))
    }
}

impl Pictures {
    fn answering(answers: impl IntoIterator<Item = http::response::Builder>) -> (Client, Arc<Self>) {
        let answers = answers.into_iter().map(|answer| answer.body(b"\x89PNG{<".to_vec()).unwrap());
        let exchange = Arc::new(Self { answers: Mutex::new(answers.collect()), ..Self::default() });
        let options = HttpOptions::new(Host::parse("https://toys.example").unwrap());
        let wire = Wire::builder(options).with_exchange(exchange.clone()).build().unwrap();
        (wire.into(), exchange)
    }
}

#[derive(Default)]
struct Collected(Vec<u8>);

impl Sink for Collected {
    async fn write(&mut self, bytes: Bytes) -> crate::Result<()> {
        self.0.extend_from_slice(&bytes);
        Ok(())
    }
}

fn typed(content_type: &str) -> http::response::Builder {
    http::Response::builder().header("content-type", content_type)
}

#[tokio::test(start_paused = true)]
async fn a_file_is_downloaded_as_it_is() {
    // Whatever a file is, its bytes are not looked at: only a page says that something else answered.
    for content_type in ["application/octet-stream", "application/json", "text/plain"] {
        let unavailable = http::Response::builder().status(503);
        let (client, pictures) = Pictures::answering([unavailable, typed(content_type)]);
        let mut sink = Collected::default();
        assert_eq!(client.toybox_download_picture("a/b", &mut sink).await.unwrap(), 6);
        assert_eq!(sink.0, b"\x89PNG{<");
        let requests = pictures.requests.lock().unwrap();
        assert_eq!(requests.len(), 2);
        for request in requests.iter() {
            assert_eq!(request.url().path(), "/api/2.0/toybox/a/b/picture");
            assert_eq!(request.headers()["accept"], "application/octet-stream, */*;q=0.1");
            assert_eq!(request.headers()["accept-encoding"], "identity");
        }
    }
}

#[tokio::test]
async fn neither_a_sign_in_page_nor_packed_bytes_pass_for_a_file() {
    for answer in [typed("text/html; charset=utf-8"), typed("image/png").header("content-encoding", "br")] {
        let (client, pictures) = Pictures::answering([answer]);
        let mut sink = Collected::default();
        let error = client.toys_print(&mut sink).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::UnexpectedResponse, Some("toys_print")));
        assert!(sink.0.is_empty(), "{error}");
        assert_eq!(pictures.requests.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_file_is_uploaded_with_its_query() {
    let (client, pictures) = Pictures::answering([]);
    let query = types::ToyboxUploadPictureQuery { overwrite: Some(true) };
    client.toybox_upload_picture("a", &query, "bytes").await.unwrap();
    client.toybox_upload_picture("a", &query, Upload::once("bytes")).await.unwrap();
    for request in pictures.requests.lock().unwrap().iter() {
        assert_eq!(request.url().as_str(), "https://toys.example/api/2.0/toybox/a/picture?overwrite=true");
        assert_eq!(request.method(), "PUT");
        assert_eq!(request.headers()["content-type"], "application/octet-stream");
        assert!(request.body().is_some());
    }
    assert_eq!(pictures.requests.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_sent_for_another_one_is_sent_once() {
    let (client, pictures) = Pictures::answering([http::Response::builder().status(500), typed("image/png")]);
    let mut sink = Collected::default();
    let error = client.toybox_frame_picture("a", "bytes", &mut sink).await.unwrap_err();
    assert!(error.is_unknown_outcome(), "{error}");
    assert_eq!(pictures.requests.lock().unwrap().len(), 1);
    assert_eq!(client.toybox_frame_picture("a", "bytes", &mut sink).await.unwrap(), 6);
}

#[test]
fn what_is_required_in_a_request_has_an_empty_default() {
    let body = serde_json::to_value(types::CreateToy::default()).unwrap();
    assert_eq!(body, serde_json::json!({"labels": [], "mood": "", "name": "", "weight": 0}));
}

#[test]
fn a_nasty_type_goes_through_json_and_back() {
    let document = serde_json::json!({
        "$ref": "r", "self": "s", "async": true, "1st": "f", "foo.bar-baz": "b", "isCamel": false,
        "cells": [["a", null]], "parent": {"id": "p", "unknown": [1]}, "unknown": {"a": null}, "tags": {},
    });
    let toy: types::Toy = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(toy.extra["unknown"], serde_json::json!({"a": null}));
    assert_eq!(serde_json::to_value(&toy).unwrap(), document);
}

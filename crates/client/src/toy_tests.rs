//! What the API description does not use yet, on the generator's toy.

use std::sync::{Arc, Mutex};

use brickwire_wire::{BoxFuture, ErrorKind, Exchange, Host, HttpOptions, Unanswered, Wire};

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
    assert_eq!(OPERATIONS.len(), 6);
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

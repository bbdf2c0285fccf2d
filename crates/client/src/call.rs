//! One call of an operation: builds the request, sends it, turns the response into a value or an error.
//!
//! Decides how arguments look on the wire. A path segment is percent-encoded whole; an empty one, `.` and `..` are
//! refused, since URL parsers resolve even their encoded forms and the request would reach another resource.
//! A list in the query repeats its key.

use std::fmt::Display;

use http::{HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    client::Client,
    runtime::{ApiError, Error, OperationInfo, Response, ResponseValue},
};

/// What a path segment must not hold as it is: everything but RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A request in the making; the first problem is kept until it is sent.
pub(crate) struct Call<'a> {
    client: &'a Client,
    operation: &'static OperationInfo,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    problem: Option<String>,
}

#[allow(dead_code, reason = "the API description decides which of these are called")]
impl<'a> Call<'a> {
    pub(crate) fn new(client: &'a Client, operation: &'static OperationInfo) -> Self {
        Self {
            client,
            operation,
            path: operation.path.to_owned(),
            query: Vec::new(),
            body: None,
            problem: None,
        }
    }

    /// Fills the placeholder `{name}` with one segment.
    pub(crate) fn path(self, name: &str, value: &dyn Display) -> Self {
        let value = value.to_string();
        self.fill(name, &value, &[&value])
    }

    /// Fills the placeholder `{name}` with a path of its own; one slash at its start is not part of it.
    pub(crate) fn path_with_slashes(self, name: &str, value: &dyn Display) -> Self {
        let value = value.to_string();
        let segments: Vec<_> = value.strip_prefix('/').unwrap_or(&value).split('/').collect();
        self.fill(name, &value, &segments)
    }

    fn fill(mut self, name: &str, value: &str, segments: &[&str]) -> Self {
        if segments.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            self.refuse(name, value);
        }
        let encoded: Vec<_> =
            segments.iter().map(|segment| utf8_percent_encode(segment, SEGMENT).to_string()).collect();
        self.path = self.path.replace(&format!("{{{name}}}"), &encoded.join("/"));
        self
    }

    /// Adds a required query parameter.
    pub(crate) fn query(mut self, name: &str, value: &dyn Display) -> Self {
        let value = value.to_string();
        if value.is_empty() {
            self.refuse(name, &value);
        }
        self.query.push((name.to_owned(), value));
        self
    }

    /// Adds the optional query parameters that are set.
    pub(crate) fn query_object(mut self, query: &impl Serialize) -> Self {
        match serde_json::to_value(query) {
            Ok(Value::Object(parameters)) => {
                for (name, value) in parameters {
                    match value {
                        Value::Array(values) => {
                            self.query.extend(values.iter().map(|one| (name.clone(), text(one))))
                        }
                        value => self.query.push((name, text(&value))),
                    }
                }
            }
            Ok(_) => {}
            Err(error) => self.problem = Some(error.to_string()),
        }
        self
    }

    /// Sets a JSON body.
    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.body = Some(body),
            Err(error) => self.problem = Some(error.to_string()),
        }
        self
    }

    /// Sends the request and decodes the response.
    pub(crate) async fn send<T: DeserializeOwned>(self) -> Result<ResponseValue<T>, Error> {
        ResponseValue::from_response(self.response().await?).await
    }

    /// Sends the request; a success has nothing to say.
    pub(crate) async fn send_ignoring_body(self) -> Result<ResponseValue<()>, Error> {
        ResponseValue::ignoring_body(self.response().await?).await
    }

    fn refuse(&mut self, name: &str, value: &str) {
        let operation = self.operation.operation_id;
        let problem = match value {
            "" => format!("`{name}` of {operation} is empty"),
            _ => format!("`{name}` of {operation} has an empty, `.` or `..` segment: {value:?}"),
        };
        self.problem.get_or_insert(problem);
    }

    async fn response(self) -> Result<Response, Error> {
        let (client, operation) = (self.client, self.operation);
        let response = client.transport().send(self.request()?, operation).await?;
        if response.status.is_success() {
            return Ok(response);
        }
        let raw = response.body.read().await?;
        Err(Error::Api(Box::new(ApiError::new(response.status, response.headers, raw))))
    }

    fn request(self) -> Result<reqwest::Request, Error> {
        if let Some(problem) = self.problem {
            return Err(Error::InvalidRequest(problem));
        }
        let base_url = self.client.base_url();
        let mut url = reqwest::Url::parse(&format!("{base_url}{}", self.path))
            .map_err(|error| Error::InvalidRequest(format!("not a base URL, {error}: {base_url:?}")))?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.query);
        }
        let method = Method::from_bytes(self.operation.method.as_bytes())
            .map_err(|error| Error::InvalidRequest(error.to_string()))?;
        let mut request = reqwest::Request::new(method, url);
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::ACCEPT, json.clone());
        if let Some(body) = self.body {
            request.headers_mut().insert(header::CONTENT_TYPE, json);
            *request.body_mut() = Some(body.into());
        }
        Ok(request)
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    //! What the description does not use yet, on the generator's toy.

    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::{
        runtime::{Body, BoxFuture, Transport},
        toy::{OPERATIONS, types},
    };

    /// Answers 204 without a body and keeps methods and targets.
    #[derive(Debug, Default)]
    struct Silent(Mutex<Vec<String>>);

    impl Transport for Silent {
        fn send<'a>(
            &'a self,
            request: reqwest::Request,
            _: &'a OperationInfo,
        ) -> BoxFuture<'a, Result<Response, Error>> {
            let query = request.url().query().map(|query| format!("?{query}")).unwrap_or_default();
            self.0.lock().unwrap().push(format!("{} {}{query}", request.method(), request.url().path()));
            let status = http::StatusCode::NO_CONTENT;
            Box::pin(async move {
                Ok(Response { status, headers: Default::default(), body: Body::Bytes("".into()) })
            })
        }
    }

    fn toys() -> (Client, Arc<Silent>) {
        let transport = Arc::new(Silent::default());
        (Client::with_transport("https://toys.example", transport.clone()), transport)
    }

    #[tokio::test]
    async fn every_kind_of_argument_reaches_its_place() {
        let (client, transport) = toys();
        client.toys_list(types::Mood::VerySad, "a&b", &Default::default()).await.unwrap();
        client.toys_delete("a/b").await.unwrap();
        client.toys_update_part("x", -3, &Default::default()).await.unwrap();
        let expected = [
            "GET /api/2.0/toys?mood=very-sad&owner=a%26b",
            "DELETE /api/2.0/toys/a%2Fb",
            "PATCH /api/2.0/toys/x/parts/-3",
        ];
        assert_eq!(*transport.0.lock().unwrap(), expected);
        assert_eq!(OPERATIONS.len(), 6);
    }

    #[tokio::test]
    async fn a_wildcard_keeps_its_slashes_but_no_way_out() {
        let (client, transport) = toys();
        for path in ["/Volumes/a b/c", "Volumes/a%2Fb/…"] {
            client.toybox_list(path).await.unwrap();
        }
        let expected =
            ["GET /api/2.0/toybox/Volumes/a%20b/c", "GET /api/2.0/toybox/Volumes/a%252Fb/%E2%80%A6"];
        assert_eq!(*transport.0.lock().unwrap(), expected);
        for path in ["", "/", "a//b", "a/../b", "./a", "a/"] {
            let error = client.toybox_list(path).await.unwrap_err();
            assert!(matches!(error, Error::InvalidRequest(_)), "{path}: {error}");
        }
        assert_eq!(transport.0.lock().unwrap().len(), 2);
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
}

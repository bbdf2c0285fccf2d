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

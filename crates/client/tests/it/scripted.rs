//! A transport that answers from a script and keeps what was sent.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use brickwire_client::{Body, BoxFuture, Client, Error, OperationInfo, Response, Transport};
use http::{HeaderMap, StatusCode};

/// A request as it would travel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) operation: OperationInfo,
    pub(crate) method: String,
    /// Path and query, encoded.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Scripted {
    answers: Mutex<VecDeque<(u16, &'static str)>>,
    sent: Mutex<Vec<Sent>>,
}

impl Scripted {
    /// A client whose calls get `answers` in turn, each a status and a body.
    pub(crate) fn client(answers: &[(u16, &'static str)]) -> (Client, Arc<Self>) {
        let answers = Mutex::new(answers.iter().copied().collect());
        let transport = Arc::new(Self { answers, ..Self::default() });
        (Client::with_transport("https://example.cloud.databricks.com/", transport.clone()), transport)
    }

    /// A client with one answer.
    pub(crate) fn answering(status: u16, body: &'static str) -> Client {
        Self::client(&[(status, body)]).0
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }
}

impl Transport for Scripted {
    fn send<'a>(
        &'a self,
        request: reqwest::Request,
        operation: &'a OperationInfo,
    ) -> BoxFuture<'a, Result<Response, Error>> {
        let url = request.url();
        assert_eq!(url.origin().ascii_serialization(), "https://example.cloud.databricks.com");
        self.sent.lock().unwrap().push(Sent {
            operation: *operation,
            method: request.method().to_string(),
            target: url.as_str()[url.origin().ascii_serialization().len()..].to_owned(),
            headers: request.headers().clone(),
            body: request.body().map(|body| String::from_utf8(body.as_bytes().unwrap().to_vec()).unwrap()),
        });
        let (status, body) = self.answers.lock().unwrap().pop_front().unwrap_or((200, "{}"));
        let headers =
            HeaderMap::from_iter([(http::header::RETRY_AFTER, http::HeaderValue::from_static("7"))]);
        let response = Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Body::Bytes(body.into()),
        };
        Box::pin(async move { Ok(response) })
    }
}

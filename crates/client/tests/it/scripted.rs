//! A network that answers from a script and keeps what was sent.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use brickwire_client::{
    Client,
    wire::{BoxFuture, Exchange, Host, HttpOptions, RetryPolicy, StaticToken, Unanswered, Wire},
};
use http::HeaderMap;

/// A request as it would travel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
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
    /// A client whose requests get `answers` in turn, each a status and a body, and then empty objects.
    pub(crate) fn client(answers: &[(u16, &'static str)]) -> (Client, Arc<Self>) {
        let answers = Mutex::new(answers.iter().copied().collect());
        let network = Arc::new(Self { answers, ..Self::default() });
        let options = HttpOptions::new(Host::parse("https://example.cloud.databricks.com/").unwrap());
        let wire = Wire::builder(options).with_exchange(network.clone()).build().unwrap();
        (wire.with_credential(StaticToken::new("dapi-t0ken").unwrap()).into(), network)
    }

    /// A client with one answer.
    pub(crate) fn answering(status: u16, body: &'static str) -> Client {
        Self::client(&[(status, body)]).0.with_retry(RetryPolicy::never())
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }
}

impl Exchange for Scripted {
    fn exchange(&self, request: reqwest::Request) -> BoxFuture<'_, Result<reqwest::Response, Unanswered>> {
        let url = request.url();
        assert_eq!(url.origin().ascii_serialization(), "https://example.cloud.databricks.com");
        self.sent.lock().unwrap().push(Sent {
            method: request.method().to_string(),
            target: url.as_str()[url.origin().ascii_serialization().len()..].to_owned(),
            headers: request.headers().clone(),
            body: request.body().map(|body| String::from_utf8(body.as_bytes().unwrap().to_vec()).unwrap()),
        });
        let (status, body) = self.answers.lock().unwrap().pop_front().unwrap_or((200, "{}"));
        let answer = http::Response::builder().status(status).header("x-request-id", "r-1");
        Box::pin(std::future::ready(Ok(answer.body(body).unwrap().into())))
    }
}

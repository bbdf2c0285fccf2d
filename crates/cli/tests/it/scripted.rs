//! A server that answers as it is told and keeps every byte it was sent.

use std::sync::Arc;

use brickwire_testserver::{Request, Response};

use crate::program::Brick;

pub(crate) struct Server(brickwire_testserver::Server);

impl Server {
    /// Gives `answers` in turn, each a status, a content type and a body; the last one for good.
    pub(crate) fn answering(answers: &[(u16, &str, &[u8])]) -> Self {
        Self(brickwire_testserver::Server::script(answers.iter().map(|(status, content_type, body)| {
            Response::new(*status)
                .with_header("content-type", content_type)
                .with_header("x-scripted", "yes")
                .with_header("connection", "close")
                .with_body(body.to_vec())
        })))
    }

    /// Answers everything with JSON.
    pub(crate) fn json(body: &str) -> Self {
        Self::answering(&[(200, "application/json", body.as_bytes())])
    }

    /// Answers as the function says.
    pub(crate) fn handling(handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        Self(brickwire_testserver::Server::start(handler))
    }

    /// Answers with the JSON that the function returns for a method and a path, or else with 404.
    pub(crate) fn routing(route: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(brickwire_testserver::Server::start(move |request| {
            let (method, path) = (request.method.as_str(), request.path());
            match route(method, path) {
                Some(body) => Response::json(body),
                None => Response::new(404).with_body(format!("no route: {method} {path}")),
            }
        }))
    }

    /// `brick` with these arguments, connected to this server.
    pub(crate) fn brick(&self, arguments: &str) -> Brick {
        Brick::new(arguments).env("DATABRICKS_HOST", self.0.url()).env("DATABRICKS_TOKEN", "dapi-scripted")
    }

    pub(crate) fn url(&self) -> String {
        self.0.url()
    }

    /// Waits until a request for a path that ends so has arrived.
    pub(crate) fn until_sent(&self, end: &str) {
        self.0.log().block_until(|requests| requests.iter().any(|request| request.path().ends_with(end)));
    }

    /// Waits until so many requests have arrived.
    pub(crate) fn until_sent_times(&self, count: usize) {
        self.0.log().block_until(|requests| requests.len() >= count);
    }

    pub(crate) fn sent(&self) -> Vec<Arc<Request>> {
        self.0.requests()
    }

    /// The only request.
    #[track_caller]
    pub(crate) fn only(&self) -> Arc<Request> {
        self.0.only()
    }
}

//! A bare HTTP client with a token: no type of ours knows what the answers should look like.

use std::time::{Duration, Instant};

use brickwire_sandbox::{Delays, Sandbox, SandboxBuilder};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) token: String,
}

/// A sandbox without delays, and a client of its first workspace.
pub(crate) async fn start() -> (Sandbox, Client) {
    start_with(Sandbox::builder()).await
}

pub(crate) async fn start_with(builder: SandboxBuilder) -> (Sandbox, Client) {
    start_slow(builder.with_delays(Delays::NONE)).await
}

/// As [`start_with`], with the builder's delays.
pub(crate) async fn start_slow(builder: SandboxBuilder) -> (Sandbox, Client) {
    let sandbox = builder.start().await.expect("a sandbox starts");
    let client = Client::new(&sandbox, sandbox.token());
    (sandbox, client)
}

pub(crate) fn http() -> reqwest::Client {
    // Built with the rest of the workspace, reqwest has TLS without a provider and wants one even for plain http.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

impl Client {
    pub(crate) fn new(sandbox: &Sandbox, token: &str) -> Self {
        Self { http: http(), url: sandbox.url().to_owned(), token: token.to_owned() }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<Response> {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        read(self.send(Method::GET, path, None).await.expect("an answer")).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        read(self.send(Method::POST, path, Some(&body)).await.expect("an answer")).await
    }

    /// The body of an answer that must be 200.
    pub(crate) async fn got(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// The body of an answer that must be 200.
    pub(crate) async fn posted(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.post(path, body).await;
        assert_eq!(status, 200, "POST {path}: {answer}");
        answer
    }

    /// Asks until the answer is as wanted; the requests themselves are the pause.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let since = Instant::now();
        loop {
            let body = self.got(path).await;
            if wanted(&body) {
                return body;
            }
            assert!(since.elapsed() < Duration::from_secs(120), "still: {body}");
        }
    }
}

pub(crate) async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

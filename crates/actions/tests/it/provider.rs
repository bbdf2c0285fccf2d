//! A fake host: an OAuth server, and one API operation that accepts only the newest token.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use brickwire_testserver::{Request, Response, Server};
use bytes::Bytes;
use reqwest::Url;
use serde_json::{Value, json};

/// The host's answers.
#[derive(Default)]
pub(crate) struct State {
    /// The number of the newest token; all others are refused.
    pub(crate) tokens: u32,
    /// The value of `expires_in`.
    pub(crate) life: u32,
    /// The metadata of the host, and of its OAuth server.
    pub(crate) config: Option<Value>,
    pub(crate) server: Option<Value>,
    /// The target of redirects of the token endpoint, and of the API.
    pub(crate) redirect: Option<String>,
    pub(crate) api_redirect: Option<String>,
    /// The first answers of the token endpoint: status and body.
    pub(crate) refusals: Vec<(u16, &'static str)>,
    /// The valid refresh token.
    pub(crate) refresh: Option<String>,
}

pub(crate) struct Provider {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    server: Server,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Mutex::new(State { life: 3600, ..State::default() }));
        let shared = state.clone();
        let server = Server::start(move |request| shared.lock().unwrap().answer(request));
        Self { url: server.url(), state, server }
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    /// The number of requests for this path.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|request| request.path() == path).count()
    }

    pub(crate) fn seen(&self) -> Vec<Arc<Request>> {
        self.server.requests()
    }
}

/// The fields of a form.
pub(crate) fn form(request: &Request) -> HashMap<String, String> {
    let form = Url::parse(&format!("http://form/?{}", request.text())).unwrap();
    form.query_pairs().into_owned().collect()
}

impl State {
    fn answer(&mut self, request: &Request) -> Response {
        let page = |page: &Option<Value>| match page {
            Some(json) => reply(200, json.to_string()),
            None => reply(404, "{}"),
        };
        match request.path() {
            "/.well-known/databricks-config" => page(&self.config),
            "/oidc/.well-known/oauth-authorization-server" => page(&self.server),
            "/oidc/v1/token" => {
                if let Some(to) = &self.redirect {
                    return Response::new(307).with_header("location", to);
                }
                if !self.refusals.is_empty() {
                    let (status, body) = self.refusals.remove(0);
                    return reply(status, body);
                }
                let form = form(request);
                if form["grant_type"] == "refresh_token" && form.get("refresh_token") != self.refresh.as_ref()
                {
                    return reply(400, r#"{"error":"invalid_grant"}"#);
                }
                self.tokens += 1;
                let mut answer = json!({
                    "access_token": format!("token-{}", self.tokens), "token_type": "Bearer", "expires_in": self.life
                });
                if form["grant_type"] != "client_credentials" {
                    self.refresh = Some(format!("refresh-{}", self.tokens));
                    answer["refresh_token"] = self.refresh.clone().into();
                }
                reply(200, answer.to_string())
            }
            path if path.ends_with("/Me") => {
                if let Some(to) = &self.api_redirect {
                    return Response::new(302).with_header("location", to);
                }
                let good = format!("Bearer token-{}", self.tokens);
                if request.header("authorization") == Some(&good) {
                    reply(200, r#"{"id":"1","userName":"someone"}"#)
                } else {
                    reply(401, r#"{"error_code":"UNAUTHENTICATED","message":"ended"}"#)
                }
            }
            _ => reply(404, "{}"),
        }
    }
}

fn reply(status: u16, body: impl Into<Bytes>) -> Response {
    Response::new(status).with_header("content-type", "application/json").with_body(body)
}

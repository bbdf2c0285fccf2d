//! A pretend host: an OAuth server and one API call, which only the newest token may make.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use reqwest::Url;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the pretend host does, and what it has seen.
#[derive(Default)]
pub(crate) struct State {
    /// Every request: method, path and query, headers, form.
    pub(crate) seen: Vec<Seen>,
    /// The number of the newest token; others are refused.
    pub(crate) tokens: u32,
    /// What `expires_in` says.
    pub(crate) life: u32,
    /// What the host says of itself, and of its OAuth server.
    pub(crate) config: Option<serde_json::Value>,
    pub(crate) server: Option<serde_json::Value>,
    /// Where the token endpoint redirects to.
    pub(crate) redirect: Option<String>,
    /// Answers of the token endpoint that come first: status and body.
    pub(crate) refusals: Vec<(u16, &'static str)>,
    /// The good refresh token.
    pub(crate) refresh: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) form: HashMap<String, String>,
}

#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) url: String,
    pub(crate) state: Arc<Mutex<State>>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self { url, state: Arc::new(Mutex::new(State { life: 3600, ..State::default() })) };
        let serving = provider.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let provider = serving.clone();
                tokio::spawn(async move { provider.serve(stream).await });
            }
        });
        provider
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    /// How many requests came for that path.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.state.lock().unwrap().seen.iter().filter(|s| s.target.split('?').next() == Some(path)).count()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    async fn serve(&self, mut stream: TcpStream) {
        while let Some(seen) = read(&mut stream).await {
            let (status, header, body) = self.answer(&seen);
            let text = format!(
                "HTTP/1.1 {status} X\r\n{header}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            if stream.write_all(text.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, seen: &Seen) -> (u16, String, String) {
        let mut state = self.state.lock().unwrap();
        state.seen.push(seen.clone());
        let page = |page: &Option<serde_json::Value>| match page {
            Some(json) => (200, String::new(), json.to_string()),
            None => (404, String::new(), "{}".to_owned()),
        };
        match seen.target.split('?').next().unwrap() {
            "/.well-known/databricks-config" => page(&state.config),
            "/oidc/.well-known/oauth-authorization-server" => page(&state.server),
            "/oidc/v1/token" => {
                if let Some(to) = &state.redirect {
                    return (307, format!("Location: {to}\r\n"), String::new());
                }
                if !state.refusals.is_empty() {
                    let (status, body) = state.refusals.remove(0);
                    return (status, String::new(), body.to_owned());
                }
                if seen.form["grant_type"] == "refresh_token"
                    && seen.form.get("refresh_token") != state.refresh.as_ref()
                {
                    return (400, String::new(), r#"{"error":"invalid_grant"}"#.to_owned());
                }
                state.tokens += 1;
                let mut answer = json!({
                    "access_token": format!("token-{}", state.tokens), "token_type": "Bearer", "expires_in": state.life
                });
                if seen.form["grant_type"] != "client_credentials" {
                    state.refresh = Some(format!("refresh-{}", state.tokens));
                    answer["refresh_token"] = state.refresh.clone().into();
                }
                (200, String::new(), answer.to_string())
            }
            path if path.ends_with("/Me") => {
                let good = format!("Bearer token-{}", state.tokens);
                if seen.headers.get("authorization") == Some(&good) {
                    (200, String::new(), json!({"id": "1", "userName": "someone"}).to_string())
                } else {
                    (
                        401,
                        String::new(),
                        json!({"error_code": "UNAUTHENTICATED", "message": "ended"}).to_string(),
                    )
                }
            }
            _ => (404, String::new(), "{}".to_owned()),
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let mut first = lines.next()?.split(' ').map(str::to_owned);
            let (method, target) = (first.next()?, first.next()?);
            let headers: HashMap<_, _> = lines
                .filter_map(|l| l.split_once(": "))
                .map(|(k, v)| (k.to_ascii_lowercase(), v.to_owned()))
                .collect();
            let length = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                let form = Url::parse(&format!("http://form/?{body}")).unwrap();
                let form = form.query_pairs().into_owned().collect();
                return Some(Seen { method, target, headers, form });
            }
        }
        let count = stream.read(&mut part).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&part[..count]);
    }
}

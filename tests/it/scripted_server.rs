//! Two HTTP servers on loopback that play one script, a reply for each request, and write down what came.

use std::{
    io::Write as _,
    sync::{Arc, Mutex},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_testserver::{ClosedPort, End, Log, Request, Response, Server};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) server: &'static str,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Recorded {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The servers `base` and `foreign`, and a port where nobody listens.
pub(crate) struct ScriptedServer {
    base: Server,
    foreign: Server,
    closed: ClosedPort,
    script: Arc<Mutex<Vec<Value>>>,
    log: Log,
}

impl ScriptedServer {
    pub(crate) fn start() -> Self {
        let (script, log) = (Arc::<Mutex<Vec<Value>>>::default(), Log::default());
        let serve = || {
            let script = script.clone();
            Server::start_with_log(&log, move |request| {
                assert!(request.header("transfer-encoding").is_none(), "a body of unknown length");
                let script = script.lock().unwrap();
                response(script.get(request.number).or(script.last()).unwrap_or(&Value::Null))
            })
        };
        Self { base: serve(), foreign: serve(), closed: ClosedPort::reserve(), script, log }
    }

    /// Sets the replies, one for each request in order; the last one repeats.
    pub(crate) fn play(&self, script: &Value) {
        *self.script.lock().unwrap() = script.as_array().unwrap().clone();
    }

    /// Puts the servers' addresses in the place of a vector's placeholders.
    pub(crate) fn fill_in(&self, vector: &Value) -> Value {
        let mut text = vector.to_string();
        for (name, authority) in [
            ("base", self.base.authority()),
            ("foreign", self.foreign.authority()),
            ("closed", self.closed.authority()),
        ] {
            text = text
                .replace(&format!("{{{{{name}}}}}"), &format!("http://{authority}"))
                .replace(&format!("{{{{{name}_authority}}}}"), &authority);
        }
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn base(&self) -> String {
        self.base.url()
    }

    pub(crate) fn closed(&self) -> String {
        format!("http://{}", self.closed.authority())
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.log.requests().iter().map(|request| self.recorded(request)).collect()
    }

    fn recorded(&self, request: &Request) -> Recorded {
        Recorded {
            server: if request.authority == self.base.authority() { "base" } else { "foreign" },
            method: request.method.clone(),
            path: request.path().to_owned(),
            query: request.query().to_owned(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        }
    }

    /// The requests to both servers, to wait for.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }
}

fn response(step: &Value) -> Response {
    let has = |key: &str| step[key].as_bool() == Some(true);
    for (key, end) in [("reset", End::Reset), ("close", End::Close), ("hang", End::Stall)] {
        if has(key) {
            return Response::none(end);
        }
    }
    let mut status = step["status"].as_u64().unwrap_or(200);
    let mut headers = vec![("connection".to_owned(), "close".to_owned())];
    if let Some(target) = step["status"].as_str().and_then(|text| text.strip_prefix("redirect to ")) {
        status = step["redirect_status"].as_u64().unwrap_or(302);
        headers.push(("location".to_owned(), target.to_owned()));
    }
    for (name, value) in step["headers"].as_object().into_iter().flatten() {
        headers.push((name.to_lowercase(), value.as_str().unwrap().to_owned()));
    }
    let mut body = match (&step["body"], &step["body_base64"]) {
        (Value::Null, Value::String(base64)) => BASE64_STANDARD.decode(base64).unwrap(),
        (Value::Null, _) if step["status"].is_string() => Vec::new(),
        (Value::Null, _) => br#"{"ok":true}"#.to_vec(),
        (Value::String(text), _) => text.clone().into_bytes(),
        (json, _) => json.to_string().into_bytes(),
    };
    if step["gzip"].as_bool() == Some(true) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&body).unwrap();
        body = encoder.finish().unwrap();
        headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
    }
    if !headers.iter().any(|(name, _)| name == "content-type") && step["no_content_type"].is_null() {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    if has("truncate") || has("stallBody") {
        headers.push(("content-length".to_owned(), (body.len() + 10).to_string()));
    }
    let response = Response::new(u16::try_from(status).unwrap()).with_body(body);
    let response = headers.iter().fold(response, |response, (name, value)| response.with_header(name, value));
    if has("stallBody") { response.with_end(End::Stall) } else { response }
}

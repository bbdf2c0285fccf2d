//! A scripted statement API and its object store, on loopback. What a test doesn't script is answered correctly.

use std::{
    sync::{Arc, Mutex},
    time::SystemTime,
};

use brickwire_actions::{Connection, Events, Workspace};
use brickwire_testserver::{Log, Request, Response, Server};
use brickwire_wire::time;
use bytes::Bytes;
use serde_json::{Value, json};

/// A secret that no error, event or debug text may contain.
pub(super) const HUSH: &str = "hush-hush";
pub(super) const ID: &str = "01f0-abc";

pub(super) fn reply(status: u16, body: impl Into<Bytes>) -> Response {
    Response::new(status).with_body(body)
}

pub(super) fn reply_json(value: &Value) -> Response {
    Response::json(value.to_string())
}

type Script = Box<dyn Fn(&Request, usize) -> Option<Response> + Send + Sync>;

/// What the service has, and what it does wrong.
pub(super) struct Service {
    pub(super) format: &'static str,
    /// The body of each chunk, and how many rows it has.
    pub(super) chunks: Vec<(Vec<u8>, u64)>,
    pub(super) columns: Value,
    pub(super) inline: bool,
    /// The lifetime of a link, in seconds.
    pub(super) life: u64,
    /// Changes to the manifest.
    pub(super) manifest: Value,
    /// The reply to a request, of which as many came before; `None` for the correct one.
    pub(super) script: Script,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            format: "JSON_ARRAY",
            chunks: Vec::new(),
            columns: json!([{ "name": "id", "type_name": "LONG" }, { "name": "note", "type_name": "STRING" }]),
            inline: false,
            life: 900,
            manifest: json!({}),
            script: Box::new(|_, _| None),
        }
    }
}

impl Service {
    /// Chunks of the rows `["0", "row 0"]`, `["1", "row 1"]` and so on.
    pub(super) fn of_rows(chunks: usize, rows: usize) -> Self {
        let chunk = |c: usize| {
            let rows: Vec<_> =
                (c * rows..(c + 1) * rows).map(|i| json!([i.to_string(), format!("row {i}")])).collect();
            (Value::from(rows.clone()).to_string().into_bytes(), rows.len() as u64)
        };
        Self { chunks: (0..chunks).map(chunk).collect(), ..Self::default() }
    }

    pub(super) fn scripted(
        self,
        script: impl Fn(&Request, usize) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        Self { script: Box::new(script), ..self }
    }

    pub(super) async fn start(self) -> Running {
        let log = Log::default();
        let earlier = log.clone();
        let server = Server::start_with_log(&log, move |request| {
            self.respond(request, &earlier.requests()[..request.number])
        });
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let sink = seen.clone();
        let workspace = Workspace::builder()
            .connection(Connection::token(&server.url(), "dapi-secret").unwrap())
            .with_events(Events::new(move |event| sink.lock().unwrap().push(format!("{event:?}"))))
            .build()
            .unwrap();
        Running { workspace, server, seen }
    }

    fn respond(&self, request: &Request, earlier: &[Arc<Request>]) -> Response {
        let cancelled = earlier.iter().any(|r| r.target.ends_with("/cancel"));
        let before =
            earlier.iter().filter(|r| r.target == request.target && r.method == request.method).count();
        let ended = json!({ "statement_id": ID, "status": { "state": "CANCELED" } });
        let scripted = match request.method.as_str() {
            "HEAD" => None,
            "GET" if cancelled && request.target.ends_with(ID) => Some(reply_json(&ended)),
            _ => (self.script)(request, before),
        };
        scripted.unwrap_or_else(|| self.correct(request))
    }

    fn correct(&self, request: &Request) -> Response {
        let base = &format!("http://{}", request.authority);
        let words: Vec<_> = request.target.split(['/', '?']).skip(1).collect();
        match (request.method.as_str(), &words[..]) {
            // A link that is signed for `GET` is refused.
            ("HEAD", ["store", ..]) => reply(403, ""),
            ("POST", ["api", "2.0", "sql", "statements"])
            | ("GET", ["api", "2.0", "sql", "statements", ID]) => reply_json(&self.succeeded(base)),
            ("GET", ["api", "2.0", "sql", "statements", ID, "result", "chunks", index]) => {
                reply_json(&self.chunk(index.parse().unwrap(), base))
            }
            ("POST", ["api", "2.0", "sql", "statements", ID, "cancel"]) => reply_json(&json!({})),
            ("GET", ["store", index, ..]) => {
                let body = &self.chunks[index.parse::<usize>().unwrap()].0;
                match request.header("range").and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')) {
                    None => reply(200, body.clone()),
                    Some(from) => reply(206, body[from.parse::<usize>().unwrap()..].to_vec()).with_header(
                        "content-range",
                        &format!("bytes {from}-{}/{}", body.len() - 1, body.len()),
                    ),
                }
            }
            _ => reply(404, "{}"),
        }
    }

    fn succeeded(&self, base: &str) -> Value {
        let listed = self.chunks.iter().enumerate();
        let chunks: Vec<_> =
            listed.map(|(i, (_, rows))| json!({ "chunk_index": i, "row_count": rows })).collect();
        let mut manifest = json!({
            "format": self.format,
            "schema": { "columns": self.columns },
            "total_chunk_count": chunks.len(),
            "total_row_count": self.chunks.iter().map(|(_, rows)| rows).sum::<u64>(),
            "chunks": chunks,
        });
        for (name, value) in self.manifest.as_object().unwrap() {
            manifest[name] = value.clone();
        }
        let result = if self.chunks.is_empty() { json!({}) } else { self.chunk(0, base) };
        json!({ "statement_id": ID, "status": { "state": "SUCCEEDED" }, "manifest": manifest, "result": result })
    }

    pub(super) fn chunk(&self, index: usize, base: &str) -> Value {
        let (body, rows) = &self.chunks[index];
        if self.inline {
            let rows_of: Value = serde_json::from_slice(body).unwrap();
            return json!({ "chunk_index": index, "row_count": rows, "data_array": rows_of });
        }
        let end = SystemTime::now() + std::time::Duration::from_secs(self.life);
        json!({ "external_links": [{
            "chunk_index": index, "row_count": rows, "expiration": time::format_rfc3339(end),
            "external_link": format!("{base}/store/{index}?sig={HUSH}"),
            "http_headers": { "x-store-key": HUSH },
        }] })
    }
}

pub(super) struct Running {
    pub(super) workspace: Workspace,
    server: Server,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Running {
    pub(super) fn requests(&self, part: &str) -> Vec<Arc<Request>> {
        let mut requests = self.server.requests();
        requests.retain(|r| r.method != "HEAD" && r.target.contains(part));
        requests
    }

    /// Waits until such a request has arrived.
    pub(super) async fn until_requested(&self, is_meant: impl Fn(&Request) -> bool) {
        self.server.log().until(|requests| requests.iter().any(|request| is_meant(request))).await;
    }

    /// The requests that only opened a connection to the store.
    pub(super) fn openings(&self) -> Vec<Arc<Request>> {
        let mut requests = self.server.requests();
        requests.retain(|r| r.method == "HEAD");
        requests
    }

    pub(super) fn submissions(&self) -> Vec<Value> {
        let all = self.requests("/api/2.0/sql/statements");
        let posts = all.iter().filter(|r| r.method == "POST" && r.target.ends_with("/statements"));
        posts.map(|r| serde_json::from_slice(&r.body).unwrap()).collect()
    }

    pub(super) fn events(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// The number of cancellations, once all that are under way have been sent.
    pub(super) async fn cancellations(&self) -> usize {
        self.workspace.settle(std::time::Duration::from_secs(10)).await;
        self.requests("/cancel").len()
    }
}

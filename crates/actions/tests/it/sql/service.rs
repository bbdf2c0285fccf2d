//! A scripted statement API and its store, on loopback: what a test doesn't script is done right.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use brickwire_actions::{Connection, Events, Workspace};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// What no error, event or debug text may hold.
pub(super) const HUSH: &str = "hush-hush";
pub(super) const ID: &str = "01f0-abc";

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: String,
}

#[derive(Debug, Clone)]
pub(super) struct Reply {
    status: u16,
    headers: String,
    body: Vec<u8>,
    /// Only so many bytes of the body are sent.
    cut: Option<usize>,
    /// After a cut the connection stays open, without a word.
    silent: bool,
    /// Not before there is a permit.
    gate: Option<Arc<Semaphore>>,
}

impl Reply {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: String::new(), body: body.into(), cut: None, silent: false, gate: None }
    }

    pub(super) fn json(value: &Value) -> Self {
        Self::new(200, value.to_string()).with_header("content-type", "application/json")
    }

    pub(super) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }

    pub(super) fn cut(mut self, at: usize) -> Self {
        self.cut = Some(at);
        self
    }

    pub(super) fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    pub(super) fn gated(mut self, gate: &Arc<Semaphore>) -> Self {
        self.gate = Some(gate.clone());
        self
    }
}

type Script = Box<dyn Fn(&Request, usize) -> Option<Reply> + Send + Sync>;

/// What the service has, and does otherwise than right.
pub(super) struct Service {
    pub(super) format: &'static str,
    /// Bodies and their numbers of rows.
    pub(super) chunks: Vec<(Vec<u8>, u64)>,
    pub(super) columns: Value,
    pub(super) inline: bool,
    /// Seconds that a link lives.
    pub(super) life: u64,
    /// Changes to the manifest.
    pub(super) manifest: Value,
    /// A reply to a request, with how many came to that path before; else the right one.
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
    /// Chunks of rows `["0", "row 0"]`, …
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
        script: impl Fn(&Request, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self { script: Box::new(script), ..self }
    }

    pub(super) async fn start(self) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log: Log = Arc::default();
        let (service, requests, base) = (Arc::new(self), log.clone(), url.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, service.clone(), requests.clone(), base.clone()));
            }
        });
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let sink = told.clone();
        let workspace = Workspace::builder(Connection::token(&url, "dapi-secret").unwrap())
            .with_events(Events::new(move |event| sink.lock().unwrap().push(format!("{event:?}"))))
            .build()
            .unwrap();
        Running { workspace, log, told }
    }

    fn reply(&self, request: &Request, base: &str) -> Reply {
        let words: Vec<_> = request.path.split(['/', '?']).skip(1).collect();
        match (request.method.as_str(), &words[..]) {
            // As a store answers that signed the link for `GET`.
            ("HEAD", ["store", ..]) => Reply::new(403, ""),
            ("POST", ["api", "2.0", "sql", "statements"])
            | ("GET", ["api", "2.0", "sql", "statements", ID]) => Reply::json(&self.succeeded(base)),
            ("GET", ["api", "2.0", "sql", "statements", ID, "result", "chunks", index]) => {
                Reply::json(&self.chunk(index.parse().unwrap(), base))
            }
            ("POST", ["api", "2.0", "sql", "statements", ID, "cancel"]) => Reply::json(&json!({})),
            ("GET", ["store", index, ..]) => {
                let body = &self.chunks[index.parse::<usize>().unwrap()].0;
                match request.headers.get("range").and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')) {
                    None => Reply::new(200, body.clone()),
                    Some(from) => Reply::new(206, &body[from.parse::<usize>().unwrap()..]).with_header(
                        "content-range",
                        &format!("bytes {from}-{}/{}", body.len() - 1, body.len()),
                    ),
                }
            }
            _ => Reply::new(404, "{}"),
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
        // RFC 3339 from what an HTTP date says: the year and the like stand in fixed places.
        let date = httpdate(end);
        json!({ "external_links": [{
            "chunk_index": index, "row_count": rows, "expiration": date,
            "external_link": format!("{base}/store/{index}?sig={HUSH}"),
            "http_headers": { "x-store-key": HUSH },
        }] })
    }
}

/// Seconds since the epoch as RFC 3339, by counting days.
fn httpdate(at: SystemTime) -> String {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let (mut days, time) = (seconds / 86_400, seconds % 86_400);
    let leap = |y: u64| y.is_multiple_of(4) && !y.is_multiple_of(100) || y.is_multiple_of(400);
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    format!(
        "{year}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        month + 1,
        days + 1,
        time / 3600,
        time / 60 % 60,
        time % 60
    )
}

type Log = Arc<Mutex<Vec<Request>>>;

pub(super) struct Running {
    pub(super) workspace: Workspace,
    log: Log,
    told: Arc<Mutex<Vec<String>>>,
}

impl Running {
    pub(super) fn requests(&self, part: &str) -> Vec<Request> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|r| r.method != "HEAD" && r.path.contains(part)).cloned().collect()
    }

    /// The requests that only opened a connection to the store.
    pub(super) fn openings(&self) -> Vec<Request> {
        self.log.lock().unwrap().iter().filter(|r| r.method == "HEAD").cloned().collect()
    }

    pub(super) fn submissions(&self) -> Vec<Value> {
        let all = self.requests("/api/2.0/sql/statements");
        let posts = all.iter().filter(|r| r.method == "POST" && r.path.ends_with("/statements"));
        posts.map(|r| serde_json::from_str(&r.body).unwrap()).collect()
    }

    pub(super) fn events(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    /// The number of cancellations, once all that are under way were sent.
    pub(super) async fn cancellations(&self) -> usize {
        self.workspace.settle(std::time::Duration::from_secs(10)).await;
        self.requests("/cancel").len()
    }
}

async fn serve(mut stream: TcpStream, service: Arc<Service>, log: Log, base: String) {
    let mut seen = Vec::new();
    while let Some(request) = read(&mut stream, &mut seen).await {
        let (before, cancelled) = {
            let mut log = log.lock().unwrap();
            let cancelled = log.iter().any(|r| r.path.ends_with("/cancel"));
            let before = log.iter().filter(|r| r.path == request.path && r.method == request.method).count();
            log.push(request.clone());
            (before, cancelled)
        };
        let ended = json!({ "statement_id": ID, "status": { "state": "CANCELED" } });
        let scripted = match request.method.as_str() {
            "HEAD" => None,
            "GET" if cancelled && request.path.ends_with(ID) => Some(Reply::json(&ended)),
            _ => (service.script)(&request, before),
        };
        let reply = scripted.unwrap_or_else(|| service.reply(&request, &base));
        if let Some(gate) = &reply.gate {
            gate.acquire().await.unwrap().forget();
        }
        let head = format!(
            "HTTP/1.1 {} x\r\n{}content-length: {}\r\n\r\n",
            reply.status,
            reply.headers,
            reply.body.len()
        );
        let body = &reply.body[..reply.cut.unwrap_or(reply.body.len())];
        if stream.write_all(head.as_bytes()).await.is_err() || stream.write_all(body).await.is_err() {
            return;
        }
        if reply.silent {
            std::future::pending::<()>().await;
        }
        if reply.cut.is_some() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream, seen: &mut Vec<u8>) -> Option<Request> {
    let end = loop {
        if let Some(end) = seen.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(seen).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(seen.drain(..end + 4).collect()).unwrap();
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: HashMap<_, _> =
        lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
    let length = headers.get("content-length").map_or(0, |l| l.parse().unwrap());
    while seen.len() < length {
        if stream.read_buf(seen).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(seen.drain(..length).collect()).unwrap();
    Some(Request { method, path, headers, body })
}

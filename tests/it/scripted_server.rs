//! Two HTTP servers on loopback that play one script, a reply for each request, and write down what came.
//!
//! Raw TCP, for the replies that no HTTP library gives: a reset, a close without an answer, silence, a body cut short.

use std::{
    io::Write as _,
    sync::{Arc, Mutex},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

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
    base: String,
    foreign: String,
    closed: String,
    shared: Arc<Shared>,
    arrived: watch::Receiver<usize>,
    _tasks: JoinSet<()>,
}

struct Shared {
    script: Mutex<Vec<Value>>,
    requests: Mutex<Vec<Recorded>>,
    arrived: watch::Sender<usize>,
}

impl ScriptedServer {
    pub(crate) async fn start() -> Self {
        let (arrived, watched) = watch::channel(0);
        let shared = Arc::new(Shared { script: Mutex::default(), requests: Mutex::default(), arrived });
        let mut tasks = JoinSet::new();
        let mut addresses = Vec::new();
        for name in ["base", "foreign"] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.push(listener.local_addr().unwrap().to_string());
            tasks.spawn(serve(listener, name, shared.clone()));
        }
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
        let foreign = addresses.remove(1);
        Self { base: addresses.remove(0), foreign, closed, shared, arrived: watched, _tasks: tasks }
    }

    /// Sets the replies, one for each request in order; the last one repeats.
    pub(crate) fn play(&self, script: &Value) {
        *self.shared.script.lock().unwrap() = script.as_array().unwrap().clone();
    }

    /// Puts the servers' addresses in the place of a vector's placeholders.
    pub(crate) fn fill_in(&self, vector: &Value) -> Value {
        let mut text = vector.to_string();
        for (name, authority) in [("base", &self.base), ("foreign", &self.foreign), ("closed", &self.closed)]
        {
            text = text
                .replace(&format!("{{{{{name}}}}}"), &format!("http://{authority}"))
                .replace(&format!("{{{{{name}_authority}}}}"), authority);
        }
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.base)
    }

    pub(crate) fn closed(&self) -> String {
        format!("http://{}", self.closed)
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Waits until such a request has come.
    pub(crate) async fn saw(&self, is_such: impl Fn(&Recorded) -> bool) {
        let come = |_: &usize| self.shared.requests.lock().unwrap().iter().any(&is_such);
        self.arrived.clone().wait_for(come).await.unwrap();
    }

    /// Waits until that many requests have come.
    pub(crate) async fn arrived(&self, count: usize) {
        self.arrived.clone().wait_for(|seen| *seen >= count).await.unwrap();
    }
}

async fn serve(listener: TcpListener, name: &'static str, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let shared = shared.clone();
        connections.spawn(async move {
            // An error here is the client gone, which is its right.
            let _ = converse(stream, name, &shared).await;
        });
    }
}

async fn converse(mut stream: TcpStream, name: &'static str, shared: &Shared) -> std::io::Result<()> {
    let Some(request) = read_request(&mut stream, name).await? else { return Ok(()) };
    let is_head = request.method == "HEAD";
    let step = {
        let mut requests = shared.requests.lock().unwrap();
        let script = shared.script.lock().unwrap();
        let step = script.get(requests.len()).or(script.last()).cloned().unwrap_or_default();
        requests.push(request);
        shared.arrived.send_replace(requests.len());
        step
    };
    let has = |key: &str| step[key].as_bool() == Some(true);
    if has("reset") {
        return stream.set_zero_linger();
    }
    if has("close") {
        return Ok(());
    }
    if !has("hang") {
        let (head, body) = reply(&step);
        stream.write_all(head.as_bytes()).await?;
        if !is_head {
            stream.write_all(&body).await?;
        }
        if !has("stallBody") {
            return stream.shutdown().await;
        }
    }
    // Silence, until the client gives up.
    while stream.read(&mut [0; 1024]).await? > 0 {}
    Ok(())
}

fn reply(step: &Value) -> (String, Vec<u8>) {
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
    let is_cut = ["truncate", "stallBody"].iter().any(|key| step[key].as_bool() == Some(true));
    let length = body.len() + if is_cut { 10 } else { 0 };
    if status != 304 {
        headers.push(("content-length".to_owned(), length.to_string()));
    }
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    (format!("HTTP/1.1 {status} Scripted\r\n{lines}\r\n"), body)
}

async fn read_request(stream: &mut TcpStream, server: &'static str) -> std::io::Result<Option<Recorded>> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head: String = bytes[..head_end].iter().map(|byte| char::from(*byte)).collect();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let (method, target) = (first.next().unwrap().to_owned(), first.next().unwrap().to_owned());
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse::<usize>().unwrap());
    assert!(!headers.iter().any(|(name, _)| name == "transfer-encoding"), "a body of unknown length");
    let mut body = bytes.split_off(head_end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Ok(None);
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    Ok(Some(Recorded { server, method, path, query, headers, body }))
}

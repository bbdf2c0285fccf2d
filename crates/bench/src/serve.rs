//! A stand-in for the statement API and its store, from memory, on loopback.
//!
//! It runs no SQL. `name=value` words in the statement say what to serve and over which network: `rows`, `latency_ms`
//! (before every answer), `connect_ms` (before the first of a connection, in addition), `mbps` (of each connection).
//! A chunk's link is told one by one, as the service does. The store refuses a request that carries a token.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    Failure,
    data::{self, Chunk, Format, Shape},
    http::{Head, read_head},
};

type Table = Arc<OnceLock<Vec<Chunk>>>;

#[derive(Default)]
struct Server {
    base: String,
    tables: Mutex<HashMap<Shape, Table>>,
    statements: Mutex<Vec<Arc<Statement>>>,
}

struct Statement {
    table: Table,
    format: Format,
    inline: bool,
    network: Network,
}

#[derive(Debug, Clone, Copy, Default)]
struct Network {
    latency: Duration,
    connect: Duration,
    bytes_per_second: Option<f64>,
}

/// Serves until it is killed.
pub(crate) fn serve() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let base = format!("http://{}", listener.local_addr()?);
    println!("{base}");
    let server = Arc::new(Server { base, ..Server::default() });
    for stream in listener.incoming() {
        let (server, stream) = (server.clone(), stream?);
        // A connection that breaks is its client's business.
        std::thread::spawn(move || server.connection(stream).ok());
    }
    Ok(())
}

/// A body in pieces: chunks go out as they lie in memory.
type Parts<'a> = Vec<Cow<'a, [u8]>>;

fn text<'a>(text: impl Into<String>) -> Cow<'a, [u8]> {
    Cow::Owned(text.into().into_bytes())
}

impl Server {
    fn connection(&self, stream: TcpStream) -> Result<(), Failure> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        let mut first = true;
        while let Some(head) = read_head(&mut reader)? {
            let mut body = vec![0; head.length];
            reader.read_exact(&mut body)?;
            let statement = self.statement(&head, &body)?;
            let network = statement.as_ref().map(|s| s.1.network).unwrap_or_default();
            let (status, parts) = match &statement {
                Some((id, statement)) => self.answer(&head, *id, statement)?,
                None => ("200 x", vec![text("{}")]),
            };
            std::thread::sleep(network.latency + if first { network.connect } else { Duration::ZERO });
            first = false;
            write(reader.get_mut(), status, &parts, network)?;
        }
        Ok(())
    }

    /// The statement that a request is about: a new one, or the one in its path.
    fn statement(&self, head: &Head, body: &[u8]) -> Result<Option<(usize, Arc<Statement>)>, Failure> {
        let path = head.line.split(' ').nth(1).unwrap_or_default();
        let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        if head.line.starts_with("POST") && path == "/api/2.0/sql/statements" {
            let request: Value = serde_json::from_slice(body)?;
            let sql = request["statement"].as_str().unwrap_or_default();
            let word = |name: &str| {
                let words = sql.split([' ', ',']).filter_map(|word| word.split_once('='));
                words.filter(|(n, _)| *n == name).find_map(|(_, value)| value.parse::<f64>().ok())
            };
            let wait = |name: &str| Duration::from_secs_f64(word(name).unwrap_or_default() / 1000.0);
            let format = if request["format"] == "ARROW_STREAM" { Format::Arrow } else { Format::Json };
            let rows = word("rows").unwrap_or(1000.0) as u64;
            let packed = format == Format::Arrow && request["result_compression"] == "LZ4_FRAME";
            let shape = Shape { rows, format, packed };
            let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
            let table = tables.entry(shape.clone()).or_default().clone();
            drop(tables);
            if table.get().is_none() {
                let chunks = data::build(&shape)?;
                table.get_or_init(|| chunks);
            }
            let network = Network {
                latency: wait("latency_ms"),
                connect: wait("connect_ms"),
                bytes_per_second: word("mbps").map(|mbps| mbps * 1e6),
            };
            let inline = request["disposition"] == "INLINE";
            statements.push(Arc::new(Statement { table, format, inline, network }));
            return Ok(statements.last().map(|s| (statements.len() - 1, s.clone())));
        }
        let mut words = path.split('/');
        let id = words.find_map(|word| word.strip_prefix("bench-")?.parse::<usize>().ok());
        Ok(id.and_then(|id| Some((id, statements.get(id)?.clone()))))
    }

    fn answer<'a>(
        &self,
        head: &Head,
        id: usize,
        statement: &'a Statement,
    ) -> Result<(&'static str, Parts<'a>), Failure> {
        let path = head.line.split(' ').nth(1).unwrap_or_default();
        let chunks = statement.table.get().map(Vec::as_slice).unwrap_or_default();
        let index = path.split(['/', '?']).filter_map(|word| word.parse::<usize>().ok()).next_back();
        if path.starts_with("/store/") {
            let chunk = index.and_then(|i| chunks.get(i)).ok_or("no such chunk")?;
            return Ok(if head.token {
                ("400 x", vec![text("a token came with a link")])
            } else if head.line.starts_with("HEAD") {
                // As of a store that signed the link for GET.
                ("403 x", vec![])
            } else {
                ("200 x", vec![Cow::Borrowed(&chunk.bytes[..])])
            });
        }
        if path.ends_with("/cancel") {
            return Ok(("200 x", vec![text("{}")]));
        }
        if let Some(index) = index.filter(|_| path.contains("/result/chunks/")) {
            return Ok(("200 x", self.chunk(id, statement, chunks, index)));
        }
        let listed = chunks.iter().enumerate();
        let listed: Vec<_> = listed.map(|(i, c)| json!({ "chunk_index": i, "row_count": c.rows })).collect();
        let head = json!({
            "statement_id": format!("bench-{id}"),
            "status": { "state": "SUCCEEDED" },
            "manifest": {
                "format": if statement.format == Format::Arrow { "ARROW_STREAM" } else { "JSON_ARRAY" },
                "schema": { "columns": data::columns() },
                "total_chunk_count": chunks.len(),
                "total_row_count": chunks.iter().map(|c| c.rows).sum::<u64>(),
                "chunks": listed,
            },
        });
        let head = head.to_string();
        let mut parts = vec![text(format!("{},\"result\":", &head[..head.len() - 1]))];
        parts.extend(self.chunk(id, statement, chunks, 0));
        parts.push(text("}"));
        Ok(("200 x", parts))
    }

    /// A chunk's rows, or a link to them as long as real ones are.
    fn chunk<'a>(&self, id: usize, statement: &Statement, chunks: &'a [Chunk], index: usize) -> Parts<'a> {
        let Some(chunk) = chunks.get(index) else { return vec![text("{}")] };
        if statement.inline {
            let head = format!(r#"{{"chunk_index":{index},"row_count":{},"data_array":"#, chunk.rows);
            return vec![text(head), Cow::Borrowed(&chunk.bytes[..]), text("}")];
        }
        let link = format!("{}/store/bench-{id}/{index}?sig={}", self.base, "x".repeat(800));
        let link = json!({ "chunk_index": index, "row_count": chunk.rows, "external_link": link });
        vec![text(json!({ "external_links": [link] }).to_string())]
    }
}

/// A paced connection sends so much at once.
const PORTION: usize = 64 << 10;

fn write(stream: &mut TcpStream, status: &str, parts: &Parts<'_>, network: Network) -> Result<(), Failure> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n").as_bytes())?;
    let (begun, mut sent) = (Instant::now(), 0);
    for part in parts {
        let Some(bytes_per_second) = network.bytes_per_second else {
            stream.write_all(part)?;
            continue;
        };
        for portion in part.chunks(PORTION) {
            stream.write_all(portion)?;
            sent += portion.len();
            let due = Duration::from_secs_f64(sent as f64 / bytes_per_second);
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
        }
    }
    Ok(())
}

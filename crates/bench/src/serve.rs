//! The statement API and its object store, emulated on loopback with results from memory.
//!
//! It runs no SQL. Words in the statement of the form `name=value` say what to serve and over which network: `rows`,
//! `latency_ms` (before every answer), `connect_ms` (before the first answer on a connection, in addition), `mbps`
//! (MB/s of each connection), `checksums` (1 for LZ4 frames that have them). Each answer has the link to one chunk, like in the service. The store refuses a request
//! with a token.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
    time::Duration,
};

use brickwire_testserver::{End, Request, Response, Server};
use serde_json::{Value, json};

use crate::{
    data::{self, Chunk, Format, Shape},
    process::Failure,
};

type Table = Arc<OnceLock<Vec<Chunk>>>;

#[derive(Default)]
struct Service {
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

/// Serves until the process is killed; with faults, nearly half of the requests fail.
pub(crate) fn serve(with_faults: bool) -> ! {
    let service = Service::default();
    let server = Server::start(move |request| match fault(request) {
        Some(fault) if with_faults => fault,
        // A request that fails closes its connection.
        _ => service.respond(request).unwrap_or(Response::none(End::Close)),
    });
    println!("{}", server.url());
    loop {
        thread::park();
    }
}

/// What happens to a request in place of an answer.
fn fault(request: &Request) -> Option<Response> {
    let cut = || Response::json(r#"{"cluster_id":"load"}"#).cut(5, End::Reset);
    Some(match request.number {
        n if n % 5 == 0 => Response::new(429),
        n if n % 7 == 0 => Response::new(503).with_header("retry-after", "0"),
        n if n % 11 == 0 => Response::none(End::Reset),
        n if n % 13 == 0 && !request.target.starts_with("/store/") => cut(),
        n if n % 17 == 0 => Response::new(502).with_body("<html>bad gateway</html>"),
        _ => return None,
    })
}

impl Service {
    fn respond(&self, request: &Request) -> Result<Response, Failure> {
        let statement = self.statement(request)?;
        let network = statement.as_ref().map(|s| s.1.network).unwrap_or_default();
        let response = match &statement {
            Some((id, statement)) => answer(request, *id, statement)?,
            None => Response::json(r#"{"cluster_id":"load","state":"RUNNING"}"#),
        };
        thread::sleep(network.latency + if request.is_first { network.connect } else { Duration::ZERO });
        Ok(match network.bytes_per_second {
            Some(bytes_per_second) => response.with_pace(bytes_per_second),
            None => response,
        })
    }

    /// The statement that a request is about, which is a new one or the one in the path.
    fn statement(&self, request: &Request) -> Result<Option<(usize, Arc<Statement>)>, Failure> {
        let path = &request.target;
        let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        if request.method == "POST" && path == "/api/2.0/sql/statements" {
            let request: Value = serde_json::from_slice(&request.body)?;
            let sql = request["statement"].as_str().unwrap_or_default();
            let word = |name: &str| {
                let words = sql.split([' ', ',']).filter_map(|word| word.split_once('='));
                words.filter(|(n, _)| *n == name).find_map(|(_, value)| value.parse::<f64>().ok())
            };
            let wait = |name: &str| Duration::from_secs_f64(word(name).unwrap_or_default() / 1000.0);
            let format = if request["format"] == "ARROW_STREAM" { Format::Arrow } else { Format::Json };
            let rows = word("rows").unwrap_or(1000.0) as u64;
            let compressed = format == Format::Arrow && request["result_compression"] == "LZ4_FRAME";
            let checksums = compressed && word("checksums").is_some_and(|word| word > 0.0);
            let shape = Shape { rows, format, compressed, checksums };
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
}

fn answer(request: &Request, id: usize, statement: &Statement) -> Result<Response, Failure> {
    let path = &request.target;
    let chunks = statement.table.get().map(Vec::as_slice).unwrap_or_default();
    let index = path.split(['/', '?']).filter_map(|word| word.parse::<usize>().ok()).next_back();
    if path.starts_with("/store/") {
        let chunk = index.and_then(|i| chunks.get(i)).ok_or("no such chunk")?;
        return Ok(if request.header("authorization").is_some() {
            Response::new(400).with_body("a token came with a link")
        } else if request.method == "HEAD" {
            // A link that is signed for GET is refused.
            Response::new(403)
        } else {
            Response::new(200).with_body(chunk.bytes.clone())
        });
    }
    if path.ends_with("/cancel") {
        return Ok(Response::json("{}"));
    }
    let json = Response::json("");
    if let Some(index) = index.filter(|_| path.contains("/result/chunks/")) {
        return Ok(with_chunk(json, request, id, statement, index));
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
    let start = json.with_body(format!("{},\"result\":", &head[..head.len() - 1]));
    Ok(with_chunk(start, request, id, statement, 0).with_body("}"))
}

/// Adds a chunk's rows, or a link to them that is as long as a real one. The bytes of chunks are not copied.
fn with_chunk(
    response: Response,
    request: &Request,
    id: usize,
    statement: &Statement,
    index: usize,
) -> Response {
    let Some(chunk) = statement.table.get().and_then(|chunks| chunks.get(index)) else {
        return response.with_body("{}");
    };
    if statement.inline {
        let head = format!(r#"{{"chunk_index":{index},"row_count":{},"data_array":"#, chunk.rows);
        return response.with_body(head).with_body(chunk.bytes.clone()).with_body("}");
    }
    let link = format!("http://{}/store/bench-{id}/{index}?sig={}", request.authority, "x".repeat(800));
    let link = json!({ "chunk_index": index, "row_count": chunk.rows, "external_link": link });
    response.with_body(json!({ "external_links": [link] }).to_string())
}

//! Running a statement: wait for its warehouse, ask the engine, write the rows into chunk files.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use futures_util::StreamExt;

use super::{
    disk,
    record::{Chunk, Outcome, State, Statement},
    request::INLINE_LIMIT,
};
use crate::{
    clock::millis,
    engine::{
        EngineError, Query,
        encode::{Format, encode},
    },
    lock::lock,
    routes::warehouses,
    server::Server,
    tenant::{Tenant, USER_NAME},
};

/// How often a waiting statement looks at the clock and its warehouse.
pub(super) const LOOK: Duration = Duration::from_millis(5);
/// Rows that are encoded to learn how large a row is.
const SAMPLE_ROWS: usize = 64;

/// Runs a statement to its end, on a thread that may block: encoding debug builds takes a while.
pub(super) fn spawn(server: Arc<Server>, tenant: Arc<Tenant>, statement: Arc<Statement>) {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        runtime.block_on(async {
            let mut watch = statement.watch();
            tokio::select! {
                // Canceled or closed: dropping the running future cancels it.
                _ = watch.wait_for(|state| state.is_end()) => {}
                () = run(&server, &tenant, &statement) => {}
            }
        });
    });
}

async fn run(server: &Server, tenant: &Tenant, statement: &Statement) {
    let delays = server.options.delays;
    let request = &statement.request;
    loop {
        match warehouses::is_running(server, tenant, &request.warehouse_id) {
            Some(true) => break,
            Some(false) => {}
            None => {
                let message = format!("SQL warehouse {} was stopped.", request.warehouse_id);
                return fail(server, statement, unavailable(message));
            }
        }
        tokio::time::sleep(LOOK).await;
    }
    statement.begin();
    let due_ms = server.now_ms().saturating_add(millis(delays.statement));
    while server.now_ms() < due_ms {
        tokio::time::sleep(LOOK).await;
    }
    match spool(server, tenant, statement).await {
        Ok(outcome) => statement.end(State::Succeeded, outcome),
        Err(error) => fail(server, statement, error),
    }
}

fn fail(server: &Server, statement: &Statement, error: EngineError) {
    let outcome = Outcome { error: Some(error), ended_ms: server.now_ms(), ..Outcome::default() };
    statement.end(State::Failed, outcome);
}

fn unavailable(message: String) -> EngineError {
    EngineError { error_code: "TEMPORARILY_UNAVAILABLE".to_owned(), message, sql_state: None }
}

async fn spool(server: &Server, tenant: &Tenant, statement: &Statement) -> Result<Outcome, EngineError> {
    let request = &statement.request;
    // A separate session: USE and SET in one statement don't affect the next.
    let session = tenant.engine().session();
    let (sql, parameters) = statement.take_text();
    let query = Query {
        sql: &sql,
        catalog: request.catalog.as_deref(),
        schema: request.schema.as_deref(),
        user: USER_NAME,
        parameters,
    };
    let mut rows = session.query(query).await?;
    let mut spool = Spool::new(server, statement, rows.schema.clone());
    while let Some(batch) = rows.batches.next().await {
        if !spool.take(&batch?)? {
            break;
        }
    }
    spool.flush()?;
    Ok(Outcome {
        columns: rows.columns,
        chunks: spool.chunks,
        truncated: spool.truncated,
        error: None,
        ended_ms: server.now_ms(),
    })
}

/// Gathers rows until they make a chunk, then writes it.
struct Spool<'a> {
    server: &'a Server,
    statement: &'a Statement,
    schema: SchemaRef,
    chunk_bytes: u64,
    waiting: Vec<RecordBatch>,
    waiting_rows: u64,
    /// An estimate.
    waiting_bytes: u64,
    rows: u64,
    bytes: u64,
    chunks: Vec<Chunk>,
    truncated: bool,
}

impl<'a> Spool<'a> {
    fn new(server: &'a Server, statement: &'a Statement, schema: SchemaRef) -> Self {
        Self {
            server,
            statement,
            schema,
            chunk_bytes: server.options.chunk_bytes as u64,
            waiting: Vec::new(),
            waiting_rows: 0,
            waiting_bytes: 0,
            rows: 0,
            bytes: 0,
            chunks: Vec::new(),
            truncated: false,
        }
    }

    /// Takes a batch; `false` once a limit is reached.
    fn take(&mut self, batch: &RecordBatch) -> Result<bool, EngineError> {
        let per_row = self.bytes_per_row(batch)?;
        let mut offset = 0;
        while offset < batch.num_rows() {
            let allowed =
                self.statement.request.row_limit.unwrap_or(u64::MAX) - self.rows - self.waiting_rows;
            if allowed == 0 {
                self.truncated = true;
            }
            if self.truncated {
                return Ok(false);
            }
            let room = (self.chunk_bytes.saturating_sub(self.waiting_bytes) / per_row).max(1);
            let left = (batch.num_rows() - offset) as u64;
            let taken = room.min(left).min(allowed);
            let length = usize::try_from(taken).unwrap_or(usize::MAX);
            self.waiting.push(batch.slice(offset, length));
            self.waiting_rows += taken;
            self.waiting_bytes += taken * per_row;
            offset += length;
            if taken == room {
                self.flush()?;
            }
        }
        Ok(true)
    }

    /// How large a row of the batch is, as JSON, by its last rows: numbers that count up are longest there.
    fn bytes_per_row(&self, batch: &RecordBatch) -> Result<u64, EngineError> {
        let rows = batch.num_rows().min(SAMPLE_ROWS);
        let sample = batch.slice(batch.num_rows() - rows, rows);
        let bytes = encode(Format::JsonArray, &self.schema, &[sample], true)?.len();
        Ok((bytes / rows.max(1)).max(1) as u64)
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        // Encoding large cells takes a while, and the caller who canceled the statement waits for its memory.
        if self.statement.state().is_end() {
            return Err(EngineError::internal("the statement was canceled"));
        }
        let request = &self.statement.request;
        let first = self.chunks.is_empty();
        let mut body = encode(request.format, &self.schema, &self.waiting, first)?;
        if let Some(limit) = request.byte_limit
            && self.bytes + body.len() as u64 > limit
        {
            self.truncated = true;
            let Some(shorter) = self.fitting(limit - self.bytes, first)? else {
                self.waiting.clear();
                return Ok(());
            };
            body = shorter;
        }
        if !request.external && self.bytes + body.len() as u64 > INLINE_LIMIT {
            return Err(EngineError {
                error_code: "BAD_REQUEST".to_owned(),
                message: format!(
                    "Inline byte limit exceeded. Statements executed with disposition=INLINE can have a result \
                     size of at most {INLINE_LIMIT} bytes. Please execute the statement with \
                     disposition=EXTERNAL_LINKS if you want to download the full result."
                ),
                sql_state: None,
            });
        }
        if request.lz4 {
            body = compressed(&body).map_err(EngineError::internal)?;
        }
        if !disk::make_room(self.server, body.len() as u64) {
            return Err(EngineError {
                error_code: "RESOURCE_EXHAUSTED".to_owned(),
                message: format!(
                    "[RESOURCE_EXHAUSTED] The result is larger than the {} bytes that the sandbox keeps of results. \
                     SQLSTATE: 53100",
                    self.server.options.result_bytes
                ),
                sql_state: Some("53100".to_owned()),
            });
        }
        self.write(&body).map_err(EngineError::internal)
    }

    /// As many of the waiting rows as fit into `limit` bytes, encoded; `None` if not even one does.
    fn fitting(&mut self, limit: u64, first: bool) -> Result<Option<Vec<u8>>, EngineError> {
        let (mut fits, mut too_many, mut body) = (0, self.waiting_rows, None);
        while too_many - fits > 1 {
            let rows = fits + (too_many - fits) / 2;
            let shorter = encode(self.statement.request.format, &self.schema, &self.first_rows(rows), first)?;
            if shorter.len() as u64 <= limit {
                (fits, body) = (rows, Some(shorter));
            } else {
                too_many = rows;
            }
        }
        self.waiting_rows = fits;
        Ok(body)
    }

    fn first_rows(&self, mut rows: u64) -> Vec<RecordBatch> {
        let mut first = Vec::new();
        for batch in &self.waiting {
            let taken = rows.min(batch.num_rows() as u64);
            first.push(batch.slice(0, usize::try_from(taken).unwrap_or(usize::MAX)));
            rows -= taken;
        }
        first
    }

    fn write(&mut self, body: &[u8]) -> std::io::Result<()> {
        // The lock is held: who closes the statement meanwhile waits, and deletes this chunk with the others.
        let file = match &mut *lock(&self.statement.files) {
            Some(files) => files.write(self.chunks.len(), body)?,
            None => return Err(std::io::Error::other("the statement was closed")),
        };
        self.chunks.push(Chunk {
            file,
            byte_count: body.len() as u64,
            row_count: self.waiting_rows,
            row_offset: self.rows,
        });
        self.rows += self.waiting_rows;
        self.bytes += body.len() as u64;
        self.waiting.clear();
        (self.waiting_rows, self.waiting_bytes) = (0, 0);
        Ok(())
    }
}

pub(super) fn compressed(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(body)?;
    encoder.finish().map_err(std::io::Error::other)
}

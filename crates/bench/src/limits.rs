//! The limits of this machine for the same bytes: downloading alone, decoding alone.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use serde_json::{Value, json};

use crate::{
    http::Client,
    process::{Failure, peak_megabytes, variable},
};

/// Runs the statement; returns the number of chunks, the statement's id, and when it was submitted.
fn execute(format: &str) -> Result<(usize, String, Instant), Failure> {
    let mut client = Client::connect(&variable("BENCH_HOST")?)?;
    // The connection is open before the clock starts.
    client.fetch("GET", "/api/2.0/sql/warehouses", "")?;
    let mut request = json!({
        "statement": variable("BENCH_SQL")?, "warehouse_id": "0", "disposition": "EXTERNAL_LINKS",
        "format": "JSON_ARRAY",
    });
    if format == "arrow" {
        request["format"] = "ARROW_STREAM".into();
        request["result_compression"] = "LZ4_FRAME".into();
    }
    let started = Instant::now();
    let answer = client.fetch("POST", "/api/2.0/sql/statements", &request.to_string())?;
    let answer: Value = serde_json::from_slice(&answer)?;
    let count = answer["manifest"]["total_chunk_count"].as_u64().ok_or("no chunk count")?;
    Ok((count as usize, answer["statement_id"].as_str().ok_or("no id")?.to_owned(), started))
}

/// Works on all chunks over a number of connections; `work` gets the path of each chunk's link.
fn each(
    count: usize,
    id: &str,
    connections: usize,
    work: impl Fn(&mut Client, &str, usize) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let (host, next) = (variable("BENCH_HOST")?, AtomicUsize::new(0));
    let run = || -> Result<(), Failure> {
        let mut client = Client::connect(&host)?;
        loop {
            let index = next.fetch_add(1, Relaxed);
            if index >= count {
                return Ok(());
            }
            let path = format!("/api/2.0/sql/statements/{id}/result/chunks/{index}");
            let answer: Value = serde_json::from_slice(&client.fetch("GET", &path, "")?)?;
            let link = answer["external_links"][0]["external_link"].as_str().ok_or("no link")?;
            work(&mut client, link.strip_prefix(&host).unwrap_or(link), index)?;
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(run)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })
}

/// Downloads all chunks and drops them.
pub(crate) fn raw(format: &str, connections: usize) -> Result<(), Failure> {
    let (count, id, started) = execute(format)?;
    let bytes = AtomicU64::new(0);
    each(count, &id, connections, |client, path, _| {
        bytes.fetch_add(client.drain(path)? as u64, Relaxed);
        Ok(())
    })?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", json!({ "seconds": seconds, "bytes": bytes.into_inner(), "peak_mb": peak_megabytes() }));
    Ok(())
}

/// Decompresses and decodes all chunks, which are downloaded before the clock starts.
pub(crate) fn decode(threads: usize) -> Result<(), Failure> {
    let (count, id, _) = execute("arrow")?;
    let chunks: Vec<Mutex<Vec<u8>>> = (0..count).map(|_| Mutex::default()).collect();
    each(count, &id, 4, |client, path, index| {
        *chunks[index].lock().unwrap_or_else(PoisonError::into_inner) = client.fetch("GET", path, "")?;
        Ok(())
    })?;
    let (next, rows) = (AtomicUsize::new(0), AtomicU64::new(0));
    let run = || -> Result<(), Failure> {
        while let Some(chunk) = chunks.get(next.fetch_add(1, Relaxed)) {
            let compressed = std::mem::take(&mut *chunk.lock().unwrap_or_else(PoisonError::into_inner));
            let mut plain = Vec::with_capacity(compressed.len() * 2);
            std::io::copy(&mut lz4_flex::frame::FrameDecoder::new(&compressed[..]), &mut plain)?;
            let (mut decoder, mut buffer) = (StreamDecoder::new(), Buffer::from_vec(plain));
            while let Some(batch) = decoder.decode(&mut buffer)? {
                rows.fetch_add(RecordBatch::num_rows(&batch) as u64, Relaxed);
            }
        }
        Ok(())
    };
    let started = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", json!({ "seconds": seconds, "rows": rows.into_inner(), "peak_mb": peak_megabytes() }));
    Ok(())
}

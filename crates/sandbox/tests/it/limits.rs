//! What would take too much is refused, and what was canceled ends.

use std::time::{Duration, Instant};

use brickwire_sandbox::engine::encode::{Format, encode};
use brickwire_sandbox::engine::{EngineError, Query, SqlEngine, new_engine};
use brickwire_sandbox::seed::RUNNING_WAREHOUSE;
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;

use crate::client::start;

/// The rows' count, or the error.
async fn rows(engine: &dyn SqlEngine, sql: &str) -> Result<usize, EngineError> {
    let stream = engine.query(Query { sql, ..Query::default() }).await?;
    let batches: Vec<_> = stream.batches.try_collect().await?;
    Ok(batches.iter().map(arrow_array::RecordBatch::num_rows).sum())
}

#[tokio::test]
async fn a_function_refuses_what_would_not_fit() {
    let engine = new_engine();
    let started = Instant::now();
    for (sql, class, name) in [
        ("SELECT repeat('a', 2000000000)", "RESOURCE_EXHAUSTED", "`repeat`"),
        ("SELECT repeat('a', CAST(id AS INT) * 2000000) FROM range(1000)", "RESOURCE_EXHAUSTED", "`repeat`"),
        ("SELECT length(repeat('a', 2000000000)) FROM range(3)", "RESOURCE_EXHAUSTED", "`repeat`"),
        ("SELECT repeat(repeat('a', 100000), 100000)", "RESOURCE_EXHAUSTED", "`repeat`"),
        ("SELECT space(2000000000)", "RESOURCE_EXHAUSTED", "`space`"),
        ("SELECT lpad('a', 2000000000, 'b')", "RESOURCE_EXHAUSTED", "`lpad`"),
        ("SELECT rpad('a', 2000000000)", "RESOURCE_EXHAUSTED", "`rpad`"),
        (
            "SELECT replace(repeat('a', 1000000), 'a', repeat('b', 1000000))",
            "RESOURCE_EXHAUSTED",
            "`replace`",
        ),
        (
            "SELECT regexp_replace(repeat('a', 1000000), 'a', repeat('b', 10000))",
            "RESOURCE_EXHAUSTED",
            "`regexp_replace`",
        ),
        ("SELECT sequence(1, 1000000000)", "COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "1000000000 elements"),
        ("SELECT explode(sequence(1, 1000000000))", "COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "`sequence`"),
        (
            "SELECT sequence(id, id + 1000000000) FROM range(5)",
            "COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION",
            "`sequence`",
        ),
        ("SELECT array_repeat('abc', 2000000000)", "RESOURCE_EXHAUSTED", "`array_repeat`"),
        ("SELECT format_string('%2000000000d', 1)", "RESOURCE_EXHAUSTED", "`format_string`"),
        (
            "SELECT levenshtein(repeat('a', 1000000), repeat('b', 1000000))",
            "RESOURCE_EXHAUSTED",
            "`levenshtein`",
        ),
        ("SELECT a || a FROM (SELECT repeat('a', 70000000) AS a)", "RESOURCE_EXHAUSTED", "`concat`"),
    ] {
        let error = rows(&*engine, sql).await.expect_err(sql);
        assert_eq!(error.class(), Some(class), "{sql}: {error}");
        assert!(error.message.contains(name) && error.message.contains("SQLSTATE: 5"), "{sql}: {error}");
    }
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_fits_is_computed_whole() {
    let engine = new_engine();
    let first = async |sql: &str| {
        let stream = engine.query(Query { sql, ..Query::default() }).await.unwrap();
        let batches: Vec<_> = stream.batches.try_collect().await.unwrap();
        let json = encode(Format::JsonArray, &stream.schema, &batches, true).unwrap();
        let rows: serde_json::Value = serde_json::from_slice(&json).unwrap();
        rows[0][0].as_str().map(str::to_owned).unwrap_or_default()
    };
    assert_eq!(first("SELECT octet_length(repeat('ab', 10000000))").await, "20000000");
    assert_eq!(first("SELECT size(sequence(1, 1000000))").await, "1000000");
    // A constant beside many rows: a batch of 8,192 of it would take 8 GB.
    let sql = "SELECT count(DISTINCT id), sum(octet_length(a)) FROM (SELECT id, repeat('a', 1000000) AS a FROM range(30))";
    assert_eq!(first(sql).await, "30");
    // In pieces: each row a megabyte.
    let sql = "SELECT sum(octet_length(replace(a, 'a', 'bb'))) FROM (SELECT repeat('a', 300000 + CAST(id AS INT)) AS a FROM range(40))";
    assert_eq!(first(sql).await, (2 * (300_000 * 40 + 39 * 20)).to_string());
    let sql =
        "SELECT levenshtein(a, 'abc') + levenshtein('a' || CAST(NULL AS STRING), a) FROM (SELECT 'abd' AS a)";
    assert_eq!(first(sql).await, "");
    assert_eq!(first("SELECT 'a' || 'b' || 'c' AS x").await, "abc");
}

/// What would run for hours ends soon after nobody wants it: the engine's few threads are free for others.
#[tokio::test]
async fn a_dropped_statement_leaves_its_threads() {
    let engine = new_engine();
    for sql in [
        // A batch of these takes far longer than the test.
        "SELECT sum(levenshtein(repeat('a', 10000 + CAST(id AS INT)), repeat('b', 10000))) FROM range(8192)",
        "SELECT count(*) FROM range(1000000000) a CROSS JOIN range(1000000000) b WHERE a.id * b.id = 7",
        "SELECT sum(length(repeat('a', 10000 + CAST(id AS INT) % 7))) FROM range(1000000000)",
    ] {
        let started = Instant::now();
        for _ in 0..6 {
            let asked = engine.query(Query { sql, ..Query::default() });
            let running = async {
                let mut stream = asked.await?;
                stream.batches.next().await.transpose()
            };
            tokio::select! {
                answer = running => panic!("{sql}: {answer:?}"),
                // More than its beginning, less than a batch.
                _ = rows(&*engine, "SELECT count(*) FROM range(100000)") => {}
            }
        }
        assert_eq!(rows(&*engine, "SELECT 1").await, Ok(1), "{sql}");
        assert!(started.elapsed() < Duration::from_secs(60), "{sql}: {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_refusal_is_a_failed_statement() {
    let (_sandbox, client) = start().await;
    let request = json!({
        "warehouse_id": RUNNING_WAREHOUSE, "statement": "SELECT sequence(1, 1000000000)", "wait_timeout": "30s",
    });
    let answer = client.posted("/api/2.0/sql/statements", request).await;
    assert_eq!(answer["status"]["state"], "FAILED");
    assert_eq!(answer["status"]["sql_state"], "54000");
    let message = answer["status"]["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("[COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION] Can't create array with 1000000000")
    );
}

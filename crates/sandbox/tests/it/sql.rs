//! The SQL engine against tables of statements: `sql/*.txt`.
//!
//! A file is one session. A block is a statement and what it answers, each answer line after `=> `: the columns with
//! their types, the first row as JSON_ARRAY has it and the number of rows; or `!` with the error's class and SQLSTATE.

use std::fmt::Write as _;

use brickwire_sandbox::engine::encode::{Format, encode};
use brickwire_sandbox::engine::{EngineError, Query, SqlEngine, new_engine};
use futures_util::TryStreamExt;

async fn answer(engine: &dyn SqlEngine, sql: &str) -> Result<String, EngineError> {
    let stream = engine.query(Query { sql, user: "someone@example.com", ..Query::default() }).await?;
    let columns: Vec<String> = stream.columns.iter().map(|c| format!("{} {}", c.name, c.type_text)).collect();
    let schema = stream.schema;
    let batches: Vec<_> = stream.batches.try_collect().await?;
    let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
    let mut out = format!("=> {}", columns.join(", "));
    if let Some(first) = batches.iter().find(|batch| batch.num_rows() > 0) {
        let json = encode(Format::JsonArray, &schema, &[first.slice(0, 1)], true)?;
        let json = String::from_utf8(json).expect("JSON is UTF-8");
        write!(out, "\n=> {}", &json[1..json.len() - 1]).expect("a String takes it");
    }
    write!(out, "\n=> {rows} rows").expect("a String takes it");
    Ok(out)
}

async fn replay(name: &str, text: &str) {
    let engine = new_engine();
    let mut actual = String::new();
    for block in text.split("\n\n") {
        let sql: Vec<&str> = block.lines().filter(|line| !line.starts_with("=>") && !line.starts_with("# ")).collect();
        let sql = sql.join("\n");
        for comment in block.lines().filter(|line| line.starts_with("# ")) {
            writeln!(actual, "{comment}").expect("a String takes it");
        }
        let answer = answer(engine.as_ref(), &sql).await.unwrap_or_else(|error| {
            let state = error.sql_state.as_deref().unwrap_or("-");
            format!("=> ! {} {state}", error.class().unwrap_or(&error.message))
        });
        write!(actual, "{}\n{answer}\n\n", sql.trim_end()).expect("a String takes it");
    }
    let (actual, expected) = (actual.trim_end(), text.trim_end());
    if actual != expected {
        let differing: Vec<String> = actual
            .split("\n\n")
            .zip(expected.split("\n\n"))
            .filter(|(a, e)| a != e)
            .map(|(a, e)| format!("--- expected\n{e}\n--- actual\n{a}\n"))
            .collect();
        panic!("{name}:\n{}", differing.join("\n"));
    }
}

macro_rules! replays {
    ($($name:ident),*) => {$(
        #[tokio::test]
        async fn $name() {
            replay(stringify!($name), include_str!(concat!("sql/", stringify!($name), ".txt"))).await;
        }
    )*};
}

replays!(probe);

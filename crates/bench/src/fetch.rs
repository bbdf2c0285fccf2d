//! Fetches the result of one statement through the library, and measures how long that takes.

use std::time::Instant;

use arrow_array::{Array, Int64Array};
use brickwire_actions::{Connection, Workspace, types::Disposition};

use crate::process::{Failure, peak_megabytes, variable};

/// Reads host, token and statement from the environment, and prints the measurement as the last line.
pub(crate) fn run(what: &str, threads: usize) -> Result<(), Failure> {
    let runtime = match threads {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        _ => tokio::runtime::Builder::new_multi_thread().enable_all().build()?,
    };
    let (rows, sum, seconds) = runtime.block_on(fetch(what))?;
    let measured = serde_json::json!({
        "rows": rows, "sum_id": sum, "seconds": seconds, "fetch_s": seconds, "peak_mb": peak_megabytes(),
    });
    println!("{measured}");
    Ok(())
}

/// Returns the number of rows, the sum of the first column, and the seconds.
async fn fetch(what: &str) -> Result<(u64, i64, f64), Failure> {
    let workspace = Workspace::new(Connection::token(&variable("BENCH_HOST")?, variable("BENCH_TOKEN")?)?)?;
    // Opens the connection before the clock starts, as a client with a session has it open.
    let _ = workspace.warehouses().list().await;
    let statement = workspace.sql("0000000000000000").statement(variable("BENCH_SQL")?);
    let started = Instant::now();
    let (mut rows, mut sum) = (0_u64, 0_i64);
    match what {
        "arrow" | "plain" => {
            let mut batches = statement.with_lz4(what == "arrow").execute_arrow().await?;
            while let Some(batch) = batches.next().await? {
                rows += batch.num_rows() as u64;
                let ids =
                    batch.column(0).as_any().downcast_ref::<Int64Array>().ok_or("the ids are no integers")?;
                sum += ids.values().iter().sum::<i64>();
            }
        }
        "json" | "text" | "inline" => {
            let statement = match what {
                "text" => statement.with_rows_from_arrow(),
                "inline" => statement.with_disposition(Disposition::Inline),
                _ => statement,
            };
            let mut result = statement.execute().await?;
            while let Some(some) = result.next_rows().await? {
                rows += some.len() as u64;
                let width = result.columns().len();
                for id in some.cells().step_by(width) {
                    sum += id.as_str().ok_or("an id is NULL")?.parse::<i64>()?;
                }
            }
        }
        _ => return Err(format!("not a way to fetch: {what}").into()),
    }
    Ok((rows, sum, started.elapsed().as_secs_f64()))
}

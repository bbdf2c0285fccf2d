//! Fetches one statement's result through the library and says how long that took.

use std::time::Instant;

use arrow_array::{Array, Int64Array};
use brickwire_actions::{Connection, Workspace, types::Disposition};

use crate::{Failure, peak_megabytes, variable};

/// Host, token and statement come from the environment; the last line of the output is the measurement.
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

/// Rows, the sum of the first column, seconds.
async fn fetch(what: &str) -> Result<(u64, i64, f64), Failure> {
    let workspace = Workspace::new(Connection::token(&variable("BENCH_HOST")?, variable("BENCH_TOKEN")?)?)?;
    // The connection is open before the clock starts, as a client's with a session is.
    let _ = workspace.warehouses().list().await;
    let statement = workspace.sql("0000000000000000").statement(variable("BENCH_SQL")?);
    let begun = Instant::now();
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
        "json" | "inline" => {
            let statement = match what {
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
    Ok((rows, sum, begun.elapsed().as_secs_f64()))
}

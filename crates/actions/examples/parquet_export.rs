//! Writes the result of a query of any size to a Parquet file, in bounded memory.
//!
//! `cargo run --features arrow --example parquet_export -- trips.parquet`, with the environment of `first_query`.
#![allow(clippy::print_stdout, reason = "an example shows what it got")]

use std::{env, error::Error, fs::File};

use brickwire_actions::{Config, Workspace};
use parquet::arrow::ArrowWriter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("name the file to write")?;
    let config = Config::builder().resolve()?;
    let workspace = Workspace::builder().config(&config).build()?;
    let warehouse = config.warehouse_id().ok_or("set DATABRICKS_WAREHOUSE_ID")?;

    let mut batches =
        workspace.sql(warehouse).statement("SELECT * FROM samples.nyctaxi.trips").execute_arrow().await?;
    let mut writer = None;
    while let Some(batch) = batches.next().await? {
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(ArrowWriter::try_new(File::create(&path)?, batch.schema(), None)?),
        };
        writer.write(&batch)?;
    }
    let Some(writer) = writer else { return Err("the result has no rows".into()) };
    println!("{path}: {} rows", writer.close()?.file_metadata().num_rows());
    Ok(())
}

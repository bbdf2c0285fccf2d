//! Runs a query with a parameter and reads its rows as structs.
//!
//! `cargo run --example first_query` with `DATABRICKS_HOST`, a credential and `DATABRICKS_WAREHOUSE_ID` in the
//! environment, or in a profile.
#![allow(clippy::print_stdout, reason = "an example shows what it got")]

use brickwire_actions::{Config, Error, Result, Workspace};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Fare {
    pickup_zip: i64,
    trips: i64,
    average: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let config = Config::builder().resolve()?;
    let workspace = Workspace::builder().config(&config).build()?;
    let warehouse =
        config.warehouse_id().ok_or_else(|| Error::configuration("set DATABRICKS_WAREHOUSE_ID"))?;

    let fares: Vec<Fare> = workspace
        .sql(warehouse)
        .statement(
            "SELECT pickup_zip, count(*) AS trips, avg(fare_amount) AS average
             FROM samples.nyctaxi.trips WHERE fare_amount > :least
             GROUP BY pickup_zip ORDER BY trips DESC LIMIT 3",
        )
        .with_parameter("least", 5.0)
        .execute()
        .await?
        .deserialize()
        .await?;
    for Fare { pickup_zip, trips, average } in fares {
        println!("{pickup_zip}: {trips} trips, {average:.2} on average");
    }
    Ok(())
}

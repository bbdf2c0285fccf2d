//! `samples.nyctaxi.trips`: as many rows as the real table.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int32Array, TimestampMicrosecondArray};
use arrow_schema::DataType;

use super::{
    super::sql_types::{TIME_ZONE, timestamp},
    table::{SampleColumn, SampleTable, below},
};

const ROWS: u64 = 21_932;
/// 2016-01-01T00:00:00Z.
const FIRST_PICKUP: i64 = 1_451_606_400_000_000;
/// January and February 2016.
const SECONDS: u64 = 60 * 86_400;

pub(super) fn trips() -> SampleTable {
    SampleTable::new(
        "trips",
        ROWS,
        vec![
            SampleColumn { name: "tpep_pickup_datetime", data_type: timestamp(), values: pickups },
            SampleColumn { name: "tpep_dropoff_datetime", data_type: timestamp(), values: dropoffs },
            SampleColumn { name: "trip_distance", data_type: DataType::Float64, values: distances },
            SampleColumn { name: "fare_amount", data_type: DataType::Float64, values: fares },
            SampleColumn { name: "pickup_zip", data_type: DataType::Int32, values: |rows| zips(rows, 3) },
            SampleColumn { name: "dropoff_zip", data_type: DataType::Int32, values: |rows| zips(rows, 4) },
        ],
    )
}

fn pickup(row: u64) -> i64 {
    FIRST_PICKUP + below(row, 1, SECONDS) * 1_000_000
}

/// Hundredths of a mile, most trips short.
fn distance(row: u64) -> i64 {
    let drawn = below(row, 2, 4500);
    20 + drawn * drawn / 9000
}

fn times(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values).with_timezone(TIME_ZONE))
}

fn pickups(rows: Range<u64>) -> ArrayRef {
    times(rows.map(pickup))
}

/// Four minutes a mile.
fn dropoffs(rows: Range<u64>) -> ArrayRef {
    times(rows.map(|row| pickup(row) + distance(row) * 240 / 100 * 1_000_000))
}

fn distances(rows: Range<u64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(rows.map(|row| distance(row) as f64 / 100.0)))
}

/// 2.50 and 2.50 a mile, in steps of 0.50 as the meter counts.
fn fares(rows: Range<u64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(rows.map(|row| 2.5 + (distance(row) / 20) as f64 * 0.5)))
}

fn zips(rows: Range<u64>, column: u64) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(rows.map(|row| 10_001 + below(row, column, 282) as i32)))
}

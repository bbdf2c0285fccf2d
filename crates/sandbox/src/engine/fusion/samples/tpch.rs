//! `samples.tpch`: nation and region as in the benchmark; customer, orders and lineitem at scale factor 0.01: 1,500
//! customers, 15,000 orders, 60,000 line items.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Decimal128Array, Int32Array, Int64Array, StringArray};
use arrow_schema::DataType;

use super::table::{SampleColumn, SampleTable, below, pick};

const CUSTOMERS: u64 = 1_500;
const ORDERS: u64 = 15_000;
/// Each order has this many lines, so that a line knows its order.
const LINES: u64 = 4;
/// 1992-01-01, in days since 1970.
const FIRST_ORDER: i64 = 8_035;
const ORDER_DAYS: u64 = 2_406;

const REGIONS: [&str; 5] = ["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"];
const NATIONS: [(&str, i64); 25] = [
    ("ALGERIA", 0),
    ("ARGENTINA", 1),
    ("BRAZIL", 1),
    ("CANADA", 1),
    ("EGYPT", 4),
    ("ETHIOPIA", 0),
    ("FRANCE", 3),
    ("GERMANY", 3),
    ("INDIA", 2),
    ("INDONESIA", 2),
    ("IRAN", 4),
    ("IRAQ", 4),
    ("JAPAN", 2),
    ("JORDAN", 4),
    ("KENYA", 0),
    ("MOROCCO", 0),
    ("MOZAMBIQUE", 0),
    ("PERU", 1),
    ("CHINA", 2),
    ("ROMANIA", 3),
    ("SAUDI ARABIA", 4),
    ("VIETNAM", 2),
    ("RUSSIA", 3),
    ("UNITED KINGDOM", 3),
    ("UNITED STATES", 1),
];
const SEGMENTS: [&str; 5] = ["AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY"];
const PRIORITIES: [&str; 5] = ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"];
const SHIP_MODES: [&str; 7] = ["AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"];
const INSTRUCTIONS: [&str; 4] = ["COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN"];
const WORDS: [&str; 8] = ["bold", "careful", "even", "final", "ironic", "quick", "silent", "special"];
const THINGS: [&str; 8] =
    ["accounts", "deposits", "foxes", "ideas", "packages", "pinto beans", "requests", "theodolites"];

const MONEY: DataType = DataType::Decimal128(18, 2);
const INT: DataType = DataType::Int32;
const LONG: DataType = DataType::Int64;
const TEXT: DataType = DataType::Utf8;
const DATE: DataType = DataType::Date32;

pub(super) fn tables() -> Vec<SampleTable> {
    let column = |name, data_type, values| SampleColumn { name, data_type, values };
    vec![
        SampleTable::new(
            "region",
            REGIONS.len() as u64,
            vec![
                column("r_regionkey", LONG, |rows| longs(rows, |row| row as i64)),
                column("r_name", TEXT, |rows| texts(rows, |row| REGIONS[row as usize].to_owned())),
                column("r_comment", TEXT, |rows| texts(rows, |row| comment(row, 1))),
            ],
        ),
        SampleTable::new(
            "nation",
            NATIONS.len() as u64,
            vec![
                column("n_nationkey", LONG, |rows| longs(rows, |row| row as i64)),
                column("n_name", TEXT, |rows| texts(rows, |row| NATIONS[row as usize].0.to_owned())),
                column("n_regionkey", LONG, |rows| longs(rows, |row| NATIONS[row as usize].1)),
                column("n_comment", TEXT, |rows| texts(rows, |row| comment(row, 2))),
            ],
        ),
        SampleTable::new(
            "customer",
            CUSTOMERS,
            vec![
                column("c_custkey", LONG, |rows| longs(rows, |row| row as i64 + 1)),
                column("c_name", TEXT, |rows| texts(rows, |row| format!("Customer#{:09}", row + 1))),
                column("c_address", TEXT, |rows| {
                    texts(rows, |row| format!("{} Loop Street", 1 + below(row, 3, 900)))
                }),
                column("c_nationkey", LONG, |rows| longs(rows, nation_of_customer)),
                column("c_phone", TEXT, |rows| texts(rows, phone)),
                column("c_acctbal", MONEY, |rows| money(rows, |row| below(row, 5, 1_100_000) - 99_999)),
                column("c_mktsegment", TEXT, |rows| texts(rows, |row| pick(&SEGMENTS, row, 6).to_owned())),
                column("c_comment", TEXT, |rows| texts(rows, |row| comment(row, 7))),
            ],
        ),
        SampleTable::new(
            "orders",
            ORDERS,
            vec![
                column("o_orderkey", LONG, |rows| longs(rows, order_key)),
                column("o_custkey", LONG, |rows| longs(rows, |row| 1 + below(row, 11, CUSTOMERS))),
                column("o_orderstatus", TEXT, |rows| {
                    texts(rows, |row| pick(&["F", "O", "P"], row, 12).to_owned())
                }),
                column("o_totalprice", MONEY, |rows| {
                    money(rows, |row| (0..LINES).map(|line| price(row * LINES + line)).sum())
                }),
                column("o_orderdate", DATE, |rows| dates(rows, order_date)),
                column("o_orderpriority", TEXT, |rows| {
                    texts(rows, |row| pick(&PRIORITIES, row, 14).to_owned())
                }),
                column("o_clerk", TEXT, |rows| {
                    texts(rows, |row| format!("Clerk#{:09}", 1 + below(row, 15, 1000)))
                }),
                column("o_shippriority", INT, |rows| ints(rows, |_| 0)),
                column("o_comment", TEXT, |rows| texts(rows, |row| comment(row, 16))),
            ],
        ),
        SampleTable::new(
            "lineitem",
            ORDERS * LINES,
            vec![
                column("l_orderkey", LONG, |rows| longs(rows, |row| order_key(row / LINES))),
                column("l_partkey", LONG, |rows| longs(rows, |row| 1 + below(row, 21, 2_000))),
                column("l_suppkey", LONG, |rows| longs(rows, |row| 1 + below(row, 22, 100))),
                column("l_linenumber", INT, |rows| ints(rows, |row| (row % LINES) as i32 + 1)),
                column("l_quantity", MONEY, |rows| money(rows, |row| quantity(row) * 100)),
                column("l_extendedprice", MONEY, |rows| money(rows, price)),
                column("l_discount", MONEY, |rows| money(rows, |row| below(row, 25, 11))),
                column("l_tax", MONEY, |rows| money(rows, |row| below(row, 26, 9))),
                column("l_returnflag", TEXT, |rows| {
                    texts(rows, |row| pick(&["A", "N", "R"], row, 27).to_owned())
                }),
                column("l_linestatus", TEXT, |rows| texts(rows, |row| pick(&["F", "O"], row, 28).to_owned())),
                column("l_shipdate", DATE, |rows| dates(rows, ship_date)),
                column("l_commitdate", DATE, |rows| {
                    dates(rows, |row| order_date(row / LINES) + 30 + below(row, 30, 61) as i32)
                }),
                column("l_receiptdate", DATE, |rows| {
                    dates(rows, |row| ship_date(row) + 1 + below(row, 31, 30) as i32)
                }),
                column("l_shipinstruct", TEXT, |rows| {
                    texts(rows, |row| pick(&INSTRUCTIONS, row, 32).to_owned())
                }),
                column("l_shipmode", TEXT, |rows| texts(rows, |row| pick(&SHIP_MODES, row, 33).to_owned())),
                column("l_comment", TEXT, |rows| texts(rows, |row| comment(row, 34))),
            ],
        ),
    ]
}

fn nation_of_customer(row: u64) -> i64 {
    below(row, 4, NATIONS.len() as u64)
}

/// The country code is the nation's key and ten.
fn phone(row: u64) -> String {
    let country = nation_of_customer(row) + 10;
    format!(
        "{country}-{:03}-{:03}-{:04}",
        100 + below(row, 8, 900),
        100 + below(row, 9, 900),
        below(row, 10, 10_000)
    )
}

/// Keys are sparse: eight of each 32 are used.
fn order_key(row: u64) -> i64 {
    (row / 8 * 32 + row % 8 + 1) as i64
}

fn order_date(row: u64) -> i32 {
    (FIRST_ORDER + below(row, 13, ORDER_DAYS)) as i32
}

fn ship_date(row: u64) -> i32 {
    order_date(row / LINES) + 1 + below(row, 29, 121) as i32
}

fn quantity(row: u64) -> i64 {
    1 + below(row, 23, 50)
}

/// Cents.
fn price(row: u64) -> i64 {
    quantity(row) * (90_000 + below(row, 24, 120_000))
}

fn comment(row: u64, column: u64) -> String {
    format!(
        "{} {} {}",
        pick(&WORDS, row, column + 100),
        pick(&WORDS, row, column + 200),
        pick(&THINGS, row, column + 300)
    )
}

fn longs(rows: Range<u64>, value: fn(u64) -> i64) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(rows.map(value)))
}

fn ints(rows: Range<u64>, value: fn(u64) -> i32) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(rows.map(value)))
}

fn dates(rows: Range<u64>, value: fn(u64) -> i32) -> ArrayRef {
    Arc::new(Date32Array::from_iter_values(rows.map(value)))
}

fn texts(rows: Range<u64>, value: fn(u64) -> String) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(rows.map(value)))
}

fn money(rows: Range<u64>, cents: fn(u64) -> i64) -> ArrayRef {
    Arc::new(Decimal128Array::from_iter_values(rows.map(|row| i128::from(cents(row)))).with_data_type(MONEY))
}

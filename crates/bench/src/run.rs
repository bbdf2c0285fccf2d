//! Runs every contender once a round, in turns, so that a slow minute of the machine affects all of them.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::process::Failure;

const FAR: &str = "latency_ms=30 connect_ms=60 mbps=50";

/// Name, number of rows, network, and the arguments of each contender. The others are compared with the first.
const SCENARIOS: [(&str, u64, &str, &[&str]); 8] = [
    (
        "Arrow, near",
        10_000_000,
        "",
        &["raw arrow 8", "decode 2", "fetch plain", "fetch arrow", "fetch arrow 1"],
    ),
    ("Arrow with checksums, near", 10_000_000, "checksums=1", &["raw arrow 8", "decode 2", "fetch arrow"]),
    (
        "Arrow, far",
        10_000_000,
        FAR,
        &["raw arrow 16", "raw arrow 8", "decode 2", "fetch arrow", "fetch arrow 1"],
    ),
    ("Arrow, far, fewer rows", 1_000_000, FAR, &["raw arrow 16", "fetch arrow"]),
    ("JSON, near", 5_000_000, "", &["raw json 8", "fetch json", "fetch json 1"]),
    ("JSON, far", 5_000_000, FAR, &["raw json 16", "fetch json", "fetch json 1"]),
    ("JSON inline, near", 200_000, "", &["raw json 1", "fetch inline"]),
    ("JSON inline, far", 200_000, FAR, &["raw json 1", "fetch inline"]),
];

/// A server that ends with this process.
pub(crate) struct Server(pub(crate) Child);

impl Drop for Server {
    fn drop(&mut self) {
        // Killing fails if the server has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures all scenarios and prints a table for each, in Markdown.
pub(crate) fn run(rounds: usize) -> Result<(), Failure> {
    let program = std::env::current_exe()?;
    let mut server = Server(Command::new(&program).arg("serve").stdout(Stdio::piped()).spawn()?);
    let mut host = String::new();
    BufReader::new(server.0.stdout.take().ok_or("no output")?).read_line(&mut host)?;
    for (name, rows, network, contenders) in SCENARIOS {
        let sql = format!("SELECT * FROM bench WHERE rows={rows} {network}");
        let once = |contender: &str| -> Result<Value, Failure> {
            let output = Command::new(&program)
                .args(contender.split(' '))
                .env("BENCH_HOST", host.trim())
                .env("BENCH_TOKEN", "bench")
                .env("BENCH_SQL", &sql)
                .stderr(Stdio::inherit())
                .output()?;
            let measured: Value = serde_json::from_slice(&output.stdout)?;
            match measured["rows"].as_u64() {
                Some(other) if other != rows => Err(format!("{contender}: {other} of {rows} rows").into()),
                _ if measured["sum_id"].as_u64().is_some_and(|sum| sum != rows * (rows - 1) / 2) => {
                    Err(format!("{contender}: not the rows that the server sent").into())
                }
                _ => Ok(measured),
            }
        };
        // The first round warms up and is not counted.
        let mut measured: Vec<Vec<Value>> = vec![Vec::new(); contenders.len()];
        for round in 0..=rounds {
            for turn in 0..contenders.len() {
                let at = (turn + round) % contenders.len();
                let value = once(contenders[at])?;
                if round > 0 {
                    measured[at].push(value);
                }
            }
        }
        println!("\n{name}: `{}`\n", sql.trim());
        println!("| | seconds | ratio | million rows/s | peak MB |\n|---|---|---|---|---|");
        for (contender, runs) in contenders.iter().zip(&measured) {
            let of = |runs: &[Value], key: &str| -> Vec<f64> {
                runs.iter().filter_map(|r| r[key].as_f64()).collect()
            };
            let (seconds, base) = (of(runs, "seconds"), of(&measured[0], "seconds"));
            let ratio = median(seconds.iter().zip(&base).map(|(a, b)| a / b).collect());
            let rate = rows as f64 / median(seconds.clone()) / 1e6;
            let (seconds, peak) = (median(seconds), median(of(runs, "peak_mb")));
            println!("| {contender} | {seconds:.3} | {ratio:.2} | {rate:.1} | {peak:.0} |");
        }
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

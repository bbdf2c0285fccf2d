//! Measures how fast results come through the library, compared with what the machine allows for the same bytes.
//!
//! `bench run` starts a result server of its own and runs each contender as a process of its own, in turns; see
//! BENCHMARKS.md.
#![allow(clippy::print_stdout, reason = "a measurement is printed")]

mod data;
mod fetch;
mod http;
mod limits;
mod load;
mod process;
mod run;
mod serve;

use self::process::Failure;

const USAGE: &str = "\
usage: bench run [ROUNDS]                 serve, measure everything in turns, print a table
       bench load [CALLS [TASKS]]         100,000 calls from 1,000 tasks while the service fails again and again
       bench serve [faults]               only the result server; prints its address
       bench fetch arrow|plain|text|json|inline [THREADS]
       bench raw arrow|json CONNECTIONS   the same bytes through plain sockets, dropped
       bench decode THREADS               Arrow chunks that lie in memory already
fetch, raw and decode find the server and the statement in BENCH_HOST, BENCH_TOKEN and BENCH_SQL";

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["run"] => run::run(5),
        ["run", rounds] => run::run(rounds.parse()?),
        ["load"] => load::run(100_000, 1000),
        ["load", calls] => load::run(calls.parse()?, 1000),
        ["load", calls, tasks] => load::run(calls.parse()?, tasks.parse()?),
        ["serve"] => serve::serve(false),
        ["serve", "faults"] => serve::serve(true),
        ["fetch", what] => fetch::run(what, 0),
        ["fetch", what, threads] => fetch::run(what, threads.parse()?),
        ["raw", format, connections] => limits::raw(format, connections.parse()?),
        ["decode", threads] => limits::decode(threads.parse()?),
        _ => Err(USAGE.into()),
    }
}

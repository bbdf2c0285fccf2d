//! Measures how fast results come through the library.
#![allow(clippy::print_stdout)]

mod fetch;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["fetch", what] => fetch::run(what, 0),
        ["fetch", what, threads] => fetch::run(what, threads.parse()?),
        _ => Err("usage: bench fetch arrow|json|inline [THREADS]".into()),
    }
}

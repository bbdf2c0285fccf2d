//! The sandbox on its own, without `brick`.

use std::process::ExitCode;

use brickwire_sandbox::{ServeArgs, serve};
use clap::Parser;

/// A local Databricks workspace on loopback.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    serve: ServeArgs,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match serve(Arguments::parse().serve).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot run the sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

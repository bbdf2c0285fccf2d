//! The sandbox on its own, without `brick`.

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
async fn main() -> std::io::Result<()> {
    serve(Arguments::parse().serve).await
}

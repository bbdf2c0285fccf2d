//! Sends a request that has no action of its own, with safe retries.
//!
//! `cargo run --example raw_request`, with a credential in the environment.
#![allow(clippy::print_stdout, reason = "an example shows what it got")]

use brickwire_actions::{RawRequest, Result, RetryPolicy, Workspace};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let workspace = Workspace::from_env()?;
    let request = RawRequest::new("GET", "/2.1/clusters/list")
        .with_query("page_size", "5")
        .with_retry(RetryPolicy::default());
    let answer = workspace.raw(&request).await?;
    let clusters = answer.json()?["clusters"].as_array().map_or(0, Vec::len);
    println!("HTTP {}, {clusters} clusters, {} attempt(s)", answer.status, answer.attempts);
    Ok(())
}

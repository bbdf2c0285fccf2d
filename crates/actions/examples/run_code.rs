//! Runs Python on a cluster and prints what it printed. The execution context is destroyed afterwards.
//!
//! `cargo run --example run_code -- 'print(6 * 7)'`, with a credential and `DATABRICKS_CLUSTER_ID` in the environment.
#![allow(clippy::print_stdout, reason = "an example shows what it got")]

use std::env;

use brickwire_actions::{
    Config, Error, ErrorKind, IfTerminated, Result, RunOptions, RunOutput, WaitOptions, Workspace,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let code = env::args().nth(1).ok_or_else(|| Error::usage("give the code to run"))?;
    let config = Config::builder().resolve()?;
    let workspace = Workspace::builder().config(&config).build()?;
    let cluster = config.cluster_id().ok_or_else(|| Error::configuration("set DATABRICKS_CLUSTER_ID"))?;

    let clusters = workspace.clusters();
    clusters.ensure_running(cluster, IfTerminated::Start, WaitOptions::default()).await?;
    let run = workspace.commands().run(cluster, &code, &RunOptions::default()).await?;
    match run.output {
        RunOutput::Text(text) => println!("{text}"),
        RunOutput::Failed { summary, .. } => return Err(Error::new(ErrorKind::RemoteFailed, summary)),
        other => println!("{other:?}"),
    }
    Ok(())
}

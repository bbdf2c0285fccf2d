//! Starts a cluster by its name, and shows each state that it passes through.
//!
//! `cargo run --example wait_for_cluster -- nightly-etl`, with a credential in the environment.
#![allow(clippy::print_stdout, reason = "an example shows what it got")]

use std::{env, time::Duration};

use brickwire_actions::{Change, Error, Event, Events, Result, WaitOptions, Workspace};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let name = env::args().nth(1).ok_or_else(|| Error::usage("name a cluster"))?;
    let events = Events::new(|event| {
        if let Event::StateChanged { state, .. } = event {
            println!("{state}");
        }
    });
    let workspace = Workspace::builder().with_events(events).build()?;
    let clusters = workspace.clusters();

    let id = clusters.find(&name).await?;
    if clusters.start(&id).await? == Change::Already {
        println!("{name} is running or starting");
    }
    let options = WaitOptions::default().with_timeout(Duration::from_secs(15 * 60));
    let cluster = clusters.wait_until_running(&id, options).await?;
    println!("{id} has {} cores", cluster.cluster_cores.unwrap_or_default());
    Ok(())
}

//! Many calls through one workspace while the service fails again and again: what became of them, and whether memory,
//! tasks and files stay as they were.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use brickwire_actions::{Backoff, Connection, Event, Events, RateLimit, RetryPolicy, Workspace};
use serde_json::json;

use crate::{
    process::{Failure, resident_kilobytes},
    run::Server,
};

const ROWS: u64 = 100_000;

/// Makes this many calls from this many tasks, and prints what came of it.
pub(crate) fn run(calls: u64, tasks: u64) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measured = runtime.block_on(load(calls, tasks))?;
    println!("{}", serde_json::to_string_pretty(&measured)?);
    Ok(())
}

async fn load(calls: u64, tasks: u64) -> Result<serde_json::Value, Failure> {
    let mut server = Server(
        Command::new(std::env::current_exe()?).args(["serve", "faults"]).stdout(Stdio::piped()).spawn()?,
    );
    let mut host = String::new();
    BufReader::new(server.0.stdout.take().ok_or("no output")?).read_line(&mut host)?;
    let retries = Arc::new(AtomicU64::new(0));
    let events = {
        let retries = retries.clone();
        Events::new(move |event| {
            if matches!(event, Event::Retrying { .. }) {
                retries.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    // Short waits, so that the calls and not the waits are measured.
    let backoff = Backoff::Fixed(Duration::from_millis(2));
    let workspace = Workspace::builder()
        .connection(Connection::token(host.trim(), "bench")?)
        .with_rate_limit(RateLimit::none())
        .with_retry(RetryPolicy::Connector { max_retries: 20, backoff, all_errors: false })
        .with_events(events)
        .build()?;
    let outcomes = Arc::new(Mutex::new(BTreeMap::<&str, u64>::new()));
    let began = Instant::now();
    // Connections, buffers and the allocator's reserves are there after the first tenths.
    let (mut memory, mut files, mut alive) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..10 {
        make(&workspace, calls / 10, tasks, &outcomes).await?;
        memory.push(resident_kilobytes());
        files.push(open_files());
        alive.push(alive_tasks());
    }
    workspace.settle(Duration::from_secs(10)).await;
    let seconds = began.elapsed().as_secs_f64();
    let outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(json!({
        "calls": calls, "tasks": tasks, "seconds": seconds, "outcomes": outcomes,
        "retries": retries.load(Ordering::Relaxed),
        "after each tenth": { "resident_kb": memory, "open_files": files, "alive_tasks": alive },
        "at the end": { "open_files": open_files(), "alive_tasks": alive_tasks() },
    }))
}

/// Shares the calls among tasks. Each tenth begins to read a result and drops it.
async fn make(
    workspace: &Workspace,
    calls: u64,
    tasks: u64,
    outcomes: &Arc<Mutex<BTreeMap<&'static str, u64>>>,
) -> Result<(), Failure> {
    let next = Arc::new(AtomicU64::new(0));
    let mut running = Vec::new();
    for _ in 0..tasks {
        let (workspace, next, outcomes) = (workspace.clone(), next.clone(), outcomes.clone());
        running.push(tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= calls {
                    return;
                }
                let outcome = match number % 10 {
                    0 => drop_a_stream(&workspace).await,
                    _ => workspace.clusters().get("load").await.map(drop),
                };
                let outcome = outcome.map_or_else(|error| error.kind().as_str(), |()| "ok");
                let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                *outcomes.entry(outcome).or_default() += 1;
            }
        }));
    }
    for task in running {
        task.await?;
    }
    Ok(())
}

async fn drop_a_stream(workspace: &Workspace) -> brickwire_actions::Result<()> {
    let statement =
        workspace.sql("0000000000000000").statement(format!("SELECT * FROM bench WHERE rows={ROWS}"));
    let mut result = statement.execute().await?;
    result.next_rows().await?;
    Ok(())
}

fn alive_tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// How many files and sockets this process has open; 0 if the system doesn't say.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

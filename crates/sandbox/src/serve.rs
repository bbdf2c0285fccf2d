//! `brick sandbox`: the same sandbox as a program that runs until it is stopped.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;

use crate::{clock::parse_duration, delays::Delays, fault::rule::FaultRule, sandbox::Sandbox};

/// The options of `brick sandbox`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Port of the API on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Personal access token to accept, instead of a random one
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<String>,
    /// Entries per page of a list
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub page_size: usize,
    /// Approximate size of a chunk of a result, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 16 * 1024 * 1024)]
    pub chunk_bytes: usize,
    /// How long things take, such as cluster=2s,warehouse=1s,context=0,statement=500ms
    #[arg(long, value_name = "WHAT=TIME,…", value_delimiter = ',', value_parser = delay)]
    pub delay: Vec<(&'static str, Duration)>,
    /// Lifetime of the OAuth tokens that are issued
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub token_ttl: Duration,
    /// Fault to inject, such as 'GET /api/2.1/*: every 3 429 retry-after=1'; may be repeated
    #[arg(long, value_name = "RULE")]
    pub fault: Vec<FaultRule>,
    /// Run no Python code
    #[arg(long)]
    pub no_exec: bool,
    /// Seed for ids and random faults, to make runs repeatable
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "a time is a number with ms, s, m or h, such as 500ms".to_owned())
}

fn delay(text: &str) -> Result<(&'static str, Duration), String> {
    let (what, time) = text.split_once('=').ok_or("a delay is WHAT=TIME, such as cluster=2s")?;
    let what = what.trim();
    let known = Delays::NAMES.iter().find(|name| **name == what);
    let what =
        known.ok_or_else(|| format!("no such delay: {what}; there are {}", Delays::NAMES.join(", ")))?;
    Ok((what, duration(time.trim())?))
}

/// Serves until Ctrl-C or SIGTERM. Prints the two `export` lines that point a client here on stdout, and a
/// service principal's on stderr.
///
/// # Errors
/// The port is taken or stdout is closed.
pub async fn serve(args: ServeArgs) -> io::Result<()> {
    let mut delays = Delays::default();
    for (what, time) in &args.delay {
        if let Some(delay) = delays.named(what) {
            *delay = *time;
        }
    }
    let mut builder = Sandbox::builder()
        .with_port(args.port)
        .with_page_size(args.page_size)
        .with_chunk_bytes(args.chunk_bytes)
        .with_token_ttl(args.token_ttl)
        .with_delays(delays);
    builder.options.token = args.token;
    builder.options.no_exec = args.no_exec;
    builder.options.seed = args.seed;
    builder.faults = args.fault.iter().map(ToString::to_string).collect();
    let sandbox = builder.start().await?;
    {
        let mut out = io::stdout().lock();
        writeln!(out, "export DATABRICKS_HOST={}", sandbox.url())?;
        writeln!(out, "export DATABRICKS_TOKEN={}", sandbox.token())?;
        out.flush()?;
    }
    let mut remarks = io::stderr().lock();
    writeln!(remarks, "# Or, as a service principal of the same workspace:")?;
    writeln!(remarks, "# export DATABRICKS_CLIENT_ID={}", sandbox.client_id())?;
    writeln!(remarks, "# export DATABRICKS_CLIENT_SECRET={}", sandbox.client_secret())?;
    drop(remarks);
    stopped().await
}

/// Ctrl-C, or the signal that asks a service to end: both leave time to clean up.
async fn stopped() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_read_with_their_unit() {
        assert_eq!(delay("cluster=2s"), Ok(("cluster", Duration::from_secs(2))));
        assert_eq!(delay("statement=0"), Ok(("statement", Duration::ZERO)));
        assert!(delay("cluster=2").is_err());
        let unknown = "no such delay: moon; there are cluster, context, statement, warehouse";
        assert_eq!(delay("moon=2s"), Err(unknown.to_owned()));
    }
}

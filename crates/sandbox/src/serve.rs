//! `brick sandbox`: the same sandbox as a program that runs until it is stopped.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::{
    builder::SandboxBuilder,
    clock::{Clock, Skew, parse_duration},
    delays::Delays,
    fault::rule::FaultRule,
    sandbox::Sandbox,
};

/// The options of `brick sandbox`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Port of the API on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Personal access token to accept, instead of a random one; other users can see it in the list of processes, so
    /// prefer --token-file or the environment variable BRICK_SANDBOX_TOKEN
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    pub token: Option<String>,
    /// File with the personal access token to accept
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Directory that keeps the workspace, made if there is none; the next sandbox with it has the same token, tables, files,
    /// jobs and secrets
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
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
    /// File of faults, one to a line; '#' starts a comment; may be repeated
    #[arg(long, value_name = "FILE", value_parser = fault_file)]
    pub faults: Vec<FaultFile>,
    /// How far the service's clock is off, such as -1h or +90s
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = skew)]
    pub clock_skew: Option<ClockSkew>,
    /// Size that all results together may have on disk, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 8 << 30)]
    pub result_bytes: u64,
    /// Run no Python code
    #[arg(long)]
    pub no_exec: bool,
    /// Seed for IDs and random faults, to make runs repeatable
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// The rules of a file.
#[derive(Debug, Clone)]
pub struct FaultFile(Vec<FaultRule>);

/// How far a clock is off.
#[derive(Debug, Clone, Copy)]
pub struct ClockSkew(Skew);

/// A larger file is no list of faults.
const FAULT_FILE_LIMIT: u64 = 16 * 1024 * 1024;
/// A larger file is no token.
const TOKEN_FILE_LIMIT: u64 = 64 * 1024;

/// The text of a file that isn't larger than `most`.
fn read(path: &Path, most: u64) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(most + 1).read_to_string(&mut text)?;
    if text.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has more than {most} bytes")));
    }
    Ok(text)
}

fn fault_file(path: &str) -> Result<FaultFile, String> {
    let text =
        read(Path::new(path), FAULT_FILE_LIMIT).map_err(|error| format!("cannot read {path}: {error}"))?;
    FaultRule::parse_lines(&text).map(FaultFile).map_err(|error| format!("{path}, {error}"))
}

fn skew(text: &str) -> Result<ClockSkew, String> {
    let skew = Skew::parse(text).map(ClockSkew);
    skew.ok_or_else(|| "a skew is a time with a sign, such as -1h or +90s".to_owned())
}

/// The token to accept: from the flag, the file or the environment.
fn token(args: &ServeArgs) -> io::Result<Option<String>> {
    let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
    let (token, from) = match (&args.token, &args.token_file) {
        (Some(token), _) => (token.clone(), "--token".to_owned()),
        (None, Some(path)) => {
            let shown = path.display();
            let text = read(path, TOKEN_FILE_LIMIT)
                .map_err(|error| io::Error::new(error.kind(), format!("cannot read {shown}: {error}")))?;
            (text.trim().to_owned(), shown.to_string())
        }
        (None, None) => match std::env::var(TOKEN_VARIABLE) {
            Ok(token) => (token, TOKEN_VARIABLE.to_owned()),
            Err(std::env::VarError::NotPresent) => return Ok(None),
            Err(_) => return Err(invalid(format!("the token in {TOKEN_VARIABLE} is not UTF-8"))),
        },
    };
    let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if plain {
        return Ok(Some(token));
    }
    Err(invalid(format!("the token of {from} must have only visible ASCII letters and no spaces")))
}

const TOKEN_VARIABLE: &str = "BRICK_SANDBOX_TOKEN";

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

impl ServeArgs {
    /// The sandbox that these options describe, to be started by a program that serves it in its own way.
    ///
    /// ```
    /// # use clap::Parser as _;
    /// #[derive(clap::Parser)]
    /// struct Arguments {
    ///     #[command(flatten)]
    ///     serve: brickwire_sandbox::ServeArgs,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let arguments = Arguments::parse_from(["program", "--delay", "cluster=0", "--no-exec"]);
    /// let sandbox = arguments.serve.into_builder()?.start().await?;
    /// assert!(sandbox.url().starts_with("http://127.0.0.1:"));
    /// sandbox.close()
    /// # }
    /// ```
    ///
    /// # Errors
    /// The token is empty or has characters that no token has, or its file cannot be read.
    pub fn into_builder(self) -> io::Result<SandboxBuilder> {
        let mut delays = Delays::default();
        for (what, time) in &self.delay {
            if let Some(delay) = delays.named(what) {
                *delay = *time;
            }
        }
        let mut builder = Sandbox::builder()
            .with_port(self.port)
            .with_page_size(self.page_size)
            .with_chunk_bytes(self.chunk_bytes)
            .with_token_ttl(self.token_ttl)
            .with_result_bytes(self.result_bytes)
            .with_delays(delays);
        builder.options.token = token(&self)?;
        if let Some(ClockSkew(skew)) = self.clock_skew {
            builder.options.clock = Clock::skewed(skew);
        }
        builder.options.data = self.data;
        builder.options.no_exec = self.no_exec;
        builder.options.seed = self.seed;
        let of_files = self.faults.iter().flat_map(|FaultFile(rules)| rules);
        builder.faults = self.fault.iter().chain(of_files).map(ToString::to_string).collect();
        Ok(builder)
    }
}

/// Serves until Ctrl-C, SIGTERM or a hang-up. Prints the two `export` lines that point a client here on stdout; on
/// stderr, a service principal's and the login code.
///
/// # Errors
/// The port is taken, the token cannot be read, the data directory cannot be used or written, or stdout is closed.
pub async fn serve(args: ServeArgs) -> io::Result<()> {
    let builder = args.into_builder()?;
    // Before there are files to clean up.
    let stopped = stopping()?;
    let mut serving = Serving(builder.start().await?);
    let sandbox = &serving.0;
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
    writeln!(remarks, "# Or, as a workload that has this identity token and the client id:")?;
    writeln!(remarks, "# export DATABRICKS_OIDC_TOKEN={}", sandbox.identity_token())?;
    writeln!(remarks, "# Or in the browser: brick auth login --host {}", sandbox.url())?;
    writeln!(remarks, "# The page asks for this login code: {}", sandbox.login_code())?;
    drop(remarks);
    stopped.await?;
    serving.0.end()
}

/// Says what could not be saved, also if the caller drops [`serve`] because it has caught the signal itself.
struct Serving(Sandbox);

impl Drop for Serving {
    fn drop(&mut self) {
        if let Err(error) = self.0.end() {
            // If that fails too, there is no way left to report it.
            let _ = writeln!(io::stderr(), "error: cannot save the workspace: {error}");
        }
    }
}

/// Ctrl-C, the signal that asks a service to end, or that its terminal is gone: all leave time to clean up. They are
/// caught from the moment that this returns.
fn stopping() -> io::Result<impl Future<Output = io::Result<()>>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        // Listening would undo what `nohup` does.
        let mut hang_up = if is_hang_up_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(async move {
            let hang_up = async {
                match &mut hang_up {
                    Some(hang_up) => hang_up.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = interrupt.recv() => Ok(()),
                _ = terminate.recv() => Ok(()),
                _ = hang_up => Ok(()),
            }
        })
    }
    #[cfg(windows)]
    {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        let mut interrupt = ctrl_c()?;
        // What a program sends to one that it has started, a window that is closed, and the end of the system.
        let (mut terminate, mut hang_up, mut shutdown) = (ctrl_break()?, ctrl_close()?, ctrl_shutdown()?);
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => Ok(()),
                _ = terminate.recv() => Ok(()),
                _ = hang_up.recv() => Ok(()),
                _ = shutdown.recv() => Ok(()),
            }
        })
    }
}

/// Whether the program was started with SIGHUP ignored, as `nohup` does. Linux says so in a mask; elsewhere a program that
/// `nohup` starts is known by its stderr, which is never a terminal.
#[cfg(unix)]
fn is_hang_up_ignored() -> bool {
    use std::io::IsTerminal;
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return !std::io::stderr().is_terminal();
    };
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_read_with_their_unit() {
        assert_eq!(delay("cluster=2s"), Ok(("cluster", Duration::from_secs(2))));
        assert_eq!(delay("statement=0"), Ok(("statement", Duration::ZERO)));
        assert!(delay("cluster=2").is_err());
        let unknown = "no such delay: moon; there are cluster, context, run, library, update, endpoint, statement, warehouse";
        assert_eq!(delay("moon=2s"), Err(unknown.to_owned()));
    }
}

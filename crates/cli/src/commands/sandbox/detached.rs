//! `brick sandbox --detach`: the same program again, in the background, and the exports of its workspace on stdout.
//!
//! The second program gets the first one's command line, and its entry's name in a variable. It creates the token itself and
//! hands it over through a pipe, so the token is in no command line and in no file. It ends when its time is over, when
//! `--stop` or a signal asks it to, and when its entry is deleted.
//!
//! On Unix it leaves the terminal's session, so that neither Ctrl-C nor a closed terminal ends it. On Windows it has no
//! console. There, this could only be compiled and was never run: the handles that it inherits may keep a shell that captures
//! the output waiting.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{self, Child, Stdio},
    time::Duration,
};

use brickwire_sandbox::ServeArgs;
use serde::{Deserialize, Serialize};

use super::{
    end,
    environment::{self, Changes},
    registry::{self, Entry, Record},
    shell::Shell,
    start as start_here,
};
use crate::{
    context::Context,
    failure::{Failure, Result},
};

/// Names the log of the entry that the second program serves.
const LOG: &str = "BRICK_SANDBOX_DETACHED_LOG";

/// How long the second program may take until it serves.
const START: Duration = Duration::from_secs(60);

/// How long a sandbox may take to save its workspace and end.
const END: Duration = Duration::from_secs(20);

/// How often it is checked whether a sandbox was asked to stop, or has ended.
const LOOK: Duration = Duration::from_millis(100);

/// What the second program says on its stdout, in one line.
#[derive(Serialize, Deserialize)]
enum Report {
    Serving { url: String, token: String },
    Failed { message: String },
}

/// The log of the entry that this process serves in the background; `None` if it is to start the one that does.
pub(super) fn name() -> Option<PathBuf> {
    env::var_os(LOG).map(PathBuf::from)
}

/// Starts the second program, and prints the exports once it serves.
pub(super) async fn start(shell: Shell, lifetime: Duration, context: &Context) -> Result {
    let folder = registry::folder()?;
    registry::running(&folder)?;
    let (entry, log) = registry::new_entry(&folder)?;
    let mut command = process::Command::new(env::current_exe()?);
    command.args(env::args_os().skip(1)).env(LOG, entry.log_file());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    #[cfg(windows)]
    {
        const DETACHED_PROCESS: u32 = 0x8;
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
        let flags = DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP;
        std::os::windows::process::CommandExt::creation_flags(&mut command, flags);
    }
    let mut starting = Starting { child: Some(command.spawn()?), entry };
    let (url, token) = match starting.report().await {
        Some(Report::Serving { url, token }) => (url, token),
        Some(Report::Failed { message }) => return Err(Failure::local(message)),
        None => return Err(starting.without_report()),
    };
    let entry = starting.leave();
    let changes = environment::changes(&url, &token, |name| env::var_os(name));
    context.output().bytes(shell.lines(&changes).as_bytes())?;
    let time = humantime::format_duration(lifetime);
    context.note(&format!("serving {url} in the background for {time}; log: {}", entry.log_file().display()));
    context.note("stop it with `brick sandbox --stop`");
    Ok(())
}

/// A second program that doesn't serve yet. It is ended if the first one gives up.
struct Starting {
    child: Option<Child>,
    entry: Entry,
}

impl Starting {
    /// What it says; `None` if it ends or takes too long instead.
    async fn report(&mut self) -> Option<Report> {
        let stdout = self.child.as_mut()?.stdout.take()?;
        let (give, take) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout).read_line(&mut line);
            // The receiver may have given up.
            let _ = give.send(read.ok().and_then(|_| serde_json::from_str(&line).ok()));
        });
        tokio::time::timeout(START, take).await.ok()?.ok()?
    }

    fn without_report(mut self) -> Failure {
        let log = self.entry.log_file();
        self.end();
        self.child = None;
        Failure::local("the sandbox in the background did not start")
            .with_hint(format!("read {}", log.display()))
    }

    /// It serves, and goes on.
    fn leave(mut self) -> Entry {
        self.child = None;
        self.entry.clone()
    }

    fn end(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.end();
            self.entry.forget();
        }
    }
}

/// Serves in the background, as the second program.
pub(super) async fn serve(options: ServeArgs, lifetime: Duration, log: PathBuf, context: &Context) -> Result {
    // An error means that it leads a session already.
    #[cfg(unix)]
    let _ = rustix::process::setsid();
    let (sandbox, registered) = match begin(options, &log).await {
        Ok(begun) => begun,
        Err(failure) => {
            report(&Report::Failed { message: failure.message() })?;
            return Err(failure);
        }
    };
    let url = sandbox.url().to_owned();
    report(&Report::Serving { url: url.clone(), token: sandbox.token().to_owned() })?;
    let time = humantime::format_duration(lifetime);
    context.note(&format!("process {} serves {url} for {time}", process::id()));
    let why = tokio::select! {
        () = tokio::time::sleep(lifetime) => "its time is over",
        () = until(|| registered.entry.is_stop_requested()) => "it was asked to stop",
    };
    context.note(&format!("ends: {why}"));
    let ended = end(sandbox);
    drop(registered);
    ended
}

async fn begin(options: ServeArgs, log: &Path) -> Result<(brickwire_sandbox::Sandbox, registry::Registered)> {
    let sandbox = start_here(options).await?;
    let record = Record { url: sandbox.url().to_owned(), pid: process::id() };
    Ok((sandbox, Entry::of_log(log).register(&record)?))
}

fn report(report: &Report) -> Result {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", serde_json::to_string(report)?)?;
    Ok(stdout.flush()?)
}

async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(LOOK).await;
    }
}

/// Stops the sandbox that DATABRICKS_HOST names, or all if it names none on this machine.
pub(super) async fn stop(shell: Shell, context: &Context) -> Result {
    let host = env::var("DATABRICKS_HOST").ok().filter(|host| host.starts_with("http://127.0.0.1:"));
    let host = host.as_deref().map(|host| host.trim_end_matches('/'));
    let mut running = registry::running(&registry::folder()?)?;
    running.retain(|(_, record)| host.is_none_or(|host| record.url == host));
    if running.is_empty() {
        let place = host.map(|host| format!(" at {host}")).unwrap_or_default();
        context.note(&format!("no sandbox runs in the background{place}"));
    }
    for (entry, record) in running {
        entry.request_stop().map_err(|error| Failure::file(&entry.log_file(), &error))?;
        if tokio::time::timeout(END, until(|| entry.has_ended())).await.is_err() {
            let seconds = END.as_secs();
            let message = format!("the sandbox at {} has not ended after {seconds} s", record.url);
            return Err(Failure::local(message).with_hint(format!("end its process: {}", record.pid)));
        }
        context.note(&format!("stopped {}", record.url));
    }
    if host.is_some() {
        let changes: Changes = environment::SET.into_iter().map(|name| (name, None)).collect();
        context.output().bytes(shell.lines(&changes).as_bytes())?;
    }
    Ok(())
}

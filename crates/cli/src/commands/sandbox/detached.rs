//! `brick sandbox --detach`: the same program again, in the background, and the exports of its workspace on stdout.
//!
//! The second program gets the first one's command line without `--token`, and its entry's name and that token in variables.
//! Otherwise it creates the token itself. It hands the token over through a pipe, so the token is not in its command line,
//! and in no file but those of `--data`. It ends when its time is over, when `--stop` or a signal asks it to, and when its
//! entry is deleted. It also ends if the first program can't print the exports, because the token would be lost.
//!
//! On Unix it leaves the terminal's session, so that neither Ctrl-C nor a closed terminal ends it. It also closes what it
//! inherits, so that a pipe of the first program's caller ends; see [`CLOSES`]. On Windows it has no console. There, this could only be compiled and was never run: the handles that it inherits may keep a shell that captures
//! the output waiting.

use std::{
    env,
    ffi::OsString,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{self, Child, Stdio},
    time::Duration,
};

use brickwire_sandbox::ServeArgs;
use serde::{Deserialize, Serialize};

use super::{
    environment, local,
    registry::{self, Entry, Record},
    shell::Shell,
};
use crate::{
    context::Context,
    failure::{Failure, Result},
};

/// Names the log of the entry that the second program serves.
const LOG: &str = "BRICK_SANDBOX_DETACHED_LOG";

/// Gives the second program its token.
const TOKEN: &str = "BRICK_SANDBOX_TOKEN";

/// How long the second program may take until it serves.
const START: Duration = Duration::from_secs(60);

/// How long the second program may take to end if the exports can't be printed.
const END: Duration = Duration::from_secs(20);

/// Closes the file descriptors that a script may have opened for the first program, and becomes the second one. A shell can do
/// that without unsafe code. Not every shell can close those above 9.
#[cfg(unix)]
const CLOSES: &str = r#"exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec "$0" "$@""#;

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
pub(super) async fn start(
    token: Option<String>,
    shell: Shell,
    lifetime: Duration,
    context: &Context,
) -> Result {
    let folder = registry::folder()?;
    registry::running(&folder)?;
    let (entry, log) = registry::new_entry(&folder)?;
    let program = env::current_exe()?;
    #[cfg(unix)]
    let mut command = process::Command::new("/bin/sh");
    #[cfg(unix)]
    command.args(["-c", CLOSES]).arg(program);
    #[cfg(not(unix))]
    let mut command = process::Command::new(program);
    command.args(without_token(env::args_os().skip(1))).env(LOG, entry.log_file());
    command.envs(token.map(|token| (TOKEN, token)));
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
    let changes = environment::changes(&url, &token, |name| env::var_os(name));
    if let Err(error) = context.output().bytes(shell.lines(&changes).as_bytes()) {
        starting.stop().await;
        context.note("stopped the sandbox, because its exports could not be printed");
        return Err(error.into());
    }
    let entry = starting.leave();
    let time = humantime::format_duration(lifetime);
    context.note(&format!("serving {url} in the background for {time}; log: {}", entry.log_file().display()));
    context.note("stop it with `brick sandbox --stop`");
    Ok(())
}

/// A command line without the token, which other users could read in the second program's command line for hours.
fn without_token(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments.into_iter();
    let mut kept = Vec::new();
    while let Some(argument) = arguments.next() {
        if argument == "--token" {
            arguments.next();
        } else if !argument.as_encoded_bytes().starts_with(b"--token=") {
            kept.push(argument);
        }
    }
    kept
}

/// A second program that isn't left on its own yet. It is ended if the first one gives up.
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

    /// Asks it to stop, so that it saves its workspace and deletes its files.
    async fn stop(self) {
        // If it can't be asked, it is ended at once.
        if self.entry.request_stop().is_ok() {
            let _ = tokio::time::timeout(END, self.entry.ended()).await;
        }
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
        Ok(started) => started,
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
        () = registered.entry.stop_requested() => "it was asked to stop",
    };
    context.note(&format!("ends: {why}"));
    let ended = local::end(sandbox);
    drop(registered);
    ended
}

async fn begin(options: ServeArgs, log: &Path) -> Result<(brickwire_sandbox::Sandbox, registry::Registered)> {
    let sandbox = local::start(options).await?;
    let record = Record { url: sandbox.url().to_owned(), pid: process::id() };
    Ok((sandbox, Entry::of_log(log).register(&record)?))
}

fn report(report: &Report) -> Result {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", serde_json::to_string(report)?)?;
    Ok(stdout.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_not_in_the_second_command_line() {
        let kept = |line: &str| without_token(line.split(' ').map(OsString::from)).join(" ".as_ref());
        assert_eq!(kept("sandbox --token t --detach --port 1"), "sandbox --detach --port 1");
        assert_eq!(kept("sandbox --detach --token=t"), "sandbox --detach");
        assert_eq!(kept("sandbox --token-file f --token-ttl 1h"), "sandbox --token-file f --token-ttl 1h");
    }
}

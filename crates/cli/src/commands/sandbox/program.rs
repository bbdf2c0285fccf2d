//! `brick sandbox -- PROGRAM`: runs a program with a sandbox as its workspace, and ends with its exit code.
//!
//! The program has brick's own stdin, stdout, and stderr. It gets the signals that brick gets, and brick goes on until the
//! program has ended, because only then may the sandbox end.

use std::{env, ffi::OsString, io, io::Write, process::ExitStatus};

use brickwire_sandbox::Sandbox;
use tempfile::NamedTempFile;
use tokio::process::{Child, Command};

use super::{environment, local};
use crate::{
    context::Context,
    failure::{Failure, Result},
    signals::Forwarded,
};

/// Shells end with these for a program that isn't found, and for one that can't be run.
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;

pub(super) async fn run(program: &[OsString], sandbox: Sandbox, context: &Context) -> Result {
    let [name, arguments @ ..] = program else {
        return Err(Failure::usage("no program is given after --"));
    };
    let profile = profile(&sandbox)?;
    let mut command = Command::new(name);
    command.args(arguments);
    for (name, value) in environment::changes(sandbox.url(), sandbox.token(), |name| env::var_os(name)) {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("DATABRICKS_CONFIG_FILE", profile.path());
    // Listened to before there is a program that could miss one.
    let mut signals = Forwarded::begin()?;
    let mut child = command.spawn().map_err(|error| not_started(name, &error))?;
    let status = wait(&mut child, &mut signals).await?;
    drop(profile);
    context.exit_with(exit_code(status));
    local::end(sandbox)
}

/// A configuration file with this workspace only: a program that names another profile gets an error, not another
/// workspace. It is in the sandbox's directory, which its owner alone can read.
fn profile(sandbox: &Sandbox) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(sandbox.directory())?;
    writeln!(file, "[DEFAULT]\nhost = {}\ntoken = {}", sandbox.url(), sandbox.token())?;
    file.flush()?;
    Ok(file)
}

fn not_started(name: &OsString, error: &io::Error) -> Failure {
    let name = name.display();
    match error.kind() {
        io::ErrorKind::NotFound => Failure::program(NOT_FOUND, format!("program not found: {name}"))
            .with_hint("name a program on PATH, or its path, after --"),
        _ => Failure::program(NOT_RUN, format!("cannot run {name}: {error}")),
    }
}

async fn wait(child: &mut Child, signals: &mut Forwarded) -> io::Result<ExitStatus> {
    loop {
        let signal = tokio::select! {
            status = child.wait() => return status,
            signal = signals.next() => signal,
        };
        signals.pass_on(signal, child.id()).await;
    }
}

/// The exit code, as a shell shows it.
fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(1);
    }
    // Codes on Windows have 32 bits, and none of those above 255 means success.
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

//! `brick sandbox`: serves a local workspace until it is stopped, for one program, or in the background. A build without
//! the feature has the command, too, and says how to get it.

#[cfg(feature = "sandbox")]
mod detached;
#[cfg(feature = "sandbox")]
mod environment;
#[cfg(feature = "sandbox")]
mod local;
#[cfg(feature = "sandbox")]
mod program;
#[cfg(feature = "sandbox")]
mod registry;
#[cfg(feature = "sandbox")]
mod shell;
#[cfg(feature = "sandbox")]
mod stop;

#[cfg(feature = "sandbox")]
use std::{env, ffi::OsString, time::Duration};

#[cfg(feature = "sandbox")]
use brickwire_sandbox::ServeArgs;

#[cfg(feature = "sandbox")]
use crate::options::duration;
use crate::{
    context::Context,
    failure::{Failure, Result},
};

/// Serve a local workspace with real SQL and real Python, without an account
///
/// Without a program and without --detach, it serves until Ctrl-C and prints the exports that point programs at it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  brick sandbox --delay cluster=2s
  brick sandbox -- pytest -q
  eval \"$(brick sandbox --detach)\"
  brick sandbox --stop

With a program, the exit code is the program's: 128 and the signal's number if a signal ended it, 127 if the program is
not found, and 126 if it cannot be run.")]
pub(crate) struct Command {
    #[cfg(feature = "sandbox")]
    #[command(flatten)]
    options: ServeArgs,
    /// Serve in the background, and print the exports for a shell to evaluate
    #[cfg(feature = "sandbox")]
    #[arg(long, conflicts_with_all = ["stop", "program"])]
    detach: bool,
    /// How long a sandbox in the background serves
    #[cfg(feature = "sandbox")]
    #[arg(long = "for", value_name = "TIME", default_value = "8h", value_parser = lifetime, requires = "detach")]
    lifetime: Duration,
    /// Stop the sandbox in the background that DATABRICKS_HOST names, or all of them if it is not set
    #[cfg(feature = "sandbox")]
    #[arg(long, conflicts_with = "program")]
    stop: bool,
    /// Stop all sandboxes in the background, whatever DATABRICKS_HOST names
    #[cfg(feature = "sandbox")]
    #[arg(long, requires = "stop")]
    all: bool,
    /// Shell that evaluates what --detach and --stop print; env prints lines for $GITHUB_ENV and --env-file
    #[cfg(feature = "sandbox")]
    #[arg(long, value_name = "SHELL", default_value = "sh", conflicts_with = "program")]
    shell: shell::Shell,
    /// Program to run with this sandbox as its workspace, and its arguments
    #[cfg(feature = "sandbox")]
    #[arg(last = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
    #[cfg(not(feature = "sandbox"))]
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<String>,
}

#[cfg(feature = "sandbox")]
pub(crate) async fn run(command: Command, context: &Context) -> Result {
    // `brick sandbox -- $COMMAND` with an empty variable must not serve forever.
    if command.program.is_empty() && env::args_os().any(|argument| argument == "--") {
        return Err(Failure::usage("no program is given after --"));
    }
    if command.stop {
        return stop::stop(command.all, command.shell, context).await;
    }
    if command.detach {
        return match detached::name() {
            Some(name) => detached::serve(command.options, command.lifetime, name, context).await,
            None => detached::start(command.options.token, command.shell, command.lifetime, context).await,
        };
    }
    if !command.program.is_empty() {
        let sandbox = local::start(command.options).await?;
        return program::run(&command.program, sandbox, context).await;
    }
    brickwire_sandbox::serve(command.options).await.map_err(local::not_run)
}

#[cfg(not(feature = "sandbox"))]
pub(crate) async fn run(_: Command, _: &Context) -> Result {
    Err(Failure::not_built("sandbox", "full,sandbox"))
}

/// No sandbox stays longer: what is forgotten must end.
#[cfg(feature = "sandbox")]
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[cfg(feature = "sandbox")]
fn lifetime(text: &str) -> std::result::Result<Duration, String> {
    match duration(text)? {
        time if time > LONGEST => Err("must be at most 30 days".to_owned()),
        time => Ok(time),
    }
}

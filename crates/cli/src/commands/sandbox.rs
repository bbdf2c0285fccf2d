//! `brick sandbox`: the local workspace, in the foreground. Without the feature the command stays, and says how to get it.

use crate::{
    context::Context,
    failure::{Failure, Result},
};

/// Serve a local pretend workspace: real SQL, real Python, no account
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  brick sandbox --delay cluster=2s")]
pub(crate) struct Command {
    #[cfg(feature = "sandbox")]
    #[command(flatten)]
    options: brickwire_sandbox::ServeArgs,
    #[cfg(not(feature = "sandbox"))]
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<String>,
}

#[cfg(feature = "sandbox")]
pub(crate) async fn run(command: Command, _: &Context) -> Result {
    brickwire_sandbox::serve(command.options)
        .await
        .map_err(|e| Failure::local(format!("the sandbox cannot serve: {e}")))
}

#[cfg(not(feature = "sandbox"))]
pub(crate) async fn run(_: Command, _: &Context) -> Result {
    Err(Failure::not_built("sandbox", "full,sandbox"))
}

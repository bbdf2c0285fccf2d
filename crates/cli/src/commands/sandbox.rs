//! `brick sandbox`: serves a local workspace. A build without the feature has the command, too, and says how to get it.

use crate::{
    context::Context,
    failure::{Failure, Result},
};

/// Serve a local workspace with real SQL and real Python, without an account
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
        .map_err(|e| Failure::local(format!("cannot run the sandbox: {e}")))
}

#[cfg(not(feature = "sandbox"))]
pub(crate) async fn run(_: Command, _: &Context) -> Result {
    Err(Failure::not_built("sandbox", "full,sandbox"))
}

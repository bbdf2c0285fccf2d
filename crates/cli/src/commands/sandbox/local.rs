//! The sandbox of this process: how it starts, and how it ends.

use std::io;

use brickwire_sandbox::{Sandbox, ServeArgs};

use crate::failure::{Failure, Result};

pub(super) async fn start(options: ServeArgs) -> Result<Sandbox> {
    options.into_builder().map_err(not_run)?.start().await.map_err(not_run)
}

pub(super) fn not_run(error: io::Error) -> Failure {
    Failure::local(format!("cannot run the sandbox: {error}"))
}

/// Ends a sandbox, and says what could not be saved.
pub(super) fn end(sandbox: Sandbox) -> Result {
    sandbox.close().map_err(|error| Failure::local(format!("cannot save the workspace: {error}")))
}

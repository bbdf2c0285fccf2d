//! `brick sandbox`: the local workspace, in the foreground.

use super::Result;
use crate::args::SandboxArgs;

#[cfg(feature = "sandbox")]
pub(super) async fn serve(options: SandboxArgs) -> Result {
    use crate::report::Failure;
    brickwire_sandbox::serve(options)
        .await
        .map_err(|e| Failure::Unable(format!("the sandbox cannot serve: {e}")))
}

#[cfg(not(feature = "sandbox"))]
pub(super) async fn serve(_: SandboxArgs) -> Result {
    Err(crate::context::without_sandbox())
}

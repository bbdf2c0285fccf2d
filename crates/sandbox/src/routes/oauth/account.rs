//! What the workspace-level and the account-level servers share.

/// The account the workspaces belong to.
pub(crate) const ACCOUNT_ID: &str = "5f2c0f5e-3a8d-4b1c-9a77-0d1e2f3a4b5c";

/// Whether this server can give that scope.
pub(super) fn is_known(scope: &str) -> bool {
    scope.split(' ').all(|part| matches!(part, "all-apis" | "offline_access"))
}

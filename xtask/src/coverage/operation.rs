//! An operation of the description.

/// An operation, and what there is of it.
#[derive(Debug, Default)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) in_client: bool,
    pub(super) in_actions: bool,
    /// The action, and its file.
    pub(super) action: Option<(String, String)>,
    /// Commands, such as `brick jobs list`.
    pub(super) commands: Vec<String>,
    pub(super) in_sandbox: bool,
    /// The crates, or other places, with tests that name it.
    pub(super) tests: Vec<&'static str>,
}

//! How code is run on a cluster.

use std::time::Duration;

use brickwire_client::types;

use super::DEFAULT_LANGUAGE;
use crate::{Secret, WaitOptions};

/// How code is run.
///
/// ```
/// use brickwire_actions::{RunOptions, types::CommandLanguage};
/// let options = RunOptions::default().with_language(CommandLanguage::Sql).with_kept_context(true);
/// ```
#[derive(Debug, Clone)]
pub struct RunOptions {
    pub(super) language: types::CommandLanguage,
    pub(super) context_id: Option<String>,
    pub(super) keeps_context: bool,
    pub(super) continues: bool,
    pub(super) is_unchecked: bool,
    pub(super) arguments: Option<Vec<Secret>>,
    pub(super) wait: WaitOptions,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            language: DEFAULT_LANGUAGE,
            context_id: None,
            keeps_context: false,
            continues: false,
            is_unchecked: false,
            arguments: None,
            wait: WaitOptions::default().with_timeout(Duration::MAX),
        }
    }
}

impl RunOptions {
    /// The language of the code; Python by default. Of a notebook, the language of its context: each cell names its own.
    #[must_use]
    pub fn with_language(mut self, language: types::CommandLanguage) -> Self {
        self.language = language;
        self
    }

    /// Runs in this context, sharing its state, instead of in a new one.
    #[must_use]
    pub fn with_context(mut self, context_id: impl Into<String>) -> Self {
        self.context_id = Some(context_id.into());
        self
    }

    /// Whether to keep the context that is created for the run.
    #[must_use]
    pub fn with_kept_context(mut self, keep: bool) -> Self {
        self.keeps_context = keep;
        self
    }

    /// Whether a notebook goes on after a cell that failed. By default the cells after it don't run.
    #[must_use]
    pub fn with_continue_on_error(mut self, continues: bool) -> Self {
        self.continues = continues;
        self
    }

    /// Sends the text as one command whatever it looks like. By default notebooks and SQL scripts are refused, because a
    /// cluster would skip a part of them.
    #[must_use]
    pub fn with_unchecked_text(mut self, is_unchecked: bool) -> Self {
        self.is_unchecked = is_unchecked;
        self
    }

    /// Sets `sys.argv` in the context before Python code runs: the name of the program, then its arguments. The code is
    /// sent unchanged, so that the lines in a traceback are its own.
    ///
    /// ```
    /// let options = brickwire_actions::RunOptions::default().with_arguments(["job.py", "--day", "2024-01-31"]);
    /// ```
    #[must_use]
    pub fn with_arguments(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments = Some(arguments.into_iter().map(|argument| Secret::new(argument.into())).collect());
        self
    }

    /// How long the whole run may take, from the request for a context to the end of the command; then it is canceled. By
    /// default there is no limit.
    #[must_use]
    pub fn with_wait(mut self, wait: WaitOptions) -> Self {
        self.wait = wait;
        self
    }
}

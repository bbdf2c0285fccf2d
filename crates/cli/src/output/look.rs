//! How data is shown, apart from its format.

use std::{borrow::Cow, time::Instant};

use super::null::NULL;
use crate::options::{Global, MaxRows};

/// The most rows that a terminal shows unless `--max-rows` or `--limit` is given.
const ON_TERMINAL: u64 = 1_000;

/// How data is shown.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// The text for NULL, if it was given.
    pub(super) null: Option<String>,
    pub(super) may_page: bool,
    /// Whether there is a line below the rows on a terminal.
    pub(super) has_footer: bool,
    /// Whether a result that is too wide for the terminal may be shown as records.
    pub(super) may_be_records: bool,
    /// The most rows to show.
    pub(super) cap: Option<u64>,
    /// When the work began whose time the footer tells.
    pub(super) started: Instant,
}

impl Look {
    pub(crate) fn new(global: &Global, started: Instant) -> Self {
        Self {
            null: global.null.clone(),
            may_page: !global.no_pager,
            has_footer: !global.quiet,
            started,
            ..Self::default()
        }
    }

    /// The text for NULL in tables and records.
    pub(super) fn null(&self) -> &str {
        self.null.as_deref().unwrap_or(NULL)
    }

    /// A cell of a list, where nothing stands for null.
    pub(super) fn listed<'a>(&'a self, cell: &'a str) -> Cow<'a, str> {
        match &self.null {
            Some(null) if cell.is_empty() => null.into(),
            _ => cell.into(),
        }
    }
}

impl Default for Look {
    fn default() -> Self {
        Self {
            null: None,
            may_page: true,
            has_footer: true,
            may_be_records: true,
            cap: None,
            started: Instant::now(),
        }
    }
}

/// The most rows to show. On a terminal, a query without `--limit` has a limit of its own.
pub(super) fn cap(asked: Option<MaxRows>, has_limit: bool, on_screen: bool) -> Option<u64> {
    match asked {
        Some(MaxRows::Rows(rows)) => Some(rows),
        Some(MaxRows::All) => None,
        None => (on_screen && !has_limit).then_some(ON_TERMINAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_has_a_limit_of_its_own() {
        assert_eq!(cap(None, false, true), Some(1_000));
        assert_eq!(cap(None, true, true), None);
        assert_eq!(cap(None, false, false), None);
        assert_eq!(cap(Some(MaxRows::All), false, true), None);
        assert_eq!(cap(Some(MaxRows::Rows(5)), false, false), Some(5));
    }
}

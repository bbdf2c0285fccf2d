//! A resource's state, and how it moves on: when it is read, never by a timer.
//!
//! A resource in a passing state (PENDING, STARTING) keeps the next state and when it is due. It moves on when it is
//! read at or after that moment *and* the passing state has been read once before, so that even with delays of zero
//! every state shows at least once and pollers are really exercised.

use serde::{Deserialize, Serialize};

/// A state and what follows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Phase<S> {
    state: S,
    next: Option<(S, u64)>,
    shown: bool,
}

impl<S: Copy> Phase<S> {
    /// A state that stays.
    pub(crate) fn lasting(state: S) -> Self {
        Self { state, next: None, shown: false }
    }

    /// A state that becomes `next` at `due_ms`.
    pub(crate) fn passing(state: S, next: S, due_ms: u64) -> Self {
        Self { state, next: Some((next, due_ms)), shown: false }
    }

    /// The state as it is shown at `now_ms`, and whether it has just changed.
    pub(crate) fn read(&mut self, now_ms: u64) -> (S, bool) {
        let changed = self.is_due(now_ms);
        if let Some((next, _)) = self.next.take_if(|_| changed) {
            self.state = next;
        }
        self.shown = true;
        (self.state, changed)
    }

    /// Whether the next reading shows the next state.
    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        self.shown && self.next.is_some_and(|(_, due_ms)| now_ms >= due_ms)
    }

    /// The state; doesn't count as showing it.
    pub(crate) fn peek(&self) -> S {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passing_state_shows_once_even_without_a_delay() {
        let mut phase = Phase::passing("PENDING", "RUNNING", 0);
        assert_eq!(phase.read(10), ("PENDING", false));
        assert_eq!(phase.read(10), ("RUNNING", true));
        assert_eq!(phase.read(10), ("RUNNING", false));
    }

    #[test]
    fn a_passing_state_waits_until_it_is_due() {
        let mut phase = Phase::passing("PENDING", "RUNNING", 100);
        assert_eq!(phase.read(10).0, "PENDING");
        assert_eq!(phase.read(99).0, "PENDING");
        assert_eq!(phase.read(100).0, "RUNNING");
    }
}

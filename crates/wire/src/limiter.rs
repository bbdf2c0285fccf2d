//! How many requests a host gets: decides when the next one may go out, for all tasks together.
//!
//! A token bucket. The burst is large enough that short programs never wait; what loops for long is held to the rate.
//! A 429 takes half of what is left of the burst; one with Retry-After takes all of it and holds every further request
//! to the host for as long as the service asks, half a minute at most.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How many requests go to a host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    per_second: f64,
    burst: f64,
}

impl Default for RateLimit {
    /// 15 a second, as the Go SDK has it, after a burst of 300: each chunk of an SQL result needs a request, and chunks
    /// of a large result come faster than that.
    fn default() -> Self {
        Self { per_second: 15.0, burst: 300.0 }
    }
}

impl RateLimit {
    /// This many requests a second, after a first burst of this many.
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second: f64::from(per_second.max(1)), burst: f64::from(burst.max(1)) }
    }

    /// No limit but the service's own.
    pub fn none() -> Self {
        Self { per_second: f64::INFINITY, burst: f64::INFINITY }
    }
}

/// A pause that a 429 asks for is never longer than this for the requests of other calls.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Limiter {
    limit: RateLimit,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// What is left of the burst; below zero if requests are waiting for their turn.
    tokens: f64,
    filled: Instant,
    paused_until: Option<Instant>,
}

impl Limiter {
    pub(crate) fn new(limit: RateLimit) -> Self {
        let state = State { tokens: limit.burst, filled: Instant::now(), paused_until: None };
        Self { limit, state: Mutex::new(state) }
    }

    /// Takes a place in the queue; returns how long to wait for it.
    pub(crate) fn take(&self) -> Duration {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = state.paused_until.map_or(Duration::ZERO, |end| end.saturating_duration_since(now));
        if self.limit.per_second.is_infinite() {
            return pause;
        }
        let earned = now.duration_since(state.filled).as_secs_f64() * self.limit.per_second;
        state.filled = now;
        state.tokens = (state.tokens + earned).min(self.limit.burst) - 1.0;
        let owed = (-state.tokens / self.limit.per_second).max(0.0);
        pause.max(Duration::from_secs_f64(owed))
    }

    /// Leaves the queue again: the wait was too long.
    pub(crate) fn give_back(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).tokens += 1.0;
    }

    /// The service answered 429, and asked to wait this long.
    pub(crate) fn slow_down(&self, retry_after: Option<Duration>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pause) = retry_after else {
            state.tokens = state.tokens.min(state.tokens / 2.0);
            return;
        };
        let until = Instant::now() + pause.min(LONGEST_PAUSE);
        state.tokens = state.tokens.min(0.0);
        state.paused_until = Some(state.paused_until.map_or(until, |end| end.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_the_rest_waits_its_turn() {
        let limiter = Limiter::new(RateLimit::new(10, 3));
        let waits: Vec<_> = (0..5).map(|_| limiter.take().as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(limiter.take(), Duration::ZERO);
        // Requests that don't wait don't make others wait.
        let next = limiter.take();
        for _ in 0..3 {
            limiter.give_back();
            assert_eq!(limiter.take(), next);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_stops_all_requests_for_a_while() {
        let limiter = Limiter::new(RateLimit::new(10, 100));
        limiter.slow_down(Some(Duration::from_secs(2)));
        assert_eq!(limiter.take(), Duration::from_secs(2));
        limiter.slow_down(Some(Duration::from_secs(86_400)));
        assert_eq!(limiter.take(), LONGEST_PAUSE);
        tokio::time::advance(LONGEST_PAUSE).await;
        assert!(limiter.take() < Duration::from_millis(200));
        let limiter = Limiter::new(RateLimit::new(10, 4));
        limiter.slow_down(None);
        let waits: Vec<_> = (0..3).map(|_| limiter.take().as_millis()).collect();
        assert_eq!(waits, [0, 0, 100]);
        let unlimited = Limiter::new(RateLimit::none());
        assert!((0..1000).all(|_| unlimited.take().is_zero()));
    }
}

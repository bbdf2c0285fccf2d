//! When a request is sent again, and after how long. Pure: the loop, the clock and the sleep are in `transport.rs`.
//!
//! Two policies. The **default** knows whether repeating is safe. The **connector's** is Raw Request's: it follows
//! the caller's four inputs (count, delay, exponential, all errors), as the connector's users know them.
//!
//! Differences from the SDKs and from the connector, on purpose: a POST whose answer was lost is never sent again
//! unless the caller asks; a 429 is retried for every method, as it was not executed; Retry-After is obeyed; the
//! exponential backoff without a delay is a jittered default and not a burst at 0 ms.

use std::time::Duration;

use crate::error::ErrorBody;

/// How the waits between attempts grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    /// The same wait each time.
    Fixed(Duration),
    /// The wait doubles each time; no duration stands for the default's (0.5 s, at most 10 s, with jitter).
    Exponential(Option<Duration>),
}

/// When a request is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryPolicy {
    /// Whatever is safe to repeat, within a time budget for all attempts and waits together.
    Safe {
        /// The budget; 5 minutes by default.
        budget: Duration,
    },
    /// Raw Request's inputs.
    Connector {
        /// How many times at the most a request is sent again; 0 for never.
        max_retries: u32,
        /// The waits.
        backoff: Backoff,
        /// Whether every error status is a reason, and a lost answer to a request that isn't safe to repeat too.
        all_errors: bool,
    },
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::Safe { budget: Duration::from_secs(5 * 60) }
    }
}

impl RetryPolicy {
    /// Never sends anything twice.
    pub const fn never() -> Self {
        Self::Connector { max_retries: 0, backoff: Backoff::Fixed(Duration::ZERO), all_errors: false }
    }
}

/// How one attempt ended, if not with success.
#[derive(Debug)]
pub(crate) enum Failure<'a> {
    /// An answer came.
    Answer(&'a ErrorBody),
    /// No connection came about; nothing was sent.
    NotSent,
    /// The time for the attempt was up.
    TimedOut,
    /// The connection broke after the request was sent, or the answer was cut short.
    Lost,
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Send it again after this wait.
    Retry(Duration),
    /// Report the failure.
    GiveUp,
    /// Report that the request may have taken effect.
    UnknownOutcome,
}

/// What the decision depends on beside the failure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation {
    /// How many attempts have been made.
    pub(crate) attempts: u32,
    /// The time since the first one began.
    pub(crate) elapsed: Duration,
    /// Whether sending it twice is as good as sending it once.
    pub(crate) repeatable: bool,
    /// A random number in `0.0..1.0`.
    pub(crate) jitter: f64,
}

/// A host that can't be reached is reported within seconds.
const NOT_SENT_TRIES: u32 = 3;
const NOT_SENT_TIME: Duration = Duration::from_secs(5);

const FIRST_STEP: Duration = Duration::from_millis(500);
const LONGEST_STEP: Duration = Duration::from_secs(10);

pub(crate) fn decide(policy: &RetryPolicy, failure: &Failure<'_>, now: Situation) -> Decision {
    let unknown = matches!(failure, Failure::TimedOut | Failure::Lost)
        || matches!(failure, Failure::Answer(e) if matches!(e.status.as_u16(), 502 | 504) && !e.is_not_executed());
    let give_up = if unknown && !now.repeatable { Decision::UnknownOutcome } else { Decision::GiveUp };
    match *policy {
        RetryPolicy::Safe { budget } => {
            if !is_safe(failure, now) {
                return give_up;
            }
            let wait = jittered(now).max(asked_wait(failure));
            if now.elapsed.saturating_add(wait) > budget { give_up } else { Decision::Retry(wait) }
        }
        RetryPolicy::Connector { max_retries, backoff, all_errors } => {
            let again = now.attempts <= max_retries && is_asked_for(failure, now.repeatable, all_errors);
            let wait = match backoff {
                Backoff::Fixed(delay) => delay,
                Backoff::Exponential(Some(delay)) => doubled(delay, now.attempts),
                Backoff::Exponential(None) => jittered(now),
            };
            if again { Decision::Retry(wait.max(asked_wait(failure))) } else { give_up }
        }
    }
}

fn is_safe(failure: &Failure<'_>, now: Situation) -> bool {
    match failure {
        Failure::NotSent => now.attempts < NOT_SENT_TRIES && now.elapsed < NOT_SENT_TIME,
        Failure::TimedOut | Failure::Lost => now.repeatable,
        Failure::Answer(e) if e.is_not_executed() => true,
        Failure::Answer(e) => match e.status.as_u16() {
            503 => now.repeatable || e.retry_after.is_some(),
            502 | 504 => now.repeatable,
            500 => now.repeatable && (e.retry_after.is_some() || e.is_transient()),
            _ => now.repeatable && e.is_transient(),
        },
    }
}

/// The connector's table; a timeout is never retried there.
fn is_asked_for(failure: &Failure<'_>, repeatable: bool, all_errors: bool) -> bool {
    match failure {
        Failure::NotSent => true,
        Failure::TimedOut => false,
        Failure::Lost => repeatable || all_errors,
        Failure::Answer(e) => all_errors || e.is_not_executed() || (repeatable && e.status.as_u16() >= 500),
    }
}

fn asked_wait(failure: &Failure<'_>) -> Duration {
    match failure {
        Failure::Answer(e) => e.retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

/// Full jitter: anything up to the step, so that many clients don't come back together.
fn jittered(now: Situation) -> Duration {
    doubled(FIRST_STEP, now.attempts).min(LONGEST_STEP).mul_f64(now.jitter)
}

fn doubled(step: Duration, attempts: u32) -> Duration {
    step.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    fn answer(status: u16, retry_after: Option<&'static str>) -> ErrorBody {
        let headers: HeaderMap = retry_after
            .map(|v| (http::header::RETRY_AFTER, http::HeaderValue::from_static(v)))
            .into_iter()
            .collect();
        ErrorBody::read(StatusCode::from_u16(status).unwrap(), &headers, &Bytes::new())
    }

    fn at(attempts: u32, repeatable: bool) -> Situation {
        Situation { attempts, elapsed: Duration::ZERO, repeatable, jitter: 1.0 }
    }

    fn safe(failure: &Failure<'_>, repeatable: bool) -> Decision {
        decide(&RetryPolicy::default(), failure, at(1, repeatable))
    }

    #[test]
    fn the_design_table() {
        use Decision::{GiveUp, Retry, UnknownOutcome};
        let step = Retry(FIRST_STEP);
        for (status, after, repeatable, not_repeatable) in [
            (429, None, step, step),
            (503, None, step, GiveUp),
            (503, Some("2"), Retry(Duration::from_secs(2)), Retry(Duration::from_secs(2))),
            (502, None, step, UnknownOutcome),
            (504, None, step, UnknownOutcome),
            (500, None, GiveUp, GiveUp),
            (500, Some("3"), Retry(Duration::from_secs(3)), GiveUp),
            (404, None, GiveUp, GiveUp),
        ] {
            let body = answer(status, after);
            assert_eq!(safe(&Failure::Answer(&body), true), repeatable, "{status} {after:?} repeatable");
            assert_eq!(
                safe(&Failure::Answer(&body), false),
                not_repeatable,
                "{status} {after:?} not repeatable"
            );
        }
        assert_eq!(safe(&Failure::NotSent, false), step);
        for lost in [Failure::Lost, Failure::TimedOut] {
            assert_eq!(safe(&lost, true), step);
            assert_eq!(safe(&lost, false), UnknownOutcome);
        }
    }

    #[test]
    fn never_sleeps_past_the_budget_and_gives_up_fast_on_a_dead_host() {
        let long = answer(429, Some("86400"));
        assert_eq!(safe(&Failure::Answer(&long), true), Decision::GiveUp);
        assert_eq!(decide(&RetryPolicy::default(), &Failure::NotSent, at(3, true)), Decision::GiveUp);
    }

    #[test]
    fn waits_double_up_to_ten_seconds() {
        let busy = answer(429, None);
        let waits: Vec<_> = (1..8)
            .map(|n| match decide(&RetryPolicy::default(), &Failure::Answer(&busy), at(n, true)) {
                Decision::Retry(wait) => wait.as_millis(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    }

    #[test]
    fn the_connector_counts_and_doubles() {
        let policy = |max_retries, all_errors| RetryPolicy::Connector {
            max_retries,
            backoff: Backoff::Exponential(Some(Duration::from_millis(100))),
            all_errors,
        };
        let broken = answer(500, None);
        let failed = Failure::Answer(&broken);
        assert_eq!(decide(&policy(0, true), &failed, at(1, true)), Decision::GiveUp);
        assert_eq!(
            decide(&policy(3, false), &failed, at(3, true)),
            Decision::Retry(Duration::from_millis(400))
        );
        assert_eq!(decide(&policy(3, false), &failed, at(4, true)), Decision::GiveUp);
        assert_eq!(decide(&policy(3, false), &failed, at(1, false)), Decision::GiveUp);
        assert_eq!(
            decide(&policy(3, true), &failed, at(1, false)),
            Decision::Retry(Duration::from_millis(100))
        );
        assert_eq!(decide(&policy(3, false), &Failure::Lost, at(1, false)), Decision::UnknownOutcome);
        assert_eq!(decide(&policy(3, true), &Failure::TimedOut, at(1, true)), Decision::GiveUp);
    }
}

//! Decides whether a request is sent again, and after how long. Pure: the loop, the clock and the sleep are in `send.rs`.
//!
//! There are three policies. The default, [`RetryPolicy::Safe`], repeats what is safe to repeat.
//! [`RetryPolicy::Connector`] follows the four inputs of the connector's Raw Request (count, delay, exponential, all
//! errors). [`RetryPolicy::Resume`] is for downloads, which continue where they broke off.
//!
//! Differences from the SDKs and from the connector, on purpose: a POST whose answer was lost is never sent again unless
//! the caller asks for it; a 429 is retried for every method, because the request was not executed; Retry-After is
//! obeyed; exponential backoff without a delay has jitter and is not a burst at 0 ms.

use std::time::Duration;

use ::http::StatusCode;

use crate::ErrorBody;

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
    /// Repeats what is safe to repeat, within a time budget for all attempts and waits together.
    Safe {
        /// The budget; 5 minutes by default.
        budget: Duration,
    },
    /// Raw Request's inputs.
    Connector {
        /// How many times a request is sent again at most; 0 for never.
        max_retries: u32,
        /// The waits.
        backoff: Backoff,
        /// Whether every error status is a reason, and a lost answer to a request that isn't safe to repeat, too.
        all_errors: bool,
    },
    /// A download: it continues where it broke off, as long as bytes arrive.
    Resume {
        /// How many attempts in a row may bring no byte.
        tries: u32,
    },
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::Safe { budget: Duration::from_secs(5 * 60) }
    }
}

impl RetryPolicy {
    /// Never sends anything twice, unless a token was refused that can be renewed.
    pub const fn never() -> Self {
        Self::Connector { max_retries: 0, backoff: Backoff::Fixed(Duration::ZERO), all_errors: false }
    }
}

/// How one attempt ended, if not with success.
#[derive(Debug)]
pub(crate) enum Failure<'a> {
    /// An error response came.
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

/// What the decision depends on, apart from the failure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation {
    /// How many attempts have been made; for a download, those in a row that brought no byte.
    pub(crate) attempts: u32,
    /// The time since the first attempt.
    pub(crate) elapsed: Duration,
    /// The time left until the call's deadline, if it has one.
    pub(crate) remaining: Option<Duration>,
    /// Whether sending it twice has the same effect as sending it once.
    pub(crate) repeatable: bool,
    /// A random number in `0.0..1.0`.
    pub(crate) jitter: f64,
}

/// A host that can't be reached is reported within seconds.
const NOT_SENT_TRIES: u32 = 3;
const NOT_SENT_TIME: Duration = Duration::from_secs(5);

const FIRST_STEP: Duration = Duration::from_millis(500);
const LONGEST_STEP: Duration = Duration::from_secs(10);

/// A download that broke off is continued sooner: the store has answered before.
const FIRST_RESUME: Duration = Duration::from_millis(100);
const LONGEST_RESUME: Duration = Duration::from_secs(5);
/// A store that can't be reached is reported within seconds, too; one that breaks off may be busy.
const NOT_SENT_RESUMES: u32 = 6;

/// The longest wait that a service can ask for. Beyond it the call fails, and its error has the wait.
const LONGEST_ASKED: Duration = Duration::from_secs(5 * 60);

pub(crate) fn decide(policy: &RetryPolicy, failure: &Failure<'_>, now: Situation) -> Decision {
    let give_up =
        if !now.repeatable && may_have_run(failure) { Decision::UnknownOutcome } else { Decision::GiveUp };
    let (again, wait, budget) = match *policy {
        RetryPolicy::Safe { budget } => {
            (is_safe(failure, now), jittered(now), Some(budget.saturating_sub(now.elapsed)))
        }
        RetryPolicy::Connector { max_retries, backoff, all_errors } => {
            let again = now.attempts <= max_retries && is_asked_for(failure, now.repeatable, all_errors);
            let wait = match backoff {
                Backoff::Fixed(delay) => delay,
                Backoff::Exponential(Some(delay)) => doubled(delay, now.attempts),
                Backoff::Exponential(None) => jittered(now),
            };
            (again, wait, None)
        }
        RetryPolicy::Resume { tries } => {
            let tries = if matches!(failure, Failure::NotSent) { tries.min(NOT_SENT_RESUMES) } else { tries };
            let step = doubled(FIRST_RESUME, now.attempts.max(1)).min(LONGEST_RESUME);
            (
                now.attempts < tries && is_resumable(failure, now.repeatable),
                step.mul_f64(0.5 + now.jitter / 2.0),
                None,
            )
        }
    };
    let asked = asked_wait(failure);
    let wait = wait.max(asked);
    let fits = |left: Option<Duration>| left.is_none_or(|left| !left.is_zero() && wait <= left);
    // A budget of the caller's may be longer than what is slept otherwise.
    let is_bearable = budget.is_some() || asked <= LONGEST_ASKED;
    if again && is_bearable && fits(budget) && fits(now.remaining) { Decision::Retry(wait) } else { give_up }
}

/// Whether the request may have been carried out although it failed.
fn may_have_run(failure: &Failure<'_>) -> bool {
    match failure {
        Failure::NotSent => false,
        Failure::TimedOut | Failure::Lost => true,
        Failure::Answer(body) => body.may_have_run(),
    }
}

/// Whether it is certain that the request was not carried out.
fn has_not_run(failure: &Failure<'_>) -> bool {
    match failure {
        Failure::NotSent => true,
        Failure::TimedOut | Failure::Lost => false,
        Failure::Answer(body) => {
            body.is_not_executed() || body.status == StatusCode::SERVICE_UNAVAILABLE && body.has_retry_after
        }
    }
}

fn is_safe(failure: &Failure<'_>, now: Situation) -> bool {
    match failure {
        Failure::NotSent => now.attempts < NOT_SENT_TRIES && now.elapsed < NOT_SENT_TIME,
        Failure::TimedOut | Failure::Lost => now.repeatable,
        Failure::Answer(body) if body.is_not_executed() => true,
        Failure::Answer(body) => match body.status.as_u16() {
            503 => now.repeatable || body.has_retry_after,
            502 | 504 => now.repeatable,
            500 => now.repeatable && (body.retry_after.is_some() || body.is_transient()),
            _ => now.repeatable && body.is_transient(),
        },
    }
}

/// Anything but a refusal: the store answers 4xx for a link that is no longer good. A redirect is one, too: nothing of
/// ours goes where it leads.
fn is_resumable(failure: &Failure<'_>, repeatable: bool) -> bool {
    if !repeatable {
        return has_not_run(failure);
    }
    match failure {
        Failure::NotSent | Failure::TimedOut | Failure::Lost => true,
        Failure::Answer(body) => {
            matches!(body.status.as_u16(), 408 | 416 | 429) || body.status.is_server_error()
        }
    }
}

/// The connector's table; it never retries after a timeout.
fn is_asked_for(failure: &Failure<'_>, repeatable: bool, all_errors: bool) -> bool {
    match failure {
        Failure::NotSent => true,
        Failure::TimedOut => false,
        Failure::Lost => repeatable || all_errors,
        Failure::Answer(body) => {
            all_errors || body.is_not_executed() || (repeatable && body.status.as_u16() >= 500)
        }
    }
}

fn asked_wait(failure: &Failure<'_>) -> Duration {
    match failure {
        Failure::Answer(body) => body.retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

/// Full jitter: anything up to the step, so that many clients don't return at the same moment.
fn jittered(now: Situation) -> Duration {
    doubled(FIRST_STEP, now.attempts).min(LONGEST_STEP).mul_f64(now.jitter)
}

fn doubled(step: Duration, attempts: u32) -> Duration {
    step.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::HeaderMap;
    use bytes::Bytes;

    fn answer(status: u16, retry_after: Option<&'static str>) -> ErrorBody {
        let headers: HeaderMap = retry_after
            .map(|v| (::http::header::RETRY_AFTER, ::http::HeaderValue::from_static(v)))
            .into_iter()
            .collect();
        ErrorBody::read(StatusCode::from_u16(status).unwrap(), &headers, &Bytes::new())
    }

    fn failed(body: &ErrorBody) -> Failure<'_> {
        Failure::Answer(body)
    }

    fn at(attempts: u32, repeatable: bool) -> Situation {
        Situation { attempts, elapsed: Duration::ZERO, remaining: None, repeatable, jitter: 1.0 }
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
            (503, None, step, UnknownOutcome),
            (503, Some("2"), Retry(Duration::from_secs(2)), Retry(Duration::from_secs(2))),
            (502, None, step, UnknownOutcome),
            (504, None, step, UnknownOutcome),
            (500, None, GiveUp, UnknownOutcome),
            (500, Some("3"), Retry(Duration::from_secs(3)), UnknownOutcome),
            (404, None, GiveUp, GiveUp),
        ] {
            let body = answer(status, after);
            assert_eq!(safe(&failed(&body), true), repeatable, "{status} {after:?} repeatable");
            assert_eq!(safe(&failed(&body), false), not_repeatable, "{status} {after:?} not repeatable");
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
        assert_eq!(safe(&failed(&long), true), Decision::GiveUp);
        assert_eq!(decide(&RetryPolicy::default(), &Failure::NotSent, at(3, true)), Decision::GiveUp);
    }

    #[test]
    fn an_error_code_says_whether_it_ran_and_a_message_does_not() {
        let body = |status, text: &'static str| {
            let status = StatusCode::from_u16(status).unwrap();
            ErrorBody::read(status, &HeaderMap::new(), &Bytes::from_static(text.as_bytes()))
        };
        let coded = r#"{"error_code":"REQUEST_LIMIT_EXCEEDED","message":"x"}"#;
        for status in [400, 503] {
            assert_eq!(safe(&failed(&body(status, coded)), false), Decision::Retry(FIRST_STEP));
        }
        for text in [
            coded,
            r#"{"error_code":"INTERNAL_ERROR","message":"failed: SELECT 'REQUEST_LIMIT_EXCEEDED'"}"#,
            r#"{"error":"failed: print('Cluster x does not exist')"}"#,
            "<title>ClusterNotReadyException</title>",
        ] {
            for status in [500, 502, 504] {
                assert_eq!(safe(&failed(&body(status, text)), false), Decision::UnknownOutcome, "{text}");
            }
        }
    }

    #[test]
    fn no_policy_but_the_callers_own_repeats_what_may_have_run() {
        let policy = RetryPolicy::Resume { tries: 9 };
        for failure in [Failure::Lost, Failure::TimedOut, failed(&answer(503, None))] {
            assert_eq!(decide(&policy, &failure, at(1, false)), Decision::UnknownOutcome, "{failure:?}");
        }
        // Nothing says that these were not carried out.
        for status in [200, 303, 408, 416, 501] {
            let verdict = decide(&policy, &failed(&answer(status, None)), at(1, false));
            assert!(!matches!(verdict, Decision::Retry(_)), "{status}: {verdict:?}");
        }
        let busy = answer(429, None);
        assert!(matches!(decide(&policy, &failed(&busy), at(1, false)), Decision::Retry(_)));
        // A wait that the body asks for says nothing about this: proxies don't know it.
        let text = r#"{"message":"x","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retry_delay":"2s"}]}"#;
        let asked = ErrorBody::read(
            StatusCode::SERVICE_UNAVAILABLE,
            &HeaderMap::new(),
            &Bytes::from_static(text.as_bytes()),
        );
        assert_eq!(asked.retry_after, Some(Duration::from_secs(2)));
        assert_eq!(safe(&failed(&asked), false), Decision::UnknownOutcome);
        assert_eq!(safe(&failed(&asked), true), Decision::Retry(Duration::from_secs(2)));
    }

    #[test]
    fn a_wait_never_reaches_past_the_deadline_or_five_minutes() {
        let busy = answer(429, Some("2"));
        let ends = |seconds| Situation { remaining: Some(Duration::from_secs(seconds)), ..at(1, true) };
        let connector = RetryPolicy::Connector {
            max_retries: 3,
            backoff: Backoff::Fixed(Duration::ZERO),
            all_errors: false,
        };
        for policy in [RetryPolicy::default(), connector, RetryPolicy::Resume { tries: 9 }] {
            assert_eq!(decide(&policy, &failed(&busy), ends(1)), Decision::GiveUp, "{policy:?}");
            assert_eq!(decide(&policy, &failed(&busy), ends(3)), Decision::Retry(Duration::from_secs(2)));
            let tomorrow = answer(429, Some("86400"));
            assert_eq!(decide(&policy, &failed(&tomorrow), at(1, true)), Decision::GiveUp, "{policy:?}");
        }
    }

    #[test]
    fn a_download_resumes_soon_and_counts_attempts_without_a_byte() {
        let policy = RetryPolicy::Resume { tries: 3 };
        let lost = |attempts| decide(&policy, &Failure::Lost, at(attempts, true));
        assert_eq!(lost(1), Decision::Retry(FIRST_RESUME));
        assert_eq!(lost(2), Decision::Retry(2 * FIRST_RESUME));
        assert_eq!(lost(3), Decision::GiveUp);
        let many = RetryPolicy::Resume { tries: 100 };
        assert_ne!(decide(&many, &Failure::NotSent, at(5, true)), Decision::GiveUp);
        assert_eq!(decide(&many, &Failure::NotSent, at(6, true)), Decision::GiveUp);
        assert_eq!(decide(&policy, &failed(&answer(403, None)), at(1, true)), Decision::GiveUp);
    }

    #[test]
    fn waits_double_up_to_ten_seconds() {
        let busy = answer(429, None);
        let waits: Vec<_> = (1..8)
            .map(|n| match decide(&RetryPolicy::default(), &failed(&busy), at(n, true)) {
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
        let failed = failed(&broken);
        assert_eq!(decide(&policy(0, true), &failed, at(1, true)), Decision::GiveUp);
        assert_eq!(
            decide(&policy(3, false), &failed, at(3, true)),
            Decision::Retry(Duration::from_millis(400))
        );
        assert_eq!(decide(&policy(3, false), &failed, at(4, true)), Decision::GiveUp);
        assert_eq!(decide(&policy(3, false), &failed, at(1, false)), Decision::UnknownOutcome);
        assert_eq!(
            decide(&policy(3, true), &failed, at(1, false)),
            Decision::Retry(Duration::from_millis(100))
        );
        assert_eq!(decide(&policy(3, false), &Failure::Lost, at(1, false)), Decision::UnknownOutcome);
        assert_eq!(decide(&policy(3, true), &Failure::TimedOut, at(1, true)), Decision::GiveUp);
    }
}

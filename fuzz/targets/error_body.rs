//! Error responses, and the decision that follows from them: never past a budget or a deadline, never sooner than the
//! service asks, and never again what may have run and isn't repeatable.

#![no_main]

use std::time::Duration;

use brickwire_fuzz::{line, response};
use brickwire_wire::{
    Backoff, ErrorBody, RetryPolicy,
    fuzzing::{Attempt, Failed, Verdict, decide},
};
use libfuzzer_sys::fuzz_target;

/// The longest wait that a service can ask for where no budget says otherwise, and the longest own one.
const LONGEST: Duration = Duration::from_secs(300);
/// The codes with which the service says that it has not started.
const NOT_STARTED: [&str; 2] = ["REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"];

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    // The path, and numbers for the attempt: how many, seconds since the first, seconds left, jitter in percent.
    let first = String::from_utf8_lossy(line(&mut rest)).into_owned();
    let (path, numbers) = first.split_once(' ').unwrap_or((&first, ""));
    let mut numbers = numbers.split(' ').map(|number| number.parse::<u32>().ok());
    let mut next = || numbers.next().flatten();
    let (attempts, elapsed) = (next().unwrap_or(1).max(1), Duration::from_secs(next().unwrap_or(0).into()));
    let remaining = next().map(|seconds| Duration::from_secs(seconds.into()));
    let jitter = f64::from(next().unwrap_or(50) % 100) / 100.0;

    let (status, headers, raw) = response(rest);
    let body = ErrorBody::read(status, &headers, &raw);
    let has_header = headers.contains_key("retry-after");
    // With another status the code may be that of something which the request had asked for.
    let is_over_limit = body.error_code.as_deref().is_some_and(|code| NOT_STARTED.contains(&code));
    let not_started = status == 429 || (status.is_client_error() || status == 503) && is_over_limit;
    let may_have_run = !(not_started || status == 503 && has_header && body.retry_after.is_some());

    let backoffs = [
        Backoff::Fixed(Duration::from_millis(200)),
        Backoff::Exponential(None),
        Backoff::Exponential(Some(Duration::from_secs(1))),
    ];
    let connector =
        backoffs.map(|backoff| RetryPolicy::Connector { max_retries: 3, backoff, all_errors: false });
    let policies = [RetryPolicy::default(), RetryPolicy::Resume { tries: 10 }].into_iter().chain(connector);
    for policy in policies {
        for repeatable in [false, true] {
            let attempt = Attempt { attempts, elapsed, remaining, repeatable, jitter };
            for failed in [Failed::Answer(&body), Failed::NotSent, Failed::TimedOut, Failed::Lost] {
                let is_answer = matches!(failed, Failed::Answer(..));
                let Verdict::Retry(wait) = decide(&policy, failed, attempt) else { continue };
                let said = format!("{policy:?} {failed:?} {attempt:?}: {wait:?}");
                assert!(remaining.is_none_or(|left| wait <= left), "past the deadline: {said}");
                match policy {
                    RetryPolicy::Safe { budget } => {
                        assert!(
                            elapsed.checked_add(wait).is_some_and(|end| end <= budget),
                            "past the budget: {said}"
                        );
                    }
                    _ => assert!(wait <= LONGEST, "too long: {said}"),
                }
                if is_answer {
                    assert!(wait >= body.retry_after.unwrap_or_default(), "too soon: {said}");
                }
                let lost = matches!(failed, Failed::Lost | Failed::TimedOut);
                assert!(repeatable || !lost && !(is_answer && may_have_run), "sent twice: {said}");
            }
        }
    }

    let error = body.into_error(path);
    assert!(!error.to_string().is_empty() && error.to_string().len() < 5000, "{error}");
    assert_eq!(error.status(), Some(status.as_u16()));
});

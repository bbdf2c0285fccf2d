//! What the fuzz targets see of private parsers and policies. No normal build has this module.

use std::time::Duration;

use ::http::{HeaderMap, StatusCode};
use reqwest::{Request, Url};

use crate::{
    ErrorBody, RetryPolicy, redirect,
    retry::{self, Decision, Failure, Situation},
};

/// How an attempt failed.
#[derive(Debug, Clone, Copy)]
pub enum Failed<'a> {
    /// An error response came.
    Answer(&'a ErrorBody),
    /// Nothing was sent.
    NotSent,
    /// The time for the attempt was up.
    TimedOut,
    /// The answer was lost.
    Lost,
}

/// What the decision depends on, apart from the failure.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// How many attempts have been made.
    pub attempts: u32,
    /// The time since the first.
    pub elapsed: Duration,
    /// The time left until the deadline.
    pub remaining: Option<Duration>,
    /// Whether the request may be sent twice.
    pub repeatable: bool,
    /// A random number in `0.0..1.0`.
    pub jitter: f64,
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The request is sent again after this wait.
    Retry(Duration),
    /// The failure is reported.
    GiveUp,
    /// The failure is reported as one that may have taken effect.
    UnknownOutcome,
}

/// Decides what follows a failed attempt.
pub fn decide(policy: &RetryPolicy, failed: Failed<'_>, attempt: Attempt) -> Verdict {
    let failure = match failed {
        Failed::Answer(body) => Failure::Answer(body),
        Failed::NotSent => Failure::NotSent,
        Failed::TimedOut => Failure::TimedOut,
        Failed::Lost => Failure::Lost,
    };
    let Attempt { attempts, elapsed, remaining, repeatable, jitter } = attempt;
    match retry::decide(policy, &failure, Situation { attempts, elapsed, remaining, repeatable, jitter }) {
        Decision::Retry(wait) => Verdict::Retry(wait),
        Decision::GiveUp => Verdict::GiveUp,
        Decision::UnknownOutcome => Verdict::UnknownOutcome,
    }
}

/// Where a redirect of this request is followed to.
pub fn redirect(
    sent: &Request,
    status: StatusCode,
    headers: &HeaderMap,
    changes_method: bool,
) -> Option<Url> {
    redirect::follow(sent, status, headers, changes_method).ok()?.map(|next| next.url().clone())
}

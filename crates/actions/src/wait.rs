//! Waiting: polls with growing pauses until a verdict is final or a deadline passes.
//!
//! Each pause is half as long again as the one before. A poll that fails in a way that may pass is repeated. The deadline
//! bounds each request, its retries, and the pauses. Reaching it ends the waiting, not what is waited for.

use std::{ops::RangeInclusive, time::Duration};

use tokio::time::Instant;

use crate::{Error, ErrorKind, Event, Events, Result, background::Canceled};

/// Practically no deadline, and small enough to be added to any moment.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// How long to wait, and how often to poll.
///
/// ```
/// use std::time::Duration;
/// use brickwire_actions::WaitOptions;
/// let options = WaitOptions::default()
///     .with_timeout(Duration::from_secs(600))
///     .with_polls(Duration::from_secs(1)..=Duration::from_secs(5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitOptions {
    timeout: Duration,
    /// The end of a longer task of which this is a part.
    end: Option<Instant>,
    /// The first and the longest pause, if they were set.
    polls: Option<(Duration, Duration)>,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(20 * 60), end: None, polls: None }
    }
}

impl WaitOptions {
    /// Gives up after this time; 20 minutes by default.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The pauses between polls: the first, which then grows by half each time, up to the longest. The default depends
    /// on what is waited for: 0.5 to 10 seconds for compute, 0.1 to 5 for commands, 0.05 to 1 for statements.
    #[must_use]
    pub fn with_polls(mut self, pauses: RangeInclusive<Duration>) -> Self {
        self.polls = Some(pauses.into_inner());
        self
    }

    /// For what was canceled and should end soon. `CancelOnDrop::cancel` doesn't wait that long.
    pub(crate) fn for_an_ending() -> Self {
        let pauses = Duration::from_millis(100)..=Duration::from_millis(500);
        Self::default().with_timeout(Duration::from_secs(2)).with_polls(pauses)
    }

    /// The timeout as people write it.
    pub(crate) fn time(self) -> String {
        written(self.timeout)
    }

    /// The error for what did not end within this time, which says what became of canceling it. `is_repeatable`: whether
    /// running it twice has the same effect as running it once.
    pub(crate) fn exceeded(
        self,
        what: &str,
        id: &str,
        canceled: Result<Canceled>,
        is_repeatable: bool,
    ) -> Error {
        let unsafe_hint = "check whether it took effect before you run it again with more time";
        let (outcome, hint) = match canceled {
            Ok(Canceled::Ended(state)) if state.to_ascii_uppercase().starts_with("CANCEL") => {
                let hint = "set a longer `timeout`, or submit it without waiting";
                (format!("{what} {id} was canceled"), if is_repeatable { hint } else { unsafe_hint })
            }
            Ok(Canceled::Ended(state)) => (
                format!("{what} {id} ended before it could be canceled: {state}"),
                "read its result by its id",
            ),
            Ok(Canceled::Requested) => (
                format!("the cancellation of {what} {id} was requested, and its end was not seen"),
                unsafe_hint,
            ),
            Err(error) => (
                format!("canceling {what} {id} failed, so the {what} may still run: {error}"),
                "check its state, and cancel it, before you run it again",
            ),
        };
        let text = format!("timed out after {}; {outcome}", self.time());
        Error::new(ErrorKind::DeadlineExceeded, text).with_hint(hint)
    }

    /// Also gives up at this moment, the end of a longer task of which the waiting is a part. Messages name the whole
    /// timeout.
    #[must_use]
    pub fn until(mut self, deadline: impl Into<Instant>) -> Self {
        let deadline = deadline.into();
        self.end = Some(self.end.map_or(deadline, |end| end.min(deadline)));
        self
    }

    /// The moment at which the time is over if it starts now.
    pub(crate) fn deadline(self) -> Instant {
        let deadline = Instant::now() + self.timeout.min(LONGEST_TIMEOUT);
        self.end.map_or(deadline, |end| end.min(deadline))
    }

    /// The time that is left if it starts now.
    pub(crate) fn remaining(self) -> Duration {
        match self.end {
            Some(end) => self.timeout.min(end.saturating_duration_since(Instant::now())),
            None => self.timeout,
        }
    }

    /// Starts the clock. `usual` are the pauses if none were set.
    pub(crate) fn start(self, usual: RangeInclusive<Duration>) -> Pace {
        let (first, longest) = self.polls.unwrap_or_else(|| usual.into_inner());
        // Half of nothing is nothing: the pauses would never grow.
        let first = first.max(Duration::from_millis(1));
        Pace { timeout: self.timeout, deadline: self.deadline(), first, longest: longest.max(first) }
    }
}

/// [`WaitOptions`] with a deadline.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    timeout: Duration,
    pub(crate) deadline: Instant,
    first: Duration,
    longest: Duration,
}

/// What a poll saw.
pub(crate) struct Seen {
    pub(crate) state: String,
    pub(crate) message: Option<String>,
    pub(crate) verdict: Verdict,
}

/// Whether to go on waiting.
pub(crate) enum Verdict {
    Done,
    Working,
    Failed(Error),
}

/// Polls until the verdict is final or the deadline passes, and emits an event for each change of state.
pub(crate) async fn until<T, F>(
    what: &'static str,
    id: &str,
    pace: Pace,
    events: &Events,
    mut poll: impl FnMut() -> F,
    mut look: impl FnMut(&T) -> Seen,
) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut pause = pace.first;
    let mut last: Option<(String, Option<String>)> = None;
    loop {
        match tokio::time::timeout_at(pace.deadline, poll()).await {
            Ok(Ok(value)) => {
                let seen = look(&value);
                if seen.state.is_empty() {
                    let text = format!("the answer about {what} {id} has no state");
                    return Err(Error::unexpected(text).with_hint(
                        "see whether something else answers for the workspace, such as a proxy or a cache",
                    ));
                }
                let now = (seen.state, seen.message);
                if last.as_ref() != Some(&now) {
                    events.emit(|| Event::StateChanged {
                        what,
                        id: id.to_owned(),
                        state: now.0.clone(),
                        message: now.1.clone(),
                    });
                    last = Some(now);
                }
                match seen.verdict {
                    Verdict::Done => return Ok(value),
                    Verdict::Failed(error) => return Err(error),
                    Verdict::Working => {}
                }
            }
            Ok(Err(error)) if error.is_retryable() => {
                tracing::debug!(target: "brickwire", what, id, %error, "poll failed");
            }
            // The wire has the same deadline and may be the first to notice.
            Ok(Err(error))
                if error.kind() != ErrorKind::DeadlineExceeded || Instant::now() < pace.deadline =>
            {
                return Err(error);
            }
            Ok(Err(_)) | Err(_) => return Err(overdue(what, id, pace, last)),
        }
        if Instant::now().checked_add(pause).is_none_or(|next| next > pace.deadline) {
            return Err(overdue(what, id, pace, last));
        }
        tokio::time::sleep(pause).await;
        pause = pause.mul_f64(1.5).min(pace.longest);
    }
}

fn overdue(what: &str, id: &str, pace: Pace, last: Option<(String, Option<String>)>) -> Error {
    let time = written(pace.timeout);
    let text = match last {
        Some((state, _)) => format!("timed out after {time}; {what} {id} is still {state}"),
        None => format!("timed out after {time}; the state of {what} {id} is not known"),
    };
    Error::new(ErrorKind::DeadlineExceeded, text)
        .with_hint("it was not canceled; wait for it again with more time")
}

/// A time as people write it: `15m`, `1h30m`, `2.5s`.
fn written(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 || time.subsec_nanos() > 0 {
        return format!("{time:?}");
    }
    let parts = [(seconds / 3600, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        collections::VecDeque,
        sync::{Arc, Mutex},
    };

    async fn run(
        script: Vec<Result<&'static str>>,
        timeout: u64,
    ) -> (Result<&'static str>, Vec<String>, Duration) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = seen.clone();
        let events = Events::new(move |event| {
            if let Event::StateChanged { state, .. } = event {
                sink.lock().unwrap().push(state.clone());
            }
        });
        let script = Mutex::new(VecDeque::from(script));
        let began = Instant::now();
        let outcome = until(
            "cluster",
            "c",
            WaitOptions::default()
                .with_timeout(Duration::from_secs(timeout))
                .start(Duration::from_millis(500)..=Duration::from_secs(10)),
            &events,
            || {
                let next = script.lock().unwrap().pop_front();
                async move { next.unwrap_or(Ok("PENDING")) }
            },
            |state| Seen {
                state: (*state).to_owned(),
                message: None,
                verdict: match *state {
                    "RUNNING" => Verdict::Done,
                    "ERROR" => Verdict::Failed(Error::new(ErrorKind::RemoteFailed, "broken")),
                    _ => Verdict::Working,
                },
            },
        )
        .await;
        let seen = seen.lock().unwrap().clone();
        (outcome, seen, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn emits_each_change_once_and_survives_a_failed_poll() {
        let passing = Err(Error::new(ErrorKind::Unavailable, "503"));
        let (outcome, seen, _) =
            run(vec![Ok("PENDING"), Ok("PENDING"), passing, Ok("NEVER_SEEN_BEFORE"), Ok("RUNNING")], 600)
                .await;
        assert_eq!(outcome.unwrap(), "RUNNING");
        assert_eq!(seen, ["PENDING", "NEVER_SEEN_BEFORE", "RUNNING"]);
    }

    #[tokio::test(start_paused = true)]
    async fn ends_at_the_deadline_and_at_a_failure() {
        let (outcome, _, took) = run(vec![], 60).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(error.to_string(), "timed out after 1m; cluster c is still PENDING");
        assert!(took <= Duration::from_secs(60), "{took:?}");
        let (outcome, ..) = run(vec![Ok("ERROR")], 60).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::RemoteFailed);
    }

    #[test]
    fn times_are_written_as_they_are_typed() {
        for (milliseconds, expected) in [
            (2_000, "2s"),
            (150, "150ms"),
            (60_000, "1m"),
            (5_400_000, "1h30m"),
            (3_601_000, "1h1s"),
            (61_500, "61.5s"),
        ] {
            assert_eq!(written(Duration::from_millis(milliseconds)), expected);
        }
    }

    #[test]
    fn a_timeout_says_what_became_of_the_work() {
        let options = WaitOptions::default().with_timeout(Duration::from_secs(2));
        let failed = Err(Error::new(ErrorKind::Unreachable, "no answer"));
        for (canceled, text) in [
            (Ok(Canceled::Ended("CANCELED".to_owned())), "statement s was canceled"),
            (
                Ok(Canceled::Ended("SUCCEEDED".to_owned())),
                "statement s ended before it could be canceled: SUCCEEDED",
            ),
            (
                Ok(Canceled::Requested),
                "the cancellation of statement s was requested, and its end was not seen",
            ),
            (failed, "canceling statement s failed, so the statement may still run: no answer"),
        ] {
            let error = options.exceeded("statement", "s", canceled, true);
            assert_eq!(error.to_string(), format!("timed out after 2s; {text}"));
            assert!(error.hint().is_some());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn explicit_pauses_count_even_if_they_are_the_usual_ones() {
        let usual = Duration::from_millis(500)..=Duration::from_secs(10);
        let pace = WaitOptions::default().with_polls(usual.clone()).start(Duration::ZERO..=Duration::ZERO);
        assert_eq!(pace.first..=pace.longest, usual);
        let _ = WaitOptions::default().with_timeout(Duration::MAX).start(usual);
    }
}

//! Waiting for a state: polls in growing steps up to a deadline by wall clock, and tells of each change.
//!
//! A poll that fails in passing is survived; the deadline ends the waiting, not the thing waited for.

use std::time::Duration;

use tokio::time::Instant;

use crate::{Error, ErrorKind, Event, Events, Result};

/// How long to wait, and how often to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitOptions {
    pub(crate) timeout: Duration,
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(20 * 60),
            first: Duration::from_millis(500),
            longest: Duration::from_secs(10),
        }
    }
}

impl WaitOptions {
    /// For what was cancelled and should end at once.
    pub(crate) fn for_an_ending() -> Self {
        Self::default()
            .with_timeout(Duration::from_secs(3))
            .with_polls(Duration::from_millis(100), Duration::from_millis(500))
    }

    /// Gives up after this time; 20 minutes by default.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Looks again after `first`, then half as long again each time, up to `longest`.
    pub fn with_polls(mut self, first: Duration, longest: Duration) -> Self {
        (self.first, self.longest) = (first, longest.max(first));
        self
    }
}

/// What an action that changes a state did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The change was asked for and is under way.
    Requested,
    /// It already was so, or was becoming so.
    Already,
}

/// What a poll saw.
pub(crate) struct Seen {
    pub(crate) state: String,
    pub(crate) message: Option<String>,
    pub(crate) verdict: Verdict,
}

pub(crate) enum Verdict {
    Done,
    Working,
    Failed(Error),
}

/// What is waited for.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) what: &'static str,
    pub(crate) id: &'a str,
}

pub(crate) async fn until<T, F>(
    subject: Subject<'_>,
    options: WaitOptions,
    events: &Events,
    mut poll: impl FnMut() -> F,
    mut look: impl FnMut(&T) -> Seen,
) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let deadline = Instant::now() + options.timeout;
    let mut step = options.first;
    let mut last: Option<(String, Option<String>)> = None;
    loop {
        match tokio::time::timeout_at(deadline, poll()).await {
            Ok(Ok(value)) => {
                let seen = look(&value);
                let now = (seen.state, seen.message);
                if last.as_ref() != Some(&now) {
                    events.emit(|| Event::StateChanged {
                        what: subject.what,
                        id: subject.id.to_owned(),
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
                tracing::debug!(target: "brickwire", what = subject.what, id = subject.id, %error, "poll failed");
            }
            Ok(Err(error)) => return Err(error),
            Err(_) => return Err(overdue(subject, options, last)),
        }
        if Instant::now() + step > deadline {
            return Err(overdue(subject, options, last));
        }
        tokio::time::sleep(step).await;
        step = step.mul_f64(1.5).min(options.longest);
    }
}

fn overdue(subject: Subject<'_>, options: WaitOptions, last: Option<(String, Option<String>)>) -> Error {
    let Subject { what, id } = subject;
    let state = last.map_or_else(|| "not known yet".to_owned(), |(state, _)| state);
    Error::new(
        ErrorKind::DeadlineExceeded,
        format!("{what} {id} did not get there within {:?}; its state is {state}", options.timeout),
    )
    .with_hint("it goes on by itself: wait again, with a longer timeout")
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
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink = told.clone();
        let events = Events::new(move |event| {
            if let Event::StateChanged { state, .. } = event {
                sink.lock().unwrap().push(state.clone());
            }
        });
        let script = Mutex::new(VecDeque::from(script));
        let begun = Instant::now();
        let outcome = until(
            Subject { what: "cluster", id: "c" },
            WaitOptions::default().with_timeout(Duration::from_secs(timeout)),
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
        let told = told.lock().unwrap().clone();
        (outcome, told, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn tells_each_change_once_and_survives_a_failed_poll() {
        let passing = Err(Error::new(ErrorKind::Unavailable, "503"));
        let (outcome, told, _) =
            run(vec![Ok("PENDING"), Ok("PENDING"), passing, Ok("NEVER_SEEN_BEFORE"), Ok("RUNNING")], 600)
                .await;
        assert_eq!(outcome.unwrap(), "RUNNING");
        assert_eq!(told, ["PENDING", "NEVER_SEEN_BEFORE", "RUNNING"]);
    }

    #[tokio::test(start_paused = true)]
    async fn ends_at_the_deadline_and_at_a_failure() {
        let (outcome, _, took) = run(vec![], 60).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert!(error.to_string().contains("PENDING"), "{error}");
        assert!(took <= Duration::from_secs(60), "{took:?}");
        let (outcome, ..) = run(vec![Ok("ERROR")], 60).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::RemoteFailed);
    }
}

//! Life cycles: how a state is reached and waited for.
//!
//! A service that implements [`Lifecycle`] says which [`Phase`] each state of its resources is. From that follow start
//! and stop, "already in that state", and waiting. What ends by itself, such as a statement, uses [`until`] directly.
//!
//! Decided here:
//! - Polls get longer, by half each time. A poll that fails in a way that may pass is repeated; the deadline bounds each
//!   request, its retries, and the sleeps between polls. Reaching it ends the waiting, not what is waited for.
//! - After a start, the first polls may still show the old state. "Stopped" counts as a failed start only once another
//!   state was seen, or after half a minute.
//! - Starting what is being stopped waits for the stop first, because the services refuse it until then.

use std::{ops::RangeInclusive, time::Duration};

use brickwire_client::ResponseValue;
use tokio::time::Instant;

use crate::{
    Error, ErrorKind, Event, Events, Result, Workspace,
    names::{Named, required},
};

/// How long a new state may take to show.
const STALE: Duration = Duration::from_secs(30);

/// Compute takes minutes to start.
const POLLS: RangeInclusive<Duration> = Duration::from_millis(500)..=Duration::from_secs(10);

/// As good as no deadline, and small enough to be added to any moment.
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
    /// The first and the longest pause, if they were set.
    polls: Option<(Duration, Duration)>,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(20 * 60), polls: None }
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

    /// For what was canceled and should end soon.
    pub(crate) fn for_an_ending() -> Self {
        let pauses = Duration::from_millis(100)..=Duration::from_millis(500);
        Self::default().with_timeout(Duration::from_secs(3)).with_polls(pauses)
    }

    /// Starts the clock. `usual` are the pauses if none were set.
    pub(crate) fn start(self, usual: RangeInclusive<Duration>) -> Pace {
        let (first, longest) = self.polls.unwrap_or_else(|| usual.into_inner());
        Pace {
            timeout: self.timeout,
            deadline: deadline_after(self.timeout),
            first,
            longest: longest.max(first),
        }
    }
}

/// The moment at which a timeout that starts now is over.
pub(crate) fn deadline_after(timeout: Duration) -> Instant {
    Instant::now() + timeout.min(LONGEST_TIMEOUT)
}

/// [`WaitOptions`] with a deadline.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) timeout: Duration,
    pub(crate) deadline: Instant,
    first: Duration,
    longest: Duration,
}

impl Pace {
    /// The error for what was canceled at the deadline.
    pub(crate) fn canceled(&self, what: &str, id: &str) -> Error {
        let text = format!("{what} {id} did not end within {:?}, and was canceled", self.timeout);
        Error::new(ErrorKind::DeadlineExceeded, text).with_hint("allow more time")
    }
}

/// What an action that changes a state did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The change was requested and is under way.
    Requested,
    /// The resource is already in, or moving to, the requested state. Nothing was requested.
    Already,
}

/// What to do about a cluster that is terminated, or a warehouse that is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfTerminated {
    /// Start it.
    Start,
    /// Fail with [`ErrorKind::Configuration`].
    Fail,
}

/// Where a resource is between stopped and running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Stopped; can be started.
    Stopped,
    /// On the way to running.
    Starting,
    /// Running.
    Running,
    /// On the way to stopped.
    Stopping,
    /// Broken or deleted; leads nowhere.
    Failed,
    /// A state that this version doesn't know.
    Unknown,
}

/// The state to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Running.
    Running,
    /// Stopped.
    Stopped,
}

/// What a service says of the state of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The state as the API names it.
    pub state: String,
    /// The phase that the state belongs to.
    pub phase: Phase,
    /// What the service says about the state.
    pub message: Option<String>,
    /// Why it is in that state, in full.
    pub reason: Option<String>,
    /// The service's code for the reason.
    pub error_code: Option<String>,
}

impl Status {
    /// A state of which nothing more is known.
    pub fn new(state: &str, phase: Phase) -> Self {
        Self { state: state.to_owned(), phase, message: None, reason: None, error_code: None }
    }
}

/// A service whose resources are started and stopped.
///
/// ```no_run
/// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
/// use brickwire_actions::{Lifecycle, WaitOptions};
/// async fn start<S: Lifecycle>(service: &S, id: &str) -> brickwire_actions::Result<()> {
///     service.start(id).await?;
///     service.wait_until(brickwire_actions::Goal::Running, id, WaitOptions::default()).await?;
///     Ok(())
/// }
/// start(&workspace.clusters(), "0123-456789-abcdefgh").await?;
/// start(&workspace.warehouses(), "0123456789abcdef").await
/// # }
/// ```
pub trait Lifecycle: Named {
    /// What events call the change to [`Goal::Stopped`].
    const STOP: &'static str = "stop";

    /// A resource as the service describes it.
    type Resource: Send + Sync;

    /// The workspace of the service.
    fn workspace(&self) -> &Workspace;

    /// Reads the state of a resource.
    fn status(resource: &Self::Resource) -> Status;

    /// Gets a resource.
    ///
    /// # Errors
    /// Those of the service's `get`.
    fn get(
        workspace: &Workspace,
        id: &str,
    ) -> impl Future<Output = Result<ResponseValue<Self::Resource>>> + Send;

    /// Requests a change.
    ///
    /// # Errors
    /// Those of the service's operation.
    fn request(workspace: &Workspace, id: &str, goal: Goal) -> impl Future<Output = Result<()>> + Send;

    /// Starts a stopped resource, and returns once the start is requested. If it is being stopped, waits for that first,
    /// for 20 minutes at most.
    ///
    /// # Errors
    /// Those of `get` and of the change. A resource that is running or starting is not an error but
    /// [`Change::Already`].
    fn start(&self, id: &str) -> impl Future<Output = Result<Change>> + Send {
        change(self, id, Goal::Running, WaitOptions::default())
    }

    /// Stops a running resource, and returns once the stop is requested.
    ///
    /// # Errors
    /// Those of `get` and of the change. A resource that is stopped or being stopped is not an error but
    /// [`Change::Already`].
    fn stop(&self, id: &str) -> impl Future<Output = Result<Change>> + Send {
        change(self, id, Goal::Stopped, WaitOptions::default())
    }

    /// Waits until a resource has reached a state, and returns it.
    ///
    /// # Errors
    /// [`ErrorKind::RemoteFailed`] with the service's reason if it ends in another state,
    /// [`ErrorKind::DeadlineExceeded`].
    fn wait_until(
        &self,
        goal: Goal,
        id: &str,
        options: WaitOptions,
    ) -> impl Future<Output = Result<ResponseValue<Self::Resource>>> + Send {
        async move {
            required(Self::NOUN, id)?;
            let pace = options.start(POLLS);
            let workspace = self.workspace().with_deadline(pace.deadline);
            let (began, mut has_moved) = (Instant::now(), false);
            let subject = Subject { what: Self::NOUN, id };
            until(
                subject,
                pace,
                workspace.events(),
                || Self::get(&workspace, id),
                |resource: &ResponseValue<Self::Resource>| {
                    let status = Self::status(resource);
                    has_moved |= status.phase != Phase::Stopped;
                    let is_stale = !has_moved && began.elapsed() < STALE;
                    let verdict = match judge(goal, status.phase, is_stale) {
                        Judgment::Done => Verdict::Done,
                        Judgment::Working => Verdict::Working,
                        Judgment::Failed => Verdict::Failed(failed(Self::NOUN, id, &status)),
                    };
                    Seen { state: status.state, message: status.message, verdict }
                },
            )
            .await
        }
    }

    /// Makes sure that a resource is running: waits for one that is starting, and starts one that is stopped or being
    /// stopped, if wanted.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for one that is stopped and isn't to be started, those of
    /// [`wait_until`](Self::wait_until).
    fn ensure_running(
        &self,
        id: &str,
        if_terminated: IfTerminated,
        options: WaitOptions,
    ) -> impl Future<Output = Result<()>> + Send {
        async move {
            required(Self::NOUN, id)?;
            let status = Self::status(&*Self::get(self.workspace(), id).await?);
            match (status.phase, if_terminated) {
                (Phase::Running, _) => return Ok(()),
                (Phase::Stopped | Phase::Stopping | Phase::Failed, IfTerminated::Fail) => {
                    let text = format!("{} {id} is {}", Self::NOUN, status.state);
                    return Err(Error::configuration(text)
                        .with_hint("start it first, or allow that with `IfTerminated::Start`"));
                }
                (Phase::Stopped | Phase::Stopping, IfTerminated::Start) => {
                    change(self, id, Goal::Running, options).await?;
                }
                _ => {}
            }
            self.wait_until(Goal::Running, id, options).await.map(drop)
        }
    }
}

/// Requests a change unless it is already done or under way.
async fn change<S: Lifecycle + ?Sized>(
    service: &S,
    id: &str,
    goal: Goal,
    options: WaitOptions,
) -> Result<Change> {
    required(S::NOUN, id)?;
    let workspace = service.workspace();
    let phase = async || -> Result<Phase> { Ok(S::status(&*S::get(workspace, id).await?).phase) };
    let before = phase().await?;
    if leads_to(before, goal) {
        return Ok(Change::Already);
    }
    if goal == Goal::Running && before == Phase::Stopping {
        service.wait_until(Goal::Stopped, id, options).await?;
    }
    workspace.events().requesting(S::NOUN, id, if goal == Goal::Running { "start" } else { S::STOP });
    match S::request(workspace, id, goal).await {
        // Another caller, or an attempt of ours whose answer was lost, was first.
        Err(refused) if refused.error_code() == Some("INVALID_STATE") => match phase().await? {
            now if leads_to(now, goal) => Ok(Change::Already),
            _ => Err(refused),
        },
        requested => requested.map(|()| Change::Requested),
    }
}

fn leads_to(phase: Phase, goal: Goal) -> bool {
    match goal {
        Goal::Running => matches!(phase, Phase::Starting | Phase::Running),
        Goal::Stopped => matches!(phase, Phase::Stopping | Phase::Stopped),
    }
}

#[derive(Debug, PartialEq)]
enum Judgment {
    Done,
    Working,
    Failed,
}

/// What a phase means to someone who waits. `is_stale`: it may be from before the change.
fn judge(goal: Goal, phase: Phase, is_stale: bool) -> Judgment {
    match (goal, phase) {
        (Goal::Running, Phase::Running) | (Goal::Stopped, Phase::Stopped) => Judgment::Done,
        (_, Phase::Failed) => Judgment::Failed,
        (Goal::Running, Phase::Stopped) if !is_stale => Judgment::Failed,
        _ => Judgment::Working,
    }
}

fn failed(what: &str, id: &str, status: &Status) -> Error {
    let Status { state, reason, error_code, .. } = status;
    let mut text = format!("{what} {id} is {state}");
    if let Some(reason) = reason {
        text.push_str(&format!(": {reason}"));
    }
    Error::new(ErrorKind::RemoteFailed, text).with_details(|d| d.error_code.clone_from(error_code))
}

/// What is waited for.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) what: &'static str,
    pub(crate) id: &'a str,
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
    subject: Subject<'_>,
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
            // The wire has the same deadline and may be the first to notice.
            Ok(Err(error))
                if error.kind() != ErrorKind::DeadlineExceeded || Instant::now() < pace.deadline =>
            {
                return Err(error);
            }
            Ok(Err(_)) | Err(_) => return Err(overdue(subject, pace, last)),
        }
        if Instant::now() + pause > pace.deadline {
            return Err(overdue(subject, pace, last));
        }
        tokio::time::sleep(pause).await;
        pause = pause.mul_f64(1.5).min(pace.longest);
    }
}

fn overdue(subject: Subject<'_>, pace: Pace, last: Option<(String, Option<String>)>) -> Error {
    let Subject { what, id } = subject;
    let state = last.map_or_else(|| "not known".to_owned(), |(state, _)| state);
    let text = format!(
        "{what} {id} did not reach the expected state within {:?}; its state is {state}",
        pace.timeout
    );
    Error::new(ErrorKind::DeadlineExceeded, text)
        .with_hint("it continues on its own: wait again, or allow more time")
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
            Subject { what: "cluster", id: "c" },
            WaitOptions::default().with_timeout(Duration::from_secs(timeout)).start(POLLS),
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
        assert!(error.to_string().contains("PENDING"), "{error}");
        assert!(took <= Duration::from_secs(60), "{took:?}");
        let (outcome, ..) = run(vec![Ok("ERROR")], 60).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::RemoteFailed);
    }

    #[test]
    fn an_old_state_is_no_failed_start() {
        assert_eq!(judge(Goal::Running, Phase::Stopped, true), Judgment::Working);
        assert_eq!(judge(Goal::Running, Phase::Stopped, false), Judgment::Failed);
        assert_eq!(judge(Goal::Running, Phase::Failed, true), Judgment::Failed);
        assert_eq!(judge(Goal::Stopped, Phase::Running, false), Judgment::Working);
    }

    #[tokio::test(start_paused = true)]
    async fn explicit_pauses_count_even_if_they_are_the_usual_ones() {
        let usual = Duration::from_millis(500)..=Duration::from_secs(10);
        let pace = WaitOptions::default().with_polls(usual.clone()).start(Duration::ZERO..=Duration::ZERO);
        assert_eq!(pace.first..=pace.longest, usual);
        let _ = WaitOptions::default().with_timeout(Duration::MAX).start(usual);
    }
}

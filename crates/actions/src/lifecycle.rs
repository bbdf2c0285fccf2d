//! Life cycles: what is started and stopped, and waited for.
//!
//! A service that implements [`Lifecycle`] says which [`Phase`] each state of its resources is. From that follow start
//! and stop, "already in that state", and waiting.
//!
//! - After a start, the first polls may still show the old state. "Stopped" counts as a failed start only once another
//!   state was seen, or after half a minute. So does "running" as the end of a restart.
//! - Starting what is being stopped waits for the stop first, because the services refuse it until then.

use std::{ops::RangeInclusive, time::Duration};

use brickwire_client::ResponseValue;
use tokio::time::Instant;

use crate::{
    Error, ErrorKind, Named, Result, WaitOptions, Workspace,
    names::required,
    wait::{Seen, Verdict, until},
};

/// How long a new state may take to show.
const STALE: Duration = Duration::from_secs(30);

/// Compute takes minutes to start.
const POLLS: RangeInclusive<Duration> = Duration::from_millis(500)..=Duration::from_secs(10);

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
        wait(self, goal, id, options, Phase::Stopped)
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
            let options = options.until(options.deadline());
            let workspace = self.workspace().with_deadline(options.deadline());
            let status = Self::status(&*Self::get(&workspace, id).await?);
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

/// Waits until a resource has reached a state. `before`: the phase that the first polls may still show.
pub(crate) async fn wait<S: Lifecycle + ?Sized>(
    service: &S,
    goal: Goal,
    id: &str,
    options: WaitOptions,
    before: Phase,
) -> Result<ResponseValue<S::Resource>> {
    required(S::NOUN, id)?;
    let pace = options.start(POLLS);
    let workspace = service.workspace().with_deadline(pace.deadline);
    let (began, mut has_moved) = (Instant::now(), false);
    let get = || S::get(&workspace, id);
    let look = |resource: &ResponseValue<S::Resource>| {
        let status = S::status(resource);
        has_moved |= status.phase != before;
        let is_stale = !has_moved && began.elapsed() < STALE;
        let verdict = match judge(goal, status.phase, is_stale) {
            Some(true) => Verdict::Done,
            Some(false) => Verdict::Failed(failed(S::NOUN, id, &status)),
            None => Verdict::Working,
        };
        Seen { state: status.state, message: status.message, verdict }
    };
    until(S::NOUN, id, pace, workspace.events(), get, look).await
}

/// Requests a change unless it is already done or under way.
async fn change<S: Lifecycle + ?Sized>(
    service: &S,
    id: &str,
    goal: Goal,
    options: WaitOptions,
) -> Result<Change> {
    required(S::NOUN, id)?;
    let options = options.until(options.deadline());
    let workspace = &service.workspace().with_deadline(options.deadline());
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

/// Whether a phase is the goal or a failure, or neither yet. `is_stale`: it may be from before the change.
fn judge(goal: Goal, phase: Phase, is_stale: bool) -> Option<bool> {
    match (goal, phase) {
        (_, Phase::Failed) => Some(false),
        (Goal::Running, _) if is_stale => None,
        (Goal::Running, Phase::Running) | (Goal::Stopped, Phase::Stopped) => Some(true),
        (Goal::Running, Phase::Stopped) => Some(false),
        _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_state_is_no_failed_start() {
        assert_eq!(judge(Goal::Running, Phase::Stopped, true), None);
        assert_eq!(judge(Goal::Running, Phase::Stopped, false), Some(false));
        assert_eq!(judge(Goal::Running, Phase::Failed, true), Some(false));
        assert_eq!(judge(Goal::Stopped, Phase::Running, false), None);
        assert_eq!(judge(Goal::Running, Phase::Running, true), None);
        assert_eq!(judge(Goal::Running, Phase::Running, false), Some(true));
        assert_eq!(judge(Goal::Stopped, Phase::Stopped, true), Some(true));
    }
}

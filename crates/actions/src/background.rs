//! Work that continues after its caller has gone: cancels what runs remotely when the last handle on it is dropped.
//!
//! - What runs remotely has a [`CancelOnDrop`]. Dropping it cancels, whatever the reason: a caller that gives up, a
//!   deadline, a channel whose receiver is gone.
//! - A request that starts something is sent by [`Background::submit`]. Only its answer names what was started, so the
//!   request is a task of its own, which makes the guard as soon as the answer arrives. If the caller has gone by then,
//!   the guard is dropped together with the answer.
//! - All tasks of a workspace are counted, and [`Background::settle`] waits until there are none. A task that ends may
//!   start another one by dropping a guard, which it does before it counts as ended.

use std::{fmt, time::Duration};

use brickwire_wire::CancellationToken;
use tokio::{sync::oneshot, time::Instant};
use tokio_util::task::TaskTracker;

use crate::{Error, ErrorKind, Event, Events, Result};

/// The tasks of one workspace. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Background(TaskTracker);

impl Background {
    /// Runs a task to its end. Outside of a runtime nothing happens.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if tokio::runtime::Handle::try_current().is_ok() {
            self.0.spawn(task);
        }
    }

    /// Waits until no task is left, for `limit` at most. Returns whether that is so.
    pub(crate) async fn settle(&self, limit: Duration) -> bool {
        // A closed tracker takes new tasks all the same: only then can it be waited for.
        self.0.close();
        tokio::time::timeout(limit, self.0.wait()).await.is_ok()
    }

    /// Sends the request that starts `what`, and waits for its answer until the deadline.
    ///
    /// `send` returns the answer together with a [`CancelOnDrop`] for what it started. The token is canceled when the
    /// caller stops waiting: then nothing more is sent, but the attempt under way continues, since its answer may name
    /// something to cancel.
    ///
    /// # Errors
    /// Those of the request, and [`ErrorKind::UnknownOutcome`] at the deadline.
    pub(crate) async fn submit<T, F>(
        &self,
        events: &Events,
        what: &'static str,
        deadline: Instant,
        send: impl FnOnce(CancellationToken) -> F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let cancel = CancellationToken::new();
        let (give, answer) = oneshot::channel();
        let request = send(cancel.clone());
        let emitting = events.clone();
        self.spawn(async move {
            // If nothing receives the answer, it is dropped, and its guard cancels what it names.
            if let Err(unwanted) = give.send(request.await) {
                emitting
                    .emit(|| Event::Answered { what, unknown: unwanted.as_ref().err().and_then(may_run) });
            }
        });
        let mut answer = answer;
        // Dropped in reverse order: the event comes before anything that follows from it.
        let _cancels = cancel.clone().drop_guard();
        let mut leaving = Leaving { events, what, is_waiting: true };
        let answered = tokio::time::timeout_at(deadline, &mut answer).await;
        leaving.is_waiting = false;
        let answered = match answered {
            Ok(answered) => answered,
            Err(_) => {
                // A request that waits for its next attempt ends now, and its outcome is known.
                cancel.cancel();
                match tokio::time::timeout(STOPPING, answer).await {
                    Ok(Ok(Err(error))) if error.kind() == ErrorKind::Local => {
                        return Err(refused(what, &error));
                    }
                    Ok(answered) => answered,
                    Err(_) => return Err(unanswered(what)),
                }
            }
        };
        answered.unwrap_or_else(|_| Err(Error::new(ErrorKind::Local, "the program is ending")))
    }

    /// A guard that cancels `what` when dropped. `cancel` is called then, and its future runs as a task. It ends when the
    /// service has accepted the cancellation, and returns a second future, which watches what becomes of it.
    pub(crate) fn cancel_on_drop<F, W>(
        &self,
        events: &Events,
        what: &'static str,
        id: &str,
        cancel: impl FnOnce() -> F + Send + Sync + 'static,
    ) -> CancelOnDrop
    where
        F: Future<Output = Result<W>> + Send + 'static,
        W: Future<Output = Canceled> + Send + 'static,
    {
        let (background, events, id) = (self.clone(), events.clone(), id.to_owned());
        let cancel = move || {
            // Emitted first: a program that is ending may have no time left to see the cancellation itself.
            events.emit(|| Event::Canceling { what, id: id.clone() });
            let canceling = cancel();
            let (give, accepted) = oneshot::channel();
            background.spawn(async move {
                // Only `CancelOnDrop::cancel` receives what is sent here.
                match canceling.await {
                    Ok(watching) => {
                        events.emit(|| Event::Canceled { what, id });
                        let (give_end, end) = oneshot::channel();
                        let _ = give.send(Ok(end));
                        let _ = give_end.send(watching.await);
                    }
                    Err(error) => {
                        tracing::warn!(target: "brickwire", what, id, %error, "canceling failed");
                        events.emit(|| Event::CancelingFailed { what, id, reason: error.to_string() });
                        let _ = give.send(Err(error));
                    }
                }
            });
            accepted
        };
        CancelOnDrop { cancel: Some(Box::new(cancel)), is_armed: true }
    }
}

/// Says that the caller has gone if it is dropped while the answer is waited for.
struct Leaving<'a> {
    events: &'a Events,
    what: &'static str,
    is_waiting: bool,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if self.is_waiting {
            self.events.emit(|| Event::AwaitingAnswer { what: self.what });
        }
    }
}

/// Why what a failed request starts may run, if so. All else was refused or not sent.
fn may_run(error: &Error) -> Option<String> {
    matches!(error.kind(), ErrorKind::UnknownOutcome | ErrorKind::UnexpectedResponse)
        .then(|| error.to_string())
}

/// How long a request takes to notice that nothing more is to be sent.
const STOPPING: Duration = Duration::from_millis(100);

fn unanswered(what: &str) -> Error {
    let text = format!("outcome unknown: the {what} was submitted, and no answer came in time");
    Error::new(ErrorKind::UnknownOutcome, text)
        .with_hint("see whether it took effect before you submit it again with more time")
}

/// The error for a submission that was still to be sent, or sent again, when its time was over.
fn refused(what: &str, stopped: &Error) -> Error {
    let attempts = stopped.attempts();
    let text = match attempts {
        0 => format!("the {what} was not submitted: the time ran out before it could be sent"),
        1 => format!("the {what} was not submitted: one attempt failed, and the time ran out"),
        _ => format!("the {what} was not submitted: {attempts} attempts failed, and the time ran out"),
    };
    Error::new(ErrorKind::DeadlineExceeded, text).with_hint("set a longer `timeout`").with_details(
        |details| {
            details.attempts = attempts;
            details.operation = stopped.operation().map(str::to_owned);
        },
    )
}

/// What became of an accepted cancellation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Canceled {
    /// What was canceled has ended, in this state.
    Ended(String),
    /// The service accepted the cancellation, and the end was not seen.
    Requested,
}

/// How long [`CancelOnDrop::cancel`] waits after a deadline for the cancellation.
const CANCELING: Duration = Duration::from_millis(1100);

/// What became of an accepted cancellation, as soon as that is known.
type End = oneshot::Receiver<Canceled>;

/// Starts to cancel, and returns where the service's answer will be.
type StartCanceling = dyn FnOnce() -> oneshot::Receiver<Result<End>> + Send + Sync;

/// Cancels something that runs remotely when dropped, unless it is disarmed.
#[must_use = "dropping it cancels"]
pub(crate) struct CancelOnDrop {
    cancel: Option<Box<StartCanceling>>,
    is_armed: bool,
}

impl CancelOnDrop {
    pub(crate) fn arm(&mut self) {
        self.is_armed = true;
    }

    pub(crate) fn disarm(&mut self) {
        self.is_armed = false;
    }

    /// Cancels now, and waits a moment for what becomes of it. Dropping the future doesn't stop the cancellation.
    ///
    /// # Errors
    /// Those of the cancellation: then what was to be canceled may still run. One that was accepted is not an error, even
    /// if its end isn't seen in time.
    pub(crate) async fn cancel(mut self) -> Result<Canceled> {
        let Some(cancel) = self.cancel.take() else { return Ok(Canceled::Requested) };
        let deadline = Instant::now() + CANCELING;
        let end = match tokio::time::timeout_at(deadline, cancel()).await {
            Ok(Ok(accepted)) => accepted?,
            Ok(Err(_)) => return Err(Error::new(ErrorKind::Local, "the program is ending")),
            Err(_) => {
                let text = format!("no answer within {CANCELING:?}");
                return Err(Error::new(ErrorKind::DeadlineExceeded, text));
            }
        };
        match tokio::time::timeout_at(deadline, end).await {
            Ok(Ok(canceled)) => Ok(canceled),
            _ => Ok(Canceled::Requested),
        }
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let (true, Some(cancel)) = (self.is_armed, self.cancel.take()) {
            drop(cancel());
        }
    }
}

impl fmt::Debug for CancelOnDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelOnDrop").field("is_armed", &self.is_armed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{Ready, pending, ready},
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use super::*;

    const SOON: Duration = Duration::from_secs(1);

    fn counted(background: &Background, canceled: &Arc<AtomicUsize>) -> CancelOnDrop {
        let canceled = canceled.clone();
        background.cancel_on_drop(&Events::default(), "statement", "s1", move || async move {
            canceled.fetch_add(1, Ordering::SeqCst);
            Ok(ready(Canceled::Requested))
        })
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_cancels_unless_disarmed() {
        let (background, canceled) = (Background::default(), Arc::default());
        let mut guard = counted(&background, &canceled);
        guard.disarm();
        drop(guard);
        background.settle(SOON).await;
        assert_eq!(canceled.load(Ordering::SeqCst), 0);
        drop(counted(&background, &canceled));
        background.settle(SOON).await;
        assert_eq!(canceled.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_comes_too_late_is_canceled_and_settle_waits_for_both() {
        let (background, canceled) = (Background::default(), Arc::default());
        let guard = counted(&background, &canceled);
        let error = background
            .submit(&Events::default(), "statement", Instant::now() + SOON, |cancel| async move {
                cancel.cancelled().await;
                tokio::time::sleep(SOON).await;
                Ok(guard)
            })
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownOutcome);
        background.settle(5 * SOON).await;
        assert_eq!(canceled.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_submission_that_was_only_refused_is_known_not_to_run() {
        for (attempts, words) in [(0, "before it could be sent"), (1, "one attempt"), (7, "7 attempts")] {
            let (background, events) = (Background::default(), Events::default());
            let submitted = background.submit::<(), _>(
                &events,
                "statement",
                Instant::now() + SOON,
                |cancel| async move {
                    cancel.cancelled().await;
                    Err(Error::new(ErrorKind::Local, "canceled").with_details(|d| d.attempts = attempts))
                },
            );
            let error = submitted.await.unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::DeadlineExceeded, attempts));
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_leaves_learns_what_became_of_its_submission() {
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let events = Events::new({
            let seen = seen.clone();
            move |event| seen.lock().unwrap().push(event.clone())
        });
        let background = Background::default();
        let unknown = Error::new(ErrorKind::UnknownOutcome, "lost");
        for (error, why) in
            [(Error::new(ErrorKind::Local, "canceled"), None), (unknown, Some("lost".to_owned()))]
        {
            let submission = background.submit::<(), _>(
                &events,
                "statement",
                Instant::now() + 9 * SOON,
                |cancel| async move {
                    cancel.cancelled().await;
                    Err(error)
                },
            );
            let _ = tokio::time::timeout(SOON, submission).await;
            assert!(background.settle(SOON).await);
            let left = [
                Event::AwaitingAnswer { what: "statement" },
                Event::Answered { what: "statement", unknown: why },
            ];
            assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), left);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancellation_says_what_became_of_it_and_is_not_waited_for_for_long() {
        let (background, events) = (Background::default(), Events::default());
        let refused = background.cancel_on_drop(&events, "statement", "s1", || async {
            Err::<Ready<Canceled>, _>(Error::new(ErrorKind::NotFound, "gone"))
        });
        assert_eq!(refused.cancel().await.unwrap_err().to_string(), "gone");
        let ended = background.cancel_on_drop(&events, "statement", "s1", || async {
            Ok(ready(Canceled::Ended("CANCELED".to_owned())))
        });
        assert_eq!(ended.cancel().await.unwrap(), Canceled::Ended("CANCELED".to_owned()));
        let silent =
            background.cancel_on_drop(&events, "statement", "s1", pending::<Result<Ready<Canceled>>>);
        let start = Instant::now();
        assert_eq!(silent.cancel().await.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(start.elapsed(), CANCELING);
        // The service accepts it at the last moment, and its end comes later or is never seen.
        for ending in [Duration::from_millis(2), Duration::MAX] {
            let accepted = background.cancel_on_drop(&events, "statement", "s1", move || async move {
                tokio::time::sleep(CANCELING - Duration::from_millis(1)).await;
                Ok(async move {
                    tokio::time::sleep(ending).await;
                    Canceled::Ended("CANCELED".to_owned())
                })
            });
            let start = Instant::now();
            assert_eq!(accepted.cancel().await.unwrap(), Canceled::Requested);
            assert_eq!(start.elapsed(), CANCELING);
        }
    }
}

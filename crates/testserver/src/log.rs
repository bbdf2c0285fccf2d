use std::{
    future::poll_fn,
    sync::{
        Arc, Condvar, Mutex,
        mpsc::{self, RecvTimeoutError},
    },
    task::{Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use crate::Request;

/// No request takes longer to arrive.
const LIMIT: Duration = Duration::from_secs(60);
const LATE: &str = "the expected requests did not arrive within a minute";

/// The requests that arrived, in order. Clones share one log, and several servers can record into it.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Arc<Request>>,
    waiting: Vec<Waker>,
}

impl Log {
    pub(crate) fn push(&self, mut request: Request) -> Arc<Request> {
        let mut state = self.0.state.lock().unwrap();
        request.number = state.requests.len();
        let request = Arc::new(request);
        state.requests.push(request.clone());
        state.waiting.drain(..).for_each(Waker::wake);
        self.0.arrived.notify_all();
        request
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Arc<Request>> {
        self.0.state.lock().unwrap().requests.clone()
    }

    /// Waits until at least `count` requests have arrived.
    pub async fn arrived(&self, count: usize) {
        self.until(|requests| requests.len() >= count).await;
    }

    /// Waits until the requests so far meet a condition.
    ///
    /// # Panics
    /// If the condition is not met within a minute.
    pub async fn until(&self, is_met: impl Fn(&[Arc<Request>]) -> bool) {
        let began = Instant::now();
        let mut alarm = None;
        poll_fn(|context| {
            let mut state = self.0.state.lock().unwrap();
            if is_met(&state.requests) {
                return Poll::Ready(());
            }
            state.waiting.push(context.waker().clone());
            drop(state);
            assert!(began.elapsed() < LIMIT, "{LATE}");
            alarm.get_or_insert_with(|| self.alarm());
            Poll::Pending
        })
        .await;
    }

    /// Wakes all that wait when [`LIMIT`] has passed, unless what it returns is dropped before. A thread does it, since
    /// tests pause the clock of the runtime.
    fn alarm(&self) -> mpsc::Sender<()> {
        let (alarm, dropped) = mpsc::channel();
        let shared = self.0.clone();
        thread::spawn(move || {
            if dropped.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                shared.state.lock().unwrap().waiting.drain(..).for_each(Waker::wake);
            }
        });
        alarm
    }

    /// Like [`until`](Self::until), for tests without a runtime.
    ///
    /// # Panics
    /// If the condition is not met within a minute.
    pub fn block_until(&self, is_met: impl Fn(&[Arc<Request>]) -> bool) {
        let state = self.0.state.lock().unwrap();
        let unmet = |state: &mut State| !is_met(&state.requests);
        let waited = self.0.arrived.wait_timeout_while(state, LIMIT, unmet).unwrap().1;
        assert!(!waited.timed_out(), "{LATE}");
    }
}

/// Holds handlers back until the test lets them through: a counting semaphore for threads.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Mutex<usize>, Condvar)>);

impl Gate {
    /// Lets `count` more callers of [`pass`](Self::pass) through.
    pub fn open(&self, count: usize) {
        *self.0.0.lock().unwrap() += count;
        self.0.1.notify_all();
    }

    /// Blocks until the gate opens for this caller.
    pub fn pass(&self) {
        let mut permits = self.0.1.wait_while(self.0.0.lock().unwrap(), |permits| *permits == 0).unwrap();
        *permits -= 1;
    }
}

//! Work that goes on without anyone waiting for it, such as the cancellation of what a dropped handle had started.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::task::JoinSet;

/// The tasks of one workspace. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Background(Arc<Mutex<JoinSet<()>>>);

impl Background {
    /// Runs a task to its end; [`settle`](Self::settle) waits for it. Outside of a runtime nothing happens.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if tokio::runtime::Handle::try_current().is_ok() {
            let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            while tasks.try_join_next().is_some() {}
            tasks.spawn(task);
        }
    }

    /// Waits for the tasks under way, for `limit` at most.
    pub(crate) async fn settle(&self, limit: Duration) {
        let tasks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let _ = tokio::time::timeout(limit, tasks.join_all()).await;
    }
}

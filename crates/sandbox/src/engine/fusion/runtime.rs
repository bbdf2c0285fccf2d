//! Where SQL runs: a separate runtime, so that a long computation never blocks the HTTP server.
//!
//! Plans are walked recursively; a debug build overflows tokio's usual 2 MiB stack at a hundred `+`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{StreamExt, stream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};

use crate::engine::{error::EngineError, query::Batches};

/// Address space only; memory is taken when a stack grows.
pub(super) const STACK_BYTES: usize = 64 << 20;
/// Enough to run more statements next to a computation that doesn't notice its cancellation.
const THREADS: usize = 4;
/// Batches that are buffered for a slow reader.
const BATCHES_AHEAD: usize = 2;

pub(super) struct SqlRuntime {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl SqlRuntime {
    pub(super) fn new() -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_stack_size(STACK_BYTES)
            .thread_name("sandbox-sql")
            .enable_all()
            .build()
            .expect("the operating system gives threads to the SQL runtime");
        Self { runtime: Some(runtime) }
    }

    fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Task<T> {
        Task(self.runtime.as_ref().expect("the runtime lives as long as its owner").spawn(work))
    }

    /// Runs it here; dropping the returned future cancels it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, EngineError>> + Send + 'static,
    ) -> Result<T, EngineError> {
        self.spawn(work).await.unwrap_or_else(|error| Err(lost(&error)))
    }

    /// Drives the stream here and hands its batches over; dropping the returned stream cancels it.
    pub(super) fn pump(&self, mut batches: Batches) -> Batches {
        let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
        let task = self.spawn(async move {
            while let Some(batch) = batches.next().await {
                let failed = batch.is_err();
                if sender.send(batch).await.is_err() || failed {
                    return;
                }
            }
        });
        Box::pin(stream::unfold((receiver, Some(task)), |(mut receiver, task)| async move {
            match receiver.recv().await {
                Some(batch) => Some((batch, (receiver, task))),
                None => match task?.await {
                    Ok(()) => None,
                    Err(error) => Some((Err(lost(&error)), (receiver, None))),
                },
            }
        }))
    }
}

impl Drop for SqlRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn lost(error: &JoinError) -> EngineError {
    EngineError::internal(if error.is_panic() { "a statement panicked" } else { "it was shut down" })
}

/// A spawned task that ends with its handle.
struct Task<T>(JoinHandle<T>);

impl<T> Future for Task<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

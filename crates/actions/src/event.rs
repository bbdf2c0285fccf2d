//! What happens while a call runs, as data: retries, changes of state, chunks, cancelling. A program shows them or not.

use std::{fmt, sync::Arc, time::Duration};

/// Something worth telling while a call is still running.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A request failed and will be sent again.
    Retrying {
        /// The API operation.
        operation: String,
        /// How many attempts have failed.
        attempts: u32,
        /// Why the last one failed, without secrets.
        reason: String,
        /// The wait before the next attempt.
        after: Duration,
    },
    /// A change is asked for that goes on when this program ends.
    Requesting {
        /// What changes: `cluster`, `warehouse`.
        what: &'static str,
        /// Its id.
        id: String,
        /// The change: `start`, `restart`, `terminate`, `stop`.
        change: &'static str,
    },
    /// What is being waited for is in another state than before.
    StateChanged {
        /// What it is: `cluster`, `warehouse`, `statement`, `command`, `context`.
        what: &'static str,
        /// Its id.
        id: String,
        /// The state, in the API's word.
        state: String,
        /// What the service says of it, if anything.
        message: Option<String>,
    },
    /// A chunk of an SQL result arrived.
    ChunkFetched {
        /// The statement's id.
        statement_id: String,
        /// Rows received so far.
        rows: u64,
        /// Rows in all, where the manifest tells.
        total_rows: Option<u64>,
        /// Bytes received so far, of this chunk and of those that are still on their way.
        bytes: u64,
    },
    /// Something that was started is being cancelled.
    Cancelling {
        /// What it is.
        what: &'static str,
        /// Its id.
        id: String,
    },
}

/// Who is told of [`Event`]s.
#[derive(Clone, Default)]
pub struct Events(Option<Arc<Listener>>);

type Listener = dyn Fn(&Event) + Send + Sync;

impl Events {
    /// Calls the function for each event; it should return at once.
    pub fn new(listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    pub(crate) fn requesting(&self, what: &'static str, id: &str, change: &'static str) {
        self.emit(|| Event::Requesting { what, id: id.to_owned(), change });
    }

    pub(crate) fn emit(&self, event: impl FnOnce() -> Event) {
        if let Some(listener) = &self.0 {
            listener(&event());
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Events(listener)" } else { "Events" })
    }
}

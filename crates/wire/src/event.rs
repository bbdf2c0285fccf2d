//! What happens while a call runs, as data: retries, changes of state, chunks, cancellations. A program can show them.

use std::{fmt, sync::Arc, time::Duration};

use crate::known;

/// Something that happens while a call is still running.
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
    /// A change is requested that goes on when this program ends.
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
        /// The state, as the API names it.
        state: String,
        /// What the service says about it, if anything.
        message: Option<String>,
    },
    /// A chunk of an SQL result arrived.
    ChunkFetched {
        /// The statement's id.
        statement_id: String,
        /// Rows received so far.
        rows: u64,
        /// Rows in all, if the manifest says so.
        total_rows: Option<u64>,
        /// Bytes received so far, of this chunk and of those that are still arriving.
        bytes: u64,
    },
    /// Bytes of a file were sent or arrived.
    FileTransferred {
        /// Where the file is in the workspace.
        path: String,
        /// Bytes so far. Fewer than before mean that it starts over.
        bytes: u64,
        /// Bytes in all, if that is known.
        total_bytes: Option<u64>,
    },
    /// Something that was started is being canceled.
    Canceling {
        /// What it is.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The cancellation was accepted.
    Canceled {
        /// What it is.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The caller has gone before the request that starts something was answered. Only the answer names what to cancel, so
    /// it is still waited for.
    AwaitingAnswer {
        /// What it starts: `statement`, `command`, `context`.
        what: &'static str,
    },
    /// The request of an earlier [`AwaitingAnswer`](Self::AwaitingAnswer) has ended.
    Answered {
        /// What it starts.
        what: &'static str,
        /// Why what it starts may run although nothing names it, if that is so.
        unknown: Option<String>,
    },
    /// A request that may not be repeated was under way when its caller left: it may have been carried out.
    Abandoned {
        /// The API operation.
        operation: String,
    },
    /// Something that the user should know although the call goes on.
    Warning {
        /// What it is, in one line.
        text: String,
    },
    /// Canceling failed, so what was started may still run.
    CancelingFailed {
        /// What it is.
        what: &'static str,
        /// Its id.
        id: String,
        /// Why it failed.
        reason: String,
    },
}

impl Event {
    /// Services repeat what they refuse, credentials included.
    fn without_secrets(mut self) -> Self {
        let (ids, texts): (Vec<&mut String>, Vec<&mut String>) = match &mut self {
            Self::Retrying { operation, reason, .. } => (vec![], vec![operation, reason]),
            Self::Requesting { id, .. } | Self::Canceling { id, .. } | Self::Canceled { id, .. } => {
                (vec![id], vec![])
            }
            Self::StateChanged { id, state, message, .. } => {
                (vec![id, state], message.as_mut().into_iter().collect())
            }
            Self::ChunkFetched { statement_id, .. } => (vec![statement_id], vec![]),
            Self::FileTransferred { path, .. } => (vec![], vec![path]),
            Self::AwaitingAnswer { .. } => (vec![], vec![]),
            Self::Answered { unknown, .. } => (vec![], unknown.as_mut().into_iter().collect()),
            Self::Abandoned { operation } => (vec![], vec![operation]),
            Self::Warning { text } => (vec![], vec![text]),
            Self::CancelingFailed { id, reason, .. } => (vec![id], vec![reason]),
        };
        ids.into_iter().for_each(known::hide_credentials_in);
        texts.into_iter().for_each(known::hide_in);
        self
    }
}

/// A listener for [`Event`]s.
#[derive(Clone, Default)]
pub struct Events(Option<Arc<Listener>>);

type Listener = dyn Fn(&Event) + Send + Sync;

impl Events {
    /// Calls the function for each event; it should return at once.
    pub fn new(listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Says that a change which outlives this program is about to be requested.
    pub fn requesting(&self, what: &'static str, id: &str, change: &'static str) {
        self.emit(|| Event::Requesting { what, id: id.to_owned(), change });
    }

    /// Passes an event on; it is made only if someone listens.
    pub fn emit(&self, event: impl FnOnce() -> Event) {
        if let Some(listener) = &self.0 {
            listener(&event().without_secrets());
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Events(listener)" } else { "Events" })
    }
}

//! What may go wrong: the parsed form of a rule's words.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode};

use super::edit::Edit;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    Answer(Answer),
    Login,
    Page(Paging),
    /// Before anything is sent, or after a number of bytes of the body.
    Reset(Option<usize>),
    Close,
    Hang,
    Refuse(Duration),
    Truncate(At),
    Short(At),
    Half(At),
    Corrupt(At),
    /// For so long, or forever.
    Stall(At, Option<Duration>),
    Slow(Duration),
    Edit(Vec<Edit>),
    Late(Duration),
    Swap(Swap),
    /// Only what goes with any effect: a delay, a wrong date.
    Nothing,
}

/// The place in a body where something happens: after a number of bytes, or in its middle.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct At(pub(super) Option<usize>);

impl At {
    /// The place in a body of that length.
    pub(super) fn within(self, length: usize) -> usize {
        self.0.unwrap_or(length / 2).min(length)
    }
}

/// What is wrong with a page of a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Paging {
    /// An empty one comes before it.
    Empty,
    /// Its token leads to it once more.
    Repeat,
}

/// What a link leads to instead of its chunk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Swap {
    /// Another chunk of the same result.
    Chunk(usize),
    /// A chunk of a result with other columns.
    Foreign,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) retry_after: Option<RetryAfter>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) html: bool,
    pub(super) body: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum RetryAfter {
    Text(HeaderValue),
    DateIn(Duration),
}

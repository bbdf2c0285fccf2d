//! A network that does the same thing with every request, or does it a few times and then works. There is no socket in
//! it, so that time can be paused and a day of waiting costs nothing.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use brickwire_client::wire::{
    BoxFuture, Error, ErrorKind, Exchange, Host, HttpOptions, StaticToken, Unanswered, Wire,
};
use bytes::Bytes;
use http_body::{Body, Frame};
use reqwest::{Request, Response};

pub(crate) const TOKEN: &str = "dapi-0123456789abcdef";

/// What the network does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Status, headers, the body's pieces, and how the body ends.
    Answer(u16, Vec<(&'static str, String)>, Vec<Bytes>, End),
    /// No connection comes about.
    NotSent,
    /// The connection breaks once the request is sent.
    Lost,
    /// Nothing comes, ever.
    Silence,
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum End {
    Whole,
    /// The connection breaks.
    Broken,
    /// Nothing more comes.
    Stalled,
    /// The last piece comes again and again.
    Endless,
}

#[derive(Debug)]
pub(crate) struct Network {
    replies: Mutex<VecDeque<Reply>>,
    sent: Mutex<usize>,
}

impl Network {
    /// A wire to a workspace over a network that gives these replies in turn, and the last one from then on.
    pub(crate) fn wire(replies: impl IntoIterator<Item = Reply>) -> (Wire, Arc<Self>) {
        let network =
            Arc::new(Self { replies: Mutex::new(replies.into_iter().collect()), sent: Mutex::new(0) });
        let options = HttpOptions::new(Host::parse("https://x.cloud.databricks.com").unwrap());
        let wire = Wire::builder(options).with_exchange(network.clone()).build().unwrap();
        (wire.with_credential(StaticToken::new(TOKEN).unwrap()), network)
    }

    /// How many requests went out.
    pub(crate) fn sent(&self) -> usize {
        *self.sent.lock().unwrap()
    }
}

impl Exchange for Network {
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, Unanswered>> {
        *self.sent.lock().unwrap() += 1;
        assert_eq!(request.url().host_str(), Some("x.cloud.databricks.com"));
        let mut replies = self.replies.lock().unwrap();
        let reply = if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() };
        // Errors of real clients repeat what they tried to do.
        let gone = || Error::new(ErrorKind::Unreachable, format!("gone with {TOKEN}"));
        let outcome = match reply.unwrap() {
            Reply::NotSent => Err(Unanswered::NotSent(gone())),
            Reply::Lost => Err(Unanswered::Lost(gone())),
            Reply::Silence => return Box::pin(std::future::pending()),
            Reply::Answer(status, headers, pieces, end) => {
                let body = Pieces { pieces: pieces.into(), end };
                let mut answer = http::Response::new(reqwest::Body::wrap(body));
                *answer.status_mut() = status.try_into().unwrap();
                answer.headers_mut().extend(headers.into_iter().map(|(name, value)| {
                    (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap())
                }));
                Ok(answer.into())
            }
        };
        Box::pin(std::future::ready(outcome))
    }
}

struct Pieces {
    pieces: VecDeque<Bytes>,
    end: End,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let is_last = self.pieces.len() == 1;
        let piece = match self.end {
            End::Endless if is_last => self.pieces.front().cloned(),
            _ => self.pieces.pop_front(),
        };
        match (piece, self.end) {
            (Some(piece), _) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            (None, End::Broken) => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            (None, End::Stalled) => Poll::Pending,
            (None, _) => Poll::Ready(None),
        }
    }
}

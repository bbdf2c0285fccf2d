//! A network that answers from a script and keeps what was sent, without any socket, so that time can be paused.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use brickwire_wire::{
    BoxFuture, Error, ErrorKind, Event, Events, Exchange, Host, HttpOptions, OperationInfo, StaticToken,
    Unanswered, Wire,
};
use http::{HeaderMap, StatusCode};

pub(crate) const READ: OperationInfo = OperationInfo::new("toys_get", "GET", "/api/2.0/toys/{id}", true);
pub(crate) const CHANGE: OperationInfo =
    OperationInfo::new("toys_break", "POST", "/api/2.0/toys/break", false);

/// What the network does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    NotSent,
    Lost,
    /// No answer, ever.
    Silence,
}

pub(crate) fn status(status: u16) -> Reply {
    Reply::Answer(status, Vec::new(), Vec::new())
}

pub(crate) fn json(status: u16, body: &str) -> Reply {
    Reply::Answer(status, vec![("content-type", "application/json".to_owned())], body.into())
}

pub(crate) fn with_header(reply: Reply, name: &'static str, value: &str) -> Reply {
    let Reply::Answer(status, mut headers, body) = reply else { panic!("{reply:?} has no headers") };
    headers.push((name, value.to_owned()));
    Reply::Answer(status, headers, body)
}

#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
}

#[derive(Debug, Default)]
pub(crate) struct Network {
    replies: Mutex<VecDeque<Reply>>,
    sent: Mutex<Vec<Sent>>,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
}

impl Network {
    /// A wire over this network to `x.cloud.databricks.com`, with a token; the last reply is given for ever.
    pub(crate) fn wire(replies: impl IntoIterator<Item = Reply>) -> (Wire, Arc<Self>) {
        let network =
            Arc::new(Self { replies: Mutex::new(replies.into_iter().collect()), ..Self::default() });
        let options = HttpOptions::new(Host::parse("x.cloud.databricks.com").unwrap());
        let events = network.events.clone();
        let wire = Wire::builder(options).with_exchange(network.clone()).build().unwrap();
        let wire = wire.with_events(Events::new(move |event| events.lock().unwrap().push(event.clone())));
        (wire.with_credential(StaticToken::new("dapi-0123456789").unwrap()), network)
    }

    pub(crate) fn count(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    pub(crate) fn sent<T>(&self, look: impl Fn(&Sent) -> T) -> Vec<T> {
        self.sent.lock().unwrap().iter().map(look).collect()
    }

    /// The waits that were announced.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter_map(|e| if let Event::Retrying { after, .. } = e { Some(*after) } else { None })
            .collect()
    }
}

impl Exchange for Network {
    fn exchange(&self, request: reqwest::Request) -> BoxFuture<'_, Result<reqwest::Response, Unanswered>> {
        self.sent
            .lock()
            .unwrap()
            .push(Sent { url: request.url().to_string(), headers: request.headers().clone() });
        let mut replies = self.replies.lock().unwrap();
        let reply = if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() };
        let gone = || Error::new(ErrorKind::Unreachable, "gone");
        let outcome = match reply.unwrap_or_else(|| status(200)) {
            Reply::NotSent => Err(Unanswered::NotSent(gone())),
            Reply::Lost => Err(Unanswered::Lost(gone())),
            Reply::Silence => return Box::pin(std::future::pending()),
            Reply::Answer(status, headers, body) => {
                let mut answer = http::Response::new(body);
                *answer.status_mut() = StatusCode::from_u16(status).unwrap();
                answer.headers_mut().extend(headers.into_iter().map(|(name, value)| {
                    (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap())
                }));
                Ok(answer.into())
            }
        };
        Box::pin(std::future::ready(outcome))
    }
}

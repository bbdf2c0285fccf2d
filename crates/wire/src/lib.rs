#![doc = include_str!("../README.md")]

mod answer;
mod call;
mod cloud;
mod credential;
mod error;
mod event;
pub mod form;
mod host;
mod http;
pub mod json;
mod limiter;
mod operation;
mod pages;
pub mod redact;
mod redirect;
mod retry;
mod secret;
mod send;
mod stream;
pub mod time;
mod wire;

pub use answer::{Answer, ResponseValue};
pub use call::{Call, Redirects};
pub use cloud::{AzureCloud, Cloud, Provider};
pub use credential::{Authorization, Credential, StaticToken};
pub use error::{BoxError, Error, ErrorBody, ErrorDetails, ErrorKind};
pub use event::{Event, Events};
pub use host::{Host, is_loopback};
pub use http::{Authorities, BoxFuture, Exchange, HttpOptions, Step, Unanswered, build_client, unreachable};
pub use limiter::RateLimit;
pub use operation::OperationInfo;
pub use pages::Pages;
pub use retry::{Backoff, RetryPolicy};
pub use secret::Secret;
pub use stream::{Sink, Target};
pub use tokio_util::sync::CancellationToken;
pub use wire::{Wire, WireBuilder};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

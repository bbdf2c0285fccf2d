#![doc = include_str!("../README.md")]

mod answer;
mod call;
mod cloud;
mod credential;
mod error;
mod event;
pub mod file;
pub mod form;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod host;
mod http;
pub mod json;
mod known;
mod limiter;
mod operation;
mod pages;
mod receive;
pub mod redact;
mod redirect;
mod retry;
mod secret;
mod send;
mod stream;
mod text;
pub mod time;
mod upload;
mod wire;

pub use answer::{Answer, ResponseValue};
pub use call::{Call, Redirects, path_segment};
pub use cloud::{AzureCloud, Cloud, Provider};
pub use credential::{Authorization, Credential, StaticToken};
pub use error::{BoxError, Error, ErrorBody, ErrorDetails, ErrorKind, Result};
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
pub use upload::Upload;
pub use wire::{Wire, WireBuilder};

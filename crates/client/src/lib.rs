#![doc = include_str!("../README.md")]

mod call;
mod client;
mod integer;
mod open_enum;
mod plain;
pub mod runtime;

#[allow(missing_docs, clippy::all)]
#[allow(rustdoc::bare_urls, rustdoc::broken_intra_doc_links, rustdoc::invalid_html_tags)]
mod generated;

// What the generator makes of the nasty cases has to compile and work.
#[cfg(test)]
#[allow(missing_docs, clippy::all, dead_code, unreachable_pub)]
#[path = "../../../xtask/tests/expected/toy.rs"]
mod toy;

pub use client::Client;
pub use generated::{OPERATIONS, operations, types};
pub use plain::PlainTransport;
pub use runtime::{
    ApiError, Body, BoxError, BoxFuture, Error, OperationInfo, Response, ResponseValue, Transport,
};

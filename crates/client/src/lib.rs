#![doc = include_str!("../README.md")]

mod call;
mod client;
mod integer;
mod open_enum;
mod plain;
pub mod runtime;

#[allow(missing_docs, clippy::all, rustdoc::all)]
#[allow(rustdoc::bare_urls, rustdoc::broken_intra_doc_links, rustdoc::invalid_html_tags)]
mod generated;

pub use client::Client;
pub use generated::{OPERATIONS, operations, types};
pub use plain::PlainTransport;
pub use runtime::{
    ApiError, Body, BoxError, BoxFuture, Error, OperationInfo, Response, ResponseValue, Transport,
};

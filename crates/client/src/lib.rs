#![doc = include_str!("../README.md")]

mod by_name;
mod client;
mod double;
pub mod integer;
mod member;
mod object;
mod open_enum;
mod redacted;
mod reference;

#[allow(missing_docs, clippy::all)]
#[allow(rustdoc::bare_urls, rustdoc::broken_intra_doc_links, rustdoc::invalid_html_tags)]
mod generated;

// What the generator makes of the difficult cases has to compile and work.
#[cfg(test)]
#[allow(missing_docs, clippy::all, dead_code, unreachable_pub)]
#[path = "../../../xtask/tests/expected/toy.rs"]
mod toy;
#[cfg(test)]
mod toy_tests;

pub use brickwire_wire as wire;
pub use brickwire_wire::{Answer, Call, Error, ErrorKind, OperationInfo, ResponseValue, Result};
pub use client::Client;
pub use generated::{OPERATIONS, operations, types};
pub use reference::{Argument, Body, Content, Kind, Place, Reference};

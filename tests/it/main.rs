//! The contract between spec, client, sandbox and actions, and the conformance vectors.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that can't go on says so"
)]

mod connector_vectors;
mod english;
mod error_vectors;
mod host_vectors;
mod links;
mod log;
mod operations;
mod raw_vectors;
mod scripted_server;
mod token_expiry;
mod vector;
mod with_sandbox;

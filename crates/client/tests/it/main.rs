//! The client against responses as the service sends them, and its requests as the service sees them.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot set up has failed")]

mod bad_responses;
mod decoding;
mod operations;
mod promises;
mod requests;
mod safety;
mod scripted;
mod secrets;

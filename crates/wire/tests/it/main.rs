//! The wire against a network that answers from a script, and against a real server.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot set up has failed")]

mod calls;
mod downloads;
mod network;
mod secrets;
mod uploads;

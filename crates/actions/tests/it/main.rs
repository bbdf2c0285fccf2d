//! The crate from outside, over real sockets on loopback.
#![allow(clippy::unwrap_used, reason = "a test's helpers may fail as the test does")]

mod authentication;
mod browser_login;
mod commands;
mod jobs;
mod lifecycle;
mod objects;
mod programs;
mod provider;
mod repos;
mod secrets;
mod sql;
mod warehouses;

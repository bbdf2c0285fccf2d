//! The crate from outside, over real sockets on loopback.
#![allow(clippy::unwrap_used, reason = "a test's helpers may fail as the test does")]

mod authentication;
mod browser_login;
mod commands;
mod dbfs;
mod files;
mod jobs;
mod lifecycle;
mod programs;
mod provider;
mod sql;
mod volumes;
mod warehouses;

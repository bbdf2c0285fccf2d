//! The crate from outside, over real sockets on loopback.
#![allow(clippy::unwrap_used, reason = "a test's helpers may fail as the test does")]

mod authentication;
mod browser_login;
mod cluster_policies;
mod clusters;
mod commands;
mod jobs;
mod libraries;
mod lifecycle;
mod pipelines;
mod programs;
mod provider;
mod sql;
mod warehouses;

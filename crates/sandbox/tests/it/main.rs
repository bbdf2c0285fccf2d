//! The sandbox from outside: raw HTTP in, raw JSON out.
#![allow(clippy::unwrap_used, reason = "a test's helpers may fail as the test does")]

mod client;
mod cluster_policies;
mod clusters;
mod contexts;
mod control;
mod errors;
mod faults;
mod identity;
mod jobs;
mod libraries;
mod limits;
mod links;
mod login;
mod pipelines;
mod program;
mod sql;
mod statements;
mod warehouses;

//! The crate from outside, over real sockets on loopback.
#![allow(clippy::unwrap_used, reason = "a test's helpers may fail as the test does")]

mod authentication;
mod browser_login;
mod catalogs;
mod commands;
mod grants;
mod jobs;
mod lifecycle;
mod models;
mod objects;
mod permissions;
mod programs;
mod provider;
mod registry;
mod repos;
mod scim;
mod secrets;
mod serving;
mod sql;
mod warehouses;

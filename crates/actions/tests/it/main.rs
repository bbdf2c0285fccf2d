//! The crate from outside, over real sockets on loopback.
#![allow(clippy::unwrap_used, reason = "a test's helpers may fail as the test does")]

mod authentication;
mod browser_login;
mod catalogs;
mod cluster_policies;
mod clusters;
mod commands;
mod dbfs;
mod files;
mod grants;
mod jobs;
mod libraries;
mod lifecycle;
mod models;
mod objects;
mod permissions;
mod pipelines;
mod programs;
mod provider;
mod read_only;
mod registry;
mod repos;
mod scim;
mod secrets;
mod serving;
mod sql;
mod volumes;
mod warehouses;

//! The sandbox from outside: raw HTTP in, raw JSON out.
#![allow(clippy::unwrap_used, reason = "a test's helpers may fail as the test does")]

mod catalogs;
mod client;
mod cluster_policies;
mod clusters;
mod contexts;
mod control;
mod data;
mod dbfs;
mod errors;
mod experiments;
mod faults;
mod files;
mod git_credentials;
mod grants;
mod identity;
mod jobs;
mod kept;
mod libraries;
mod limits;
mod links;
mod login;
mod models;
mod objects;
mod permissions;
mod pipelines;
mod program;
mod registry;
mod repos;
mod scim;
mod secrets;
mod serving;
mod sql;
mod statements;
mod volumes;
mod warehouses;

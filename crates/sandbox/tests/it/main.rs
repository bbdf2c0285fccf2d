//! The sandbox from outside: raw HTTP in, raw JSON out.
#![allow(clippy::unwrap_used, reason = "a test's helpers may fail as the test does")]

mod catalogs;
mod client;
mod clusters;
mod contexts;
mod control;
mod data;
mod errors;
mod experiments;
mod faults;
mod git_credentials;
mod grants;
mod identity;
mod jobs;
mod kept;
mod limits;
mod links;
mod login;
mod models;
mod objects;
mod permissions;
mod program;
mod registry;
mod repos;
mod scim;
mod secrets;
mod serving;
mod sql;
mod statements;
mod warehouses;

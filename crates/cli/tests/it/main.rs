//! The real `brick`, against a local workspace. Signals, terminals, and programs that are scripts are tested on Unix only:
//! Windows has other ones, which no test can send or play.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers may fail as the test does")]
#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "what only the tests for Unix need"))]

mod agents;
mod api;
mod api_named;
mod bad_input;
mod catalogs;
mod cluster_policies;
mod clusters;
mod commands;
mod completion;
#[cfg(unix)]
mod configure;
mod connections;
mod deadlines;
mod debug;
mod defaults;
#[cfg(unix)]
mod dialog;
mod directory;
mod environment;
mod exit_status;
mod files;
#[cfg(feature = "jq")]
mod filters;
mod help;
mod help_json;
mod hints;
#[cfg(unix)]
mod hostile;
mod input;
mod jobs;
mod libraries;
mod lists;
#[cfg(unix)]
mod login;
#[cfg(feature = "mcp")]
mod mcp;
mod notebooks;
mod objects;
mod output;
mod output_variable;
#[cfg(unix)]
mod pasted_login;
mod permissions;
mod pipelines;
mod planted;
mod program;
#[cfg(unix)]
mod prompt;
mod read_only;
mod real_answers;
mod registry;
mod repos;
mod retries;
mod run;
mod sandbox;
#[cfg(all(unix, feature = "sandbox"))]
mod sandbox_command;
#[cfg(all(unix, feature = "sandbox"))]
mod sandbox_detached;
mod scripted;
mod scripts;
mod secrets;
mod serving;
#[cfg(unix)]
mod shells;
#[cfg(unix)]
mod signals;
mod sql_results;
mod sql_values;
mod statements;
#[cfg(unix)]
mod stored_login;
#[cfg(unix)]
mod tables;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod token_programs;
mod users;
mod waits;
mod warehouses;
#[cfg(unix)]
mod watch;
mod workspace;

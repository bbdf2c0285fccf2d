#![doc = include_str!("../README.md")]

mod auth;
mod background;
mod config;
mod connection;
mod doctor;
mod lifecycle;
mod list;
mod names;
mod raw;
mod workspace;

pub use auth::{AccessToken, BrowserLogin, Identity};
pub use brickwire_client::{Client, ResponseValue, types};
pub use brickwire_wire::{
    Backoff, Error, ErrorKind, Event, Events, Host, RateLimit, Result, RetryPolicy, Secret,
};
pub use config::{Config, ConfigView, Environment, Ignored, ProfileView, Setting, SettingView, Source};
pub use connection::{Connection, Credential, ServicePrincipal};
pub use doctor::{Check, Doctor, Outcome};
pub use lifecycle::{Change, Goal, IfTerminated, Lifecycle, Phase, Status, WaitOptions};
pub use list::List;
pub use names::{Candidate, Named};
pub use raw::{FilePart, RawData, RawRequest, RawResponse, ResponseType};
pub use workspace::{Workspace, WorkspaceBuilder};

// The services. Each one is a file; CONTRIBUTING.md says how to add one.
mod clusters;
pub use clusters::Clusters;
mod commands;
pub use commands::{
    Command, Commands, DEFAULT_LANGUAGE, ExecutionContext,
    output::RunOutput,
    run::{Run, RunOptions},
};
#[cfg(test)]
mod kettles;
mod sql;
#[cfg(feature = "arrow")]
pub use sql::RecordBatches;
pub use sql::{FetchOptions, Parameter, Row, RowStream, Rows, RowsIter, Sql, Statement, StatementResult};
mod statements;
pub use statements::Statements;
mod users;
pub use users::Users;
mod warehouses;
pub use warehouses::Warehouses;

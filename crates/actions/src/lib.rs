#![doc = include_str!("../README.md")]

mod auth;
mod clusters;
mod commands;
mod config;
mod connection;
mod doctor;
mod error;
mod event;
mod find;
mod host;
mod list;
mod raw;
mod reach;
mod redact;
mod redirect;
mod retry;
mod run;
mod secret;
mod sql;
mod transport;
mod users;
mod wait;
mod warehouses;
mod workspace;

pub use auth::{AccessToken, BrowserLogin, Identity};
pub use brickwire_client::{ResponseValue, types};
pub use clusters::Clusters;
pub use commands::{Command, Commands, DEFAULT_LANGUAGE};
pub use config::{Config, ConfigView, Environment, Ignored, ProfileView, Setting, SettingView, Source};
pub use connection::{Connection, Credential, ServicePrincipal};
pub use doctor::{Check, Doctor, Outcome};
pub use error::{Error, ErrorKind};
pub use event::{Event, Events};
pub use host::Host;
pub use list::List;
pub use raw::{FilePart, RawData, RawRequest, RawResponse, ResponseType};
pub use retry::{Backoff, RetryPolicy};
pub use run::{RunOptions, RunOutput};
pub use secret::Secret;
#[cfg(feature = "arrow")]
pub use sql::RecordBatches;
pub use sql::{
    FetchOptions, Parameter, Row, RowStream, Rows, RowsIter, Sql, Statement, StatementResult, Statements,
};
pub use users::Users;
pub use wait::{Change, WaitOptions};
pub use warehouses::Warehouses;
pub use workspace::{Workspace, WorkspaceBuilder};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

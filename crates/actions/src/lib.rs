#![doc = include_str!("../README.md")]

mod auth;
mod background;
mod clusters;
mod commands;
mod config;
mod connection;
mod doctor;
mod encoding;
mod find;
mod list;
mod markup;
mod notebook;
mod raw;
mod run;
mod sql;
mod users;
mod wait;
mod warehouse_address;
mod warehouses;
mod workspace;

pub use auth::{AccessToken, BrowserLogin, Identity};
pub use brickwire_client::{Client, ResponseValue, types};
pub use brickwire_wire::{
    Backoff, Error, ErrorKind, Event, Events, Host, RateLimit, Result, RetryPolicy, Secret,
};
pub use clusters::Clusters;
pub use commands::{Command, Commands, DEFAULT_LANGUAGE};
pub use config::{Config, ConfigView, Environment, Ignored, ProfileView, Setting, SettingView, Source};
pub use connection::{Connection, Credential, ServicePrincipal};
pub use doctor::{Check, Doctor, Outcome};
pub use encoding::{decode_text, without_mark};
pub use list::List;
pub use notebook::refuse_notebook;
pub use raw::{FilePart, RawData, RawRequest, RawResponse, ResponseType};
pub use run::{RunOptions, RunOutput};
#[cfg(feature = "arrow")]
pub use sql::RecordBatches;
pub use sql::{
    FetchOptions, Parameter, Row, RowStream, Rows, RowsIter, Sql, Statement, StatementResult, Statements,
};
pub use users::Users;
pub use wait::{Change, WaitOptions};
pub use warehouses::Warehouses;
pub use workspace::{Workspace, WorkspaceBuilder};

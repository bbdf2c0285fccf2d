#![doc = include_str!("../README.md")]

mod background;
mod clusters;
mod commands;
mod doctor;
mod find;
mod identity;
mod list;
mod raw;
mod run;
mod sql;
mod users;
mod wait;
mod warehouses;
mod workspace;

pub use brickwire_client::{Client, ResponseValue, types};
pub use brickwire_wire::{
    Backoff, Error, ErrorKind, Event, Events, Host, RateLimit, Result, RetryPolicy, Secret, redact::Filter,
};
pub use clusters::Clusters;
pub use commands::{Command, Commands, DEFAULT_LANGUAGE};
pub use doctor::{Check, Doctor, Outcome};
pub use identity::{
    auth::{client_credentials::ServicePrincipal, token::Identity},
    authenticator::AccessToken,
    config::{
        Config, ConfigBuilder,
        settings::{Ignored, Setting, SettingView, Source},
        view::{ConfigView, ProfileView},
    },
    connection::{Connection, Credential},
    environment::Environment,
    login::BrowserLogin,
};
pub use list::List;
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

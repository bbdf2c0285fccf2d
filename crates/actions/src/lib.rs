#![doc = include_str!("../README.md")]

mod background;
mod content;
mod doctor;
mod document;
mod encoding;
mod full_name;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod idempotency;
mod identity;
mod lifecycle;
mod list;
mod local_file;
mod local_name;
mod markup;
mod names;
mod notebook;
mod preview;
mod raw;
mod remote_path;
mod results;
mod scim;
mod settings;
mod wait;
mod warehouse_address;
mod workspace;

pub use brickwire_client::{Client, ResponseValue, types};
pub use brickwire_wire::{
    Backoff, Error, ErrorKind, Event, Events, Host, RateLimit, Result, RetryPolicy, Secret,
    redact::{self, Filter},
};
pub use content::Content;
pub use doctor::{Check, Doctor, Outcome};
pub use encoding::{decode_text, without_mark};
pub use identity::{
    auth::{client_credentials::ServicePrincipal, program::end_programs, token::Identity},
    authenticator::AccessToken,
    config::{
        Config, ConfigBuilder,
        settings::{Ignored, Setting, SettingView, Source},
        view::{ConfigView, ProfileView},
        write::Profile,
    },
    connection::{Connection, Credential},
    environment::Environment,
    login::BrowserLogin,
};
pub use lifecycle::{Change, Goal, IfTerminated, Lifecycle, Phase, Status};
pub use list::{List, ListFilter, RawPages};
pub use names::{Candidate, Named};
pub use notebook::{CellAction, CellRefusal, CellStep, Notebook, refuse_notebook};
pub use preview::{Preview, PreviewLimits};
pub use raw::{FilePart, RawData, RawRequest, RawResponse, ResponseType};
#[cfg(feature = "arrow")]
pub use results::RecordBatches;
pub use results::{Cell, ColumnIndex, FetchOptions, Row, RowStream, Rows, RowsIter, StatementResult};
pub use wait::WaitOptions;
pub use workspace::{Workspace, WorkspaceBuilder};

/// Crates whose types are in signatures, in the version in use.
pub use {bytes, http, reqwest::Url};

/// What the API description says of each operation.
pub mod reference {
    pub use brickwire_client::{Argument, Body, Content, Kind, Place, Reference};
}

/// Arrow's crates, in the version in use.
#[cfg(feature = "arrow")]
pub mod arrow {
    pub use arrow_array;
    pub use arrow_schema;
}

/// Declares the services, and what of each is public.
macro_rules! services {
    ($($(#[$attribute:meta])* $service:ident::$public:tt;)*) => {
        $(
            $(#[$attribute])*
            mod $service;
            $(#[$attribute])*
            pub use $service::$public;
        )*
    };
}

// The only place where a service is registered; CONTRIBUTING.md says how to add one. `cargo fmt` doesn't look into macros,
// `cargo xtask fmt` formats all files.
services! {
    catalogs::{Catalogs};
    cluster_policies::{ClusterPolicies};
    clusters::{Clusters};
    commands::{
        Command, Commands, DEFAULT_LANGUAGE, ExecutionContext,
        cells::{CellRun, CellRuns, CellStatus},
        open_context::OpenContext,
        options::RunOptions,
        output::{Run, RunOutput},
    };
    dbfs::{Dbfs};
    files::{FileMetadata, Files, Walk};
    functions::{Functions};
    grants::{Grants, Securable};
    groups::{Groups};
    instance_pools::{InstancePools};
    jobs::{EndedRun, EndedTask, JobRun, Jobs, RunOutcome};
    #[cfg(test)]
    kettles::{Kettle, Kettles};
    libraries::{Libraries};
    models::{Models};
    objects::{Exported, FolderCopy, ImportOptions, ObjectFile, Objects};
    permissions::{Permissions};
    pipelines::{EndedUpdate, PipelineUpdate, Pipelines, UpdateOutcome};
    registry::{Registry};
    repos::{Repos};
    schemas::{Schemas};
    secrets::{SecretValue, Secrets};
    service_principals::{ServicePrincipals};
    serving::{Serving};
    sql::{
        Defaults, Parameter, ParameterType, ParameterValue, Position, Script, ScriptStatement, Sql, SqlSession,
        Statement, Use,
    };
    statements::{Statements};
    tables::{Tables};
    users::{Users};
    volumes::{Volumes};
    warehouses::{
        Warehouses,
        choice::{DefaultReason, DefaultWarehouse},
    };
}

/// Compiles the example of the repository's front page.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct FrontPage;

/// Compiles the example of the client, whose own documentation is generated and is not compiled.
#[cfg(doctest)]
#[doc = include_str!("../../client/README.md")]
struct ClientPage;

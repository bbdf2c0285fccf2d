#![doc = include_str!("../README.md")]

mod auth;
mod blob;
mod builder;
mod call;
mod clock;
mod data;
mod delays;
pub mod engine;
mod error;
mod fault;
mod links;
mod lock;
mod page;
mod pairs;
mod phase;
mod pipeline;
mod request_log;
mod routes;
mod sandbox;
mod secrets;
mod serve;
mod server;
mod services;
mod storage;
mod tenant;
mod tree;

pub use builder::SandboxBuilder;
pub use clock::Clock;
pub use delays::Delays;
pub use fault::rule::{FaultRule, ParseFaultError};
pub use request_log::RecordedRequest;
pub use sandbox::Sandbox;
pub use serve::{ClockSkew, FaultFile, ServeArgs, serve};

/// Names and ids in every fresh workspace: three clusters, three warehouses, two jobs, models, a volume, and their owner.
pub mod seed {
    pub use crate::routes::catalogs::seed::MODEL as REGISTERED_MODEL;
    pub use crate::routes::cluster_policies::SHARED_POLICY;
    pub use crate::routes::clusters::seed::{FAILING_CLUSTER, RUNNING_CLUSTER, TERMINATED_CLUSTER};
    pub use crate::routes::instance_pools::WARM_POOL;
    pub use crate::routes::jobs::seed::{IMPORT_JOB, REPORT_JOB};
    pub use crate::routes::pipelines::seed::{FAILING_PIPELINE, TRIPS_PIPELINE};
    pub use crate::routes::registry::REGISTERED_MODEL as REGISTRY_MODEL;
    pub use crate::routes::serving::seed::{
        CHAT_ENDPOINT, ECHO_ENDPOINT, EMBEDDINGS_ENDPOINT, FUNCTION_ENDPOINT,
    };
    pub use crate::routes::volumes::VOLUME;
    pub use crate::routes::warehouses::{NAMESAKE_WAREHOUSE, RUNNING_WAREHOUSE, STOPPED_WAREHOUSE};
    pub use crate::tenant::USER_NAME;
}

//! The wire: Databricks' REST API as generated Rust, and the small runtime that it stands on.

pub mod runtime;

pub use runtime::{
    ApiError, Body, BoxError, BoxFuture, Error, OperationInfo, Response, ResponseValue, Transport,
};

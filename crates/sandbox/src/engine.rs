//! The SQL engine: what a statement's text and parameters become, with nothing of HTTP in it.
//!
//! The rest of the sandbox knows only this interface. Behind it is DataFusion under a Databricks dialect. What the
//! engine cannot do, it refuses with `[UNSUPPORTED_FEATURE.SANDBOX]`; it never guesses an answer.

use std::path::Path;
use std::sync::Arc;

pub mod contents;
pub mod encode;
mod error;
mod fusion;
mod metadata;
mod parameter;
mod query;
mod spark_types;
mod text;
pub mod types;

pub use error::EngineError;
pub use fusion::datasets::datasets;
pub use metadata::{Metadata, Table, TableColumn};
pub use parameter::Parameter;
pub use query::{Batches, Column, Query, QueryStream, SqlEngine};

/// A fresh engine with the sample data and an empty `main.default`.
#[must_use]
pub fn new_engine() -> Arc<dyn SqlEngine> {
    Arc::new(fusion::FusionEngine::new(std::env::temp_dir()))
}

/// As [`new_engine`], with a directory for what sorts and joins cannot keep in memory.
#[must_use]
pub fn new_engine_in(directory: &Path) -> Arc<dyn SqlEngine> {
    Arc::new(fusion::FusionEngine::new(directory.to_owned()))
}

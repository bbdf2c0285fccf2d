//! What goes into an engine and what comes out of it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use futures_util::Stream;
use futures_util::future::BoxFuture;

use super::{contents::Contents, error::EngineError, metadata::Metadata, parameter::Parameter};

/// One statement to run.
#[derive(Debug, Clone, Default)]
pub struct Query<'a> {
    /// The statement's text, one statement.
    pub sql: &'a str,
    /// The catalog that unqualified names belong to; the session's own when `None`.
    pub catalog: Option<&'a str>,
    /// The schema that unqualified names belong to; the session's own when `None`.
    pub schema: Option<&'a str>,
    /// What `current_user()` answers.
    pub user: &'a str,
    /// Values of the `:name` markers in the text.
    pub parameters: Vec<Parameter>,
}

/// The rows of a running statement. Dropping it cancels the statement.
pub struct QueryStream {
    /// The columns as a result manifest shows them.
    pub columns: Vec<Column>,
    /// The same columns for Arrow. Names may repeat. Every batch has this schema.
    pub schema: SchemaRef,
    /// The rows. Ends after the first error.
    pub batches: Batches,
}

/// The stream inside a [`QueryStream`].
pub type Batches = Pin<Box<dyn Stream<Item = Result<RecordBatch, EngineError>> + Send>>;

impl fmt::Debug for QueryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryStream").field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// A column of a result, described in Databricks' words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name shown: `1`, `(id * 2)`, `count(1)`, or the alias.
    pub name: String,
    /// The SQL type in full: `BIGINT`, `DECIMAL(10,2)`, `ARRAY<INT>`.
    pub type_text: String,
    /// The type's base name as the API spells it: `LONG`, `DECIMAL`, `ARRAY`.
    pub type_name: String,
    /// Digits of a DECIMAL.
    pub precision: Option<i32>,
    /// Digits after the point of a DECIMAL.
    pub scale: Option<i32>,
}

/// Runs statements. One engine is one workspace's data; clones of it by [`session`](Self::session) share the tables.
pub trait SqlEngine: Send + Sync {
    /// Plans a statement and starts it. A statement that changes data is complete when this returns; a SELECT runs
    /// as its batches are read. Dropping the future or the stream cancels.
    ///
    /// # Errors
    /// The statement is invalid or failed; a failure after the first rows comes through the stream instead.
    fn query<'a>(&'a self, query: Query<'a>) -> BoxFuture<'a, Result<QueryStream, EngineError>>;

    /// A new session. USE and SET affect only that session; tables are shared with this one.
    fn session(&self) -> Arc<dyn SqlEngine>;

    /// All tables and views as they are now. It copies no rows.
    ///
    /// # Errors
    /// A default value of a column has no text.
    fn contents(&self) -> BoxFuture<'_, Result<Contents, EngineError>>;

    /// Puts tables and views into an engine that is fresh.
    ///
    /// # Errors
    /// The contents contradict themselves, such as a table in a schema that isn't there.
    fn load(&self, contents: Contents) -> BoxFuture<'_, Result<(), EngineError>>;

    /// The catalogs, schemas and tables that the statements of all sessions see.
    fn metadata(&self) -> &dyn Metadata;
}

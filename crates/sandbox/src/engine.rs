//! The SQL engine: what a statement's text and parameters become, with nothing of HTTP in it.
//!
//! The rest of the sandbox knows only this interface. Behind it is DataFusion under a Databricks dialect. What the
//! engine cannot do, it refuses with `[UNSUPPORTED_FEATURE.SANDBOX]`; it never guesses an answer.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use futures_util::Stream;
use futures_util::future::BoxFuture;

pub mod encode;
mod fusion;
mod text;
pub mod types;

/// One statement as it was asked for.
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

/// A named parameter. It is bound as a value, never pasted into the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameter {
    /// The name without its colon.
    pub name: String,
    /// The value as text; `None` is NULL, which is not the empty text.
    pub value: Option<String>,
    /// The SQL type, `STRING` when `None`.
    pub type_name: Option<String>,
}

/// Rows on their way. Dropping it cancels the statement.
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

/// Why a statement failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineError {
    /// The API's code: `BAD_REQUEST`, `RESOURCE_EXHAUSTED`, `INTERNAL_ERROR`.
    pub error_code: String,
    /// The message with its error class and SQLSTATE: `[TABLE_OR_VIEW_NOT_FOUND] … SQLSTATE: 42P01`.
    pub message: String,
    /// The SQLSTATE alone.
    pub sql_state: Option<String>,
}

impl EngineError {
    /// An error of the statement itself: `[CLASS] text SQLSTATE: state`.
    pub fn of_class(class: &str, sql_state: &str, text: impl fmt::Display) -> Self {
        Self {
            error_code: "BAD_REQUEST".to_owned(),
            message: format!("[{class}] {text} SQLSTATE: {sql_state}"),
            sql_state: Some(sql_state.to_owned()),
        }
    }

    /// Something Databricks does and this engine doesn't.
    pub fn unsupported(what: impl fmt::Display) -> Self {
        Self::of_class(
            "UNSUPPORTED_FEATURE.SANDBOX",
            "0A000",
            format_args!("The feature is not supported: the sandbox's SQL engine cannot do this: {what}."),
        )
    }

    /// A fault of the engine, not of the statement.
    pub fn internal(what: impl fmt::Display) -> Self {
        Self {
            error_code: "INTERNAL_ERROR".to_owned(),
            message: format!("[INTERNAL_ERROR] The sandbox's SQL engine failed: {what}. SQLSTATE: XX000"),
            sql_state: Some("XX000".to_owned()),
        }
    }

    /// The error class: what stands in brackets at the start of the message.
    #[must_use]
    pub fn class(&self) -> Option<&str> {
        self.message.trim_start().strip_prefix('[')?.split_once(']').map(|(class, _)| class)
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EngineError {}

/// Runs statements. One engine is one workspace's data; clones of it by [`session`](Self::session) share the tables.
pub trait SqlEngine: Send + Sync {
    /// Plans a statement and starts it. What changes data has done so when this returns; a SELECT runs as its
    /// batches are taken. Dropping the future or the stream cancels.
    ///
    /// # Errors
    /// Whatever the statement does wrong; a failure after the first rows comes through the stream instead.
    fn query<'a>(&'a self, query: Query<'a>) -> BoxFuture<'a, Result<QueryStream, EngineError>>;

    /// A session of its own: USE and SET stay in it; tables are shared with this one.
    fn session(&self) -> Arc<dyn SqlEngine>;
}

/// A fresh engine with the sample data and an empty `main.default`.
#[must_use]
pub fn new_engine() -> Arc<dyn SqlEngine> {
    Arc::new(fusion::FusionEngine::new())
}

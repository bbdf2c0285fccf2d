//! SQL statements on a warehouse: submit, wait, cancel, and the rows of all chunks in order.
//!
//! How a result travels is decided here. Rows as text: by links, since an `INLINE` result of more than 25 MiB fails the
//! statement and running it again might do its work twice; but `INLINE`, which saves a request to the store, for
//! statements that never have many rows. Record batches: `ARROW_STREAM` by links, with LZ4. All can be forced.
//!
//! A statement that was submitted is cancelled when its deadline passes or its future is dropped. A submission whose
//! answer is lost is an unknown outcome, never sent again: the statement may run.

#[cfg(feature = "arrow")]
mod batches;
mod execution;
mod fetch;
mod parameter;
mod result;
mod rows;
mod script;
mod submission;
mod wire;

use std::time::Duration;

use brickwire_client::{ResponseValue, types};

use crate::{Error, Result, WaitOptions, Workspace};

#[cfg(feature = "arrow")]
pub use batches::RecordBatches;
pub use fetch::FetchOptions;
pub use parameter::Parameter;
pub use result::{RowStream, StatementResult};
pub use rows::{Row, Rows, RowsIter};

/// A warehouse's own limit for a statement is two days unless an administrator changed it.
const DEADLINE: Duration = Duration::from_secs(48 * 60 * 60);

/// SQL on one warehouse.
#[derive(Debug, Clone)]
pub struct Sql {
    workspace: Workspace,
    warehouse_id: String,
}

impl Sql {
    pub(crate) fn new(workspace: Workspace, warehouse_id: String) -> Self {
        Self { workspace, warehouse_id }
    }

    /// A statement to be run there; the text goes out byte for byte.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::Parameter;
    /// let sql = workspace.sql("0123456789abcdef");
    /// let result = sql
    ///     .statement("SELECT * FROM samples.nyctaxi.trips WHERE fare_amount > :fare")
    ///     .with_parameter(Parameter::typed("fare", "DOUBLE", "50"))
    ///     .execute()
    ///     .await?;
    /// for row in result.rows().await? {
    ///     println!("{row:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn statement(&self, text: impl Into<String>) -> Statement {
        Statement {
            workspace: self.workspace.clone(),
            request: types::ExecuteStatementRequest {
                statement: text.into(),
                warehouse_id: self.warehouse_id.clone(),
                ..Default::default()
            },
            parameters: Vec::new(),
            wait: WaitOptions::default().with_timeout(DEADLINE).with_polls(FIRST_POLL, LONGEST_POLL),
            fetch: FetchOptions::default(),
            lz4: true,
        }
    }
}

const FIRST_POLL: Duration = Duration::from_millis(50);
const LONGEST_POLL: Duration = Duration::from_secs(1);

/// A statement that has not been submitted yet.
#[derive(Debug, Clone)]
#[must_use = "a statement does nothing until it is executed or submitted"]
pub struct Statement {
    workspace: Workspace,
    request: types::ExecuteStatementRequest,
    parameters: Vec<Parameter>,
    wait: WaitOptions,
    fetch: FetchOptions,
    lz4: bool,
}

impl Statement {
    /// Binds a named parameter, `:name` in the text.
    pub fn with_parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// The catalog that names without one are looked up in.
    pub fn with_catalog(mut self, catalog: impl Into<String>) -> Self {
        self.request.catalog = Some(catalog.into());
        self
    }

    /// The schema that names without one are looked up in.
    pub fn with_schema(mut self, schema: impl Into<String>) -> Self {
        self.request.schema = Some(schema.into());
        self
    }

    /// The most rows of the result; more are cut off and the result says so.
    pub fn with_row_limit(mut self, rows: i64) -> Self {
        self.request.row_limit = Some(rows);
        self
    }

    /// The most bytes of the result, as the service counts them; more are cut off and the result says so.
    pub fn with_byte_limit(mut self, bytes: i64) -> Self {
        self.request.byte_limit = Some(bytes);
        self
    }

    /// Tags the statement, to be found by in the query history.
    pub fn with_query_tag(mut self, key: impl Into<String>, value: Option<&str>) -> Self {
        let tag = types::QueryTag { key: key.into(), value: value.map(str::to_owned) };
        self.request.query_tags.get_or_insert_default().push(tag);
        self
    }

    /// How long the service waits for the end before it answers: 5 to 50 seconds, or 0 to answer at once. 10 seconds by
    /// default; a statement that takes longer is polled for, so this changes only the number of requests.
    pub fn with_wait_timeout(mut self, wait: Duration) -> Self {
        self.request.wait_timeout = Some(format!("{}s", wait.as_secs()));
        self
    }

    /// How the rows are fetched: connections, memory, patience.
    pub fn with_fetch(mut self, options: FetchOptions) -> Self {
        self.fetch = options;
        self
    }

    /// Whether record batches travel packed with LZ4, if the service can; by default they do. Over a network of many
    /// gigabits per second, or none, unpacking takes longer than what it saves.
    pub fn with_lz4(mut self, packed: bool) -> Self {
        self.lz4 = packed;
        self
    }

    /// The form of the rows, for a statement that is submitted here and read elsewhere. `JSON_ARRAY` by default.
    pub fn with_format(mut self, format: types::StatementFormat) -> Self {
        self.request.format = Some(format);
        self
    }

    /// How the result travels: `INLINE` (at most 25 MiB, or the statement fails) or `EXTERNAL_LINKS`. By default what
    /// suits the statement.
    pub fn with_disposition(mut self, disposition: types::Disposition) -> Self {
        self.request.disposition = Some(disposition);
        self
    }

    /// The time for the statement from its submission to its end; then it is cancelled. Two days by default.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.wait = self.wait.with_timeout(deadline);
        self
    }

    /// Submits the statement and returns at once; see [`Workspace::statements`] for what to do with the id.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the answer is lost. A statement that fails is
    /// not an error here. Operation: `statements_execute`.
    pub async fn submit(self) -> Result<ResponseValue<types::StatementResponse>> {
        let (workspace, mut request) = (self.workspace.clone(), self.into_request()?);
        request.wait_timeout.get_or_insert_with(|| "0s".to_owned());
        request.on_wait_timeout = None;
        Ok(workspace.client().statements_execute(&request).await?)
    }

    /// Runs the statement, waits for its end and returns its result, whose rows are fetched as they are asked for.
    ///
    /// # Errors
    /// [`ErrorKind::RemoteFailed`](crate::ErrorKind::RemoteFailed) with error code, message and SQLSTATE if the
    /// statement fails or is cancelled by someone else, [`ErrorKind::DeadlineExceeded`](crate::ErrorKind::DeadlineExceeded)
    /// after cancelling it, [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the answer to the
    /// submission is lost. Operations: `statements_execute`, `statements_get`, `statements_cancel`.
    pub async fn execute(self) -> Result<StatementResult> {
        let (workspace, wait, fetch, lz4) = (self.workspace.clone(), self.wait, self.fetch, self.lz4);
        let request = self.into_request()?;
        Ok(execution::execute(workspace, request, wait, lz4).await?.with_fetch(fetch))
    }

    /// Runs the statement, waits for its end and returns its result as Arrow record batches: the fastest way to many
    /// rows.
    ///
    /// ```no_run
    /// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
    /// let mut batches = sql.statement("SELECT * FROM samples.nyctaxi.trips").execute_arrow().await?;
    /// while let Some(batch) = batches.next().await? {
    ///     println!("{} rows", batch.num_rows());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`execute`](Self::execute).
    #[cfg(feature = "arrow")]
    pub async fn execute_arrow(mut self) -> Result<RecordBatches> {
        self.request.format = Some(types::StatementFormat::ArrowStream);
        self.request.disposition = Some(types::Disposition::ExternalLinks);
        self.execute().await?.into_batches()
    }

    fn into_request(self) -> Result<types::ExecuteStatementRequest> {
        let mut request = self.request;
        if request.warehouse_id.trim().is_empty() {
            return Err(Error::usage("the warehouse id is empty"));
        }
        // Whether the parameters are those of the text is the service's to say; see `check`.
        Self::check_single(&request.statement)?;
        let items = self.parameters.into_iter().map(Parameter::into_item).collect::<Result<Vec<_>>>()?;
        request.parameters = (!items.is_empty()).then_some(items);
        let format = request.format.get_or_insert(types::StatementFormat::JsonArray);
        request.disposition.get_or_insert_with(|| match format {
            types::StatementFormat::JsonArray if has_few_rows(&request.statement) => {
                types::Disposition::Inline
            }
            _ => types::Disposition::ExternalLinks,
        });
        Ok(request)
    }
}

/// Whether the statement's rows tell what it did, or what there is, and never come near the limit of `INLINE`.
fn has_few_rows(statement: &str) -> bool {
    const FEW: [&str; 21] = [
        "ALTER", "ANALYZE", "COMMENT", "COPY", "CREATE", "DELETE", "DESC", "DESCRIBE", "DROP", "EXPLAIN",
        "GRANT", "INSERT", "MERGE", "OPTIMIZE", "REFRESH", "REVOKE", "SET", "TRUNCATE", "UPDATE", "USE",
        "VACUUM",
    ];
    let word = statement.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    FEW.iter().any(|few| few.eq_ignore_ascii_case(word))
}

/// Statements by id: those submitted before, here or elsewhere.
#[derive(Debug, Clone)]
pub struct Statements {
    workspace: Workspace,
}

impl Statements {
    pub(crate) fn new(workspace: Workspace) -> Self {
        Self { workspace }
    }

    /// Gets a statement's status, and its manifest and first chunk once it has succeeded.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id, or one older than the service remembers
    /// (at least 12 hours). Operation: `statements_get`.
    pub async fn get(&self, statement_id: &str) -> Result<ResponseValue<types::StatementResponse>> {
        Ok(self.workspace.client().statements_get(statement_id).await?)
    }

    /// Waits for a statement's end and returns its result. It isn't cancelled if this is dropped: it is not ours.
    ///
    /// # Errors
    /// As for [`Statement::execute`].
    pub async fn wait(&self, statement_id: &str, options: WaitOptions) -> Result<StatementResult> {
        execution::wait(self.workspace.clone(), statement_id, options).await
    }

    /// Asks for a statement to be cancelled; [`wait`](Self::wait) tells when it has ended.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id. One that has ended already is not an
    /// error. Operation: `statements_cancel`.
    pub async fn cancel(&self, statement_id: &str) -> Result<()> {
        self.workspace.client().statements_cancel(statement_id).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_few_rows_travels_inline() {
        for few in
            ["INSERT INTO t VALUES (1)", "  create\ttable t(a int)", "describe t", "SET x=1", "use main"]
        {
            assert!(has_few_rows(few), "{few}");
        }
        for many in [
            "SELECT 1",
            "WITH a AS (SELECT 1) INSERT",
            "/* x */ DROP t",
            "",
            "SETTINGS",
            "(SELECT 1)",
            "SHOW",
        ] {
            assert!(!has_few_rows(many), "{many}");
        }
    }
}

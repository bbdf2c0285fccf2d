//! A statement before it is submitted: its text, parameters and options, and what is sent for them.

use std::time::Duration;

use brickwire_client::{
    ResponseValue, operations,
    types::{self, StatementState},
};
use tokio::time::Instant;

use super::{
    disposition::{self, Requests},
    execution,
    parameter::{Parameter, ParameterValue},
    wire::{self, Formats},
};
#[cfg(feature = "arrow")]
use crate::{Error, RecordBatches};
use crate::{
    FetchOptions, PreviewLimits, Result, StatementResult, WaitOptions, Workspace, document::nameless,
    names::required,
};

/// A warehouse's own limit for a statement is two days unless an administrator changed it.
const DEADLINE: Duration = Duration::from_secs(48 * 60 * 60);

/// How long the service waits for the end of a statement before it answers, which saves polls: 5 to 50 seconds, or 0.
/// The shortest, because until the service answers there is no id to cancel.
const WAIT: Duration = Duration::from_secs(5);

/// The time that an answer has to arrive before the deadline.
const MARGIN: Duration = Duration::from_secs(2);

/// The rows that are fetched for a preview, so that their number is known in most cases: a count of its own would read
/// the table once more.
const PREVIEW_ROWS: i64 = 1_000;

/// More rows are no preview.
const MOST_PREVIEW_ROWS: i64 = 100_000;

/// A statement that has not been submitted yet. Made by [`Sql::statement`](crate::Sql::statement).
///
/// ```no_run
/// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
/// use std::time::Duration;
/// let statement = sql.statement("DELETE FROM t WHERE day < current_date()").with_schema("staging");
/// let result = statement.with_deadline(Duration::from_secs(600)).execute().await?;
/// println!("{}", result.statement_id());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a statement does nothing until it is executed or submitted"]
pub struct Statement {
    workspace: Workspace,
    request: types::ExecuteStatementRequest,
    parameters: Vec<Parameter>,
    wait_timeout: Option<Duration>,
    wait: WaitOptions,
    fetch: FetchOptions,
    lz4: bool,
    rows_from_arrow: bool,
    is_whole: bool,
}

impl Statement {
    pub(super) fn new(workspace: Workspace, warehouse_id: String, text: String) -> Self {
        Self {
            workspace,
            request: types::ExecuteStatementRequest { statement: text, warehouse_id, ..Default::default() },
            parameters: Vec::new(),
            wait_timeout: None,
            wait: WaitOptions::default().with_timeout(DEADLINE),
            fetch: FetchOptions::default(),
            lz4: true,
            rows_from_arrow: false,
            is_whole: false,
        }
    }

    /// Binds a named parameter, `:name` in the text, to a Rust value or a text with an SQL type; see
    /// [`ParameterValue`].
    ///
    /// ```no_run
    /// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::ParameterValue;
    /// let result = sql
    ///     .statement("SELECT * FROM trips WHERE pickup_zip = :zip AND day >= :from")
    ///     .with_parameter("zip", 10001)
    ///     .with_parameter("from", ParameterValue::date("2024-01-31"))
    ///     .execute()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_parameter(self, name: impl Into<String>, value: impl Into<ParameterValue>) -> Self {
        self.with_parameters([Parameter::new(name, value)])
    }

    /// Binds parameters that come as a list, such as those of [`Parameter::from_json`].
    pub fn with_parameters(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// The catalog for names without one.
    pub fn with_catalog(mut self, catalog: impl Into<String>) -> Self {
        self.request.catalog = Some(catalog.into());
        self
    }

    /// The schema for names without one.
    pub fn with_schema(mut self, schema: impl Into<String>) -> Self {
        self.request.schema = Some(schema.into());
        self
    }

    /// The session to run in, which has its own catalog and schema.
    pub(super) fn with_session_id(mut self, id: &str) -> Self {
        self.request.session_id = Some(id.to_owned());
        (self.request.catalog, self.request.schema) = (None, None);
        self
    }

    /// The most rows of the result. If there are more, the result is cut off and
    /// [`is_truncated`](StatementResult::is_truncated).
    pub fn with_row_limit(mut self, rows: i64) -> Self {
        self.request.row_limit = Some(rows);
        self
    }

    /// The most bytes of the result, as the service counts them. If there are more, the result is cut off and
    /// [`is_truncated`](StatementResult::is_truncated).
    pub fn with_byte_limit(mut self, bytes: i64) -> Self {
        self.request.byte_limit = Some(bytes);
        self
    }

    /// Asks for as much of the result as a [`Preview`](crate::Preview) with these limits can show, and for enough rows to
    /// count a result of usual size: 1,000 rows, or as many as the limits name if that is more. They come in the answer,
    /// so that a preview takes one round trip whatever the size of the table. A smaller
    /// [row limit](Self::with_row_limit) that was set before stays.
    pub fn with_preview(mut self, limits: PreviewLimits) -> Self {
        let rows = i64::try_from(limits.rows()).unwrap_or(i64::MAX).clamp(PREVIEW_ROWS, MOST_PREVIEW_ROWS);
        self.request.row_limit = Some(self.request.row_limit.map_or(rows, |set| set.min(rows)));
        self.request.byte_limit = Some(disposition::MOST_BYTES);
        self.request.disposition = Some(types::Disposition::Inline);
        self
    }

    /// Tags the statement for searches in the query history.
    pub fn with_query_tag(mut self, key: impl Into<String>, value: Option<&str>) -> Self {
        let tag = types::QueryTag { key: key.into(), value: value.map(str::to_owned) };
        self.request.query_tags.get_or_insert_default().push(tag);
        self
    }

    /// How long the service waits for the end of the statement before it answers: 5 to 50 seconds, or 0 to answer at
    /// once. By default 5 seconds in [`execute`](Self::execute), and 0 in [`submit`](Self::submit).
    ///
    /// [`execute`](Self::execute) polls for a statement that takes longer, so this changes only the number of requests. A
    /// [deadline](Self::with_deadline) shortens it: the service never waits longer than until 2 seconds before.
    pub fn with_wait_timeout(mut self, wait: Duration) -> Self {
        self.wait_timeout = Some(wait);
        self
    }

    /// How the rows are fetched: connections, memory, timeouts.
    pub fn with_fetch(mut self, options: FetchOptions) -> Self {
        self.fetch = options;
        self
    }

    /// Whether record batches are compressed with LZ4 if the service supports it; by default they are. On the same
    /// machine, or over a network of many gigabits per second, decompression takes longer than what it saves.
    pub fn with_lz4(mut self, compressed: bool) -> Self {
        self.lz4 = compressed;
        self
    }

    /// Reads rows as text from `ARROW_STREAM` instead of `JSON_ARRAY`. [`execute`](Self::execute) downloads fewer bytes, and
    /// the text of a TIMESTAMP has all six digits of a second, not three. All other text is the same.
    ///
    /// A result `INLINE` is `JSON_ARRAY`. If it has timestamps and you didn't set the
    /// [disposition](Self::with_disposition), a statement that only reads runs once more, with links.
    ///
    /// ```no_run
    /// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
    /// let statement = sql.statement("SELECT TIMESTAMP '2024-01-31 12:00:00.123456' AS at").with_rows_from_arrow();
    /// let rows = statement.execute().await?.collect().await?;
    /// assert_eq!(rows[0].get("at").and_then(|at| at.as_str()), Some("2024-01-31T12:00:00.123456Z"));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "arrow")]
    pub fn with_rows_from_arrow(mut self) -> Self {
        self.rows_from_arrow = true;
        self
    }

    /// Sends the text as it is, even if it looks like several statements or none: for syntax that this library doesn't know.
    ///
    /// ```no_run
    /// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
    /// sql.statement("FOR EACH ROW BEGIN SELECT 1; SELECT 2; END").with_whole_text().execute().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_whole_text(mut self) -> Self {
        self.is_whole = true;
        self
    }

    /// The form of the rows, for a statement that is submitted here and read elsewhere. `JSON_ARRAY` by default.
    pub fn with_format(mut self, format: types::StatementFormat) -> Self {
        self.request.format = Some(format);
        self
    }

    /// How the result travels: `INLINE`, in the answer of the service (at most 25 MiB, or the statement fails), or
    /// `EXTERNAL_LINKS`, from an object store. What is set here is sent as it is.
    ///
    /// By default a result comes by links, and in the answer if it is small: for a statement that never has many rows,
    /// and in [`execute`](Self::execute) for a query with a [row limit](Self::with_row_limit) of at most 10,000, or a
    /// `LIMIT` at its end. If the rows of such a query turn out to be too large, it runs once more, with links; a
    /// statement that may change data never does. A query counts as reading even if it calls functions of your own: set
    /// the disposition if those must not run twice.
    pub fn with_disposition(mut self, disposition: types::Disposition) -> Self {
        self.request.disposition = Some(disposition);
        self
    }

    /// The time for the statement from its submission to its end; then it is canceled. Two days by default.
    ///
    /// It bounds [`execute`](Self::execute), with all its requests; [`submit`](Self::submit) only up to its answer.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.wait = self.wait.with_timeout(deadline);
        self
    }

    /// Also ends the statement at this moment, the end of a longer task of which it is a part. Messages name the time
    /// that [`with_deadline`](Self::with_deadline) sets.
    pub fn until(mut self, deadline: impl Into<Instant>) -> Self {
        self.wait = self.wait.until(deadline);
        self
    }

    /// Submits the statement, and returns at once. [`Workspace::statements`] takes the id of the statement.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let submitted = workspace.sql("0123456789abcdef").statement("OPTIMIZE t").submit().await?;
    /// println!("{:?}", submitted.statement_id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the answer is lost. A statement that fails is
    /// not an error here. Operation: `statements_execute`.
    pub async fn submit(self) -> Result<ResponseValue<types::StatementResponse>> {
        let workspace = self.workspace.with_deadline(self.wait.deadline());
        let requests = self.into_requests(Duration::ZERO, false)?;
        let answer: ResponseValue<types::StatementResponse> =
            wire::submission(&workspace, &requests.first.statement)?.json(&requests.first).send().await?;
        let operation = operations::STATEMENTS_EXECUTE.operation_id;
        let id = answer.statement_id.clone().filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| nameless("statement", operation))?;
        let status = answer.status.clone().unwrap_or_default();
        match status.state.clone() {
            Some(state @ (StatementState::Failed | StatementState::Canceled)) => {
                Err(execution::failure(id, status, &state, None, false))
            }
            _ => Ok(answer),
        }
    }

    /// Runs the statement, waits for its end, and returns its result, whose rows are fetched as they are asked for. The
    /// statement is canceled if this future is dropped.
    ///
    /// ```no_run
    /// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
    /// let result = sql.statement("SELECT 1").execute().await?;
    /// println!("{} columns", result.columns().len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::RemoteFailed`](crate::ErrorKind::RemoteFailed) with error code, message and SQLSTATE if the
    /// statement fails or someone else cancels it, [`ErrorKind::DeadlineExceeded`](crate::ErrorKind::DeadlineExceeded)
    /// once it was asked to be canceled (the message says what became of that), [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the submission
    /// is not answered. Operations: `statements_execute`, `statements_get`, `statements_cancel`.
    pub async fn execute(self) -> Result<StatementResult> {
        let (workspace, wait, fetch) = (self.workspace.clone(), self.wait, self.fetch);
        // A format that was set is not given up.
        let or_json = self.rows_from_arrow && self.request.format.is_none();
        let formats = Formats { lz4: self.lz4, or_json };
        let result = execution::execute(workspace, self.into_requests(WAIT, true)?, wait, formats).await?;
        Ok(result.with_fetch(fetch))
    }

    /// Runs the statement, waits for its end, and returns its result as Arrow record batches. The fastest way to many
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
    /// As for [`execute`](Self::execute); and [`ErrorKind::Usage`](crate::ErrorKind::Usage) with the disposition
    /// `INLINE`, which has no record batches.
    #[cfg(feature = "arrow")]
    pub async fn execute_arrow(mut self) -> Result<RecordBatches> {
        if self.request.disposition == Some(types::Disposition::Inline) {
            return Err(Error::usage("record batches can't come in the answer (`INLINE`)")
                .with_hint("leave `disposition` unset, or read the rows as text"));
        }
        self.request.format = Some(types::StatementFormat::ArrowStream);
        self.request.disposition = Some(types::Disposition::ExternalLinks);
        self.execute().await?.into_batches()
    }

    /// What is sent. `wait` is how long the service waits if nothing else was set.
    fn into_requests(self, wait: Duration, reads_result: bool) -> Result<Requests> {
        let mut request = self.request;
        let wait = bounded(self.wait_timeout.unwrap_or(wait), self.wait.remaining());
        request.wait_timeout = Some(format!("{}s", wait.as_secs()));
        required("warehouse", &request.warehouse_id)?;
        // Whether the parameters are those of the text is the service's to say; see `check`.
        if !self.is_whole {
            Self::check_single(&request.statement)?;
        }
        self.fetch.validate()?;
        let items = self.parameters.into_iter().map(Parameter::into_item).collect::<Result<Vec<_>>>()?;
        request.parameters = (!items.is_empty()).then_some(items);
        Ok(Requests::new(request, reads_result, self.rows_from_arrow))
    }
}

/// The time for which the service waits: an answer at the deadline would come too late.
fn bounded(wait: Duration, deadline: Duration) -> Duration {
    let longest = deadline.saturating_sub(MARGIN);
    match longest {
        _ if wait <= longest => wait,
        // The service refuses 1 to 4 seconds.
        _ if longest < WAIT => Duration::ZERO,
        _ => longest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_never_waits_past_the_deadline() {
        for (wait, deadline, expected) in
            [(5, 60, 5), (5, 7, 5), (5, 6, 0), (30, 60, 30), (30, 9, 7), (30, 6, 0), (3, 60, 3), (0, 1, 0)]
        {
            let [wait, deadline, expected] = [wait, deadline, expected].map(Duration::from_secs);
            assert_eq!(bounded(wait, deadline), expected, "{wait:?} {deadline:?}");
        }
    }
}

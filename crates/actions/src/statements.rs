//! SQL statements by id: those submitted before, here or elsewhere.

use brickwire_client::{ResponseValue, operations, types};
use serde_json::value::RawValue;

use crate::{Result, StatementResult, WaitOptions, Workspace, document, sql::execution};

/// What messages call one.
const NOUN: &str = "statement";

/// The statements of a workspace.
#[derive(Debug, Clone)]
pub struct Statements {
    workspace: Workspace,
}

impl Workspace {
    /// SQL statements by id: those submitted before, here or elsewhere.
    pub fn statements(&self) -> Statements {
        Statements { workspace: self.clone() }
    }
}

impl Statements {
    /// Gets the status of a statement, and its manifest and first chunk once it has succeeded.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let statement = workspace.statements().get("01f0a1b2-c3d4-1e5f-8a9b-0c1d2e3f4a5b").await?;
    /// println!("{:?}", statement.status);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id, or one that the service has forgotten
    /// (after 12 hours at the earliest). Operation: `statements_get`.
    pub async fn get(&self, statement_id: &str) -> Result<ResponseValue<types::StatementResponse>> {
        let answer = self.workspace.client().statements_get(statement_id).await?;
        document::about(answer, NOUN, statement_id, |statement| statement.statement_id.as_deref())
    }

    /// Gets the status of a statement as JSON, as the service sent it. It may hold presigned links, which are secrets. A
    /// field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.statements().get_json("01f0a1b2-c3d4-1e5f-8a9b-0c1d2e3f4a5b").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, statement_id: &str) -> Result<Box<RawValue>> {
        let call = self.workspace.client().call(&operations::STATEMENTS_GET);
        document::object_about(call.path("statement_id", &statement_id), NOUN, "statement_id", statement_id)
            .await
    }

    /// Waits for the end of a statement and returns its result. Dropping this does not cancel the statement.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let statements = workspace.statements();
    /// let result = statements.wait("01f0a1b2-c3d4-1e5f-8a9b-0c1d2e3f4a5b", Default::default()).await?;
    /// println!("{} rows", result.collect().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Statement::execute`](crate::Statement::execute), but that the statement continues after a deadline.
    /// Operation: `statements_get`.
    pub async fn wait(&self, statement_id: &str, options: WaitOptions) -> Result<StatementResult> {
        execution::wait(self.workspace.clone(), statement_id, options).await
    }

    /// Asks the service to cancel a statement; [`wait`](Self::wait) returns once it has ended.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.statements().cancel("01f0a1b2-c3d4-1e5f-8a9b-0c1d2e3f4a5b").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id. One that has ended is not an error.
    /// Operation: `statements_cancel`.
    pub async fn cancel(&self, statement_id: &str) -> Result<()> {
        self.workspace.client().statements_cancel(statement_id).await.map(drop)
    }
}

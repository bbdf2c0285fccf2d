//! SQL on a warehouse: submit, wait, cancel, and the rows of all chunks in order.
//!
//! A statement that was submitted is canceled when its deadline passes or its future is dropped. A submission whose
//! answer is lost is an unknown outcome and never sent again: the statement may run.

#[cfg(feature = "arrow")]
mod batches;
pub(crate) mod execution;
mod fetch;
mod parameter;
mod result;
mod rows;
mod statement;
mod wire;

use crate::Workspace;

#[cfg(feature = "arrow")]
pub use batches::RecordBatches;
pub use fetch::FetchOptions;
pub use parameter::Parameter;
pub use result::{RowStream, StatementResult};
pub use rows::{Row, Rows, RowsIter};
pub use statement::Statement;

/// SQL on one warehouse.
#[derive(Debug, Clone)]
pub struct Sql {
    workspace: Workspace,
    warehouse_id: String,
}

impl Workspace {
    /// SQL statements on a warehouse.
    pub fn sql(&self, warehouse_id: impl Into<String>) -> Sql {
        Sql { workspace: self.clone(), warehouse_id: warehouse_id.into() }
    }
}

impl Sql {
    /// A statement to run on the warehouse. The text is sent byte for byte.
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
        Statement::new(self.workspace.clone(), self.warehouse_id.clone(), text.into())
    }
}

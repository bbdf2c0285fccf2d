//! SQL on a warehouse: submit, wait, cancel, and the rows of all chunks in order.
//!
//! A statement that was submitted is canceled when its deadline passes or its future is dropped. A submission whose
//! answer is lost is an unknown outcome and never sent again: the statement may run.

mod check;
mod chunks;
mod defaults;
mod disposition;
pub(crate) mod execution;
mod facts;
mod guard;
pub(crate) mod lexer;
pub(crate) mod literal;
pub(crate) mod markers;
mod parameter;
mod script;
mod session;
mod split;
mod statement;
mod verb;
mod wire;

use crate::Workspace;

#[cfg(fuzzing)]
pub(crate) use check::places;

pub use defaults::Defaults;
pub use facts::Use;
pub use parameter::{Parameter, ParameterType, ParameterValue};
pub use script::{Position, Script, ScriptStatement};
pub use session::SqlSession;
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
    /// let sql = workspace.sql("0123456789abcdef");
    /// let result = sql
    ///     .statement("SELECT * FROM samples.nyctaxi.trips WHERE fare_amount > :fare")
    ///     .with_parameter("fare", 50.0)
    ///     .execute()
    ///     .await?;
    /// for row in result.collect().await? {
    ///     println!("{row:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn statement(&self, text: impl Into<String>) -> Statement {
        Statement::new(self.workspace.clone(), self.warehouse_id.clone(), text.into())
    }
}
